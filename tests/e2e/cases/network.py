"""Off the network under elevated: by the kernel's filters, proven at each launch, with a listener outside as witness."""
import glob
import os
import re
import socket
import tempfile
import time

from cases.elevated import ACCOUNTS, WORLDS, administrator, as_administrator, set_up, there
from harness import case, check, equal

NET = 'C:\\probe\\sbx-net.exe'
FIRST_HOUR = 'C:\\probe\\sbx-first-hour.exe'
HOSTS = ('127.0.0.1', '::1', '192.0.2.1', '2001:db8::1')


def heard(w):
    with open(w.listener + '/log') as log:
        return set(log.read().split('\n'))


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def wait_heard(w, lines):
    return wait_for(lambda: set(lines) <= heard(w))


def talks(w, word):
    """Ways to the listener, and what it hears of them."""
    ways, lines = [], []
    for host in HOSTS:
        for kind in ('tcp', 'udp'):
            name = kind + ('6' if ':' in host else '4')
            ways.append('%s,%s,%s,%s-%s-%d' % (kind, host, w.listener_port, word, name, HOSTS.index(host)))
            lines.append('%s %s-%s-%d' % (name, word, name, HOSTS.index(host)))
    return ways, lines


def verdicts(got):
    return {line.rsplit(' ', 2)[0] if ' error ' in line else line.rsplit(' ', 1)[0]:
            line.split(' ', 1)[1] for line in got.text.splitlines()}


def asked(got):
    """Results and readings of the probes for Windows; of two that begin alike the later one."""
    told = {}
    for line in got.text.splitlines():
        name, _, tried, result, reading = [part.strip() for part in line.split('|')]
        told[' '.join([name] + tried.split()[:2])] = result.split(': ')[-1]
        told.update([reading.split('=')] if reading else [])
    return told


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


@case('off the network: TCP, UDP, listening, echo, by IPv4 and IPv6, whatever token a program makes', ACCOUNTS, WORLDS,
      readings=('wfp-token', 'wfp-not-equal', 'ale-token'))
def off(w):
    local = ['listen,127.0.0.1,0', 'listen,::1,0', 'serve,127.0.0.1,%d' % free_port(), 'ping,127.0.0.1', 'ping,192.0.2.1']
    ways, lines = talks(w, 'free')
    got = w.run(NET, *ways, *local)
    equal(verdicts(got), dict.fromkeys(ways + local, 'ok'), got)
    check(wait_heard(w, lines), 'control: %s' % lines)
    with set_up(w):
        begin = time.monotonic()
        for kind in ((), ('as=disowned',), ('as=restricted',), ('as=both',), ('as=anonymous',)):
            ways, lines = talks(w, 'off' + ''.join(kind)[3:])
            got = there(w, NET, *kind, *ways, *local)
            refused = {way: 'error 11050' if way.startswith('ping') else 'error 10013' for way in ways + local}
            if kind == ('as=anonymous',):  # what it listens with and pings is not the thread's affair
                refused = {way: refused[way] for way in ways}
                equal({way: text for way, text in verdicts(got).items() if way in ways}, refused, got)
            else:
                equal(verdicts(got), refused, got)
            check(not set(lines) & heard(w), 'nothing of it arrives')
        check(time.monotonic() - begin < 100, 'refused at once')
        ways, lines = talks(w, 'on')
        got = there(w, NET, *ways, *local, options=('--network', 'on'))
        equal(verdicts(got), dict.fromkeys(ways + local, 'ok'), got)
        check(wait_heard(w, lines), lines)
        ways = talks(w, 'user')[0]
        got = w.run(NET, *ways, *local)  # nobody else is cut off
        equal(verdicts(got), dict.fromkeys(ways + local, 'ok'), got)
        got = there(w, 'node', '-e', "require('net').connect(%s, '127.0.0.1').on('error', e => console.log(e.code))"
                    % w.listener_port)
        equal(got.text.strip(), 'EACCES', got)
        # what is told to stay open is, a raw endpoint is not; a filter is as the reading says (tests/windows)
        told = asked(there(w, FIRST_HOUR, 'network', 'elevated', 'C:\\windows'))
        equal([told[name] for name in ('E7 DnsQuery without', 'redirector open a', 'E1 IPv4: a')],
              ['answered', 'ok', 'socket error 10013'], told)
        with administrator(w):
            told = asked(w.run(FIRST_HOUR, 'network', 'here', w.ws('')))
        equal((told['E1 IPv4: a'], told['wfp-not-equal']), ('bind ok', w.reading('wfp-not-equal', 'no', 'yes')), told)
        check(told['E1 LocalUserAuthorizedList of'].startswith('O:LSD:(A;;CC;;;S-1-5-21-'), told)


@case('ports of this machine that setup opened: these, and not their neighbours', ACCOUNTS, WORLDS, readings=('wfp-token', 'wfp-not-equal', 'ale-token'))
def loopback(w):
    port = int(w.listener_port)
    with set_up(w):
        as_administrator(w, w.SBX, 'setup', '--loopback', '%d,3000-3009' % port, 'elevated')
        ways, lines = talks(w, 'port')
        got = there(w, NET, *ways, 'serve,127.0.0.1,3000', 'serve,::1,3009', 'listen,127.0.0.1,3010', 'listen,::1,2999',
                    options=('--loopback', '3000-3001'))
        open_ways = [way for way in ways if '127.0.0.1' in way or ',::1,' in way] + ['serve,127.0.0.1,3000',
                                                                                   'serve,::1,3009']
        equal({way for way, text in verdicts(got).items() if text == 'ok'}, set(open_ways), got)
        equal({text for text in verdicts(got).values()}, {'ok', 'error 10013'}, got)
        got = there(w, 'cmd', '/d', '/c', 'echo ran', options=('--loopback', '8080'))
        equal((got.code, got.text), (125, ''), got)
        check('sbx setup --loopback' in got.errors and '8080' in got.errors, got)
        # asked for otherwise: just that from then on; without the option it stays
        as_administrator(w, w.SBX, 'setup', '--loopback', 'none', 'elevated')
        as_administrator(w, w.SBX, 'setup', 'elevated')
        got = there(w, NET, ways[0], 'listen,127.0.0.1,3000')
        equal(set(verdicts(got).values()), {'error 10013'}, got)


@case('what keeps it off is gone or overruled: nothing runs, and setup puts it right', ACCOUNTS, WORLDS)
def lost(w):
    with set_up(w):
        equal(there(w, 'cmd', '/d', '/c', 'exit 7').code, 7)
        for act in ('blocks', 'v6'):
            with administrator(w):
                got = w.run(NET, 'filters=' + act)
            equal(got.code, 0, got)
            got = there(w, 'cmd', '/d', '/c', 'echo ran')
            equal((got.code, got.text), (125, ''), '%s: %s' % (act, got))
            check('network off' in got.errors and 'sbx setup --repair' in got.errors, got)
            as_administrator(w, w.SBX, 'setup', '--repair', 'elevated')
            equal(there(w, 'cmd', '/d', '/c', 'exit 7').code, 7)
        running = w.start([w.SBX, '--backend', 'elevated', '--read-only', '--', 'cmd', '/d', '/c', 'echo began& set /p x='], 'C:\\windows',
                          stdin=-1, stdout=-1, stderr=-1)
        equal(running.stdout.readline().strip(), b'began')
        with administrator(w):  # while a command runs: it is told when it ends
            equal(w.run(NET, 'filters=blocks').code, 0)
        out, errors = running.communicate(b'\n', timeout=120)
        check(b'it was off when the command began, and was open when it ended' in errors, (running.returncode, out, errors))
        as_administrator(w, w.SBX, 'setup', '--repair', 'elevated')


@case('a command with a network runs as another account, and nothing in its workspace is stamped again', ACCOUNTS, WORLDS)
def online(w):
    def stamps():  # whatever sets a descriptor moves these
        return {where: os.stat(where).st_ctime_ns for folder, _, names in os.walk(w.unix(w.ws('d')))
                for where in [folder] + [os.path.join(folder, name) for name in names]}

    def run(account, *options):  # how many descriptors sbx and its runner set, those of processes and tokens among them
        with tempfile.TemporaryDirectory() as counts:
            got = w.sbx('cmd', '/d', '/c', 'type d\\e\\f& echo %USERNAME%', options=options, env={'LAB_COUNT': counts})
            equal(got.text.split(), ['x', account], got)
            wait_for(lambda: glob.glob(counts + '/sbx-runner.exe.*'))
            calls = ''.join(open(file).read() for file in glob.glob(counts + '/sbx*'))
        return sum(map(int, re.findall(r'^NtSetSecurityObject (\d+)', calls, re.M)))
    equal(w.run('cmd', '/d', '/c', 'md d\\e& echo x> d\\e\\f', cwd=w.workspace).code, 0)  # with descriptors of their own
    before = stamps()
    with set_up(w):
        first = run('sbx1-off01')
        granted = stamps()
        check(all(granted[where] != before[where] for where in before), 'control: the first run stamps all: %s' % granted)
        again = run('sbx1-off01')
        check(again + len(before) <= first, 'control: that is counted: %s, %s' % (first, again))
        equal((run('sbx1-on01', '--network', 'on'), stamps()), (again, granted))
