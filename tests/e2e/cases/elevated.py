"""The elevated backend: set up with administrator rights, commands as an account of their own, and away again."""
import contextlib
import hashlib
import json
import os
import subprocess

from harness import case, check, equal

from cases.files import build, same, snapshot

ACCOUNTS = ('elevated',)
WORLDS = ('lab',)
SETUP = ('programs', 'machine', 'enrol', 'group-readers', 'group-writers', 'group-offline', 'account-off01', 'account-on01', 'members',
         'rights', 'hidden', 'secret', 'passwords', 'runner', 'loopback', 'filters', 'rules', 'ready')
ALWAYS = ('machine',)  # is there before setup
OWN = 'D:P(A;OICI;FA;;;OW)'  # for the owner alone, as of Python's folders of mode 0700


CURRENT = 'SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\'


@contextlib.contextmanager
def administrator(w):
    user, w.command = w.command, w.command[:-1] + ['admin']
    try:
        yield
    finally:
        w.command = user


def as_administrator(w, *argv, code=0):
    with administrator(w):
        got = w.run(*argv)
    equal(got.code, code, got)
    return got


@contextlib.contextmanager
def set_up(w, slots=1):
    """Set up with so many accounts of each kind; it stays for the next case, for it takes longer than most of them."""
    if getattr(w, 'slots', 0) != slots:
        as_administrator(w, w.SBX, 'setup', '--slots', str(slots), 'elevated')
    w.slots = 0  # what fails has it looked at again
    yield
    w.slots = slots


def not_any_more(w):
    as_administrator(w, w.SBX, 'setup', '--remove', 'elevated')
    w.slots = 0


def there(w, *command, options=(), **how):
    """In a directory that every user can read: the account is not let into the user's profile yet."""
    return w.sbx(*command, options=('--read-only',) + options, cwd='C:\\windows', **how)


def machine(w):
    """Accounts and groups as another program lists them, and what lies in the folder of setup."""
    with administrator(w):
        listed = w.run('net', 'localgroup').text + w.run('net', 'user').text
    folder = w.unix('C:\\ProgramData\\sbx')
    return (listed, sorted(os.listdir(folder)) if os.path.isdir(folder) else [],
            sorted(os.listdir(w.unix('C:\\Program Files\\sbx'))))


@case('setup: every step there, told to a user without rights; removed without a trace', ACCOUNTS, WORLDS)
def setup(w):
    not_any_more(w)
    before = machine(w)
    got = w.run(w.SBX, 'setup', '--status', '--slots', '1', 'elevated')
    equal([line.split()[1:3] for line in got.text.splitlines()],
          [['present' if name in ALWAYS else 'absent', name] for name in SETUP], got)
    got = w.run(w.SBX, 'setup', '--slots', '1', 'elevated')  # another process has the rights: what it says is seen here
    check(got.code == 0 and got.text.startswith('setup: copied to C:\\Program Files\\sbx\\setup\\'), got)
    check('sbx-runner' not in got.errors, 'each program of the checks started, that in an AppContainer as well: %s' % got)
    copied = got.text.splitlines()[0][len('setup: copied to '):]
    listed = w.probe('sddl', copied, copied + '\\sbx-runner.exe').text.splitlines()
    equal([line.count(';0x1200a9;;;AC)') + line.count(';0x1200a9;;;S-1-15-2-2)') for line in listed], [2, 2], listed)
    equal([line.split()[1:3] for line in got.text.splitlines()[1:]],
          [['present' if name in ALWAYS + ('programs', 'loopback') else 'done', name] for name in SETUP], got)  # no ports: right
    w.slots = 1
    with set_up(w):
        got = w.run(w.SBX, 'setup', '--status', 'elevated')
        equal([line.split()[1:3] for line in got.text.splitlines()], [['present', name] for name in SETUP], got)
        check(machine(w) != before, 'control: something is there')
        got = there(w, 'cmd', '/d', '/c', 'exit 0')
        equal(got.code, 0, got)
        got = w.sbx('cmd', '/d', '/c', 'echo ran', options=('--read-only',), cwd=w.profile + '\\AppData\\Roaming')
        equal((got.code, got.text), (125, ''), got)
        check('start directory' in got.errors and 'cannot read it' in got.errors, got)
        got = as_administrator(w, w.SBX, 'setup', 'elevated')
        equal([line.split()[1:3] for line in got.text.splitlines()], [['present', name] for name in SETUP], got)
        equal(w.run(w.SBX, 'setup', 'elevated').text, 'backend "elevated" is set up\n')
        for name in ('elevated.txt', 'elevated-1.secret'):
            got = w.run('cmd', '/d', '/c', 'echo x>> C:\\ProgramData\\sbx\\' + name)
            check('denied' in (got.text + got.errors).lower(), 'only administrators write there: %s' % got)
        upgrade(w)
    not_any_more(w)
    equal(machine(w), before)


def everything(w):
    """The machine as Linux sees it: accounts, groups, members, rights; each file with its descriptor and its contents (a large one:
    time and size); the keys of accounts, profiles and services.  Not: temporary files, workspaces of tests, what the user's own sbx remembers."""
    prefix = os.path.dirname(w.drive)
    lab = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lab', 'lab')
    found = {}
    lines = subprocess.run([lab, '--prefix', prefix, '--dump'], check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        if line.split(' ')[0] not in ('session', 'process', 'token'):
            found['sam ' + line] = ''
    for top, folders, files in os.walk(w.drive):
        folders[:] = [name for name in folders if not os.path.islink(os.path.join(top, name)) and name.lower() not in ('temp', 'e2e')]
        for name in folders + files:
            path = os.path.join(top, name)
            if os.path.islink(path) or '/AppData/Local/sbx' in path:
                continue
            about = os.stat(path)
            content = (about.st_size, about.st_mtime_ns)
            if name in folders or about.st_size < 65536:
                with open(path if name in files else os.devnull, 'rb') as file:
                    content = hashlib.sha256(file.read()).hexdigest()
            sd = [os.getxattr(path, 'user.ntlab.sd') for x in os.listxattr(path) if x == 'user.ntlab.sd']
            found[os.path.relpath(path, w.drive)] = (content, sd)
    with administrator(w):
        for key in (CURRENT + 'Winlogon', CURRENT + 'ProfileList', 'SYSTEM\\CurrentControlSet\\Services'):
            for line in w.run('reg', 'query', 'HKLM\\' + key, '/s').text.splitlines():
                if 'Services\\SharedAccess' not in line:  # the lab makes it with the first rule; on Windows it is there
                    found['registry ' + line] = ''
    found['sddl'] = w.probe('sddl', w.profile, w.profile + '\\AppData\\Local', 'C:\\ProgramData', 'C:\\Program Files').text
    return found


@case('set up, used, removed: accounts, rights, files, descriptors and keys are as they were', ACCOUNTS, WORLDS)
def as_before(w):
    not_any_more(w)
    w.run(w.SBX, 'clean', '--all')
    root = build(w, w.ws('r'), 'a', 'd\\', 'd\\f', '.git\\', '.git\\HEAD', '.git\\config')
    equal(w.probe('newdir', root + '\\private', OWN).text, 'ok\n')
    tree = snapshot(w, root)
    before = everything(w)
    got = w.run(w.SBX, 'setup', '--slots', '1', 'elevated')
    equal(got.code, 0, got)
    got = w.sbx('cmd', '/d', '/c', 'echo x> made& echo x> d\\made& %s newdir python %s& echo x> python\\f' % (w.PROBE, OWN), cwd=root)
    equal((got.code, w.read(root + '\\made'), w.read(root + '\\python\\f')), (0, b'x\r\n', b'x\r\n'), got)
    check(snapshot(w, root)['d'] != tree['d'] and snapshot(w, root)['private'] == tree['private'], 'control')
    between = everything(w)
    for sign in ('sam ', 'registry ', 'ProgramData/sbx/elevated.txt', 'Program Files/sbx/setup/'):
        check([name for name in between if name.startswith(sign) and name not in before], 'control: %s is told' % sign)
    got = w.run(w.SBX, 'setup', '--remove', 'elevated')
    equal(got.code, 0, got)
    check('undone  grant' in got.text, 'his own grants as well: %s' % got)
    equal(w.run('cmd', '/d', '/c', 'del made d\\made& rd /s /q python', cwd=root).code, 0, 'what the command made is his')
    same(snapshot(w, root), tree, 'what was there before')
    after = everything(w)
    differ = sorted(name for name in set(before) | set(after) if before.get(name) != after.get(name))
    # one without a stored descriptor has what is above it, as another program sees it: "sddl"
    equal([name for name in differ if not (name in after and before.get(name) == (after[name][0], []))], [])


def upgrade(w):
    """Other programs: a copy of them beside the one that is there, and then that one goes; and back again."""
    def copies():
        return os.listdir(w.unix('C:\\Program Files\\sbx\\setup'))
    first, other, name = copies(), None, 'C:\\Program Files\\sbx\\backends\\none.dll'
    content = w.read(name)
    for now in (content + b'x', content):
        w.write(name, now)
        got = w.run(w.SBX, 'setup', '--check', 'elevated')
        equal([line.split(':')[1].split('  ')[0].strip() for line in got.text.splitlines() if 'to do' in line], ['to do'] * 2)
        equal(got.code, 3, got)
        told = json.loads(w.run(w.SBX, 'setup', '--json', 'elevated').text)
        equal([step['name'] for step in told['steps'] if step['state'] == 'done'], ['runner'], told)
        check(len(copies()) == 1 and copies() != other, copies())
        other = copies()
        equal(there(w, 'cmd', '/d', '/c', 'exit 7').code, 7)
    equal(copies(), first)


@case('setup where the system keeps no accounts: the step is named, nothing is left', ('none',), ('stock',))
def nowhere(w):
    got = w.run(w.SBX, 'setup', '--slots', '1', 'elevated')
    check(got.code not in (0, None) and 'sbx-setup:' in got.errors, got)
    got = w.run(w.SBX, 'setup', '--status', '--slots', '1', 'elevated')
    equal([line.split()[1] for line in got.text.splitlines()],
          [{'filters': 'failed'}.get(name, 'present' if name in ALWAYS else 'absent') for name in SETUP], got)
    check('FwpmEngineOpen0' in got.errors, got)  # there is no filtering platform either, and what is there cannot be known
    check(not os.path.exists(w.unix('C:\\ProgramData\\sbx\\elevated.txt')), 'a record of nothing')


@case('a command runs as an account without a network, with its streams and its exit code', ACCOUNTS, WORLDS,
      readings=('runner-job', 'std-handles', 'thread-dacl', 'console', 'station', 'restrict-leak'))
def runs(w):
    with set_up(w):
        got = there(w, 'cmd', '/d', '/c', 'echo %USERNAME%& whoami& echo e 1>&2& exit 37')
        equal(got.code, 37, got)
        equal(got.text.lower().split(), ['sbx1-off01', 'vm\\sbx1-off01'], got)
        check('e' in got.errors.split(), got)
        got = there(w, 'cmd', '/d', '/c', 'echo %USERNAME%', options=('--network', 'on'))
        equal(got.text.split(), ['sbx1-on01'], got)
        equal(there(w, 'cmd', '/d', '/c', 'more', stdin=b'through a pipe\r\n').text.split(), ['through', 'a', 'pipe'])


@case('writes: its own folder works and goes; what every user may write to does not', ACCOUNTS, WORLDS,
      readings=('delete-child', 'new-object-dacl', 'set-dacl', 'tree-dacl'))
def writes(w):
    state = w.unix(w.profile + '\\AppData\\Local\\sbx')
    with set_up(w):
        got = there(w, 'cmd', '/d', '/c', 'echo x> %TEMP%\\a& type %TEMP%\\a& md %TEMP%\\d& move %TEMP%\\a %TEMP%\\d\\b> nul'
                    '& dir /b %TEMP%\\d')
        equal(got.text.split(), ['x', 'b'], got)
        equal([name for name in os.listdir(state) if name.startswith('elevated-sbx')], [], 'nothing of the run is left')
        # Users may make files there, and Authenticated Users on a drive for data; the account is one of both
        for path in ('C:\\ProgramData\\planted.txt', 'C:\\planted\\x.txt', w.ws('planted.txt'),
                     w.profile + '\\planted.txt', 'C:\\windows\\planted.txt'):
            if path.startswith('C:\\planted'):
                as_administrator(w, 'cmd', '/d', '/c', 'md C:\\planted')
                control = w.run('cmd', '/d', '/c', 'echo x> ' + path)
                check(w.read(path) is not None, 'control: every user can write %s: %s' % (path, control))
                w.run('cmd', '/d', '/c', 'del ' + path)
            there(w, 'cmd', '/d', '/c', 'echo x> ' + path)
            equal(w.read(path), None, path)
        as_administrator(w, 'cmd', '/d', '/c', 'rd /s /q C:\\planted')


@case('what this version does not do it refuses', ACCOUNTS, WORLDS)
def refuses(w):
    with set_up(w):
        for options, words in ((('--read-only', '--keep-children'), 'children'),
                               (('--read-only', '--no-clipboard'), 'user interface'),
                               (('--read-only', '--require', 'ui'), 'not enforce')):
            got = w.sbx('cmd', '/d', '/c', 'echo ran', options=options)
            equal((got.code, got.text), (125, ''), got)
            check(words in got.errors, got)
