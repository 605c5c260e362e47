"""What commands in an account read of the user's profile: tools that he opened, and nothing else."""
import json
import os

from cases.files import DENIED, acts
from harness import case, check, equal

ACCOUNTS = ('accounts',)
WORLDS = ('lab',)

# argv: files.  What each of them says, or why it says nothing.
READ = r"""
const fs = require('fs');
for (const path of process.argv.slice(2)) {
  let told;
  try { told = fs.statSync(path).isDirectory() ? 'list ' + fs.readdirSync(path) : fs.readFileSync(path, 'utf8'); } catch (e) { told = e.code; }
  console.log(told);
}
"""
PLACES = ('.ssh\\id_ed25519', '.aws\\credentials', '.kube\\config', '.docker\\config.json', '.npmrc', '.netrc', '.git-credentials',
          '.cargo\\credentials.toml', '.m2\\settings.xml', '.gradle\\gradle.properties', 'AppData\\Roaming\\NuGet\\NuGet.Config',
          'AppData\\Roaming\\GitHub CLI\\hosts.yml', 'AppData\\Roaming\\Microsoft\\Protect\\key',
          'AppData\\Roaming\\Microsoft\\Credentials\\one', 'AppData\\Local\\Google\\Chrome\\User Data\\Login Data',
          'AppData\\Local\\sbx\\ledger')


@case('a tool below the profile runs once it was opened, credentials beside it stay closed by every spelling; closed again after clean',
      ACCOUNTS, WORLDS)
def tool(w):
    home = w.profile + '\\.local\\bin'
    program, script = home + '\\tool.exe', home + '\\lib\\cli.js'
    w.copy(w.PROBE, program)
    w.write(script, READ)
    made = [w.profile + '\\' + place for place in PLACES]
    for place in made[:-1]:
        w.write(place, 'secret')
    # made by a program: what is made from outside has the access rights of the folder that it is seen in
    os.remove(w.unix(made[0]))
    equal(w.run('node', '-e', 'fs.writeFileSync(process.argv[1], "secret")', made[0]).code, 0)
    os.link(w.unix(made[0]), w.unix(w.ws('linked')))
    others = [made[0].upper(), '\\\\?\\' + made[0], '\\\\.\\' + made[0], made[0].replace('\\', '/'), w.ws('..\\..\\.ssh\\id_ed25519'),
              w.profile + '\\.local\\bin\\..\\..\\.ssh\\id_ed25519', w.ws('linked'), w.profile + '\\.ssh', w.profile]
    control = w.run('node', script, *made, *others)
    check(control.text.count('secret') == len(made) + len(others) - 3 and 'EPERM' not in control.text, 'control: %s' % control)
    equal(w.run(program, 'exit', '7').code, 7, 'control')

    def setup(*more):
        got = w.run(w.SBX, 'setup', '--tools', *more)
        equal(got.code, 0, got)
        return [line for line in got.text.splitlines() if home in line]

    closed = w.sbx(program, 'exit', '7')
    check(closed.code in (125, 126) and 'denied' in closed.errors and 'sbx setup --tools' in closed.errors, closed)
    w.run('cmd', '/d', '/c', 'del %s\\AppData\\Local\\sbx\\reads' % w.profile)  # told once for each PATH, by a case before this one
    told = w.run(w.SBX, '--backend', w.backend, '--', 'cmd', '/d', '/c', 'exit 0')
    check('sbx setup --tools' in told.errors, told)
    check('to do' in setup('--dry-run')[0] and 'absent' in setup('--status')[0], 'nothing is opened yet')
    check('done' in setup()[0] and 'present' in setup()[0], 'opened')
    equal(w.sbx(program, 'exit', '7').code, 7)
    got = w.sbx('node', script, script, *made, *others)
    equal(got.code, 0, got)
    lines = got.text[len(READ) + 1:].split('\n')[:-1]
    equal([line for line in lines if line not in ('EPERM', 'EACCES')], [], got)
    equal(len(lines), len(made) + len(others), got)
    check(home in w.run(w.SBX, 'status').text, 'told')
    got = w.run(w.SBX, 'clean', '--all')
    equal(got.code, 0, got)
    check(home not in w.run(w.SBX, 'status').text, 'undone')
    closed = w.sbx(program, 'exit', '7')
    check(closed.code in (125, 126) and 'denied' in closed.errors, closed)

    # what the user lists, and nothing else
    sdk, file = w.profile + '\\sdk', w.profile + '\\AppData\\Roaming\\sbx\\sbx.toml'
    w.write(sdk + '\\inner\\header.h', 'secret')
    w.write(w.ws('read.js'), READ)
    w.write(file, "[filesystem]\nread = 'listed'\nreadable = ['${USERPROFILE}\\sdk', '${USERPROFILE}\\.ssh']\n")
    told = w.run(w.SBX, '--backend', w.backend, '--', 'node', 'read.js', sdk + '\\inner\\header.h')
    check('secret' not in told.text and sdk in told.errors and 'sbx setup --tools' in told.errors, told)
    got = w.run(w.SBX, 'setup', '--tools')
    check(got.code == 0 and sdk in got.text and home not in got.text and '.ssh: left out' in got.errors, got)
    got = w.sbx('node', 'read.js', sdk + '\\inner\\header.h', script, w.profile + '\\.ssh')
    lines = got.text.split('\n')[:-1]
    check(lines[0] == 'secret' and len(lines) == 3 and set(lines[1:]) <= {'EPERM', 'EACCES'}, got)
    os.remove(w.unix(file))
    equal(w.run(w.SBX, 'clean', sdk).code, 0)


@case('deny_read: closed by every spelling, also after the run, until it is cleaned; what cannot be kept is refused', ACCOUNTS, WORLDS)
def deny_read(w):
    secret, deep, beside = w.ws('topsecret.text'), w.ws('keys\\deep\\key.txt'), w.ws('beside.txt')
    w.write(w.ws('read.js'), READ)
    for path in (secret, deep, beside):
        w.write(path, 'secret')
    os.link(w.unix(secret), w.unix(w.ws('linked.txt')))
    short = w.probe('short', secret).text.strip()
    spellings = [secret, secret.upper(), '\\\\?\\' + secret, '\\\\.\\' + secret, secret.replace('\\', '/'), w.ws('keys\\..\\topsecret.text'),
                 w.ws('linked.txt'), short, w.ws('jump\\topsecret.text'), deep, deep.upper(), w.ws('jump\\keys\\deep\\key.txt')]
    made = w.run('node', '-e', 'fs.symlinkSync(process.argv[1], "jump", "junction")', w.workspace)
    check(made.code == 0 and '~' in short, (made, short))
    folders = [w.ws('keys'), w.ws('KEYS\\deep')]
    denied = ('--deny-read', 'topsecret.text', '--deny-read', w.ws('Keys'))
    control = w.sbx('node', 'read.js', *spellings, *folders)
    check(control.text.count('secret') == len(spellings) and control.text.count('list') == 2, 'control: %s' % control)

    rights = [('byid', secret, '0x1'), ('byid', deep, '0x20'), ('byid', folders[0], '0x1'), ('open', secret, '0x20'), ('open', deep, '0x8'), ('open', folders[1], '0x1')]
    equal(acts(w, rights), ['ok'] * len(rights), 'control: by number, to run, attributes of programs')

    plan = w.run(w.SBX, 'plan', '--backend', 'elevated', *denied, '--', 'node')
    check(plan.text.count('unreadable') == 1 and secret in plan.text and 'cleaned' in plan.text, plan)
    check('secret' in w.sbx('node', 'read.js', secret).text, 'planned, not done')
    report = w.ws('report.json')
    got = w.sbx('node', 'read.js', *spellings, *folders, beside, options=(*denied, '--require', 'read', '--report', report))
    told = got.text.split('\n')
    equal((got.code, told[-2:]), (0, ['secret', '']), got)
    equal([line for line in told[:-2] if line not in ('EPERM', 'EACCES')], [], got)
    equal(len(told), len(spellings) + len(folders) + 2, got)
    check('read' in json.loads(w.read(report))['guarantees']['enforced'], 'claimed')
    equal(acts(w, rights, denied), [DENIED] * len(rights))
    # neither run, nor moved where it can be read, nor given other rights, nor closed to the user
    got = w.sbx('cmd', '/d', '/c', 'move topsecret.text plain.txt & type plain.txt & move keys\\deep\\key.txt key.txt & type key.txt'
                ' & icacls plain.txt /grant *S-1-1-0:F & copy plain.txt copied.txt', options=denied[:2])
    check('secret' not in got.text and w.read(w.ws('copied.txt')) in (None, b''), got)
    where = w.ws('plain.txt') if w.read(w.ws('plain.txt')) else secret
    mine = w.run('cmd', '/d', '/c', 'type ' + where)
    equal(mine.text.strip(), 'secret', 'the user reads it: %s %s' % (got, mine))

    check('closed to commands in accounts' in w.run(w.SBX, 'status').text, 'told')
    equal(w.sbx('node', 'read.js', where).text.strip() in ('EPERM', 'EACCES'), True, 'it outlasts the run')
    for path in (where, w.ws('keys')):
        got = w.run(w.SBX, 'clean', path)
        equal(got.code, 0, got)
    got = w.sbx('node', 'read.js', where, w.ws('keys'))
    check('secret' in got.text and 'list' in got.text, 'as before: %s' % got)

    for path, words in ((w.workspace, 'the command needs'), ('C:\\windows\\system32\\ntdll.dll', 'others than you may read it')):
        got = w.sbx('cmd', '/d', '/c', 'echo ran', options=('--deny-read', path))
        equal((got.code, got.text), (125, ''), got)
        check(words in got.errors, got)
