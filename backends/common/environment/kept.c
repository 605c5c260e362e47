#include "common/environment/kept.h"

#include <windows.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/host.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define RECORD_BYTES (1u << 20)

static char *record_of(const char *folder)
{
    sbx_text path = {0};

    sbx_text_printf(&path, "%s%s", folder, SBX_KEPT_SUFFIX);
    return sbx_text_take(&path);
}

int sbx_kept_record(const char *folder)
{
    const sbx_ext_children *children = sbx_host_table->extension ? sbx_host_table->extension(SBX_EXT_CHILDREN) : NULL;
    char *record = record_of(folder);
    sbx_text lines = {0};
    uint32_t i;

    if (!children || !children->known || !record) {
        sbx_free(record);
        return 1;
    }
    for (i = 0; i < children->count; i++)
        sbx_text_printf(&lines, "%lu %llu\n", (unsigned long)children->items[i].process_id,
                        (unsigned long long)children->items[i].created);
    /* without a record it stays until it is cleaned by name */
    if (lines.length && !lines.failed)
        sbx_file_write(record, lines.data, lines.length, NULL);
    sbx_text_fini(&lines);
    sbx_free(record);
    return children->count != 0;
}

/* What cannot be opened is somebody's that nobody here may ask: it counts as one of them. */
static int is_alive(uint32_t process_id, uint64_t created)
{
    HANDLE process = OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_id);
    FILETIME times[4];
    int alive = 1;

    if (!process)
        return GetLastError() != ERROR_INVALID_PARAMETER;
    if (GetProcessTimes(process, &times[0], &times[1], &times[2], &times[3]) &&
        ((uint64_t)times[0].dwHighDateTime << 32 | times[0].dwLowDateTime) != created)
        alive = 0;
    else if (WaitForSingleObject(process, 0) == WAIT_OBJECT_0)
        alive = 0;
    sbx_handle_close(&process);
    return alive;
}

uint32_t sbx_kept_ask(const char *folder)
{
    char *record = record_of(folder), *lines = NULL, *at, *end;
    uint32_t answer = SBX_KEPT_UNKNOWN, process_id;
    size_t length = 0;

    if (record && sbx_file_read(record, RECORD_BYTES, &lines, &length, NULL) == SBX_OK)
        answer = SBX_KEPT_GONE;
    for (at = lines; answer == SBX_KEPT_GONE && *at; at = *end ? end + 1 : end) {
        process_id = (uint32_t)strtoul(at, &end, 10);
        if (is_alive(process_id, strtoull(end, &end, 10)))
            answer = SBX_KEPT_ALIVE;
        if (end == at)
            break;
    }
    sbx_free(lines);
    sbx_free(record);
    return answer;
}

void sbx_kept_forget(const char *folder)
{
    char *record = record_of(folder);
    WCHAR *record_w = NULL;

    if (record && sbx_wide_path(record, &record_w, NULL) == SBX_OK)
        DeleteFileW(record_w);
    sbx_free(record_w);
    sbx_free(record);
}
