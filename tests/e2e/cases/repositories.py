"""Repositories in every layout: another program than git commits in the sandbox, git looks at the result from outside.

isomorphic-git reads and writes repositories with code of its own; of linked worktrees it does not know what is common, so
its file calls are led there.
"""
import json
import os
import shutil
import subprocess

from harness import Skip, case, check, equal

from cases.files import DENIED, EVERYONE, acts as acts_of_files

CONFINED = ('unelevated',)
WORLDS = ('lab',)

# argv: the folder of work or "" of a bare repository, its git directory or `.git`, the `.git` file or "", a folder that is
# writable, and "away" of a repository in no writable folder.  Prints what each act came to.
COMMIT = r"""
const fs = require('fs'), path = require('path').posix, vm = require('vm');
globalThis.self = globalThis;
vm.runInThisContext(fs.readFileSync('C:/tools/index.umd.min.js', 'utf8'));
const git = globalThis.git;
const told = {};
const slashes = (name) => name.replace(/\\/g, '/');
const text = (name) => { try { return fs.readFileSync(name, 'utf8').trimEnd(); } catch (e) { return null; } };

const dir = slashes(process.argv[2]);
let gitdir = slashes(process.argv[3]);
if (fs.statSync(gitdir).isFile()) gitdir = path.join(path.dirname(gitdir), text(gitdir).slice('gitdir: '.length));
const named = text(gitdir + '/commondir');
const common = named === null ? gitdir : path.join(gitdir, named);
const own = /^\/(HEAD|index|logs\/HEAD|.*_HEAD)/;
const led = (name) => {
  const at = slashes(String(name));
  return at.startsWith(gitdir + '/') && !own.test(at.slice(gitdir.length)) ? common + at.slice(gitdir.length) : at;
};
const promises = {};
for (const call of ['readFile', 'writeFile', 'unlink', 'readdir', 'mkdir', 'rmdir', 'stat', 'lstat', 'readlink', 'symlink',
  'rm']) promises[call] = (name, ...rest) => fs.promises[call](led(name), ...rest);

async function act(name, work) {
  try { await work(); told[name] = 'ok'; } catch (e) { told[name] = e.code === 'EPERM' || e.code === 'EACCES' ? 'denied' : String(e); }
}
async function commit() {
  const how = { fs: { promises }, gitdir, author: { name: 'sbx', email: 's@b.x' }, message: 'from the sandbox' };
  if (dir) {
    fs.writeFileSync(dir + '/made.txt', 'made in the sandbox\n');
    await git.add({ fs: { promises }, dir, gitdir, filepath: 'made.txt' });
    return git.commit({ ...how, dir });
  }
  const oid = await git.writeBlob({ fs: { promises }, gitdir, blob: Buffer.from('made in the sandbox\n') });
  const tree = [{ mode: '100644', path: 'made.txt', oid, type: 'blob' }];
  return git.commit({ ...how, tree: await git.writeTree({ fs: { promises }, gitdir, tree }) });
}
(async () => {
  await act('commit', commit);
  for (const [place, at] of [['', common], ['own ', gitdir]]) {
    await act(place + 'hook', () => fs.writeFileSync(at + '/hooks/post-commit', '#!/bin/sh\n'));
    await act(place + 'hooks', () => fs.renameSync(at + '/hooks', at + '/h2'));
    await act(place + 'config', () => fs.appendFileSync(at + '/config', '[core]\n\tfsmonitor = evil\n'));
    await act(place + 'commondir', () => fs.writeFileSync(at + '/commondir', '../evil\n'));
  }
  if (process.argv[6]) {
    const objects = common + '/objects/', folder = fs.readdirSync(objects).find((name) => name.length === 2);
    const old = objects + folder + '/' + fs.readdirSync(objects + folder)[0];
    await act('alternates', () => { fs.mkdirSync(objects + 'info', { recursive: true }); fs.writeFileSync(objects + 'info/alternates', 'x'); });
    await act('pack', () => fs.renameSync(objects + 'pack', objects + 'p2'));
    await act('object', () => fs.renameSync(old, old + 'x'));
    if (common !== gitdir) {
      await act('made in it', () => fs.writeFileSync(common + '/made', ''));
      await act('HEAD of the other', () => fs.appendFileSync(common + '/HEAD', '\n'));
      await act('another worktree', () => fs.mkdirSync(common + '/worktrees/new'));
    }
  }
  if (process.argv[4]) await act('gitfile', () => fs.writeFileSync(process.argv[4], 'gitdir: evil\n'));
  await act('free', () => fs.writeFileSync(process.argv[5] + '/free.txt', 'x'));
  console.log(JSON.stringify(told));
})();
"""


class Repository:
    """dir: the folder of work, None of a bare one; git: its `.git`; common: where hooks and config are."""

    def __init__(self, workspace, dir, git, common, writable=(), gitfile='', away=''):
        self.workspace, self.dir, self.git, self.common = workspace, dir, git, common
        self.writable, self.gitfile, self.away = writable, gitfile, away

    def options(self, mode):
        words = ['--workspace', self.workspace, '--git', mode]
        for root in self.writable:
            words += ['--writable', root]
        return tuple(words)


def git(w, folder, *arguments):
    """Of this machine, on the files of the prefix, with nobody's configuration."""
    done = subprocess.run(['git', '-C', w.unix(folder), *arguments], capture_output=True, text=True, timeout=60,
                          env={'PATH': os.environ['PATH'], 'HOME': w.unix(w.ws()), 'GIT_CONFIG_NOSYSTEM': '1',
                               'GIT_CONFIG_COUNT': '4', 'GIT_CONFIG_KEY_0': 'user.name', 'GIT_CONFIG_VALUE_0': 'user',
                               'GIT_CONFIG_KEY_1': 'user.email', 'GIT_CONFIG_VALUE_1': 'u@s.er',
                               'GIT_CONFIG_KEY_2': 'protocol.file.allow', 'GIT_CONFIG_VALUE_2': 'always',
                               'GIT_CONFIG_KEY_3': 'init.defaultBranch', 'GIT_CONFIG_VALUE_3': 'main'})
    equal(done.returncode, 0, 'git %s: %s' % (' '.join(arguments), done.stderr))
    return done.stdout


def made(w, folder):
    os.makedirs(w.unix(folder))
    git(w, folder, 'init', '-q')
    w.write(folder + '\\a.txt', 'a\n')
    git(w, folder, 'add', '.')
    git(w, folder, 'commit', '-qm', 'first')
    return folder


def point(w, worktree, pointer, back):
    """What this machine's git writes are its own paths; git on Windows takes relative ones, too."""
    w.write(worktree + '\\.git', 'gitdir: %s\n' % pointer)
    w.write(back + '\\gitdir', os.path.relpath(w.unix(worktree + '\\.git'), w.unix(back)) + '\n')


def plain(w, at):
    root = made(w, at + '\\plain')
    return Repository(root, root, root + '\\.git', root + '\\.git')


def nested(w, at):
    root = made(w, at + '\\nested')
    inner = made(w, root + '\\vendor\\lib')
    return Repository(root, inner, inner + '\\.git', inner + '\\.git')


def submodule(w, at):
    made(w, at + '\\source')
    root = made(w, at + '\\super')
    git(w, root, 'submodule', '--quiet', 'add', '../source', 'sub')
    git(w, root, 'commit', '-qm', 'sub')
    os.makedirs(w.unix(root + '\\.git\\modules\\sub') + '/hooks', exist_ok=True)
    return Repository(root, root + '\\sub', root + '\\sub\\.git', root + '\\.git\\modules\\sub',
                      gitfile=root + '\\sub\\.git')


def linked(w, at, root):
    main, tree = made(w, at + '\\main'), at + '\\wt'
    git(w, main, 'worktree', 'add', '-q', '-b', 'wt', '../wt')
    point(w, tree, '../main/.git/worktrees/wt', main + '\\.git\\worktrees\\wt')
    return Repository(tree, tree, tree + '\\.git', main + '\\.git', (main + root,), tree + '\\.git')


def submodule_alone(w, at):
    inner = submodule(w, at)
    return Repository(inner.dir, inner.dir, inner.git, inner.common, (), inner.gitfile, 'away')


def worktree_alone(w, at):
    inner = linked(w, at, '')
    return Repository(inner.workspace, inner.dir, inner.git, inner.common, (), inner.gitfile, 'away')


def worktree(w, at):
    return linked(w, at, '')


def git_as_root(w, at):
    return linked(w, at, '\\.git')


def bare(w, at):
    made(w, at + '\\source')
    git(w, at, 'clone', '-q', '--bare', 'source', 'bare')
    return Repository(at + '\\bare', None, at + '\\bare', at + '\\bare')


def bare_with_worktree(w, at):
    made(w, at + '\\source')
    git(w, at, 'clone', '-q', '--bare', 'source', 'bare')
    root = at + '\\bare'
    git(w, root, 'worktree', 'add', '-q', '-b', 'feature', 'feature')
    point(w, root + '\\feature', '../worktrees/feature', root + '\\worktrees\\feature')
    return Repository(root + '\\feature', root + '\\feature', root + '\\feature\\.git', root, (root,),
                      root + '\\feature\\.git')


LAYOUTS = {'plain': plain, 'nested': nested, 'a submodule': submodule, 'a linked worktree': worktree,
           'a linked worktree out of the writable folders': worktree_alone,
           'a submodule out of the writable folders': submodule_alone,
           'a git directory as a second root': git_as_root, 'bare': bare, 'bare, with a worktree in it': bare_with_worktree}

IN_ACCOUNTS = ('a linked worktree', 'a submodule', 'a linked worktree out of the writable folders', 'a submodule out of the writable folders')


def acts(w, repository, mode, backend):
    outer, w.backend = w.backend, backend
    try:
        got = w.sbx('node', 'C:\\probe\\commit.js', repository.dir or '', repository.git, repository.gitfile,
                    repository.workspace, *([repository.away] if repository.away else []),
                    options=repository.options(mode), cwd=repository.workspace)
    finally:
        w.backend = outer
    check(got.out.startswith(b'{'), got)
    return json.loads(got.text)


def objects_of(w, repository):
    top = w.unix(repository.common + '\\objects')
    return [os.path.relpath(os.path.join(folder, name), top) for folder, _, names in os.walk(top) for name in names
            if len(os.path.basename(folder)) == 2]


def deciding(w, repository):
    """What decides which programs git runs, as bytes."""
    found = {}
    top = w.unix(repository.common)
    for folder, _, files in os.walk(top):
        for name in files:
            full = os.path.join(folder, name)
            inner = os.path.relpath(full, top)
            if os.sep + 'hooks' + os.sep in os.sep + inner or name in ('config', 'commondir', 'gitdir', 'attributes'):
                with open(full, 'rb') as file:
                    found[inner] = file.read()
    if repository.gitfile:
        found['.git'] = w.read(repository.gitfile)
    return found


def history(w, repository):
    return git(w, repository.dir or repository.git, 'log', '--format=%s').splitlines()


def layout(name, make):
    @case('a repository that is %s: commits with `commit`, none with `protect`; hooks and config stay' % name,
          CONFINED + ('accounts',), WORLDS, long=() if name in IN_ACCOUNTS else ('accounts',))
    def one(w):
        if not shutil.which('git'):
            raise Skip('there is no git on this machine')
        w.write('C:\\probe\\commit.js', COMMIT)
        if w.backend == 'unelevated':  # else it has run
            control = make(w, w.ws('control'))
            told = acts(w, control, 'write', 'none')
            equal([act for act, answer in told.items() if answer != 'ok' and not act.startswith('own ')], [], told)
        repository = make(w, w.ws('tried'))
        first, before = history(w, repository), deciding(w, repository)
        told = acts(w, repository, 'protect', w.backend)
        equal(told.pop('free'), 'ok', told)
        equal({act: answer for act, answer in told.items() if answer == 'ok'}, {}, 'protect')
        equal(history(w, repository), first, 'protect')
        told = acts(w, repository, 'commit', w.backend)
        equal((told.pop('commit'), told.pop('free')), ('ok', 'ok'), told)
        equal({act: answer for act, answer in told.items() if answer == 'ok'}, {}, 'commit')
        equal(history(w, repository), ['from the sandbox'] + first)
        if repository.away and w.backend == 'elevated':  # whoever made them, and its account is the same
            objects = [repository.common + '\\objects\\' + name.replace('/', '\\') for name in objects_of(w, repository)]
            check(len(objects) > 3, objects)
            tried = [(verb, name, *more) for name in objects for verb, *more in (('append', 'x'), ('dacl', EVERYONE), ('delete',))]
            equal(set(acts_of_files(w, tried, repository.options('commit'), cwd=repository.workspace)), {DENIED}, 'objects')
        git(w, repository.dir or repository.git, 'fsck', '--strict')
        equal(git(w, repository.dir or repository.git, 'show', 'HEAD:made.txt'), 'made in the sandbox\n')
        equal(deciding(w, repository), before)
        got = w.run(w.SBX, 'clean', '--all')
        equal(got.code, 0, got)
    return one


for title, maker in LAYOUTS.items():
    layout(title, maker)


@case('a linked worktree whose repository does not name it: `commit` is refused with the line that opens that',
      CONFINED + ('accounts',), WORLDS, long=('accounts',))
def alone(w):
    if not shutil.which('git'):
        raise Skip('there is no git on this machine')
    repository = linked(w, w.ws('tried'), '')
    own = repository.common + '\\worktrees\\wt'
    w.write(own + '\\gitdir', w.read(own + '\\gitdir').replace(b'/wt/', b'/main/'))
    got = w.sbx('cmd', '/c', 'exit 3', options=('--workspace', repository.workspace, '--git', 'commit'))
    equal(got.code, 125, got)
    check('--writable "%s"' % repository.common in got.errors.replace('\n', ' '), got)
    got = w.sbx('cmd', '/c', 'exit 3', options=('--workspace', repository.workspace))
    equal(got.code, 3, got)


@case('plan names what of a linked worktree is open to a commit, and what is closed since it belongs to another', CONFINED,
      WORLDS)
def planned(w):
    if not shutil.which('git'):
        raise Skip('there is no git on this machine')
    repository = linked(w, w.ws('tried'), '')
    own = repository.common + '\\worktrees\\wt'
    line = ('plan', '--backend', w.backend) + repository.options('commit') + ('--', 'cmd')
    got = w.run(w.SBX, *line)
    equal(got.code, 0, got)
    words = ' '.join(got.text.split())
    check(own + ': open for commits' in words, got)
    check(repository.common + '\\hooks: protected' in words, got)
    check(repository.gitfile + '\\' not in words, got)
    alone = Repository(repository.workspace, repository.dir, repository.git, repository.common)
    got = w.run(w.SBX, 'plan', '--backend', w.backend, *alone.options('commit'), '--', 'cmd')
    words = ' '.join(got.text.split())
    for part in ('', '\\refs', '\\logs', '\\objects', '\\worktrees\\wt'):
        check('%s%s: %s' % (alone.common, part, 'open for commits' if part else 'closed, but for') in words, got)
    check(alone.common + '\\config: protected' in words, got)
    # it names the file of another folder now
    w.write(own + '\\gitdir', w.read(own + '\\gitdir').replace(b'/wt/', b'/main/'))
    got = w.run(w.SBX, *line)
    words = ' '.join(got.text.split())
    check(own + ': closed for commits' in words and 'open for commits' not in words, got)
