#include "common/grants/protect.h"

#include <stdio.h>

#include "base/path.h"
#include "common/grants/guard.h"
#include "common/grants/recheck.h"
#include "common/grants/stamp.h"
#include "common/grants/undo.h"
#include "common/host.h"
#include "win/handle.h"

void sbx_protect_note_count(const char *object, uint64_t count, const char *text)
{
    if (count)
        sbx_host_note(SBX_NOTE_GAP, object, "%lu %s", (unsigned long)count, text);
}

static char *full_path(const sbx_protection *p, const char *relative)
{
    return sbx_arena_printf(p->arena, "%s\\%s", p->root->path, relative);
}

static int is_directory_of(const sbx_nt_info *info)
{
    return (info->attributes & FILE_ATTRIBUTE_DIRECTORY) && !(info->attributes & FILE_ATTRIBUTE_REPARSE_POINT);
}

/* *is_directory: what it is thought to be, then what it is. */
static sbx_status open_rule(const sbx_root *root, const char *path, int dry, void **handle, int *is_directory,
                            sbx_error *err)
{
    const ACCESS_MASK without = dry ? WRITE_DAC : 0;
    void *listed = NULL;
    sbx_nt_info info = {0};
    sbx_status st;

    if (*is_directory && sbx_root_below(root, path, SBX_ROOT_ACCESS & ~without, handle, &info, NULL) == SBX_OK &&
        *handle && is_directory_of(&info))
        return SBX_OK;
    sbx_handle_close(handle);
    *is_directory = 0;
    st = sbx_root_below(root, path, (READ_CONTROL | WRITE_DAC) & ~without, handle, &info, err);
    if (st != SBX_OK || !*handle)
        return st;
    *is_directory = is_directory_of(&info);
    if (*is_directory) {
        st = sbx_root_below(root, path, SBX_ROOT_ACCESS & ~without, &listed, &info, err);
        if (dry && st == SBX_E_SYSTEM)
            return SBX_OK; /* one that sbx left closed to everybody, which a run mends */
        sbx_handle_close(handle);
        *handle = listed;
        /* another object now, or the rights to list it are missing */
        if (st == SBX_OK && *handle && (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT))
            st = sbx_fail(err, SBX_E_REFUSED, "it changed while it was opened", path);
    }
    if (st == SBX_OK && *handle && (info.attributes & FILE_ATTRIBUTE_REPARSE_POINT))
        sbx_host_note(SBX_NOTE_GAP, path,
                      "is a link: what it points to is protected only where that is in a writable root");
    return st;
}

/* Another object may have got the name while this one was opened and stamped.  From here on no command can do that. */
static sbx_status look_again(const sbx_root *root, const sbx_rule *rule, const char *full, sbx_error *err)
{
    void *handle = NULL;
    sbx_nt_info info = {0};
    uint32_t found = SBX_STAMP_BARE;
    sbx_status st = sbx_root_below(root, rule->path, READ_CONTROL, &handle, &info, err);

    if (st == SBX_OK && handle)
        st = sbx_stamp_check(root, handle, full, rule->kind, is_directory_of(&info), &found, err);
    sbx_handle_close(&handle);
    if (st == SBX_OK && found != SBX_STAMP_COMPLETE)
        st = sbx_fail(err, SBX_E_REFUSED, "it changed while it was protected", full);
    return st;
}

/* Whether the ledger says that sbx itself protected the tree: the ACEs alone could come from a command. */
static int is_recorded(const sbx_protection *p, const sbx_rule *rule)
{
    const sbx_ledger_root *known = sbx_ledger_find(p->ledger, &p->root->sid);
    const sbx_ledger_path *path;

    for (path = known ? known->paths : NULL; path; path = path->next)
        if (path->kind == rule->kind && sbx_path_equal(path->path, rule->path))
            return 1;
    return 0;
}

/* What was moved into a protected directory since brought the rights of its old place along. */
static sbx_status look_inside(sbx_protection *p, const sbx_rule *rule, void *handle, const char *full, sbx_error *err)
{
    uint32_t found = SBX_RECHECK_CLOSED;
    sbx_spread_count count = {0};
    sbx_status st = sbx_recheck_inside(p->root, handle, rule->git, &found, err);

    if (st == SBX_OK && found == SBX_RECHECK_OPEN) {
        sbx_host_note(SBX_NOTE_GRANT, full, "protected again: something in it was open to the command");
        if (!p->dry)
            st = sbx_spread(p->root, p->ledger, handle, full, rule->path, SBX_RECORD_DENY, &count, err);
    }
    if (found == SBX_RECHECK_MUCH)
        sbx_host_note(SBX_NOTE_WARN, full,
                      "is too large to look at all of it: what was moved into it may be open to the command");
    return st;
}

/* *absent: it is not there, and wants a guard. */
static sbx_status apply_rule(sbx_protection *p, const sbx_rule *rule, int *absent, sbx_error *err)
{
    sbx_spread_count count = {0};
    void *handle = NULL;
    uint32_t found = SBX_STAMP_BARE;
    int is_directory = rule->is_directory;
    const char *full = full_path(p, rule->path);
    sbx_status st = full ? SBX_OK : sbx_fail_memory(err);

    if (st == SBX_OK && rule->guard == SBX_GUARD_NONE) {
        sbx_host_note(SBX_NOTE_GAP, full,
                      "does not exist, and the command can make it: told when it ends, protected from the next run on");
        goto out;
    }
    if (st == SBX_OK && !rule->missing)
        st = open_rule(p->root, rule->path, p->dry, &handle, &is_directory, err);
    if (st != SBX_OK)
        goto out;
    if (!handle) {
        if (rule->kind == SBX_RECORD_DENY && !p->no_guards)
            sbx_host_note(SBX_NOTE_GRANT, full,
                          "protected: does not exist; an empty placeholder has the name while the command runs");
        *absent = 1;
        goto out;
    }
    st = sbx_stamp_check(p->root, handle, full, rule->kind, is_directory, &found, err);
    if (st == SBX_OK && found == SBX_STAMP_COMPLETE && is_recorded(p, rule)) {
        if (is_directory && rule->kind == SBX_RECORD_DENY)
            st = look_inside(p, rule, handle, full, err);
        goto out;
    }
    if (st != SBX_OK)
        goto out;
    sbx_host_note(SBX_NOTE_GRANT, full, rule->kind == SBX_RECORD_DENY ? "protected" : "kept in place");
    if (p->dry)
        goto out;
    st = sbx_stamp_set(p->root, p->ledger, handle, full, rule->path, rule->kind, is_directory, &count, err);
    sbx_protect_note_count(full, count.others, SBX_PROTECT_OTHERS);
    if (st == SBX_OK)
        st = look_again(p->root, rule, full, err);
out:
    sbx_handle_close(&handle);
    return st;
}

sbx_status sbx_protect_free(sbx_protection *p, const sbx_hold *hold, sbx_error *err)
{
    sbx_ledger_root *known = sbx_ledger_find(p->ledger, &p->root->sid);
    sbx_ledger_path *path, *next;
    sbx_status st = SBX_OK;

    for (path = known ? known->paths : NULL; path && st == SBX_OK; path = next) {
        sbx_ledger_entry entry = {SBX_RECORD_FREE, 0, path->path};
        void *handle = NULL;
        int is_directory = 0;
        uint32_t process = 0;

        next = path->next;
        if ((path->kind != SBX_RECORD_DENY && path->kind != SBX_RECORD_HOLD && path->kind != SBX_RECORD_SHUT) ||
            sbx_rules_find(p->rules, path->kind, path->path) || sbx_rules_find(p->rules, SBX_RECORD_DENY, path->path))
            continue;
        st = sbx_hold_find(&p->root->sid, hold, &process, err);
        if (st == SBX_OK && process) {
            st = sbx_fail(err, SBX_E_REFUSED, "another run protects it", full_path(p, path->path));
            sbx_hint(err, "process %lu works in the same root with stricter protection; wait for its end",
                     (unsigned long)process);
        }
        if (st == SBX_OK)
            sbx_host_note(SBX_NOTE_GRANT, full_path(p, path->path), "no longer protected");
        if (st != SBX_OK || p->dry)
            continue;
        st = open_rule(p->root, path->path, 0, &handle, &is_directory, err);
        if (st == SBX_E_REFUSED) { /* a link is on the way, or in its place: what was protected is not there */
            sbx_handle_close(&handle);
            st = SBX_OK;
        }
        if (st == SBX_OK && handle)
            st = sbx_undo_protection(p->root, p->ledger, handle, p->root->path, is_directory, err);
        sbx_handle_close(&handle);
        if (st == SBX_OK)
            st = sbx_ledger_add(p->ledger, &p->root->sid, &entry, 1, 0, err);
        /* what lies deeper may have lost an inherited deny that it still wants: its rule is looked at next */
    }
    return st;
}

sbx_status sbx_protect(sbx_protection *p, sbx_error *err)
{
    const sbx_rule *rule, **absent = NULL;
    uint32_t all = 0, count = 0;
    sbx_status st = SBX_OK;

    for (rule = p->rules; rule; rule = rule->next)
        all++;
    if (all && !(absent = sbx_arena_alloc(p->arena, all * sizeof(*absent))))
        st = sbx_fail_memory(err);
    for (rule = p->rules; rule && st == SBX_OK; rule = rule->next) {
        int is_absent = 0;

        st = apply_rule(p, rule, &is_absent, err);
        if (is_absent)
            absent[count++] = rule;
    }
    if (st == SBX_OK && count && !p->dry && !p->no_guards)
        st = sbx_guard_make(p->root, absent, count, p->ledger, err);
    p->absent = absent;
    p->absent_count = count;
    return st;
}

static int was_absent(const sbx_protection *p, const sbx_rule *rule)
{
    uint32_t i;

    for (i = 0; i < p->absent_count && p->absent[i] != rule; i++)
        ;
    return i < p->absent_count;
}

/* Whether an object is protected; with the right to read its descriptor alone, which costs the least. */
static sbx_status look_at(sbx_protection *p, const sbx_rule *rule, const char *full, int *is_there, uint32_t *found)
{
    sbx_nt_info info = {0};
    void *handle = NULL;
    sbx_status st = sbx_root_below(p->root, rule->path, READ_CONTROL, &handle, &info, NULL);

    *is_there = handle || st == SBX_E_SYSTEM;
    if (st == SBX_OK && handle)
        st = sbx_stamp_check(p->root, handle, full, rule->kind, is_directory_of(&info), found, NULL);
    sbx_handle_close(&handle);
    return st;
}

static void tell_at_end(sbx_protection *p, const sbx_rule *rule, const char *full, sbx_status st)
{
    sbx_spread_count count = {0};
    int is_directory = rule->is_directory;
    void *handle = NULL;

    if (st != SBX_OK)
        sbx_host_note(SBX_NOTE_WARN, full, "cannot be looked at after the run: whether it is protected is not known");
    else if (was_absent(p, rule))
        sbx_host_note(SBX_NOTE_WARN, full,
                      "came into being while the command ran, which could write to it: look at it before you use it");
    else
        sbx_host_note(
            SBX_NOTE_WARN, full,
            open_rule(p->root, rule->path, 0, &handle, &is_directory, NULL) == SBX_OK && handle &&
                    sbx_stamp_set(p->root, p->ledger, handle, full, rule->path, rule->kind, is_directory, &count,
                                  NULL) == SBX_OK
                ? "was replaced while the command ran, which could write to the new one: protected again; look at it "
                  "before you use it"
                : "was replaced while the command ran, and cannot be protected");
    sbx_handle_close(&handle);
}

static void look_at_end(sbx_protection *p, const sbx_rule *rule)
{
    const char *full = full_path(p, rule->path);
    uint32_t found = SBX_STAMP_BARE;
    int is_there = 0;
    sbx_status st;

    if (!full || rule->kind != SBX_RECORD_DENY || rule->guard == SBX_GUARD_NONE || rule->is_seen)
        return;
    st = look_at(p, rule, full, &is_there, &found);
    if (is_there && (st != SBX_OK || found != SBX_STAMP_COMPLETE))
        tell_at_end(p, rule, full, st);
}

/* The same with what is open already. */
static void look_at_guard(void *context, const char *path, void *handle, const sbx_nt_info *info)
{
    sbx_protection *p = context;
    const char *full = full_path(p, path);
    uint32_t found = SBX_STAMP_BARE;
    sbx_rule *rule;
    sbx_status st;

    for (rule = p->rules; rule; rule = rule->next)
        if (rule->kind == SBX_RECORD_DENY && rule->guard != SBX_GUARD_NONE && sbx_path_equal(rule->path, path))
            break;
    if (!rule || !full)
        return;
    rule->is_seen = 1;
    st = sbx_stamp_check(p->root, handle, full, rule->kind, is_directory_of(info), &found, NULL);
    if (st != SBX_OK || found != SBX_STAMP_COMPLETE)
        tell_at_end(p, rule, full, st);
}

void sbx_protect_end(sbx_protection *p, int look, int is_last)
{
    const sbx_rule *rule;

    if (is_last)
        sbx_guard_remove(p->root, p->ledger, look ? look_at_guard : NULL, p, NULL, NULL);
    for (rule = look ? p->rules : NULL; rule; rule = rule->next)
        look_at_end(p, rule);
}
