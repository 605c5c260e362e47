"""The unelevated backend: writes are confined for real, the network is discouraged with a reason."""
import json
import os
import shutil

from harness import case, check, equal

from cases.files import EVERYONE, build

CONFINED = ('unelevated',)
BOTH = CONFINED + ('accounts',)
WORLDS = ('lab', 'native')


def cmd(w, line, options=()):
    return w.sbx('cmd', '/d', '/c', line, options=options)


def node(w, *arguments):
    return w.sbx('node', *arguments)


def denied(result, what):
    """cmd of Wine exits with 0 after a failed redirection: the message and the oracle count."""
    check('denied' in (result.text + result.errors).lower(), '%s: %s' % (what, result))


@case('writes: the workspace works, everything else is denied', CONFINED, WORLDS)
def writes(w):
    equal(cmd(w, 'echo x> in.txt').code, 0)
    check((w.read(w.ws('in.txt')) or b'').startswith(b'x'), 'nothing was written into the workspace')
    equal(cmd(w, 'mkdir a\\b & echo y> a\\b\\c.txt & ren a\\b\\c.txt d.txt & del in.txt').code, 0)
    check((w.read(w.ws('a\\b\\d.txt')) or b'').startswith(b'y'), 'rename in the workspace')
    equal(w.read(w.ws('in.txt')), None, 'delete in the workspace')
    places = [w.profile + '\\beside.txt', w.profile + '\\AppData\\Local\\sbx\\planted.txt',
              w.profile + '\\AppData\\Local\\sbx\\temp\\planted.txt', w.profile + '\\e2e\\planted.txt']
    for path in places:
        control = w.run('cmd', '/d', '/c', 'echo x> ' + path)
        check(w.read(path) is not None, 'control: the user can write %s: %s' % (path, control))
        w.run('cmd', '/d', '/c', 'del ' + path)
        equal(w.read(path), None, 'control')
        denied(cmd(w, 'echo x> ' + path), path)
        equal(w.read(path), None, path)
    for path in ('C:\\outside.txt', 'C:\\windows\\outside.txt', 'C:\\Program Files\\sbx\\stubs\\outside.txt'):
        denied(cmd(w, 'echo x> ' + path), path)
        equal(w.read(path), None, path)


@case('an existing file outside keeps its bytes, and its name where that is claimed', CONFINED, WORLDS,
      readings=('delete-child', 'rename-in-place'))
def existing(w):
    path, acts = w.profile + '\\mine.txt', ('del %s', 'ren %s other.txt', 'move %s ' + w.ws('stolen.txt'))
    w.write(path, 'mine')
    denied(cmd(w, 'echo x>> ' + path), 'append')
    equal(w.read(path), b'mine')
    check('mine' in cmd(w, 'type ' + path).text, 'reading is not confined')
    got = w.sbx(w.PROBE, 'exit', '7', options=('--report', w.ws('report.json')))
    equal(got.code, 7, got)
    report = json.loads(w.read(w.ws('report.json')))
    claimed = 'delete' in report['guarantees']['enforced']
    equal(claimed, not [note for note in report['notes'] if note['object'] == 'delete'], 'told where it is not claimed')
    expected = w.reading('delete-child', 'once', 'twice')
    check(expected is None or claimed == (expected == 'twice'), 'what the system does is what was measured: %s' % expected)
    refused = w.sbx(w.PROBE, 'exit', '7', options=('--require', 'delete'))
    equal(refused.code, 7 if claimed else 125, refused)
    for act in acts:
        got = cmd(w, act % path)
        if claimed:
            denied(got, act)
            equal(w.read(path), b'mine')
        else:  # `ren` makes a name outside, which stays denied where the system asks for that
            check(w.read(path) is None or act.startswith('ren'), act)
            for name in (w.profile + '\\other.txt', w.ws('stolen.txt')):
                if w.read(name) is not None:
                    equal(w.read(name), b'mine')
                    os.remove(w.unix(name))
            w.write(path, 'mine')
    equal(w.read(path), b'mine')


def gaps(w, *options):
    """What the report of a run says is not closed: object and text."""
    got = w.sbx(w.PROBE, 'exit', '7', options=options + ('--report', w.ws('report.json')))
    equal(got.code, 7, got)
    return [(note['object'], note['text']) for note in json.loads(w.read(w.ws('report.json')))['notes']
            if note['kind'] == 'gap']


@case('drives on which nothing is confined are told at each launch', BOTH, WORLDS)
def drives(w):
    for told in (gaps(w), gaps(w)):
        check([text for name, text in told if name.startswith('\\\\') and 'wsl.localhost' in text], told)
        check(not [name for name, text in told if name == 'C:\\'], 'C: is confined: %s' % told)
        if w.kind != 'lab':
            w.unjudged = ['drives of other machines and without access rights: none at hand']
            continue
        text = dict(told)
        for drive in ('F:\\', 'R:\\'):
            check('not confined: its file system (FAT32) keeps no access rights' in text.get(drive, ''), told)
        check("not confined: it is another machine's" in text.get('N:\\', ''), told)
    if w.kind == 'lab':
        check('N:\\' in w.run(w.SBX, 'plan', '--backend', w.backend).text, 'plan')


@case('a network drive in PATH is not opened by the look for places open to everyone', CONFINED, ('lab',))
def network_places(w):
    near, far = build(w, w.ws('near')), 'N:\\far'
    equal(w.probe('dacl', near, EVERYONE).text.strip(), 'ok')
    outside = os.path.join(os.path.dirname(w.drive), 'drive_n', 'far')
    os.makedirs(outside, exist_ok=True)
    os.setxattr(outside, 'user.ntlab.sd', os.getxattr(w.unix(near), 'user.ntlab.sd'))
    line = 'set "PATH=%s;%s;%%PATH%%"&& "%s" plan --backend unelevated --workspace %s' % (far, near, w.SBX, w.ws('root'))
    build(w, w.ws('root'))
    w.write(w.ws('plan.cmd'), '@' + line + '\r\n')
    told = w.run('cmd', '/d', '/c', w.ws('plan.cmd')).text
    check(near in told, 'control: %s' % told)
    check(far not in told, told)


@case('a program on a network drive of PATH is started, and not looked for as a hint', ('none',), ('lab', 'stock'))
def network_path(w):
    home = os.path.join(os.path.dirname(w.drive), 'drive_n', 'bin')
    os.makedirs(home, exist_ok=True)
    for folder in (home, w.unix(w.ws('disk'))):
        os.makedirs(folder, exist_ok=True)
        name = 'farprobe.exe' if folder == home else 'nearprobe.exe'
        shutil.copy(w.unix(w.PROBE), os.path.join(folder, name))
    options = ('--env', 'PATH=N:\\bin;%s;C:\\windows\\system32' % w.ws('disk'))
    equal(w.sbx('farprobe', 'exit', '7', options=options).code, 7, 'as Windows would')
    near, far = (w.sbx(name, 'exit', '7', options=options) for name in ('naerprobe', 'fraprobe'))
    equal((near.code, far.code), (127, 127), 'a typing error')
    check('did you mean "nearprobe"' in near.errors, 'control: %s' % near)
    check('hint' not in far.errors, far)
    near, far = (w.sbx(name, options=options) for name in ('nearprobe x', 'farprobe x'))
    check('quote each argument' in near.errors, 'control: %s' % near)
    check('hint' not in far.errors, far)


@case('.git is protected, and its name cannot be taken', CONFINED, WORLDS)
def git_folder(w):
    w.write(w.ws('.git\\config'), '[core]\n')
    denied(cmd(w, 'echo x> .git\\config'), 'write')
    denied(cmd(w, 'del .git\\config'), 'delete')
    denied(cmd(w, 'echo x> .git\\hooks-planted'), 'create')
    check(cmd(w, 'ren .git g2').code != 0, 'rename')
    equal(w.read(w.ws('.git\\config')), b'[core]\n')
    equal(w.read(w.ws('g2\\config')), None)
    equal(cmd(w, 'echo x> free.txt', options=('--git', 'write')).code, 0, 'control: beside it')


@case('ssh and scp say why and fail: directly, from cmd, from node', CONFINED, WORLDS)
def stubs(w):
    for name in ('ssh', 'scp', 'sftp'):
        got = w.sbx(name, 'host')
        equal(got.code, 1, got)
        check(got.errors.startswith(name + ': the network is off') and '--network on' in got.errors, got)
        equal(got.errors.count('\n'), 1, 'one line')
        got = cmd(w, name + ' host')
        equal(got.code, 1, got)
        check('network is off' in got.errors, got)
    w.write(w.ws('find.js'), """
const fs = require('fs'), path = require('path'), { spawnSync } = require('child_process');
const dir = process.env.PATH.split(';').find(d => fs.existsSync(path.join(d, 'ssh.exe')));
const child = spawnSync(path.join(dir, 'ssh.exe'), ['host'], { stdio: ['ignore', 'inherit', 'inherit'] });
console.log(dir, child.status);
""")
    got = node(w, 'find.js')
    check('\\stubs 1' in got.text and 'network is off' in got.errors, got)


@case('pipes between programs: FOR /F and |', CONFINED, WORLDS)
def pipes(w):
    w.write(w.ws('three.txt'), 'b\r\na\r\nc\r\n')
    check('got Microsoft' in cmd(w, "for /f %i in ('ver') do @echo got %i").text, 'FOR /F')
    check('got 3' in cmd(w, 'for /f %%i in (\'"%s" args a b c\') do @echo got %%i' % w.PROBE).text or
          'got 3' in cmd(w, "for /f %%i in ('%s args a b c') do @echo got %%i" % w.PROBE).text, 'FOR /F of a program')


@case('TEMP is private, works, and is gone afterwards', CONFINED, WORLDS)
def temp(w):
    w.write(w.ws('temp.js'), """
const fs = require('fs'), os = require('os'), path = require('path');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'x-'));
fs.writeFileSync(path.join(dir, 'a'), '1');
fs.renameSync(path.join(dir, 'a'), path.join(dir, 'b'));
fs.writeFileSync(path.join(os.tmpdir(), 'left'), '2');
console.log(os.tmpdir());
""")
    got = node(w, 'temp.js')
    equal(got.code, 0, got)
    path = got.text.strip()
    check(path.lower().startswith((w.profile + '\\AppData\\Local\\sbx\\temp\\').lower()), path)
    equal(len(path.rsplit('\\', 1)[1]), 12, 'short, for the paths in it')
    equal(w.read(path + '\\left'), None, 'left behind')
    again = node(w, 'temp.js').text.strip()
    check(again and again != path, 'every run has its own')


@case('node cannot write outside, and says so', CONFINED, WORLDS)
def node_outside(w):
    path = w.profile + '\\node.txt'
    w.write(w.ws('out.js'), """
try { require('fs').writeFileSync(process.argv[2], 'x'); console.log('written'); }
catch (error) { console.log(error.code); }
""")
    equal(w.run('C:\\tools\\node.exe', 'out.js', path).text.strip(), 'written', 'control')
    w.run('cmd', '/d', '/c', 'del ' + path)
    check(node(w, 'out.js', path).text.strip() in ('EPERM', 'EACCES'), 'the error')
    equal(w.read(path), None)
    equal(node(w, 'out.js', w.ws('in.txt')).text.strip(), 'written')


@case('what cannot be enforced is refused', CONFINED, WORLDS)
def refusals(w):
    for options, word in ((('--require', 'network'), 'network'), (('--require', 'read'), 'read'),
                          (('--require', 'ui'), 'ui'), (('--deny-read', w.profile + '\\secret'), 'secret')):
        got = w.sbx(w.PROBE, 'exit', '7', options=options)
        equal(got.code, 125, got)
        check(word in got.errors and 'elevated' in got.errors, got)
    equal(w.sbx(w.PROBE, 'exit', '7', options=('--require', 'write')).code, 7)


def environment(w, *options, env=None):
    found = w.sbx('cmd', '/d', '/c', 'set', options=options, env=env).text
    return dict(line.split('=', 1) for line in found.splitlines() if '=' in line)


@case('network off overrides the own proxy; network on touches nothing', CONFINED, WORLDS)
def proxies(w):
    own = {'HTTPS_PROXY': 'http://proxy.example:3128', 'NO_PROXY': '*', 'GIT_CONFIG_COUNT': '1',
           'GIT_CONFIG_KEY_0': 'user.name', 'GIT_CONFIG_VALUE_0': 'me'}
    off = environment(w, env=own)
    low = {name.lower(): value for name, value in off.items()}
    for name in ('http_proxy', 'https_proxy', 'all_proxy', 'ftp_proxy'):
        equal(low.get(name), 'http://127.0.0.1:9', name)
    equal(low.get('no_proxy'), 'localhost,127.0.0.1,::1,[::1]', 'nothing of the own one')
    equal(off.get('GIT_CONFIG_KEY_0'), 'user.name', 'the own setting stays')
    equal(off.get('GIT_CONFIG_KEY_1'), 'http.proxy')
    equal(off.get('GIT_ALLOW_PROTOCOL'), 'file')
    on = environment(w, '--network', 'on', '--temp', 'user', env=own)
    w.backend = 'none'
    plain = environment(w, '--network', 'on', '--temp', 'user', env=own)
    w.backend = 'unelevated'
    equal(on, plain, 'network on')


@case('no PATH is told as what it is, though the stubs would stand in one', CONFINED, WORLDS)
def no_path(w):
    got = w.sbx('no-such-program', options=('--unset', 'PATH'))
    check(got.code == 127 and 'hint: the command\'s environment has no PATH' in got.errors, got)
    equal(w.sandboxed('exit', '0').code, 0, 'control')


@case('--temp user: told where no writable folder has it, and only there', CONFINED, WORLDS)
def user_temp(w):
    temp = w.ws('temp')
    os.makedirs(w.unix(temp))
    for folder, told in ((w.ws('other'), True), (w.workspace, False)):
        os.makedirs(w.unix(folder), exist_ok=True)
        got = w.run(w.SBX, '--backend', w.backend, '--workspace', folder, '--temp', 'user', '--env', 'TEMP=' + temp,
                    '--', 'cmd', '/d', '/c', 'echo x> %TEMP%\\t.txt')
        equal('cannot write to your own TEMP' in got.errors, told, got)
        equal(w.read(temp + '\\t.txt') is None, told, 'seen from outside')


@case('tool caches go to a folder that is kept for the workspace', CONFINED, WORLDS)
def caches(w):
    first = environment(w, '--tools', 'node')
    cache = first.get('npm_config_cache', '')
    check('\\sbx\\cache\\' in cache, first)
    equal(cmd(w, 'mkdir %npm_config_cache% & echo x> %npm_config_cache%\\kept.txt', ('--tools', 'node')).code, 0)
    check(w.read(cache + '\\kept.txt') is not None, 'kept')
    denied(cmd(w, 'echo x> %s\\other.txt' % cache.rsplit('\\data\\', 1)[0]), 'beside the cache')
    listed = w.run(w.SBX, 'status')
    check('cache' in listed.text, listed)
    w.run(w.SBX, 'clean', '--all')
    equal(w.read(cache + '\\kept.txt'), None, 'clean --all')


@case('what is done to the environment is told: the same by plan and run, and what is replaced', CONFINED, WORLDS)
def told_environment(w):
    import json
    options = ('--backend', w.backend, '--tools', 'node', '--env', 'HTTP_PROXY=http://mine', '--env', 'MINE=1')
    plan = json.loads(w.run(w.SBX, 'plan', '--json', *options).text)['backend_used']['notes']
    got = w.run(w.SBX, *options, '--report', w.ws('r.json'), '--', 'cmd', '/d', '/c', 'echo [%HTTP_PROXY%] [%MINE%]')
    report = json.loads(w.read(w.ws('r.json')))['notes']
    planned, done = ([note['text'] for note in notes if note['object'] == 'environment'] for notes in (plan, report))
    equal(done, planned)
    check('npm_config_cache' in done[0] and 'no_proxy' in done[0].split('; removes ')[0], done)
    check('http://mine' not in got.text and '[1]' in got.text, got)
    lines = [line for line in got.errors.strip().split('\n') if not line.startswith('sbx: delete: ')]
    equal(lines, ['sbx: HTTP_PROXY: not what you set: backend "unelevated" replaces it'])
    check([note['text'] for note in plan if note['object'] == 'HTTP_PROXY'], plan)


@case('a folder that is no root of a run is not said to be cleaned', CONFINED, WORLDS)
def clean_nothing(w):
    got = w.run(w.SBX, 'clean', w.ws('no-such-folder'))
    check(got.code == 125 and 'no such directory' in got.errors, got)
    equal(got.text, '')


@case('a system that does not enforce restricted tokens is told apart: exit 125', ('refusal',), ('stock',))
def unenforced(w):
    got = w.run(w.SBX, '--backend', 'unelevated', '--', 'cmd', '/d', '/c', 'echo x> ran.txt')
    equal(got.code, 125, got)
    check('does not enforce restricted tokens' in got.errors, got)
    equal(w.read(w.ws('ran.txt')), None, 'the command must not have run')
    equal(w.run(w.SBX, '--backend', 'none', '-q', '--', 'cmd', '/d', '/c', 'echo x> ran.txt').code, 0, 'control')
    check(w.read(w.ws('ran.txt')) is not None, 'control')


@case('a folder that the backend refuses is told with the place that names it', CONFINED, WORLDS)
def refused_folder(w):
    file, missing = w.profile + '\\named.toml', w.profile + '\\missing'
    w.write(file, "[filesystem]\nwritable = [\n  '${WORKSPACE}',\n  '%s',\n]\n" % missing)
    for verb in ((), ('plan',)):
        got = w.run(w.SBX, *verb, *w.options('--config', file), '--', w.PROBE, 'exit', '0')
        equal(got.code, 125, got)
        check('%s: there is no such directory' % missing in got.errors and
              'hint: %s:4 names it; make it first' % file in got.errors, got)
    got = w.sbx(w.PROBE, 'exit', '0', options=('--writable', missing))
    check(got.code == 125 and 'hint: --writable names it; make it first' in got.errors, got)
