"""As much of JSON Schema as the schemas beside the writers use: a word that is not known here is an error."""
import json
import pathlib
import re

from harness import equal

TYPES = {'object': dict, 'array': list, 'string': str, 'boolean': bool, 'number': (int, float), 'integer': int, 'null': type(None)}
KNOWN = {'$schema', 'title', 'description', '$defs', '$ref', 'type', 'enum', 'const', 'pattern', 'required', 'properties', 'additionalProperties',
         'items', 'minItems', 'minimum', 'maximum'}


def is_a(value, name):
    return isinstance(value, TYPES[name]) and not (name in ('number', 'integer') and isinstance(value, bool))


def problems(value, schema, at='$', root=None):
    """What of the value is not as the schema says, a line each."""
    root = root or schema
    if '$ref' in schema:
        return problems(value, root['$defs'][schema['$ref'].rsplit('/', 1)[1]], at, root)
    found = ['%s: the schema says %s' % (at, word) for word in set(schema) - KNOWN]
    types = schema.get('type', list(TYPES))
    if not any(is_a(value, name) for name in ([types] if isinstance(types, str) else types)):
        return found + ['%s: %r is no %s' % (at, value, types)]
    if 'enum' in schema and value not in schema['enum'] or 'const' in schema and value != schema['const']:
        found.append('%s: %r' % (at, value))
    if 'pattern' in schema and isinstance(value, str) and not re.search(schema['pattern'], value):
        found.append('%s: %r' % (at, value))
    if isinstance(value, (int, float)) and not schema.get('minimum', value) <= value <= schema.get('maximum', value):
        found.append('%s: %r' % (at, value))
    if isinstance(value, dict):
        known = schema.get('properties', {})
        found += ['%s: %s is missing' % (at, name) for name in schema.get('required', ()) if name not in value]
        for name, inner in value.items():
            rest = schema.get('additionalProperties', True)
            if name in known:
                found += problems(inner, known[name], at + '.' + name, root)
            elif rest is False:
                found.append('%s.%s: not in the schema' % (at, name))
            elif isinstance(rest, dict):
                found += problems(inner, rest, at + '.' + name, root)
    if isinstance(value, list):
        if len(value) < schema.get('minItems', 0):
            found.append('%s: %d items' % (at, len(value)))
        for i, item in enumerate(value):
            found += problems(item, schema.get('items', {}), '%s[%d]' % (at, i), root)
    return found


def held(name, text):
    """What a program printed, which is as core/*/NAME.schema.json says."""
    path, = (pathlib.Path(__file__).resolve().parents[2] / 'core').glob('*/%s.schema.json' % name)
    told = json.loads(text)
    equal(problems(told, json.loads(path.read_text(encoding='utf-8'))), [], text)
    return told
