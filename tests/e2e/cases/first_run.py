"""What a new user does first: a configuration, a change of it, a shell."""
import os

from harness import case, check, equal

from cases.elevated import not_any_more


@case('a first run: a file is made, changed, told, and never written over', backends=('unelevated',), worlds=('lab', 'stock'))
def first(w):
    file = w.profile + '\\AppData\\Roaming\\sbx\\sbx.toml'
    if w.kind == 'lab':
        not_any_more(w)
    equal(w.read(file), None, 'before')
    before = w.run(w.SBX, '--', 'cmd', '/d', '/c', 'exit 3')
    check(before.code == 3 and 'unelevated' in before.errors, before)
    try:
        got = w.run(w.SBX, 'init')
        check(got.code == 0 and file + ' is made: backend = "unelevated"\n' in got.text, got)
        check('sbx setup' in got.text and 'network' in got.text, got)
        made = w.read(file)
        got = w.run(w.SBX, '--', 'cmd', '/d', '/c', 'exit 4')
        equal((got.code, got.errors), (4, ''), 'chosen, and so nothing is lost')
        equal(w.run(w.SBX, 'config', 'set', 'limits.time', '600s').code, 0)
        equal(w.read(file), made.replace(b'# time = "none"\n', b'# time = "none"\ntime = "10m"\n'))
        got = w.run(w.SBX, 'init')
        check(got.code == 0 and '  limits.time = 10m (line' in got.text, got)
        got = w.run(w.SBX, 'shell', 'cmd', stdin=b'echo x> in.txt & echo x> ..\\out.txt & exit 9\r\n')
        check(got.code == 9 and '(sbx) ' in got.text, got)
        equal(w.read(w.ws('in.txt')), b'x \r\n')
        if w.kind == 'lab':
            equal(w.read(w.ws().rpartition('\\')[0] + '\\out.txt'), None, 'a shell is confined')
    finally:
        if w.read(file) is not None:
            os.unlink(w.unix(file))
            os.rmdir(os.path.dirname(w.unix(file)))
