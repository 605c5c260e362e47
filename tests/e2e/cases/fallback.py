"""What runs where the elevated backend cannot: unelevated, aloud; nothing, where that is less than somebody asked for or where
what was set up is damaged."""
import json
import os
import shutil

from harness import case, check, equal
from cases.elevated import ACCOUNTS, WORLDS, administrator, as_administrator, not_any_more, set_up, there

FOLDER, RECORD = 'C:\\ProgramData\\sbx', 'C:\\ProgramData\\sbx\\elevated.txt'
COPY = 'C:\\ProgramData\\sbx\\elevated.copy.txt'
LINE = 'sbx: backend "elevated" is not available (%s): "unelevated" runs, which'


def falls_back(w, why):
    """The line and the act of unelevated: the user's own account, and no write outside."""
    got = there(w, 'cmd', '/d', '/c', 'whoami& echo x> ' + w.profile + '\\planted& exit 7')
    equal(got.code, 7, got)
    check(got.errors.startswith(LINE % why) and 'sbx setup' in got.errors, got)
    equal(sum(line.startswith('sbx: ') for line in got.errors.splitlines()), 1, 'one line, also with --quiet: %s' % got)
    equal(got.text.strip().lower(), 'vm\\' + w.user.lower(), got)
    equal(w.read(w.profile + '\\planted'), None)


def refused(w, what, *options):
    got = there(w, 'cmd', '/d', '/c', 'echo ran', options=options)
    equal((got.code, got.text), (125, ''), got)
    for words in what:
        check(words in got.errors, '%s: %s' % (words, got))


@case('nothing is set up: unelevated runs and says so; not for what somebody wrote', ACCOUNTS, WORLDS)
def not_set_up(w):
    not_any_more(w)
    falls_back(w, 'it is not set up for you')
    report = w.ws('report.json')
    got = w.run(w.SBX, '--read-only', '--report', report, '--', 'cmd', '/d', '/c', 'exit 3')  # as nobody chose anything
    equal(got.code, 3, got)
    check(got.errors.startswith(LINE % 'it is not set up for you'), got)
    told = json.loads(w.read(report))['backend']
    equal((told['requested'], told['used']), ('elevated', 'unelevated'))
    check('it is not set up for you' in told['fallback_reason'], told)
    got = w.run(w.SBX, 'plan', '--read-only')
    check('"unelevated" runs' in got.errors and 'Backend that would run: unelevated' in got.text, got)
    got = w.run(w.SBX, 'backends')
    check('it is not set up for you' in got.text, got)

    refused(w, ['it is not set up for you', 'sbx setup'], '--fallback', 'refuse')
    refused(w, ['network = "off" (--network): the fallback does not enforce it', 'sbx setup'], '--network', 'off')
    w.write(w.ws('sbx.toml'), 'network = "off"\n')
    refused(w, ['sbx.toml:1): the fallback does not enforce it'], '--config', w.ws('sbx.toml'))
    refused(w, ['deny_read (--deny-read): the fallback does not enforce it'], '--deny-read', w.ws('x'))
    w.write(w.ws('sbx.toml'), 'filesystem.read = "listed"\n')
    refused(w, ['read (', 'sbx.toml:1): the fallback does not enforce it'], '--config', w.ws('sbx.toml'))
    refused(w, ['can only discourage the network'], '--require', 'network')
    refused(w, ['cannot keep the command from reading'], '--require', 'read')

    # a folder that every user could have made is not setup's, whatever is in it
    w.run('cmd', '/d', '/c', 'md ' + FOLDER)
    w.write(RECORD, 'sbx-elevated 1\nrunner C:\\evil.exe\nend 00000000\n')
    try:
        falls_back(w, FOLDER + ': others can change it')
        with administrator(w):
            got = w.run(w.SBX, 'setup', '--slots', '1', 'elevated')
        check(got.code == 125 and ' owns it; ' in got.errors and 'remove it, then: sbx setup' in got.errors, got)
    finally:
        shutil.rmtree(w.unix(FOLDER))


@case('what is half set up or damaged is told with its repair, and nothing runs in its place', ACCOUNTS, WORLDS)
def broken(w):
    secret = FOLDER + '\\elevated-1.secret'
    with set_up(w):
        equal(there(w, 'cmd', '/d', '/c', 'exit 5').code, 5)
        got = w.run(w.SBX, '--backend', 'unelevated', '-v', '--read-only', '--', 'cmd', '/d', '/c', 'exit 5')
        check('gap: accounts: ' in got.errors, 'what a command under unelevated reads now: %s' % got)
        record = w.read(RECORD)
        w.write(RECORD, record[:-2])  # in place: its access rights stay
        equal(there(w, 'cmd', '/d', '/c', 'exit 5').code, 5, 'its copy is whole')
        w.write(COPY, record[:-2])
        refused(w, ['it is damaged', 'elevated.txt and elevated.copy.txt are no better one than the other'])
        unready = record[:record.rindex(b'end ')].replace(b' 1 1 1\n', b' 1 1 0\n', 1)
        total = 2166136261
        for byte in unready:
            total = (total ^ byte) * 16777619 & 0xffffffff
        w.write(RECORD, unready + b'end %08X\n' % total)
        refused(w, ['its setup has not come to its end', 'go on with it: sbx setup'])
        w.write(RECORD, record)
        equal(there(w, 'cmd', '/d', '/c', 'exit 5').code, 5)
        w.write(COPY, record)
        for content in (b'', b'x' * 200):
            w.write(secret, content)
            refused(w, ['elevated-1.secret', 'sbx setup --repair'])
            got = w.run(w.SBX, 'plan', '--backend', 'elevated', '--read-only')
            check(got.code == 125 and 'elevated-1.secret' in got.errors, 'a plan tells as well: %s' % got)
        as_administrator(w, w.SBX, 'setup', '--repair', 'elevated')
        equal(there(w, 'cmd', '/d', '/c', 'exit 6').code, 6)
        os.remove(w.unix(secret))
        refused(w, ['elevated-1.secret', 'sbx setup --repair'])
        as_administrator(w, w.SBX, 'setup', '--repair', 'elevated')
        equal(there(w, 'cmd', '/d', '/c', 'exit 6').code, 6)
