"""Real programs do their work in the sandbox."""
import os

from harness import Failure, Skip, case, check, equal

PROJECT = {
    'src\\main.ts': 'import { greet, type Name } from "./lib/greet";\n'
                    'const names: Name[] = ["Ada", "Grace"];\nconsole.log(names.map(greet).join("; "));\n',
    'src\\lib\\greet.ts': 'export type Name = string;\nexport function greet(name: Name): string {\n'
                          '  return `hello ${name}`;\n}\n',
    'package.json': '{"name": "small", "version": "1.0.0", "type": "commonjs"}\n',
}
GREETING = 'hello Ada; hello Grace\n'


def project(w):
    for name, text in PROJECT.items():
        w.write(w.ws(name), text)


@case('esbuild bundles a TypeScript project and node runs it')
def esbuild(w):
    project(w)
    got = w.sbx('esbuild', 'src/main.ts', '--bundle', '--outfile=out.js', '--platform=node')
    equal(got.code, 0, got)
    check(b'hello' in (w.read(w.ws('out.js')) or b''), 'out.js')
    equal(w.sbx('node', 'out.js').text, GREETING)


@case('bun runs TypeScript and builds a bundle')
def bun(w):
    project(w)
    got = w.sbx('bun', 'run', 'src/main.ts')
    equal((got.code, got.text), (0, GREETING), got)
    got = w.sbx('bun', 'build', 'src/main.ts', '--target=node')
    equal(got.code, 0, got)
    w.write(w.ws('bun.cjs'), got.out)
    equal(w.sbx('node', 'bun.cjs').text, GREETING)


@case('bun writes a bundle to a file')
def bun_file(w):
    project(w)
    build = ('bun', 'build', 'src/main.ts', '--target=node', '--outfile=bun.cjs')
    control = w.run(*build)
    if not w.read(w.ws('bun.cjs')):
        raise Skip('bun cannot do it on this system unsandboxed either: %s' % control)
    os.remove(w.unix(w.ws('bun.cjs')))
    got = w.sbx(*build)
    equal(got.code, 0, got)
    equal(w.sbx('node', 'bun.cjs').text, GREETING)


@case('bun asks its own server, though the network is off')
def bun_server(w):
    w.write(w.ws('self.mjs'), """
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('hi') });
const got = await fetch(`http://127.0.0.1:${server.port}/`);
console.log(got.status, await got.text());
process.exit(0);
""")
    try:
        control = w.run('bun', 'self.mjs', timeout=30)
    except Failure as failure:
        raise Skip('bun cannot do it on this system unsandboxed either: %s' % failure)
    if control.text != '200 hi\n':
        raise Skip('bun cannot do it on this system unsandboxed either: %s' % control)
    got = w.sbx('bun', 'self.mjs', env={'NO_PROXY': 'example.org'}, timeout=60)
    equal((got.code, got.text), (0, '200 hi\n'), got)


@case('node starts children, pipes through them, and gets their exit codes', ('none',))  # unelevated: objects.py
def node(w):
    w.write(w.ws('parent.js'), """
const { spawn, spawnSync, execFileSync } = require('child_process');
const fs = require('fs');
if (process.argv[2] === 'upper') {
  process.stdin.on('data', (d) => process.stdout.write(d.toString().toUpperCase()));
} else if (process.argv[2] === 'fail') {
  process.exit(41);
} else {
  const child = spawn(process.execPath, [__filename, 'upper'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (d) => (out += d));
  child.on('close', (code) => {
    const failed = spawnSync(process.execPath, [__filename, 'fail']);
    const shell = execFileSync('cmd', ['/d', '/c', 'echo from cmd']).toString().trim();
    fs.mkdirSync('made/deep', { recursive: true });
    fs.writeFileSync('made/deep/result.txt', out);
    console.log(JSON.stringify({ out, code, failed: failed.status, shell }));
  });
  child.stdin.end('piped text');
}
""")
    got = w.sbx('node', 'parent.js')
    equal(got.text, '{"out":"PIPED TEXT","code":0,"failed":41,"shell":"from cmd"}\n', got)
    equal(w.read(w.ws('made\\deep\\result.txt')), b'PIPED TEXT')


@case('biome formats and lints')
def biome(w):
    w.write(w.ws('ugly.js'), 'const a=1;var  b = {x:1,y:2}\nif(a==b){console.log( a )}\n')
    w.write(w.ws('biome.json'), '{"formatter": {"indentStyle": "space"}}')
    got = w.sbx('biome', 'format', '--write', 'ugly.js')
    equal(got.code, 0, got)
    check(b'const a = 1;' in w.read(w.ws('ugly.js')), w.read(w.ws('ugly.js')))
    got = w.sbx('biome', 'lint', 'ugly.js')
    check(got.code == 1 and 'noDoubleEquals' in got.text + got.errors, got)


@case('ripgrep searches a tree')
def ripgrep(w):
    for i in range(300):
        w.write(w.ws('tree\\%d\\%d.txt' % (i % 17, i)), 'line\nneedle %d\n' % i if i % 10 == 0 else 'hay\n')
    got = w.sbx('rg', '--sort', 'path', '--count-matches', 'needle', 'tree')
    equal((got.code, len(got.text.splitlines())), (0, 30), got)
    equal(w.sbx('rg', 'nothing-like-this', 'tree').code, 1)


@case('cmd: FOR /F, pipes and redirections')
def shell(w):
    w.write(w.ws('loop.cmd'), '@echo off\r\nfor /f "tokens=2" %%i in (\'echo one two\') do echo got-%%i\r\n'
                              'echo hello | %s cat > piped.txt\r\n' % w.PROBE)
    try:
        control = w.run('cmd', '/c', 'loop.cmd', timeout=10)
    except Failure:
        control = None
    if not control or 'got-two' not in control.text:
        raise Skip('the cmd.exe of this system cannot do it unsandboxed either: %s' % control)
    os.remove(w.unix(w.ws('piped.txt')))
    got = w.sbx(w.ws('loop.cmd'))
    check('got-two' in got.text, got)
    check(b'hello' in (w.read(w.ws('piped.txt')) or b''), got)
