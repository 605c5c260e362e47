"""The token, other processes, registry, pipes, desktops, state files, faults during the grant: as a standard user."""
import contextlib
import json
import os
import re
import subprocess
import threading

from harness import EVERY, Failure, Skip, case, check, end_group, equal

WORLDS = ('lab', 'native')
CONFINED = ('unelevated',)
BOTH = CONFINED + ('accounts',)
DENIED = 'error 5\n'
PIPE = '\\\\.\\pipe\\'

# what changes a process, but PROCESS_TERMINATE: create thread, VM operation, VM write, duplicate handles, set
# information, suspend, WRITE_DAC, WRITE_OWNER, all
PROCESS_WRITE = ('0x2', '0x8', '0x20', '0x40', '0x200', '0x800', '0x40000', '0x80000', '0x1fffff')
# suspend, set context, set information, set token, impersonate, WRITE_DAC, all
THREAD_WRITE = ('0x2', '0x10', '0x20', '0x80', '0x100', '0x40000', '0x1fffff')
# of these, no right of GENERIC_WRITE: set token, impersonate
THREAD_ONCE = ('0x80', '0x100')


def refusals(w, rights):
    """What a probe in the sandbox says of rights on an object of the user."""
    once = w.backend == 'unelevated' and w.reading('delete-child', 'once', 'twice') == 'once'
    return ''.join('%s %s\n' % (r, 'ok' if once and rights is THREAD_WRITE and r in THREAD_ONCE else 'error 5') for r in rights)


def started(w, command, word):
    """A program that says a line, beginning with a word, and stays until it gets one."""
    process = w.start(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    guard = threading.Timer(60, end_group, (process,))
    guard.start()
    line = process.stdout.readline().decode('utf-8', 'replace').split()
    guard.cancel()
    if not line or line[0] != word:
        out, err = process.communicate(b'\n')
        raise Failure('%r said %r %r %r' % (command, line, out, err))
    return process, line[1:]


@contextlib.contextmanager
def running(w, command, word, expect=None):
    """As long as the block runs; then its last words are held against `expect`."""
    process, words = started(w, command, word)
    try:
        yield words
        out, err = process.communicate(b'\n', 60)
        if expect is not None:
            equal(out.decode().replace('\r\n', '\n'), expect, err)
    finally:
        if process.poll() is None:
            end_group(process)


def held(w, name, sandboxed=False, expect=None):
    command = [w.PROBE, 'hold', name]
    return running(w, ([w.SBX, *w.options(), '--'] if sandboxed else []) + command, 'held', expect)


HELD = 'event %s section %s secret %s\n'
UNTOUCHED = HELD % (('untouched',) * 3)


def words_of(text, first):
    return [tuple(line.split()[1:]) for line in text.splitlines() if line.split()[:1] == [first]]


def sids(text, first):
    return [entry[0] for entry in words_of(text, first)]


# ---- the token


# how they begin: of a writable root; of the set of them with its rules
ROOT, SET = 'S-1-9-1396856881', 'S-1-9-1396856915'


@case('the token is what was stated, seen from inside and from outside', ('none', 'unelevated'), WORLDS)
def token(w):
    own = w.probe('token').text
    user = sids(own, 'user')[0]
    logon = next(sid for sid, attributes in words_of(own, 'group') if int(attributes, 16) & 0xC0000000 == 0xC0000000)
    check(len(words_of(own, 'privilege')) > 1 and not sids(own, 'restricting'), 'control: %s' % own)
    inside = w.sandboxed('token').text
    if w.backend == 'none':
        equal(inside, own, 'the token of the user')
        return
    with held(w, 'seen', sandboxed=True, expect=UNTOUCHED) as (pid, _, _):
        outside = w.probe('token', pid).text
    for text in (inside, outside):
        equal(words_of(text, 'privilege'), [('SeChangeNotifyPrivilege', '0x3')], text)
        equal(sids(text, 'user') + sids(text, 'owner'), [user, user])
        restricting = sids(text, 'restricting')
        equal(len(restricting), 5, restricting)
        check({'S-1-1-0', logon} < set(restricting), restricting)
        check(user not in restricting and 'S-1-5-32-544' not in restricting, restricting)
        run = [sid for sid in restricting if re.fullmatch(r'S-1-9(-\d+){5}', sid)]
        root = [sid for sid in restricting if re.fullmatch(ROOT + r'(-\d+){8}', sid)]
        roots = [sid for sid in restricting if re.fullmatch(SET + r'(-\d+){8}', sid)]
        equal((len(run), len(root), len(roots)), (1, 1, 1), restricting)
        equal(sorted(sids(text, 'default')), sorted([user, 'S-1-5-18', 'S-1-3-4'] + run), 'default DACL')
        administrators = [int(a, 16) for sid, a in words_of(text, 'group') if sid == 'S-1-5-32-544']
        check(all(a & 0x10 and not a & 0x4 for a in administrators), 'Administrators: %r' % administrators)
        check(int(sids(text, 'integrity')[0].rsplit('-', 1)[1]) <= 0x2000, 'integrity')
    check(root[0] in sids(inside, 'restricting'), 'one root, one SID')
    check(roots[0] in sids(inside, 'restricting'), 'one set of roots and rules, one SID')
    check(run[0] not in sids(inside, 'restricting'), 'another run, another SID')
    os.makedirs(w.unix(w.workspace + '-b'))
    got = w.sbx(w.PROBE, 'token', options=('--writable', w.workspace + '-b'))
    equal(len(sids(got.text, 'restricting')), 6, 'a second root: %s' % got)
    check(roots[0] not in sids(got.text, 'restricting'), 'another set, another SID')


# ---- processes and threads


@case('processes and threads of the user: no writing, no handles, no debugging', BOTH, WORLDS,
      readings=('delete-child', 'thread-dacl'))
def processes(w):
    with held(w, 'victim', expect=UNTOUCHED) as (pid, tid, handle):
        for verb, number, rights in (('process', pid, PROCESS_WRITE), ('thread', tid, THREAD_WRITE)):
            equal(w.probe(verb, number, *rights).text, ''.join(r + ' ok\n' for r in rights), 'control')
            equal(w.sandboxed(verb, number, *rights).text, refusals(w, rights), verb)
        # PROCESS_TERMINATE belongs to GENERIC_EXECUTE of processes, which a write-restricted token keeps; so does reading
        equal(w.sandboxed('process', pid, '0x410', '0x1').text.count('error 5'), 0 if w.backend == 'unelevated' else 2)
        equal(w.probe('debug', pid).text, 'ok\n', 'control')
        equal(w.sandboxed('debug', pid).text, DENIED)
        equal(w.sandboxed('steal', pid, handle).text, DENIED)
    with held(w, 'control', expect=HELD % ('untouched', 'untouched', 'set')) as (pid, _, handle):
        equal(w.probe('steal', pid, handle).text, 'ok\n', 'control')


@case('events, sections and pipes of the user are closed', BOTH, WORLDS)
def user_objects(w):
    reach_all(w, sandboxed=False)


@case('a second sandbox does not reach pipes, events, processes of the first', EVERY, WORLDS,
      readings=('delete-child', 'thread-dacl', 'impersonate'))
def second(w):
    reach_all(w, sandboxed=True)


def reach_all(w, sandboxed):
    confined = w.backend != 'none'
    name = 'first-%s-%d' % (w.backend, sandboxed)
    attempts = [('event', 'Local\\%s-event' % name), ('section', 'Local\\%s-section' % name),
                ('pipe', PIPE + name, '0x40000000')]
    if confined:  # control: the user himself can
        with held(w, name, sandboxed, HELD % ('set', 'written', 'untouched')):
            for attempt in attempts:
                # a pipe without a descriptor of its own admits its owner, and that is the account
                theirs = sandboxed and w.backend == 'elevated' and attempt[0] == 'pipe'
                equal(w.probe(*attempt).text, DENIED if theirs else 'ok\n', 'control: %r' % (attempt,))
    with held(w, name, sandboxed, UNTOUCHED if confined else HELD % ('set', 'written', 'set')) as (pid, tid, handle):
        for attempt in attempts:
            equal(w.sandboxed(*attempt).text, DENIED if confined else 'ok\n', attempt)
        equal(w.sandboxed('steal', pid, handle).text, DENIED if confined else 'ok\n', 'steal')
        for verb, number, rights in (('process', pid, PROCESS_WRITE), ('thread', tid, THREAD_WRITE)):
            wanted = refusals(w, rights) if confined else ''.join(r + ' ok\n' for r in rights)
            equal(w.sandboxed(verb, number, *rights).text, wanted, verb)


# ---- registry


@case('HKCU and HKLM cannot be written', BOTH, WORLDS)
def registry(w):
    key, user = 'Software\\sbx-e2e', ''
    if w.backend == 'elevated':  # in an account HKCU is that of everybody who has no profile
        user = sids(w.probe('token').text, 'user')[0] + '\\'
        equal(w.sandboxed('makekey', 'HKCU', key).text, DENIED)

    def inside(verb, name, *more):
        return w.sandboxed(verb, 'HKU' if user else 'HKCU', user + name, *more).text
    try:
        equal(w.probe('makekey', 'HKCU', key).text, 'ok\n', 'control')
        equal(w.probe('setkey', 'HKCU', key, 'value', 'before').text, 'ok\n', 'control')
        equal(inside('setkey', key, 'value', 'after'), DENIED)
        equal(inside('getkey', key, 'value'), DENIED if user else 'value before\n', 'reading')
        equal(inside('makekey', key + '\\below'), DENIED)
        equal(inside('delkey', key), DENIED)
        for name in ('Environment', 'Software\\Microsoft\\Windows\\CurrentVersion\\Run'):
            w.probe('makekey', 'HKCU', name)
            equal(inside('setkey', name, 'sbx-planted', 'x'), DENIED, name)
            equal(w.probe('getkey', 'HKCU', name, 'sbx-planted').text, 'error 2\n', name)
        equal(w.probe('getkey', 'HKCU', key, 'value').text, 'value before\n', 'seen from outside')
    finally:
        equal(w.probe('delkey', 'HKCU', key).text, 'ok\n', 'control: the user can delete it')
    # a standard user has no way into HKLM either: no control but that the sandbox adds none
    equal(w.sandboxed('setkey', 'HKLM', 'Software', 'sbx-planted', 'x').text, DENIED)
    equal(w.probe('getkey', 'HKLM', 'Software', 'sbx-planted').text, 'error 2\n')


# ---- user interface


@case('programs that load user32 start, whatever the window station admits', BOTH, WORLDS,
      readings=('station',))
def user32(w):
    command = 'attrib.exe', 'C:\\windows\\win.ini'
    equal(w.run(*command).code, 0, 'control')
    for options in ((), ('--desktop', 'user'))[:1 + (w.backend == 'unelevated')]:
        got = w.sbx(*command, options=options)
        equal(got.code, 0, got)


@case('a desktop of its own', BOTH, WORLDS)
def desktop(w):
    own = w.probe('desktop').text
    first, other = w.sandboxed('desktop').text, w.sandboxed('desktop').text
    check(re.fullmatch(r'desktop sbx-[0-9a-f]{32}\n', first) and first != other, (first, other))
    if w.backend == 'unelevated':
        equal(w.sbx(w.PROBE, 'desktop', options=('--desktop', 'user')).text, own, 'when it is asked for')


@case('the limits of the user interface are on the job when they are asked for, read back inside', CONFINED, WORLDS)
def limits(w):
    equal(w.sandboxed('job').text, 'ui 0x0\n')
    equal(w.sbx(w.PROBE, 'job', options=('--no-clipboard',)).text, 'ui 0xff\n')
    got = w.probe('injob', '0', '--', w.SBX, *w.options('--no-clipboard'), '--', w.PROBE, 'exit', '7')
    check('exit 0x0000007d' in got.text and 'without --no-clipboard' in got.errors, got)


@case('clipboard, hooks, broadcasts, ExitWindows', BOTH, WORLDS)
def effects(w):
    raise Skip('Wine keeps the limits of a job on the user interface but does not apply them; the backend claims none')


# ---- pipes


@case('pipes without a name: between programs, and as objects of one run', EVERY, WORLDS)
def anonymous(w):
    equal(w.sandboxed('own', 'anonymous').text, 'ok\n')
    equal(w.sandboxed('own', 'event').text, 'ok\n')
    w.write(w.ws('in.txt'), 'b\r\na\r\n')
    line = 'type in.txt | %s cat | %s cat > out.txt' % (w.PROBE, w.PROBE)
    try:
        control = w.run('cmd', '/d', '/c', line, timeout=15)
    except Failure as failure:
        raise Skip('the cmd.exe of this system cannot pipe unsandboxed either: %s' % failure)
    if w.read(w.ws('out.txt')) != b'b\r\na\r\n':
        raise Skip('the cmd.exe of this system cannot pipe unsandboxed either: %s' % control)
    os.remove(w.unix(w.ws('out.txt')))
    w.sbx('cmd', '/d', '/c', line)
    equal(w.read(w.ws('out.txt')), b'b\r\na\r\n', '|')
    got = w.sbx('cmd', '/d', '/c', "for /f %%i in ('%s args a b') do @echo got %%i" % w.PROBE)
    check('got 2' in got.text, 'FOR /F: %s' % got)


NODE = """
const { spawnSync, execSync, spawn } = require('child_process');
const fs = require('fs');
const told = {};
const note = (name, act) => { try { told[name] = act(); } catch (error) { told[name] = error.code; } };
note('pipe', () => execSync('echo piped').toString().trim());
note('inherit', () => spawnSync('cmd', ['/d', '/c', 'exit 7'], { stdio: 'inherit' }).status);
note('ignore', () => spawnSync('cmd', ['/d', '/c', 'exit 7'], { stdio: 'ignore' }).status);
note('file', () => {
  const file = fs.openSync('captured.txt', 'w+');
  spawnSync('cmd', ['/d', '/c', 'echo captured'], { stdio: ['ignore', file, file] });
  return fs.readFileSync('captured.txt', 'utf8').trim();
});
console.log(JSON.stringify(told));
"""


@case('node, bun, Rust: children with inherited streams and files; what pipes give is told', EVERY, WORLDS)
def node_children(w):
    got = w.sbx('node', '-e', NODE.replace('\n', ' '), options=('--report', w.ws('report.json')))
    told = json.loads(got.text.strip().splitlines()[-1]) if got.text.strip() else {}
    # the client end of a named pipe without a descriptor: see backends/unelevated/README.md
    gap = w.backend == 'unelevated'
    equal(told, {'pipe': 'EPERM' if gap else 'piped', 'inherit': 7, 'ignore': 7, 'file': 'captured'}, got)
    equal(w.sandboxed('own', 'pipe').text, DENIED if gap else 'ok\n')
    bun = w.sbx('bun', '-e', "require('child_process').execSync('echo hi')")
    # without a window: where a restricted process may not make its console (console=inherited) that is 0xC0000142, of which bun keeps a byte
    check(bun.code == 0 and not gap or bun.code == 1 and (gap or 'status: 66' in bun.errors), bun)
    equal('EPERM' in bun.errors, gap, bun)
    w.write(w.ws('in.txt'), 'x')
    equal('could not start' in w.sbx('rg', '--pre', 'hostname', 'x', 'in.txt').errors, gap, 'Rust')
    report = w.read(w.ws('report.json')).decode()
    equal('named pipes' in report, gap, 'the report tells it: %s' % report)


# ---- nothing is left


def inventory(w):
    got = w.probe('inventory').text.split()
    state = w.unix(w.profile + '\\AppData\\Local\\sbx')
    names = sorted(os.path.join(folder, name)[len(state):] for folder, folders, files in os.walk(state)
                   for name in folders + files)
    return int(got[1]), int(got[3]), names


@case('launches leave no handle, desktop, TEMP or record of a run', BOTH, WORLDS)
def launches(w):
    with held(w, 'stays', sandboxed=True):
        check(inventory(w)[0] == 2, 'control: a desktop of a run is seen')
    w.sandboxed('exit', '0')
    before = inventory(w)
    runs = 1000 if w.long_run else 40 if w.backend == 'unelevated' else 15
    got = w.probe('repeat', str(runs), '--', w.SBX, *w.options(), '--', w.PROBE, 'exit', '0', timeout=1200)
    check(re.fullmatch(r'runs %d failed 0 processes (\d+) \1\n' % runs, got.text), got)
    after = inventory(w)
    equal(after[0], before[0], 'desktops')
    equal(after[2], before[2], 'files of sbx')
    if w.kind != 'native':  # where nobody else is at work
        check(after[1] <= before[1] + runs // 10, 'handles of the system: %d, then %d' % (before[1], after[1]))


# ---- damaged state


def state(w, name=''):
    return w.profile + '\\AppData\\Local\\sbx' + ('\\' + name if name else '')


def descriptors(w, *names):
    return w.probe('sddl', w.workspace, *(w.ws(name) for name in names)).text


def reset(w):
    got = w.run(w.SBX, 'clean', '--all')
    equal(got.code, 0, got)


def damage(w, change):
    path = w.unix(state(w, 'ledger'))
    with open(path, 'rb') as file:
        content = file.read()
    check(len(content) > 60, 'control: the ledger has records')
    with open(path, 'wb') as file:
        file.write(change(content))


@case('a ledger that is cut, zeroed, noise or gone: launches go on, and everything can be undone', CONFINED, WORLDS)
def damaged(w):
    names = ('a.txt', 'd', 'd\\b.txt', '.git', '.git\\config')
    for name in ('a.txt', 'd\\b.txt', '.git\\config'):
        w.write(w.ws(name), 'x')
    reset(w)
    clean = descriptors(w, *names)
    noise = bytes(i * 37 % 256 for i in range(5000))
    for change in (lambda b: b[:len(b) // 2], lambda b: b[:-1], lambda b: bytes(len(b)), lambda b: b'', lambda b: noise + b,
                   lambda b: noise):
        equal(w.sandboxed('write', 'a.txt', 'y').text, 'ok\n')
        granted = descriptors(w, *names)
        check(granted != clean, 'control: the grant is seen')
        damage(w, change)
        got = w.run(w.SBX, 'status')
        equal(got.code, 0, got)
        equal(w.sandboxed('write', 'a.txt', 'z').text, 'ok\n', 'a launch afterwards')
        equal(w.sandboxed('write', '.git\\config', 'z').text, DENIED, 'protected all the same')
        equal(descriptors(w, *names), granted)
        got = w.run(w.SBX, 'clean', w.workspace)
        equal(got.code, 0, got)
        equal(descriptors(w, *names), clean, 'clean ROOT: %s' % got)


@case('a ledger that cannot be written or locked: a precise error, soon, and nothing granted', CONFINED, WORLDS)
def unusable(w):
    reset(w)
    w.sandboxed('exit', '0')
    reset(w)
    clean = descriptors(w)
    for name, length in (('ledger', None), ('lock', '0xffffffff' if w.long_run else '1')):
        check(os.path.exists(w.unix(state(w, name))), 'control: the file is called %s: %r' % (
            name, os.listdir(w.unix(state(w)))))
        command = [w.PROBE, 'lock', state(w, name)] + ([length] if length else [])
        with running(w, command, 'locked'):
            got = w.sbx(w.PROBE, 'exit', '7', timeout=180)
            equal(got.code, 125, got)
            check(name in got.errors and got.errors.count('\n') <= 2, got)
            equal(descriptors(w), clean, name)
        equal(w.sandboxed('exit', '7').code, 7, 'afterwards')
        reset(w)
        equal(descriptors(w), clean)
    w.sandboxed('exit', '0')
    reset(w)
    w.write(state(w, 'ledger'), w.read(state(w, 'ledger')) or b'')
    equal(w.probe('attributes', state(w, 'ledger'), '1').text, 'ok\n')
    got = w.sbx(w.PROBE, 'exit', '7')
    if got.code != 7:
        equal(got.code, 125, got)
        check('ledger' in got.errors, got)
        equal(descriptors(w), clean, 'nothing granted')
    equal(w.probe('attributes', state(w, 'ledger'), '0x80').text, 'ok\n')
    equal(w.sandboxed('exit', '7').code, 7, 'afterwards')
    reset(w)
    equal(descriptors(w), clean)


# ---- faults during the grant


def tree(w, folders=12, files=25):
    names = []
    for i in range(folders):
        names.append('d%d' % i)
        for j in range(files):
            names.append('d%d\\f%d.txt' % (i, j))
            w.write(w.ws(names[-1]), 'x')
    w.write(w.ws('.git\\config'), 'x')
    return names[::10] + ['.git', '.git\\config']


@case('sbx killed at any moment of the first grant: status, the next launch and clean are right', CONFINED, WORLDS)
def killed(w):
    names = tree(w)
    reset(w)
    clean = descriptors(w, *names)
    begin = w.sandboxed('exit', '0').seconds
    reset(w)
    equal(descriptors(w, *names), clean, 'control: clean restores a whole grant')
    seen = []
    for i in range(10):
        moment = str(int(begin * 1000 * (i + 1) / 11))
        got = w.probe('killafter', moment, '--', w.SBX, *w.options(), '--', w.PROBE, 'write', w.ws('ran.txt'), 'x')
        seen.append(got.text.split()[0] + ('+' if descriptors(w, *names) != clean else ''))
        status = w.run(w.SBX, 'status')
        equal(status.code, 0, 'killed after %s ms: %s' % (moment, status))
        if i % 2:
            equal(w.sandboxed('write', w.ws('d0\\f0.txt'), 'y').text, 'ok\n', 'the next launch goes on')
            equal(w.sandboxed('write', w.ws('.git\\config'), 'y').text, DENIED)
        reset(w)
        equal(descriptors(w, *names), clean, 'killed after %s ms, then clean' % moment)
        equal([n for n in os.listdir(w.unix(state(w, 'temp'))) if n[0] != '.'], [], 'TEMP of the killed run')
    check('killed' in ' '.join(seen), 'no round was a kill: %r' % seen)
    if not any(round_.startswith('killed+') for round_ in seen):
        raise Skip('no kill hit the grant itself: %r' % seen)


@case('two launches on the same new root at once', BOTH, WORLDS)
def at_once(w):
    names = tree(w)
    reset(w)
    clean = descriptors(w, *names)
    both = [w.start([w.SBX, *w.options(), '--', w.PROBE, 'write', w.ws('by%d.txt' % i), 'x'], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE) for i in range(2)]
    for i, process in enumerate(both):
        out, err = process.communicate(timeout=120)
        equal((process.returncode, out.replace(b'\r', b'')), (0, b'ok\n'), err)
        equal(w.read(w.ws('by%d.txt' % i)), b'x')
    status = w.run(w.SBX, 'status')
    equal(status.text.lower().count(w.workspace.lower() + '\n') + status.text.lower().count(w.workspace.lower() + ' '), 1,
          'one entry: %s' % status)
    equal(w.sandboxed('write', w.ws('d0\\f0.txt'), 'y').text, 'ok\n')
    reset(w)
    equal(descriptors(w, *names), clean)


@case('a root that disappears during the grant: an error or nothing, no record for good', CONFINED, WORLDS)
def removed(w):
    reset(w)
    for i in range(4):
        root = w.workspace + '\\gone%d' % i
        for j in range(400):
            w.write(root + '\\d%d\\%d.txt' % (j // 50, j), 'x')
        process = w.start([w.SBX, *w.options('--workspace', root), '--', w.PROBE, 'exit', '7'], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deleted = w.run('cmd', '/d', '/c', 'rmdir /s /q ' + root)
        out, err = process.communicate(timeout=120)
        check(process.returncode in (7, 125), 'exit %d: %r %r, %s' % (process.returncode, out, err, deleted))
        if process.returncode == 125:
            check(b'gone%d' % i in err and err.count(b'\n') <= 3, err)
        w.run('cmd', '/d', '/c', 'rmdir /s /q ' + root)
        check(not os.path.isdir(w.unix(root)), 'control: the root can be removed afterwards')
        reset(w)
        status = w.run(w.SBX, 'status')
        check('gone%d' % i not in status.text, status)
