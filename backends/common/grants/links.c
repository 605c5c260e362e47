#include "common/grants/links.h"

#include <string.h>

#include "base/memory.h"
#include "common/grants/kind.h"
#include "common/nt.h"
#include "win/file.h"
#include "win/handle.h"

#define ROOM (64u << 10)   /* bytes: what most files need by far */
#define MOST (1024u << 10) /* NTFS has no more than 1,024 names of a file */

/* In the directory or below it; both are final paths, in which the case counts. */
static int is_in(const char *path, const char *root)
{
    const size_t length = strlen(root);

    return !strncmp(path, root, length) && (!path[length] || path[length] == '\\');
}

static int parent_is_inside(const sbx_root *root, uint64_t id, sbx_sd *sd)
{
    HANDLE parent = NULL;
    uint8_t *acl = NULL;
    char *path = NULL;
    int inside = 0;

    if (SBX_NT_OK(sbx_nt_by_id(root->handle, id, READ_CONTROL | FILE_READ_ATTRIBUTES, &parent)))
        path = sbx_file_final_path(parent, VOLUME_NAME_DOS);
    if (path && is_in(path, root->path) && SBX_NT_OK(sbx_sd_peek(sd, parent, &acl)))
        inside = acl && !sbx_kind_is_denied(acl, root->sid.bytes);
    sbx_free(path);
    sbx_handle_close(&parent);
    return inside;
}

int sbx_links_are_inside(const sbx_root *root, void *handle, sbx_sd *sd)
{
    sbx_nt_links *links = sbx_alloc(ROOM);
    uint32_t count = 0, at = 0, size = ROOM;
    sbx_nt_info info;
    NTSTATUS status = links ? sbx_nt_links_query(handle, links, size) : SBX_NT_NO_MEMORY;
    int inside = 0;

    if (status == SBX_NT_BUFFER_OVERFLOW && links->needed > size && links->needed <= MOST) {
        size = links->needed;
        sbx_free(links);
        links = sbx_alloc(size);
        status = links ? sbx_nt_links_query(handle, links, size) : SBX_NT_NO_MEMORY;
    }
    if (!SBX_NT_OK(status) || status == SBX_NT_BUFFER_OVERFLOW || !links->count)
        goto out;
    do {
        const sbx_nt_link *link = (const void *)((const uint8_t *)&links->first + at);

        inside = parent_is_inside(root, (uint64_t)link->parent, sd);
        count++;
        at += link->next;
        if (!link->next)
            break;
    } while (inside && at <= size - sizeof(*links));
    /* as many as the file says that it has, still */
    inside = inside && count == links->count && SBX_NT_OK(sbx_nt_query(handle, &info)) && info.links == count;
out:
    sbx_free(links);
    return inside;
}
