"""`sbx shield`: a command cannot delete in the user's folders, the user's own programs go on, and all of it can be undone."""
import shutil

from harness import Skip, case, check, equal

from cases.files import DENIED, acts, build, descriptor
from cases.state import items, lines_of, reset, sbx

CONFINED = ('unelevated',)
WORLDS = ('lab', 'native')
TREE = ('thesis.txt', 'a\\', 'a\\x.txt', 'a\\deep\\', 'a\\deep\\y.txt', 'empty\\')

# What programs of a developer do all day, in a folder of its own; prints what came of each.
PROGRAM = r"""
const fs = require('fs'), path = require('path');
const at = name => path.join(process.argv[2], name);
const acts = {
  write: () => fs.writeFileSync(at('w.txt'), 'one'),
  rename: () => fs.renameSync(at('w.txt'), at('r.txt')),
  replace: () => { fs.writeFileSync(at('r.tmp'), 'two'); fs.renameSync(at('r.tmp'), at('r.txt')); return fs.readFileSync(at('r.txt'), 'utf8'); },
  editor: () => { fs.renameSync(at('thesis.txt'), at('thesis.txt~')); fs.writeFileSync(at('thesis.txt'), 'new'); fs.unlinkSync(at('thesis.txt~')); },
  lock: () => { const f = fs.openSync(at('config.lock'), 'wx'); fs.writeSync(f, '[core]'); fs.closeSync(f);
    fs.writeFileSync(at('config'), ''); fs.renameSync(at('config.lock'), at('config')); return fs.readFileSync(at('config'), 'utf8'); },
  install: () => { const dir = fs.mkdtempSync(at('.pkg-')); fs.mkdirSync(path.join(dir, 'lib')); fs.writeFileSync(path.join(dir, 'lib', 'i.js'), '1');
    fs.mkdirSync(at('node_modules')); fs.renameSync(dir, at('node_modules/pkg')); return fs.readdirSync(at('node_modules/pkg')).join(); },
  update: () => { fs.renameSync(at('node_modules/pkg'), at('node_modules/.pkg-old')); fs.mkdirSync(at('node_modules/pkg'));
    fs.rmSync(at('node_modules/.pkg-old'), { recursive: true }); },
  tree: () => { fs.rmSync(at('a'), { recursive: true }); return fs.existsSync(at('a')); },
  folders: () => { fs.renameSync(at('empty'), at('full')); fs.rmdirSync(at('full')); },
  copy: () => { fs.cpSync(at('node_modules'), at('copy'), { recursive: true }); fs.rmSync(at('node_modules'), { recursive: true, force: true }); },
  left: () => fs.readdirSync(at('')).sort().join(),
};
for (const name in acts) { try { console.log(name, acts[name]()); } catch (e) { console.log(name, e.code); } }
"""


def fresh(w, name):
    """Outside of the workspace, and gone where an earlier try left it."""
    root = w.profile + '\\' + name
    shutil.rmtree(w.unix(root), ignore_errors=True)
    return build(w, root, *TREE)


def attacks(root, new=''):
    return [('delete', root + '\\thesis.txt'), ('delete', root + '\\a\\deep\\y.txt'), ('rmdir', root + '\\empty'),
            ('move', root + '\\a\\x.txt', '{ws}\\' + new), ('move', root + '\\a', '{ws}\\' + new + 'd')]


def attack(w, root, new):
    return acts(w, [tuple(word.replace('{ws}', w.workspace) for word in line) for line in attacks(root, new)])


def can_delete(w):
    """Where a command cannot delete outside anyway, nothing can be seen of shields."""
    root = fresh(w, 'unshielded')
    got = attack(w, root, 'control')
    if got == [DENIED] * len(got):
        raise Skip('in this reading a command cannot delete outside')
    equal(got, ['ok'] * len(got), 'control: without a shield')
    reset(w)


def descriptors(w, root):
    return [descriptor(w, root + name) for name in ('', '\\a', '\\a\\deep', '\\empty', '\\a\\x.txt', '\\thesis.txt')]


@case('shield: a command deletes in a folder of the profile, not with a shield, and again when it is removed', CONFINED, WORLDS,
      readings=('delete-child',))
def closes(w):
    reset(w)
    can_delete(w)
    root = fresh(w, 'shielded')
    before = descriptors(w, root)
    tried = sbx(w, 'shield', '--dry-run', root)
    check('4 folders would be shielded' in tried.text, tried)
    equal(descriptors(w, root), before, 'after --dry-run')
    equal(sbx(w, 'status').text, 'sbx has changed nothing on this machine\n')
    got = sbx(w, 'shield', root)
    check(got.text.startswith(root + '\n') and '4 folders shielded\n' in got.text, got)
    check('4 were already' in sbx(w, 'shield', root).text, 'twice')
    listed = items(w, 'status')
    equal([(i['kind'], i['object'], i['state'], i['count']) for i in listed], [('shield', root, 'kept', 4)])
    for line in lines_of(sbx(w, 'status')):
        equal(line[2:], [root, 'commands cannot delete in it, nor in folders below, 4 objects'])
    equal(attack(w, root, 'stolen'), [DENIED] * 5)
    equal([w.read(root + name) for name in ('\\thesis.txt', '\\a\\x.txt', '\\a\\deep\\y.txt')], [b'old'] * 3)
    # what is made afterwards, by whomever
    equal(w.probe('mkdir', root + '\\a\\later').text, 'ok\n')
    equal(w.probe('write', root + '\\a\\later\\z.txt', 'z').text, 'ok\n')
    equal(acts(w, [('delete', root + '\\a\\later\\z.txt'), ('rmdir', root + '\\a\\later')]), [DENIED] * 2)
    equal(w.read(root + '\\a\\later\\z.txt'), b'z')
    equal(w.probe('delete', root + '\\a\\later\\z.txt').text, 'ok\n', 'the user himself')
    equal(w.probe('rmdir', root + '\\a\\later').text, 'ok\n', 'the user himself')
    sbx(w, 'clean', w.workspace)
    got = sbx(w, 'shield', '--remove')
    check('4 folders are as before' in got.text, got)
    equal(descriptors(w, root), before, 'after --remove')
    equal(sbx(w, 'status').text, 'sbx has changed nothing on this machine\n')
    equal(attack(w, root, 'again'), ['ok'] * 5)
    reset(w)


@case('shield: programs of the user lose nothing: node, an editor, git, npm', ('unelevated',), WORLDS)
def user(w):
    reset(w)
    open_root = fresh(w, 'plain')
    root = fresh(w, 'closed')
    w.write(w.ws('day.js'), PROGRAM)
    sbx(w, 'shield', root)
    wanted = w.run('C:\\tools\\node.exe', w.ws('day.js'), open_root)
    equal(len(wanted.text.splitlines()), 11, wanted)
    check(not any(word in wanted.text for word in ('EPERM', 'EACCES', 'EBUSY')), wanted)
    got = w.run('C:\\tools\\node.exe', w.ws('day.js'), root)
    equal(got.text, wanted.text, got)
    for folder in (root, open_root):
        equal(acts(w, [('write', folder + '\\old', 'o'), ('write', folder + '\\new', 'n'),
                       ('replace', folder + '\\old', folder + '\\new')], backend='none'), ['ok'] * 3, folder)
        equal(w.read(folder + '\\old'), b'n', folder)
    reset(w)


@case('shield: clean --all undoes it; without the record --remove DIR does, and says what it cannot tell', CONFINED, WORLDS)
def undone(w):
    reset(w)
    root = fresh(w, 'undone')
    before = descriptors(w, root)
    sbx(w, 'shield', root)
    check(descriptors(w, root) != before, 'control')
    got = sbx(w, 'clean', '--all')
    check(got.text.startswith('undone  shield'), got)
    equal(descriptors(w, root), before, 'after clean --all')
    sbx(w, 'shield', root)
    check(w.probe('delete', w.profile + '\\AppData\\Local\\sbx\\shields').text == 'ok\n', 'the record')
    equal(sbx(w, 'shield', '--remove').text,
          'nothing to undo: sbx knows of no shield; name the folder where there is one\n')
    got = sbx(w, 'shield', '--remove', root)
    check('4 folders are as before' in got.text and 'could not be told apart' in got.text, got)
    equal(descriptors(w, root), before, 'after --remove DIR')
    reset(w)


@case('shield without a folder: tells which are worth it and changes nothing; plan and report name the first', CONFINED, WORLDS)
def suggested(w):
    reset(w)
    known = [w.profile + '\\Desktop', w.profile + '\\Documents']
    for path in known:
        w.probe('mkdir', path)
    before = w.probe('sddl', *known).text
    got = sbx(w, 'shield')
    for path in known:
        check('  open      %s\n' % path in got.text and '"%s"' % path in got.text, got)
    check('sbx shield --dry-run "' in got.text, got)
    equal(w.probe('sddl', *known).text, before)
    plan = sbx(w, 'plan', '--backend', 'unelevated')
    if 'can also delete' not in plan.text:
        raise Skip('in this reading a command cannot delete outside')
    told = ' '.join(plan.text.split())
    check('as in %s' % known[0] in told, plan)
    check('delete' not in told.split('advisory: ')[1].split(' - ')[0], plan)
    sbx(w, 'shield', known[0])
    check('as in %s' % known[1] in ' '.join(sbx(w, 'plan', '--backend', 'unelevated').text.split()), 'the second one')
    sbx(w, 'shield', known[1])
    told = ' '.join(sbx(w, 'plan', '--backend', 'unelevated').text.split())
    check('those with a shield' in told and 'delete' in told.split('advisory: ')[1].split(' - ')[0], told)
    got = w.run(w.SBX, '--backend', 'unelevated', '--require', 'delete', '--', 'cmd', '/c', 'exit 0')
    equal(got.code, 125, 'advisory is not enforced')
    reset(w)
    equal(w.probe('sddl', *known).text, before)


@case('shield: what it does not take', CONFINED, WORLDS)
def refused(w):
    reset(w)
    for words in (('--dry-run', '--remove', w.workspace), ('',)):
        sbx(w, 'shield', *words, code=125)
    for path in (w.ws('nowhere'), '\\\\server\\share\\folder'):
        got = sbx(w, 'shield', path, code=125)
        check(path in got.errors, got)
    sbx(w, 'clean', '--dry-run', code=125)
    equal(sbx(w, 'status').text, 'sbx has changed nothing on this machine\n')
