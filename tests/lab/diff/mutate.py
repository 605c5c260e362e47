#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Does the differential test notice mistakes?  Usage: mutate.py WINE_TREE JUDGE

Makes one deliberate mistake at a time in a copy of the lab's access check or inheritance,
and expects access.py or inherit.py to fail on each.  Exit code 1 if one survives.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

here = os.path.dirname(os.path.abspath(__file__))

# test, file, what, pattern (exactly one match), replacement, LAB_READING if it is not mild
MUTANTS = [
    ('access', 'ntlab_access.c', 'deny ACEs are ignored', r'denied \|= mask & ~allowed;', ';'),
    ('access', 'ntlab_access.c', 'deny beats an earlier allow', r'denied \|= mask & ~allowed;',
     '{ denied |= mask; allowed &= ~mask; }'),
    ('access', 'ntlab_access.c', 'an earlier deny is forgotten', r'allowed \|= mask & ~denied;', 'allowed |= mask;'),
    ('access', 'ntlab_access.c', 'inherit-only ACEs apply', r'if \(ace->flags & INHERIT_ONLY_ACE\) continue;\n        mask', 'mask'),
    ('access', 'ntlab_access.c', 'the second pass is skipped', r'allowed &= second;', ';'),
    ('access', 'ntlab_access.c', 'only write-restricted tokens have a second pass',
     r'allowed &= evaluate_dacl\( token, dacl, owner, mapping, 1 \);', ';'),
    ('access', 'ntlab_access.c', 'write-restricted limits reads too', r'if \(!\(token->ntlab\.flags & NTLAB_TOKEN_WRITE_RESTRICTED\)\)', 'if (1)'),
    ('access', 'ntlab_access.c', 'the second pass covers only the writing rights', r'if \(maximum \|\| !ntlab_second\( NTLAB_DELETE_CHILD \)\) second', 'second'),
    ('access', 'ntlab_access.c', 'the second pass covers the reads that come along', r'if \(maximum \|\| !ntlab_second\( NTLAB_DELETE_CHILD \)\) second',
     'if (maximum) second', 'harsh'),
    ('access', 'ntlab_access.c', 'every right but the reading ones is a write', r'\(mapping->write & ~read_only\) \| DELETE', '~read_only | DELETE', 'harsh'),
    ('access', 'ntlab_access.c', 'rights of GENERIC_WRITE that are also read are writes', r'\(mapping->write & ~read_only\) \| DELETE',
     'mapping->write | DELETE', 'harsh'),
    ('access', 'ntlab_access.c', 'WRITE_OWNER is no write', r' \| WRITE_OWNER \| ACCESS_SYSTEM_SECURITY', ' | ACCESS_SYSTEM_SECURITY', 'harsh'),
    ('access', 'ntlab_access.c', 'restricting SIDs do not match deny ACEs',
     r'if \(restricted_pass\) return find_sid', 'if (restricted_pass) return !deny && find_sid'),
    ('access', 'ntlab_access.c', 'the owner keeps its rights despite OWNER RIGHTS', r'!has_owner_rights_ace\( dacl \) && ', ''),
    ('access', 'ntlab_access.c', 'OWNER RIGHTS matches nobody', r'if \(equal_sid\( sid, &owner_rights_sid \)\) sid = owner;', ''),
    ('access', 'ntlab_access.c', 'the owner needs no restricting SID',
     r'\(!restricted \|\| ace_matches\( token, owner, owner, 0, 1 \)\)', '1'),
    ('access', 'ntlab_access.c', 'a NULL DACL denies', r'if \(!dacl\) allowed = mapping->all;', 'if (!dacl) allowed = 0;'),
    ('access', 'ntlab_token.c', 'deny-only SIDs allow', r'if \(group->attrs & SE_GROUP_USE_FOR_DENY_ONLY\) return deny;', ''),
    ('access', 'ntlab_token.c', 'deny-only SIDs do not deny', r'if \(group->attrs & SE_GROUP_USE_FOR_DENY_ONLY\) return deny;',
     'if (group->attrs & SE_GROUP_USE_FOR_DENY_ONLY) return 0;'),
    ('access', 'ntlab_access.c', 'generic rights of an ACE are not mapped', r'mask = map_access\( ace->mask, mapping \);', 'mask = ace->mask;'),
    ('access', 'ntlab_access.c', 'MAXIMUM_ALLOWED gives what was asked and more',
     r'\*granted = maximum \? previous \| allowed : wanted;', '*granted = maximum ? previous | allowed | READ_CONTROL : wanted;'),
    ('access', 'ntlab_access.c', 'one right of several is enough', r'if \(remaining & ~allowed\) return', 'if (remaining && !(remaining & allowed)) return'),
    ('inherit', 'ntlab_sd.c', 'files inherit container ACEs', r'if \(ace->flags & OBJECT_INHERIT_ACE\)\n', 'if (propagate)\n'),
    ('inherit', 'ntlab_sd.c', 'no-propagate is ignored', r'const int stop = [^;]*;', 'const int stop = 0;'),
    ('inherit', 'ntlab_sd.c', 'CREATOR OWNER stays as it is', r'if \(equal_sid\( sid, &creator_owner_sid \)\) return owner;', ''),
    ('inherit', 'ntlab_sd.c', 'inherit-only is kept on the directory itself',
     r'append_ace\( acl, sid, ace->type, marked \| propagate, ace->mask \);',
     'append_ace( acl, sid, ace->type, marked | propagate | (ace->flags & INHERIT_ONLY_ACE), ace->mask );'),
    ('inherit', 'ntlab_sd.c', 'inherited ACEs are not marked', r'(?s)(effective_sid, ace->type, )marked(, effective_mask \);\n    \}\n    else if \(!)', r'\g<1>0\2'),
    ('inherit', 'ntlab_sd.c', 'they always are', r'automatic \? INHERITED_ACE : 0', 'INHERITED_ACE', 'harsh'),
    ('inherit', 'ntlab_sd.c', 'duplicates stay', r'type != ACCESS_ALLOWED_ACE_TYPE\) return 0;', '1) return 0;', 'harsh'),
    ('inherit', 'ntlab_sd.c', 'denying duplicates go too', r' \|\| type != ACCESS_ALLOWED_ACE_TYPE\) return 0;', ') return 0;', 'harsh'),
]


def main():
    wine, judge = sys.argv[1:]
    survived = 0
    for test, name, what, pattern, replacement, *reading in MUTANTS:
        os.environ['LAB_READING'] = reading[0] if reading else 'mild'
        with tempfile.TemporaryDirectory() as work:
            for source in ('token.c', 'ntlab_token.c', 'ntlab_access.c', 'ntlab_sd.c'):
                shutil.copy(os.path.join(wine, 'server', source), work)
            path = os.path.join(work, name)
            with open(path, encoding='utf-8') as f:
                text, count = re.subn(pattern, replacement, f.read())
            if count != 1:
                sys.exit('mutate.py: %d places for "%s"' % (count, what))
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
            harness = os.path.join(work, 'harness')
            subprocess.run([os.path.join(here, 'build'), wine, harness, os.path.join(work, 'token.c'), os.path.join(work, 'ntlab_sd.c')],
                           check=True)
            command = [os.path.join(here, test + '.py'), harness] + ([judge] if test == 'inherit' else [])
            result = subprocess.run(command + ['--count', '20000', '--show', '0'], stdout=subprocess.DEVNULL)
        survived += result.returncode != 1
        print('%s - %s: %s' % ('not ok' if result.returncode != 1 else 'ok', test, what))
    print('mutants: %d made, %d survived' % (len(MUTANTS), survived))
    sys.exit(1 if survived else 0)


if __name__ == '__main__':
    main()
