"""Works of real programs, done twice in the same folder: without sbx, and in the sandbox.

What each step prints, its exit code and the files in the end have to be equal, but for the differences that a work lists.  One
that is listed and does not occur fails, too.
"""
import gzip
import io
import os
import re
import shutil
import tarfile

from harness import Failure, case, check, equal

from cases.files import target

# Read by the programs in both worlds: nothing is asked of a network.
ENVIRONMENT = {'npm_config_offline': 'true', 'npm_config_audit': 'false', 'npm_config_fund': 'false',
               'npm_config_update_notifier': 'false', 'YARN_ENABLE_NETWORK': 'false', 'YARN_ENABLE_TELEMETRY': 'false',
               'NO_COLOR': '1', 'FORCE_COLOR': '0'}
CACHES = {'npm_config_cache': 'npm', 'PNPM_HOME': 'pnpm', 'YARN_CACHE_FOLDER': 'yarn', 'YARN_GLOBAL_FOLDER': 'yarn-berry',
          'BUN_INSTALL_CACHE_DIR': 'bun'}
CACHE = '\\real-cache'  # empty at first, as the one that `--tools` gives

# What two runs without sbx print differently, or where a cache lies that `--tools` moves.
NORMAL = (
    (rb'\b\d+(\.\d+)? ?(ms|s|\xc2\xb5s)\b( \d+ms\b)?', b'<time>'),
    (rb'\d{4}-\d\d-\d\dT\d\d[:_]\d\d[:_]\d\d[._]\d+Z', b'<when>'),
    (rb'(?i)C:(?:[\\/]+[\w.-]+)+[\\/]+(?:real-cache|sbx[\\/]+cache[\\/]+[^\\/]+|sbx[\\/]+homes[\\/]+[^\\/]+[\\/]+home[\\/]+cache)([\\/]+)', rb'<cache>\1'),
    (rb'fd \d+\[handle\]', b'fd <n>[handle]'),  # of bun
)

SOURCES = {
    'src\\greet.ts': 'export const greet = (name: string): string => `hello ${name}`;\n',
    'src\\main.ts': 'import { greet } from "./greet";\nconsole.log(greet("Grace"));\n',
    'tsconfig.json': '{"compilerOptions": {"outDir": "out", "module": "esnext", "target": "es2022", "lib": ["es2022", "dom"],'
                     ' "moduleResolution": "bundler", "incremental": true, "declaration": true}, "include": ["src"]}\n',
    'index.html': '<script type="module" src="/src/main.ts"></script>\n',
    'package.json': '{"name": "small", "version": "1.0.0", "scripts": {"build": "node -e \\"console.log(6 * 7)\\""}}\n',
    'ugly.js': 'const a=1\nvar b = {x:1,\ny:2}\nconsole.log(a,b)\n',
    'eslint.config.mjs': 'export default [{ rules: { "no-var": "error", "prefer-const": "error", "no-undef": "error" } }];\n',
}


class Difference:
    """What differs under a backend, in the words of README.md's table, and what the program then says."""
    ALL = []

    def __init__(self, words, backend, says):
        self.words, self.backend, self.says, self.shown = words, backend, says, False
        self.ALL.append(self)


def tarball(files):
    """An npm package, the same bytes each time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w') as archive:
        for name, text in files.items():
            one = tarfile.TarInfo('package/' + name)
            one.size, one.mode = len(text), 0o644
            archive.addfile(one, io.BytesIO(text.encode()))
    return gzip.compress(out.getvalue(), mtime=0)


def normal(text, more):
    text = text.replace(b'\r\n', b'\n')
    for pattern, instead in NORMAL + more:
        text = re.sub(pattern, instead, text)
    return text


def tree(w, more):
    """Every object of the workspace: a folder, where it leads, or its bytes and which names it has besides."""
    top, found, names = w.unix(w.workspace), {}, {}
    for folder, folders, files in os.walk(top):
        for name in folders[:] + files:
            outside = os.path.join(folder, name)
            inner = os.path.relpath(outside, top).replace(os.sep, '\\')
            leads = target(w, w.ws(inner))
            if leads is not None:
                found[inner] = 'link', leads
                if name in folders:
                    folders.remove(name)
            elif name in folders:
                found[inner] = 'folder', b''
            else:
                names.setdefault(os.stat(outside).st_ino, []).append(inner)
                with open(outside, 'rb') as file:
                    found[inner] = 'file', normal(file.read(), more)
    for group in names.values():
        for inner in group:
            found[inner] += (tuple(sorted(group)),)
    return found


def perform(w, files, steps, more, launch):
    """What can be compared, by step and part."""
    for folder in w.workspace, w.profile + CACHE:
        shutil.rmtree(w.unix(folder), ignore_errors=True)
        os.makedirs(w.unix(folder))
    for name, content in files.items():
        w.write(w.ws(name), content)
    found = {}
    for label, step in steps:
        if callable(step):
            step(w)
            continue
        got = launch(*step)
        found[label, 'code'] = got.code
        found[label, 'out'], found[label, 'err'] = normal(got.out, more), normal(got.err, more)
    found.update((('tree', name), value) for name, value in tree(w, more).items())
    return found


def work(name, files, *steps, options=('--tools', 'node'), more=(), fails=(), long=False, slow=False, differs=(),
         accounts=False):
    """Register one.  A step is a label and the words of a command, or what the user does: a function of the world.
    accounts: also in an account.  more: what else to make equal; fails: the steps that end with another code than 0 without sbx; slow: `none`, which confines nothing, has it with --long only; differs: a Difference, a
    step and its parts (code out err), or 'tree' and names ('*' is any)."""
    plain = {}
    for one, label, parts in differs:
        one.shown = True

    def both(w):
        w.workspace = '%s\\real\\%s' % (w.profile, name)
        w.environment = dict(ENVIRONMENT, **{key: '%s%s\\%s' % (w.profile, CACHE, value) for key, value in CACHES.items()})
        if not plain:
            found = perform(w, files, steps, more, lambda *command: w.run(*command, stdin=None))
            for label in (label for label, part in found if part == 'code'):
                check((found[label, 'code'] == 0) == (label not in fails), 'without sbx: %s: %r' % (
                    label, [found[label, part] for part in ('code', 'out', 'err')]))
            plain.update(found)
        got = perform(w, files, steps, more, lambda *command: w.sbx(*command, options=options, stdin=None))
        listed = {(label, part): one for one, label, parts in differs if one.backend == w.backend for part in parts.split()}
        different = {key for key in set(plain) | set(got) if plain.get(key) != got.get(key)}
        if ('tree', '*') in listed:
            different = {('tree', '*') if key[0] == 'tree' else key for key in different}
        wrong = [key for key in list(plain) + sorted(set(got) - set(plain)) if key in different - set(listed)]
        for label, part in wrong[:1]:
            raise Failure('\n   '.join(['%s: %s; all that differs: %s' % (label, part, wrong)] + [
                '%s: %.900r\n   without sbx: %.900r' % (key[1], got.get(key), plain.get(key))
                for key in wrong if key[0] == label][:3]))
        for (label, part), one in listed.items():
            check((label, part) in different, '%s of %s is listed as different and is not' % (part, label))
            said = b''.join(got.get((label, stream), b'') for stream in ('out', 'err'))
            check(label == 'tree' or one.says in said, '%s: it should say %r: %r' % (label, one.says, said))
        shutil.rmtree(w.unix(w.workspace), ignore_errors=True)

    title, worlds = 'as without sbx: ' + name, ('lab', 'native')
    case(title, ('none',), worlds, long=long or slow)(both)
    case(title, ('unelevated',), worlds, long=long)(both)
    if accounts:
        case(title, ('accounts',), ('lab',), long=long or slow)(both)


def outside(*command):
    """What the user does without sbx, in both worlds."""
    def step(w):
        got = w.run(*command, stdin=None)
        equal(got.code, 0, got)
    return step
