#include "common/children.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/host.h"
#include "common/nt.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define RECORD_BYTES (1u << 20)
#define LIST_BYTES (1u << 18)
#define LIST_BYTES_MAX (1u << 26)
#define CREATED_AT 32u /* in what winternl.h declares as reserved, on 32 and on 64 bits */
#define NT_LENGTH_MISMATCH ((NTSTATUS)0xC0000004)

uint32_t sbx_children_record(const char *file)
{
    const sbx_ext_children *children = sbx_host_table->extension ? sbx_host_table->extension(SBX_EXT_CHILDREN) : NULL;
    sbx_text lines = {0};
    uint32_t i, answer = SBX_CHILDREN_UNKNOWN;

    if (!children || !children->known)
        return SBX_CHILDREN_UNKNOWN;
    if (!children->count)
        return SBX_CHILDREN_GONE;
    for (i = 0; i < children->count; i++)
        sbx_text_printf(&lines, "%lu %llu\n", (unsigned long)children->items[i].process_id,
                        (unsigned long long)children->items[i].created);
    if (!lines.failed && sbx_file_write(file, lines.data, lines.length, NULL) == SBX_OK)
        answer = SBX_CHILDREN_ALIVE;
    sbx_text_fini(&lines);
    return answer;
}

/* Whether the system's list has it, which hides no process from anybody.  Where there is no list it may have. */
static int is_listed(uint32_t process_id, uint64_t created)
{
    const SYSTEM_PROCESS_INFORMATION *entry;
    uint8_t *list = NULL, *at;
    ULONG size = LIST_BYTES, needed = 0;
    uint64_t time;
    NTSTATUS status;
    int found = 1;

    do {
        sbx_free(list);
        if (!(list = sbx_alloc(size)))
            return 1;
        status = NtQuerySystemInformation(SystemProcessInformation, list, size, &needed);
        size *= 2;
    } while (status == NT_LENGTH_MISMATCH && size <= LIST_BYTES_MAX);
    for (at = list; SBX_NT_OK(status); at += entry->NextEntryOffset) {
        entry = (const SYSTEM_PROCESS_INFORMATION *)(const void *)at;
        memcpy(&time, at + CREATED_AT, sizeof(time));
        found = (uint32_t)(uintptr_t)entry->UniqueProcessId == process_id && time == created;
        if (found || !entry->NextEntryOffset)
            break;
    }
    sbx_free(list);
    return found;
}

static int is_alive(uint32_t process_id, uint64_t created)
{
    HANDLE process = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_id);
    FILETIME times[4];
    int alive = 1;

    if (!process)
        return GetLastError() != ERROR_INVALID_PARAMETER && is_listed(process_id, created);
    if (GetProcessTimes(process, &times[0], &times[1], &times[2], &times[3]) &&
        ((uint64_t)times[0].dwHighDateTime << 32 | times[0].dwLowDateTime) != created)
        alive = 0;
    else if (WaitForSingleObject(process, 0) == WAIT_OBJECT_0)
        alive = 0;
    sbx_handle_close(&process);
    return alive;
}

uint32_t sbx_children_ask(const char *file, uint32_t *process_id)
{
    sbx_error err = {.size = sizeof(err)};
    uint32_t answer = SBX_CHILDREN_GONE, number;
    char *lines = NULL, *at, *end;
    size_t length = 0;

    if (process_id)
        *process_id = 0;
    if (sbx_file_read(file, RECORD_BYTES, &lines, &length, &err) != SBX_OK)
        return sbx_file_is_missing(&err) ? SBX_CHILDREN_UNKNOWN : SBX_CHILDREN_ALIVE;
    for (at = lines; answer == SBX_CHILDREN_GONE && *at; at = *end ? end + 1 : end) {
        number = (uint32_t)strtoul(at, &end, 10);
        if (end == at)
            break;
        if (!is_alive(number, strtoull(end, &end, 10)))
            continue;
        answer = SBX_CHILDREN_ALIVE;
        if (process_id)
            *process_id = number;
    }
    sbx_free(lines);
    return answer;
}

void sbx_children_forget(const char *file)
{
    uint16_t *file_w = NULL;

    if (sbx_wide_path(file, &file_w, NULL) == SBX_OK)
        DeleteFileW((const WCHAR *)file_w);
    sbx_free(file_w);
}
