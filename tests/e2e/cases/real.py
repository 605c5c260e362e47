"""What real programs do is the same as without sbx."""
import pathlib

from harness import case, equal

from alike import SOURCES, Difference, outside, tarball, work

TOP = pathlib.Path(__file__).resolve().parents[3]
MODULES = 'C:\\tools\\node_modules\\'
NPM, PNPM, YARN, BERRY, TSC, ROLLUP, VITE, ESLINT, PRETTIER = (('node', MODULES + path) for path in (
    'npm\\bin\\npm-cli.js', 'pnpm\\bin\\pnpm.cjs', 'yarn\\bin\\yarn.js', '@yarnpkg\\cli-dist\\bin\\yarn.js', 'typescript\\bin\\tsc',
    'rollup\\dist\\bin\\rollup', 'vite\\bin\\vite.js', 'eslint\\bin\\eslint.js', 'prettier\\bin\\prettier.cjs'))

PIPES = Difference('children with piped streams', 'unelevated', b'EPERM')
FOREGROUND = Difference('install scripts of npm', 'unelevated', b'\npost\n')
LISTED = Difference('programs that list each folder above', 'elevated', b'Cannot read directory')
GUARDS = Difference('placeholders of protected names', 'unelevated', b'.codex')


@case('README tells just what differs', ('none',), ('lab', 'native'))
def told(w):
    with open(TOP / 'README.md', encoding='utf-8') as file:
        section = file.read().split('### What differs')[1].split('\n## ')[0]
    rows = [line.split('|')[1].strip() for line in section.splitlines() if line.startswith('| ')]
    equal(rows[1:], [one.words for one in Difference.ALL], 'the rows')
    equal([one.words for one in Difference.ALL if not one.shown], [], 'without a work that shows it')


work('tsc', SOURCES, ('build', TSC + ('-p', '.')), slow=True, accounts=True)
work('tsc, again', SOURCES, ('build', TSC + ('-p', '.')), ('again', TSC + ('-p', '.')), long=True, accounts=True)
work('rollup', {'a.js': 'import { b } from "./b.js";\nconsole.log(b);\n', 'b.js': 'export const b = 1;\nexport const c = 2;\n'},
     ('build', ROLLUP + ('a.js', '-f', 'cjs', '-d', 'out', '--sourcemap')), long=True, accounts=True)
work('vite', SOURCES, ('build', VITE + ('build',)), slow=True, accounts=True)
work('eslint', SOURCES, ('look', ESLINT + ('ugly.js',)), ('fix', ESLINT + ('--fix', '--cache', 'ugly.js')),
     slow=True, fails=('look', 'fix'), more=((rb'"(hashOfConfig|mtime)":"?[^,"]+"?', b''),), accounts=True)
work('prettier', SOURCES, ('check', PRETTIER + ('--check', '.')), ('write', PRETTIER + ('--write', '.')), fails=('check',), long=True, accounts=True)
work('esbuild', SOURCES, ('build', ('esbuild', 'src/main.ts', '--bundle', '--minify', '--sourcemap', '--outdir=out')),
     differs=((LISTED, 'build', 'code err'), (LISTED, 'tree', '*')), accounts=True)
work('biome', SOURCES, ('format', ('biome', 'format', '--write', '.')), ('lint', ('biome', 'lint', 'ugly.js')),
     ('check', ('biome', 'check', '--write', '.')), long=True, accounts=True)
work('bun', SOURCES, ('run', ('bun', 'run', 'src/main.ts')), ('script', ('bun', 'run', 'build')), long=True, accounts=True)

PACKAGES = {
    'package.json': '{"name": "app", "version": "1.0.0", "private": true, "license": "MIT", "workspaces": ["packages/*"], "dependencies": '
                    '{"dep": "file:vendor/dep-1.0.0.tgz"}, "scripts": {"hi": "hello Grace"}}\n',
    'packages\\one\\package.json': '{"name": "one", "version": "1.0.0", "scripts": {"build": "node build.js"}}\n',
    'packages\\one\\build.js': 'require("fs").writeFileSync("built.txt", require("dep"));\n',
    'packages\\two\\package.json': '{"name": "two", "version": "1.0.0", "dependencies": {"one": "1.0.0"}}\n',
    'vendor\\dep-1.0.0.tgz': tarball({
        'package.json': '{"name": "dep", "version": "1.0.0", "bin": {"hello": "cli.js"}, "scripts": {"postinstall": "node post.js"}}\n',
        'index.js': 'module.exports = "text of dep";\n', 'cli.js': '#!/usr/bin/env node\nconsole.log("hello", process.argv[2]);\n',
        'post.js': 'require("fs").writeFileSync("post.txt", "done");\nconsole.log("post");\n'}),
}
work('npm', PACKAGES, ('install', NPM + ('install', '--ignore-scripts')), ('hi', NPM + ('run', 'hi')),
     ('ci', NPM + ('ci', '--ignore-scripts')), slow=True, accounts=True)
work('npm, more', PACKAGES, ('install', NPM + ('install', '--ignore-scripts')), ('ls', NPM + ('ls', '--all')),
     ('run', NPM + ('run', 'build', '--workspaces', '--if-present')), ('pack', NPM + ('pack',)),
     ('pack one', NPM + ('pack', '-w', 'one')), long=True, accounts=True)
work('npm-scripts', PACKAGES, ('install', NPM + ('install',)), differs=((FOREGROUND, 'install', 'out'),))
work('npm-scripts through pipes', PACKAGES, ('install', NPM + ('install', '--no-foreground-scripts')), long=True,
     differs=((PIPES, 'install', 'code out err'), (PIPES, 'tree', '*')), accounts=True)
work('npm ci after an install outside', PACKAGES, ('install', outside(*NPM, 'install', '--ignore-scripts')),
     ('ci', NPM + ('ci', '--ignore-scripts')), ('clean', ('node', '-e', "fs.rmSync('node_modules', { recursive: true })")), long=True)

work('pnpm', dict(PACKAGES, **{'pnpm-workspace.yaml': 'packages: ["packages/*"]\nlinkWorkspacePackages: true\n'}),
     ('install', PNPM + ('install', '--offline', '--ignore-scripts')), ('run', PNPM + ('run', 'hi')), ('each', PNPM + ('-r', 'run', 'build')),
     more=((rb'reused \d+, downloaded \d+', b''), (rb'"(lastValidatedTimestamp|prunedAt)": .*', b'')), long=True,
     differs=((PIPES, 'each', 'code out err'), (PIPES, 'tree', 'packages\\one\\built.txt')), accounts=True)
work('yarn', PACKAGES, ('install', YARN + ('install', '--offline', '--ignore-scripts', '--non-interactive')), ('run', YARN + ('run', 'hi')), long=True, accounts=True)
work('berry', dict(PACKAGES, **{'.yarnrc.yml': 'nodeLinker: node-modules\nenableScripts: false\n', 'yarn.lock': ''}),
     ('install', BERRY + ('install',)), ('run', BERRY + ('run', 'hi')),
     more=((rb'Completed in <time>', b'Completed'),), long=True, accounts=True)

work('children', {'run.js': """
const { spawnSync, fork } = require('child_process'), fs = require('fs');
const self = process.execPath, hi = ['-e', 'console.log("from a child"); console.error("to stderr"); process.exit(3)'];
const acts = {
  inherit: () => spawnSync(self, hi, { stdio: 'inherit' }).status,
  file: () => {
    const to = fs.openSync('out.txt', 'w');
    return [spawnSync(self, hi, { stdio: ['ignore', to, to] }).status, fs.readFileSync('out.txt', 'utf8')].join();
  },
  shell: () => spawnSync('echo %OS%&exit 4', { shell: true, stdio: 'inherit' }).status,
  piped: () => { const got = spawnSync(self, hi); if (got.error) throw got.error; return got.stdout.toString(); },
  fork: () => { fork('leaf.js'); return 'started'; },
};
console.log(acts[process.argv[2]]());
""", 'leaf.js': '\n', 'watched.js': 'console.log("watched");\nprocess.kill(process.ppid);\n'},
     *((act, ('node', 'run.js', act)) for act in ('inherit', 'file', 'shell', 'piped', 'fork')),
     ('watch', ('node', '--watch', 'watched.js')), fails=('watch',),
     differs=((PIPES, 'piped', 'code out err'), (PIPES, 'fork', 'code out err'), (PIPES, 'watch', 'out err')), accounts=True)
work('esbuild from JavaScript', dict(SOURCES, **{'build.js': """
require('C:/tools/node_modules/esbuild').build({ entryPoints: ['src/main.ts'], outfile: 'out.js' }).then(() => console.log('built'));
"""}), ('build', ('node', 'build.js')), differs=((PIPES, 'build', 'code out err'), (PIPES, 'tree', 'out.js')))
work('listing', {'a.txt': ''}, ('all', ('node', '-e', 'console.log(fs.readdirSync("."))')), differs=((GUARDS, 'all', 'out'),))
work('batch', {'mk.cmd': '@if "%1"=="build" (echo yes %2) else (echo no [%1])\r\n@if /i %1==BUILD echo bare\r\n@exit /b 5\r\n'},
     ('build', ('.\\mk.cmd', 'build', 'a-b_c.d')), ('other', ('.\\mk.cmd', 'a b')), fails=('build', 'other'))
LONG = 'a' * 100
work('names', {'a b\\f.txt': 'x', '\u00e4\u4e2d\U0001f600.txt': 'y', 'Case.TXT': 'z', 'run.js': """
const fs = require('fs'), path = require('path');
const deep = path.resolve(...Array(4).fill('%s'));
fs.mkdirSync(deep, { recursive: true });
fs.writeFileSync(path.join(deep, 'f'), 'deep');
fs.renameSync('case.txt', 'CASE.txt');
fs.appendFileSync('a B/F.txt', '+');
fs.renameSync('\u00e4\u4e2d\U0001f600.txt', '\u00e9 \U0001f600');
console.log(fs.readdirSync('.').filter((name) => !/^(\\.|sbx)/.test(name)).sort().join('|'), fs.readFileSync(path.join(deep, 'f'), 'utf8'));
""" % LONG}, ('names', ('node', 'run.js')), ('again', ('cmd', '/c', 'type', 'a b\\f.txt')))
work('servers', {'node.mjs': """
import http from 'node:http';
const server = http.createServer((q, a) => a.end('hi ' + q.url)).listen(0, '127.0.0.1', () => {
  const at = `http://127.0.0.1:${server.address().port}`;
  http.get(at + '/get', (a) => a.on('data', (d) => { console.log(String(d)); server.close(); server.closeAllConnections(); }));
});
""", 'bun.mjs': """
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('hi') });
const got = await fetch(`http://127.0.0.1:${server.port}/`);
console.log(got.status, await got.text());
process.exit(0);
"""}, ('node', ('node', 'node.mjs')), ('bun', ('bun', 'bun.mjs')))
