#include "common/grants/reader.h"

#include "common/grants/audience.h"
#include "common/grants/kind.h"
#include "common/grants/tree.h"

#define WAIT_MS 120000u

/* Whether ACEs for the SID allow all of `mask` on a directory, and (below) on what is in it. */
static int allows(const uint8_t *acl, const void *sid, uint32_t mask, int below)
{
    sbx_ace found[16];
    uint32_t count = sbx_acl_find(acl, sid, found, 16), i, here = 0, files = 0, dirs = 0;

    for (i = 0; i < count && i < 16; i++) {
        const uint32_t has =
            found[i].mask & GENERIC_ALL || (found[i].mask & GENERIC_READ && found[i].mask & GENERIC_EXECUTE)
                ? SBX_KIND_READ
                : found[i].mask;

        if (found[i].type != SBX_ACE_ALLOW && (has & mask))
            return 0;
        if (found[i].type != SBX_ACE_ALLOW)
            continue;
        here |= found[i].flags & SBX_ACE_ONLY_BELOW ? 0 : has;
        files |= found[i].flags & SBX_ACE_FILES ? has : 0;
        dirs |= found[i].flags & SBX_ACE_DIRS ? has : 0;
    }
    return (here & (below ? files & dirs : mask) & mask) == mask;
}

int sbx_reader_admits(const uint8_t *acl, const void *group, uint32_t mask, int below)
{
    static const uint8_t everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0},
                         authenticated[12] = {1, 1, 0, 0, 0, 0, 0, 5, 11, 0, 0, 0},
                         users[16] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x21, 2, 0, 0};

    return allows(acl, everyone, mask, below) || allows(acl, authenticated, mask, below) ||
           allows(acl, users, mask, below) || allows(acl, group, mask, below);
}

int sbx_reader_is_open(const char *path, const void *group)
{
    static const uint8_t everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    sbx_root root = {0};
    sbx_sd *sd = NULL;
    int result = 1;

    if (sbx_root_look(path, &root, NULL) == SBX_OK && sbx_sd_new(&sd, NULL) == SBX_OK &&
        SBX_NT_OK(sbx_sd_read(sd, root.handle)) && sd->acl)
        result = sbx_reader_admits(sd->acl, group ? group : everyone, SBX_KIND_READ, 1);
    sbx_free(sd);
    sbx_root_close(&root);
    return result;
}

sbx_status sbx_reader_open(const char *path, const char *run_id, const sbx_audience *audience, int dry,
                           sbx_reader *reader, sbx_error *err)
{
    sbx_arena arena = {NULL};
    sbx_ledger ledger = {0};
    sbx_tree tree = {.root = &reader->root, .ledger = &ledger, .arena = &arena, .dry = dry};
    sbx_lock *lock = NULL;
    sbx_status st = SBX_OK;

    /* like every user of the machine, or since it is a root or in one */
    if (sbx_reader_is_open(path, audience->writers.u.bytes) || sbx_root_open(path, &reader->root, NULL) != SBX_OK)
        return SBX_OK;
    sbx_sid_set_tag(&reader->root.sid, SBX_SID_TAG_READ);
    reader->root.kind = SBX_RECORD_READ;
    reader->root.audience = audience;
    if (!dry && ((st = sbx_root_hold(&reader->root, err)) != SBX_OK ||
                 (st = sbx_lock_take(&reader->root.sid, WAIT_MS, &lock, err)) != SBX_OK ||
                 (run_id && (st = sbx_hold_take(run_id, &reader->root.sid, 1, &reader->hold, err)) != SBX_OK)))
        goto out;
    tree.hold = reader->hold;
    if ((st = sbx_ledger_load(&ledger, err)) == SBX_OK)
        st = sbx_tree_grant(&tree, err);
out:
    sbx_lock_give(lock);
    sbx_ledger_fini(&ledger);
    sbx_arena_fini(&arena);
    return st;
}

void sbx_reader_close(sbx_reader *reader)
{
    sbx_hold_give(reader->hold);
    reader->hold = NULL;
    sbx_root_close(&reader->root);
}
