"""Workspaces under the elevated backend, whose files pass two checks: the account's and the sandbox's."""
import json
import os

from harness import case, check, equal

from cases.elevated import administrator, set_up
from cases.files import DENIED, acts, build
from cases.objects import sids
from cases.state import items

ACCOUNTS = ('elevated',)
WORLDS = ('lab',)


@case('a workspace is written by an account, and what that makes is the user\'s to change', ACCOUNTS, WORLDS,
      readings=('delete-child', 'new-object-dacl', 'set-dacl', 'tree-dacl', 'rename-in-place'))
def works(w):
    w.write(w.ws('a.txt'), 'a')
    w.write(w.ws('.git\\config'), '[core]')
    w.write(w.ws('.git\\HEAD'), 'ref: refs/heads/main')
    known = (w.ws(), w.ws('.git'), w.ws('.git\\HEAD'))
    before = w.probe('sddl', *known).text
    with set_up(w):
        got = w.sbx('cmd', '/d', '/c', 'type .git\\HEAD& type a.txt& echo n> a.txt& echo n> new& del a.txt', options=('--read-only',))
        equal(got.text, 'ref: refs/heads/maina', got)
        equal((w.read(w.ws('a.txt')), w.read(w.ws('new'))), (b'a', None))
        got = w.sbx('cmd', '/d', '/c', 'cd& md d& echo x> d\\f& move d\\f d\\g> nul& type d\\g& echo b> a.txt& copy a.txt c> nul'
                    '& del a.txt& echo n> .git\\config& echo n> .git\\new& del .git\\config& move .git gone& rd /s /q .git'
                    '& echo n> ..\\beside& echo n> %TEMP%\\t& move %TEMP%\\t from-temp> nul')
        equal(got.text.split(), [w.workspace, 'x'], got)
        equal((w.read(w.ws('a.txt')), w.read(w.ws('c'))), (None, b'b\r\n'), got)
        equal((w.read(w.ws('.git\\config')), w.read(w.ws('.git\\new')), w.read(w.ws('gone\\config'))),
              (b'[core]', None, None), got)
        equal(w.read(w.profile + '\\e2e\\beside'), None, got)
        # the user: all of it is his
        got = w.run('cmd', '/d', '/c', 'echo u>> d\\g& ren d e& move e\\g g> nul& rd e& del c& echo u> .git\\config'
                    '& echo u>> from-temp& move from-temp mine> nul')
        equal((w.read(w.ws('g')), w.read(w.ws('c')), w.read(w.ws('mine'))), (b'x\r\nu\r\n', None, b'n\r\nu\r\n'), got)
        equal(w.read(w.ws('.git\\config')), b'u\r\n', got)
        # the next run, and one as the user
        w.sbx('cmd', '/d', '/c', 'echo second>> g& echo second>> mine& del .git\\config')
        w.backend = 'unelevated'
        w.sbx('cmd', '/d', '/c', 'echo third>> g& echo third>> mine& del .git\\config')
        w.backend = 'elevated'
        equal(w.sbx('cmd', '/d', '/c', 'echo fourth>> g& del mine').code, 0)
        equal((w.read(w.ws('g')), w.read(w.ws('mine'))), (b'x\r\nu\r\nsecond\r\nthird\r\nfourth\r\n', None))
        equal(w.read(w.ws('.git\\config')), b'u\r\n')
        got = w.sbx('cmd', '/d', '/c', 'type g& echo n> g', options=('--read-only',))
        equal(got.text.split(), ['x', 'u', 'second', 'third', 'fourth'], got)
        equal(w.read(w.ws('g')), b'x\r\nu\r\nsecond\r\nthird\r\nfourth\r\n')
    # what it was given goes again
    got = w.run(w.SBX, 'clean', w.workspace)
    equal(got.code, 0, got)
    got = w.probe('sddl', *known, w.ws('g')).text.splitlines()
    equal('\n'.join(got[:3]) + '\n', before)
    equal(got[3].split('D:')[1], got[2].split('D:')[1], 'as a file of the user')
    equal(got[3].split('G:')[0], got[2].split('G:')[0], 'whose it is: an owner opens it to himself')


@case('what a command gave a list of its own is the user\'s and the next run\'s, in whatever account, and of no other workspace',
      ('accounts',), WORLDS, readings=('new-object-dacl', 'set-dacl', 'tree-dacl'))
def own_lists(w):
    a, b, c = (w.ws(name) for name in 'abc')
    for folder in (a, b, c):
        os.makedirs(w.unix(folder + '\\d'))
    sid = sids(w.sandboxed('token', cwd=a).text, 'user')[0]
    made = (('python', 'D:P(A;OICI;FA;;;OW)'), ('nobody', 'D:P'), ('named', 'D:P(A;OICI;FA;;;%s)(A;OICI;0x1200a9;;;SY)' % sid),
            ('closed', 'D:P(A;OICI;0x80;;;OW)(A;OICI;0x80;;;WD)'))
    ours = ('python', 'nobody', 'named')
    lines = ['%s newdir d\\%s %s' % (w.PROBE, *one) for one in made]
    w.write(a + '\\status.cmd', '@"%s" status\r\n' % w.SBX)
    lines += ['call status.cmd', 'echo x> plain', 'md d\\python\\in', 'echo x> d\\python\\in\\f', 'echo x> d\\named\\f', '%s newdir %%TEMP%%\\t %s' % (w.PROBE, made[0][1]),
              'echo x> %TEMP%\\t\\f', 'move %TEMP%\\t d\\moved', 'whoami']
    got = w.sbx('cmd', '/d', '/c', '& '.join(lines), cwd=a, options=('--report', w.ws('report')))
    account = got.text.split()[-1]
    check(got.text.count('ok\n') == 5, got)
    check('GetUserProfileDirectoryW' in got.errors and 'outside of the sandbox' in got.errors, 'no profile, no records: %s' % got)
    told = [note['text'] for note in json.loads(w.read(w.ws('report')))['notes'] if note['object'] == a]
    check(len(told) == 1 and told[0].startswith('1 object may be closed to you') and told[0].endswith('d\\closed'), told)
    # the next run in the account: in another workspace it does not get there, in the same one it does
    for folder, others in ((b, 1), (c, 0)):
        got = w.sbx('cmd', '/d', '/c', 'whoami& echo n> ..\\a\\d\\python\\in\\f& %s open ..\\a\\d\\named\\f 0x40000& echo n> ..\\a\\d\\nobody\\n'
                    '& %s dacl ..\\a\\plain D:(A;;FA;;;WD)' % (w.PROBE, w.PROBE), cwd=folder)
        # nor to what it made as it comes, of which the account is the owner
        equal([line for line in got.text.split('\n') if line], got.text.split('\n')[:1] + ['error 5'] * 2, got)
        equal(got.text.split()[0] != account, bool(others), got)
    equal((w.read(a + '\\d\\python\\in\\f'), w.read(a + '\\d\\nobody\\n')), (b'x\r\n', None))
    for name in ours + ('moved',):
        sddl = w.probe('sddl', a + '\\d\\' + name).text
        check(';OICI;0x1f01ff;;;OW' not in sddl and 'S-1-9-' in sddl, sddl)
    with_hold = begin_in(w, c)
    equal(with_hold.stdout.readline().decode().strip(), account, 'control: the account of the first run is at work')
    got = w.sbx('cmd', '/d', '/c', 'whoami& echo y>> d\\python\\in\\f& echo y> d\\nobody\\n& type d\\named\\f& del d\\moved\\f', cwd=a)
    with_hold.communicate(b'\n', timeout=120)
    equal(got.text.split()[1:], ['x'], got)
    check(got.text.split()[0] != account, got)
    # the user
    got = w.run('cmd', '/d', '/c', 'echo u>> d\\python\\in\\f& type d\\python\\in\\f& rd /s /q d\\named& move d\\python mine> nul'
                '& rd /s /q d\\nobody& rd /s /q d\\moved& rd d\\closed', cwd=a)
    equal(got.text.split(), ['x', 'y', 'u'], got)
    equal(sorted(os.listdir(w.unix(a + '\\d'))), ['closed'], got)
    equal(w.run(w.SBX, 'clean', a).code, 125, 'it names what it cannot open')
    # a folder above that accounts may look at is no root
    plain = w.profile + '\\plain'
    os.makedirs(w.unix(plain), exist_ok=True)
    check(any(i['kind'] == 'look' and i['object'] == w.profile for i in items(w, 'status')), 'control')
    equal(w.run(w.SBX, 'clean', plain).text, 'nothing to undo: sbx has changed nothing in %s\n' % plain)
    got = w.probe('sddl', a + '\\mine\\in').text
    check('S-1-9-' not in got and 'S-1-3-4' not in got, got)
    equal(w.run('cmd', '/d', '/c', 'rd /s /q mine', cwd=a).code, 0)
    check('mine' not in os.listdir(w.unix(a)), 'the user deletes it also after clean')


@case('where CREATOR OWNER has rights it is refused, below what the user cannot open it works and is told; what moves between roots is closed to fewer',
      ('accounts',), WORLDS)
def odd(w):
    a, b, made = (build(w, w.ws(name)) for name in ('a', 'b', 'made'))
    equal(w.probe('dacl', made, 'D:(A;OICIIO;FA;;;CO)').text, 'ok\n')
    got = w.sbx('cmd', '/d', '/c', 'echo x> f', cwd=made)
    equal((got.code, w.read(made + '\\f')), (125, None), got)
    check('(CREATOR OWNER): refused' in got.errors and 'icacls FOLDER /remove:g *S-1-3-0' in got.errors, got)
    # an outer folder of administrators, in which the user can make things
    above = 'C:\\above'
    user = sids(w.probe('token').text, 'user')[0]
    with administrator(w):
        w.run('cmd', '/d', '/c', 'md ' + above)
        w.probe('dacl', above, 'D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;%s)' % user)
    try:
        root = build(w, above + '\\r')
        before = w.probe('sddl', above, root).text
        got = w.sbx('cmd', '/d', '/c', 'echo x> f& type f', cwd=root, options=('--report', w.ws('report')))
        equal(got.text, 'x\n', got)
        told = [note['text'] for note in json.loads(w.read(w.ws('report')))['notes'] if note['object'] == above]
        check(len(told) == 1 and 'not yours to change' in told[0], told)
        equal(w.run(w.SBX, 'clean', root).code, 0)
        equal(w.probe('sddl', above, root).text, before)
    finally:
        with administrator(w):
            w.run('cmd', '/d', '/c', 'rd /s /q ' + above)
    both = ('--workspace', a, '--writable', b)
    got = w.sbx('cmd', '/d', '/c', 'md d& echo x> d\\f& move d ..\\b\\d> nul& echo y> ..\\b\\d\\f', cwd=a, options=both)
    equal(w.read(b + '\\d\\f'), b'y\r\n', got)
    got = w.run(w.SBX, '--backend', w.backend, '--', 'cmd', '/d', '/c', 'echo z> d\\f& echo z> d\\n', cwd=b)
    check('`sbx grant` opens it' in got.errors, got)
    equal(sorted(os.listdir(w.unix(b + '\\d'))) + [w.read(b + '\\d\\f')], ['f', b'y\r\n'])
    equal(w.run(w.SBX, 'grant', b).code, 0)
    w.sbx('cmd', '/d', '/c', 'echo z> d\\f', cwd=b)
    equal(w.read(b + '\\d\\f'), b'z\r\n')
    for folder in (a, b):
        equal(w.run(w.SBX, 'clean', folder).code, 0)
    check('S-1-9-' not in w.probe('sddl', b + '\\d', b + '\\d\\f').text, 'of both roots')
    equal(w.run('cmd', '/d', '/c', 'rd /s /q d', cwd=b).code, 0)


def begin_in(w, folder):
    return w.start([w.SBX, *w.options('--read-only'), '--', 'cmd', '/d', '/c', 'whoami& set /p x='], folder, stdin=-1, stdout=-1,
                   stderr=-1)


@case('an account deletes, moves and replaces nothing outside by any call; where every user may, it is told and not claimed',
      ('accounts',), WORLDS, readings=('delete-child', 'rename-in-place'))
def deleting(w):
    def delete_in(folder):
        file, other = folder + '\\f', folder + '\\g'
        return [(verb, file) for verb in ('remove', 'close', 'delete')] + [
            ('rename', file, 'h'), ('move', file, w.ws('r\\taken')), ('over', file, other), ('over', w.ws('r\\own'), file),
            ('replace', file, w.ws('r\\own')), ('rename', folder + '\\d', 'e'), ('move', folder + '\\d', w.ws('r\\d')),
            ('rmdir', folder + '\\d')]

    def run(*options):
        got = w.sbx('cmd', '/d', '/c', 'exit 7', options=('--workspace', root, '--report', w.ws('report')) + options, cwd=root)
        return got, json.loads(w.read(w.ws('report')))

    def forget():
        w.run('cmd', '/d', '/c', 'del %s\\AppData\\Local\\sbx\\reach' % w.profile)

    once = w.reading('delete-child', 'once', 'twice') == 'once'
    whole = ('--elevated-token', 'account')
    root, theirs = build(w, w.ws('r'), 'own'), build(w, w.ws('theirs'), 'f', 'g', 'd\\')
    for options in ((), whole):
        equal(acts(w, delete_in(theirs), ('--workspace', root) + options, cwd=root), [DENIED] * 11, options)
    # of Public the lab gives everybody who is logged on full control, as Windows does of what is in it
    public, told = 'C:\\users\\Public', w.run(w.SBX, 'plan', '--backend', 'elevated').text
    equal('users\\Public; it cannot change it' in ' '.join(told.split()), once, told)
    was = w.probe('sddl', public).text.split('D:', 1)[1].strip()
    with administrator(w):
        equal(w.probe('dacl', public, 'D:P(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)').text, 'ok\n')
    forget()
    got, report = run('--require', 'write,delete,processes')
    equal(got.code, 7, got)
    check('delete' in report['guarantees']['enforced'], report['guarantees'])
    # what every user has full control of
    drive = 'C:\\every'
    with administrator(w):
        w.run('cmd', '/d', '/c', 'md %s& echo x> %s\\f& echo x> %s\\g' % (drive, drive, drive))
        w.probe('dacl', drive, 'D:P(A;OICI;FA;;;SY)(A;;FA;;;BU)(A;OIIO;0x1200a9;;;BU)')
    forget()
    try:
        equal(w.probe('delete', drive + '\\g').text, 'ok\n', 'control')
        got, report = run()
        told = [note['text'] for note in report['notes'] if note['object'] == 'delete']
        equal(('delete' in report['guarantees']['enforced'], 'delete' in report['guarantees']['advisory'], len(told)),
              (not once, once, once), report)
        got = w.sbx('cmd', '/d', '/c', 'exit 7', options=('--require', 'delete'))
        equal(got.code, 125 if once else 7, got)
        check(not once or drive in told[0] and drive in got.errors and 'icacls' in got.errors, (told, got))
        equal(acts(w, [('append', drive + '\\f', 'x'), ('write', drive + '\\new', 'x'), ('delete', drive + '\\f')],
                   ('--workspace', root), cwd=root), [DENIED, DENIED, 'ok' if once else DENIED])
        got = w.sbx('cmd', '/d', '/c', 'exit 7', options=whole + ('--require', 'delete'))
        check(got.code == 125 and '--elevated-token' in got.errors, got)
    finally:
        with administrator(w):
            w.run('cmd', '/d', '/c', 'rd /s /q ' + drive)
            w.probe('dacl', public, 'D:' + was)
        forget()
