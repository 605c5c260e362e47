"""Exit codes and standard handles: as if sbx were not there."""
import hashlib
import os
import subprocess
import time

from harness import EVERY, Failure, case, check, end_group, equal, fields

CODES = (0, 1, 2, 255, 256, 259, 0xC0000005, 0xC000013A, 0xFFFFFFFF)
HUNDRED = 100 << 20


def pattern(count):
    """The probe's test pattern: byte i is i ^ i >> 8 ^ i >> 16."""
    rows = [bytes(j ^ k for j in range(256)) for k in range(256)]
    period = b''.join(rows[(b ^ b >> 8) & 255] for b in range(1 << 16))
    return (period * (count // len(period) + 1))[:count]


@case('sbx without a console, and programs inside: none, or a new one without a window', EVERY, ('lab', 'native'),
      readings=('console',))
def consoles(w):
    inner = 'cmd', '/d', '/c', 'exit 7'
    ran, ended = 'exit 0x00000007\n', 'exit 0xc0000142\n'
    inside = w.reading('console', 'inherited', 'made')
    for kind in ('none', 'hidden'):
        equal(w.probe('console', kind, '--', *inner).text, 'exit 0x00000007\n', 'control: ' + kind)
        equal(w.probe('console', kind, '--', w.SBX, *w.options(), '--', *inner).text, 'exit 0x00000007\n', 'sbx: ' + kind)
        # what a restricted process cannot make is told in the README
        wanted = (ran,) if w.backend == 'none' or kind == 'none' or inside == 'made' else (ended,) if inside else (ran, ended)
        check(w.sandboxed('console', kind, '--', *inner).text in wanted, 'inside: ' + kind)


@case('exit codes pass with all 32 bits', EVERY)
def exit_codes(w):
    for code in CODES if w.backend != 'elevated' else CODES[3::2]:
        if w.backend == 'none':
            equal(w.exit_code(w.PROBE, 'exit', str(code)), code, 'control')
        equal(w.exit_code(w.SBX, *w.options(), '--', w.PROBE, 'exit', str(code)), code, 'through sbx')


@case('a crash keeps its code', EVERY)
def crash(w):
    equal(w.exit_code(w.PROBE, 'crash'), 0xC0000005, 'control')
    equal(w.exit_code(w.SBX, *w.options(), '--', w.PROBE, 'crash'), 0xC0000005, 'through sbx')


@case("sbx's own exit codes: not found, cannot run, wrong use", EVERY)
def own_codes(w):
    w.write(w.ws('text.exe'), 'this is no program\n')
    equal(w.sandboxed('exit', '0').code, 0, 'control')
    for command, code, word in ((['no-such-program-here'], 127, 'no-such-program-here'),
                                ([w.ws('text.exe')], 126, 'text.exe')):
        got = w.sbx(*command)
        equal(got.code, code, got)
        check(word in got.errors, got)
        equal(got.out, b'', 'nothing on stdout')
    got = w.run(w.SBX, '--backend', w.backend, '--no-such-option', '--', w.PROBE, 'exit', '0')
    equal(got.code, 125, got)
    check('--no-such-option' in got.errors, got)
    got = w.run(w.SBX, '--backend', 'no-such-backend', '--', w.PROBE, 'exit', '0')
    equal(got.code, 125, got)


@case('100 MB out of stdout, byte for byte', EVERY)
def much_out(w):
    wanted = hashlib.sha256(pattern(HUNDRED)).hexdigest()
    for run in (w.probe, w.sandboxed):
        got = run('gen', str(HUNDRED), pipes=True)
        equal((got.code, len(got.out), got.err), (0, HUNDRED, b''))
        equal(hashlib.sha256(got.out).hexdigest(), wanted)


@case('100 MB into stdin, byte for byte', EVERY)
def much_in(w):
    data = pattern(HUNDRED)
    for run in (w.probe, w.sandboxed):
        got = run('eat', stdin=data, pipes=True)
        equal((got.code, got.text), (0, '%d bytes\n' % HUNDRED), got)
    broken = data[:5000] + b'?' + data[5001:10000]
    equal(w.sandboxed('eat', stdin=broken).code, 1, 'a wrong byte is noticed')


@case('stdin from a file, stdout to a file', EVERY)
def files(w):
    data = pattern(3 << 20)
    w.write(w.ws('in.bin'), data)
    with open(w.unix(w.ws('in.bin')), 'rb') as source, open(w.unix(w.ws('out.bin')), 'wb') as target:
        process = w.start((w.SBX, *w.options(), '--', w.PROBE, 'cat'), stdin=source, stdout=target)
        equal(process.wait(120), 0)
    check(w.read(w.ws('out.bin')) == data, 'the file differs')


@case('a closed stdin is the end of the input', EVERY)
def closed(w):
    for stream in (subprocess.DEVNULL, subprocess.PIPE):
        process = w.start((w.SBX, *w.options(), '--', w.PROBE, 'eat'), stdin=stream, stdout=subprocess.PIPE)
        out, _ = process.communicate(timeout=60)
        equal(out.replace(b'\r', b''), b'0 bytes\n')


@case('stdout and stderr together do not block each other', EVERY)
def both(w):
    for run in (w.probe, w.sandboxed):
        got = run('both', '4000', pipes=True)
        equal((got.code, got.out.count(b'o'), got.err.count(b'e')), (0, 4000 * 4096, 4000 * 4096))


@case('a background grandchild that holds stdout does not delay the exit', EVERY)
def holds(w):
    control = w.probe('watch', 'go', '2', '--', w.PROBE, 'tree', 'plain', 'exit')
    check(fields(control.text, 'alive'), 'control: unsandboxed, the grandchild stays: %s' % control)
    got = w.probe('watch', 'go', '2', '--', w.SBX, *w.options(), '--', w.PROBE, 'tree', 'plain', 'exit')
    check('exit 0x00000000' in got.text, got)
    check('gone 2 of 2' in got.text, got)


@case('--keep-children leaves the background child')
def keep(w):
    got = w.probe('watch', 'go', '2', '--', w.SBX, *w.options('--keep-children'), '--', w.PROBE, 'tree', 'plain', 'exit')
    check('exit 0x00000000' in got.text and fields(got.text, 'alive'), got)


@case('exactly the three standard handles are inherited', EVERY)
def handles(w):
    def count(result):
        text = fields(result.text, 'mutexes')
        check(text is not None, result)
        return int(text)
    base = count(w.probe('mutexes'))
    equal(count(w.probe('leak', '--', w.PROBE, 'mutexes')), base + 1, 'control: an inheritable handle is inherited')
    alone = count(w.sandboxed('mutexes'))
    equal(count(w.probe('leak', '--', w.SBX, *w.options(), '--', w.PROBE, 'mutexes')), alone, 'through sbx')


@case('an interactive terminal: the output arrives, the input too', worlds=('stock',))
def terminal(w):
    import pty
    import select
    import tty
    master, slave = pty.openpty()
    tty.setraw(slave)
    process = w.start((w.SBX, *w.options(), '--', 'cmd', '/c', 'set /p line=name? & call echo got-%line%-'),
                      stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    seen, asked, deadline = b'', False, time.monotonic() + 30
    while b'got-' not in seen:
        if time.monotonic() > deadline:
            end_group(process)
            raise Failure('nothing more from the terminal: %r' % seen)
        if not select.select([master], [], [], 1)[0]:
            continue
        try:
            seen += os.read(master, 4096)
        except OSError:
            break
        if b'name?' in seen and not asked:
            asked = True
            os.write(master, b'zoe\r')
    process.wait(30)
    os.close(master)
    check(b'got-zoe-' in seen, seen)
