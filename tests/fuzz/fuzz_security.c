/* Any bytes as an ACL or as a ledger: nothing outside of them is read, and what was added to an ACL and taken away again
 * leaves it as it was. */
#include <string.h>

#include "common/grants/acl.h"
#include "common/grants/ledger_record.h"
#include "fuzz/fuzz.h"

static const uint8_t sid[12] = {1, 1, 0, 0, 0, 0, 0, 9, 7, 0, 0, 0};

static void check_acl(const uint8_t *bytes, size_t size)
{
    static uint8_t added[0x20000], before[0x10000];
    const sbx_ace aces[] = {
        {SBX_ACE_DENY, 0, 1}, {SBX_ACE_ALLOW, SBX_ACE_INHERITED, 2}, {SBX_ACE_DENY, SBX_ACE_INHERITED, 4}};
    const sbx_ace all = {SBX_ACE_DENY, 0, UINT32_MAX};
    size_t length;
    uint32_t there;

    if (!sbx_acl_valid(bytes, size))
        return;
    length = bytes[2] | (size_t)bytes[3] << 8;
    memcpy(before, bytes, length);
    there = sbx_acl_find(before, sid, NULL, 0);
    length = sbx_acl_add(before, sid, aces, 3, added);
    if (!length)
        return;
    SBX_HOLDS(sbx_acl_valid(added, length));
    SBX_HOLDS(sbx_acl_find(added, sid, NULL, 0) == there + 3);
    SBX_HOLDS(sbx_acl_remove(added, sid, SBX_ACL_EVERY) == there + 3);
    SBX_HOLDS(sbx_acl_remove(before, sid, SBX_ACL_EVERY) == there);
    SBX_HOLDS(!memcmp(added, before, before[2] | (size_t)before[3] << 8));
    /* an explicit deny of all before all others lets nobody in by our SID */
    memcpy(before, bytes, bytes[2] | (size_t)bytes[3] << 8);
    sbx_acl_leaves(before, sid, sid, 2, 1);
    length = sbx_acl_add(before, sid, &all, 1, added);
    SBX_HOLDS(!length || !sbx_acl_leaves(added, sid, NULL, UINT32_MAX, 0));
}

static void check_ledger(const uint8_t *bytes, size_t size)
{
    sbx_ledger_record record;
    size_t at = 0, skipped = 0, whole = 0;

    while (sbx_ledger_record_next(bytes, size, &at, &record, &skipped)) {
        SBX_HOLDS((const uint8_t *)record.path + record.path_length <= bytes + size);
        whole += sbx_ledger_record_put(&record, NULL);
    }
    SBX_HOLDS(at == size && whole + skipped == size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_acl(data, size);
    check_ledger(data, size);
    return 0;
}
