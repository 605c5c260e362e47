#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Differential test of the lab's access check against Samba's se_access_check.

Usage: access.py HARNESS [--count N] [--seed N] [--show N]

LAB_READING chooses which rights of a write-restricted token need the second pass.

Each pass of a restricted check is judged by Samba by itself, with a token that holds only
the SIDs of that pass; how the passes combine is stated in judge() after MS-DTYP 2.5.3.2
and the documentation of CreateRestrictedToken.  What Samba does not know is put into
terms that it knows, and counted:

  deny-only     Samba has no deny-only SIDs: ACEs that allow such a SID are left out.
  generic       Samba's check expects mapped masks: they are mapped first.
  null-max      MAXIMUM_ALLOWED with a NULL DACL: Samba grants nothing for the flag by
                itself; by MS-DTYP everything, which is the expected value here.
  owner         The owner's implicit rights need the owner SID in both passes; where it is not
                in both, Samba sees a stranger as owner and the OWNER RIGHTS ACEs as ACEs
                for the owner.
  take-max      MAXIMUM_ALLOWED with SeTakeOwnership: what the privilege adds is left open by the
                specification; the case is run without the privilege.

Exit code 1 if a single case differs.
"""

import argparse
import os
import random
import struct
import subprocess
import sys
from collections import Counter

from samba import NTSTATUSError
from samba.dcerpc import security
from samba.ndr import ndr_unpack
from samba.security import access_check

import cases
from cases import ALLOW, DELETE, DENY_ONLY, IO, MAXIMUM_ALLOWED, READ_CONTROL, SYSTEM_SECURITY, WRITE_DAC, WRITE_OWNER

SEC_PRIV_SECURITY, SEC_PRIV_TAKE_OWNERSHIP = security.SEC_PRIV_SECURITY_BIT, security.SEC_PRIV_TAKE_OWNERSHIP_BIT
TWICE = any(word in ('mild', 'delete-child=twice') for word in os.environ.get('LAB_READING', '').split(','))
STRANGER = 'S-1-5-21-9-9-9-9'
cases.SID_BYTES[STRANGER] = cases.sid_bytes(STRANGER)


def map_generic(mask, mapping):
    for bit, index in cases.GENERIC.items():
        if mask & bit:
            mask = mask & ~bit | mapping[index]
    return mask


def samba_sd(owner, dacl):
    owner, acl = cases.SID_BYTES[owner], cases.acl_bytes(dacl) if dacl is not None else b''
    head = 20
    data = struct.pack('<BBHIIII', 1, 0, 0x8000 | cases.SE_DACL_PRESENT, head, head + len(owner), 0,
                       head + 2 * len(owner) if acl else 0)
    return ndr_unpack(security.descriptor, data + owner + owner + acl)


def samba_check(sids, privileges, sd, desired):
    """Granted rights; 0 when refused."""
    token = security.token()
    token.sids = [security.dom_sid(sid) for sid in sids]
    token.num_sids = len(sids)
    token.privilege_mask = privileges
    try:
        return access_check(sd, token, desired)
    except NTSTATUSError:
        return 0


def judge(case, counts):
    token, sd, mapping, desired = case
    enabled = [cases.USER] + [sid for sid, on in token.groups.items() if on]
    deny_only = {sid for sid, on in token.groups.items() if not on}
    restricted = bool(token.restricting)
    maximum = desired & MAXIMUM_ALLOWED
    wanted = desired & ~MAXIMUM_ALLOWED
    privileges = token.privileges
    if maximum and privileges & 2:
        counts['take-max'] += 1
    samba_privileges = (SEC_PRIV_SECURITY if privileges & 1 else 0) | (SEC_PRIV_TAKE_OWNERSHIP if privileges & 2 else 0)

    if sd.dacl is None:
        if wanted & SYSTEM_SECURITY and not privileges & 1:
            return 0
        if maximum:
            counts['null-max'] += 1
            return wanted | mapping[3]
        return samba_check(enabled, samba_privileges, samba_sd(sd.owner, None), wanted)

    dacl = [(t, f, map_generic(m, mapping), s) for t, f, m, s in sd.dacl]
    if any(m != n[2] for (_, _, m, _), n in zip(sd.dacl, dacl)):
        counts['generic'] += 1
    owner = sd.owner
    implicit = owner in enabled and (not restricted or owner in token.restricting) and \
        not any(s == cases.OWNER_RIGHTS and not f & IO for _, f, _, s in dacl)
    if restricted and not implicit or owner in deny_only:
        counts['owner'] += 1
        dacl = [(t, f, m, owner if s == cases.OWNER_RIGHTS else s) for t, f, m, s in dacl]
        owner = STRANGER
    # an inherit-only ACE is none: Samba would count an OWNER RIGHTS one nevertheless
    dacl = [ace for ace in dacl if not (ace[1] & IO and ace[3] == cases.OWNER_RIGHTS)]
    first_dacl = [ace for ace in dacl if not (ace[0] == ALLOW and ace[3] in deny_only)]
    if len(first_dacl) != len(dacl):
        counts['deny-only'] += 1
    first_sids = enabled + sorted(deny_only)
    first = samba_check(first_sids, samba_privileges, samba_sd(owner, first_dacl), desired)
    if not restricted or (not maximum and not first):
        return first

    writes = ~(mapping[0] | mapping[2])
    if not TWICE:
        writes = mapping[1] & writes | DELETE | WRITE_DAC | WRITE_OWNER | SYSTEM_SECURITY
    by_privilege = (SYSTEM_SECURITY if privileges & 1 else 0) | (WRITE_OWNER if privileges & 2 else 0)
    remaining = wanted & ~by_privilege & ~(READ_CONTROL | WRITE_DAC if implicit else 0)
    if token.write_restricted and not maximum and not remaining & writes:
        counts['write-restricted read'] += 1
        return first
    counts['second pass'] += 1
    second_sd = samba_sd(owner, dacl)
    if not maximum:
        asked = desired if TWICE or not token.write_restricted else desired & writes
        return first if samba_check(token.restricting, samba_privileges, second_sd, asked) else 0
    # each right by itself: what both passes allow (write-restricted: reading needs only the first)
    first = samba_check(first_sids, samba_privileges, samba_sd(owner, first_dacl), MAXIMUM_ALLOWED)
    second = samba_check(token.restricting, samba_privileges, second_sd, MAXIMUM_ALLOWED)
    if token.write_restricted:
        second |= ~writes
    granted = first & second
    if wanted & SYSTEM_SECURITY:
        if not privileges & 1:
            return 0
        granted |= SYSTEM_SECURITY
    return granted if not wanted & ~granted else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('harness')
    parser.add_argument('--count', type=int, default=120000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--show', type=int, default=3)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    counts = Counter()
    todo = [cases.access_case(rng) for _ in range(args.count)]
    for case in todo:
        if case[3] & MAXIMUM_ALLOWED:
            case[0].privileges &= 1
    wire = b''.join(cases.access_wire(case) for case in todo)
    output = subprocess.run([args.harness], input=wire, stdout=subprocess.PIPE, check=True).stdout
    if len(output) != 8 * len(todo):
        sys.exit('access.py: the harness gave %d bytes for %d cases' % (len(output), len(todo)))
    different = 0
    for index, case in enumerate(todo):
        status, granted = struct.unpack_from('<II', output, 8 * index)
        lab = 0 if status else granted
        samba = judge(case, counts)
        counts['granted' if samba else 'denied'] += 1
        if lab != samba:
            different += 1
            if different <= args.show:
                token, sd, mapping, desired = case
                print('case %d: lab %#x (status %#x), Samba %#x, desired %#x' % (index, granted, status, samba, desired))
                print('  token', token.groups, 'restricting', token.restricting, 'write-restricted' if token.write_restricted else '',
                      'privileges', token.privileges)
                print('  owner', sd.owner, 'mapping', ['%#x' % m for m in mapping])
                for ace in sd.dacl or ['NULL DACL']:
                    print('   ', ace if isinstance(ace, str) else ('deny' if ace[0] else 'allow', hex(ace[1]), hex(ace[2]), ace[3]))
    print('access check: %d cases, %d differ; %s' %
          (len(todo), different, ', '.join('%s %d' % item for item in sorted(counts.items()))))
    sys.exit(1 if different or not counts['granted'] or not counts['denied'] else 0)


if __name__ == '__main__':
    main()
