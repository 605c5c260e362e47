"""`sbx explain`: what it says a command may do is what a command then does."""
import os

from harness import case, check, equal
from schema import held
from terminal import Terminal

REFUSED = ('error 5', 'error 19')


def explained(w, path, op, *options, **how):
    got = w.run(w.SBX, 'explain', *w.options(*options), '--json', path, '--op', op, **how)
    equal(got.code, 0, got)
    return held('explain', got.text)


def act(op, path):
    """What a command does for it."""
    return {'read': ('open', path, '0x120089'), 'write': ('write', path, 'new'), 'delete': ('delete', path),
            'run': ('open', path, '0x1200a9')}[op]


@case('explain: the answer is what a command then meets; the entry, the line of the policy and what would change it are told',
      ('none', 'unelevated', 'accounts'), ('lab',), readings=('delete-child',))
def agrees(w):
    root, out, config = w.ws('root'), w.ws('out'), w.profile + '\\explain.toml'
    made = [root + '\\f', root + '\\g', root + '\\kept\\f', root + '\\.git\\config', root + '\\.git\\other', out + '\\f', out + '\\g']
    lines = [('mkdir', name) for name in (root, out, root + '\\kept', root + '\\.git')] + [('write', name, 'old') for name in made]
    w.write('C:\\probe\\acts.txt', '\n'.join('\t'.join(line) for line in lines))
    equal(w.probe('each', 'C:\\probe\\acts.txt').text.split(), ['ok'] * len(lines), 'made by programs')
    w.write(config, '[filesystem]\nprotected = [\n  "kept",\n]\n')
    options = ('--config', config)

    confined = w.backend != 'none'
    first = explained(w, 'f', 'write', *options, cwd=root)
    equal((first['answer'], any('the first run in' in text for text in first['change'])),
          ('refused', True) if confined else ('allowed', False), first)
    # (explained, done to its like)
    table = [(path, path, op) for path in (root + '\\f', root + '\\.git\\config', root + '\\kept\\f', root + '\\made', out + '\\f',
                                           out + '\\made', 'C:\\Windows\\System32\\ntdll.dll', 'C:\\Windows\\made')
             for op in ('read', 'write')] + [(w.PROBE, w.PROBE, 'run'), (out + '\\f', out + '\\f', 'run')]
    table = [row for row in table if 'made' not in row[0] or row[2] == 'write']
    table += [(folder + '\\f', folder + '\\g', 'delete') for folder in (root, out)] + [(root + '\\.git\\config', root + '\\.git\\other', 'delete')]
    w.write('C:\\probe\\acts.txt', '\n'.join('\t'.join(act(op, done)) for _, done, op in table))
    met = w.sbx('%s' % w.PROBE, 'each', 'C:\\probe\\acts.txt', options=options, cwd=root).text.splitlines()
    equal(len(met), len(table), met)
    for name in (root + '\\made', out + '\\made', 'C:\\Windows\\made'):
        if os.path.exists(w.unix(name)):
            os.remove(w.unix(name))
    told = [explained(w, path, op, *options, cwd=root) for path, _, op in table]
    equal([(one['asked'], one['op'], one['answer']) for one in told],
          [(path, op, 'refused' if did in REFUSED else 'allowed' if did == 'ok' else did)
           for (path, _, op), did in zip(table, met)])
    for one in told:  # the passes account for the answer
        passes = {name: all(p['allowed'] for p in one['passes'] if p['of'] == name) for name in ('object', 'nearest', 'folder')
                  if any(p['of'] == name for p in one['passes'])}
        check(not one['passes'] or any(passes.values()) == (one['checked'] == 'allowed'), one)
        check(one['tried'] == one['checked'] or any('decides otherwise' in note or 'read-only' in note for note in one['notes']), one)
    by = {(one['asked'], one['op']): one for one in told}
    equal(by[root + '\\kept\\f', 'write']['policy'],
          {'rule': 'protected', 'path': root + '\\kept', 'origin': config + ':3'})
    equal(by[out + '\\f', 'write']['policy']['rule'], 'outside')
    if not confined:
        return
    denied = [one for one in by[root + '\\kept\\f', 'write']['passes'] if not one['allowed']]
    equal([one['ace']['type'] for one in denied if one['by'] == 'ace'][:1], ['deny'], denied)
    check(any('explain.toml:3' in text for text in by[root + '\\kept\\f', 'write']['change']), by[root + '\\kept\\f', 'write'])
    check(any('--git' in text for text in by[root + '\\.git\\config', 'delete']['change']), by[root + '\\.git\\config', 'delete'])
    check(any('--writable "%s"' % out in text for text in by[out + '\\f', 'write']['change']), by[out + '\\f', 'write'])
    opened = explained(w, out + '\\f', 'write', '--writable', root, '--writable', out, *options, cwd=root)
    equal((opened['policy']['rule'], opened['answer']), ('writable', 'refused'), 'by a run that would open it first')


@case('explain: a spelling through links, what is not there, and what is no file of this machine', ('unelevated',), ('lab',))
def spellings(w):
    w.write(w.ws('a folder\\a long name.text'), 'old')
    for path, said in (('\\\\server\\share\\f', 'another machine'), ('\\\\.\\pipe\\f', 'device'), ('NUL', 'device'), ('Q:\\f', 'look at it')):
        got = w.run(w.SBX, 'explain', path)
        equal((got.code, said in got.errors), (125, True), got)
    for words in ((), ('a', 'b'), ('f', '--op', 'eat')):
        equal(w.run(w.SBX, 'explain', *words).code, 125)
    told = explained(w, 'no\\such\\file', 'write')
    equal((told['object']['path'], told['object']['missing'], told['passes'][0]['of']), (w.ws(), 'no\\such\\file', 'nearest'), told)
    short = w.probe('short', w.ws('a folder\\a long name.text')).text.strip()
    told = explained(w, short, 'read')
    equal((told['object']['path'], told['object']['kind']), (w.ws('a folder\\a long name.text'), 'file'), told)
    link = w.probe('junction', w.ws('link'), w.ws('a folder'))
    if 'ok' in link.text:
        told = explained(w, 'link\\a long name.text', 'delete')
        equal((told['object']['path'], told['object']['links']), (w.ws('a folder\\a long name.text'), [w.ws('link')]), told)
        equal(explained(w, 'link', 'delete')['object']['path'], w.ws('link'), 'the link itself')
    w.probe('junction', w.ws('circle'), w.ws('circle'))
    got = w.run(w.SBX, 'explain', 'circle\\f')
    equal((got.code, 'in a circle' in got.errors), (125, True), got)
    text = w.run(w.SBX, 'explain', '--backend', w.backend, 'a folder').text
    check(text.startswith('answer    allowed: a command under "unelevated" can read it\n') and '\nowner     ' in text and '\npolicy    writable: ' in text, text)


@case('explain --last: the last run that failed, without secrets; at a terminal a line points there, once a day', ('unelevated',), ('lab',))
def last(w):
    with Terminal(w, [w.SBX, '--backend', w.backend, '--', w.PROBE, 'exit', '3221225506'], cwd=w.ws()) as t:
        t.end()
        equal(t.seen.decode().count('sbx explain --last'), 1, t.seen)
    with Terminal(w, [w.SBX, '--backend', w.backend, '--', w.PROBE, 'exit', '3221225506'], cwd=w.ws()) as t:
        t.end()
        equal(t.seen.decode().count('sbx explain --last'), 0, t.seen)
    got = w.sbx(w.PROBE, 'no verb', '--api-key', 'a-secret', env={'MY_TOKEN': 'another-secret'})
    equal((got.code, got.errors), (2, ''), 'no terminal: nothing is added')
    shown = w.run(w.SBX, 'explain', '--last', '--json')
    told = held('last', shown.text)
    equal((told['exit_code'], told['arguments'], told['policy']['workspace'], 'MY_TOKEN' in told['withheld']),
          (2, ['no verb', '--api-key', '(withheld)'], w.ws(), True), told)
    check('secret' not in shown.text.replace('SECRET', ''), shown)
    text = w.run(w.SBX, 'explain', '--last').text
    check('exit code 2 (0x00000002)' in text and '\ngap       ' in text and 'withheld  MY_TOKEN' in text and 'refused   file writes' in text, text)
    check('last      kept' in w.run(w.SBX, 'status').text, 'listed')
    equal(w.sbx(w.PROBE, 'exit', '0').code, 0)
    check('exit code 2' in w.run(w.SBX, 'explain', '--last').text, 'one that went well does not count')
    check('undone  last' in w.run(w.SBX, 'clean', w.ws()).text, 'cleaned with its workspace')
    got = w.run(w.SBX, 'explain', '--last')
    equal((got.code, 'is kept' in got.errors), (125, True), got)
