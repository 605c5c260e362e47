"""Junctions and symbolic links: out of the workspace, in the place of something protected, made by the command."""
import os

from harness import Skip, case, check, equal

from cases.files import DENIED, EVERYONE, acts, build_all, descriptor, ended, refused, running, same, snapshot, target, \
    where_asked

CONFINED = ('unelevated',)
BOTH = CONFINED + ('accounts',)
ALL = BOTH + ('whole',)
WORLDS = ('lab', 'native')
DEVELOPER = 'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\AppModelUnlock'
OUTER = ('file', 'spare', 'old0', 'old1', 'old2', 'd\\', 'd\\f', 'd\\.codex\\', '.git\\', '.git\\config')
SANDBOX = '010900000000000931584253'  # how a SID of sbx begins in a descriptor


def allow(w):
    """Developer mode, in which everybody may make symbolic links."""
    if w.kind != 'lab':
        return
    user, w.command = w.command, w.command[:-1] + ['admin']
    try:
        got = w.run('reg', 'add', DEVELOPER, '/v', 'AllowDevelopmentWithoutDevLicense', '/t', 'REG_DWORD', '/d', '1',
                    '/f')
        equal(got.code, 0, got)
    finally:
        w.command = user


def lines_in(lines, root):
    """{r} is the root, {r}o what lies outside of it, {n} the last part of its name."""
    return [tuple(word.replace('{r}', root).replace('{n}', root.rsplit('\\', 1)[1]) for word in line) for line in lines]


def trees(w, names, tree, links):
    """Roots, and links in them that the user makes."""
    allow(w)
    roots = [w.ws(name) for name in names]
    build_all(w, roots, tree)
    build_all(w, [root + 'o' for root in roots], OUTER)
    lines = [line for root in roots for line in lines_in(links, root)]
    w.write('C:\\probe\\acts.txt', '\n'.join('\t'.join(line) for line in lines))
    got = w.probe('each', 'C:\\probe\\acts.txt')
    if 'error 1314' in got.text:
        raise Skip('this user may not make symbolic links: developer mode is off')
    equal(got.text.splitlines(), ['ok'] * len(lines), got)
    return roots


def look(w, root):
    """What no run may change: all that lies outside, and the links in the root."""
    found = {'outside\\' + name: one for name, one in snapshot(w, root + 'o').items()}
    found.update((name, one) for name, one in snapshot(w, root).items() if target(w, root + '\\' + name) is not None)
    return found


def outside(found):
    return {name: one for name, one in found.items() if name.startswith('outside')}


def cleaned(w, root, before):
    got = w.run(w.SBX, 'clean', '--all')
    equal(got.code, 0, got)
    same(look(w, root), before, 'clean')


# ---- what is there before

INTO = [('junction', '{r}\\junction', '{r}o'), ('symlink', '{r}\\dirlink', '{r}o', 'dir'),
        ('symlink', '{r}\\sub\\dirlink', '..\\..\\{n}o', 'dir')]
ONTO = [('symlink', '{r}\\filelink', '{r}o\\file', 'file'), ('symlink', '{r}\\chain', 'sub\\filelink', 'file'),
        ('symlink', '{r}\\sub\\filelink', '..\\..\\{n}o\\file', 'file')]


def behind():
    """What changes something behind those links; every act works once."""
    lines = []
    for number, (_, link, *_) in enumerate(INTO):
        lines += [('write', link + '\\file', 'x'), ('truncate', link + '\\file'), ('times', link + '\\file'),
                  ('write', link + '\\new%d' % number, 'x'), ('mkdir', link + '\\d\\e%d' % number),
                  ('move', link + '\\old%d' % number, link + '\\moved%d' % number),
                  ('link', link + '\\file', link + '\\d\\l%d' % number), ('dacl', link + '\\d\\f', EVERYONE),
                  ('attributes', link + '\\file', '0x80')]
    for _, link, *_ in ONTO:
        lines += [('write', link, 'x'), ('append', link, 'x'), ('truncate', link), ('times', link)]
    return lines + [('write', '{r}\\nothing', 'x'), ('delete', '{r}\\junction\\d\\f'),
                    ('delete', '{r}\\dirlink\\spare'), ('rmdir', '{r}\\sub\\dirlink\\d\\.codex')]


@case('links in the root that lead out: nothing is granted or written behind them, clean leaves them', BOTH, WORLDS)
def out(w):
    control, root = trees(w, ('c', 'r'), ('own', 'sub\\'),
                          INTO + ONTO + [('symlink', '{r}\\nothing', '{r}o\\nothing', 'file')])
    lines = behind()
    equal(acts(w, lines_in(lines, control), ('--workspace', control), 'none'), ['ok'] * len(lines), 'control')
    before = look(w, root)
    lines = where_asked(w, lines)
    lines += [('move', '{r}\\own', '{r}\\dirlink\\own'), ('link', '{r}\\own', '{r}\\junction\\l')]
    told = acts(w, lines_in(lines, root) + [('write', root + '\\own', 'x')], ('--workspace', root), cwd=root)
    equal(told.pop(), 'ok', 'in the root')
    for line, answer in zip(lines, told):
        equal(answer, DENIED, line)
    after = look(w, root)
    equal({name: one[0] for name, one in after.items()}, {name: one[0] for name, one in before.items()}, 'links')
    same(outside(after), outside(before), 'outside')
    for _, link, *_ in INTO + ONTO:  # a link is an object of the root, what it leads to is not
        check(SANDBOX in descriptor_hex(w, link.replace('{r}', root)), link)
    cleaned(w, root, before)


PLACES = [('symlink', '{r}\\.git', '{r}o\\.git', 'dir'), ('symlink', '{r}\\.codex', '{r}o\\codex', 'file'),
          ('junction', '{r}\\.agents', '{r}o\\d'), ('symlink', '{r}\\secret', '..\\{n}o\\file', 'file')]


@case('links where something is protected: they stay as they are, and so does what they lead to', ALL, WORLDS, long=('accounts',))
def places(w):
    attacks = [('move', '{r}\\.git', '{r}\\g2'), ('rmdir', '{r}\\.git'), ('write', '{r}\\.git\\config', 'x'),
               ('write', '{r}\\.git\\new', 'x'), ('dacl', '{r}\\.git', EVERYONE), ('takeown', '{r}\\.git'),
               ('delete', '{r}\\secret'), ('write', '{r}\\secret', 'x'), ('move', '{r}\\own', '{r}\\secret'),
               ('move', '{r}\\secret', '{r}\\s2'), ('dacl', '{r}\\secret', EVERYONE), ('write', '{r}\\.codex', 'x'),
               ('delete', '{r}\\.codex'), ('rmdir', '{r}\\.agents'), ('move', '{r}\\.agents', '{r}\\a2'),
               ('write', '{r}\\.agents\\f', 'x')]
    root, *controls = trees(w, ['r'] + ['c%d' % number for number in range(len(attacks))], ('own',), PLACES)
    for attack, control in zip(attacks, controls):
        equal(acts(w, lines_in([attack], control), backend='none'), ['ok'], 'control: %r' % (attack,))
    before = look(w, root)
    told = acts(w, lines_in(attacks, root) + [('write', root + '\\own', 'x')],
                ('--workspace', root, '--protect', 'secret'), cwd=root)
    equal(told.pop(), 'ok', 'in the root')
    for attack, answer in zip(attacks, told):
        equal(answer, DENIED, attack)
    after = look(w, root)
    equal({name: one[0] for name, one in after.items()}, {name: one[0] for name, one in before.items()}, 'links')
    same(outside(after), outside(before), 'outside')
    cleaned(w, root, before)


@case('a link on the way to a protected path is refused, and not followed', BOTH, WORLDS, long=('accounts',))
def way(w):
    root, = trees(w, ('r',), ('own', 'sub\\'), INTO)
    before = look(w, root)
    equal(acts(w, [('write', root + '\\own', 'x')], ('--workspace', root), cwd=root), ['ok'], 'control')
    for link in ('junction', 'dirlink', 'sub\\dirlink'):
        for inner in ('d', 'file', 'none'):
            path = link + '\\' + inner
            refused(w, ('--workspace', root, '--protect', path), 'a link is on the way to a protected path', link)
    same(outside(look(w, root)), outside(before), 'refused')
    cleaned(w, root, before)


@case('a protected name that is a link into the workspace: what it leads to is protected, too', ALL, WORLDS, long=('accounts',))
def inwards(w):
    root, = trees(w, ('r',), ('own', 'sub\\', 'sub\\config', 'sub2\\', 'sub2\\config'),
                  [('symlink', '{r}\\.git', 'sub', 'dir'), ('junction', '{r}\\.agents', '{r}\\sub2'),
                   ('symlink', '{r}\\secret', 'own', 'file')])
    options = ('--workspace', root, '--protect', 'secret')
    names = ('.git\\config', '.agents\\config', 'secret', 'sub\\config', 'sub2\\config', 'own')
    told = acts(w, lines_in([('write', '{r}\\' + name, 'x') for name in names], root), options, cwd=root)
    equal(dict(zip(names, told)), {name: DENIED for name in names})


@case('a protected link through a second link, and to nothing: each step is kept, and the name at its end', ALL, WORLDS, long=('accounts',))
def steps(w):
    root, = trees(w, ('r',), ('own', 'sub\\', 'other\\', 'other\\config'),
                  [('symlink', '{r}\\secret', 'sub\\second', 'file'), ('symlink', '{r}\\sub\\second', '..\\own', 'file'),
                   ('symlink', '{r}\\.codex', '{r}\\sub\\missing', 'file'), ('symlink', '{r}\\.git', 'sub\\g', 'dir'),
                   ('junction', '{r}\\sub\\g', '{r}\\other'), ('symlink', '{r}\\.agents', 'round', 'dir'),
                   ('symlink', '{r}\\round', '.agents', 'dir')])
    before = look(w, root)
    attacks = [('write', '{r}\\own', 'x'), ('delete', '{r}\\sub\\second'), ('move', '{r}\\sub\\second', '{r}\\s2'),
               ('move', '{r}\\sub', '{r}\\s2'), ('write', '{r}\\sub\\missing', 'x'), ('mkdir', '{r}\\sub\\missing'),
               ('rmdir', '{r}\\sub\\g'), ('move', '{r}\\sub\\g', '{r}\\g2'), ('write', '{r}\\other\\config', 'x'),
               ('move', '{r}\\other', '{r}\\o2'), ('rmdir', '{r}\\round')]
    told = acts(w, lines_in(attacks, root) + [('write', root + '\\free', 'x'), ('delete', root + '\\free')],
                ('--workspace', root, '--protect', 'secret'), cwd=root)
    equal(told[-2:], ['ok', 'ok'], 'in the root')
    for attack, answer in zip(attacks, told):
        check(answer == DENIED or (attack[0] == 'mkdir' and answer == 'error 183'), (attack, answer))
    equal({name: one[0] for name, one in look(w, root).items()}, {name: one[0] for name, one in before.items()}, 'afterwards')
    cleaned(w, root, before)


# ---- what the command makes

@case('links that the command makes: later runs grant nothing behind them, clean takes their grants', ALL, WORLDS)
def made(w):
    root, = trees(w, ('r',), ('own', 'sub\\', 'sub2\\'), [])
    before = look(w, root)
    lines = lines_in([('symlink', '{r}\\dirlink', '{r}o', 'dir'), ('junction', '{r}\\junction', '{r}o'),
                      ('symlink', '{r}\\filelink', '..\\{n}o\\file', 'file'), ('rmdir', '{r}\\sub'),
                      ('symlink', '{r}\\sub', '{r}o\\d', 'dir'), ('rmdir', '{r}\\sub2'),
                      ('junction', '{r}\\sub2', '{r}o\\d')], root)
    told = acts(w, lines, ('--workspace', root), cwd=root)
    if told[0] == 'error 1314':
        raise Skip('the sandbox may not make symbolic links')
    equal(told, ['ok'] * len(lines))
    links = ('dirlink', 'filelink', 'junction', 'sub', 'sub2')
    leads = {name: target(w, root + '\\' + name) for name in links}
    check(None not in leads.values(), leads)
    for name in links:
        check(SANDBOX in descriptor_hex(w, root + '\\' + name), 'control: new links inherit the grant, ' + name)
    attacks = lines_in([('write', '{r}\\filelink', 'x'), ('write', '{r}\\dirlink\\file', 'x'),
                        ('delete', '{r}\\junction\\spare'), ('write', '{r}\\sub\\f', 'x'),
                        ('write', '{r}\\sub2\\new', 'x'), ('dacl', '{r}\\sub\\f', EVERYONE)], root)
    attacks = where_asked(w, attacks)
    # other rules, so that the grants are gone over again
    for options in ((), ('--protect', 'own'), ()):
        equal(acts(w, attacks, ('--workspace', root) + options, cwd=root), [DENIED] * len(attacks), options)
    got = w.run(w.SBX, 'clean', '--all')
    equal(got.code, 0, got)
    same({name: one for name, one in look(w, root).items() if name not in links}, before, 'outside')
    equal({name: target(w, root + '\\' + name) for name in links}, leads)
    for name in links:
        check(SANDBOX not in descriptor_hex(w, root + '\\' + name), name + ' still has its grant')


def descriptor_hex(w, path):
    sd = descriptor(w, path) or b''
    return sd.hex() if isinstance(sd, bytes) else sd


@case('links that the command put where a later report goes are not followed', BOTH, WORLDS, long=('accounts',))
def reports(w):
    root, = trees(w, ('r',), ('own',), [])
    before = look(w, root)
    links = (('report', '{r}o\\file'), ('missing', '{r}o\\new'), ('chain', 'report'))
    told = acts(w, lines_in([('symlink', '{r}\\' + name, leads, 'file') for name, leads in links], root),
                ('--workspace', root), cwd=root)
    if told[0] == 'error 1314':
        raise Skip('the sandbox may not make symbolic links')
    equal(told, ['ok'] * 3)
    for name, _ in links:
        options = ('--workspace', root, '--report', root + '\\' + name)
        got = w.sbx('cmd', '/d', '/c', 'exit 7', options=options, cwd=root)
        check(got.code in (7, 125), got)  # in its place, or refused
        same(outside(look(w, root)), outside(before), name)


@case('a link on the way to a report is refused, and nothing written behind it', BOTH, WORLDS, long=('accounts',))
def report_way(w):
    root, = trees(w, ('r',), ('own',), [])
    equal(acts(w, lines_in([('junction', '{r}\\way', '{r}o\\d')], root), ('--workspace', root), cwd=root), ['ok'])
    before = look(w, root)
    got = w.sbx('cmd', '/d', '/c', 'exit 7', options=('--workspace', root, '--report', root + '\\way\\x.json'), cwd=root)
    equal(got.code, 125, got)
    check('leads through a link' in got.errors, got)
    same(outside(look(w, root)), outside(before), 'behind the link')
    equal(acts(w, lines_in([('junction', '{r}l', '{r}')], root), backend='none'), ['ok'])  # the user's own, to the root
    got = w.sbx('cmd', '/d', '/c', 'exit 7', options=('--workspace', root, '--report', root + 'l\\way\\x.json'), cwd=root)
    equal(got.code, 125, got)
    check('leads through a link' in got.errors, got)
    same(outside(look(w, root)), outside(before), 'behind the link, by another name of the root')
    got = w.sbx('cmd', '/d', '/c', 'exit 7', options=('--workspace', root, '--report', root + 'l\\y.json'), cwd=root)
    equal(got.code, 7, got)
    deep = root + '\\deep'
    equal(acts(w, lines_in([('junction', '{r}\\deep', '{r}o')], root), ('--workspace', root), cwd=root), ['ok'])
    got = w.sbx('cmd', '/d', '/c', 'exit 7', options=('--workspace', root, '--report', deep + '\\d\\x.json'), cwd=root)
    equal(got.code, 125, got)
    check('leads through a link' in got.errors, got)
    same(outside(look(w, root)), outside(before), 'behind the link, deeper')
    for more in (('--limit-of-nothing',), ('--profile', 'none-such')):  # what fails before there is a plan has a report, too
        got = w.run(w.SBX, *w.options('--report', 'way\\x.json', *more), '--', 'cmd', '/c', 'ver', cwd=root)
        equal(got.code, 125, got)
        same(outside(look(w, root)), outside(before), 'behind the link, with %s' % more[0])
    os.mkdir(w.unix(root + '\\plain'))
    got = w.sbx('cmd', '/d', '/c', 'exit 7', options=('--workspace', root, '--report', root + '\\plain\\x.json'), cwd=root)
    equal(got.code, 7, got)


@case('links in TEMP and in a tool cache are removed, not what they lead to', BOTH, WORLDS, long=('accounts',))
def temp(w):
    root, = trees(w, ('r',), ('own',), [])
    at_first = look(w, root)
    w.sandboxed('exit', '0', options=('--read-only',))  # lets an account read what the links lead to
    before = look(w, root)
    w.write(root + '\\plant.js', """
const fs = require('fs'), path = require('path'), outer = process.argv[2], seen = [];
for (const dir of [process.env.TEMP, process.env.npm_config_cache]) {
  const deep = path.join(dir, 'one', 'two');
  fs.mkdirSync(deep, { recursive: true });
  fs.symlinkSync(outer, path.join(dir, 'a'), 'dir');
  fs.symlinkSync(path.join(outer, 'file'), path.join(dir, 'b'), 'file');
  fs.symlinkSync(outer, path.join(deep, 'c'), 'junction');
  fs.symlinkSync(path.join(outer, 'd'), path.join(deep, 'd'), 'dir');
  fs.symlinkSync('..', path.join(deep, 'loop'), 'dir');
  seen.push(fs.readFileSync(path.join(dir, 'b'), 'utf8') + fs.readdirSync(path.join(deep, 'd')).length + dir);
}
console.log(seen.join('|'));
""")
    got = w.sbx('node', 'plant.js', root + 'o', options=('--workspace', root, '--tools', 'node'), cwd=root)
    if 'EPERM' in got.errors:
        raise Skip('the sandbox may not make symbolic links')
    parts = got.text.strip().split('|')
    check(len(parts) == 2 and all(part.startswith('old2') for part in parts), got)
    check(not os.path.lexists(w.unix(parts[0][4:])), 'TEMP is left behind')
    check(os.path.lexists(w.unix(parts[1][4:] + '\\b')), 'the cache stays')
    same(look(w, root), before, 'after the run')
    cleaned(w, root, at_first)
    if w.backend == 'elevated':  # there it is in the home, which `clean --all` leaves
        equal(w.run(w.SBX, 'clean', '--homes').code, 0)
    check(not os.path.lexists(w.unix(parts[1][4:] + '\\b')), 'the cache is left behind')


@case('a guard that somebody replaced by a link: what that leads to stays', BOTH, WORLDS, long=('accounts',))
def guard(w):
    for link in (('symlink', '{r}\\new', '{r}o\\d', 'dir'), ('junction', '{r}\\new', '{r}o\\d')):
        root, = trees(w, (link[0],), ('own',), [])
        before = look(w, root)
        alive = running(w, ('--workspace', root, '--protect', 'new\\.codex'), root)
        try:
            check(os.path.isdir(w.unix(root + '\\new')), 'control: there is a guard')
            told = acts(w, lines_in([('move', '{r}\\new', '{r}\\aside'), link], root), backend='none')
        finally:
            ended(alive)
        if told[0] != 'ok':
            w.unjudged.append('a guard cannot be moved while the run lives: ' + told[0])
            continue
        equal(told, ['ok', 'ok'])
        check(target(w, root + '\\new') is not None, 'the link is gone')
        now = look(w, root)
        now.pop('new')
        same(now, before, link[0])
