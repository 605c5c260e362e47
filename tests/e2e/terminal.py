"""A terminal of Unix, and a program on it."""
import os
import select
import time

from harness import Failure, end_group

LIMIT_S = 60


class Terminal:
    """`with Terminal(w, argv) as t`: a program whose standard streams are one, but for those that are given otherwise."""

    def __init__(self, w, argv, cwd='C:\\windows', size=(100, 30), **streams):
        import fcntl
        import pty
        import struct
        import termios
        import tty
        self.seen, self.at = b'', 0
        self.master, slave = pty.openpty()
        tty.setraw(slave)  # Wine does so when it reads first, and what is typed before would be changed
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', size[1], size[0], 0, 0))
        self.process = w.start(argv, cwd, **dict(dict(stdin=slave, stdout=slave, stderr=slave), **streams))
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            end_group(self.process)
        os.close(self.master)

    def _read(self):
        if not select.select([self.master], [], [], 0.2)[0]:
            return False
        try:
            part = os.read(self.master, 65536)
        except OSError:
            return False
        self.seen += part
        return bool(part)

    def type(self, text):
        os.write(self.master, text.encode())

    def wait(self, text):
        """What has come since the last time, up to the text and with it."""
        wanted, deadline = text.encode(), time.monotonic() + LIMIT_S
        while wanted not in self.seen[self.at:]:
            if not self._read() and (self.process.poll() is not None or time.monotonic() > deadline):
                raise Failure('%r has not come: %r' % (text, self.seen[self.at:][-1500:]))
        begin, self.at = self.at, self.seen.index(wanted, self.at) + len(wanted)
        return self.seen[begin:self.at].decode('utf-8', 'replace')

    def end(self):
        """Its exit code, when all has been read."""
        deadline = time.monotonic() + LIMIT_S
        while self.process.poll() is None:
            self._read()
            if time.monotonic() > deadline:
                raise Failure('still running: %r' % self.seen[-1500:])
        while self._read():
            pass
        return self.process.wait()
