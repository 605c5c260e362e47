#include "common/grants/ledger.h"

#include <string.h>
#include <windows.h>

#include "base/text.h"
#include "common/host.h"
#include "common/state.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"

#define LARGEST (64u << 20) /* bytes that are read of a ledger */
#define COMPACT_AT (64u << 10)
#define LOCK_WAIT_MS 10000u

void (*sbx_step_hook)(const char *step);

void sbx_step(const char *step)
{
    if (sbx_step_hook)
        sbx_step_hook(step);
}

sbx_ledger_root *sbx_ledger_find(const sbx_ledger *ledger, const sbx_sid *sid)
{
    sbx_ledger_root *root;

    for (root = ledger->roots; root; root = root->next)
        if (!memcmp(&root->sid, sid, sizeof(*sid)))
            return root;
    return NULL;
}

int sbx_ledger_keeps(const sbx_ledger *ledger, const sbx_ledger_root *root, uint64_t id)
{
    const sbx_ledger_root *at;
    const sbx_ledger_path *path;

    for (at = ledger->roots; at; at = at->next)
        for (path = !root || at == root ? at->paths : NULL; path; path = path->next)
            if (path->kind == SBX_RECORD_KEPT && path->id == id)
                return 1;
    return 0;
}

/* There is one count of what a walk left. */
static int is_count(uint32_t kind)
{
    return kind >= SBX_RECORD_SHARED && kind <= SBX_RECORD_FOREIGN;
}

static sbx_ledger_path **find_path(sbx_ledger_root *root, uint32_t kind, uint64_t id, const char *path)
{
    sbx_ledger_path **link;

    for (link = &root->paths; *link; link = &(*link)->next)
        if ((*link)->kind == kind &&
            (is_count(kind) || (kind == SBX_RECORD_KEPT ? (*link)->id == id : !strcmp((*link)->path, path))))
            return link;
    return NULL;
}

static void forget_path(sbx_ledger_root *root, uint32_t kind, uint64_t id, const char *path)
{
    sbx_ledger_path **link = find_path(root, kind, id, path);

    if (link)
        *link = (*link)->next;
}

/* 0: out of memory. */
static int take_in(sbx_ledger *ledger, uint32_t type, uint64_t count, const sbx_sid *sid, const char *path,
                   size_t path_length)
{
    sbx_ledger_root *root = sbx_ledger_find(ledger, sid), **link;
    const char *copy = sbx_arena_strndup(&ledger->arena, path, path_length);

    if (!copy)
        return 0;
    if (!root) {
        if (type == SBX_RECORD_GONE || type == SBX_RECORD_FREE || type == SBX_RECORD_UNGUARD ||
            type == SBX_RECORD_UNKEPT)
            return 1;
        root = sbx_arena_alloc(&ledger->arena, sizeof(*root));
        if (!root)
            return 0;
        root->sid = *sid;
        root->path = "";
        root->next = ledger->roots;
        ledger->roots = root;
    }
    switch (type) {
    case SBX_RECORD_GRANT:
    case SBX_RECORD_GROW:
    case SBX_RECORD_ENCLOSE:
    case SBX_RECORD_READ:
    case SBX_RECORD_ABOVE:
    case SBX_RECORD_HIDE:
        root->path = copy;
        root->done = 0;
        break;
    case SBX_RECORD_DONE:
        root->path = copy;
        root->done = 1;
        root->count = count;
        break;
    case SBX_RECORD_GONE:
        for (link = &ledger->roots; *link != root; link = &(*link)->next)
            ;
        *link = root->next;
        break;
    case SBX_RECORD_FREE:
        forget_path(root, SBX_RECORD_DENY, 0, copy);
        forget_path(root, SBX_RECORD_HOLD, 0, copy);
        forget_path(root, SBX_RECORD_SHUT, 0, copy);
        break;
    case SBX_RECORD_UNGUARD:
        forget_path(root, SBX_RECORD_GUARD, 0, copy);
        break;
    case SBX_RECORD_UNKEPT:
        forget_path(root, SBX_RECORD_KEPT, count, copy);
        break;
    default:
        if (is_count(type)) /* the last one counts */
            forget_path(root, type, 0, copy);
        if (!find_path(root, type, count, copy)) {
            sbx_ledger_path *added = sbx_arena_alloc(&ledger->arena, sizeof(*added));

            if (!added)
                return 0;
            added->kind = type;
            added->id = count;
            added->path = copy;
            added->next = root->paths;
            root->paths = added;
        }
    }
    return 1;
}

static char *file_of(const sbx_ledger *ledger)
{
    return sbx_state_path(ledger->file ? ledger->file : "ledger");
}

sbx_status sbx_ledger_load(sbx_ledger *ledger, sbx_error *err)
{
    sbx_error why = {.size = sizeof(why)};
    char *path = file_of(ledger), *data = NULL;
    sbx_ledger_record record;
    size_t at = 0;
    sbx_status st = path ? sbx_file_read(path, LARGEST, &data, &ledger->size, &why) : sbx_fail_memory(&why);

    if (st != SBX_OK) {
        ledger->size = 0;
        if (sbx_file_is_missing(&why))
            st = SBX_OK;
        else if (err)
            *err = why;
        goto out;
    }
    while (sbx_ledger_record_next((const uint8_t *)data, ledger->size, &at, &record, &ledger->damaged)) {
        sbx_sid sid;

        memcpy(sid.bytes, record.sid, sizeof(sid.bytes));
        if (!sbx_sid_is_sandbox(sid.bytes, sizeof(sid.bytes)))
            continue;
        if (!take_in(ledger, record.type, record.count, &sid, record.path, record.path_length)) {
            st = sbx_fail_memory(err);
            break;
        }
    }
out:
    if (st != SBX_OK)
        sbx_ledger_fini(ledger);
    sbx_free(data);
    sbx_free(path);
    return st;
}

void sbx_ledger_fini(sbx_ledger *ledger)
{
    const sbx_ledger empty = {.file = ledger->file, .lock = ledger->lock};

    sbx_arena_fini(&ledger->arena);
    *ledger = empty;
}

static void put(sbx_text *text, uint32_t type, uint64_t count, const sbx_sid *sid, const char *path)
{
    sbx_ledger_record record = {.type = type, .count = count, .path = path, .path_length = (uint32_t)strlen(path)};
    size_t size = sbx_ledger_record_put(&record, NULL);
    uint8_t *bytes = sbx_alloc(size);

    if (!bytes) {
        text->failed = 1;
        return;
    }
    memcpy(record.sid, sid->bytes, sizeof(record.sid));
    sbx_ledger_record_put(&record, bytes);
    sbx_text_add_n(text, (const char *)bytes, size);
    sbx_free(bytes);
}

/* The whole table as records, in the order in which they came. */
static void put_all(sbx_text *text, sbx_ledger *ledger)
{
    const sbx_ledger_root *root;

    for (root = ledger->roots; root; root = root->next) {
        const sbx_ledger_path *path, **paths;
        uint32_t count = 0, i = 0;

        put(text, root->done ? SBX_RECORD_DONE : SBX_RECORD_GRANT, root->count, &root->sid, root->path);
        for (path = root->paths; path; path = path->next)
            count++;
        paths = sbx_arena_alloc(&ledger->arena, (count + 1) * sizeof(*paths));
        if (!paths) {
            text->failed = 1;
            return;
        }
        for (path = root->paths; path; path = path->next) /* newest first */
            paths[i++] = path;
        while (i--)
            put(text, paths[i]->kind, paths[i]->id, &root->sid, paths[i]->path);
    }
}

static sbx_status append(const char *path, const sbx_text *text, uint32_t flags, sbx_error *err)
{
    OVERLAPPED end = {.Offset = 0xFFFFFFFFu, .OffsetHigh = 0xFFFFFFFFu};
    uint16_t *path_w = NULL;
    HANDLE file = NULL;
    DWORD written = 0;
    sbx_status st = sbx_state_wide(path, &path_w, err);

    if (st != SBX_OK)
        return st;
    file = sbx_handle_from(CreateFileW((const WCHAR *)path_w, FILE_APPEND_DATA | SYNCHRONIZE | FILE_WRITE_DATA,
                                       FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL,
                                       NULL));
    if (!file)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
    else if (!WriteFile(file, text->data, (DWORD)text->length, &written, &end) || written != text->length)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", path);
    else if (!(flags & SBX_LEDGER_LAZY) && !FlushFileBuffers(file))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "FlushFileBuffers", path);
    sbx_handle_close(&file);
    sbx_free(path_w);
    return st;
}

sbx_status sbx_ledger_add(sbx_ledger *ledger, const sbx_sid *sid, const sbx_ledger_entry *entries, uint32_t count,
                          uint32_t flags, sbx_error *err)
{
    sbx_text text = {0}, all = {0};
    sbx_lock *lock = NULL;
    char *path = file_of(ledger);
    sbx_ledger now = {.file = ledger->file};
    int rewrite = ledger->damaged || ledger->size > COMPACT_AT;
    uint32_t i;
    sbx_status st = path ? sbx_lock_ledger(ledger->lock, LOCK_WAIT_MS, &lock, err) : sbx_fail_memory(err);

    if (st == SBX_OK && rewrite)
        st = sbx_ledger_load(&now, err); /* others may have added to it */
    if (st != SBX_OK)
        goto out;
    sbx_step("ledger");
    for (i = 0; i < count; i++) {
        put(&text, entries[i].type, entries[i].count, sid, entries[i].path);
        if (!take_in(ledger, entries[i].type, entries[i].count, sid, entries[i].path, strlen(entries[i].path)) ||
            (rewrite &&
             !take_in(&now, entries[i].type, entries[i].count, sid, entries[i].path, strlen(entries[i].path))))
            text.failed = 1;
    }
    if (rewrite)
        put_all(&all, &now);
    if (text.failed || all.failed)
        st = sbx_fail_memory(err);
    /* a rewrite where it pays; while somebody has the file open it may not be replaced, and the next one will do it */
    else if (!rewrite || (!now.damaged && all.length >= now.size / 2) ||
             sbx_file_write(path, all.data ? all.data : "", all.length, NULL) != SBX_OK)
        st = append(path, &text, flags, err);
    if (st == SBX_OK && rewrite) {
        ledger->size = all.length;
        ledger->damaged = 0;
    } else if (st == SBX_OK) {
        ledger->size += text.length;
    }
    sbx_step("ledger written");
out:
    sbx_ledger_fini(&now);
    sbx_lock_give(lock);
    sbx_text_fini(&text);
    sbx_text_fini(&all);
    sbx_free(path);
    return st;
}
