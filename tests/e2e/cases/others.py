"""Several users, backends and programs of sbx on one machine: none is in another's way, and none gets what is another's."""
import contextlib
import os
import shutil

from harness import case, check, equal
from cases.elevated import administrator, as_administrator
from cases.files import DENIED, acts, build, ended, running
from cases.leases import begin, end, name_of

ACCOUNTS = ('accounts',)
WORLDS = ('lab',)
WHOLE = ('--elevated-token', 'account')
NAME, PASSWORD = 'second', 'Tr0ub4dor-and-more'
HOME = 'C:\\users\\second'


@contextlib.contextmanager
def second_user(w):
    as_administrator(w, w.PROBE, 'user', NAME, PASSWORD)
    try:
        # he is not set up yet, though the machine is
        got = second(w, w.SBX, '--read-only', '--', 'whoami')
        check('(it is not set up for you): "unelevated" runs' in got.errors and got.lines[0].lower() == 'vm\\' + NAME, got)
        got = second(w, w.SBX, '--read-only', '--network', 'off', '--', 'whoami')
        check(got.code == 125 and 'the fallback does not enforce it' in got.errors, got)
        as_administrator(w, w.SBX, 'setup', '--user', NAME, '--slots', '1', 'elevated')
        yield
    finally:
        with administrator(w):
            w.run(w.SBX, 'setup', '--remove', '--user', NAME, 'elevated')
            w.run(w.PROBE, 'user', NAME)
        shutil.rmtree(w.unix(HOME), ignore_errors=True)


def second(w, *command):
    """Somebody else, logged on: his command, and how it ended."""
    got = w.probe('as', NAME, PASSWORD, '--', *command, cwd='C:\\windows')
    check('exit 0x' in got.text, got)
    got.lines = got.text.splitlines()[:-1]
    got.code = int(got.text.rsplit('exit 0x', 1)[1], 16)
    return got


def script(w, path, *lines):
    w.write(path, ''.join('@%s\r\n' % line for line in lines))
    return path


@case('two users, each with accounts of his own: neither reads, writes, lists or cleans what is the other\'s', ACCOUNTS, WORLDS)
def users(w):
    mine, theirs = build(w, w.ws('mine'), 'old', 'd\\'), HOME + '\\ws'
    equal(acts(w, [('append', mine + '\\old', 'x')], ('--workspace', mine), cwd=mine), ['ok'])
    with second_user(w):
        got = second(w, 'cmd', '/d', '/c', 'md %s& echo theirs> %s\\old& type %s\\old' % (theirs, theirs, mine))
        equal([line for line in got.lines if line], [], 'control: a file in a profile is its user\'s')
        tries = ['type %s\\old', 'dir /b %s', 'echo x>> %s\\old', 'echo x> %s\\new', 'rd %s\\d', 'move %s\\old .', 'icacls %s']

        def attack(root, own):
            return script(w, 'C:\\probe\\attack.cmd', 'whoami', 'echo x> %s\\made' % own, *((line % root) + ' 2> nul' for line in tries))

        sbx = (w.SBX, '--backend', 'elevated', '--quiet')
        for whole in ((), WHOLE):
            held = begin(w)  # both at once
            equal(name_of(held)[:-1], 'vm\\sbx1-off0')
            attack(mine, theirs)
            got = second(w, *sbx, *whole, '--workspace', theirs, '--', 'C:\\probe\\attack.cmd')
            equal([line.lower() for line in got.lines if line], ['vm\\sbx2-off01'], got)
            equal(w.read(theirs + '\\made'), b'x\r\n', 'control: he works in his own')
            equal((w.read(mine + '\\old'), sorted(os.listdir(w.unix(mine)))), (b'oldx', ['d', 'old']))
            equal(end(held), 0)
            os.remove(w.unix(theirs + '\\made'))
            attack(theirs, mine)
            got = w.sbx('C:\\probe\\attack.cmd', options=whole + ('--workspace', mine), cwd=mine)
            equal([line.lower()[:-1] for line in got.text.splitlines() if line], ['vm\\sbx1-off0'], got)
            equal(w.read(mine + '\\made'), b'x\r\n', 'control')
            equal((w.read(theirs + '\\old'), os.listdir(w.unix(theirs))), (b'theirs\r\n', ['old']))
            os.remove(w.unix(mine + '\\made'))
        check(mine not in '\n'.join(second(w, w.SBX, 'status').lines), 'his own only')
        equal(second(w, w.SBX, 'clean', '--all').code, 0)
        equal(acts(w, [('append', mine + '\\old', 'x')], ('--workspace', mine), cwd=mine), ['ok'])
    # that he goes is nothing to the other one
    equal(w.sbx('whoami', options=('--workspace', mine), cwd=mine).text.strip().lower()[:-1], 'vm\\sbx1-off0')


@case('both backends at once in one workspace: both write there, neither to what is protected, and the end of one takes nothing', ACCOUNTS,
      WORLDS)
def backends(w):
    root = build(w, w.ws('r'), 'old', '.git\\', '.git\\config')
    other, w.backend = w.backend, 'unelevated'
    first = running(w, ('--workspace', root), root)
    w.backend = other
    closed = [('write', root + '\\.git\\config', 'x'), ('rmdir', root + '\\.codex'), ('write', root + '\\.codex\\c', 'x'),
              ('move', root + '\\.git', root + '\\g')]
    try:
        equal(acts(w, [('write', root + '\\old', 'e'), ('write', root + '\\made', 'e')] + closed, ('--workspace', root), cwd=root),
              ['ok'] * 2 + [DENIED] * 4)
        second_run = running(w, ('--workspace', root), root)
        try:
            equal(acts(w, [('append', root + '\\made', 'u'), ('write', root + '\\more', 'u')] + closed, ('--workspace', root), 'unelevated',
                       cwd=root), ['ok'] * 2 + [DENIED] * 4)
            ended(first)
            first = None
            equal(acts(w, [('append', root + '\\more', 'e')] + closed, ('--workspace', root), cwd=root), ['ok'] + [DENIED] * 4)
            check(os.path.isdir(w.unix(root + '\\.codex')), 'the placeholder of the run that is left')
            got = w.run(w.SBX, 'clean', root)
            check('in use' in got.text + got.errors, got)
        finally:
            ended(second_run)
    finally:
        if first:
            ended(first)
    equal(sorted(os.listdir(w.unix(root))), ['.git', 'made', 'more', 'old'])
    equal((w.read(root + '\\made'), w.read(root + '\\more')), (b'ex', b'ux'))
    equal(w.run(w.SBX, 'clean', root).code, 0)
    check('S-1-9-' not in w.probe('sddl', root, root + '\\made', root + '\\more').text, 'nothing is left')


OTHER = 'C:\\Program Files\\another'


@case('programs of two versions in one workspace, at once: both work, what differs is told, either one cleans', ACCOUNTS, WORLDS)
def versions(w):
    root = build(w, w.ws('r'), 'old')
    version = w.run(w.SBX, '--version').text.split()[1].encode()
    for name in ('sbx.exe', 'backends\\elevated.dll', 'backends\\unelevated.dll'):
        w.write(OTHER + '\\' + name, w.read('C:\\Program Files\\sbx\\' + name).replace(version + b'\0', b'7' + version[1:] + b'\0'))
    try:
        first = running(w, ('--workspace', root), root)
        got = w.run(OTHER + '\\sbx.exe', '-v', '--backend', 'elevated', '--workspace', root, '--', 'cmd', '/d', '/c', 'echo x> made& whoami', cwd=root)
        check(got.code == 0 and '7' + version.decode()[1:] in got.errors and version.decode() in got.errors, got)
        equal(w.read(root + '\\made'), b'x\r\n', got)
        ended(first)
        equal(acts(w, [('append', root + '\\made', 'y')], ('--workspace', root), cwd=root), ['ok'])
        equal(w.run(OTHER + '\\sbx.exe', 'clean', root).code, 0)
        check('S-1-9-' not in w.probe('sddl', root, root + '\\made').text, 'nothing is left')
    finally:
        shutil.rmtree(w.unix(OTHER))
