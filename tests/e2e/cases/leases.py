"""Which account a command of the elevated backend gets: each run has one alone."""
import os
import selectors
import signal

from harness import Failure, case, check, equal
from cases.elevated import ACCOUNTS, WORLDS, set_up, there
from cases.tree import interrupt

SLOTS, LAUNCHES = 4, 20


def begin(w, *options):
    """A run that says as whom it runs, and then holds the account until a line comes."""
    return w.start([w.SBX, *w.options('--read-only', *options), '--', 'cmd', '/d', '/c', 'whoami& set /p x='],
                   'C:\\windows', stdin=-1, stdout=-1, stderr=-1)


def name_of(process):
    return process.stdout.readline().decode().strip().lower()


def end(process):
    process.communicate(b'\n', timeout=120)
    return process.returncode


@case('20 launches at once and 4 accounts: all run, and none is where another one is', ACCOUNTS, WORLDS)
def crowd(w):
    with set_up(w, SLOTS):
        running = [begin(w) for _ in range(LAUNCHES)]
        waiting = selectors.DefaultSelector()
        for process in running:
            waiting.register(process.stdout, selectors.EVENT_READ, process)
        held, ran = {}, []
        while len(ran) < LAUNCHES:
            for key, _ in waiting.select(timeout=300):
                name = name_of(key.data)
                waiting.unregister(key.fileobj)
                if not name.startswith('vm\\sbx1-off0'):
                    raise Failure('it did not run: %r %r' % (name, key.data.communicate(timeout=60)))
                check(name not in held, 'two runs are in %s' % name)
                held[name] = key.data
                ran.append(name)
            if len(held) == SLOTS or len(ran) == LAUNCHES:  # none is let go while another account is free
                for name, process in list(held.items()):
                    del held[name]
                    end(process)
        equal(len(set(ran)), SLOTS, 'as many accounts as there are: %s' % ran)


@case('the account of a workspace stays its own; who finds none waits, is refused, or takes that of one that was killed',
      ACCOUNTS, WORLDS)
def turns(w):
    def whoami(folder):
        got = w.sbx('whoami', cwd=w.ws(folder))
        equal(got.code, 0, got)
        return got.text.strip().lower()

    with set_up(w, 2):
        for folder in ('a', 'b'):
            os.mkdir(w.unix(w.ws(folder)))
        first, second = whoami('a'), whoami('b')
        check(first != second, 'another workspace, another account')
        equal([whoami('b'), whoami('a'), whoami('b')], [second, first, second])

        holders = [begin(w), begin(w)]
        equal({name_of(process) for process in holders}, {first, second})
        got = there(w, 'whoami', options=('--wait', '0s'))
        equal((got.code, got.text), (125, ''), got)
        check('all of its 2 accounts without a network are at work' in got.errors, got)
        check('sbx setup --slots 4' in got.errors, got)
        got = w.run(w.SBX, 'status')
        equal(sum(line.split()[:2] == ['account', 'active'] for line in got.text.splitlines()), 2, got)
        got = interrupt(w, 'ctrl-c-told', w.SBX, '--backend', 'elevated', '--read-only', '--', 'whoami')
        check('Ctrl-C ends the wait' in got and 'gone 1 of 1' in got and 'sbx1-o' not in got, got)
        late = w.start([w.SBX, '--backend', 'elevated', '--read-only', '--', 'whoami'], 'C:\\windows', stdin=-1, stdout=-1,
                       stderr=-1)
        line = late.stderr.readline().decode()
        check('are at work: waiting, 600 s at most; Ctrl-C ends the wait' in line, line)
        os.killpg(holders[0].pid, signal.SIGKILL)  # not asked: its account is free all the same
        got = late.communicate(timeout=120)[0].decode().strip().lower()
        check(got in (first, second), got)
        equal(end(holders[1]), 0)
        # one that was killed and whose account nobody had since: told, and undone
        before = w.probe('session').text
        last = begin(w)
        name_of(last)
        opened = w.probe('session').text
        equal([len(set(line.split('(')) - set(first.split('('))) for line, first in zip(opened.split(), before.split())],
              [2] * len(before.split()), 'the account and the run, on each: %s' % opened)
        os.killpg(last.pid, signal.SIGKILL)
        last.communicate(timeout=60)
        got = w.run(w.SBX, 'status')
        check('stale' in [line.split()[1] for line in got.text.splitlines() if line.startswith('account')], got)
        equal(w.run(w.SBX, 'clean', '--stale').code, 0)
        check('account ' not in w.run(w.SBX, 'status').text, 'nothing is left')
        equal(w.probe('session').text, before)
        equal(there(w, 'whoami').code, 0)
        equal(w.probe('session').text, before, 'a run that ends takes its own away')
