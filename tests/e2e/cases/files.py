"""What confining backends let a command do with files: acts that work unsandboxed, and are denied in the sandbox.

Acts are verbs of the probe, most of them in one process (`each`).  Outside, bytes and descriptors are compared.
"""
import json
import os
import struct
import subprocess

from harness import case, check, end_group, equal

CONFINED = ('unelevated',)
BOTH = CONFINED + ('accounts',)
ALL = BOTH + ('whole',)
WORLDS = ('lab', 'native')
DENIED = 'error 5'
HELD = 'error 32'
EVERYONE = 'D:(A;OICI;FA;;;WD)'
NOT_MADE = 'streams: this Wine makes none'


# ---- acts and looks

def acts(w, lines, options=(), backend=None, cwd=None):
    """Run acts in one launch; what each one printed."""
    w.write('C:\\probe\\acts.txt', '\n'.join('\t'.join(line) for line in lines))
    kept, w.backend = w.backend, backend or w.backend
    try:
        got = w.sandboxed('each', 'C:\\probe\\acts.txt', options=options, cwd=cwd)
    finally:
        w.backend = kept
    told = got.text.splitlines()
    equal(len(told), len(lines), got)
    return told


def build(w, root, *tree):
    """Make a tree by Windows' own calls, so that its descriptors are stored.  A name that ends in \\ is a directory."""
    build_all(w, [root], tree)
    return root


def build_all(w, roots, tree):
    lines = []
    for root in roots:
        lines += [('mkdir', root)]
        lines += [('mkdir', root + '\\' + name[:-1]) if name.endswith('\\') else ('write', root + '\\' + name, 'old')
                  for name in tree]
    w.write('C:\\probe\\acts.txt', '\n'.join('\t'.join(line) for line in lines))
    got = w.probe('each', 'C:\\probe\\acts.txt')
    equal(got.text.split(), ['ok'] * len(lines), got)


def where_asked(w, lines, is_open=('delete', 'rmdir')):
    """The acts without those that take a name away outside of the roots, where Windows does not ask a restricted token for
    that: the claim is of writing."""
    folder = build(w, w.ws('asked'), 'f')  # of its own: a root denies it anyway
    if acts(w, [('delete', folder + '\\f')], ('--read-only',), cwd=folder) == [DENIED]:
        return lines
    w.unjudged.append('deleting outside: the system does not ask the restricting SIDs')
    return [line for line in lines if line[0] not in is_open]


def descriptor(w, path):
    if w.kind == 'native':
        return w.probe('sd', path, cwd='C:\\').text
    try:
        return os.getxattr(w.unix(path), 'user.ntlab.sd', follow_symlinks=False)
    except OSError:
        return None


def target(w, path):
    """Where a link leads, None for what is none."""
    try:
        return os.readlink(path) if w.kind == 'native' else os.getxattr(w.unix(path), 'user.ntlab.reparse')
    except OSError:
        return None


def snapshot(w, root):
    """Every object below, its bytes or where it leads, and its descriptor."""
    top, found = w.unix(root), {'': (None, descriptor(w, root))}
    for folder, folders, files in os.walk(top):
        for name in folders[:] + files:
            inner = os.path.relpath(os.path.join(folder, name), top).replace(os.sep, '\\')
            content = target(w, root + '\\' + inner)
            if content is not None and name in folders:
                folders.remove(name)
            if content is None and name in files:
                content = w.read(root + '\\' + inner)
            found[inner] = content, descriptor(w, root + '\\' + inner)
    return found


def same(got, wanted, what):
    for name in sorted(set(got) | set(wanted)):
        check(name in got, '%s: %s is gone' % (what, name))
        check(name in wanted, '%s: %s is new' % (what, name))
        equal(got[name][0], wanted[name][0], '%s: bytes of %s' % (what, name))
        equal(got[name][1], wanted[name][1], '%s: descriptor of %s' % (what, name))


def in_root(lines, root):
    return [tuple(word.replace('{r}', root) for word in line) for line in lines]


def held(w, tree, attacks, options=()):
    """Each act works in a tree of its own without confinement; in the sandbox all are denied and nothing is changed."""
    roots = [w.ws('c%d' % number) for number in range(len(attacks))]
    build_all(w, roots, tree)
    controls = [in_root([attack], root)[0] for attack, root in zip(attacks, roots)]
    for attack, told in zip(attacks, acts(w, controls, backend='none')):
        equal(told, 'ok', 'control: %r' % (attack,))
    root = build(w, w.ws('r'), *tree)
    options = ('--workspace', root) + options
    # the grants are made by the first launch, in which the root itself is shown to be writable
    equal(acts(w, [('write', root + '\\control', 'x')], options, cwd=root), ['ok'], 'control')
    before = snapshot(w, root)
    told = acts(w, in_root(attacks, root), options, cwd=root)
    for attack, answer in zip(attacks, told):
        equal(answer, DENIED, attack)
    same(snapshot(w, root), before, 'after the attacks')
    return root


def refused(w, options, *words):
    """sbx itself stops, before the command: 125, the reason, nothing done."""
    got = w.sbx('cmd', '/d', '/c', 'echo x> %s\\ran.txt' % w.profile, options=options)
    equal(got.code, 125, got)
    for word in words:
        check(word in got.errors, '%r is missing: %s' % (word, got))
    equal(w.read(w.profile + '\\ran.txt'), None, 'the command must not have run')


def running(w, options, cwd):
    """A launch that lives until `ended`: it has said so from inside."""
    process = w.start((w.SBX,) + w.options(*options) + ('--', w.PROBE, 'cat'), cwd=cwd, stdin=subprocess.PIPE,
                      stdout=subprocess.PIPE)
    process.stdin.write(b'here\n')
    process.stdin.flush()
    equal(process.stdout.readline(), b'here\n', 'the launch in the background')
    return process


def ended(process):
    process.stdin.close()
    try:
        equal(process.wait(60), 0, 'the launch in the background')
    finally:
        process.stdout.close()
        if process.poll() is None:
            end_group(process)


# ---- where it may write

@case('read-only: nothing is created, appended, truncated in the working directory', ALL, WORLDS)
def read_only(w):
    attacks = [('write', '{r}\\new', 'x'), ('append', '{r}\\old', 'x'), ('truncate', '{r}\\old'),
               ('write', '{r}\\old', 'x'), ('delete', '{r}\\old'), ('mkdir', '{r}\\d2'), ('rmdir', '{r}\\d'),
               ('move', '{r}\\old', '{r}\\d\\old'), ('attributes', '{r}\\old', '2'), ('times', '{r}\\old')]
    attacks = where_asked(w, attacks)
    for backend, options in (('none', ('--read-only',)), (w.backend, ())):
        roots = [w.ws(backend + str(number)) for number in range(len(attacks))]
        build_all(w, roots, ('old', 'd\\'))
        lines = [in_root([attack], root)[0] for attack, root in zip(attacks, roots)]
        equal(acts(w, lines, options, backend), ['ok'] * len(lines), 'control: ' + backend)
    root = build(w, w.ws('r'), 'old', 'd\\')
    equal(w.sbx('cmd', '/d', '/c', 'type old', options=('--read-only',), cwd=root).text, 'old')  # an account is let in to read
    before = snapshot(w, root)
    for attack, told in zip(attacks, acts(w, in_root(attacks, root), ('--read-only',), cwd=root)):
        equal(told, DENIED, attack)
    got = w.sbx('cmd', '/d', '/c', 'echo x> new & echo x>> old', options=('--read-only',), cwd=root)
    check('denied' in (got.text + got.errors).lower(), got)
    same(snapshot(w, root), before, 'read-only')


WRITES = """
const fs = require('fs'), path = require('path'), at = n => path.join(process.argv[2], n);
fs.writeFileSync(at('f'), 'one'); fs.appendFileSync(at('f'), 'two'); fs.truncateSync(at('f'), 4);
fs.mkdirSync(at('a/b/c'), { recursive: true }); fs.renameSync(at('f'), at('a/b/c/g'));
fs.copyFileSync(at('a/b/c/g'), at('h')); fs.writeFileSync(at('over'), 'old'); fs.renameSync(at('h'), at('over'));
fs.writeFileSync(at('gone'), ''); fs.unlinkSync(at('gone')); fs.mkdirSync(at('e')); fs.rmdirSync(at('e'));
fs.utimesSync(at('over'), 978307200, 978307200); fs.mkdirSync(at('t/u'), { recursive: true });
fs.writeFileSync(at('t/u/v'), '');
fs.unlinkSync(at('t/u/v')); fs.rmdirSync(at('t/u')); fs.rmdirSync(at('t'));
fs.writeFileSync(at('ro'), ''); fs.chmodSync(at('ro'), 0o444);
console.log('done');
"""


@case('the workspace takes every kind of write, from cmd, node and bun', ALL, WORLDS)
def every_write(w):
    w.write(w.ws('writes.js'), WRITES)
    for backend in ('none', w.backend):
        w.backend = backend
        for tool in ('node', 'bun'):
            build(w, w.ws(backend + tool))
            got = w.sbx(tool, 'writes.js', w.ws(backend + tool))
            equal(got.text.strip(), 'done', got)
            root = w.ws(backend + tool)
            equal(sorted(snapshot(w, root)), ['', 'a', 'a\\b', 'a\\b\\c', 'a\\b\\c\\g', 'over', 'ro'], tool)
            equal((w.read(root + '\\over'), w.read(root + '\\a\\b\\c\\g')), (b'onet', b'onet'), tool)
            equal(int(os.stat(w.unix(root + '\\over')).st_mtime), 978307200, tool + ': times')
        build(w, w.ws(backend + 'cmd'))
        got = w.sbx('cmd', '/d', '/c', 'echo one> f & echo two>> f & mkdir a\\b\\c & copy f a\\b\\c\\g & ren f h & '
                    'move h a\\i & echo x> gone & del gone & mkdir e & rmdir e & attrib +r a\\i',
                    cwd=w.ws(backend + 'cmd'))
        equal(sorted(snapshot(w, w.ws(backend + 'cmd'))), ['', 'a', 'a\\b', 'a\\b\\c', 'a\\b\\c\\g', 'a\\i'], got)
        equal((w.read(w.ws(backend + 'cmd\\a\\i')) or b'').split(), [b'one', b'two'], got)
        told = acts(w, [('write', w.ws(backend + 'x'), 'x'), ('truncate', w.ws(backend + 'x')),
                        ('times', w.ws(backend + 'x')), ('link', w.ws(backend + 'x'), w.ws(backend + 'y')),
                        ('attributes', w.ws(backend + 'x'), '2'), ('move', w.ws(backend + 'y'), w.ws(backend + 'z'))])
        equal(told, ['ok'] * 6, backend)
    if w.kind == 'lab':
        w.unjudged.append(NOT_MADE)
        return
    equal(acts(w, [('write', w.ws('x:stream'), 'x')]), ['ok'], 'a stream')


@case('writes outside are denied: beside, profile, deep in it, C:\\, Windows, Public, ProgramData', BOTH, WORLDS)
def outside(w):
    deep = w.profile + '\\AppData\\Local\\one\\two\\three'
    os.makedirs(w.unix(w.profile) + '/AppData/Local/one/two/three', exist_ok=True)
    root = build(w, w.ws('r'), 'in')
    beside = build(w, w.ws('r2'), 'old')
    free = [w.ws(), w.profile, deep, beside, 'C:\\users\\Public', 'C:\\ProgramData']
    closed = ['C:\\', 'C:\\windows', 'C:\\windows\\system32', 'C:\\Program Files', 'C:\\Program Files\\sbx',
              'C:\\tools']
    lines = [('write', path.rstrip('\\') + '\\new-file', 'x') for path in free + closed]
    lines += [('mkdir', path.rstrip('\\') + '\\new-folder') for path in free + ['C:\\']]
    undo = [('delete' if line[0] == 'write' else 'rmdir', line[1]) for line in lines]
    control = acts(w, lines, backend='none', cwd=root)
    for line, told in zip(lines, control):
        if line[0] == 'mkdir' or any(line[1] == path + '\\new-file' for path in free):
            equal(told, 'ok', 'control: the user writes %s' % (line,))
    acts(w, [u for u, told in zip(undo, control) if told == 'ok'], backend='none', cwd=root)
    lines += where_asked(w, [('delete', beside + '\\old'), ('move', beside + '\\old', root + '\\old')], ('delete', 'move'))
    lines += [('append', beside + '\\old', 'x'), ('move', root + '\\in', beside + '\\in'),
              ('truncate', beside + '\\old'), ('dacl', beside + '\\old', EVERYONE), ('takeown', beside + '\\old'), ('dacl', beside, EVERYONE)]
    before = snapshot(w, beside)
    told = acts(w, lines + [('write', root + '\\in2', 'x')], ('--workspace', root), cwd=root)
    equal(told.pop(), 'ok', 'control: in the root')
    for line, answer in zip(lines, told):
        equal(answer, DENIED, line)
        if line[1].endswith(('new-file', 'new-folder')):
            check(not os.path.lexists(w.unix(line[1])), line)
    same(snapshot(w, beside), before, 'beside the root')
    w.write(w.ws('r\\out.js'), "for (const to of process.argv.slice(2)) try { require('fs').writeFileSync(to, 'x'); "
            "console.log('written'); } catch (error) { console.log(error.code); }\n")
    places = [path.rstrip('\\') + '\\new-file' for path in free + closed]
    for tool in ('node', 'bun'):
        got = w.sbx(tool, 'out.js', *places, options=('--workspace', root), cwd=root)
        check(len(got.text.split()) == len(places) and set(got.text.split()) <= {'EPERM', 'EACCES'}, got)
        equal([path for path in places if w.read(path) is not None], [], tool)


def writable_places(w, *options):
    """What plan and a report tell about places that stay open."""
    plan = w.run(w.SBX, 'plan', *w.options()[:2], *options)
    report = w.ws('report.json')
    w.sbx('cmd', '/d', '/c', 'exit 0', options=('--report', report) + options)
    return plan.text + plan.errors, json.loads(w.read(report) or b'{}')


@case('places open to everyone are told by plan and report before anything is written there', BOTH, WORLDS)
def open_places(w):
    wide, bare = build(w, w.profile + '\\wide'), build(w, w.profile + '\\bare')
    try:
        for path, acl in ((wide, EVERYONE), (bare, 'null')):
            equal(w.probe('dacl', path, acl).text.strip(), 'ok')
        before = descriptor(w, wide), descriptor(w, bare)
        w.run('cmd', '/d', '/c', 'del ' + w.profile + '\\AppData\\Local\\sbx\\reach')
        inside = build(w, w.ws('r'))
        plan, report = writable_places(w, '--workspace', inside)
        told = json.dumps(report)
        written = acts(w, [('write', wide + '\\x', 'x'), ('write', bare + '\\x', 'x')], ('--workspace', inside))
        for path, answer in zip((wide, bare), written):
            check(answer == DENIED or (path in plan and path.replace('\\', '\\\\') in told),
                  '%s: %s, and not told\n%s\n%s' % (path, answer, plan, told))
        equal((descriptor(w, wide), descriptor(w, bare)), before, 'foreign descriptors stay')
        refused(w, ('--workspace', bare), 'access control list', 'bare')
    finally:
        w.run('cmd', '/d', '/c', 'rmdir /s /q %s & rmdir /s /q %s & del %s\\AppData\\Local\\sbx\\reach' %
              (wide, bare, w.profile))


@case('two roots; two launches at once do not write or re-ACL what is the other\'s, then or later', BOTH, WORLDS)
def two(w):
    a, b = build(w, w.ws('a'), 'old', 'd\\'), build(w, w.ws('b'), 'old', 'd\\')
    both = ('--workspace', a, '--writable', b)
    equal(acts(w, [('write', a + '\\both', 'x'), ('write', b + '\\both', 'x')], both), ['ok', 'ok'], 'two roots')
    equal(acts(w, [('write', a + '\\made', 'x'), ('mkdir', a + '\\madedir')], ('--workspace', a)), ['ok', 'ok'])
    equal(acts(w, [('write', b + '\\made', 'x'), ('mkdir', b + '\\madedir')], ('--workspace', b)), ['ok', 'ok'])

    def attack(mine, other):
        lines = [('write', other + '\\new', 'x'), ('mkdir', other + '\\newdir'),
                 ('move', mine + '\\old', other + '\\d\\x'),
                 ('dacl', other, EVERYONE), ('move', other + '\\d', mine + '\\d2'),
                 ('link', other + '\\old', mine + '\\l')]
        for name in ('old', 'made', 'both', 'madedir', 'd'):
            lines += [('dacl', other + '\\' + name, EVERYONE), ('takeown', other + '\\' + name),
                      ('open', other + '\\' + name, '0x40000'), ('open', other + '\\' + name, '0x2')]
        lines += [('append', other + '\\' + name, 'x') for name in ('old', 'made', 'both')]
        lines += [('delete', other + '\\' + name) for name in ('old', 'made', 'both')]
        before = snapshot(w, other)
        told = acts(w, lines + [('write', mine + '\\again', 'x')], ('--workspace', mine), cwd=mine)
        equal(told.pop(), 'ok', 'control: the own root')
        for line, answer in zip(lines, told):
            equal(answer, DENIED, line)
        same(snapshot(w, other), before, 'the other root')

    for mine, other in ((a, b), (b, a)):
        alive = running(w, ('--workspace', other), other)
        try:
            attack(mine, other)
        finally:
            ended(alive)
    attack(b, a)


# ---- what is protected in a root

REPOSITORY = ('.git\\', '.git\\config', '.git\\hooks\\', '.git\\hooks\\sample', '.git\\empty\\', '.codex\\',
              '.codex\\c',
              '.agents\\', '.agents\\a', 'sbx.toml', 'evil')


def changes(name, folder):
    """Everything that would change a protected object."""
    path = '{r}\\' + name
    found = [('move', path, '{r}\\moved'), ('dacl', path, EVERYONE), ('dacl', path, 'null'), ('takeown', path),
             ('attributes', path, '2' if not folder else '18'), ('times', path)]
    found += [('open', path, access) for access in ('0x40000000', '0x10000', '0x40000', '0x80000', '0x2', '0x4',
                                                    '0x100')]
    if folder:
        return found + [('write', path + '\\new', 'x'), ('mkdir', path + '\\newdir'),
                        ('move', '{r}\\evil', path + '\\evil'),
                        ('link', '{r}\\evil', path + '\\evil'), ('open', path, '0x40')]
    return found + [('write', path, 'x'), ('append', path, 'x'), ('truncate', path), ('delete', path),
                    ('move', '{r}\\evil', path), ('replace', path, '{r}\\evil'), ('link', path, '{r}\\linked'),
                    ('byid', path, '0x40000000')]


@case('protected: write, delete, rename, replace, link, icacls, takeown are denied', ALL, WORLDS,
      readings=('delete-child', 'rename-in-place', 'new-object-dacl', 'set-dacl', 'tree-dacl'))
def protected(w):
    attacks = []
    for name, folder in (('.git', True), ('.git\\config', False), ('.git\\hooks', True), ('.git\\hooks\\sample', False),
                         ('.codex', True), ('.agents\\a', False), ('sbx.toml', False)):
        attacks += changes(name, folder)
    attacks += [('rmdir', '{r}\\.git\\empty')]
    held(w, REPOSITORY, attacks)


@case('protected: deleted, moved and replaced by no call', ALL, WORLDS,
      readings=('delete-child', 'rename-in-place', 'new-object-dacl'))
def every_call(w):
    tree = ('.git\\', '.git\\config', '.git\\hooks\\', '.git\\hooks\\x.sample', '.git\\hooks\\x', '.git\\hooks\\d\\',
            '.git\\hooks\\d\\f', 'pkg\\', 'pkg\\keep\\', 'pkg\\keep\\f', 'own', 'free\\', 'free\\f')
    files = ('.git\\config', '.git\\hooks\\x', '.git\\hooks\\d\\f', 'pkg\\keep\\f')
    folders = ('.git', '.git\\hooks', '.git\\hooks\\d', 'pkg', 'pkg\\keep')
    attacks = [(verb, '{r}\\' + name) for verb in ('remove', 'close', 'delete') for name in files]
    attacks += [(verb, '{r}\\' + name) + more for name in files + folders
                for verb, more in (('rename', ('other',)), ('move', ('{r}\\taken',)), ('over', ('{r}\\taken',)))]
    attacks += [('over', '{r}\\own', '{r}\\' + name) for name in files]
    attacks += [('replace', '{r}\\' + name, '{r}\\own') for name in files]
    attacks += [('rename', '{r}\\.git\\hooks\\x.sample', 'x'), ('rename', '{r}\\.git\\hooks\\x.sample', 'y')]
    root = held(w, tree, attacks, ('--protect', 'pkg\\keep'))
    free = [('rename', '{r}\\free\\f', 'g'), ('remove', '{r}\\free\\g'), ('rename', '{r}\\free', 'f2'),
            ('over', '{r}\\own', '{r}\\control'), ('close', '{r}\\control')]
    equal(acts(w, in_root(free, root), ('--workspace', root, '--protect', 'pkg\\keep'), cwd=root), ['ok'] * len(free),
          'what is not protected')


@case('while a command runs the user deletes and renames where it cannot', BOTH, WORLDS,
      readings=('delete-child', 'new-object-dacl'))
def user_goes_on(w):
    root = build(w, w.ws('r'), '.git\\', '.git\\config', '.git\\config.lock', '.git\\objects\\', '.git\\objects\\o', 'f')
    process = running(w, ('--workspace', root), root)
    told = acts(w, in_root([('over', '{r}\\.git\\config.lock', '{r}\\.git\\config'), ('delete', '{r}\\.git\\objects\\o'),
                            ('rmdir', '{r}\\.git\\objects'), ('rename', '{r}\\f', 'g'), ('remove', '{r}\\g')], root),
                backend='none')
    ended(process)
    equal(told, ['ok'] * 5)


def with_slack(bytes_of, defaulted):
    """A descriptor with its first allow for the object itself once more, and with 1024 bytes behind the last ACE."""
    head, at = bytearray(bytes_of), struct.unpack_from('<I', bytes_of, 16)[0]
    acl, ace = head[at:], 8
    while acl[ace] or acl[ace + 1] & 8:
        ace += struct.unpack_from('<H', acl, ace + 2)[0]
    length = struct.unpack_from('<H', acl, ace + 2)[0]
    size, count = struct.unpack_from('<HH', acl, 2)
    acl[ace:ace] = acl[ace:ace + length]
    acl[size + length:size + length] = bytes(1024)
    struct.pack_into('<HH', acl, 2, size + length + 1024, count + 1)
    control = struct.unpack_from('<H', head, 2)[0] & ~0x400 | (8 if defaulted else 0)
    struct.pack_into('<H', head, 2, control)
    return bytes(head[:at]) + bytes(acl)


@case('descriptors as older systems and programs made them: slack, an ACE twice, SE_DACL_DEFAULTED, no inheritance yet',
      CONFINED, ('lab',),
      readings=('set-dacl', 'tree-dacl', 'new-object-dacl'))
def older_descriptors(w):
    root = build(w, w.ws('r'), '.git\\', '.git\\hooks\\', '.git\\hooks\\x', 'src\\', 'src\\f', 'pkg\\', 'pkg\\keep\\')
    for number, name in enumerate(('', '\\.git', '\\.git\\hooks', '\\.git\\hooks\\x', '\\src', '\\src\\f', '\\pkg')):
        path = w.unix(root + name)
        made = descriptor(w, root + name)
        os.setxattr(path, 'user.ntlab.sd', with_slack(made, number % 2))
    options = ('--workspace', root, '--protect', 'pkg\\keep')
    for _ in range(2):
        equal(acts(w, [('write', root + '\\src\\f', 'x'), ('write', root + '\\.git\\hooks\\x', 'x')], options, cwd=root),
              ['ok', DENIED])


@case('protected, by every spelling of its name', ALL, WORLDS, long=('accounts',))
def spellings(w):
    root = build(w, w.ws('s'), *REPOSITORY)
    short = w.probe('short', root + '\\.agents\\a').text.strip()
    check('~' in short, short)
    names = ['{r}\\.GIT\\CONFIG', '{r}\\.git\\..\\.git\\config', '{r}\\.git\\.\\config', '{r}/.git/config',
             '{r}\\.git\\config.', '{r}\\.git\\config ', '\\\\?\\{r}\\.git\\config', '\\\\.\\{r}\\.git\\config',
             '{r}\\' + short.split('\\')[-2] + '\\a', '\\\\?\\{r}\\' + short.split('\\')[-2] + '\\a', '{r}\\SBX.TOML.']
    if w.kind == 'native':
        names += ['\\\\?\\GLOBALROOT\\??\\{r}\\.git\\config', '{r}\\.git::$INDEX_ALLOCATION\\config',
                  '{r}\\.git\\config::$DATA', '{r}\\.git\\config:stream']
    else:
        w.unjudged.append('streams and GLOBALROOT: this Wine has no such names')
    held(w, REPOSITORY, [(verb, name, 'x') for name in names for verb in ('write', 'append')] +
         [('delete', name) for name in names] + [('dacl', name, EVERYONE) for name in names[:4]])


@case('a .git file and the directory that it names are protected', ALL, WORLDS)
def gitfile(w):
    tree = ('store\\', 'store\\wt\\', 'store\\wt\\config', 'store\\wt\\hooks\\', 'evil', 'sub\\')
    root = build(w, w.ws('r'), *tree)
    w.write(root + '\\.git', 'gitdir: store/wt\n')
    options = ('--workspace', root)
    lines = [('write', root + '\\.git', 'x'), ('delete', root + '\\.git'), ('move', root + '\\evil', root + '\\.git'),
             ('write', root + '\\store\\wt\\config', 'x'), ('write', root + '\\store\\wt\\hooks\\h', 'x'),
             ('move', root + '\\store\\wt', root + '\\store\\w2'), ('move', root + '\\store', root + '\\s2'),
             ('dacl', root + '\\.git', EVERYONE), ('dacl', root + '\\store\\wt\\config', EVERYONE)]
    equal(acts(w, [('write', root + '\\store\\free', 'x'), ('write', root + '\\sub\\free', 'x')], options), ['ok',
                                                                                                             'ok'])
    before = snapshot(w, root)
    for line, told in zip(lines, acts(w, lines, options)):
        equal(told, DENIED, line)
    same(snapshot(w, root), before, 'gitfile')
    control = build(w, w.ws('c'), *tree)
    w.write(control + '\\.git', 'gitdir: store/wt\n')
    lines = [tuple(word.replace(root, control) for word in line) for line in (lines[0], lines[3], lines[4], lines[6])]
    equal(acts(w, lines, ('--workspace', control), 'none'), ['ok'] * 4, 'control')


@case('not a repository yet: its name cannot be taken, and the guard leaves nothing behind', ALL, WORLDS,
      readings=('new-object-dacl', 'delete-child'))
def guards(w):
    names, asked = ('.git', '.codex', '.agents'), ('--protect', 'sbx.toml')
    root, control = build(w, w.ws('r'), 'evil\\', 'file'), build(w, w.ws('c'), 'evil\\', 'file')

    def attacks(root):
        return [('mkdir', root + '\\.git'), ('write', root + '\\.git\\config', 'x'), ('mkdir', root + '\\.codex'),
                ('write', root + '\\.agents', 'x'), ('write', root + '\\sbx.toml', 'x'),
                ('move', root + '\\file', root + '\\sbx.toml'), ('move', root + '\\evil', root + '\\.codex')]
    equal(acts(w, attacks(control)[:1] + attacks(control)[2:5],
               ('--workspace', control), 'none'), ['ok'] * 4, 'control')
    before = sorted(snapshot(w, root))
    told = acts(w, attacks(root) + [('rmdir', root + '\\' + name) for name in names] +
                [('move', root + '\\' + name, root + '\\m') for name in names] +
                [('dacl', root + '\\' + name, EVERYONE) for name in names], ('--workspace', root) + asked)
    # a directory that is there already cannot be made again: the name is taken
    equal([answer for answer in told if answer not in (DENIED, 'error 183')], [], told)
    equal(told[1], DENIED, 'write into it')
    equal(sorted(snapshot(w, root)), before, 'left behind')
    got = w.sbx('cmd', '/d', '/c', 'mkdir .git & mkdir .git\\hooks & echo x> .git\\config', options=('--workspace',
                                                                                                     root),
                cwd=root)
    check('denied' in (got.text + got.errors).lower(), got)
    equal(sorted(snapshot(w, root)), before, 'left behind')
    equal(acts(w, attacks(root)[:2], ('--workspace', root, '--git', 'write')), ['ok', 'ok'], 'as configured')


@case('the ancestors of a protected path, and the root itself, stay where they are', ALL, WORLDS,
      readings=('delete-child', 'rename-in-place'))
def ancestors(w):
    tree = ('a\\', 'a\\b\\', 'a\\b\\keep\\', 'a\\b\\keep\\f', 'a\\b\\free', 'x\\')
    attacks = [('move', '{r}\\a', '{r}\\a2'), ('move', '{r}\\a\\b', '{r}\\b2'), ('move', '{r}\\a\\b\\keep', '{r}\\k2'),
               ('dacl', '{r}\\a', EVERYONE), ('dacl', '{r}\\a\\b', EVERYONE),
               ('dacl', '{r}', EVERYONE),
               ('takeown', '{r}'), ('takeown', '{r}\\a'), ('open', '{r}\\a', '0x10000'),
               ('open', '{r}', '0x40'), ('open', '{r}\\a\\b', '0x40'), ('write', '{r}\\a\\b\\keep\\f', 'x')]
    root = held(w, tree, attacks, ('--protect', 'a\\b\\keep'))
    options = ('--workspace', root, '--protect', 'a\\b\\keep')
    equal(acts(w, [('write', root + '\\a\\b\\free', 'x'), ('move', root + '\\x', root + '\\y')], options), ['ok', 'ok'])
    told = acts(w, [('move', root, root + '2'), ('open', root, '0x10000')], options, cwd=w.profile)
    check(set(told) <= {DENIED, HELD}, told)
    check(os.path.isdir(w.unix(root)), 'the root is where it was')
    before = snapshot(w, root)
    w.sbx('cmd', '/d', '/c', 'rmdir /s /q a\\b\\keep & rmdir /s /q a & ren a a3', options=options, cwd=root)
    left = snapshot(w, root)
    equal([name for name in before if name not in left], ['a\\b\\free'], 'only what is not protected goes')
    equal(left['a\\b\\keep\\f'], before['a\\b\\keep\\f'])


@case('hard links: none to what is outside, and a file with several names is not granted', ALL, WORLDS)
def links(w):
    outer = build(w, w.ws('o'), 'file', 'shared')
    root = build(w, w.ws('r'), 'own', 'd\\')
    equal(w.probe('link', outer + '\\shared', root + '\\shared').text.strip(), 'ok')
    equal(w.probe('link', outer + '\\file', outer + '\\control').text.strip(), 'ok', 'control')
    before = snapshot(w, outer)
    told = acts(w, [('link', root + '\\own', root + '\\d\\own2'), ('link', outer + '\\file', root + '\\l'),
                    ('write', root + '\\shared', 'x'), ('append', root + '\\shared', 'x'),
                    ('truncate', root + '\\shared'),
                    ('dacl', root + '\\shared', EVERYONE)], ('--workspace', root))
    equal(told, ['ok'] + [DENIED] * 5)
    same(snapshot(w, outer), before, 'outside')
    equal(w.read(root + '\\l'), None)


@case('git = "commit": objects, refs and the index are open, hooks and config are not', ALL, WORLDS, long=('accounts',))
def commit(w):
    tree = REPOSITORY + ('.git\\objects\\', '.git\\refs\\', '.git\\refs\\heads\\', '.git\\index', '.git\\info\\')
    root = held(w, tree, changes('.git\\config', False) + changes('.git\\hooks', True) +
                [('move', '{r}\\.git', '{r}\\g2'), ('write', '{r}\\.git\\hooks\\pre-commit', 'x'),
                 ('write', '{r}\\.git\\info\\attributes', 'x'), ('write', '{r}\\.git\\config.worktree', 'x')],
                ('--git', 'commit'))
    git = root + '\\.git'
    lines = [('write', git + '\\index.lock', 'new'), ('move', git + '\\index.lock', git + '\\index'),
             ('mkdir', git + '\\objects\\ab'), ('write', git + '\\objects\\ab\\cd', 'x'),
             ('write', git + '\\HEAD', 'x'),
             ('write', git + '\\refs\\heads\\main', 'x'), ('write', git + '\\COMMIT_EDITMSG', 'x')]
    equal(acts(w, lines, ('--workspace', root, '--git', 'commit')), ['ok'] * len(lines))
    equal(w.read(git + '\\index'), b'new')
    before = snapshot(w, root)
    lines[0:2] = [('append', git + '\\index', 'x'), ('delete', git + '\\index')]
    told = acts(w, lines[:2] + [('append', git + '\\HEAD', 'x'), ('write', git + '\\objects\\new', 'x')],
                ('--workspace', root))
    equal(told, [DENIED] * 4, 'protected again')
    equal({name: found[0] for name, found in snapshot(w, root).items()},
          {name: found[0] for name, found in before.items()}, 'protected again')


# ---- sbx itself

@case('sbx\'s own state is not writable, and to an account not readable', BOTH, WORLDS)
def state(w):
    equal(acts(w, [('write', w.ws('x'), 'x')]), ['ok'])
    own = w.profile + '\\AppData\\Local\\sbx'
    lines = [('write', own + '\\new', 'x'), ('mkdir', own + '\\newdir'), ('dacl', own, EVERYONE), ('takeown', own)]
    files = []
    for folder, folders, names in os.walk(w.unix(own)):
        inner = os.path.relpath(folder, w.unix(own)).replace(os.sep, '\\')
        if not inner.startswith(('temp', 'cache', 'homes', 'elevated-')):
            files += [own + ('\\' if inner == '.' else '\\' + inner + '\\') + name for name in names]
    check(any('ledger' in name for name in files), files)
    for name in files:
        lines += [('append', name, 'x'), ('open', name, '0x40000000'), ('delete', name), ('dacl', name, EVERYONE),
                  ('move', name, w.ws('stolen'))]
    lines = where_asked(w, lines, ('delete', 'move'))
    if w.backend == 'elevated':
        secrets = [('open', name, '0x1') for name in files + ['C:\\ProgramData\\sbx\\elevated-1.secret', own]]
        equal(acts(w, secrets, backend='none'), ['ok'] * len(secrets), 'control: the user reads them')
        lines += secrets
    before = {name: descriptor(w, name) for name in files}
    for line, told in zip(lines, acts(w, lines)):
        check(told == DENIED or (told == 'error 2' and not os.path.lexists(w.unix(line[1]))), (line, told))
    after = {name: descriptor(w, name) for name in files}
    equal(after, before)
    equal(w.read(w.ws('stolen')), None)
    refused(w, ('--workspace', own), 'sbx')


def unusable(w):
    path = build(w, w.ws('locked'))
    owner = 'D:P(A;OICI;0x1201bf;;;OW)(A;OICI;FA;;;BA)'
    equal(w.probe('dacl', path, owner).text.strip(), 'ok')
    return path


@case('roots that cannot be granted are refused, each with its reason', BOTH, WORLDS, long=('accounts',))
def bad_roots(w):
    w.write(w.ws('file'), 'x')
    inside = ('--workspace', build(w, w.ws('r')), '--writable')
    refused(w, ('--workspace', w.ws('missing')), 'missing')
    refused(w, ('--workspace', w.ws('file')), 'file')
    refused(w, inside + (w.ws('missing'),), 'there is no such directory')
    refused(w, inside + (w.ws('file'),), 'a file cannot be a writable root')
    w.write(w.ws('r\\f'), 'x')
    refused(w, inside + (w.ws('r\\f'),), 'f: ', 'a file cannot be a writable root')
    os.remove(w.unix(w.ws('r\\f')))
    refused(w, inside + ('\\\\localhost\\c$\\users',), 'network')
    refused(w, inside + (w.profile,), 'profile')
    refused(w, inside + ('C:\\',), 'volume')
    refused(w, inside + ('C:\\windows',), 'Windows')
    refused(w, inside + ('C:\\Program Files\\sbx',), 'sbx')
    open_to_all = build(w, w.ws('open'))
    equal(w.probe('dacl', open_to_all, EVERYONE).text.strip(), 'ok')
    locked = unusable(w)
    before = snapshot(w, locked)
    refused(w, inside + (locked,), 'access rights may not be changed by this user')
    same(snapshot(w, locked), before, 'refused')
    long = build(w, w.ws('long'))
    at = w.unix(long)
    for _ in range(4):
        at += '/' + 'n' * 70
        os.mkdir(at)
    path = long + ('\\' + 'n' * 70) * 4
    told = acts(w, [('write', '\\\\?\\' + path + '\\f', 'x')], ('--writable', path))
    equal(told, ['ok'], 'a long path is not too long')
    check(os.path.exists(at + '/f'), 'a long path')
    if w.kind != 'lab':
        w.unjudged.append('FAT: no such volume at hand')
        return
    fat = os.path.join(os.path.dirname(w.drive), 'drive_f', 'w')
    os.makedirs(fat, exist_ok=True)
    # on FAT everybody may do everything
    os.setxattr(fat, 'user.ntlab.sd', os.getxattr(w.unix(open_to_all), 'user.ntlab.sd'))
    refused(w, inside + ('F:\\w',), 'F:\\w', 'its file system keeps no access rights', 'NTFS or ReFS')
    equal(os.listdir(fat), [])


@case('TEMP is private, for node, bun and cmd; another run does not write it', BOTH, WORLDS)
def temp(w):
    w.write(w.ws('t.js'), """
const fs = require('fs'), os = require('os'), path = require('path');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'x-'));
fs.writeFileSync(path.join(dir, 'a'), 'new'); fs.writeFileSync(path.join(dir, 'b'), 'old');
fs.renameSync(path.join(dir, 'a'), path.join(dir, 'b'));
fs.mkdirSync(path.join(dir, 'c'), { mode: 0o700 }); fs.writeFileSync(path.join(dir, 'c', 'd'), '');
console.log(fs.readFileSync(path.join(dir, 'b'), 'utf8'), os.tmpdir());
fs.rmSync(dir, { recursive: true });
""")
    for tool in ('node', 'bun'):
        got = w.sbx(tool, 't.js')
        folder = '\\AppData\\Local\\sbx\\' + ('elevated-' if w.backend == 'elevated' else 'temp\\')
        check(got.text.startswith('new ' + w.profile + folder), got)
        check(not os.path.lexists(w.unix(got.text.split(' ', 1)[1].strip())), 'left behind: %s' % got)
    process = w.start((w.SBX,) + w.options() + ('--', 'cmd', '/d', '/c', 'echo %TEMP%& echo x> %TEMP%\\f & ' + w.PROBE +
                                               ' cat'), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    path = process.stdout.readline().decode().strip()
    process.stdin.write(b'here\n')
    process.stdin.flush()
    equal(process.stdout.readline(), b'here\n')
    try:
        check(w.read(path + '\\f') is not None, 'TEMP of the other run: ' + path)
        before = snapshot(w, path)
        attacks = where_asked(w, [('write', path + '\\g', 'x'), ('append', path + '\\f', 'x'), ('delete', path + '\\f'),
                                  ('dacl', path, EVERYONE), ('dacl', path + '\\f', EVERYONE)])
        os.makedirs(w.unix(w.workspace + '-t'))  # a run of the same roots and rules shares what it may do: told in README
        equal(acts(w, attacks, ('--writable', w.workspace + '-t')), [DENIED] * len(attacks), 'the TEMP of another run')
        same(snapshot(w, path), before, 'the TEMP of another run')
        equal(acts(w, [('write', path + '\\own', 'x'), ('dacl', path, EVERYONE)]), ['ok', DENIED], 'control: a run of the set')
    finally:
        ended(process)
    check(not os.path.lexists(w.unix(path)), 'left behind')


@case('clean --all leaves every descriptor as it was', ALL, WORLDS,
      readings=('set-dacl', 'tree-dacl', 'new-object-dacl'))
def clean(w):
    root = build(w, w.ws('r'), *REPOSITORY + ('a\\', 'a\\b\\', 'a\\b\\f', 'own', 'shared', 'closed\\', 'closed\\f'))
    other = build(w, w.ws('o'), 'x\\', 'x\\y')
    equal(w.probe('link', root + '\\shared', other + '\\shared').text.strip(), 'ok')
    equal(w.probe('dacl', root + '\\own', 'D:P(A;;FA;;;BA)(A;;FA;;;%s)' % 'OW').text.strip(), 'ok')
    equal(w.probe('dacl', root + '\\a\\b', 'D:(A;OICI;FR;;;BU)').text.strip(), 'ok')
    before = snapshot(w, root), snapshot(w, other)
    options = ('--workspace', root, '--writable', other, '--protect', 'x')
    equal(acts(w, [('write', other + '\\new', 'x'), ('delete', other + '\\new')], options), ['ok', 'ok'])
    equal(acts(w, [('write', root + '\\new', 'x'), ('delete', root + '\\new')],
               ('--workspace', root, '--git', 'commit')), ['ok', 'ok'])
    check(snapshot(w, root)['a'][1] != before[0]['a'][1], 'control: grants change descriptors')
    check(snapshot(w, other)['x'][1] != before[1]['x'][1], 'control: grants change descriptors')
    listed = w.run(w.SBX, 'status')
    check(root in listed.text and other in listed.text, listed)
    got = w.run(w.SBX, 'clean', '--all')
    equal(got.code, 0, got)
    same(snapshot(w, root), before[0], 'clean')
    same(snapshot(w, other), before[1], 'clean')
    equal(w.run(w.SBX, 'clean', '--homes', root).code, 0)
    listed = w.run(w.SBX, 'status')
    check(root not in listed.text and other not in listed.text, listed)


@case('the stubs are what an absolute search along PATH finds', CONFINED, WORLDS)
def stubs(w):
    w.write(w.ws('find.js'), """
const fs = require('fs'), path = require('path'), { spawnSync } = require('child_process');
for (const name of ['ssh', 'scp'])
  for (const ext of (process.env.PATHEXT || '.EXE').split(';')) {
    const dir = process.env.PATH.split(';').find(d => fs.existsSync(path.join(d, name + ext)));
    if (!dir || !/exe|cmd/i.test(ext)) continue;
    const file = path.join(dir, name + ext), cmd = /cmd$/i.test(ext);
    const child = cmd ? spawnSync('cmd', ['/d', '/c', file, 'host'], { stdio: ['ignore', 'inherit', 'inherit'] })
                      : spawnSync(file, ['host'], { stdio: ['ignore', 'inherit', 'inherit'] });
    console.log(name, ext.toLowerCase(), child.status, /stubs$/i.test(dir));
  }
""")
    got = w.sbx('node', 'find.js')
    for name in ('ssh', 'scp'):
        for extension in ('.exe', '.cmd'):
            check('%s %s 1 true' % (name, extension) in got.text, got)
    equal(got.errors.count('network is off'), 4, got)
    w.write(w.ws('find.cmd'), '@for %%i in (ssh.exe) do @"%%~$PATH:i" host\r\n')
    for line in ('find.cmd', 'scp.exe host', 'sftp host'):
        got = w.sbx('cmd', '/d', '/c', line)
        check(got.code == 1 and 'network is off' in got.errors, got)
