#include "common/grants/acl.h"

#include <string.h>

#include "common/grants/words.h"

#define ACL_HEADER 8u /* revision, 0, size (2), count (2), 0 (2) */
#define ACE_HEADER 4u /* type, flags, size (2) */
#define ACE_SID 8u    /* of an allow or deny ACE: behind header and mask */

size_t sbx_sid_length(const void *bytes, size_t size)
{
    const uint8_t *sid = bytes;
    size_t length;

    if (size < 8 || sid[0] != 1 || sid[1] > 15)
        return 0;
    length = 8 + (size_t)sid[1] * 4;
    return length <= size ? length : 0;
}

int sbx_acl_valid(const void *acl, size_t size)
{
    const uint8_t *bytes = acl;
    uint32_t total, count, i;
    size_t at = ACL_HEADER;

    if (size < ACL_HEADER || bytes[0] < 2 || bytes[0] > 4)
        return 0;
    total = sbx_get16(bytes + 2);
    count = sbx_get16(bytes + 4);
    if (total < ACL_HEADER || total > size)
        return 0;
    for (i = 0; i < count; i++) {
        uint32_t length;

        if (total - at < ACE_HEADER)
            return 0;
        length = sbx_get16(bytes + at + 2);
        if (length < ACE_HEADER || length > total - at)
            return 0;
        at += length;
    }
    return 1;
}

/* SBX_ACL_ALLOW or _DENY of an ACE with a mask: the plain ones, and those with a condition, an object type or two SIDs, which
 * whoever makes a file may put on it.  *at: of the SID. */
static uint32_t kind_of(const uint8_t *ace, size_t *at)
{
    static const uint8_t allow = SBX_ACL_ALLOW, deny = SBX_ACL_DENY;
    const uint8_t kinds[13] = {allow, deny, 0, 0, allow, allow, deny, 0, 0, allow, deny, allow, deny};
    uint32_t kind = ace[0] < sizeof(kinds) ? kinds[ace[0]] : 0;

    *at = ACE_SID;
    if (ace[0] == 4) /* two SIDs, of the server and of its client, behind a number */
        *at += 4;
    else if (ace[0] == 5 || ace[0] == 6 || ace[0] >= 11) { /* flags, and a GUID for each of two */
        if (!kind || sbx_get16(ace + 2) < ACE_SID + 4)
            return 0;
        *at += 4 + 16 * (size_t)((ace[ACE_SID] & 1) + (ace[ACE_SID] >> 1 & 1));
    }
    return sbx_get16(ace + 2) > *at ? kind : 0;
}

static int is_for(const uint8_t *ace, const void *sid)
{
    const uint8_t *wanted = sid;
    size_t at, length = 8 + (size_t)wanted[1] * 4;

    return kind_of(ace, &at) && sbx_get16(ace + 2) >= at + length && !memcmp(ace + at, sid, length);
}

uint32_t sbx_acl_find(const void *acl, const void *sid, sbx_ace *found, uint32_t room)
{
    const uint8_t *bytes = acl, *ace = bytes + ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4), hits = 0;

    for (i = 0; i < count; i++, ace += sbx_get16(ace + 2)) {
        if (!is_for(ace, sid))
            continue;
        if (found && hits < room) {
            found[hits].type = ace[0];
            found[hits].flags = ace[1];
            found[hits].mask = sbx_get32(ace + 4);
        }
        hits++;
    }
    return hits;
}

size_t sbx_ace_length(const void *sid)
{
    return ACE_SID + 8 + (size_t)((const uint8_t *)sid)[1] * 4;
}

/* Offset at which a new ACE belongs. */
static size_t place_of(const uint8_t *acl, const void *sid, const sbx_ace *new_ace)
{
    uint32_t i, count = sbx_get16(acl + 4);
    size_t at = ACL_HEADER;

    if (new_ace->type == SBX_ACE_DENY && !(new_ace->flags & SBX_ACE_INHERITED))
        return at;
    for (i = 0; i < count; i++, at += sbx_get16(acl + at + 2)) {
        const uint8_t *ace = acl + at;
        int inherited = !!(ace[1] & SBX_ACE_INHERITED);

        if (!(new_ace->flags & SBX_ACE_INHERITED)) {
            if (inherited || ace[0] != SBX_ACE_DENY)
                return at;
        } else if (inherited && (new_ace->type == SBX_ACE_DENY || ace[0] != SBX_ACE_DENY || !is_for(ace, sid))) {
            return at;
        }
    }
    return at;
}

size_t sbx_acl_add(const void *acl, const void *sid, const sbx_ace *aces, uint32_t count, void *out)
{
    uint8_t *bytes = out;
    size_t size = sbx_get16((const uint8_t *)acl + 2), length = sbx_ace_length(sid);
    uint32_t i;

    if (length * count > SBX_ACL_MAX || size > SBX_ACL_MAX - length * count)
        return 0;
    memcpy(bytes, acl, size);
    for (i = 0; i < count; i++) {
        size_t at = place_of(bytes, sid, &aces[i]);

        memmove(bytes + at + length, bytes + at, size - at);
        bytes[at] = aces[i].type;
        bytes[at + 1] = aces[i].flags;
        sbx_put16(bytes + at + 2, length);
        sbx_put32(bytes + at + 4, aces[i].mask);
        memcpy(bytes + at + ACE_SID, sid, length - ACE_SID);
        size += length;
        sbx_put16(bytes + 2, size);
        sbx_put16(bytes + 4, sbx_get16(bytes + 4) + 1);
    }
    return size;
}

uint32_t sbx_acl_remove(void *acl, const void *sid, uint32_t kinds)
{
    uint8_t *bytes = acl;
    size_t size = sbx_get16(bytes + 2), at = ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4), removed = 0;

    for (i = 0; i < count; i++) {
        uint8_t *ace = bytes + at;
        size_t length = sbx_get16(ace + 2);
        uint32_t origin = ace[1] & SBX_ACE_INHERITED ? SBX_ACL_INHERITED : SBX_ACL_EXPLICIT;
        size_t sid_at;
        uint32_t type = kind_of(ace, &sid_at);

        if (!is_for(ace, sid) || !(kinds & origin) || !(kinds & type)) {
            at += length;
            continue;
        }
        memmove(ace, ace + length, size - at - length);
        size -= length;
        removed++;
    }
    sbx_put16(bytes + 2, size);
    sbx_put16(bytes + 4, count - removed);
    return removed;
}

static int is_ace(const uint8_t *ace, const void *sid, const sbx_ace *wanted)
{
    return ace[0] == wanted->type && ace[1] == wanted->flags && is_for(ace, sid) && sbx_get32(ace + 4) == wanted->mask;
}

int sbx_acl_has(const void *acl, const void *sid, const sbx_ace *wanted)
{
    const uint8_t *bytes = acl, *ace = bytes + ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4);

    for (i = 0; i < count; i++, ace += sbx_get16(ace + 2))
        if (is_ace(ace, sid, wanted))
            return 1;
    return 0;
}

int sbx_acl_passes(const void *acl, const void *sid, const sbx_ace *wanted, int to_directories)
{
    const uint8_t *bytes = acl, *ace = bytes + ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4);

    for (i = 0; i < count; i++, ace += sbx_get16(ace + 2))
        if (ace[0] == wanted->type && (ace[1] & (to_directories ? SBX_ACE_DIRS : SBX_ACE_FILES)) && is_for(ace, sid) &&
            sbx_get32(ace + 4) == wanted->mask)
            return 1;
    return 0;
}

uint32_t sbx_acl_remove_one(void *acl, const void *sid, const sbx_ace *wanted)
{
    uint8_t *bytes = acl;
    size_t size = sbx_get16(bytes + 2), at = ACL_HEADER, length;
    uint32_t i, count = sbx_get16(bytes + 4);

    for (i = 0; i < count; i++, at += length) {
        uint8_t *ace = bytes + at;

        length = sbx_get16(ace + 2);
        if (!is_ace(ace, sid, wanted))
            continue;
        memmove(ace, ace + length, size - at - length);
        sbx_put16(bytes + 2, size - length);
        sbx_put16(bytes + 4, count - 1);
        return 1;
    }
    return 0;
}

/* Generic rights of files as what they stand for: winnt.h, FILE_GENERIC_READ and so on. */
static uint32_t specific(uint32_t mask)
{
    static const uint32_t rights[4] = {0x001F01FFu, 0x001200A0u, 0x00120116u,
                                       0x00120089u}; /* all, execute, write, read */
    uint32_t i, result = mask & 0x0FFFFFFFu;

    for (i = 0; i < 4; i++)
        if (mask & 0x10000000u << i)
            result |= rights[i];
    return result;
}

static int same_ace(const uint8_t *a, const uint8_t *b)
{
    size_t length = sbx_get16(a + 2), at;

    if (a[0] != b[0] || a[1] != b[1] || length != sbx_get16(b + 2))
        return 0;
    if (!kind_of(a, &at))
        return !memcmp(a, b, length);
    return specific(sbx_get32(a + 4)) == specific(sbx_get32(b + 4)) && !memcmp(a + 8, b + 8, length - 8);
}

/* The ACE at `from` or the first behind it that is no duplicate; *left ACEs are from there on.  NULL: there is none. */
static const uint8_t *next_kept(const uint8_t *acl, const uint8_t *from, uint32_t *left)
{
    for (; *left; from += sbx_get16(from + 2), --*left) {
        const uint8_t *before = acl + ACL_HEADER;

        if (from[0] != SBX_ACE_ALLOW)
            return from;
        while (before < from && !same_ace(before, from))
            before += sbx_get16(before + 2);
        if (before == from)
            return from;
    }
    return NULL;
}

int sbx_acl_same(const void *a, const void *b)
{
    const uint8_t *x = (const uint8_t *)a + ACL_HEADER, *y = (const uint8_t *)b + ACL_HEADER;
    uint32_t x_left = sbx_get16((const uint8_t *)a + 4), y_left = sbx_get16((const uint8_t *)b + 4);

    for (;;) {
        x = next_kept(a, x, &x_left);
        y = next_kept(b, y, &y_left);
        if (!x || !y)
            return x == y;
        if (!same_ace(x, y))
            return 0;
        x += sbx_get16(x + 2);
        y += sbx_get16(y + 2);
        x_left--;
        y_left--;
    }
}

int sbx_acl_shuts(const void *acl, const void *sid, uint32_t mask, int below)
{
    const uint8_t *bytes = acl, *ace = bytes + ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4), denied = 0;

    for (i = 0; i < count && (denied & mask) != mask; i++, ace += sbx_get16(ace + 2)) {
        size_t at;
        const uint32_t kind = kind_of(ace, &at);

        if (!kind || (below ? !(ace[1] & SBX_ACE_DIRS) : ace[1] & SBX_ACE_ONLY_BELOW))
            continue;
        if (ace[0] == SBX_ACE_DENY && is_for(ace, sid) && !(below && (ace[1] & SBX_ACE_ONE_LEVEL)))
            denied |= specific(sbx_get32(ace + 4));
        else if (kind == SBX_ACL_ALLOW && (specific(sbx_get32(ace + 4)) & mask & ~denied))
            return 0;
    }
    return 1;
}

int sbx_acl_marked(const void *acl, const void *sid)
{
    const uint8_t *bytes = acl, *ace = bytes + ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4);

    for (i = 0; i < count; i++, ace += sbx_get16(ace + 2))
        if (!(ace[1] & SBX_ACE_INHERITED) && is_for(ace, sid))
            return 1;
    return 0;
}

int sbx_acl_marked_by_others(const void *acl, const void *sid)
{
    static const uint8_t authority[6] = {0, 0, 0, 0, 0, 9};
    const uint8_t *bytes = acl, *ace = bytes + ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4);

    for (i = 0; i < count; i++, ace += sbx_get16(ace + 2)) {
        size_t at;

        if (!(ace[1] & SBX_ACE_INHERITED) && kind_of(ace, &at) == SBX_ACL_DENY && sbx_get16(ace + 2) >= at + 8 &&
            !memcmp(ace + at + 2, authority, sizeof(authority)) && !is_for(ace, sid))
            return 1;
    }
    return 0;
}

int sbx_acl_only(const void *acl, const void *sid)
{
    const uint32_t count = sbx_get16((const uint8_t *)acl + 4);

    return count && sbx_acl_find(acl, sid, NULL, 0) == count;
}

uint32_t sbx_acl_count(const void *acl)
{
    return sbx_get16((const uint8_t *)acl + 4);
}

const void *sbx_acl_sid(const void *acl, uint32_t index)
{
    const uint8_t *ace = (const uint8_t *)acl + ACL_HEADER;

    for (; index; index--)
        ace += sbx_get16(ace + 2);
    return ace[0] <= SBX_ACE_DENY && sbx_sid_length(ace + ACE_SID, sbx_get16(ace + 2) - ACE_SID) ? ace + ACE_SID : NULL;
}

int sbx_acl_allows(const void *acl, const void *sid, uint32_t mask)
{
    const uint8_t *bytes = acl, *ace = bytes + ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4);

    for (i = 0; i < count; i++, ace += sbx_get16(ace + 2))
        if (ace[0] == SBX_ACE_ALLOW && !(ace[1] & SBX_ACE_ONLY_BELOW) && is_for(ace, sid) &&
            (sbx_get32(ace + 4) & mask))
            return 1;
    return 0;
}

static int is_everyone(const uint8_t *ace, size_t at)
{
    static const uint8_t everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};

    return sbx_get16(ace + 2) >= at + sizeof(everyone) && !memcmp(ace + at, everyone, sizeof(everyone));
}

/* The SID of a logon or of any root, of an owner or an account: one of them may be this command's. */
static int is_perhaps_restricting(const uint8_t *ace, size_t at, const void *user)
{
    static const uint8_t logon[9] = {1, 3, 0, 0, 0, 0, 0, 5, 5}, root[6] = {0, 0, 0, 0, 0, 9},
                         owner[12] = {1, 1, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0},
                         account[12] = {1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0};

    if (sbx_get16(ace + 2) < at + 12)
        return 0;
    return !memcmp(ace + at, logon, sizeof(logon)) || !memcmp(ace + at + 2, root, sizeof(root)) ||
           (user && !is_for(ace, user) &&
            (!memcmp(ace + at, owner, sizeof(owner)) || !memcmp(ace + at, account, sizeof(account))));
}

int sbx_acl_leaves(const void *acl, const void *sid, const void *user, uint32_t mask, int below)
{
    const uint8_t *bytes = acl, *ace = bytes + ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4), denied = 0;

    for (i = 0; i < count; i++, ace += sbx_get16(ace + 2)) {
        size_t at;
        const uint32_t kind = kind_of(ace, &at), inherits = ace[1] & (SBX_ACE_FILES | SBX_ACE_DIRS | SBX_ACE_ONE_LEVEL);
        int is_ours, is_here = !(ace[1] & SBX_ACE_ONLY_BELOW);

        if (!kind)
            continue;
        is_ours = is_for(ace, sid) || is_everyone(ace, at);
        if (ace[0] == SBX_ACE_DENY) {
            /* what is denied to others, or for some of what is below only, is not denied */
            if (is_ours && (below ? inherits == (SBX_ACE_FILES | SBX_ACE_DIRS) : is_here))
                denied |= sbx_get32(ace + 4);
        } else if (kind == SBX_ACL_ALLOW && (is_ours || is_perhaps_restricting(ace, at, user)) &&
                   (below ? inherits & (SBX_ACE_FILES | SBX_ACE_DIRS) : (uint32_t)is_here)) {
            const uint32_t rights =
                sbx_get32(ace + 4) & 0x50000000u ? UINT32_MAX : sbx_get32(ace + 4); /* GENERIC_ALL, GENERIC_WRITE */

            if (rights & mask & ~denied)
                return 1;
        }
    }
    return 0;
}

/* Whom no account is: the user, the system, administrators, services, whoever makes something, and what is a restricting SID alone. */
static int is_no_account(const uint8_t *ace, size_t at, const void *user)
{
    static const uint8_t system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0},
                         administrators[16] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0},
                         maker[12] = {1, 1, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0}, service[4] = {80, 0, 0, 0},
                         root[6] = {0, 0, 0, 0, 0, 9}, nt[6] = {0, 0, 0, 0, 0, 5};
    const uint8_t *sid = ace + at;
    const size_t room = sbx_get16(ace + 2) - at;

    if (is_for(ace, user))
        return 1;
    return room >= 12 && (!memcmp(sid, system, sizeof(system)) || !memcmp(sid, maker, sizeof(maker)) ||
                          !memcmp(sid + 2, root, sizeof(root)) ||
                          (!memcmp(sid + 2, nt, sizeof(nt)) && !memcmp(sid + 8, service, sizeof(service))) ||
                          (room >= sizeof(administrators) && !memcmp(sid, administrators, sizeof(administrators))));
}

int sbx_acl_reads(const void *acl, const void *group, const void *user, uint32_t mask, int below)
{
    const uint8_t *bytes = acl, *ace = bytes + ACL_HEADER;
    uint32_t i, count = sbx_get16(bytes + 4), denied = 0;

    for (i = 0; i < count; i++, ace += sbx_get16(ace + 2)) {
        const uint32_t inherits = ace[1] & (SBX_ACE_FILES | SBX_ACE_DIRS | SBX_ACE_ONE_LEVEL);
        const int is_here = !(ace[1] & SBX_ACE_ONLY_BELOW);
        uint32_t rights = sbx_get32(ace + 4);
        size_t at;
        const uint32_t kind = kind_of(ace, &at);

        if (ace[0] == SBX_ACE_DENY && (is_for(ace, group) || is_everyone(ace, at))) {
            if (below ? inherits == (SBX_ACE_FILES | SBX_ACE_DIRS) : is_here)
                denied |= rights;
        } else if (kind == SBX_ACL_ALLOW && !is_no_account(ace, at, user) &&
                   (below ? inherits & (SBX_ACE_FILES | SBX_ACE_DIRS) : (uint32_t)is_here)) {
            if (rights & 0xF0000000u) /* generic ones */
                rights = UINT32_MAX;
            if (rights & mask & ~denied)
                return 1;
        }
    }
    return 0;
}
