"""Setup among other programs: what it lets nobody know, whom it waits for, and what it never loads."""
import base64
import glob
import hashlib
import hmac
import os
import subprocess

from harness import Failure, Skip, case, check, equal
from cases.elevated import ACCOUNTS, WORLDS, as_administrator, machine, set_up, there
from cases.leases import begin, end, name_of

FOLDER = 'C:\\ProgramData\\sbx\\'


def password_of(secret, account, generation):
    """As secret.h says it: HMAC-SHA256 of account and generation, in four kinds of characters."""
    digest = hmac.new(secret, b'%s %d' % (account.encode(), generation), hashlib.sha256).digest()
    letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    first = [chr(ord(kind) + digest[i] % size) for i, (kind, size) in enumerate((('A', 26), ('a', 26), ('0', 10), ('-', 1)))]
    return ''.join(first + [letters[digest[i] & 63] for i in range(4, 28)])


@case('the secret and the passwords stand in no output, log, report, file, command line or environment', ACCOUNTS, WORLDS)
def untold(w):
    with set_up(w):
        said = [as_administrator(w, w.SBX, 'setup', '--repair', 'elevated'), as_administrator(w, w.SBX, 'setup', '--json', '--repair', 'elevated')]
        said += [w.run(w.SBX, *words) for words in (('setup', '--status', '--json', 'elevated'), ('status', '--json'), ('backends', '--json'),
                                                    ('plan', '--json', '-v', '--backend', 'elevated', '--read-only'))]
        user = next(line for line in w.read(FOLDER + 'elevated.txt').decode().splitlines() if line.startswith('user 1 ')).split()
        secret = bytes.fromhex(w.probe('unprotect', FOLDER + 'elevated-1.secret', 'sbx elevated 1 ' + user[2]).text)
        equal(len(secret), 32, 'the secret')
        words = [password_of(secret, name, i) for i in range(int(user[4]), 0, -1) for name in ('sbx1-off01', 'sbx1-on01')]
        got = as_administrator(w, w.PROBE, 'logon', 'sbx1-off01', words[0])
        equal(got.text, 'ok\n', 'control: it is the password: %s' % got)
        # whoever has it starts something in the account that he does not see himself; it is seen from inside
        intruder = w.start([w.PROBE, 'intrude', 'sbx1-off01', words[0]], stdin=-1, stdout=-1)
        equal(intruder.stdout.readline().strip(), b'in')
        got = there(w, 'cmd', '/d', '/c', 'echo ran')
        check((got.code, got.text) == (125, '') and 'something else runs in the account' in got.errors, got)
        intruder.communicate(b'\n', timeout=60)
        equal(there(w, 'cmd', '/d', '/c', 'exit 5').code, 5, 'control')
        needles = [secret, secret.hex().encode(), secret.hex().upper().encode(), base64.b64encode(secret)]
        needles += [word.encode(code) for word in words for code in ('ascii', 'utf-16-le')]

        report = w.ws('report.json')
        said.append(w.run(w.SBX, '-v', '--report', report, *w.options('--read-only')[:2], '--read-only', '--', 'cmd', '/d', '/c', 'set',
                          cwd='C:\\windows'))
        check('SystemRoot=' in said[-1].text, said[-1])
        process = begin(w)
        name_of(process)
        seen = {'output %d' % i: got.out + got.err for i, got in enumerate(said)}
        for path in glob.glob('/proc/[0-9]*/cmdline') + glob.glob('/proc/[0-9]*/environ'):
            try:
                seen[path] = open(path, 'rb').read()
            except OSError:
                pass
        check(any(b'sbx-runner.exe' in text for text in seen.values()), 'control: the runner is one of those processes')
        own = w.unix(w.profile + '\\AppData\\Local\\sbx')
        for top in (w.unix('C:\\ProgramData\\sbx'), own, w.unix(w.workspace)):
            for folder, _, names in os.walk(top):
                for name in names:
                    seen[os.path.join(folder, name)] = open(os.path.join(folder, name), 'rb').read()
        end(process)
        check(any(path.endswith('.journal') for path in seen) and any(path.endswith('report.json') for path in seen), sorted(seen))
        equal([path for path, text in seen.items() for needle in needles if needle in text], [])


# What the programs load by name, of which Wine takes a file rather than its own; kernel32 and its like are looked for nowhere
# (tests/imports.cmake).
PLANTED = ('fwpuclnt', 'userenv', 'cryptbase', 'profapi', 'samcli', 'logoncli', 'elevated', 'none')


def pipe_of_setup(w, process):
    """The name of the pipe that a setup with other rights speaks through, from its command line."""
    prefix = ('WINEPREFIX=' + os.path.dirname(w.drive)).encode()
    while process.poll() is None:
        for path in glob.glob('/proc/[0-9]*/cmdline'):
            try:
                words = open(path, 'rb').read().replace(b' ', b'\0').split(b'\0')
                if b'--pipe' in words and prefix in open(path[:-7] + 'environ', 'rb').read().split(b'\0'):
                    return words[words.index(b'--pipe') + 1]
            except OSError:
                pass
    raise Failure('setup has no pipe, and ended with %d' % process.returncode)


@case('setup beside a command that runs, beside another setup, and among planted DLLs', ACCOUNTS, WORLDS)
def among(w):
    def copies():
        return os.listdir(w.unix('C:\\Program Files\\sbx\\setup'))

    trace, name = 'C:\\users\\Public\\planted.txt', 'C:\\Program Files\\sbx\\backends\\none.dll'
    with set_up(w):
        # another version, while a command runs from this one
        first, content, process = copies(), w.read(name), begin(w)
        equal(name_of(process), 'vm\\sbx1-off01')
        w.write(name, content + b'x')
        got = as_administrator(w, w.SBX, 'setup', 'elevated')
        check('in use and stay until the next setup' in got.text and len(copies()) == 2 and first[0] in copies(), got)
        equal(end(process), 0)
        w.write(name, content)
        as_administrator(w, w.SBX, 'setup', 'elevated')
        equal(copies(), first)

        # two at once: one after the other, or refused by name
        command = w.command
        w.command = command[:-1] + ['admin']
        both = [w.start([w.SBX, 'setup', '--repair', 'elevated'], stdin=-1, stdout=-1, stderr=-1) for _ in range(2)]
        w.command = command
        for process in both:
            errors = process.communicate(b'', timeout=120)[1].decode()
            check(process.returncode == 0 or (process.returncode == 125 and 'another one is at work' in errors and ', process ' in errors),
                  errors)
        check(0 in [process.returncode for process in both], 'neither')
        equal(there(w, 'cmd', '/d', '/c', 'exit 4').code, 4)

        # in the current folder, on the PATH, beside the installed programs and beside the copies that run with other rights
        places = [w.workspace, 'C:\\Program Files\\sbx', 'C:\\Program Files\\sbx\\setup\\' + first[0]]
        libraries = [name + '.dll' for name in PLANTED]
        for place in places:
            for library in libraries:
                w.copy('C:\\probe\\sbx-planted.dll', place + '\\' + library)
        w.copy(w.PROBE, w.ws('probe.exe'))
        w.run(w.ws('probe.exe'), 'load', *libraries)  # beside it, as they are beside the others
        loaded = len(w.read(trace) or b'') // len(w.ws('probe.exe')) // 2
        check(loaded == len(libraries), 'control: of %d planted DLLs %d leave a trace' % (len(libraries), loaded))
        os.remove(w.unix(trace))
        for words in (('setup', '--status', 'elevated'), w.options('--read-only') + ('--', 'cmd', '/d', '/c', 'exit 0')):
            got = w.run(w.SBX, *words, env={'WINEPATH': w.workspace}, cwd=w.workspace if words[0] == 'setup' else 'C:\\windows')
            equal((got.code, w.read(trace)), (0, None), got)
        tries = ''.join('& cmd /d /c %s pipe \\\\.\\pipe\\sbx-setup-%%x%% %s' % (w.PROBE, right) for right in ('0x2', '0x80000000', '0x40000'))
        spy = w.start([w.SBX, *w.options('--read-only'), '--', 'cmd', '/d', '/c', 'whoami& set /p x=' + tries], 'C:\\windows',
                      stdin=-1, stdout=-1, stderr=-1)
        equal(name_of(spy), 'vm\\sbx1-off01')
        process = w.start([w.SBX, 'setup', '--repair', 'elevated'], env={'WINEPATH': w.workspace}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        pipe = pipe_of_setup(w, process)
        told = spy.communicate(pipe + b'\r\n', timeout=120)[0].decode().replace('\r\n', '\n')
        equal((process.wait(timeout=120), w.read(trace)), (0, None))
        equal(told, 'error 5\n' * 3, 'a command opens the pipe that setup speaks through; it is there, or that were error 2')
        for place in places[1:]:
            for library in libraries:
                os.remove(w.unix(place + '\\' + library))


@case('the copy: closed to users; one that others may change, and a runner of another protocol, are refused by name', ACCOUNTS, WORLDS)
def copied(w):
    with set_up(w):
        place = 'C:\\Program Files\\sbx\\setup\\'
        folder = place + os.listdir(w.unix(place))[0]
        runner = folder + '\\sbx-runner.exe'
        content, dacl = w.read(runner), w.probe('sddl', folder).text.split('D:')[1].split('S:')[0].split()[0]
        equal(there(w, 'cmd', '/d', '/c', 'exit 3').code, 3, 'control')

        equal(w.probe('write', folder + '\\none.dll', 'x').text, 'error 5\n', 'a user writes there')
        as_administrator(w, w.PROBE, 'dacl', folder, 'D:P(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;BU)')
        got = there(w, 'cmd', '/d', '/c', 'echo ran')
        check((got.code, got.text) == (125, '') and folder in got.errors and 'sbx setup --repair' in got.errors, got)
        as_administrator(w, w.PROBE, 'dacl', folder, 'D:' + dacl)
        equal(there(w, 'cmd', '/d', '/c', 'exit 3').code, 3)

        w.write(runner, w.read(w.PROBE))
        got = there(w, 'cmd', '/d', '/c', 'echo ran')
        check((got.code, got.text) == (125, '') and 'of a version that this one cannot talk to' in got.errors and
              'sbx setup --repair' in got.errors, got)
        as_administrator(w, w.SBX, 'setup', '--repair', 'elevated')
        equal(w.read(runner), content)
        equal(there(w, 'cmd', '/d', '/c', 'exit 3').code, 3)


REFUSED = {  # in which state of the machine (tests/lab/README.md) what is said
    'uac=no': ('administrator rights were declined', 'nothing was changed'),
    'role=domain-controller': ('a domain controller has no accounts of its own', '--backend unelevated'),
    'seclogon=disabled': ('(seclogon) is disabled', '--backend unelevated'),
    'policy=gpo': ('a policy lets no ordinary user log on locally', 'Allow log on locally'),
}


@case('where setup cannot be, that is said before anything is changed; with the password of another one it is for the caller', ACCOUNTS, WORLDS)
def elsewhere(w):
    state = os.environ.get('LAB_STATE', '')
    if state == 'uac=other':
        equal(w.run(w.SBX, 'setup', '--slots', '1', 'elevated').code, 0)
        user = next(line for line in w.read(FOLDER + 'elevated.txt').decode().splitlines() if line.startswith('user 1 ')).split()
        check(user[2] in w.probe('sddl', w.profile).text and not user[2].endswith('-500'), user)
        equal(there(w, 'cmd', '/d', '/c', 'exit 9').code, 9)
        equal(w.run(w.SBX, 'setup', '--remove', 'elevated').code, 0)
        return
    if state not in REFUSED:
        raise Skip('LAB_STATE is none of %s' % ', '.join([*REFUSED, 'uac=other']))
    before = machine(w)
    got = w.run(w.SBX, 'setup', '--slots', '1', 'elevated')
    equal(got.code, 125, got)
    for words in REFUSED[state]:
        check(words in got.errors, got)
    equal(machine(w), before)
