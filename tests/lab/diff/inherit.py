#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Differential test of the lab's inheritance against Samba's create_security_descriptor.

Usage: inherit.py HARNESS JUDGE [--count N] [--seed N] [--show N]

JUDGE is samba_inherit.c, compiled.  Samba's function is made for the
directory service; two differences are known and taken out before comparing:

  leaf flags    a new object that is no container keeps inheritance flags in Samba; on Windows a
                file has none (MS-DTYP 2.5.3.4.4), and what would be inherit-only is not there
  generic       Samba maps generic rights as the directory service does: the cases have none here;
                their mapping is tested by the lab's own tests

LAB_READING=mild is what Samba models.  Under the default readings a directory passes its ACEs on as Samba
does it when it has SE_DACL_AUTO_INHERITED; without it they are not marked as inherited; and an allowing ACE is not there twice.

Exit code 1 if a single case differs.
"""

import argparse
import os
import random
import struct
import subprocess
import sys
from collections import Counter

import cases

MILD = os.environ.get('LAB_READING', '') == 'mild'
NAMES = {data: sid for sid, data in cases.SID_BYTES.items()}


def blocks(data):
    pos = 0
    while pos < len(data):
        size, = struct.unpack_from('<I', data, pos)
        yield data[pos + 4:pos + 4 + size]
        pos += 4 + size


def without_duplicates(aces):
    seen = []
    for ace in aces:
        if ace[0] != cases.ALLOW or ace not in seen:
            seen.append(ace)
    return seen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('harness')
    parser.add_argument('judge')
    parser.add_argument('--count', type=int, default=100000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--show', type=int, default=3)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    todo, wire = [], []
    for _ in range(args.count):
        token = cases.Token(rng)
        is_dir = rng.random() < 0.5
        dacl = [(t, f, m & 0x0fffffff, s) for t, f, m, s in cases.random_dacl(rng, cases.FILE_MAPPING, True)]
        automatic = rng.random() < 0.5
        control = cases.SE_DACL_PRESENT | (cases.SE_DACL_AUTO_INHERITED if automatic else 0)
        parent = cases.Descriptor(rng.choice(cases.EVERYBODY), dacl, control)
        todo.append((token, parent, is_dir))
        wire.append(struct.pack('<I', 2) + token.wire() + parent.wire() + struct.pack('<II', 0, is_dir))
    wire = b''.join(wire)
    lab = list(blocks(subprocess.run([args.harness], input=wire, stdout=subprocess.PIPE, check=True).stdout))
    judge = list(blocks(subprocess.run([args.judge], input=wire, stdout=subprocess.PIPE, check=True).stdout))
    if not len(lab) == len(judge) == len(todo):
        sys.exit('inherit.py: %d and %d results for %d cases' % (len(lab), len(judge), len(todo)))
    different, counts = 0, Counter()
    for (token, parent, is_dir), a, b in zip(todo, lab, judge):
        a = cases.parse_acl(a, NAMES) if a else []
        b = cases.parse_acl(b, NAMES) if b else []
        if not is_dir:
            b = [(t, f & cases.INHERITED, m, s) for t, f, m, s in b if not f & cases.IO]
        if not MILD:
            if not parent.control & cases.SE_DACL_AUTO_INHERITED:
                b = [(t, f & ~cases.INHERITED, m, s) for t, f, m, s in b]
            b = without_duplicates(b)
        counts['something' if a else 'nothing'] += 1
        if a != b:
            different += 1
            if different <= args.show:
                print('dir' if is_dir else 'file', parent.owner)
                for title, acl in (('parent', parent.dacl), ('lab', a), ('samba', b)):
                    print(' ', title)
                    for t, f, m, s in acl:
                        print('    ', 'deny' if t else 'allow', hex(f), hex(m), s)
    print('inheritance: %d cases, %d differ; %d children inherit something, %d nothing' %
          (len(todo), different, counts['something'], counts['nothing']))
    sys.exit(1 if different or not counts['something'] else 0)


if __name__ == '__main__':
    main()
