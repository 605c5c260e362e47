"""What the end-to-end cases stand on: a world to run programs in, checks, and the tally.

A case is a function with one argument, the World.  It first shows that the act works where it must
(the positive control), then that the sandbox behaves, and looks from outside of the sandbox.
"""
import os
import shutil
import signal
import subprocess
import tempfile
import time
import traceback

CASES = []
IN_ACCOUNTS = ('accounts', 'whole')
EVERY = ('none', 'unelevated', 'accounts')


class Skip(Exception):
    """This world cannot judge the case; the text says why."""


class Failure(Exception):
    pass


class Result:
    """How a program ended: code (low byte under Wine), out, err (bytes)."""

    def __init__(self, command, code, out, err, seconds):
        self.command, self.code, self.out, self.err, self.seconds = command, code, out, err, seconds

    @property
    def text(self):
        return self.out.decode('utf-8', 'replace').replace('\r\n', '\n')

    @property
    def errors(self):
        return self.err.decode('utf-8', 'replace').replace('\r\n', '\n')

    def __str__(self):
        shown = [a if len(a) < 60 else a[:57] + '...' for a in self.command]
        return '%r: exit %d\n   out: %.600s\n   err: %.900s' % (shown, self.code, self.text, self.errors)


def case(name, backends=('none', 'unelevated'), worlds=('lab', 'stock', 'native'), readings=(), long=False):
    """Register a case, run once for each of these backends, in these worlds.  A backend "accounts" is the elevated one, set up
    once for all of its cases, behind all others, "whole" the same with the account's own token; "elevated" is for those that set it up
    themselves.  readings: those of the lab that it is about, and is run under both values of.  long: only with --long, or the backends
    of which that is so, as of "whole" always."""
    def register(function):
        CASES.append((name, backends, worlds, readings, long, function))
        return function
    return register


class World:
    """Where programs run: kind 'lab', 'stock' (Wine in a prefix) or 'native' (Windows itself)."""

    SBX = 'C:\\Program Files\\sbx\\sbx.exe'
    PROBE = 'C:\\probe\\sbx-probe.exe'

    def __init__(self, kind, drive, command, user, long_run=False):
        self.kind, self.drive, self.command, self.user, self.long_run = kind, drive, command, user, long_run
        self.backend = 'none'
        self.profile = 'C:\\users\\' + user
        self.workspace = ''
        self.environment = {}
        self.has_accounts = self.is_whole = False
        self.unjudged = []  # parts of a case that this world cannot judge, each with the reason

    def reading(self, name, first, other):
        """Which of two readings of Windows the lab was started with; None where nobody knows."""
        chosen = os.environ.get('LAB_READING', '').split(',')
        if self.kind != 'lab':
            return None
        return other if name + '=' + other in chosen or 'mild' in chosen and name + '=' + first not in chosen else first

    # ---- files

    def unix(self, path):
        """The path outside, of a path on C:."""
        if self.kind == 'native':
            return path
        assert path[1:3] == ':\\', path
        at = self.drive
        for part in path[3:].split('\\'):
            if not os.path.lexists(os.path.join(at, part)):
                part = next((n for n in (os.listdir(at) if os.path.isdir(at) else [])
                             if n.lower() == part.lower()), part)
            at = os.path.join(at, part)
        return at

    def ws(self, name=''):
        """A path in the workspace of this case, as Windows writes it."""
        return self.workspace + ('\\' + name if name else '')

    def read(self, path):
        """The bytes of a file, None where there is none."""
        try:
            with open(self.unix(path), 'rb') as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def write(self, path, content):
        outside = self.unix(path)
        os.makedirs(os.path.dirname(outside), exist_ok=True)
        with open(outside, 'wb') as file:
            file.write(content if isinstance(content, bytes) else content.encode())

    def copy(self, source, path):
        outside = self.unix(path)
        os.makedirs(os.path.dirname(outside), exist_ok=True)
        shutil.copy(self.unix(source), outside)

    # ---- programs

    def start(self, argv, cwd=None, env=None, **streams):
        variables = dict(self.environment, **(env or {}))
        if self.kind == 'native':
            return subprocess.Popen(argv, cwd=cwd or self.workspace, env=dict(os.environ, **variables), **streams)
        words = list(self.command)
        if variables:
            words[2:2] = ['%s=%s' % pair for pair in variables.items()]
        return subprocess.Popen(words + list(argv), cwd=self.unix(cwd or self.workspace), start_new_session=True,
                                **streams)

    def run(self, *argv, stdin=b'', timeout=120, cwd=None, env=None, pipes=False):
        """Run to the end, everything captured: in files, or through pipes (which node does not take from Wine).  stdin: None
        for an empty file, in place of a pipe."""
        begin = time.monotonic()
        with tempfile.TemporaryFile() as out_file, tempfile.TemporaryFile() as err_file, tempfile.TemporaryFile() as empty:
            process = self.start(argv, cwd, env, stdin=empty if stdin is None else subprocess.PIPE,
                                 stdout=subprocess.PIPE if pipes else out_file,
                                 stderr=subprocess.PIPE if pipes else err_file)
            out, err = self.finish(process, argv, stdin, timeout)
            if not pipes:
                out_file.seek(0)
                err_file.seek(0)
                out, err = out_file.read(), err_file.read()
        return Result(argv, process.returncode, out, err, time.monotonic() - begin)

    def finish(self, process, argv, stdin, timeout):
        try:
            return process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            end_group(process)
            raise Failure('still running after %d s: %r' % (timeout, argv))

    def options(self, *more):
        whole = ('--elevated-token', 'account') if self.is_whole and self.backend == 'elevated' else ()
        return ('--backend', self.backend, '--quiet') + whole + more

    def sbx(self, *command, options=(), **how):
        """Run a command in the sandbox."""
        return self.run(self.SBX, *self.options(*options), '--', *command, **how)

    def probe(self, *arguments, **how):
        """Run the probe, not sandboxed."""
        return self.run(self.PROBE, *arguments, **how)

    def sandboxed(self, *arguments, **how):
        """Run the probe in the sandbox."""
        return self.sbx(self.PROBE, *arguments, **how)

    def exit_code(self, *command, **how):
        """All 32 bits of a command's exit code, told by a parent inside."""
        told = self.probe('exitof', '--', *command, **how)
        for line in told.text.splitlines():
            if line.startswith('exit 0x'):
                return int(line[5:], 16)
        raise Failure('no exit code: %s' % told)


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError):
        process.kill()
    process.communicate()


def check(condition, what):
    if not condition:
        raise Failure(str(what))


def equal(got, wanted, what=''):
    if got != wanted:
        raise Failure('%s\n   got:    %.700r\n   wanted: %.700r' % (what, got, wanted))


def fields(text, word):
    """The rest of the line that begins with a word, or None."""
    for line in text.splitlines():
        if line.startswith(word + ' '):
            return line[len(word) + 1:]
    return None


# Where addresses cannot be fixed (tests/lib.sh), one process in some thousand dies before its first instruction.  So many
# cases that failed under Wine get a second try, told in the log; a defect of the product fails twice.
SECOND_TRIES = 3


def judge(world, function, folder):
    """Run a case in a workspace of its own: verdict and what to say of it."""
    world.workspace = '%s\\e2e\\%s' % (world.profile, folder)
    world.environment = {}
    world.unjudged = []
    os.makedirs(world.unix(world.workspace))
    try:
        function(world)
        return 'passed', ''.join('\n   not judged here: ' + reason for reason in world.unjudged)
    except Skip as reason:
        return 'skipped', ' # not judged here: %s' % reason
    except Failure as failure:
        return 'failed', '\n   ' + str(failure)
    except Exception:
        return 'failed', '\n' + traceback.format_exc()


def is_about(readings, reading):
    """Whether a case is to run under 'NAME=VALUE' or a set of all values; under none all are."""
    return not reading or (reading.split('=')[0] in readings if '=' in reading else bool(readings))


def is_long(long, backend):
    return backend == 'whole' or (long if isinstance(long, bool) else backend in long)


def as_administrator(world, *argv):
    user, world.command = world.command, world.command[:-1] + ['admin']
    try:
        return world.run(*argv)
    finally:
        world.command = user


def set_up_accounts(world):
    world.workspace, world.environment = 'C:\\', {}
    got = as_administrator(world, world.SBX, 'setup', '--slots', '2', 'elevated')
    equal(got.code, 0, got)
    world.has_accounts = True


def in_order():
    """The cases with the backends that they run for, those with accounts last."""
    for last in (False, True):
        for name, wanted, *rest in CASES:
            yield name, [backend for backend in wanted if (backend in IN_ACCOUNTS) == last], *rest


def run_cases(world, backends, only, reading, log):
    """Run what fits; returns the tally."""
    tally = {'passed': 0, 'failed': 0, 'skipped': 0}
    number, tries = 0, 0 if world.kind == 'native' else SECOND_TRIES
    for name, wanted, worlds, readings, long, function in in_order():
        for backend in wanted:
            title = '%s [%s, %s]' % (name, backend, world.kind)
            if backend not in backends or world.kind not in worlds or (only and only not in title):
                continue
            if not is_about(readings, reading) or (is_long(long, backend) and not world.long_run):
                continue
            number += 1
            world.backend, world.is_whole = 'elevated' if backend in IN_ACCOUNTS else backend, backend == 'whole'
            if backend in IN_ACCOUNTS and not world.has_accounts:
                set_up_accounts(world)
            begin = time.monotonic()
            verdict, detail = judge(world, function, str(number))
            if verdict == 'failed' and tries:
                tries -= 1
                verdict, again = judge(world, function, '%d-again' % number)
                detail = again + '\n   the first try failed:' + detail
            tally[verdict] += 1
            log('%s %d %s (%.1f s)%s' % ({'passed': 'ok', 'failed': 'not ok', 'skipped': 'ok'}[verdict], number, title,
                                         time.monotonic() - begin, detail))
    return tally
