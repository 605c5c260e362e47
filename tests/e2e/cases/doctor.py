"""The probe that lies beside sbx.exe, and what `sbx doctor` makes of it."""
import json
import os
import re
import shutil
import tempfile

from harness import as_administrator, case, check, equal
from schema import held
from terminal import Terminal

TRY = 'C:\\Program Files\\sbx\\sbx-probe.exe'
# there is nothing to try here, or not for this user: no symbolic links, no open by number, no keys of the machine, no services
# of Windows behind a pipe or a share
NOT_HERE = {'spelling-id', 'link-symbolic', 'system-tasks', 'volumes', 'key-machine', 'raw6', 'pipe-tasks',
            'pipe-services', 'redirector'}


def rows_of(w, name, *sandbox):
    """Name of a row: its line; and what the process saw whose objects were tried."""
    os.makedirs(w.unix(w.ws(name)))
    sid = w.probe('token').text.split('user ')[1].split()[0]
    got = w.run(TRY, 'hold', *sandbox, TRY, 'try', w.ws(name + '\\out'), w.profile, sid, cwd=w.ws(name))
    lines = [json.loads(line) for line in got.text.splitlines()]
    rows = {line['row']: line for line in lines if 'row' in line}
    check(lines and 'ended' in lines[-1] and lines[-2] == {'rows': len(rows)}, '%s\n%s' % (lines[-3:], got.errors))
    return rows, (lines[-1]['connections'], lines[-1]['datagrams'])


@case('the probe: everything is open without a sandbox; what a backend claims is refused, and seen to be',
      ('none', 'unelevated', 'accounts'), ('lab',), readings=('delete-child',))
def probe(w):
    control, seen = rows_of(w, 'control')
    closed = {name for name, row in control.items() if row['answer'] != 'open'}
    # where filters see the token of a thread, those of a machine that is set up take one that is nobody's for a command's
    nobody = closed & {'anonymous-tcp'} if w.reading('ale-token', 'process', 'thread') == 'thread' else set()
    equal({name for name in closed - NOT_HERE - nobody if not name.startswith('secret-')}, set(), closed)
    equal(seen, (4 - len(nobody), 2), 'control: IPv4, with three tokens, and IPv6 get there')

    rows, seen = rows_of(w, 'inside', w.SBX, *w.options(), '--')
    answer = {name: row['answer'] for name, row in rows.items() if name not in closed}
    claimed = {name for name in answer if rows[name]['expects'] == 'held'}
    areas = {'none': {'processes'}, 'unelevated': {'processes', 'write'}, 'elevated': {'processes', 'write', 'network'}}[w.backend]
    equal({name: answer[name] for name in sorted(claimed) if rows[name]['area'] in areas and answer[name] == 'open'}, {})
    open_rows = sorted(name for name in answer if answer[name] == 'open' and name not in areas)
    if w.backend == 'none':
        equal({name for name in answer if answer[name] != 'open'}, {'breakaway'}, 'nothing else is confined')
    equal({name: answer[name] for name in answer if rows[name]['expects'] == 'works' and answer[name] != 'open'},
          {'node-pipe': 'refused'} if w.backend == 'unelevated' else {}, open_rows)
    told = tuple(sum(answer[name] == 'open' for name in names)
                 for names in ([name for name in ('tcp4', 'tcp6', 'restricted-tcp', 'anonymous-tcp') if name not in closed], ('udp4', 'udp6')))
    equal(seen, told, 'seen from outside')
    check(told == (0, 0) if w.backend == 'elevated' else min(told) > 1, answer)

    left = set(os.listdir(w.unix(w.ws('inside\\out'))))
    check(('made' in left) == (w.backend == 'none') and w.read(w.ws('inside\\out\\keep')) == b'mine', left)
    if w.backend == 'unelevated':
        once = w.reading('delete-child', 'once', 'twice') == 'once'
        equal((answer['folder-delete-child'], answer['file-delete'], 'delete' in left), ('open', 'open', False) if once else
              ('refused', 'refused', True), left)


def doctor(w, program, *options, code=0, **how):
    got = w.run(program, 'doctor', *options, **how)
    equal(got.code, code, got)
    equal(os.path.exists(w.unix(w.profile + '\\AppData\\Local\\sbx-doctor')), False, 'the folder of the probes')
    return got


@case('doctor: as claimed, by every backend here; nothing left; no name of a user', ('none', 'unelevated', 'accounts'), ('lab',),
      readings=('delete-child',))
def as_claimed(w):
    before = w.run(w.SBX, 'status', '--json').text
    w.write(w.profile + '\\AppData\\Local\\sbx-doctor\\none\\ws\\left', 'by one that was killed')
    told = held('doctor', doctor(w, w.SBX, '--backend', w.backend, '--json').text)
    equal((told['complete'], told['exit_code'], [(b['name'], b['verdict']) for b in told['backends']]), (True, 0, [(w.backend, 'as claimed')]))
    equal(w.run(w.SBX, 'status', '--json').text, before, 'left behind')
    check(w.profile.lower() not in json.dumps(told).replace('\\\\', '\\').lower(), told)
    rows = {row['row']: row for row in told['backends'][0]['rows']}
    enforced = told['backends'][0]['guarantees']['enforced']
    equal({row['verdict'] for row in rows.values() if row['area'] in enforced and row['expects'] == 'held'} - {'held', 'untried'}, set())
    equal(rows['breakaway']['verdict'], 'held', 'control: it breaks away without')
    equal(rows['file-write']['verdict'], 'open' if w.backend == 'none' else 'held')
    if w.backend == 'unelevated':
        once = w.reading('delete-child', 'once', 'twice') == 'once'
        equal(('delete' in enforced, rows['file-delete']['within']), (False, 'open') if once else (True, 'refused'), enforced)
    if w.backend == 'elevated':
        equal((rows['tcp4']['verdict'], rows['udp6']['verdict'], rows['deny-read']['within']), ('held', 'held', 'refused'))
        got = doctor(w, w.SBX, '-v')  # all of them, for people
        check(all('\n%s: as claimed\n' % name in '\n' + got.text for name in ('none', 'unelevated', 'elevated')) and
              'enforced' in got.text and 'breakaway' in got.text, got)


def interrupted(w):
    """Ctrl-C, while the probe is in its second row: nothing is left, and what there is says that it is a part."""
    w.environment = {'SBX_TEST_FAULT': 'ctrl-c'}
    scratch = w.unix(w.profile + '\\AppData\\Local\\sbx-doctor')
    with tempfile.TemporaryFile() as out, Terminal(w, [LIAR + 'sbx.exe', 'doctor', '--backend', 'none', '--json'], stdout=out) as t:
        equal(t.end() & 0xff, 125, t.seen)
        out.seek(0)
        told = held('doctor', out.read().decode())
    w.environment = {}
    equal((told['complete'], told['backends'], os.path.exists(scratch)), (False, [], False), told)


@case('doctor: what is on the PATH, and policies of the machine', ('none',), ('lab',))
def surroundings(w):
    w.copy(w.SBX, w.ws('other\\sbx.exe'))
    w.write(w.ws('msys\\msys-2.0.dll'), '')
    key = 'HKLM\\Software\\Policies\\Microsoft\\WindowsFirewall\\StandardProfile'
    got = as_administrator(w, 'reg', 'add', key, '/v', 'AllowLocalPolicyMerge', '/t', 'REG_DWORD', '/d', '0', '/f')
    equal(got.code, 0, got)
    path = ';'.join((w.ws('other'), w.ws('msys'), 'C:\\windows\\system32'))
    try:
        got = doctor(w, w.SBX, '--backend', w.backend, '--json', env={'WINEPATH': path})
    finally:
        as_administrator(w, 'reg', 'delete', key, '/f')
    told = {finding['what']: finding['evidence'] for finding in held('doctor', got.text)['findings']}
    for what, evidence in (('another sbx is on the PATH', w.ws('other\\sbx.exe')), ('programs of MSYS2', w.ws('msys\\msys-2.0.dll')),
                           ('a policy leaves out the firewall rules', 'AllowLocalPolicyMerge is 0')):
        found = [told[one] for one in told if one.startswith(what)]
        equal(found, [evidence.replace(w.profile, '%USERPROFILE%')], told)


PLUGIN = 'C:\\Program Files\\plugin\\'
LIAR = 'C:\\Program Files\\liar\\'  # with few of those backends: some do not answer, which takes its time


@case('doctor: a claim that is false is caught by name; a probe that does not come back is told', ('none',), ('lab',))
def false_claims(w):
    for name in ('sbx.exe', 'sbx-probe.exe', 'backends\\none.dll', 'backends\\broken-lie.dll', 'backends\\broken-crash.dll'):
        w.copy(PLUGIN + name, LIAR + name)
    got = doctor(w, LIAR + 'sbx.exe', '--backend', 'broken-lie', '--json', code=1)
    told = json.loads(got.text)
    equal([(b['name'], b['verdict']) for b in told['backends']], [('broken-lie', 'gaps')])
    gaps = [finding['what'] for finding in told['findings'] if finding['level'] == 'gap']
    for row in ('write, and it was not held: file-make', 'delete, and it was not held: file-delete', 'network, and it was not held: tcp4',
                'network, and it was not held: seen from outside', 'write, and it was not held: seen from outside'):
        check('broken-lie enforces ' + row in gaps, '%s\n%s' % (row, gaps))
    text = doctor(w, LIAR + 'sbx.exe', '--backend', 'broken-lie', code=1).text
    check(re.search(r'enforced  0 of \d+ closed; GAP: TCP to 127.0.0.1', text) and text.startswith('broken-lie: gaps\n'), text)
    # and by compare, with one that is unelevated but for .git
    w.copy('C:\\Program Files\\sbx\\backends\\unelevated.dll', LIAR + 'backends\\unelevated.dll')
    w.copy(PLUGIN + 'false\\false-git.dll', LIAR + 'backends\\false-git.dll')
    got = w.run(LIAR + 'sbx.exe', 'compare', '--runs', '1', '--backends', 'broken-lie,false-git', '--quiet', '--json', 'c.json')
    equal(got.code, 1, got)
    told = json.loads(w.read(w.ws('c.json')))
    equal([(b['name'], b['verdict']) for b in told['backends']], [('broken-lie', 'gaps'), ('false-git', 'gaps')])
    gaps = [finding['what'] for finding in told['findings']]
    check('broken-lie enforces network, and it was not held: tcp6' in gaps, gaps)
    equal([gap for gap in gaps if 'false-git' in gap], ['false-git enforces write, and it was not held: ' + row for row in ('git-config', 'git-add')])
    equal(doctor(w, LIAR + 'sbx.exe', '--backend', 'broken-crash', code=125).text.split()[:2], ['broken-crash:', 'broken'])
    equal(w.run(w.SBX, 'doctor', '--backend', 'nobody').code, 125)
    os.remove(w.unix(LIAR + 'backends\\broken-crash.dll'))
    w.copy(PLUGIN + 'faulty\\sbx-probe.exe', LIAR + 'sbx-probe.exe')
    try:
        interrupted(w)
        for fault, said in (('hang', 'did not come back from second'), ('crash', 'crashed in second'), ('end', 'ended behind first')):
            got = doctor(w, LIAR + 'sbx.exe', '--backend', 'none', code=125, env={'SBX_TEST_FAULT': fault})
            check(said in got.text, '%s: %s' % (fault, got))
        os.remove(w.unix(LIAR + 'sbx-probe.exe'))
        got = doctor(w, LIAR + 'sbx.exe', code=125)
        check('install sbx again' in got.errors, got)
    finally:
        shutil.rmtree(w.unix('C:\\Program Files\\liar'))
