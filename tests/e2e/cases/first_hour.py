"""The probes that a user of Windows runs (tests/windows) do what they say, in this world."""
import os

from harness import case, check, equal

PROBE = 'C:\\probe\\sbx-first-hour.exe'
NAMES = {'U%d' % n for n in range(11)} | {'where', 'types', 'delete', 'thread', 'new-object', 'set-dacl', 'control', 'rename', 'all', 'E1', 'E7', 'redirector', 'network'}
READINGS = {'delete-child', 'new-object-dacl', 'set-dacl', 'tree-dacl', 'thread-dacl', 'impersonate', 'token-read'}
# Wine takes no simple name for a rename, and no credentials for the network alone
WINDOWS_ONLY = {'rename-in-place', 'seclogon-restricted'}


def lines_of(w):
    got = w.run(PROBE, 'all', w.SBX, w.ws('probes'), timeout=300)
    lines = [line.split(' | ') for line in got.text.splitlines() if line]
    equal(sorted({len(line) for line in lines}), [5], got)
    equal(got.code, 0, got)
    return lines


def result(lines, name, world, tried):
    found = [line[3] for line in lines if line[:2] == [name, world] and line[2].startswith(tried)]
    equal(len(found), 1, '%s %s %s' % (name, world, tried))
    return found[0]


@case('the probes for Windows: each says something, nothing is left', ('unelevated',), ('lab', 'native'),
      readings=('delete-child', 'rename-in-place', 'new-object-dacl', 'set-dacl', 'tree-dacl', 'station', 'console', 'thread-dacl'))
def probes(w):
    lines = lines_of(w)
    equal({line[0] for line in lines}, NAMES, 'one line at least of each')
    equal([line for line in lines if 'BROKEN' in line[4]], [], 'sbx itself')
    equal(os.path.exists(w.unix(w.ws('probes'))), False, 'the folder of the probes')
    equal(result(lines, 'all', 'here', 'clean up'), 'nothing left')
    check(w.ws('probes').lower() not in w.run(w.SBX, 'status').text.lower(), 'something is left in the ledger')

    # without a sandbox everything that can be done is done
    for world in ('here', 'none'):
        for tried in ('write to', 'open outside', 'DeleteFile', 'MoveFile outside\\move', 'MoveFile outside\\rename', 'MoveFile ws',
                      'RemoveDirectory'):
            equal(result(lines, 'delete', world, tried), 'ok', world)
        equal(result(lines, 'delete', world, 'seen from outside').split(), ['keep', 'linked', 'over', 'renamed'], world)
    equal(result(lines, 'delete', 'unelevated', 'write to'), 'error 5')

    # a reading is told the same way by all probes that tell it, whether by the access check or by the deed
    told = {}
    for line in lines:
        if '=' in line[4]:
            told.setdefault(line[4].split('=')[0], set()).add(line[4].split('=')[1])
    unknown = {'impersonate'} if told.get('token-read') == {'query'} else set()  # no other token can be opened at all
    equal(READINGS - unknown - set(told), set(), 'the readings that are settled')
    w.unjudged += ['the reading ' + name for name in sorted(WINDOWS_ONLY - set(told))]
    equal({name: values for name, values in told.items() if len(values) > 1}, {}, 'both ways')
    left = result(lines, 'delete', 'unelevated', 'seen from outside').split()
    check(('delete' in left) == (told['delete-child'] == {'twice'}), 'what is left: %r' % left)
    for name, value in (one.split('=') for one in os.environ.get('LAB_READING', '').split(',') if '=' in one):
        if name == 'impersonate':
            continue  # the lab's is about tokens of a logon that the caller made, of which no probe has one
        check(told.get(name, {value}) == {value}, '%s is told to be %s' % (name, told.get(name)))
