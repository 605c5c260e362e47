"""What `status` and `clean` tell: every line is true, says what and where, and the exit code goes with it."""
import json
import os
import subprocess

from harness import case, check, equal

from cases.files import ended, running

CONFINED = ('unelevated',)
WORLDS = ('lab', 'native')
COLUMNS = 100


def sbx(w, *words, code=0):
    got = w.run(w.SBX, *words)
    equal(got.code, code, got)
    for line in got.text.splitlines() if '--json' not in words else ():
        check(len(line) <= COLUMNS or len(line.split()) <= 4, 'longer than its path makes it: %r' % line)
    return got


def items(w, verb, *words):
    return json.loads(sbx(w, verb, '--json', *words).text)['items']


def lines_of(got):
    """The first two words, the object and the text, of one line each or of two."""
    found = []
    for line in got.text.splitlines():
        if line.startswith(' '):
            found[-1][3] = (found[-1][3] + ' ' + line.strip()).strip()
        else:
            head, _, text = line[18:].partition('  ')
            found.append([*line[:18].split(), head, text])
    return found


def reset(w):
    sbx(w, 'clean', '--all')
    sbx(w, 'clean', '--homes')
    equal(sbx(w, 'status').text, 'sbx has changed nothing on this machine\n')


@case('clean of a folder that carries nothing: said so, and where it would be', CONFINED, WORLDS)
def nothing(w):
    reset(w)
    root, inner, never = w.ws('root'), w.ws('root\\a b\\c'), w.ws('never')
    for path in (inner, never):
        os.makedirs(w.unix(path))
    equal(w.sandboxed('exit', '0', options=('--workspace', root)).code, 0)
    before = w.probe('sddl', root, inner).text
    equal(sbx(w, 'clean', never).text, 'nothing to undo: sbx has changed nothing in %s\n' % never)
    equal(sbx(w, 'clean', inner).text,
          'nothing to undo: %s was not opened to commands\n  it is in a folder that was: sbx clean "%s"\n' % (inner, root))
    equal(sbx(w, 'clean', w.workspace).text,
          'nothing to undo: %s was not opened to commands\n  a folder in it was: sbx clean "%s"\n' % (w.workspace, root))
    equal(sbx(w, 'clean').text, 'nothing to undo: nothing is stale; `sbx status` lists what is in use or kept\n')
    equal(items(w, 'clean', never), [])
    equal(w.probe('sddl', root, inner).text, before)
    check('name of ROOT is empty' in sbx(w, 'clean', '', code=125).errors, 'an empty name is not the current folder')
    got = sbx(w, 'clean', w.ws('nope'), code=125)
    check('there is no such directory' in got.errors and 'sbx status' in got.errors and 'writable' not in got.errors, got)
    equal([item['undone'] for item in items(w, 'clean', root)], [True])
    check(w.probe('sddl', root, inner).text != before, 'control: the grant is gone')


@case('status and clean during a run: what it needs is told as in use and left', CONFINED, WORLDS)
def in_use(w):
    reset(w)
    w.write(w.ws('.git\\config'), 'x')
    process = running(w, ('--tools', 'node'), w.workspace)
    try:
        listed = lines_of(sbx(w, 'status'))
        equal(sorted(set(line[1] for line in listed)), ['active'], listed)
        equal(sorted(set(line[0] for line in listed)), ['cache', 'grant', 'guard', 'protected', 'temp'], listed)
        grant = [line for line in listed if line[0] == 'grant'][0]
        equal(grant[2], w.workspace)
        found = items(w, 'status')
        equal(sorted((i['kind'], i['object']) for i in found), sorted((line[0], line[2]) for line in listed), 'as JSON')
        check(', in use by process %d' % [i for i in found if i['kind'] == 'grant'][0]['process_id'] in grant[3], grant)
        kept = sbx(w, 'clean', '--all')
        check('nothing to undo' not in kept.text, kept)
        equal(sorted(line.split()[:2] for line in kept.text.splitlines() if line[0] != ' '),
              [['kept', 'cache'], ['kept', 'grant'], ['kept', 'temp']], kept)
        check('in use by process' in kept.text, kept)
        equal([(i['undone'], i['state'], 'error' in i) for i in items(w, 'clean', '--all')], [(False, 'active', False)] * 3)
        got = sbx(w, 'clean', w.workspace, code=125)
        check(got.text.startswith('FAILED  grant') and 'wait for the end of process' in got.errors, got)
    finally:
        ended(process)
    equal(sorted(line[:18].split()[1] for line in sbx(w, 'status').text.splitlines() if line[0] != ' '), ['kept'] * 3)
    got = sbx(w, 'clean', '--all')
    equal(sorted(line.split()[:2] for line in got.text.splitlines() if line[0] != ' '),
          [['undone', 'cache'], ['undone', 'grant']], got)
    reset(w)


@case('status and clean from within a sandbox: what its own run needs is in use, not stale', CONFINED, WORLDS)
def inside(w):
    reset(w)
    got = w.sbx(w.SBX, 'status', '--json')
    equal(got.code, 0, got)
    found = json.loads(got.text)['items']
    equal([i['state'] for i in found if i['kind'] == 'temp'], ['active'], got)
    equal([i['state'] for i in found if i['kind'] == 'grant'], ['active'], got)
    got = w.sbx(w.SBX, 'clean', '--all')
    equal((got.code, sorted(line.split()[:2] for line in got.text.splitlines() if line[0] != ' ')),
          (0, [['kept', 'grant'], ['kept', 'temp']]), got)
    reset(w)


@case('what a killed run left: listed as stale, and told one by one when it is removed', CONFINED, WORLDS)
def killed(w):
    reset(w)
    started = w.start([w.SBX, *w.options(), '--', w.PROBE, 'leaf'], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    started.stdout.readline()
    process = [i for i in items(w, 'status') if i['kind'] == 'grant'][0]['process_id']
    equal(w.run('taskkill', '/f', '/pid', str(process)).code, 0)
    started.wait(60)
    started.stdout.close()
    stale = sorted((i['kind'], i['object']) for i in items(w, 'status') if i['state'] == 'stale')
    equal(sorted(set(kind for kind, _ in stale)), ['guard', 'temp'], stale)
    got = sbx(w, 'clean')
    equal(sorted((line[0], line[2]) for line in lines_of(got)),
          sorted(('undone', path) for _, path in stale), 'each is told: %s' % got)
    equal([i for i in items(w, 'status') if i['state'] == 'stale'], [])
    reset(w)


@case('a root that was moved is told with its path of now, one that was made again apart from it', CONFINED, WORLDS)
def moved(w):
    reset(w)
    old, new = w.ws('old'), w.ws('new')
    w.write(old + '\\a.txt', 'x')
    before = w.probe('sddl', old, old + '\\a.txt').text
    equal(w.sandboxed('exit', '0', options=('--workspace', old)).code, 0)
    os.rename(w.unix(old), w.unix(new))
    os.makedirs(w.unix(old))
    equal(w.sandboxed('exit', '0', options=('--workspace', old)).code, 0)
    listed = {line[2]: line for line in lines_of(sbx(w, 'status')) if line[0] == 'grant'}
    equal(sorted(listed), sorted((old, new)), listed)
    equal((listed[new][1], listed[old][1]), ('stale', 'kept'))
    check('moved here from ' + old in listed[new][3], listed)
    got = sbx(w, 'clean')
    check(got.text.startswith('undone  grant     %s' % new) and old + '  ' not in got.text, got)
    os.rmdir(w.unix(old))
    os.rename(w.unix(new), w.unix(old))
    equal(w.probe('sddl', old, old + '\\a.txt').text, before)
    listed = lines_of(sbx(w, 'status'))
    equal([line[1] for line in listed], ['stale'], listed)
    check('is gone' in listed[0][3], listed)
    reset(w)


@case('--keep-children: TEMP stays only for processes that are left, and is stale when they have ended', CONFINED, WORLDS)
def kept_temp(w):
    def temps():
        return [i['state'] for i in items(w, 'status') if i['kind'] == 'temp']

    reset(w)
    equal(w.sandboxed('exit', '0', options=('--keep-children',)).code, 0)
    equal(temps(), [], 'nothing is left')
    started = w.start([w.SBX, *w.options('--keep-children'), '--', w.PROBE, 'tree', 'plain', 'exit'],
                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    processes = [started.stdout.readline().split() for _ in range(2)]
    started.wait(60)
    equal(temps(), ['kept'])
    sbx(w, 'clean')
    equal(temps(), ['kept'], 'not stale')
    for _, process in processes:
        w.run('taskkill', '/f', '/pid', process.decode())
    started.stdout.read()  # to the end: the last process that holds it is gone
    started.stdout.close()
    equal(temps(), ['stale'])
    sbx(w, 'clean')
    equal(temps(), [])
    area = w.profile + '\\AppData\\Local\\sbx\\temp'
    equal(os.listdir(w.unix(area)), [], 'its record goes with it')
    reset(w)


@case('--keep-children: no later run lifts the protection while one of the processes lives', CONFINED, WORLDS)
def kept_hold(w):
    def grants():
        return [(i['state'], i.get('process_id')) for i in items(w, 'status') if i['kind'] == 'grant']

    reset(w)
    w.write(w.ws('.git\\config'), 'x')
    started = w.start([w.SBX, *w.options('--keep-children'), '--', w.PROBE, 'tree', 'plain', 'exit'],
                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    processes = [started.stdout.readline().split()[1].decode() for _ in range(2)]
    started.wait(60)
    got = w.sandboxed('exit', '0', options=('--git', 'write'))
    equal(got.code, 125, got)
    check('another run protects it' in got.errors and any('process %s ' % i in got.errors for i in processes), got)
    check(grants()[0] in [('active', int(i)) for i in processes], grants())
    equal(w.sandboxed('exit', '0').code, 0, 'the same protection')
    for process in processes:
        w.run('taskkill', '/f', '/pid', process)
    started.stdout.read()
    started.stdout.close()
    equal([state for state, _ in grants()], ['kept'])
    equal(w.sandboxed('exit', '0', options=('--git', 'write')).code, 0)
    runs = w.profile + '\\AppData\\Local\\sbx\\runs'
    equal(os.listdir(w.unix(runs)), [], 'the record goes with the last of them')
    reset(w)


@case('a writable folder in the workspace is a part of it: removed and made again, and nothing is guarded in it', CONFINED, WORLDS)
def part(w):
    reset(w)
    w.write(w.ws('dist\\old.js'), 'x')
    again = "require('fs').rmSync('dist',{recursive:true});require('fs').mkdirSync('dist');console.log('made')"
    got = w.sbx('node', '-e', again, options=('-w', 'dist'))
    equal((got.code, got.text), (0, 'made\n'), got)
    equal(os.listdir(w.unix(w.ws('dist'))), [], 'seen from outside')
    listed = json.loads(w.run(w.SBX, 'plan', '--json', *w.options('-w', 'dist')).text)
    equal([i['path'] for i in listed['writable_parts']], [w.ws('dist')])
    reset(w)


@case('a writable folder that is refused leaves nothing behind', CONFINED, WORLDS)
def refused(w):
    reset(w)
    w.write(w.ws('f.txt'), 'x')
    for name, word in (('f.txt', 'a file cannot be'), ('nodir', 'no such directory'), ('~/x', 'is not replaced'),
                       ('%TEMP%', 'is not replaced'), ('$HOME/x', 'is not replaced'), ('', 'is empty')):
        got = w.sandboxed('exit', '0', options=('-w', name))
        check(got.code == 125 and word in got.errors, got)
        equal(sbx(w, 'status').text, 'sbx has changed nothing on this machine\n', name)
    equal(os.listdir(w.unix(w.workspace)), ['f.txt'], 'seen from outside')
    equal(w.sandboxed('exit', '0').code, 0, 'control')
    reset(w)


@case('a warning is shown once a workspace, again when its text changes or all is cleaned; the report has it always',
      CONFINED, WORLDS)
def told_once(w):
    reset(w)
    first, second, store = w.ws('first'), w.ws('second'), w.ws('store')
    w.write(store, 'x')
    for root in (first, second):
        os.makedirs(w.unix(root))
        os.link(w.unix(store), w.unix(root) + '/f')  # a name elsewhere: it stays closed

    def told(root, *options):
        got = w.run(w.SBX, '--backend', w.backend, *options, '--report', w.ws('r.json'), '--workspace', root, '--', 'cmd',
                    '/c', 'exit 0', cwd=root)
        equal(got.code, 0, got)
        notes = [note['text'] for note in json.loads(w.read(w.ws('r.json')))['notes']]
        equal(len([text for text in notes if 'of the objects in it' in text]), 1, notes)
        return got.errors.count('of the objects in it')

    equal(told(first, '--quiet'), 0)
    equal(told(first), 1, 'what was not shown was not told')
    equal(told(first), 0)
    equal(told(second), 1, 'another workspace')
    equal(told(first), 0)
    os.link(w.unix(store), w.unix(first) + '/g')
    sbx(w, 'grant', first)
    equal(told(first), 1, 'another text')
    equal(told(first), 0)
    reset(w)
    equal(told(first), 1, 'forgotten')
    equal(told(first), 0)
    equal(told(second), 1, 'of all')
