#include "common/grants/walk.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/utf.h"
#include "common/host.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"

#define MAX_THREADS 16u
#define QUEUE_ROOM 64u    /* open directories that wait for a thread */
#define LIST_BYTES 16384u /* of one listing call */
#define PROGRESS_EVERY_MS 100u
#define ALONE 64u /* objects that are dealt with before there are threads, each of which costs what some of them do */
#define DIR_ACCESS (FILE_LIST_DIRECTORY | FILE_TRAVERSE | SYNCHRONIZE)

/* A directory that is being listed; one below another while the queue is full. */
typedef struct frame {
    struct frame *outer;
    HANDLE dir;
    size_t at;
    int filled;
    union {
        FILE_FULL_DIR_INFORMATION first; /* for its alignment */
        uint8_t bytes[LIST_BYTES];
    } list;
} frame;

typedef struct walk {
    const char *path;
    ACCESS_MASK access;
    uint32_t flags;
    sbx_walk_visit visit;
    void *context;
    CRITICAL_SECTION lock;
    CONDITION_VARIABLE more;
    HANDLE queue[QUEUE_ROOM];
    uint32_t queued, busy;
    frame *rest; /* begun by the calling thread */
    int stop;
    sbx_status status;
    sbx_error *err; /* of the first failure, under lock */
    volatile LONG64 objects, links;
} walk;

static void fail(walk *w, sbx_status status, const sbx_error *err)
{
    EnterCriticalSection(&w->lock);
    if (!w->stop) {
        w->stop = 1;
        w->status = status;
        if (w->err)
            *w->err = *err;
    }
    LeaveCriticalSection(&w->lock);
    WakeAllConditionVariable(&w->more);
}

/* Takes over *dir when there was room. */
static void offer(walk *w, HANDLE *dir)
{
    EnterCriticalSection(&w->lock);
    if (w->queued < QUEUE_ROOM && !w->stop) {
        w->queue[w->queued++] = *dir;
        *dir = NULL;
    }
    LeaveCriticalSection(&w->lock);
    if (!*dir)
        WakeConditionVariable(&w->more);
}

static frame *push(frame *outer, HANDLE dir)
{
    frame *f = sbx_alloc(sizeof(*f));

    if (!f)
        return NULL;
    f->outer = outer;
    f->dir = dir;
    f->at = 0;
    f->filled = 0;
    return f;
}

static frame *pop(frame *f)
{
    frame *outer = f->outer;

    sbx_handle_close(&f->dir);
    sbx_free(f);
    return outer;
}

/* The next directory: `rest` that was begun, or *dir; neither when all is done.  The caller was busy when `finished`. */
static frame *take(walk *w, int finished, HANDLE *dir)
{
    frame *rest = NULL;

    *dir = NULL;
    EnterCriticalSection(&w->lock);
    if (finished)
        w->busy--;
    while (!w->rest && !w->queued && w->busy && !w->stop)
        SleepConditionVariableCS(&w->more, &w->lock, INFINITE);
    if (!w->stop && w->rest) {
        rest = w->rest;
        w->rest = NULL;
        w->busy++;
    } else if (!w->stop && w->queued) {
        *dir = w->queue[--w->queued];
        w->busy++;
    }
    LeaveCriticalSection(&w->lock);
    if (!rest && !*dir)
        WakeAllConditionVariable(&w->more);
    return rest;
}

/* 1: *entry is the next name; 0: no more; else *status is an error. */
static int next_entry(frame *f, const FILE_FULL_DIR_INFORMATION **entry, NTSTATUS *status)
{
    IO_STATUS_BLOCK io;
    const WCHAR *name;

    for (;;) {
        if (!f->filled) {
            *status = NtQueryDirectoryFile(f->dir, NULL, NULL, NULL, &io, f->list.bytes, LIST_BYTES,
                                           FileFullDirectoryInformation, FALSE, NULL, FALSE);
            if (*status == SBX_NT_NO_MORE_FILES || *status == SBX_NT_NO_SUCH_FILE || SBX_NT_GONE(*status)) {
                *status = 0;
                return 0;
            }
            if (!SBX_NT_OK(*status) || !io.Information)
                return 0;
            f->filled = 1;
            f->at = 0;
        }
        *entry = (const void *)(f->list.bytes + f->at);
        if ((*entry)->NextEntryOffset)
            f->at += (*entry)->NextEntryOffset;
        else
            f->filled = 0; /* the caller has used *entry before the next call */
        name = (*entry)->FileName;
        if (((*entry)->FileNameLength == 2 && name[0] == L'.') ||
            ((*entry)->FileNameLength == 4 && name[0] == L'.' && name[1] == L'.'))
            continue;
        return 1;
    }
}

static NTSTATUS open_with(const sbx_walk_item *item, ACCESS_MASK access, HANDLE *handle)
{
    const int inside = item->is_directory && !item->is_link;

    return sbx_nt_child(item->parent, item->name, item->name_length,
                        access | FILE_READ_ATTRIBUTES | (inside ? DIR_ACCESS : 0), FILE_OPEN,
                        inside ? FILE_SYNCHRONOUS_IO_NONALERT | FILE_DIRECTORY_FILE : 0, NULL, handle);
}

/* Open what the listing told of.  NULL with 0: it is gone, or not what it was. */
static HANDLE open_item(walk *w, sbx_walk_item *item)
{
    HANDLE handle = NULL;

    item->status = open_with(item, w->access, &handle);
    if (item->status == SBX_NT_ACCESS_DENIED && item->is_directory && !item->is_link)
        open_with(item, READ_CONTROL, &handle);
    if (SBX_NT_GONE(item->status) || item->status == SBX_NT_NOT_DIRECTORY)
        item->status = 0;
    else if (handle && !SBX_NT_OK(sbx_nt_query(handle, &item->info)))
        sbx_handle_close(&handle); /* deleted meanwhile */
    return handle;
}

static sbx_status one(walk *w, frame **top, const FILE_FULL_DIR_INFORMATION *entry, sbx_sd *sd, sbx_error *err)
{
    sbx_walk_item item = {0};
    HANDLE handle = NULL;
    uint32_t what;

    item.is_link = !!(entry->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT);
    if (item.is_link) {
        InterlockedIncrement64(&w->links);
        if (!(w->flags & SBX_WALK_LINKS))
            return SBX_OK;
    }
    item.is_directory = !!(entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY);
    if (!item.is_directory && (w->flags & SBX_WALK_DIRECTORIES))
        return SBX_OK;
    item.name = entry->FileName;
    item.name_length = entry->FileNameLength / sizeof(WCHAR);
    item.parent = (*top)->dir;
    item.changed = (uint64_t)entry->ChangeTime.QuadPart;
    item.sd = sd;
    item.err = err;
    if ((w->flags & SBX_WALK_LISTED) && (item.is_link || !item.is_directory)) {
        InterlockedIncrement64(&w->objects);
        return w->visit(w->context, &item) == SBX_WALK_STOP ? err->status : SBX_OK;
    }
    handle = open_item(w, &item);
    if (!handle && SBX_NT_OK(item.status))
        return SBX_OK;
    /* the listing may be older than what was opened */
    if (handle && item.is_link != !!(item.info.attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
        sbx_handle_close(&handle);
        item.is_link = !item.is_link;
        item.is_directory = !!(item.info.attributes & FILE_ATTRIBUTE_DIRECTORY);
        if (item.is_link)
            InterlockedIncrement64(&w->links);
        if (item.is_link && !(w->flags & SBX_WALK_LINKS))
            return SBX_OK;
        handle = open_item(w, &item);
        if (!handle && SBX_NT_OK(item.status))
            return SBX_OK;
        if (handle && item.is_link != !!(item.info.attributes & FILE_ATTRIBUTE_REPARSE_POINT)) {
            sbx_handle_close(&handle);
            return SBX_OK; /* somebody plays with it */
        }
    }
    item.handle = handle;
    if (!item.is_link)
        InterlockedIncrement64(&w->objects);
    what = w->visit(w->context, &item);
    if (what == SBX_WALK_STOP) {
        sbx_handle_close(&handle);
        return err->status;
    }
    if (handle && item.is_directory && !item.is_link && what == SBX_WALK_ON) {
        offer(w, &handle);
        if (handle) {
            frame *f = push(*top, handle);

            if (!f) {
                sbx_handle_close(&handle);
                return sbx_fail_memory(err);
            }
            *top = f;
            return SBX_OK;
        }
    }
    sbx_handle_close(&handle);
    return SBX_OK;
}

/* *top: where the limit was reached. */
static sbx_status directory(walk *w, frame **at, uint64_t limit, sbx_sd *sd, sbx_error *err)
{
    frame *top = *at;
    sbx_status st = SBX_OK;

    while (top && st == SBX_OK && !w->stop && (uint64_t)w->objects < limit) {
        const FILE_FULL_DIR_INFORMATION *entry = NULL;
        NTSTATUS status = 0;

        if (next_entry(top, &entry, &status))
            st = one(w, &top, entry, sd, err);
        else if (!SBX_NT_OK(status))
            st = sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtQueryDirectoryFile", w->path);
        else
            top = pop(top);
    }
    while (top && (st != SBX_OK || w->stop))
        top = pop(top);
    *at = top;
    return st;
}

/* All that there is to do, but ends when so many objects were dealt with. */
static void work(walk *w, uint64_t limit)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_sd *sd = NULL;
    sbx_status st = sbx_sd_new(&sd, &err);
    frame *top;
    HANDLE dir;
    int finished = 0;

    if (st != SBX_OK)
        fail(w, st, &err);
    while ((top = take(w, finished, &dir)) != NULL || dir) {
        finished = 1;
        if (dir && !(top = push(NULL, dir))) {
            sbx_handle_close(&dir);
            st = sbx_fail_memory(&err);
        } else {
            st = directory(w, &top, limit, sd, &err);
        }
        if (st != SBX_OK)
            fail(w, st, &err);
        if (top) { /* alone so far: the threads go on with it */
            w->rest = top;
            w->busy--;
            break;
        }
    }
    sbx_free(sd);
}

static DWORD WINAPI thread_main(void *argument)
{
    work(argument, UINT64_MAX);
    return 0;
}

/* doing: what the walk is for. */
static void progress(walk *w, const char *doing, int is_end)
{
    uint64_t done = (uint64_t)InterlockedCompareExchange64(&w->objects, 0, 0);
    char what[256];
    size_t length;

    if (!sbx_host_table || !sbx_host_table->progress)
        return;
    length = (size_t)snprintf(what, sizeof(what), "%s ", doing);
    sbx_utf8_copy(what + length, sizeof(what) - length, w->path);
    if (is_end && !done)
        done = 1;
    sbx_host_table->progress(what, done, is_end ? done : 0);
}

sbx_status sbx_walk_below(void *root, const char *path, const char *doing, ACCESS_MASK access, uint32_t flags,
                          sbx_walk_visit visit, void *context, sbx_walk_count *count, sbx_error *err)
{
    walk w = {.path = path, .access = access, .flags = flags, .visit = visit, .context = context, .err = err};
    HANDLE threads[MAX_THREADS], dir = NULL;
    UNICODE_STRING nothing = {0, 0, NULL};
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    SYSTEM_INFO system;
    NTSTATUS status;
    uint32_t i, wanted, started = 0;
    int told = 0;

    /* a handle of its own, with its own place in the listing */
    InitializeObjectAttributes(&attributes, &nothing, OBJ_CASE_INSENSITIVE, root, NULL);
    status = NtOpenFile(&dir, DIR_ACCESS | FILE_READ_ATTRIBUTES | (access & READ_CONTROL), &attributes, &io,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT);
    if (!SBX_NT_OK(status))
        return sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtOpenFile", path);

    InitializeCriticalSection(&w.lock);
    InitializeConditionVariable(&w.more);
    w.queue[w.queued++] = dir;
    work(&w, ALONE);
    GetSystemInfo(&system);
    wanted = system.dwNumberOfProcessors < MAX_THREADS ? system.dwNumberOfProcessors : MAX_THREADS;
    for (i = 0; i < wanted && w.rest && !w.stop; i++) {
        threads[started] = CreateThread(NULL, 0, thread_main, &w, 0, NULL);
        if (threads[started])
            started++;
    }
    if (!started && w.rest)
        work(&w, UINT64_MAX);
    while (started && WaitForMultipleObjects(started, threads, TRUE, PROGRESS_EVERY_MS) == WAIT_TIMEOUT) {
        progress(&w, doing, 0);
        told = 1;
    }
    if (told)
        progress(&w, doing, 1);
    for (i = 0; i < started; i++)
        CloseHandle(threads[i]);
    while (w.rest)
        w.rest = pop(w.rest);
    while (w.queued)
        CloseHandle(w.queue[--w.queued]);
    DeleteCriticalSection(&w.lock);
    if (count) {
        count->objects = (uint64_t)w.objects;
        count->links = (uint64_t)w.links;
    }
    return w.status;
}

char *sbx_walk_path(const sbx_walk_item *item)
{
    char *parent = sbx_file_final_path(item->parent, VOLUME_NAME_DOS);
    char *name = sbx_utf16_to_utf8(item->name, item->name_length, NULL);
    sbx_text text = {0};

    sbx_text_printf(&text, "%s\\%s", parent ? parent : "", name ? name : "");
    sbx_free(parent);
    sbx_free(name);
    return sbx_text_take(&text);
}

uint32_t sbx_walk_stop(const sbx_walk_item *item, int32_t status, uint32_t result)
{
    char *path = sbx_walk_path(item);

    sbx_sd_result(status, result, path ? path : "", item->err);
    sbx_free(path);
    return SBX_WALK_STOP;
}
