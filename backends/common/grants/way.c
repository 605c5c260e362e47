#include "common/grants/way.h"

#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/link_target.h"
#include "common/grants/sd.h"
#include "common/host.h"
#include "common/nt.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define LINKS_MAX 63u /* that Windows follows in one path */

static HANDLE open_as(const char *path, DWORD access, DWORD links)
{
    uint16_t *path_w = NULL;
    HANDLE handle = NULL;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        handle = sbx_handle_from(CreateFileW((const WCHAR *)path_w, access,
                                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                             OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | links, NULL));
    sbx_free(path_w);
    return handle;
}

static int is_link(HANDLE handle)
{
    FILE_ATTRIBUTE_TAG_INFO info;

    return GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &info, sizeof(info)) &&
           (info.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT);
}

int sbx_way_is_open(const char *path)
{
    static const uint8_t everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    HANDLE handle = open_as(path, READ_CONTROL, 0);
    sbx_sd *sd = NULL;
    int open = 1;

    if (handle && sbx_sd_new(&sd, NULL) == SBX_OK && SBX_NT_OK(sbx_sd_read(sd, handle)) && sd->acl)
        open = sbx_acl_leaves(sd->acl, everyone, NULL, FILE_ADD_FILE | FILE_ADD_SUBDIRECTORY, 0);
    sbx_free(sd);
    sbx_handle_close(&handle);
    return open;
}

/* The first link in `path` from its root on; *length: of the path as far as it.  NULL: there is none. */
static HANDLE first_link(char *path, size_t *length)
{
    size_t at = sbx_path_root_length(path);
    HANDLE handle;
    char cut;

    while (path[at]) {
        at += strcspn(path + at, "\\");
        cut = path[at];
        path[at] = 0;
        handle = open_as(path, FILE_READ_ATTRIBUTES, FILE_FLAG_OPEN_REPARSE_POINT);
        path[at] = cut;
        if (!handle)
            return NULL; /* what cannot be opened leads nowhere; the root itself was opened */
        if (is_link(handle)) {
            *length = at;
            return handle;
        }
        sbx_handle_close(&handle);
        at += cut == '\\';
    }
    return NULL;
}

static sbx_status refuse(const char *link, const char *final, sbx_error *err)
{
    sbx_fail(err, SBX_E_REFUSED, "make writable what this link on the way leads to", link);
    return sbx_hint(err, "a sandboxed command may have made it; if %s is meant, name that", final);
}

sbx_status sbx_way_judge(const char *spelled, const char *final, sbx_error *err)
{
    sbx_arena arena = {NULL};
    char *path = sbx_arena_strdup(&arena, spelled);
    const char *first = NULL;
    uint32_t links = 0;
    sbx_status st = SBX_OK;

    if (sbx_path_equal(spelled, final))
        return SBX_OK;
    while (path && st == SBX_OK && links++ < LINKS_MAX) {
        size_t length = 0;
        HANDLE handle = first_link(path, &length);
        const char *link, *directory, *target;

        if (!handle)
            break;
        link = sbx_arena_strndup(&arena, path, length);
        directory = link ? sbx_arena_strndup(&arena, link, sbx_path_parent_length(link)) : NULL;
        target = directory ? sbx_link_target(&arena, handle, directory) : NULL;
        sbx_handle_close(&handle);
        if (!directory) {
            path = NULL;
        } else if (sbx_way_is_open(directory)) {
            st = refuse(link, final, err);
        } else {
            if (!first)
                first = link;
            if (!target) /* a volume that is mounted here, or a filter's: its owner is the system's */
                break;
            path = sbx_arena_printf(&arena, "%s%s", target, path + length);
        }
    }
    if (!path)
        st = sbx_fail_memory(err);
    else if (st == SBX_OK && first)
        sbx_host_note(SBX_NOTE_WARN, first, "is a link: what becomes writable is %s", final);
    sbx_arena_fini(&arena);
    return st;
}
