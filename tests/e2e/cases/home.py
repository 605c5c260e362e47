"""The home of commands in an account: kept for a set of roots, closed to others for writing, with the user's settings of git."""
import json
import os

from harness import case, check, equal

ACCOUNTS = ('accounts',)
WORLDS = ('lab',)

# argv: a file in the home to read, then text for it.  Where things are, and what git is told.
LOOK = r"""
const fs = require('fs'), os = require('os'), path = require('path');
const home = os.homedir(), told = { home, temp: fs.realpathSync(os.tmpdir()), real: fs.realpathSync(home) };
for (const name of ['HOME', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'npm_config_cache']) told[name] = process.env[name];
told.drive = process.env.HOMEDRIVE + process.env.HOMEPATH;
const kept = path.join(home, 'kept.txt');
told.kept = fs.existsSync(kept) && fs.readFileSync(kept, 'utf8');
told.git = fs.readFileSync(path.join(home, '.gitconfig'), 'utf8');
if (process.argv[2]) {
  fs.writeFileSync(kept, process.argv[2]);
  fs.writeFileSync(path.join(home, '.gitconfig'), '[alias] x = !calc');
  fs.rmSync(path.join(home, 'AppData'), { recursive: true });
  fs.writeFileSync(path.join(home, 'AppData'), 'in the way');
}
if (process.argv[3]) try { fs.writeFileSync(process.argv[3], 'x'); told.other = 'written'; } catch (e) { told.other = e.code; }
console.log(JSON.stringify(told));
"""


@case('a home for each set of folders: kept, the same by every variable, git trusts what it should, deleted when asked', ACCOUNTS, WORLDS)
def home(w):
    root, other = w.ws('one'), w.ws('two')
    for folder in (root, other):
        w.write(folder + '\\look.js', LOOK)
    w.write(root + '\\inner\\.git\\HEAD', 'ref: refs/heads/main\n')
    w.write(w.profile + '\\.gitconfig', '[user]\n\tname = Grace\n[credential]\n\thelper = manager\n[alias]\n\tst = status\n\tx = !calc\n')

    def look(folder, *arguments):
        got = w.sbx('node', 'look.js', *arguments, options=('--workspace', folder, '--tools', 'node'), cwd=folder)
        equal(got.code, 0, got)
        return json.loads(got.text)

    got = w.run(w.SBX, 'plan', '--backend', 'elevated', '--workspace', root, '--', 'node', cwd=root)
    equal(got.code, 0, got)
    first = look(root, 'mine')
    check(first['home'] in got.text, 'plan names it: %s' % got)
    equal({first[name].lower() for name in ('home', 'real', 'HOME', 'USERPROFILE', 'drive')}, {first['home'].lower()}, first)
    equal((first['APPDATA'], first['LOCALAPPDATA']), (first['home'] + '\\AppData\\Roaming', first['home'] + '\\AppData\\Local'))
    check('\\sbx\\homes\\' in first['home'] and first['npm_config_cache'].startswith(first['home']), first)
    check('name = Grace' in first['git'] and 'st = status' in first['git'], first['git'])
    check('credential' not in first['git'] and 'calc' not in first['git'], first['git'])
    slashes = root.replace('\\', '/')
    check('"%s"' % slashes in first['git'] and '"%s/inner"' % slashes in first['git'], first['git'])
    equal(first['kept'], False)
    second = look(root)
    equal((second['home'], second['kept']), (first['home'], 'mine'))
    check('calc' not in second['git'] and 'name = Grace' in second['git'], second['git'])
    check(os.path.isdir(w.unix(first['APPDATA'])), 'made anew')
    third = look(other, '', first['home'] + '\\kept.txt')
    check(third['home'] != first['home'] and third['kept'] is False and third['other'] in ('EPERM', 'EACCES'), third)
    equal(w.read(first['home'] + '\\kept.txt'), b'mine')
    listed = w.run(w.SBX, 'status').text
    check('MiB' in listed and os.path.dirname(w.unix(first['home'])).split('/')[-1] in listed, listed)
    equal(w.run(w.SBX, 'clean', root).code, 0)
    equal(w.read(first['home'] + '\\kept.txt'), b'mine', 'it is not cleaned with its root')
    got = w.run(w.SBX, 'clean', '--homes')
    equal(got.code, 0, got)
    equal(os.listdir(os.path.dirname(os.path.dirname(w.unix(first['home'])))), [], got)
    os.remove(w.unix(w.profile + '\\.gitconfig'))
