"""What is printed for programs: each --json, and the report, as the schema beside its writer says, whatever happened."""
from harness import case, check, equal
from schema import held


@case('for programs: plan, status, clean, backends, version and the report are as their schemas say', ('none', 'unelevated'), ('lab', 'native'))
def schemas(w):
    def sbx(name, code, *words):
        got = w.run(w.SBX, *words)
        equal(got.code, code, got)
        return held(name, got.text)

    def report(code, *words):
        equal(w.run(w.SBX, '--backend', w.backend, '--quiet', '--report', 'r.json', *words).code, code, words)
        return held('report', w.read(w.ws('r.json')))

    equal(sbx('plan', 0, 'plan', '--json', '-b', w.backend, '-t', '10m', '--loopback', '8080,3000-3999', '-e', 'A=1', '--', 'cmd')['limits']['time_ms'],
          600000, 'a number')
    equal(sbx('plan', 127, 'plan', '--json', '-b', w.backend, '--', 'no-such-program')['error']['hint'], None, 'what is not there is null')
    check(sbx('plan', 125, 'plan', '--json', '-b', 'nowhere', '--fallback', 'refuse', '--', 'cmd')['backend_used'] is None, 'no backend')
    check(sbx('version', 0, 'version', '--json')['interface_major'] > 1, 'a number')
    check({'none', 'unelevated', 'elevated'} <= {b['name'] for b in sbx('backends', 0, 'backends', '--json')['backends']}, 'all')
    check(report(5, '--', 'cmd', '/c', 'exit 5')['timings_us']['total'] > 0, 'a number')
    equal(report(127, '--', 'no-such-program')['process_id'], None)
    equal(report(125, '--writable', 'no-such-folder', '--', 'cmd')['child_exit_code'], None)
    sbx('state', 0, 'status', '--json')
    sbx('state', 0, 'clean', '--all', '--json')
