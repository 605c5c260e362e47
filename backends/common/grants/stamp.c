#include "common/grants/stamp.h"

#include "base/memory.h"
#include "common/grants/audience.h"
#include "common/grants/kind.h"
#include "common/grants/sd.h"
#include "win/error.h"

/* Which explicit ACEs a kind owns: an inner object has only denies of its own. */
static uint32_t owned(uint32_t kind)
{
    const int is_inner = kind == SBX_RECORD_HOLD || kind == SBX_RECORD_SHUT;

    return SBX_ACL_EXPLICIT | SBX_ACL_DENY | (is_inner ? 0 : SBX_ACL_ALLOW);
}

static int same_ace(const sbx_ace *a, const sbx_ace *b)
{
    return a->type == b->type && a->flags == b->flags && a->mask == b->mask;
}

/* Whether the explicit ACEs for the SID are exactly `wanted`, in any order that is canonical. */
static int has_exactly(const uint8_t *acl, const sbx_sid *sid, const sbx_ace *wanted, uint32_t count)
{
    sbx_ace found[16];
    uint32_t all = sbx_acl_find(acl, sid->bytes, found, 16), explicit_count = 0, i, k;

    if (all > 16)
        return 0;
    for (i = 0; i < all; i++) {
        if (found[i].flags & SBX_ACE_INHERITED)
            continue;
        for (k = 0; k < count && !same_ace(&found[i], &wanted[k]); k++)
            ;
        if (k == count)
            return 0;
        explicit_count++;
    }
    return explicit_count == count;
}

sbx_status sbx_stamp_check(const sbx_root *root, void *handle, const char *path, uint32_t kind, int is_directory,
                           uint32_t *found, sbx_error *err)
{
    /* the ACEs alone prove nothing: a command may make an object with them, behind others that admit it */
    const int is_deny = kind == SBX_RECORD_DENY;
    const uint32_t mask = is_deny || kind == SBX_RECORD_SHUT ? SBX_KIND_CHANGE : SBX_KIND_MOVE;
    sbx_ace aces[3];
    uint32_t count = sbx_kind_aces(kind, is_directory, aces);
    sbx_user_sid user;
    sbx_beside beside;
    sbx_sd *sd = NULL;
    NTSTATUS status;
    sbx_status st = sbx_user_get(&user, err);

    if (st == SBX_OK)
        st = sbx_sd_new(&sd, err);
    if (st != SBX_OK)
        return st;
    status = sbx_sd_read(sd, handle);
    if (SBX_NT_OK(status))
        sbx_audience_at(root, &user, sd->acl, kind, is_directory, 1, &beside);
    if (!SBX_NT_OK(status)) {
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtQuerySecurityObject", path);
    } else if (!sd->acl) {
        st = sbx_fail(err, SBX_E_REFUSED, "it has no access control list: everyone may do everything", path);
        sbx_hint(err, "give it one, for example by `icacls` with /reset");
    } else if (sbx_kind_is_made_in(kind) && (st = sbx_audience_judge(root, sd->acl, path, err)) != SBX_OK) {
        ;
    } else if (!has_exactly(sd->acl, &root->sid, aces, count) || !sbx_audience_is_there(sd->acl, &beside.group) ||
               (sbx_kind_shuts(kind) && sbx_kind_leaves(sd->acl, root, &user, mask, 0)) ||
               (is_deny && is_directory && sbx_kind_leaves(sd->acl, root, &user, mask, 1))) {
        *found = SBX_STAMP_BARE;
    } else {
        *found = is_directory && sbx_kind_shuts(kind) && !sbx_kind_is_shut(sd->acl, &user, is_deny)
                     ? SBX_STAMP_OPEN
                     : SBX_STAMP_COMPLETE;
    }
    sbx_free(sd);
    return st;
}

static sbx_status apply(void *handle, const char *path, const sbx_sd_change *change, uint64_t *others, sbx_error *err)
{
    sbx_sd *sd = NULL;
    uint32_t result = SBX_SD_SAME;
    NTSTATUS status;
    sbx_status st = sbx_sd_new(&sd, err);

    if (st != SBX_OK)
        return st;
    sbx_step("set");
    status = sbx_sd_apply(sd, handle, change, &result);
    return sbx_sd_end(sd, status, result, path, others, err);
}

/* What one object is to get, as it is now. */
typedef struct plan {
    sbx_sd_change own, shut; /* for the root's SID; the user's deny */
    sbx_beside beside, half; /* the audience; without what says that all is done */
    int is_kept;             /* it has that of the root's SID: a command that works there may go on */
    sbx_ledger_entry entries[3];
    uint32_t count; /* of entries */
    char audience[SBX_AUDIENCE_TEXT];
} plan;

/* The deny for the user, and what is to be recorded of it. */
static sbx_status plan_shut(plan *p, const sbx_root *root, const sbx_ledger *ledger, void *handle, const uint8_t *acl,
                            uint32_t kind, const sbx_user_sid *user, const char *path, sbx_error *err)
{
    sbx_ledger_entry entry = {SBX_RECORD_KEPT, 0, p->entries[0].path};
    NTSTATUS status = sbx_nt_id(handle, &entry.count);

    if (!SBX_NT_OK(status))
        return sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtQueryInformationFile", path);
    p->shut.aces[0] = sbx_kind_shut(kind);
    if (!acl || !sbx_kind_is_shut(acl, user, kind == SBX_RECORD_DENY)) {
        p->shut.count = 1;
        entry.type = SBX_RECORD_UNKEPT;
        if (sbx_ledger_keeps(ledger, NULL, entry.count))
            p->entries[p->count++] = entry;
    } else if (sbx_kind_is_users(acl, user, &root->sid) || sbx_ledger_keeps(ledger, NULL, entry.count)) {
        p->entries[p->count++] = entry;
    }
    return SBX_OK;
}

/* Does not end where only the deny for the user is asked for. */
static sbx_status make_plan(plan *p, const sbx_root *root, const sbx_ledger *ledger, void *handle, const char *path,
                            uint32_t kind, int is_directory, const sbx_user_sid *user, sbx_error *err)
{
    sbx_sd *sd = NULL;
    NTSTATUS status;
    sbx_status st = sbx_sd_new(&sd, err);

    if (st != SBX_OK)
        return st;
    p->own.sid = root->sid.bytes;
    p->own.remove = owned(kind);
    p->own.count = sbx_kind_aces(kind, is_directory, p->own.aces);
    p->own.also = is_directory ? &p->shut : &p->beside.group;
    status = sbx_sd_read(sd, handle);
    if (!SBX_NT_OK(status)) {
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtQuerySecurityObject", path);
        goto out;
    }
    p->shut.sid = user->u.bytes;
    if (is_directory && sbx_kind_shuts(kind))
        st = plan_shut(p, root, ledger, handle, sd->acl, kind, user, path, err);
    p->is_kept = sd->acl && has_exactly(sd->acl, &root->sid, p->own.aces, p->own.count);
    sbx_audience_at(root, user, sd->acl, kind, is_directory, 1, &p->beside);
    sbx_audience_at(root, user, sd->acl, kind, is_directory,
                    sd->acl && sbx_audience_is_there(sd->acl, &p->beside.group), &p->half);
    if ((sbx_kind_is_tree(kind) || sbx_kind_is_root(kind) || kind == SBX_RECORD_ABOVE) &&
        sbx_audience_plan(root, ledger, sd->acl, user, p->audience, &p->entries[p->count]))
        p->count++;
out:
    sbx_free(sd);
    return st;
}

sbx_status sbx_stamp_shut(const sbx_root *root, sbx_ledger *ledger, void *handle, const char *path, uint32_t kind,
                          sbx_error *err)
{
    plan p = {.entries = {{.path = ""}}};
    sbx_user_sid user;
    uint64_t others = 0;
    sbx_status st = sbx_user_get(&user, err);

    if (st == SBX_OK)
        st = make_plan(&p, root, ledger, handle, path, kind, 1, &user, err);
    if (st == SBX_OK && p.count)
        st = sbx_ledger_add(ledger, &root->sid, p.entries, p.count, 0, err);
    return st == SBX_OK && p.shut.count ? apply(handle, path, &p.shut, &others, err) : st;
}

sbx_status sbx_stamp_set(const sbx_root *root, sbx_ledger *ledger, void *handle, const char *path, const char *recorded,
                         uint32_t kind, int is_directory, sbx_spread_count *count, sbx_error *err)
{
    plan p = {.entries = {{kind, 0, recorded}}, .count = 1};
    sbx_sd_change change;
    sbx_user_sid user;
    uint64_t *others = sbx_kind_is_tree(kind) ? NULL : &count->others;
    sbx_status st = sbx_user_get(&user, err);

    if (st == SBX_OK)
        st = make_plan(&p, root, ledger, handle, path, kind, is_directory, &user, err);
    if (st == SBX_OK)
        st = sbx_ledger_add(ledger, &root->sid, p.entries, p.count, 0, err);
    if (st == SBX_OK && is_directory && (sbx_kind_is_tree(kind) || kind == SBX_RECORD_DENY)) {
        change = p.own;
        change.count -= !p.is_kept; /* without the last, which says that the tree is complete */
        p.shut.also = &p.half.group;
        st = apply(handle, path, &change, others, err);
        if (st == SBX_OK)
            st = sbx_spread(root, ledger, handle, path, recorded, kind, count, err);
        p.shut.count = 0;
        sbx_audience_rest(&p.beside, &p.half);
    }
    p.shut.also = &p.beside.group;
    return st == SBX_OK ? apply(handle, path, &p.own, others, err) : st;
}

sbx_status sbx_stamp_any(const sbx_root *root, int *any, sbx_error *err)
{
    sbx_sd *sd = NULL;
    NTSTATUS status;
    sbx_status st = sbx_sd_new(&sd, err);

    *any = 0;
    if (st != SBX_OK)
        return st;
    status = sbx_sd_read(sd, root->handle);
    if (SBX_NT_OK(status))
        *any = sd->acl && sbx_acl_find(sd->acl, root->sid.bytes, NULL, 0);
    else
        st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtQuerySecurityObject", root->path);
    sbx_free(sd);
    return st;
}
