"""What a program finds in the workspace is the same as without sbx, though names in it are protected."""
import os
import subprocess
import time

from harness import EVERY, Failure, case, check, end_group, equal

from cases.files import build

# argv: a folder.  Names as readdir gives them, each with its kind and size, all of the tree.
LIST = r"""
const fs = require('fs'), path = require('path');
const all = (at) => fs.readdirSync(at).sort().flatMap((name) => {
  const full = path.join(at, name), what = fs.lstatSync(full);
  return [`${full} ${what.isDirectory() ? 'd' : what.size}`, ...(what.isDirectory() ? all(full) : [])];
});
console.log(all(process.argv[2]).join('\n'));
"""

# argv: the folder of work.  What isomorphic-git calls the status of each file, and where it finds the top.
STATUS = r"""
const fs = require('fs'), vm = require('vm');
globalThis.self = globalThis;
vm.runInThisContext(fs.readFileSync('C:/tools/index.umd.min.js', 'utf8'));
const git = globalThis.git;
(async () => {
  const dir = await git.findRoot({ fs, filepath: process.argv[2].replace(/\\/g, '/') });
  console.log(dir, JSON.stringify(await git.statusMatrix({ fs, dir })));
})().catch((e) => console.log(String(e)));
"""


# argv: a folder, and a file that grows by a line an event, until that of `end`.
WATCH = r"""
const fs = require('fs');
fs.watch(process.argv[2], (kind, name) => {
  fs.appendFileSync(process.argv[3], `${kind} ${name}\n`);
  if (name === 'end') process.exit(0);
});
fs.appendFileSync(process.argv[3], 'watches\n');
"""


def tree(w, root, *files):
    build(w, root, 'src\\', 'src\\a.js', 'src\\deep\\', 'src\\deep\\b.js', 'dist\\', 'dist\\out.js', 'x.log', *files)
    return root


def repository(w, root):
    """One of git's, by hand, without a commit."""
    for name in ('objects', 'refs'):
        os.makedirs(w.unix(root + '\\.git') + '/' + name)
    w.write(root + '\\.git\\HEAD', 'ref: refs/heads/main\n')
    w.write(root + '\\.git\\config', '[core]\n\trepositoryformatversion = 0\n')
    return root


def layouts(w):
    """Folders of work, each with what is special of it."""
    plain = tree(w, w.ws('plain'))
    ignoring = tree(w, w.ws('ignoring'))
    w.write(ignoring + '\\.gitignore', 'dist/\n*.log\n')
    other = tree(w, w.ws('other'))
    w.write(other + '\\.ignore', 'deep/\n')
    top = repository(w, tree(w, w.ws('top')))
    w.write(top + '\\.gitignore', 'dist/\n*.log\n')
    below = tree(w, top + '\\pkg')
    return {'a plain folder': plain, 'one with a .gitignore': ignoring, 'one with an .ignore': other,
            'a repository': top, 'a folder in a repository': below}


def same(w, what, root, *command):
    """Its output is that of the command without sbx, byte for byte."""
    alone = w.run(*command, cwd=root)
    inside = w.sbx(*command, options=('--workspace', root), cwd=root)
    equal((inside.code, inside.out, inside.err), (alone.code, alone.out, alone.err), what)
    return alone


@case('unnoticed: ripgrep lists and searches the same files', EVERY, long=('accounts',))
def ripgrep(w):
    lists = {}
    for name, root in layouts(w).items():
        lists[name] = same(w, name, root, 'rg', '--files', '--sort', 'path').text.split()
    check('dist\\out.js' in lists['a plain folder'] and 'x.log' in lists['one with a .gitignore'], lists)
    same(w, 'a search', w.ws('top\\pkg'), 'rg', '--sort', 'path', '--hidden', '--files-with-matches', 'old')
    check('dist\\out.js' not in lists['a repository'] + lists['a folder in a repository'], 'control: %s' % lists)


@case('unnoticed: isomorphic-git finds the same repository in the same state', EVERY, long=('accounts',))
def status(w):
    w.write('C:\\probe\\status.js', STATUS)
    found = layouts(w)
    if w.backend != 'none':
        w.unjudged.append('a plain folder: whoever looks for a repository finds the placeholder there')
        del found['a plain folder']
    for name, root in found.items():
        got = same(w, name, root, 'node', 'C:\\probe\\status.js', root)
        check(('src/a.js' in got.text) == ('repository' in name), 'control: %s' % got)


@case('unnoticed: folders in which nothing is missing, or where no guard stands, have the same entries', EVERY, long=('accounts',))
def listing(w):
    w.write('C:\\probe\\list.js', LIST)
    root = tree(w, w.ws('full'), '.codex\\', '.agents\\', '.gitignore')
    cache = tree(w, w.ws('cache'))
    for folder in (root, cache):
        alone = w.run('node', 'C:\\probe\\list.js', folder)
        inside = w.sbx('node', 'C:\\probe\\list.js', folder, options=('--workspace', root, '--writable', cache), cwd=root)
        equal((inside.code, inside.text), (0, alone.text), folder)
    plain = tree(w, w.ws('plain'))
    shown = w.run('cmd', '/d', '/c', 'dir', '/b', plain).text
    equal(w.sbx('cmd', '/d', '/c', 'dir', '/b', plain, options=('--workspace', plain), cwd=plain).text, shown,
          'hidden ones are not shown')
    got = w.sbx('node', 'C:\\probe\\list.js', plain, options=('--workspace', plain), cwd=plain)
    guards = [] if w.backend == 'none' else [plain + '\\' + name + ' d' for name in ('.agents', '.codex', '.git')]
    equal([line for line in got.text.splitlines() if line not in w.run('node', 'C:\\probe\\list.js', plain).text.splitlines()],
          guards, 'what is there while a command runs')


def until(w, path, line):
    """The lines of a file, as soon as it has this one."""
    for _ in range(600):
        lines = (w.read(path) or b'').decode().splitlines()
        if line in lines:
            return lines
        time.sleep(0.1)
    raise Failure('%s never has %s, but %s' % (path, line, lines))


def events(w, root, run):
    """What a program of the user that watches a folder is told of a run."""
    told = root + '.told'
    watcher = w.start(('node', w.ws('watch.js'), root, told), stdin=subprocess.DEVNULL)
    try:
        until(w, told, 'watches')
        run()
        w.write(root + '\\end', '')
        watcher.wait(60)
    finally:
        if watcher.poll() is None:
            end_group(watcher)
    os.remove(w.unix(root + '\\end'))
    lines = until(w, told, 'rename end')
    os.remove(w.unix(told))
    return lines


@case('unnoticed: who watches a folder hears of the guards that are there, once when they come and once when they go', EVERY, long=('accounts',))
def watching(w):
    w.write(w.ws('watch.js'), WATCH)
    command = ('cmd', '/d', '/c', 'echo x> made.txt')
    for name, missing in (('full', 0), ('plain', 3)):
        root = tree(w, w.ws(name), *(() if missing else ('.codex\\', '.agents\\', '.gitignore')))

        def inside():
            equal(w.sbx(*command, options=('--workspace', root), cwd=root).code, 0)
        inside()  # the first grant writes to every object
        alone = events(w, root, lambda: w.run(*command, cwd=root))
        check('change made.txt' in alone, 'control: %s' % alone)
        heard = events(w, root, inside)
        guards = [line for line in heard if line.split()[-1] in ('.git', '.codex', '.agents')]
        equal({line for line in heard if line not in guards}, set(alone), name)
        if w.kind != 'native':  # Wine keeps what Windows is given with the name in extended attributes, and tells of those
            guards = [line for line in guards if line.startswith('rename ')]
        equal(sorted(guards), [] if w.backend == 'none' else
              sorted(['rename ' + guard for guard in ('.git', '.codex', '.agents')[:missing]] * 2), name)
