"""Arguments, environment, and which program is started."""
import os

from harness import EVERY, Skip, case, check, equal

TORTURE = [
    ['plain'], ['a b', 'c'], [''], ['', '', 'x'], ['"'], ['a"b c"d'], ['\\'], ['a\\'], ['a b\\'], ['a b\\\\'],
    ['\\"'], ['a\\"b'], ['a b\\"'], ['\\\\server\\share\\', 'x'], ['%PATH%', '%x'], ['^', '&', '|', '!', '<', '>', '(', ')'],
    ['a&b|c^d'], ['tab\there', 'nl\nhere'], ['gr\u00fc\u00dfe', '\u65e5\u672c', '\U0001F600'], ['--', '-x', '--help'],
    ['*', '?', '*.c'], ["'single'"], ['@file'], ['x' * 30000],
]


def units(text):
    return text.encode('utf-16-be', 'surrogatepass').hex()


def argument_list(result):
    lines = result.text.split('\n')
    check(lines[0].isdigit(), result)
    return lines[1:1 + int(lines[0])]


@case('arguments arrive as they were given: the probe', EVERY)
def arguments(w):
    def arrive(run, given):
        words = [word for part in given for word in part]
        got = argument_list(run('args', *words))
        return got == [units(word) for word in words] or got

    given = TORTURE[:-1]
    if arrive(w.probe, given) is not True:  # not all is expressible on the way into this world
        given = [words for words in given if arrive(w.probe, [words]) is True]
    check(len(given) > 20, 'control: %r' % given)
    for part in (given, TORTURE[-1:]):
        equal(arrive(w.sandboxed, part), True)


@case('arguments arrive as they were given: node', worlds=('lab', 'stock'))
def node_arguments(w):
    import json
    script = 'console.log(JSON.stringify(process.argv.slice(2)))'
    w.write(w.ws('show.js'), script)
    words = [word for given in TORTURE for word in given if len(word) < 1000 and not word.startswith('--')]
    control = w.run('C:\\tools\\node.exe', 'show.js', *words)
    equal(json.loads(control.text), words, 'control')
    equal(json.loads(w.sbx('node', 'show.js', *words).text), words)


@case('the units of the command line are untouched, lone surrogates among them', EVERY)
def raw_line(w):
    tail = '"%s" line  two  blanks "quoted \\" \ud800 \udc00 lone" \ud83d\ude00 %%PATH%% ^& !' % w.PROBE
    wanted = units(tail)
    w.write(w.ws('control.bin'), tail.encode('utf-16-le', 'surrogatepass'))
    control = w.probe('exec', w.ws('control.bin'))
    check(wanted in control.text, 'control: %s' % control)
    line = '"%s" %s -- %s' % (w.SBX, ' '.join(w.options()), tail)
    w.write(w.ws('line.bin'), line.encode('utf-16-le', 'surrogatepass'))
    got = w.probe('exec', w.ws('line.bin'))
    check('exit 0x00000000' in got.text, got)
    shown = got.text.split('\n')[0]
    check(shown.endswith(wanted[wanted.index(units(' line')):]), got)


@case('a batch file gets its arguments as they were typed, and nothing of them is run', EVERY)
def batch(w):
    w.write(w.ws('show.cmd'), '@echo off\r\necho first=%~1\r\n')
    got = w.sbx(w.ws('show.cmd'), 'plain words')
    check(got.code == 0 and 'first=plain words' in got.text, got)
    w.write(w.ws('mk.cmd'), '@if "%1"=="build" (echo yes) else (echo no [%1])\r\n')
    for way in (w.run('cmd', '/d', '/c', 'mk.cmd build', cwd=w.ws('')), w.sbx('.\\mk.cmd', 'build')):
        equal(way.text.strip(), 'yes', way)
    # handed on, as npm.cmd does, to a program that splits by the rules of the C runtime
    w.write(w.ws('on.cmd'), '@"%s" args %%*\r\n' % w.PROBE)
    words = ['a', 'b c', 'x&y|z^<>()', 'C:\\d\\', '', '-o=1,2;3', '!x!']
    got = w.sbx(w.ws('on.cmd'), *words)
    equal(argument_list(got), [units(word) for word in words], got)
    equal(w.read(w.ws('planted.txt')), None, 'injected')
    # what a variable expands to is not expanded again, but by the cmd.exe of Wine
    got = w.run('cmd', '/d', '/v:off', '/c', 'echo "%SBX_TRY%" "%SBX_TRY%"', env={'SBX_TRY': 'a%b'})
    plain = got.text.strip() == '"a%b" "a%b"'
    if plain:
        got = w.sbx(w.ws('on.cmd'), '100%', '%PATH%', 'a %SBX_ARG_1% b\\')
        equal(argument_list(got), [units('100%'), units('%PATH%'), units('a %SBX_ARG_1% b\\')], got)
    else:
        w.unjudged.append('a percent sign in an argument: this cmd.exe expands again what a variable expands to')
    os.mkdir(w.unix(w.ws('5%TEMP%')))
    w.write(w.ws('5%TEMP%\\here.cmd'), '@echo here %1\r\n')
    if plain:
        got = w.sbx(w.ws('5%TEMP%\\here.cmd'), 'x')
        equal(got.text.strip(), 'here x', got)
    for hostile in ('a"&echo planted>planted.txt&"', '"&echo planted>planted.txt', 'a\nb',
                    *(('%CMDCMDLINE:~-1%&echo planted>planted.txt', '%PATH%') if plain else ())):
        got = w.sbx(w.ws('show.cmd'), hostile)
        equal(w.read(w.ws('planted.txt')), None, 'injected by %r' % hostile)
        if got.code == 0:  # then it must have arrived as it was given
            check('first=%s\n' % hostile in got.text, '%r: %s' % (hostile, got))
        else:
            check(got.code in (125, 126) and 'batch file' in got.errors, '%r: %s' % (hostile, got))


def environment_of(result):
    return [bytes.fromhex(line).decode('utf-16-be', 'surrogatepass')
            for line in result.text.split('\n') if line and not line.startswith('exit ')]


@case('the environment arrives: drive folders, empty values, Unicode, 30,000 characters', EVERY)
def environment(w):
    given = ['=C:=C:\\windows', 'EMPTY=', 'LONG=' + 'y' * 30000, 'lower=1', 'SYSTEMROOT=C:\\windows',
             'PATH=C:\\windows\\system32', 'USERPROFILE=' + w.profile, 'LOCALAPPDATA=' + w.profile + '\\AppData\\Local',
             'APPDATA=' + w.profile + '\\AppData\\Roaming', 'UNI=gr\u00fc\u00df\U0001F600', 'TEMP=' + w.profile + '\\Temp']
    block = ''.join(v + '\0' for v in sorted(given, key=str.upper)) + '\0'
    w.write(w.ws('block.bin'), block.encode('utf-16-le'))
    wanted = {'EMPTY=', 'LONG=' + 'y' * 30000, 'lower=1', 'UNI=gr\u00fc\u00df\U0001F600'}
    control = environment_of(w.probe('envof', w.ws('block.bin'), '--', w.PROBE, 'env'))
    check(wanted <= set(control), 'control: %r' % [v[:60] for v in control])
    result = w.probe('envof', w.ws('block.bin'), '--', w.SBX, *w.options(), '--', w.PROBE, 'env')
    got = environment_of(result)
    check(wanted <= set(got), '%r' % [v[:60] for v in got] + str(result))
    if any(v.startswith('=C:') for v in control):
        check(any(v.startswith('=C:') for v in got), 'the folder of drive C is lost')
    if w.kind != 'native':
        return  # Wine adds names of its own at the end when a process starts
    names = [v.upper().split('=')[0] for v in got if not v.startswith('=')]
    equal(names, sorted(names), 'sorted as Windows wants it')


@case('what looks like a secret is withheld', EVERY)
def secrets(w):
    env = {'GITHUB_TOKEN': 'ghp_secret', 'AWS_SECRET_ACCESS_KEY': 'abc', 'NPM_TOKEN': 'x', 'HARMLESS': 'yes'}
    names = list(env)
    shown = [units(value) for value in env.values()]
    equal(w.probe('env', *names, env=env).text.split(), shown, 'control')
    equal(w.sandboxed('env', *names, env=env).text.split(), ['-', '-', '-', units('yes')])
    got = w.sbx(w.PROBE, 'env', *names, env=env, options=('--block-secrets', 'false'))
    equal(got.text.split(), shown, 'when it is allowed')
    got = w.sandboxed('env', options=('--report', w.ws('r.json')), env=env)
    report = w.read(w.ws('r.json')).decode()
    check('GITHUB_TOKEN' in report and 'ghp_secret' not in report, 'the report tells names, no values')


@case('a program in the current folder is not taken before the PATH', EVERY)
def planted_program(w):
    version = w.run('C:\\tools\\rg.exe', '--version').text
    check(version.startswith('ripgrep'), version)
    w.copy(w.PROBE, w.ws('rg.exe'))
    equal(w.sbx('rg', '--version').text, version)
    equal(w.sbx('.\\rg', 'exit', '9').code, 9, 'but it can be named')
    for name in ('cmd.exe', 'conhost.exe', 'sbx-runner.exe', 'sbx.exe'):
        w.copy(w.PROBE, w.ws(name))
    got = w.sbx('cmd', '/c', 'exit 37')
    equal(got.code, 37, got)


@case('a plan names the program that a run starts, and fails as a run does')
def planned(w):
    w.write(w.ws('show.cmd'), '@echo off\r\necho first=%~1\r\n')
    w.write(w.ws('script.ps1'), 'exit 1\r\n')
    for words, program in ((('rg', '--version'), 'C:\\tools\\rg.exe'), (('.\\show.cmd', 'plain'), w.ws('show.cmd'))):
        equal(w.sbx(*words).code, 0, words)
        got = w.run(w.SBX, 'plan', *w.options(), '--', *words)
        check(got.code == 0 and ('\nprogram       %s\n' % program).lower() in got.text.lower(), got)
    for code, options, words in ((127, (), ('kargo', 'build')), (127, (), ('.\\none',)), (126, (), ('.\\script.ps1',)),
                                 (125, (), ('.\\show.cmd', 'a"b')), (125, ('-C', 'none'), ('rg',))):
        run = w.sbx(*words, options=options)
        equal(run.code, code, run)
        got = w.run(w.SBX, 'plan', *w.options(*options), '--', *words)
        equal((got.code, got.errors), (code, run.errors), got)


@case('a DLL in the current folder or the workspace is never loaded by sbx', EVERY)
def planted_library(w):
    planted, trace = 'C:\\probe\\sbx-planted.dll', 'C:\\users\\Public\\planted.txt'
    names = ('bcrypt', 'bcryptprimitives', 'advapi32', 'sechost', 'api-ms-win-security-base-l1-1-0',
             'api-ms-win-core-registry-l1-1-0', 'api-ms-win-core-processthreads-l1-1-0', 'crypt32', 'userenv', 'version', 'winmm', 'cryptbase', 'dbghelp', 'profapi', 'wtsapi32',
             'netapi32', 'shell32', 'uxtheme', 'none', 'unelevated', 'psapi', 'secur32', 'ole32')
    for name in names:
        w.copy(planted, w.ws(name + '.dll'))
        w.copy(planted, w.ws('backends\\' + name + '.dll'))
    w.probe('load', 'none.dll')
    check(w.read(trace) is not None, 'control: the planted DLL leaves no trace')
    import os
    os.remove(w.unix(trace))
    for arguments in ((*w.options(), '--', 'cmd', '/c', 'exit 0'), ('backends',), ('plan', '--backend', w.backend)):
        got = w.run(w.SBX, *arguments)
        equal(got.code, 0, got)
        equal(w.read(trace), None, 'a planted DLL was loaded: %s' % got)


@case('an execution alias or a script is explained', backends=('none',), worlds=('native',))
def alias(w):
    raise Skip('needs a machine with an app execution alias')
