"""What is done in repositories and in trees with links is the same as without sbx."""
import os

from harness import equal

from alike import SOURCES, outside, work

work('rg', dict(SOURCES, **{'repo\\.git\\HEAD': 'ref: refs/heads/main\n', 'repo\\.gitignore': 'dist\n*.log\n', 'repo\\pkg\\dist\\o.js': '',
                            'repo\\pkg\\src.js': '', 'repo\\pkg\\a.log': '', '.gitignore': 'ugly.js\n'}),
     ('here', ('rg', '--sort', 'path', '--files')), ('matches', ('rg', '--sort', 'path', '-n', 'hello', '.')))

GIT = {'git.js': """
globalThis.self = globalThis;
const git = require('C:/tools/index.umd.min.js'), fs = require('fs');
const author = { name: 'Grace', email: 'g@example.org', timestamp: 1e9, timezoneOffset: 0 };
const here = { fs, dir: '.' };
(async () => {
  if (process.argv[2] === 'init') await git.init({ ...here, defaultBranch: 'main' });
  for (const [file, , now] of await git.statusMatrix(here)) {
    console.log(file, now);
    if (process.argv[3]) await git.add({ ...here, filepath: file });
  }
  if (process.argv[3]) console.log(await git.commit({ ...here, author, message: process.argv[3] }));
  for (const one of await git.log(here)) console.log(one.oid, one.commit.message.trim());
})();
"""}
DIRC = ((rb'(?s)^DIRC.*', b'<index>'),)  # it tells times and file IDs

work('git', dict(SOURCES, **GIT), ('init', outside('node', 'git.js', 'init', 'first')), ('log', ('node', 'git.js', 'look')), more=DIRC, long=True)
work('git-commit', dict(SOURCES, **GIT), ('init', outside('node', 'git.js', 'init', 'first')),
     ('change', lambda w: w.write(w.ws('src\\main.ts'), 'changed\n')), ('commit', ('node', 'git.js', 'look', 'second')),
     options=('--git', 'commit'), more=DIRC)

CARGO = {'cargo.js': """
// as cargo does: each binary is linked from deps, incremental artefacts between sessions
const fs = require('fs'), path = require('path');
const link = (from, to) => { fs.rmSync(to, { force: true }); fs.linkSync(from, to); };
const round = process.argv[2];
fs.mkdirSync('target/debug/deps', { recursive: true });
fs.mkdirSync('target/debug/incremental/s' + round, { recursive: true });
for (const name of ['app', 'tool']) {
  fs.rmSync(`target/debug/deps/${name}-1.exe`, { force: true });
  fs.writeFileSync(`target/debug/deps/${name}-1.exe`, name + round);
  link(`target/debug/deps/${name}-1.exe`, `target/debug/${name}.exe`);
}
const before = `target/debug/incremental/s${round - 1}`;
for (const name of fs.existsSync(before) ? fs.readdirSync(before) : [])
  link(path.join(before, name), `target/debug/incremental/s${round}/${name}`);
fs.writeFileSync(`target/debug/incremental/s${round}/dep-graph${round}`, round);
fs.appendFileSync('target/debug/app.exe', '+');
if (fs.existsSync(before) && round > 2) fs.rmSync(before, { recursive: true });
console.log(fs.readFileSync('target/debug/deps/app-1.exe', 'utf8'), fs.statSync('target/debug/app.exe').nlink);
"""}
work('cargo-like', CARGO, ('first', ('node', 'cargo.js', '1')), ('second', ('node', 'cargo.js', '2')), ('third', ('node', 'cargo.js', '3')), long=True)
work('cargo-like, built outside first', CARGO, ('first', outside('node', 'cargo.js', '1')), ('second', ('node', 'cargo.js', '2')),
     ('third', ('node', 'cargo.js', '3')), ('clean', ('node', '-e', "fs.rmSync('target', { recursive: true })")))

UV = {'uv.js': """
// as uv does: what is installed is linked from a cache; to install again unlinks and links
const fs = require('fs'), path = require('path');
const site = '.venv/Lib/site-packages/six';
fs.mkdirSync('.uv/archive/six/sub', { recursive: true });
if (!fs.existsSync('.uv/archive/six/six.py'))
  for (const name of ['six.py', 'sub/a.py', 'METADATA']) fs.writeFileSync('.uv/archive/six/' + name, name);
fs.rmSync(site, { recursive: true, force: true });
fs.mkdirSync(site + '/sub', { recursive: true });
for (const name of ['six.py', 'sub/a.py', 'METADATA']) fs.linkSync('.uv/archive/six/' + name, path.join(site, name));
fs.copyFileSync(site + '/six.py', site + '/six.tmp');
fs.renameSync(site + '/six.tmp', site + '/six.py');
fs.writeFileSync(site + '/METADATA', 'changed');
console.log(fs.readFileSync('.uv/archive/six/METADATA', 'utf8'), fs.readFileSync('.uv/archive/six/six.py', 'utf8'));
"""}
work('uv-like', UV, ('first', ('node', 'uv.js')), ('second', ('node', 'uv.js')), long=True)
work('uv-like, installed outside first', UV, ('first', outside('node', 'uv.js')), ('second', ('node', 'uv.js')))


def reset(w):
    """As icacls /reset /t does: no object has an ACE of its own any more."""
    top = w.unix(w.workspace)
    names = [w.workspace] + [w.ws(os.path.relpath(os.path.join(folder, name), top).replace('/', '\\'))
                             for folder, folders, files in os.walk(top) for name in sorted(folders + files)]
    w.write('C:\\probe\\acts.txt', '\n'.join('dacl\t%s\tD:AI' % name for name in names))
    got = w.probe('each', 'C:\\probe\\acts.txt')
    equal(got.text.splitlines(), ['ok'] * len(names), got)


CHANGE = ('node', '-e', "fs.appendFileSync('index.html', '+'); fs.mkdirSync('out', { recursive: true });"
                        " fs.writeFileSync('out/new', 'new'); fs.renameSync('src', 'moved'); fs.renameSync('moved', 'src')")
work('a tree that is reset', SOURCES, ('reset', reset), ('change', CHANGE), ('reset again', reset), ('change again', CHANGE))
