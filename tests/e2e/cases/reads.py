"""What commands in an account read of the user's profile: tools that he opened, and nothing else."""
import os

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
