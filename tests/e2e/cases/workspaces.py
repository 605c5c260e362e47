"""Workspaces under the elevated backend, whose files pass two checks: the account's and the sandbox's."""
from harness import case, check, equal

from cases.elevated import set_up

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
