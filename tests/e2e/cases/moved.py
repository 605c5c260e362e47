"""What comes into a workspace later, or was there in several places: the next run can change it, as without sbx."""
import json
import os

from harness import case, check, equal

from cases.files import acts, build

CONFINED = ('unelevated',)
BOTH = CONFINED + ('accounts',)
WORLDS = ('lab', 'native')
SANDBOX = 'S-1-9-'


def cmd(w, line, *options, cwd=None):
    """cmd.exe in the sandbox, whose lines on stderr are looked at."""
    got = w.run(w.SBX, '--backend', w.backend, *options, '--', 'cmd', '/d', '/c', line, cwd=cwd)
    equal(got.code, 0, got)
    return got


def granted(w, *words, code=0):
    got = w.run(w.SBX, 'grant', *words)
    equal(got.code, code, got)
    return got


@case('comes in: what a command moves from its TEMP, the next can change; other runs after `sbx grant`', BOTH,
      WORLDS)
def from_temp(w):
    w.write(w.ws('mk.cmd'), 'echo a> "%TEMP%\\t"\r\nmove "%TEMP%\\t" t\r\nmd "%TEMP%\\d"\r\necho a> "%TEMP%\\d\\f"\r\n'
                            'move "%TEMP%\\d" d\r\n')
    got = cmd(w, 'mk.cmd')
    check('other runs' not in got.errors, got)
    cmd(w, 'echo b>> t& echo b>> d\\f& echo c> d\\g')
    equal(w.read(w.ws('t')), b'a\r\nb\r\n')
    equal(w.read(w.ws('d\\f')), b'a\r\nb\r\n')
    got = cmd(w, 'echo c>> t', '--protect', 'd\\g')
    check('other runs: worked in %s' % w.workspace in got.errors, got)
    got = cmd(w, 'echo c>> t', '--protect', 'd\\g')
    equal(w.read(w.ws('t')), b'a\r\nb\r\n')
    check('other runs' not in got.errors, 'told twice: %s' % got)
    told = json.loads(granted(w, '--json').text)
    equal((told['root'], told['opened'], told['closed']), (w.workspace, 4, 0), told)
    cmd(w, 'echo c>> t', '--protect', 'd\\g')
    equal(w.read(w.ws('t')), b'a\r\nb\r\nc\r\n')
    equal(acts(w, [('write', w.ws('d\\g'), 'x')], ('--protect', 'd\\g')), ['error 5'])
    equal(w.run(w.SBX, 'clean', '--all').code, 0)
    for name in ('t', 'd', 'd\\f', 'd\\g'):
        text = w.probe('sddl', w.ws(name)).text
        check('D:' in text and SANDBOX not in text, text)


@case('comes in: a cache of tools admits the runs of just these folders and rules', BOTH, WORLDS, long=('accounts',))
def caches(w):
    os.makedirs(w.unix(w.ws('more')))
    w.write(w.ws('mk.cmd'), 'echo a> "%npm_config_cache%\\..\\x"\r\necho %npm_config_cache%> where\r\n')
    cmd(w, 'mk.cmd', '--tools', 'node')
    first = w.read(w.ws('where')).decode().strip()
    cmd(w, 'mk.cmd', '--tools', 'node')
    equal(w.read(w.ws('where')).decode().strip(), first)
    cmd(w, 'mk.cmd', '--tools', 'node', '--git', 'write')
    check(w.read(w.ws('where')).decode().strip() != first, 'looser rules, the same cache')
    got = acts(w, [('write', first + '\\..\\x', 'y')], ('--git', 'write'))
    equal(got, ['error 5'], 'looser rules')
    equal(acts(w, [('write', first + '\\..\\x', 'y')]), ['ok'], 'control')


@case('comes in: what the user moves in is closed until `sbx grant`, also for a command that runs', BOTH, WORLDS)
def from_outside(w):
    outer = w.ws('outer')
    root = build(w, w.ws('r'), 'own')
    cmd(w, 'exit 0', '--workspace', root)
    build(w, outer, 'd\\', 'd\\f')
    equal(acts(w, [('move', outer + '\\d', root + '\\d')], backend='none'), ['ok'])
    equal(acts(w, [('write', root + '\\d\\f', 'x')], ('--workspace', root), cwd=root), ['error 5'])
    got = granted(w, root + '\\d')
    check(got.text.startswith('%s\n  2 of ' % root) and got.text.endswith(' objects opened to commands\n'), got)
    equal(acts(w, [('write', root + '\\d\\f', 'x')], ('--workspace', root), cwd=root), ['ok'])
    got = granted(w, outer, code=125)
    check('%s: it is in no writable root that sbx knows' % outer in got.errors, got)
    check('name of ROOT is empty' in granted(w, '', code=125).errors, 'an empty name')
    check('more than one ROOT' in granted(w, root, root, code=125).errors, 'two')
    equal(w.run(w.SBX, 'clean', '--all').code, 0)
    granted(w, root, code=125)


@case('comes in: npm workspaces and builds with hard links, made before the first run', BOTH, WORLDS, long=('accounts',))
def made_before(w):
    root = build(w, w.ws('r'), 'packages\\', 'packages\\a\\', 'packages\\a\\index.js', 'node_modules\\', 'target\\',
                 'target\\deps\\', 'target\\deps\\app-1.exe')
    equal(acts(w, [('junction', root + '\\node_modules\\a', root + '\\packages\\a'),
                   ('junction', root + '\\node_modules\\b', root + '\\packages\\a'),
                   ('link', root + '\\target\\deps\\app-1.exe', root + '\\target\\app.exe'),
                   ('link', root + '\\target\\deps\\app-1.exe', root + '\\target\\app2.exe')], backend='none'),
          ['ok'] * 4)
    before = w.probe('sddl', root, root + '\\node_modules\\b', root + '\\target\\app.exe').text
    got = cmd(w, 'exit 0', '--workspace', root)
    check('of the objects in it' not in got.errors, got)
    equal(w.run(w.SBX, 'clean', root).code, 0)
    equal(w.probe('sddl', root, root + '\\node_modules\\b', root + '\\target\\app.exe').text, before)
    equal(acts(w, [('move', root + '\\node_modules\\b', root + '\\node_modules\\c'),
                   ('rmdir', root + '\\node_modules\\a'),
                   ('append', root + '\\target\\app.exe', 'y'), ('delete', root + '\\target\\app.exe'),
                   ('write', root + '\\target\\deps\\app-1.exe', 'z')], ('--workspace', root), cwd=root), ['ok'] * 5)
    check(w.read(root + '\\packages\\a\\index.js') is not None, 'what a link led to is still there')
    equal(w.read(root + '\\target\\app2.exe'), b'z')


@case('comes in: a file with a name elsewhere stays closed: told once, listed, in plan and report', BOTH, WORLDS)
def elsewhere(w):
    root, report = build(w, w.ws('r'), 'own'), w.profile + '\\report.json'
    store = build(w, w.profile + '\\store-' + w.backend, 'f')
    before = w.read(store + '\\f')
    equal(acts(w, [('link', store + '\\f', root + '\\f')], backend='none'), ['ok'])
    line = '%s: the command cannot change 1 of the objects in it, as f: 1 file has names (hard links)' % root
    got = cmd(w, 'exit 0', '--workspace', root)
    check(line in got.errors, got)
    got = cmd(w, 'exit 0', '--workspace', root, '--report', report)
    check('of the objects in it' not in got.errors, 'told twice: %s' % got)
    check('cannot change 1 of the objects' in w.read(report).decode(), 'report')
    got = w.run(w.SBX, 'plan', '--backend', w.backend, '--workspace', root)
    check('cannot change 1 of the objects' in ' '.join(got.text.split()), got)
    got = w.run(w.SBX, 'status')
    check('closed    kept    ' in got.text and root + '\\f' in got.text, got)
    equal(acts(w, [('write', root + '\\f', 'y')], ('--workspace', root), cwd=root), ['error 5'])
    equal(w.read(store + '\\f'), before)
