"""A terminal under a backend whose commands have another account: as if sbx were not there."""
import re

from cases.elevated import set_up, there
from cases.tree import interrupt
from harness import case, check, equal
from terminal import Terminal


def line(text, word):
    """The words behind the first one, in what a terminal has shown."""
    found = re.search(r'(?:^|\n|\x1b\[\?25[lh]|\x1b\[m)%s ([^\x1b\r\n]*)' % word, text)
    return found.group(1).split() if found else None


@case('at a terminal: prompt, what is typed, UTF-8, the exit code, and the console afterwards', ('elevated',), ('lab',),
      readings=('console', 'runner-job'))
def shell(w):
    with set_up(w), Terminal(w, ['cmd', '/d']) as t:
        t.wait('windows>')
        t.type('%s modes\r' % w.PROBE)
        before = line(t.wait('windows>'), 'modes')
        check(before, 'control: the modes of the console: %r' % t.seen)
        t.type('"%s" %s -- cmd /d\r' % (w.SBX, ' '.join(w.options('--read-only'))))
        t.wait('/d')
        t.wait('windows>')
        t.type('set USERNAME\r')
        check('sbx1-off01' in t.wait('windows>'), 'it is another account: %r' % t.seen)
        t.type('echo gr\u00fc\u00df \u20ac\r')
        shown = t.wait('windows>')
        equal(shown.count('gr\u00fc\u00df \u20ac'), 2, 'typed and shown: %r' % shown)
        t.type('dir /b system.ini\r')
        check('system.ini' in t.wait('windows>').replace('dir /b system.ini', ''), t.seen)
        t.type('exit 5\r')
        t.wait('windows>')
        t.type('echo code %errorlevel%\r')
        t.wait('code %errorlevel%')
        check('code 5' in t.wait('windows>'), t.seen)
        t.type('%s modes\r' % w.PROBE)
        t.wait('modes')
        equal(line(t.wait('windows>'), 'modes'), before, 'modes and code pages')
        t.type('exit 3\r')
        equal(t.end(), 3)
    w.unjudged.append('a window that changes its size: a pseudo console of Wine does not')


@case('Ctrl-C at a terminal: once the command sees it, twice in a row it ends', ('elevated',), ('lab',))
def interrupts(w):
    with set_up(w):
        with Terminal(w, [w.PROBE, 'terminal']) as t:
            t.end()
            check(re.search(r'host there 3f self 3f', t.seen.decode()), 'control: a host that is open: %r' % t.seen)
        with Terminal(w, [w.SBX, '--backend', w.backend, '--read-only', '--', w.PROBE, 'terminal', 'stay']) as t:
            told = t.wait('ready')
            equal(line(told, 'consoles'), ['1', '1', '1'], told)
            equal(line(told, 'size'), ['100', '30'], told)
            equal(line(told, 'host'), ['there', '0', 'self', '3f'], 'the host of the terminal is closed')
            t.type('\x03')
            t.wait('event 0')
            t.type('x\x03')  # typed on: the first one was heeded
            t.wait('event 0')
            equal(t.process.poll(), None, 'it goes on')
            t.type('\x03')
            t.wait('interrupted')
            equal(t.end(), 0xC000013A & 0xFF)


@case('streams of which one is a terminal: that one alone', ('elevated',), ('lab',))
def mixed(w):
    with set_up(w):
        w.write('C:\\users\\Public\\in.txt', 'sent\r\n')
        for streams, consoles in (({'stdout': 'wb'}, '1 0 1'), ({'stdin': 'rb'}, '0 1 1'),
                                  ({'stdout': 'wb', 'stderr': 'wb'}, '1 0 0'), ({'stdin': 'rb', 'stderr': 'wb'}, '0 1 0')):
            files = {name: open(w.unix('C:\\users\\Public\\' + ('in.txt' if how == 'rb' else name + '.txt')), how)
                     for name, how in streams.items()}
            with Terminal(w, [w.SBX, *w.options('--read-only'), '--', 'cmd', '/d', '/c', w.PROBE, 'terminal', '&', 'exit', '6'],
                          **files) as t:
                equal(t.end(), 6, t.seen)
                told = t.seen.decode()
            for file in files.values():
                file.close()
            if 'stdout' in streams:
                check('ready' not in told, 'what is not for it: %r' % told)
                told = w.read('C:\\users\\Public\\stdout.txt').decode()
            equal(line(told, 'consoles'), consoles.split(), told)
            check('ready' in told, told)


@case('without a terminal: the hidden console of its runner, whose host is closed, and Ctrl-C', ('elevated',), ('lab',))
def hidden(w):
    with set_up(w):
        told = there(w, w.PROBE, 'terminal').text
        equal(line(told, 'consoles'), ['0', '0', '0'], told)
        equal(line(told, 'host'), ['there', '0', 'self', '3f'], told)
        wanted = re.search('exit 0x[0-9a-f]+', interrupt(w, 'ctrl-c', w.PROBE, 'leaf')).group()
        check(wanted != 'exit 0xc000013a', 'control: it is not what sbx ends a tree with')
        for errors in (False, True):  # the second time standard error is a terminal, and Ctrl-C still a signal
            got = interrupt(w, 'ctrl-c', w.SBX, '--backend', w.backend, '--grace', '40s', '--', w.PROBE, 'leaf', errors=errors)
            check(wanted in got and 'interrupted' not in got, 'the command has seen it: %r' % got)
