"""`sbx compare`: what it measures, what it leaves, and what it tells of claims that are false."""
import os
import subprocess
import tempfile

from harness import Failure, Skip, case, check, end_group, equal
from schema import held

COLUMNS = 100


def place(w):
    return w.unix(w.profile + '\\Temp')


def nothing_left(w, before):
    equal([name for name in os.listdir(place(w)) if name.startswith('sbx-compare')], [], 'copies')
    equal(w.run(w.SBX, 'status', '--json').text, before, 'left behind')


# tells where it is; changes what it may; writes where, inside, it may not; differs by what it can
COMMAND = '''@echo off
echo %CD%
echo made> made.txt
echo more>> old.txt
del gone.txt
PROBE write %1 x
exit /b 3
'''


@case('compare: a command through a backend, side by side with itself', ('unelevated', 'accounts'), ('lab',))
def side_by_side(w):
    if w.backend == 'elevated' and not w.long_run:
        raise Skip('with --long')
    before = w.run(w.SBX, 'status', '--json').text
    w.write(w.ws('work.bat'), COMMAND.replace('PROBE', w.PROBE).replace('\n', '\r\n'))
    w.write(w.ws('old.txt'), 'old\r\n')
    w.write(w.ws('gone.txt'), 'gone\r\n')
    w.write(w.ws('a folder\\\u00e4.txt'), 'kept')
    os.symlink('/etc', w.unix(w.ws('link')))
    w.write(w.profile + '\\Temp\\sbx-compare\\ws\\left', 'by one that was killed')
    got = w.run(w.SBX, 'compare', '--backends', w.backend, '--runs', '1', '--json', 'c.json', '--html', 'r.html', '--',
                '.\\work.bat', w.profile + '\\outside.txt')
    equal(got.code, 0, got)
    nothing_left(w, before)
    equal((w.read(w.ws('old.txt')), w.read(w.ws('gone.txt')), w.read(w.ws('made.txt'))), (b'old\r\n', b'gone\r\n', None),
          'the workspace is as it was')
    check(w.read(w.profile + '\\outside.txt') is not None, 'control: written without sbx')
    told = held('compare', w.read(w.ws('c.json')).decode())
    equal((told['complete'], told['exit_code'], [b['name'] for b in told['backends']], told['findings']), (True, 0, [w.backend], []))
    without, within = told['without']['command'], told['backends'][0]['command']
    changed = {'created': ['made.txt'], 'changed': ['old.txt'], 'deleted': ['gone.txt']}
    equal((without['files'], within['files'], within['unlike']), (changed, changed, []))
    equal((without['exit_code'], within['exit_code']), (3, 3))
    difference = within['first_difference']
    equal((within['output'], difference['stream'], difference['line'], difference['within']), ('differs', 'standard output', 2, 'error 5'),
          difference)
    equal(told['backends'][0]['verdict'], 'as claimed')
    check(all(times['median_us'] > 0 for times in (told['without']['launch'], without['times'], within['times'])), told)
    check(max(map(len, got.text.splitlines())) <= COLUMNS and 'enforced: ' in got.text and 'differs' in got.text, got)
    check(b'<h1>Backends compared</h1>' in w.read(w.ws('r.html')), 'the page')


@case('compare: wrong use is told before anything runs', ('none',), ('lab', 'stock'))
def wrong_use(w):
    for options, said in ((('--backends', 'nobody'), 'nobody'), (('--runs', '0'), '1 to 99'), (('--runs', '1x'), '1 to 99'),
                          (('--json', 'no\\such\\folder.json'), 'no\\such'), (('--', 'no-such-program-here'), 'no-such-program-here')):
        got = w.run(w.SBX, 'compare', *options)
        equal(got.code, 127 if options[0] == '--' else 125, got)
        check(said in got.errors and not got.text, got)
    with open(w.unix(w.ws('large')), 'wb') as file:
        file.truncate((1 << 30) + 1)
    got = w.run(w.SBX, 'compare', '--backends', 'none', '--', w.PROBE, 'exit', '0')
    equal(got.code, 125, got)
    check('1.00 GiB' in got.errors and '--in-place' in got.errors, got)
    equal([name for name in os.listdir(place(w)) if name.startswith('sbx-compare')], [])


def interrupt(w, file, *command):
    """Ctrl-C on a console of their own, as soon as something is in the file; what they print."""
    import pty
    master, slave = pty.openpty()
    with tempfile.TemporaryFile() as out:
        process = w.start((w.PROBE, 'interrupt', file, '--', *command), stdin=slave, stdout=out, stderr=subprocess.DEVNULL)
        os.close(slave)
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            end_group(process)
            raise Failure('still running: %r' % (command,))
        finally:
            os.close(master)
        out.seek(0)
        return out.read().decode()


@case('compare: Ctrl-C leaves nothing, and what was measured is said to be a part', ('unelevated',), ('lab',))
def interrupted(w):
    before = w.run(w.SBX, 'status', '--json').text
    w.write(w.ws('stay.bat'), '@%s write %%1 x\r\n@if errorlevel 1 %s leaf\r\n' % (w.PROBE, w.PROBE))
    stages = [('without', 'C:\\no\\such\\folder\\x')]
    if w.long_run:  # inside it stays, without sbx it ends
        stages.append(('within', w.profile + '\\outside.txt'))
    for stage, file in stages:
        seen = interrupt(w, '%s\\Temp\\sbx-compare\\%s.1' % (w.profile, stage), w.SBX, 'compare', '--backends', w.backend, '--runs', '1',
                         '--json', w.profile + '\\c.json', '--', '.\\stay.bat', file)
        check('partial: ' in seen and 'exit 0x0000007d' in seen, seen)
        told = held('compare', w.read(w.profile + '\\c.json').decode())
        equal((told['complete'], told['exit_code'], len(told['backends'])), (False, 125, int(stage == 'within')))
        nothing_left(w, before)
