#include "common/grants/located.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/utf.h"
#include "win/wide.h"

static DWORD attributes_of(const char *path)
{
    uint16_t *path_w = NULL;
    DWORD attributes =
        path[0] && sbx_wide_path(path, &path_w, NULL) == SBX_OK ? GetFileAttributesW(path_w) : INVALID_FILE_ATTRIBUTES;

    sbx_free(path_w);
    return attributes;
}

/* A file or a link: a root is neither. */
static int is_no_directory(DWORD attributes)
{
    return (attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) != FILE_ATTRIBUTE_DIRECTORY;
}

/* What is at the recorded path: the root, another directory, or neither. */
static sbx_status open_here(const sbx_ledger_root *entry, sbx_root *root, int *is_other, sbx_error *err)
{
    const DWORD attributes = attributes_of(entry->path);
    const int is_hidden = sbx_sid_is_hidden(&entry->sid),
              is_none = !is_hidden && attributes != INVALID_FILE_ATTRIBUTES && is_no_directory(attributes);
    sbx_status st = SBX_OK;

    if (entry->path[0] && !is_none)
        st = is_hidden ? sbx_root_reopen_any(entry->path, root, err) : sbx_root_reopen(entry->path, root, err);
    sbx_sid_set_tag_of(&root->sid, &entry->sid);
    *is_other = is_none || (st == SBX_OK && root->handle && memcmp(&root->sid, &entry->sid, sizeof(entry->sid)));
    if (*is_other)
        sbx_root_close(root);
    return st;
}

sbx_status sbx_located_find(const sbx_ledger_root *entry, sbx_located *known, sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    int is_other;
    sbx_status here = open_here(entry, &known->root, &is_other, &why), st;

    known->entry = entry;
    known->where = SBX_LOCATED_HERE;
    if (known->root.handle)
        return SBX_OK;
    st = sbx_root_find(&entry->sid, entry->path, &known->root, err);
    if (st == SBX_OK && !known->root.handle && here != SBX_OK) { /* not gone: something is there that does not open */
        if (err)
            *err = why;
        st = here;
    }
    if (st != SBX_OK)
        known->where = st == SBX_E_UNAVAILABLE ? SBX_LOCATED_AWAY : SBX_LOCATED_CLOSED;
    else if (!known->root.handle)
        known->where = SBX_LOCATED_GONE;
    else if (entry->path[0] && !sbx_path_equal(entry->path, known->root.path))
        known->where = SBX_LOCATED_MOVED;
    if (known->where == SBX_LOCATED_GONE)
        known->is_replaced = is_other;
    return st;
}

void sbx_located_close(sbx_located *known)
{
    sbx_root_close(&known->root);
}

const sbx_sid *sbx_located_sid(const sbx_located *known)
{
    return known->entry ? &known->entry->sid : &known->root.sid;
}

const char *sbx_located_path(const sbx_located *known)
{
    return known->root.handle ? known->root.path : known->entry->path;
}

static uint32_t state_of(const sbx_located *known)
{
    if (known->process)
        return SBX_STATE_ACTIVE;
    switch (known->where) {
    case SBX_LOCATED_AWAY:
        return SBX_STATE_KEPT;
    case SBX_LOCATED_HERE:
    case SBX_LOCATED_CLOSED:
        return !known->entry || known->entry->done ? SBX_STATE_KEPT : SBX_STATE_STALE;
    default:
        return SBX_STATE_STALE;
    }
}

static const char *kind_of(const sbx_located *known)
{
    const sbx_sid *sid = sbx_located_sid(known);

    if (!sbx_sid_is_read(sid))
        return "grant";
    return sbx_sid_is_above(sid) ? "look" : sbx_sid_is_hidden(sid) ? "deny" : "read";
}

static const char *words_of(const sbx_located *known, uint32_t state, int is_undone)
{
    if (!known->entry)
        return "writable root that was not listed";
    if (sbx_sid_is_above(&known->entry->sid))
        return known->where == SBX_LOCATED_GONE
                   ? "a folder that is gone"
                   : "a folder above others that commands use: those in accounts may look at it, not at what is in it";
    if (sbx_sid_is_hidden(&known->entry->sid))
        return known->where == SBX_LOCATED_MOVED  ? "closed to commands in accounts, moved here from "
               : known->where == SBX_LOCATED_GONE ? "closed to commands in accounts; it is gone"
               : is_undone || state == SBX_STATE_ACTIVE
                   ? "closed to commands in accounts, as deny_read"
                   : "closed to commands in accounts, as deny_read of a run; kept until it is cleaned";
    switch (known->where) {
    case SBX_LOCATED_MOVED:
        return "writable root, moved here from ";
    case SBX_LOCATED_GONE:
        if (is_undone)
            return "the directory is gone, and its access rights with it";
        return known->is_replaced ? "writable root that is gone; something else has its path now"
                                  : "writable root that is gone";
    case SBX_LOCATED_AWAY:
        return "writable root on a volume that is not there; kept until that is back and it is cleaned";
    default:
        if (sbx_sid_is_read(&known->entry->sid))
            return is_undone || state == SBX_STATE_ACTIVE ? "open for reading to the accounts that commands run as"
                                                          : "open for reading to the accounts that commands run as; "
                                                            "kept until it is cleaned";
        if (sbx_sid_is_git(&known->entry->sid))
            return is_undone || state == SBX_STATE_ACTIVE
                       ? "of a repository, for commits from another folder"
                       : "of a repository, for commits from another folder; kept until it is cleaned";
        if (is_undone || state == SBX_STATE_ACTIVE)
            return "writable root";
        if (state == SBX_STATE_STALE)
            return "writable root, its grant was not finished";
        return known->where == SBX_LOCATED_CLOSED
                   ? "writable root that cannot be opened from here, kept until it is cleaned"
                   : "writable root, kept for later runs until it is cleaned";
    }
}

sbx_state_item sbx_located_item(sbx_located *known, int is_undone)
{
    sbx_state_item item = {.size = sizeof(item), .kind = kind_of(known), .process_id = known->process};
    size_t length;

    item.state = state_of(known);
    item.root = item.object = sbx_located_path(known);
    item.count = known->entry && known->where != SBX_LOCATED_GONE ? known->entry->count : 0;
    sbx_utf8_copy(known->text, sizeof(known->text), words_of(known, item.state, is_undone));
    length = strlen(known->text);
    if (known->entry && known->where == SBX_LOCATED_MOVED)
        sbx_utf8_copy(known->text + length, sizeof(known->text) - length, known->entry->path);
    item.text = known->text;
    return item;
}
