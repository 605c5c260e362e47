#include "common/environment/remove.h"

#include <string.h>

#include "base/memory.h"
#include "win/handle.h"

#define NT_NO_MORE_FILES ((NTSTATUS)0x80000006)
#define NT_ACCESS_DENIED ((NTSTATUS)0xC0000022)
#define NT_NO_MEMORY ((NTSTATUS)0xC0000017)

#define DEPTH_MAX 65536u

typedef struct level {
    struct level *up;
    HANDLE dir;
    size_t at; /* of the next entry in `buffer`, or SIZE_MAX: read more */
    int first;
    NTSTATUS closed; /* why it cannot be listed */
    int is_kept;     /* something in it is left */
    union {
        LARGE_INTEGER align;
        uint8_t bytes[4096];
    } buffer;
} level;

/* The owner may write a DACL, even where it admits nobody; SYNCHRONIZE on top would be denied. */
static void open_up(HANDLE parent, const WCHAR *name, size_t length, void *dacl)
{
    SECURITY_DESCRIPTOR descriptor;
    HANDLE handle = NULL;

    if (!dacl || !SBX_NT_OK(sbx_nt_child(parent, name, length, WRITE_DAC, FILE_OPEN, 0, NULL, &handle)))
        return;
    if (InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) &&
        SetSecurityDescriptorDacl(&descriptor, TRUE, dacl, FALSE))
        NtSetSecurityObject(handle, DACL_SECURITY_INFORMATION, &descriptor);
    sbx_handle_close(&handle);
}

static NTSTATUS open_for_delete(HANDLE parent, const WCHAR *name, size_t length, int directory, void *dacl,
                                HANDLE *handle)
{
    const ACCESS_MASK access =
        DELETE | SYNCHRONIZE | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | (directory ? FILE_LIST_DIRECTORY : 0u);
    NTSTATUS status = sbx_nt_child(parent, name, length, access, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, handle);

    if (status != NT_ACCESS_DENIED)
        return status;
    open_up(parent, name, length, dacl);
    status = sbx_nt_child(parent, name, length, access, FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, handle);
    if (status == NT_ACCESS_DENIED && directory)
        status = sbx_nt_child(parent, name, length, DELETE | SYNCHRONIZE | FILE_LIST_DIRECTORY, FILE_OPEN,
                              FILE_SYNCHRONOUS_IO_NONALERT, NULL, handle);
    if (status ==
        NT_ACCESS_DENIED) /* FILE_DELETE_CHILD on the directory that it is in gives this right, and no other */
        status = sbx_nt_child(parent, name, length, DELETE, FILE_OPEN, 0, NULL, handle);
    return status;
}

static level *push(level *up, HANDLE dir)
{
    level *added = sbx_alloc(sizeof(*added));

    if (added) {
        added->up = up;
        added->dir = dir;
        added->at = SIZE_MAX;
        added->first = 1;
        added->closed = 0;
        added->is_kept = 0;
    }
    return added;
}

static const FILE_DIRECTORY_INFORMATION *next_entry(level *now)
{
    const FILE_DIRECTORY_INFORMATION *entry;
    IO_STATUS_BLOCK io = {{0}, 0};
    NTSTATUS status;

    if (now->at == SIZE_MAX) {
        status = NtQueryDirectoryFile(now->dir, NULL, NULL, NULL, &io, now->buffer.bytes, sizeof(now->buffer.bytes),
                                      FileDirectoryInformation, FALSE, NULL, (BOOLEAN)now->first);
        now->first = 0;
        if (!SBX_NT_OK(status) && status != NT_NO_MORE_FILES)
            now->closed = status;
        if (!SBX_NT_OK(status) || !io.Information)
            return NULL;
        now->at = 0;
    }
    entry = (const FILE_DIRECTORY_INFORMATION *)(const void *)(now->buffer.bytes + now->at);
    now->at = entry->NextEntryOffset ? now->at + entry->NextEntryOffset : SIZE_MAX;
    return entry;
}

static int is_dots(const FILE_DIRECTORY_INFORMATION *entry)
{
    const WCHAR *name = entry->FileName;

    return (entry->FileNameLength == sizeof(WCHAR) && name[0] == '.') ||
           (entry->FileNameLength == 2 * sizeof(WCHAR) && name[0] == '.' && name[1] == '.');
}

/* in: the directory it is in; NULL: it is the first. */
static void keep_score(sbx_remove_count *count, level *in, NTSTATUS status)
{
    if (SBX_NT_OK(status)) {
        count->removed++;
        return;
    }
    if (in)
        in->is_kept = 1;
    if (!count->left)
        count->status = status;
    count->left++;
}

/* The directory of `now` is done: delete it, go back to the one above.  One in which something is left is not tried: not
 * every system says a second time, through the same handle, that it is not empty. */
static level *pop(level *now, sbx_remove_count *count, NTSTATUS *status)
{
    level *up = now->up;

    *status = now->is_kept ? SBX_NT_NOT_EMPTY : sbx_nt_delete(now->dir, 1);
    if (*status == SBX_NT_NOT_EMPTY && now->closed)
        *status = now->closed;
    keep_score(count, up, *status);
    sbx_handle_close(&now->dir);
    sbx_free(now);
    return up;
}

int32_t sbx_remove_tree(void *parent, const WCHAR *name, size_t length, void *dacl, sbx_remove_count *count)
{
    const FILE_DIRECTORY_INFORMATION *entry;
    HANDLE handle = NULL;
    level *now, *below;
    uint32_t depth = 1;
    int directory;
    NTSTATUS status = open_for_delete(parent, name, length, 1, dacl, &handle);

    memset(count, 0, sizeof(*count));
    if (!SBX_NT_OK(status)) {
        keep_score(count, NULL, status);
        return status;
    }
    now = push(NULL, handle);
    if (!now) {
        sbx_handle_close(&handle);
        return NT_NO_MEMORY;
    }
    while (now) {
        entry = next_entry(now);
        if (!entry) {
            now = pop(now, count, &status);
            depth--;
            continue;
        }
        if (is_dots(entry))
            continue;
        directory = (entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) &&
                    !(entry->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT);
        status =
            open_for_delete(now->dir, entry->FileName, entry->FileNameLength / sizeof(WCHAR), directory, dacl, &handle);
        if (!SBX_NT_OK(status)) {
            if (!SBX_NT_GONE(status))
                keep_score(count, now, status);
            continue;
        }
        status = sbx_nt_delete(handle, 1);
        below = status == SBX_NT_NOT_EMPTY && directory && depth < DEPTH_MAX ? push(now, handle) : NULL;
        if (below) {
            now = below;
            depth++;
            handle = NULL;
            continue;
        }
        keep_score(count, now, status);
        sbx_handle_close(&handle);
    }
    return status;
}
