"""Configuration errors, and backends that are missing or break the rules."""
import json

from harness import Skip, case, check, equal


@case('a wrong key is told with its place and a suggestion', backends=('none',))
def wrong_key(w):
    file = w.ws('wrong.toml')
    w.write(file, 'backend = "none"\n\n[filesystem]\nwriteable = ["src"]\n')
    got = w.run(w.SBX, '--config', file, '--', w.PROBE, 'write', w.ws('ran.txt'), 'x')
    equal(got.code, 125, got)
    check('wrong.toml:4:1' in got.errors and 'writeable' in got.errors and '"writable"' in got.errors and
          '^' in got.errors, got)
    equal(w.read(w.ws('ran.txt')), None, 'the command did not run')
    w.write(file, 'backend = "none"\n\n[filesystem]\nwritable = ["src"]\n')
    got = w.run(w.SBX, '--quiet', '--config', file, '--', w.PROBE, 'exit', '5')
    equal(got.code, 5, 'control: %s' % got)


@case('wrong configuration of every kind ends with 125, a place, and no run', backends=('none',))
def wrong_configuration(w):
    wrong = {
        'type': ('network = 3\n', ':1:'),
        'word': ('backend = "none"\nnetwork = "offf"\n', ':2:'),
        'duplicate': ('backend = "none"\nbackend = "none"\n', ':2:'),
        'syntax': ('backend = "none"\n[filesystem\n', ':2:'),
        'nul': ('backend = "no\0ne"\n', ':1:'),
        'utf8': (b'backend = "\xff"\n', ':1:'),
        'deep': ('x = ' + '[' * 100000 + '\n', ':1:'),
        'variable': ('[filesystem]\nwritable = ["${NO_SUCH_VARIABLE_HERE}"]\n', ':2:'),
        'duration': ('[limits]\ntime = "10 parsecs"\n', ':2:'),
    }
    for name, (text, place) in wrong.items():
        file = w.ws('wrong-' + name + '.toml')
        w.write(file, text)
        got = w.run(w.SBX, '--config', file, '--', w.PROBE, 'write', w.ws('ran.txt'), 'x')
        equal(got.code, 125, '%s: %s' % (name, got))
        check('wrong-' + name + '.toml' + place in got.errors, '%s: %s' % (name, got))
        equal(w.read(w.ws('ran.txt')), None, name)
    file = w.ws('big.toml')
    w.write(file, '# ' + 'x' * (10 << 20) + '\nbackend = "none"\n')
    got = w.run(w.SBX, '--quiet', '--config', file, '--', w.PROBE, 'exit', '5')
    check(got.code == 5 or (got.code == 125 and 'big.toml' in got.errors), 'ten megabytes: %s' % got)


@case('a configuration inside the workspace is not read on its own', backends=('none',))
def planted_configuration(w):
    w.write(w.ws('sbx.toml'), 'no_such_key = 1\n')
    equal(w.sandboxed('exit', '5').code, 5)
    equal(w.run(w.SBX, '--config', w.ws('sbx.toml'), '--', w.PROBE, 'exit', '5').code, 125, 'control')


PLUGIN = 'C:\\Program Files\\plugin\\sbx.exe'


@case('broken backends are refused, the command does not run', backends=('none',))
def broken(w):
    import os
    folder = w.unix('C:\\Program Files\\plugin\\backends')
    if not os.path.isdir(folder):
        raise Skip('the broken backends are not built')
    names = sorted(name[:-4] for name in os.listdir(folder) if name.startswith('broken-'))
    check(len(names) > 5, names)
    equal(w.run(PLUGIN, '--backend', 'none', '--quiet', '--', w.PROBE, 'exit', '5').code, 5, 'control')
    names.remove('broken-sound')  # it breaks nothing: what the others are compared with
    names.remove('broken-lie')  # nor does this one break a rule: what it claims is for doctor to measure
    equal(w.run(PLUGIN, '--backend', 'broken-sound', '--quiet', '--', w.PROBE, 'exit', '5').code, 5, 'control')
    # these break no rule either, they tell what is missing
    says = {'broken-unavailable': 'sbxd: service', 'broken-busy': 'all are at work', 'broken-refused': 'it is damaged'}
    for name in names:
        got = w.run(PLUGIN, '--backend', name, '--', w.PROBE, 'write', w.ws('ran.txt'), 'x', timeout=60)
        equal(got.code, 125, got)
        check(says.get(name, name) in got.errors, got)
        equal(w.read(w.ws('ran.txt')), None, 'the command ran: %s' % got)
    shown = w.run(PLUGIN, 'backends', '--json', timeout=120)
    json.loads(shown.text)
    for name in names:
        check(name in shown.text, '%s is not listed' % name)


@case('missing, garbage and foreign backend files are refused', backends=('none',))
def not_backends(w):
    import os
    import shutil
    target = w.unix('C:\\Program Files\\odd')
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(w.unix('C:\\Program Files\\sbx'), target)
    sbx = 'C:\\Program Files\\odd\\sbx.exe'
    w.write('C:\\Program Files\\odd\\backends\\garbage.dll', b'MZ' + bytes(range(256)) * 40)
    w.write('C:\\Program Files\\odd\\backends\\empty.dll', b'')
    image = bytearray(w.read('C:\\Program Files\\odd\\backends\\none.dll'))
    at = int.from_bytes(image[0x3c:0x40], 'little')
    image[at + 4:at + 6] = (0x14c).to_bytes(2, 'little')
    w.write('C:\\Program Files\\odd\\backends\\foreign.dll', bytes(image))
    for name in ('garbage', 'empty', 'foreign', 'missing', '..\\none', 'a b'):
        got = w.run(sbx, '--backend', name, '--', w.PROBE, 'write', w.ws('ran.txt'), 'x')
        equal(got.code, 125, got)
        check(name in got.errors or '--backend' in got.errors, got)
        equal(w.read(w.ws('ran.txt')), None, name)
    os.remove(os.path.join(target, 'backends', 'none.dll'))
    equal(w.run(sbx, '--backend', 'none', '--', w.PROBE, 'exit', '0').code, 125)


@case('plan, backends, config show and help work', backends=('none',))
def verbs(w):
    for words in (('plan', '--backend', 'none'), ('plan', '--backend', 'none', '--json'), ('backends',),
                  ('backends', '--json'), ('config', 'show'), ('--version',), ('--help',), ('help', 'run')):
        got = w.run(w.SBX, *words)
        equal(got.code, 0, got)
        check(got.text.strip(), got)
        if '--json' in words:
            json.loads(got.text)


@case('where restricted tokens are not enforced, unelevated refuses', backends=('refusal',), worlds=('stock',))
def refusal(w):
    got = w.run(w.SBX, '--backend', 'unelevated', '--', w.PROBE, 'write', w.ws('ran.txt'), 'x')
    equal(got.code, 125, got)
    check('restrict' in got.errors.lower(), got)
    equal(w.read(w.ws('ran.txt')), None, 'the command ran')
