"""The process tree: nothing outlives the command unless it is asked to, limits hold."""
import json
import os
import subprocess

from harness import EVERY, Failure, Skip, case, check, end_group, equal, fields


def watched(w, action, count, *command, **how):
    return w.probe('watch', action, str(count), '--', *command, **how)


def ways(w):
    """How a child is started; a restricted process may not be able to make the console of a hidden one."""
    hidden = w.backend == 'none' or w.reading('console', 'inherited', 'made') == 'made'
    if not hidden:
        w.unjudged.append('a hidden child, which cannot make its console here')
    return ('plain', 'detached', 'group', 'double') + (('hidden',) if hidden else ())


def in_sandbox(w, action, count, *command, options=(), **how):
    return watched(w, action, count, w.SBX, *w.options(*options), '--', *command, **how)


@case('killing sbx ends the tree', EVERY)
def killed(w):
    control = watched(w, 'kill', 2, w.PROBE, 'tree', 'plain', 'stay')
    check(fields(control.text, 'alive'), 'control: %s' % control)
    for how in ways(w):
        got = in_sandbox(w, 'kill', 2, w.PROBE, 'tree', how, 'stay')
        check('exit 0x00000063' in got.text and 'gone 2 of 2' in got.text, '%s: %s' % (how, got))


@case('the end of the command ends what it left in the background', EVERY)
def left(w):
    for how in ways(w):
        got = in_sandbox(w, 'go', 2, w.PROBE, 'tree', how, 'exit')
        check('exit 0x00000000' in got.text and 'gone 2 of 2' in got.text, '%s: %s' % (how, got))
    w.write(w.ws('background.cmd'), '@start /b %s leaf\r\n@%s tree plain exit\r\n' % (w.PROBE, w.PROBE))
    try:
        control = watched(w, 'go', 3, 'cmd', '/c', 'background.cmd', timeout=20)
    except Failure as failure:  # it waits for a process that was not started
        control = failure
    if 'seen 3' not in getattr(control, 'text', ''):
        raise Skip('start /b starts nothing here, unsandboxed either; the other ways were judged: %s' % control)
    got = in_sandbox(w, 'go', 3, w.ws('background.cmd'))
    check('seen 3' in got.text and 'gone 3 of 3' in got.text, 'start /b: %s' % got)


@case('a child cannot break away from the job', EVERY)
def breakaway(w):
    control = watched(w, 'kill', 2, w.PROBE, 'tree', 'breakaway', 'stay')
    check('seen 2' in control.text, 'control: outside of a job it can: %s' % control)
    got = in_sandbox(w, 'go', 1, w.PROBE, 'tree', 'breakaway', 'exit', timeout=30)
    check('error 5' in got.text and 'gone 1 of 1' in got.text, got)


@case('sbx works in the job of another program', EVERY)
def in_a_job(w):
    outer = (w.SBX, '--backend', 'none', '--quiet', '--')
    equal(w.run(*outer, w.PROBE, 'exit', '7').code, 7, 'control')
    got = w.run(*outer, w.SBX, *w.options(), '--', w.PROBE, 'exit', '7')
    equal(got.code, 7, got)


@case('sbx in a job of somebody else, and jobs that the command makes', EVERY, ('lab', 'native'))
def nested_jobs(w):
    inner = w.PROBE, 'injob', '0', '--', w.PROBE, 'exit', '7'
    equal(w.probe('injob', '1', '--', *inner).text, 'error 50\nexit 0x00000001\n', 'control: not where it limits the UI')
    equal(w.sbx(*inner).text, 'exit 0x00000007\n', 'as node and bun do with all that they start')
    equal(w.probe('injob', '0', '--', w.SBX, *w.options(), '--', *inner).text,
          'exit 0x00000007\nexit 0x00000000\n', 'three deep')
    got = w.probe('injob', '1', '--', w.SBX, *w.options(), '--', w.PROBE, 'exit', '7')
    check('exit 0x0000007d' in got.text and 'sbx itself runs in a job' in got.errors, got)


@case('--time ends the tree with 124', EVERY)
def time_limit(w):
    # all of it has to be started before the limit, on a busy machine too
    got = in_sandbox(w, 'wait', 2, w.PROBE, 'tree', 'double', 'stay',
                     options=('--time', '6s', '--report', w.ws('report.json')))
    check('exit 0x0000007c' in got.text and 'gone 2 of 2' in got.text, got)
    equal(w.sbx(w.PROBE, 'exit', '7', options=('--time', '60s')).code, 7, 'a limit that is not hit')
    report = json.loads(w.read(w.ws('report.json')))
    equal((report['end'], report['exit_code'], report['limit']), ('time', 124, 'time'))


def report_of(w, *arguments, options=()):
    name = w.ws('report.json')
    w.sandboxed(*arguments, options=(*options, '--report', name))
    text = w.read(name)
    check(text, 'no report was written')
    return json.loads(text)


def system_holds(w, limit):
    got = w.probe('limits')
    if limit not in got.text.split():
        raise Skip('this system does not enforce the %s limit of a job' % limit)


@case('--memory holds, and the report names it', EVERY)
def memory_limit(w):
    system_holds(w, 'memory')
    equal(w.sandboxed('commit', '100').code, 0, 'control')
    got = w.sbx(w.PROBE, 'commit', '1000', options=('--memory', '200MiB'))
    equal(got.code, 1, got)
    check(int(got.text.split()[1]) < 200, got)
    report = report_of(w, 'commit', '1000', options=('--memory', '200MiB'))
    equal((report['end'], report['limit'], report['child_exit_code']), ('memory', 'memory', 1), report)


@case('--processes holds, and the report names it', EVERY)
def process_limit(w):
    system_holds(w, 'processes')
    equal(w.sandboxed('fork', '6').code, 0, 'control')
    got = w.sbx(w.PROBE, 'fork', '6', options=('--processes', '4'))
    equal(got.code, 1, got)
    # the host of a hidden console may count as well
    check('started 3 of 6' in got.text or 'started 2 of 6' in got.text, got)
    report = report_of(w, 'fork', '6', options=('--processes', '4'))
    if w.kind == 'lab' and report['limit'] is None:
        w.unjudged.append('whether the report names the limit: the lab sends no message when a job reaches it')
    else:
        equal((report['end'], report['limit']), ('processes', 'processes'), report)


@case('--cpu is a hard limit of the job, read back inside', EVERY, ('lab', 'native'))
def cpu_limit(w):
    equal(w.sandboxed('job').text.count('cpu'), 0, 'control')
    # JOB_OBJECT_CPU_RATE_CONTROL_ENABLE and _HARD_CAP; hundredths of a percent
    got = w.sbx(w.PROBE, 'job', options=('--cpu', '30'))
    check('cpu 3000 0x5' in got.text, got)
    equal(w.sandboxed('exit', '7', options=('--cpu', '101')).code, 125)


def interrupt(w, action, *command, errors=False):
    """`watch` on a terminal of its own, so that there is a console to interrupt."""
    import pty
    if w.kind == 'native':
        raise Skip('the test runner has no console of its own')
    master, slave = pty.openpty()
    process = w.start((w.PROBE, 'watch', action, '1', '--', *command), stdin=slave, stdout=slave,
                      stderr=slave if errors else subprocess.DEVNULL)
    os.close(slave)
    seen = b''
    try:
        while b' ms' not in seen:
            part = os.read(master, 4096)
            if not part:
                break
            seen += part
    except OSError:
        pass
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        end_group(process)
        raise Failure('still running: %r' % seen)
    finally:
        os.close(master)
    return seen.decode('latin-1')


@case('Ctrl-C once ends a command that does not handle it', worlds=('lab', 'stock'))
def ctrl_c(w):
    control = interrupt(w, 'ctrl-c', w.PROBE, 'leaf')
    if 'no console event' in control or 'gone 1 of 1' not in control:
        raise Skip('no console event reaches a program here: %r' % control)
    got = interrupt(w, 'ctrl-c', w.SBX, *w.options(), '--', w.PROBE, 'leaf')
    check('gone 1 of 1' in got, got)


@case('Ctrl-C twice ends a command that ignores it', EVERY, ('lab', 'stock'))
def ctrl_c_twice(w):
    control = interrupt(w, 'ctrl-c', w.PROBE, 'leaf')
    if 'no console event' in control or 'gone 1 of 1' not in control:
        raise Skip('no console event reaches a program here: %r' % control)
    got = interrupt(w, 'ctrl-c2', w.SBX, '--backend', w.backend, '--grace', '30s', '--', w.PROBE, 'ignore', errors=True)
    check('first survived' in got, 'the first one is the command\'s to handle: %r' % got)
    check('gone 1 of 1' in got, got)
    check('interrupted: ' in got, got)


@case('many launches leave no process and no file')
def many(w):
    folders = [w.profile + '\\AppData', w.workspace, 'C:\\ProgramData']
    if w.kind == 'native':  # others write there all the time
        folders = [w.profile + '\\AppData\\Local\\sbx', w.profile + '\\AppData\\Roaming\\sbx', w.workspace,
                   'C:\\ProgramData\\sbx']

    def inventory():
        found = set()
        for top in folders:
            for folder, below, files in os.walk(w.unix(top)):
                found.update(os.path.join(folder, name) for name in below + files)
        return found
    w.sandboxed('exit', '0')  # the first one may create the state folder
    before = inventory()
    runs = 1000 if w.long_run else 60
    got = w.probe('repeat', str(runs), '--', w.SBX, *w.options(), '--', w.PROBE, 'exit', '0', timeout=1200)
    numbers = got.text.split()
    check(got.code == 0 and numbers[0] == 'runs', got)
    equal(numbers[3], '0', 'failed launches: %s' % got)
    check(int(numbers[6]) <= int(numbers[5]), 'processes before and after: %s' % got)
    equal(sorted(inventory() - before), [], 'files left behind')


@case('a report that the command has made itself, read-only or in the way, does not stay', ('unelevated',), ('lab', 'native'))
def forged_report(w):
    lines = 'echo forged> report.json & attrib +r report.json & exit 3'
    got = w.sbx('cmd', '/d', '/c', lines)
    equal((got.code, w.read(w.ws('report.json'))[:6]), (3, b'forged'), 'control')
    os.chmod(w.unix(w.ws('report.json')), 0o666)
    os.remove(w.unix(w.ws('report.json')))
    got = w.sbx('cmd', '/d', '/c', lines, options=('--report', 'report.json'))
    equal(got.code, 3, got)
    equal(json.loads(w.read(w.ws('report.json')))['child_exit_code'], 3)
