"""Commands in an account: the token, what of others is open to it, its folder, and how it ends."""
import json
import os
import re
import signal
import subprocess

from cases.elevated import administrator
from cases.leases import begin, end, name_of
from cases.objects import ROOT, SET, held, sids, started, words_of
from harness import case, check, equal

ACCOUNT = ('accounts',)
WORLDS = ('lab',)
WHOLE = ('--elevated-token', 'account')
# LOCAL, CONSOLE LOGON, BATCH, INTERACTIVE, Authenticated Users
LOGGED_ON = ('S-1-2-0', 'S-1-2-1', 'S-1-5-3', 'S-1-5-4', 'S-1-5-11')
DENY_ONLY, ENABLED = 0x10, 0x4


def groups(text):
    return {sid: int(attributes, 16) for sid, attributes in words_of(text, 'group')}


def is_deny_only(attributes):
    return attributes & DENY_ONLY and not attributes & ENABLED


@case('the token in an account: write-restricted, or the account\'s own with its groups for deny only', ACCOUNT, WORLDS,
      readings=('restrict-leak', 'thread-dacl'))
def token(w):
    own = w.probe('token').text
    user = sids(own, 'user')[0]
    inside, whole = w.sandboxed('token').text, w.sbx(w.PROBE, 'token', options=WHOLE).text
    for text in (inside, whole):
        account = sids(text, 'user')[0]
        check(account != user, text)
        equal(sids(text, 'owner'), [account])
        equal(words_of(text, 'privilege'), [('SeChangeNotifyPrivilege', '0x3')], text)
        equal(int(sids(text, 'integrity')[0].rsplit('-', 1)[1]), 0x2000)
        logons = [a for a in groups(text).values() if a & 0xC0000000 == 0xC0000000]
        check(logons and all(is_deny_only(a) for a in logons), 'logon SID: %s' % text)
        run = [sid for sid in sids(text, 'default') if sid.startswith('S-1-9-')]
        equal(sorted(sids(text, 'default')), sorted([account, 'S-1-5-18', user, 'S-1-3-4'] + run), 'default DACL')
        equal(len(run), 1)
        if text is inside:
            own_root = [sid for sid in sids(text, 'restricting') if sid.startswith((ROOT, SET))]
            equal(sorted(sids(text, 'restricting')), sorted(own_root + run + [account, 'S-1-1-0']))
            equal(len(own_root), 2)
        else:
            equal(sids(text, 'restricting'), [], text)
    check(not any(is_deny_only(a) for sid, a in groups(inside).items() if sid in LOGGED_ON), 'control: %s' % inside)
    found = [sid for sid in LOGGED_ON if sid in groups(whole)]
    check('S-1-5-4' in found and 'S-1-5-11' in found and all(is_deny_only(groups(whole)[sid]) for sid in found), whole)
    # of the groups of setup it has that of the writers for deny only where there is no folder that it is to write to
    for options, cwd, count in (((), w.workspace, 0), (('--read-only',), 'C:\\windows', 1)):
        got = w.sbx(w.PROBE, 'token', options=WHOLE + options, cwd=cwd).text
        equal(len([sid for sid, a in groups(got).items() if sid.startswith('S-1-5-21-') and is_deny_only(a)]), count, got)
    got = w.sbx('cmd', '/d', '/c', 'exit 0', options=WHOLE + ('--report', w.ws('r.json')))
    equal(got.code, 0, got)
    report = json.loads(w.read(w.ws('r.json')))
    told = [note['text'] for note in report['notes'] if note['object'] == 'token']
    gaps = {note['object'] for note in report['notes'] if note['kind'] == 'gap'}
    check({'network', 'read', 'clipboard', 'names', 'services', 'processes', '\\\\server\\share'} <= gaps, gaps)
    equal(report['guarantees']['advisory'], ['write', 'delete'], report['guarantees'])
    check(told and all(words in told[0] for words in ('every user of this machine may', 'your desktop', 'ever opened')),
          report['notes'])
    got = w.sbx('cmd', '/d', '/c', 'echo ran', options=WHOLE + ('--require', 'write'))
    equal((got.code, got.text), (125, ''), got)
    check('--elevated-token' in got.errors, got)


@case('everything that runs, asked for what would take it over: nothing outside of the sandbox opens', ACCOUNT, WORLDS,
      readings=('thread-dacl', 'delete-child', 'runner-job'))
def sweep(w):
    with held(w, 'swept'):
        control = w.probe('sweep')
        check('open process id' in control.text and 'open thread id' in control.text and 'open token id' in control.text and
              'open process walk' in control.text and ', walked, ' in control.text, 'control: %s' % control)
        other = begin(w)  # its runner has the pipes that sbx speaks through, and its command is of the same user
        name_of(other)
        check(list(processes_of(w, 'sbx-runner.exe')), 'control: there is a runner of another run')
        for options in ((), WHOLE):
            got = w.sbx(w.PROBE, 'sweep', options=options)
            check(re.fullmatch(r'swept \d+ processes, \d+ threads, walked, 0 open\n', got.text), got)
        end(other)


@case('the redirector on this machine gives no better token, and folders open to all who are logged on stay closed', ACCOUNT,
      WORLDS, readings=('loopback',))
def loopback(w):
    drive = 'C:\\drive'
    with administrator(w):
        w.run('cmd', '/d', '/c', 'md ' + drive)
        w.probe('dacl', drive, 'D:P(A;OICI;FA;;;SY)(A;OICI;0x1301bf;;;AU)')
    try:
        equal(w.probe('open', drive, '0x2').text, 'ok\n', 'control')
        # by the logon session the pipe gets its first token, which is not filtered: a restricted process may only look at it
        session = w.reading('loopback', 'session', 'caller') == 'session'
        for options, users, answer in (((), 'error 5\n', 'level 1 restricting 0\nerror 1346\n' if session
                                        else 'level 2 restricting 5\nerror 5\n'),
                                       # open, and told: see backends/elevated/README.md
                                       (WHOLE, 'ok\n', 'level 2 restricting 0\n' + ('ok\n' if session else 'error 5\n'))):
            equal(w.sbx(w.PROBE, 'open', drive, '0x2', options=options).text, 'error 5\n')
            equal(w.sbx(w.PROBE, 'open', 'C:\\ProgramData', '0x2', options=options).text, users, 'open to Users')
            for host in ('127.0.0.1', 'localhost'):
                equal(w.sbx(w.PROBE, 'unc', host, drive, options=options).text, answer, (host, options))
    finally:
        with administrator(w):
            w.run('cmd', '/d', '/c', 'rd /s /q ' + drive)


NODE = """
const { execSync, spawnSync } = require('child_process');
const fs = require('fs'), os = require('os'), path = require('path');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'x-'));
process.chdir(dir);
fs.writeFileSync('a', '1');
fs.renameSync('a', 'b');
console.log(JSON.stringify({
  pipe: execSync('type b').toString().trim(),
  input: spawnSync(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)'], { input: 'through' }).stdout.toString(),
  home: os.homedir(), temp: os.tmpdir(), there: [process.env.APPDATA, process.env.LOCALAPPDATA].map(p => fs.existsSync(p)),
}));
"""


@case('TEMP and home: folders in which programs work; TEMP goes whatever was made in it', ACCOUNT, WORLDS,
      readings=('new-object-dacl', 'set-dacl', 'tree-dacl'))
def folders(w):
    state = w.profile + '\\AppData\\Local\\sbx'
    got = w.sbx('node', '-e', NODE.replace('\n', ' '))
    told = json.loads(got.text.strip().splitlines()[-1]) if got.text.strip() else {}
    temp = told.pop('temp', '')
    check(temp.lower().startswith((state + '\\elevated-').lower()), got)
    check(told.pop('home', '').startswith(state + '\\homes\\'), got)
    equal(told, {'pipe': '1', 'input': 'through', 'there': [True, True]}, got)
    # what only the account opens, as Python's temporary folders; read-only; and what nobody opens
    made = ' & '.join('%s newdir %%TEMP%%\\%s %s & echo x> %%TEMP%%\\%s\\in.txt' % (w.PROBE, name, sddl, name)
                      for name, sddl in (('python', 'D:P(A;OICI;FA;;;OW)'), ('nobody', 'D:P')))
    lists = ''.join(' & %s dacl %%TEMP%%\\%s D:P(A;OICI;FA;;;OW)' % (w.PROBE, name) for name in ('plain', 'python'))
    for options in ((), WHOLE):
        got = w.sbx('cmd', '/d', '/c', made + ' & echo x> %TEMP%\\plain & attrib +r %TEMP%\\plain & attrib +r %TEMP%\\python'
                    ' & md %APPDATA%\\a & dir /b /s %TEMP% %APPDATA%' + lists, options=options)
        check('\\python\\in.txt' in got.text and '\\Roaming\\a' in got.text and got.text.count('ok\n') == 3, got)
        # what was made there as it comes has a list that not even its owner changes: the user must be able to delete it
        check(got.text.endswith('error 5\nok\n'), got)
        left = [name for name in os.listdir(w.unix(state)) if name.startswith('elevated-sbx')]
        equal((left, got.errors.count('could not be deleted')), ([], 0), got)


@case('what a killed run left, its folder and what only its account opens, goes and is opened with the next run in that account', ACCOUNT, WORLDS)
def killed(w):
    state = w.unix(w.profile + '\\AppData\\Local\\sbx')
    command = '%s newdir %%TEMP%%\\python D:P(A;OICI;FA;;;OW) & echo x> %%TEMP%%\\python\\in.txt & %s newdir own D:P(A;OICI;FA;;;OW) '\
              '& echo x> own\\f & %s tree plain stay' % (w.PROBE, w.PROBE, w.PROBE)
    got = w.probe('watch', 'kill', '2', '--', w.SBX, *w.options(), '--', 'cmd', '/d', '/c', command)
    check('exit 0x00000063' in got.text and 'gone 2 of 2' in got.text, got)
    left = [name for name in os.listdir(state) if name.startswith('elevated-sbx')]
    equal(len(left), 1, 'control')
    equal(w.run('cmd', '/d', '/c', 'type own\\f').text, '', 'control: closed to the user')
    for i in range(2):  # what only the account can do stays on record
        got = w.run(w.SBX, 'clean', '--stale')
        check(got.code == 125 and 'only the account opens what a killed run has made' in got.errors and 'sbx -- cmd' in got.errors, got)
    check('may be closed to you' in w.run(w.SBX, 'status').text, 'listed')
    got = w.sbx('cmd', '/d', '/c', 'dir /b /s %TEMP%\\..')
    equal(w.run('cmd', '/d', '/c', 'type own\\f& rd /s /q own').text.split(), ['x'])
    check('own' not in os.listdir(w.unix(w.workspace)), 'it is the user\'s')
    equal(w.run(w.SBX, 'clean', '--stale').code, 0)
    check('python' not in got.text, got)
    equal([name for name in os.listdir(state) if name.startswith('elevated-sbx')], [])


@case('a command that closes itself to everybody ends with sbx', ACCOUNT, WORLDS)
def closed(w):
    got = w.probe('watch', 'go-kill', '2', '--', w.SBX, *w.options(), '--', w.PROBE, 'tree', 'detached', 'closed')
    check('\nclosed\n' in got.text and 'gone 2 of 2' in got.text, got)


def processes_of(w, program):
    """Those of this prefix, as Linux numbers them."""
    prefix = ('WINEPREFIX=' + os.path.dirname(w.drive)).encode()
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as line, open('/proc/%s/environ' % pid, 'rb') as variables:
                if program.encode() in line.read() and prefix in variables.read().split(b'\0'):
                    yield int(pid)
        except OSError:
            continue  # it has ended, or is none of ours


@case('a runner that is killed takes the tree along, and is named', ACCOUNT, WORLDS)
def runner_killed(w):
    process, words = started(w, [w.PROBE, 'watch', 'wait', '2', '--', w.SBX, *w.options(), '--', w.PROBE, 'tree', 'detached', 'stay'],
                             'seen')
    equal(words, ['2'])
    runners = list(processes_of(w, 'sbx-runner.exe'))
    for pid in runners:
        os.kill(pid, signal.SIGKILL)
    out, err = w.finish(process, 'sbx', b'', 60 if runners else 1)
    check(b'exit 0x0000007d' in out and b'gone 2 of 2' in out, '%r %r' % (out, err))
    check(b'sbx-runner: it ended before the command, which was ended, too' in err, err)


@case('what an account cannot have is refused with the reason', ACCOUNT, WORLDS)
def refused(w):
    for options, words in ((('--desktop', 'user'), 'your desktop'), (('--temp', 'user'), 'your own TEMP'),
                           (('--keep-children',), 'children'), (('--no-clipboard',), 'user interface')):
        got = w.sbx('cmd', '/d', '/c', 'echo ran', options=options)
        equal((got.code, got.text), (125, ''), got)
        check(words in got.errors and options[0] in got.errors, got)
