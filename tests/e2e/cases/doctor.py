"""The probe that lies beside sbx.exe, and what `sbx doctor` makes of it."""
import json
import os

from harness import case, check, equal

TRY = 'C:\\Program Files\\sbx\\sbx-probe.exe'
# there is nothing to try here, or not for this user: no symbolic links, no open by number, no keys of the machine
NOT_HERE = {'spelling-id', 'link-symbolic', 'system-tasks', 'volumes', 'key-machine', 'raw6'}


def rows_of(w, name, *sandbox):
    """Name of a row: its line; and what the process saw whose objects were tried."""
    os.makedirs(w.unix(w.ws(name)))
    sid = w.probe('token').text.split('user ')[1].split()[0]
    got = w.run(TRY, 'hold', *sandbox, TRY, 'try', w.ws(name + '\\out'), w.profile, sid, cwd=w.ws(name))
    lines = [json.loads(line) for line in got.text.splitlines()]
    rows = {line['row']: line for line in lines if 'row' in line}
    check(lines and 'ended' in lines[-1] and lines[-2] == {'rows': len(rows)}, '%s\n%s' % (lines[-3:], got.errors))
    return rows, (lines[-1]['connections'], lines[-1]['datagrams'])


@case('the probe: everything is open without a sandbox; what a backend claims is refused, and seen to be',
      ('none', 'unelevated', 'accounts'), ('lab',), readings=('delete-child',))
def probe(w):
    control, seen = rows_of(w, 'control')
    closed = {name for name, row in control.items() if row['answer'] != 'open'}
    equal({name for name in closed - NOT_HERE if not name.startswith('secret-')}, set(), closed)
    equal(seen, (2, 2), 'control: IPv4 and IPv6 get there')

    rows, seen = rows_of(w, 'inside', w.SBX, *w.options(), '--')
    answer = {name: row['answer'] for name, row in rows.items() if name not in closed}
    held = {name for name in answer if rows[name]['expects'] == 'held'}
    areas = {'none': {'processes'}, 'unelevated': {'processes', 'write'}, 'elevated': {'processes', 'write', 'network'}}[w.backend]
    equal({name: answer[name] for name in sorted(held) if rows[name]['area'] in areas and answer[name] == 'open'}, {})
    open_rows = sorted(name for name in answer if answer[name] == 'open' and name not in areas)
    if w.backend == 'none':
        equal({name for name in answer if answer[name] != 'open'}, {'breakaway'}, 'nothing else is confined')
    equal({name: answer[name] for name in answer if rows[name]['expects'] == 'works' and answer[name] != 'open'},
          {'node-pipe': 'refused'} if w.backend == 'unelevated' else {}, open_rows)
    equal(seen, (0, 0) if w.backend == 'elevated' else (2, 2), 'seen from outside')

    left = set(os.listdir(w.unix(w.ws('inside\\out'))))
    check(('made' in left) == (w.backend == 'none') and w.read(w.ws('inside\\out\\keep')) == b'mine', left)
    if w.backend == 'unelevated':
        once = w.reading('delete-child', 'once', 'twice') == 'once'
        equal((answer['folder-delete-child'], answer['file-delete'], 'delete' in left), ('open', 'open', False) if once else
              ('refused', 'refused', True), left)
