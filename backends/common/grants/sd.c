#include "common/grants/sd.h"

#include <string.h>

#include "base/memory.h"
#include "common/nt.h"
#include "win/error.h"

#define SD_HEADER 20u
#define SD_ROOM (SD_HEADER + 0x10000u)
#define MOST 64u /* ACEs of one SID that are compared */

sbx_status sbx_sd_new(sbx_sd **sd, sbx_error *err)
{
    sbx_sd *made = sbx_alloc(sizeof(*made) + 8 + 3 * (size_t)SD_ROOM);

    if (!made)
        return sbx_fail_memory(err);
    memset(made, 0, sizeof(*made));
    made->raw = (uint8_t *)(made + 1);
    made->edited = made->raw + SD_ROOM;
    made->check = made->edited + SD_ROOM;
    *sd = made;
    return SBX_OK;
}

static NTSTATUS read_into(uint8_t *buffer, HANDLE handle, uint32_t *control, uint8_t **acl)
{
    const SECURITY_DESCRIPTOR_RELATIVE *head = (const void *)buffer;
    ULONG length = 0;
    NTSTATUS status = NtQuerySecurityObject(handle, DACL_SECURITY_INFORMATION, buffer, SD_ROOM, &length);

    if (!SBX_NT_OK(status))
        return status;
    if (length > SD_ROOM || length < SD_HEADER || !(head->Control & SE_SELF_RELATIVE))
        return SBX_NT_INVALID_DESCRIPTOR;
    *control = head->Control;
    *acl = NULL;
    if (!(head->Control & SE_DACL_PRESENT) || !head->Dacl)
        return 0;
    if (head->Dacl < SD_HEADER || head->Dacl > length || !sbx_acl_valid(buffer + head->Dacl, length - head->Dacl))
        return SBX_NT_INVALID_DESCRIPTOR;
    *acl = buffer + head->Dacl;
    return 0;
}

int32_t sbx_sd_read(sbx_sd *sd, void *handle)
{
    return read_into(sd->raw, handle, &sd->control, &sd->acl);
}

int32_t sbx_sd_peek(sbx_sd *sd, void *handle, uint8_t **acl)
{
    uint32_t control;

    return read_into(sd->check, handle, &control, acl);
}

static size_t acl_size(const uint8_t *acl)
{
    return acl[2] | (size_t)acl[3] << 8;
}

static NTSTATUS set_acl(HANDLE handle, uint32_t old_control, uint8_t *acl)
{
    SECURITY_DESCRIPTOR descriptor;

    memset(&descriptor, 0, sizeof(descriptor));
    descriptor.Revision = SECURITY_DESCRIPTOR_REVISION;
    descriptor.Control =
        (SECURITY_DESCRIPTOR_CONTROL)(SE_DACL_PRESENT | (old_control & (SE_DACL_PROTECTED | SE_DACL_DEFAULTED)));
    /* the request bit with the other says that the inherited ACEs are in place already */
    if (old_control & SE_DACL_AUTO_INHERITED)
        descriptor.Control |= SE_DACL_AUTO_INHERITED | SE_DACL_AUTO_INHERIT_REQ;
    descriptor.Dacl = (PACL)(void *)acl;
    return NtSetSecurityObject(handle, DACL_SECURITY_INFORMATION, &descriptor);
}

int32_t sbx_sd_apply(sbx_sd *sd, void *handle, const sbx_sd_change *change, uint32_t *result)
{
    NTSTATUS status = sbx_sd_read(sd, handle);

    return SBX_NT_OK(status) ? sbx_sd_change_read(sd, handle, change, 0, result) : status;
}

size_t sbx_sd_edit(const uint8_t *acl, const sbx_sd_change *change, uint8_t *spare, uint8_t *out)
{
    size_t size = acl_size(acl);
    uint32_t i;

    memcpy(out, acl, size);
    for (; change && size; change = change->also) {
        memcpy(spare, out, size);
        sbx_acl_remove(spare, change->sid, change->remove);
        for (i = 0; i < change->drops; i++)
            sbx_acl_remove_one(spare, change->sid, &change->drop[i]);
        size = sbx_acl_add(spare, change->sid, change->aces, change->count, out);
    }
    return size;
}

/* Whether what the change is about is the same in both: all ACEs of a SID of which it removes kinds, of others those that it adds or drops. */
static int ours_are_same(const sbx_sd_change *change, const uint8_t *a, const uint8_t *b)
{
    for (; change; change = change->also) {
        sbx_ace x[MOST], y[MOST];
        uint32_t count = sbx_acl_find(a, change->sid, x, MOST), i;

        if (!change->remove) {
            for (i = 0; i < change->count; i++)
                if (!sbx_acl_has(a, change->sid, &change->aces[i]))
                    return 0;
            for (i = 0; i < change->drops; i++)
                if (sbx_acl_has(a, change->sid, &change->drop[i]) != sbx_acl_has(b, change->sid, &change->drop[i]))
                    return 0;
            continue;
        }
        if (count > MOST || sbx_acl_find(b, change->sid, y, MOST) != count)
            return 0;
        for (i = 0; i < count; i++)
            if (x[i].type != y[i].type || x[i].flags != y[i].flags || x[i].mask != y[i].mask)
                return 0;
    }
    return 1;
}

int32_t sbx_sd_change_read(sbx_sd *sd, void *handle, const sbx_sd_change *change, uint32_t flags, uint32_t *result)
{
    const uint32_t compared = SE_DACL_PRESENT | SE_DACL_PROTECTED | SE_DACL_AUTO_INHERITED;
    const sbx_sd_change *each;
    uint8_t *read_back = NULL;
    uint32_t control, adds = 0;
    size_t size;
    NTSTATUS status;

    for (each = change; each; each = each->also)
        adds += each->count;
    if (!sd->acl) {
        *result = adds ? SBX_SD_OPEN : SBX_SD_SAME;
        return 0;
    }
    size = sbx_sd_edit(sd->acl, change, sd->check, sd->edited);
    if (!size) {
        *result = SBX_SD_FULL;
        return 0;
    }
    if (size == acl_size(sd->acl) && !memcmp(sd->edited, sd->acl, size)) {
        *result = SBX_SD_SAME;
        return 0;
    }
    status = set_acl(handle, sd->control, sd->edited);
    if (!SBX_NT_OK(status))
        return status;
    if (flags & SBX_SD_TRUST) {
        *result = SBX_SD_CHANGED;
        return 0;
    }
    status = read_into(sd->check, handle, &control, &read_back);
    if (!SBX_NT_OK(status))
        return status;
    if (!read_back || !ours_are_same(change, read_back, sd->edited))
        *result = SBX_SD_DIFFERS;
    else if (((control ^ sd->control) & compared) || !sbx_acl_same(read_back, sd->edited))
        *result = SBX_SD_OTHERS;
    else
        *result = SBX_SD_CHANGED;
    return 0;
}

sbx_status sbx_sd_result(int32_t status, uint32_t result, const char *path, sbx_error *err)
{
    if (status == SBX_NT_REPARSE_MET) {
        sbx_fail_nt(err, SBX_E_SYSTEM, status, "it is behind a link now, or a filter driver redirects it", path);
        sbx_hint(err, "sbx follows neither; use a folder that no such driver manages");
        return SBX_E_SYSTEM;
    }
    if (!SBX_NT_OK(status))
        return sbx_fail_nt(err, SBX_E_SYSTEM, status, "NtSetSecurityObject", path);
    switch (result) {
    case SBX_SD_DIFFERS:
    case SBX_SD_OTHERS:
        return sbx_fail(err, SBX_E_UNENFORCED, "the file system did not keep the access rights that were set", path);
    case SBX_SD_FULL:
        return sbx_fail(err, SBX_E_REFUSED, "its access control list is full", path);
    case SBX_SD_OPEN:
        return sbx_fail(err, SBX_E_REFUSED, "it has no access control list: everyone may do everything", path);
    default:
        return SBX_OK;
    }
}

sbx_status sbx_sd_end(sbx_sd *sd, int32_t status, uint32_t result, const char *path, uint64_t *others, sbx_error *err)
{
    if (others && SBX_NT_OK(status) && result == SBX_SD_OTHERS) {
        ++*others;
        result = SBX_SD_CHANGED;
    }
    sbx_free(sd);
    return sbx_sd_result(status, result, path, err);
}
