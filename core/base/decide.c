#include "base/decide.h"

#include <string.h>

#define ACL_HEAD 8u
#define ACE_HEAD 8u /* type, flags, size, mask */

#define ALLOW 0u
#define DENY 1u
#define ONLY_BELOW 0x08u

#define READ_CONTROL 0x00020000u
#define WRITE_DAC 0x00040000u

static const uint8_t owner_rights[12] = {1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0};

static uint32_t get16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) | get16(at + 2) << 16;
}

static size_t sid_length(const uint8_t *sid)
{
    return 8 + 4 * (size_t)sid[1];
}

static int is_same(const void *a, const void *b)
{
    const size_t length = sid_length(a);

    return length == sid_length(b) && !memcmp(a, b, length);
}

/* Generic rights as those of files.  Source: winnt.h, FILE_GENERIC_READ and its like. */
static uint32_t mapped(uint32_t mask)
{
    uint32_t rights = mask & 0x0FFFFFFFu;

    rights |= mask & 0x80000000u ? 0x00120089u : 0;
    rights |= mask & 0x40000000u ? 0x00120116u : 0;
    rights |= mask & 0x20000000u ? 0x001200A0u : 0;
    rights |= mask & 0x10000000u ? 0x001F01FFu : 0;
    return rights;
}

/* The ACE at `offset`, and where the next one is; 0: these bytes are none. */
static size_t read_ace(const uint8_t *acl, size_t end, size_t offset, sbx_decide_ace *ace)
{
    size_t length;

    if (end - offset < 4)
        return 0;
    length = get16(acl + offset + 2);
    if (length < 4 || length > end - offset)
        return 0;
    *ace = (sbx_decide_ace){.type = acl[offset], .flags = acl[offset + 1]};
    if (ace->type == ALLOW || ace->type == DENY) {
        if (length < ACE_HEAD + 8 || acl[offset + ACE_HEAD] != 1 || acl[offset + ACE_HEAD + 1] > 15 ||
            sid_length(acl + offset + ACE_HEAD) > length - ACE_HEAD)
            return 0;
        ace->mask = mapped(get32(acl + offset + 4));
        ace->sid = acl + offset + ACE_HEAD;
    }
    return offset + length;
}

/* The bytes that the ACL says it has; 0: it is none. */
static size_t acl_end(const uint8_t *acl, size_t size)
{
    const size_t end = size >= ACL_HEAD ? get16(acl + 2) : 0;

    return end >= ACL_HEAD && end <= size ? end : 0;
}

int sbx_decide_ace_at(const void *acl, size_t size, uint32_t index, sbx_decide_ace *ace)
{
    const size_t end = acl_end(acl, size);
    size_t offset = ACL_HEAD;
    uint32_t i;

    if (!end || index >= get16((const uint8_t *)acl + 4))
        return 0;
    for (i = 0; i <= index; i++) {
        offset = read_ace(acl, end, offset, ace);
        if (!offset)
            return 0;
    }
    return 1;
}

/* Whether one of the SIDs is that of the ACE; those for deny only do not count where it allows. */
static int is_meant(const sbx_decide_pass *pass, const sbx_decide_ace *ace)
{
    const void *sid = ace->sid;
    size_t i;

    if (is_same(sid, owner_rights)) {
        if (!pass->owner)
            return 0;
        sid = pass->owner;
    }
    for (i = 0; i < pass->count; i++)
        if (is_same(pass->sids[i].sid, sid) && (ace->type == DENY || !pass->sids[i].deny_only))
            return 1;
    return 0;
}

static int counts(const sbx_decide_ace *ace)
{
    return ace->sid && !(ace->flags & ONLY_BELOW);
}

/* What the owner may do whatever the ACL says, unless it says what owners may. */
static uint32_t of_owner(const sbx_decide_pass *pass, const uint8_t *acl, size_t end, uint32_t count)
{
    const sbx_decide_ace own = {.type = ALLOW, .sid = pass->owner};
    sbx_decide_ace ace;
    size_t offset = ACL_HEAD;
    uint32_t i;

    if (!pass->owner || !is_meant(pass, &own))
        return 0;
    for (i = 0; i < count; i++) {
        offset = read_ace(acl, end, offset, &ace);
        if (counts(&ace) && is_same(ace.sid, owner_rights))
            return 0;
    }
    return READ_CONTROL | WRITE_DAC;
}

int sbx_decide(const sbx_decide_pass *pass, const void *acl, size_t size, uint32_t mask, sbx_decision *decision)
{
    sbx_decide_ace ace;
    uint32_t i, count, left = mask;
    size_t end, offset = ACL_HEAD;

    *decision = (sbx_decision){.allowed = 1, .by = SBX_DECIDED_NO_ACL};
    if (!acl)
        return 1;
    end = acl_end(acl, size);
    count = end ? get16((const uint8_t *)acl + 4) : 0;
    if (!end || (count && !sbx_decide_ace_at(acl, size, count - 1, &ace)))
        return 0;
    left &= ~of_owner(pass, acl, end, count);
    decision->by = SBX_DECIDED_OWNER;
    for (i = 0; left && i < count; i++) {
        offset = read_ace(acl, end, offset, &ace);
        if (!counts(&ace) || !(ace.mask & left) || !is_meant(pass, &ace))
            continue;
        decision->by = SBX_DECIDED_ACE;
        decision->ace = i;
        if (ace.type == DENY) {
            decision->allowed = 0;
            decision->missing = ace.mask & left;
            return 1;
        }
        left &= ~ace.mask;
    }
    if (left) {
        decision->allowed = 0;
        decision->by = SBX_DECIDED_NOBODY;
        decision->missing = left;
    }
    return 1;
}
