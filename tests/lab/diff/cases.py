# SPDX-License-Identifier: LGPL-2.1-or-later
"""Random descriptors and tokens, and their form on the wire to harness.c.

Wire format, little-endian; a block is a length and that many bytes:
  token       flags, privilege bits (1 SeSecurity, 2 SeTakeOwnership), user block,
              count, {attributes, SID block}..., count, {restricting SID block}...
  descriptor  control, owner block, group block, DACL block (none: no DACL, or NULL)
  access      1, token, descriptor, mapping (read, write, execute, all), desired
              -> NT status, granted
  inheritance 2, token, parent, 1 and creator's descriptor or 0, is_dir
              -> DACL block
"""

import struct

WRITE_RESTRICTED = 2                 # NTLAB_TOKEN_WRITE_RESTRICTED
SE_DACL_PRESENT, SE_DACL_AUTO_INHERITED = 0x0004, 0x0400
DELETE = 0x10000
ENABLED, DENY_ONLY = 0x7, 0x10
ALLOW, DENY = 0, 1
OI, CI, NP, IO, INHERITED = 1, 2, 4, 8, 16
MAXIMUM_ALLOWED, SYSTEM_SECURITY = 0x02000000, 0x01000000
READ_CONTROL, WRITE_DAC, WRITE_OWNER = 0x20000, 0x40000, 0x80000
GENERIC = {0x80000000: 0, 0x40000000: 1, 0x20000000: 2, 0x10000000: 3}

FILE_MAPPING = (0x120089, 0x120116, 0x1200a0, 0x1f01ff)
KEY_MAPPING = (0x20019, 0x20006, 0x20039, 0xf003f)
THREAD_MAPPING = (0x20048, 0x20437, 0x121800, 0x1fffff)
PROCESS_MAPPING = (0x20410, 0x20bea, 0x121001, 0x1fffff)

OWNER_RIGHTS, CREATOR_OWNER, CREATOR_GROUP, EVERYONE = 'S-1-3-4', 'S-1-3-0', 'S-1-3-1', 'S-1-1-0'
USER = 'S-1-5-21-1-2-3-1001'
GROUPS = [EVERYONE, 'S-1-5-32-545', 'S-1-5-32-544', 'S-1-5-11', 'S-1-5-5-0-77', 'S-1-2-0']
SANDBOX = ['S-1-9-1-11-12-13-14', 'S-1-9-1-21-22-23-24']
STRANGERS = ['S-1-5-21-1-2-3-1002', 'S-1-5-18', 'S-1-5-32-546']
EVERYBODY = [USER] + GROUPS + SANDBOX + STRANGERS


def sid_bytes(sid):
    parts = sid.split('-')
    subs = [int(x) for x in parts[3:]]
    return struct.pack('<BB', int(parts[1]), len(subs)) + int(parts[2]).to_bytes(6, 'big') + struct.pack('<%dI' % len(subs), *subs)


SID_BYTES = {sid: sid_bytes(sid) for sid in EVERYBODY + [OWNER_RIGHTS, CREATOR_OWNER, CREATOR_GROUP]}


def block(data):
    return struct.pack('<I', len(data)) + data


def acl_bytes(aces):
    body = b''
    for ace_type, flags, mask, sid in aces:
        sid = SID_BYTES[sid]
        body += struct.pack('<BBHI', ace_type, flags, 8 + len(sid), mask) + sid
    return struct.pack('<BBHHH', 2, 0, 8 + len(body), len(aces), 0) + body


def parse_acl(data, names):
    """[(type, flags, mask, sid)] of a binary ACL; `names` maps binary SIDs to text."""
    aces, pos = [], 8
    for _ in range(struct.unpack_from('<H', data, 4)[0]):
        ace_type, flags, size, mask = struct.unpack_from('<BBHI', data, pos)
        aces.append((ace_type, flags, mask, names[data[pos + 8:pos + size]]))
        pos += size
    return aces


class Token:
    def __init__(self, random):
        self.groups = {}                      # SID -> enabled?
        for sid in GROUPS:
            if random.random() < 0.7:
                self.groups[sid] = random.random() < 0.75
        self.restricting = []
        self.write_restricted = False
        if random.random() < 0.6:
            self.restricting = random.sample(EVERYBODY, random.randint(1, 4))
            self.write_restricted = random.random() < 0.6
        self.privileges = random.choice([0, 0, 0, 0, 1, 2, 3])

    def wire(self):
        data = struct.pack('<II', WRITE_RESTRICTED if self.write_restricted else 0, self.privileges)
        data += block(SID_BYTES[USER]) + struct.pack('<I', len(self.groups))
        for sid, enabled in self.groups.items():
            data += struct.pack('<I', ENABLED if enabled else DENY_ONLY) + block(SID_BYTES[sid])
        data += struct.pack('<I', len(self.restricting))
        return data + b''.join(block(SID_BYTES[sid]) for sid in self.restricting)


class Descriptor:
    """dacl: a list of ACEs, or None for a NULL DACL."""

    def __init__(self, owner, dacl, control=SE_DACL_PRESENT):
        self.owner, self.dacl, self.control = owner, dacl, control

    def wire(self):
        data = struct.pack('<I', self.control) + block(SID_BYTES[self.owner]) + block(SID_BYTES[USER])
        return data + (block(b'') if self.dacl is None else block(acl_bytes(self.dacl)))


def random_mask(random, mapping, bits=4):
    valid = [1 << i for i in range(32) if mapping[3] >> i & 1]
    mask = 0
    for _ in range(random.randint(1, bits)):
        mask |= random.choice(valid)
    if random.random() < 0.15:
        mask |= random.choice(list(GENERIC))
    if random.random() < 0.25:
        mask |= random.choice(mapping)
    return mask


def random_dacl(random, mapping, inheritance=False):
    dacl = []
    for _ in range(random.choice([0, 1, 2, 2, 3, 3, 4, 5, 6, 8])):
        sid = random.choice(EVERYBODY + [USER, OWNER_RIGHTS, CREATOR_OWNER] + SANDBOX)
        flags = 0
        if inheritance or random.random() < 0.3:
            flags = random.choice([0, OI, CI, OI | CI, OI | CI | NP, CI | NP, OI | NP])
            if flags & (OI | CI) and random.random() < 0.35:
                flags |= IO
            if random.random() < 0.4:
                flags |= INHERITED
        dacl.append((random.choice([ALLOW, ALLOW, DENY]), flags, random_mask(random, mapping), sid))
    return dacl


def access_case(random):
    mapping = random.choice([FILE_MAPPING, FILE_MAPPING, KEY_MAPPING, PROCESS_MAPPING, THREAD_MAPPING])
    dacl = None if random.random() < 0.03 else random_dacl(random, mapping)
    sd = Descriptor(random.choice([USER, USER] + EVERYBODY), dacl)
    desired = 0
    while not desired:
        desired = random_mask(random, mapping, 3) & ~0xf0000000
        if random.random() < 0.3:
            desired &= READ_CONTROL | WRITE_DAC | WRITE_OWNER
        if random.random() < 0.3:
            desired &= mapping[0] | mapping[2]
    if random.random() < 0.25:
        desired = MAXIMUM_ALLOWED | random.choice([0, 0, desired])
    if random.random() < 0.04:
        desired |= SYSTEM_SECURITY
    return Token(random), sd, mapping, desired


def access_wire(case):
    token, sd, mapping, desired = case
    return struct.pack('<I', 1) + token.wire() + sd.wire() + struct.pack('<5I', *mapping, desired)
