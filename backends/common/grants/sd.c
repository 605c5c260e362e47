#include "common/grants/sd.h"

#include <string.h>

#include "base/memory.h"
#include "common/nt.h"

#define SD_HEADER 20u
#define SD_ROOM (SD_HEADER + 0x10000u)

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

static size_t acl_size(const uint8_t *acl)
{
    return acl[2] | (size_t)acl[3] << 8;
}

static NTSTATUS set_acl(HANDLE handle, uint32_t old_control, uint8_t *acl)
{
    SECURITY_DESCRIPTOR descriptor;

    memset(&descriptor, 0, sizeof(descriptor));
    descriptor.Revision = SECURITY_DESCRIPTOR_REVISION;
    descriptor.Control = (SECURITY_DESCRIPTOR_CONTROL)(SE_DACL_PRESENT | (old_control & SE_DACL_PROTECTED));
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

int32_t sbx_sd_change_read(sbx_sd *sd, void *handle, const sbx_sd_change *change, uint32_t flags, uint32_t *result)
{
    uint8_t *wanted = sd->check, *read_back = NULL;
    uint32_t control;
    size_t size;
    NTSTATUS status;

    if (!sd->acl) {
        *result = change->count ? SBX_SD_OPEN : SBX_SD_SAME;
        return 0;
    }
    size = acl_size(sd->acl);
    memcpy(wanted, sd->acl, size);
    sbx_acl_remove(wanted, change->sid->bytes, change->remove);
    size = sbx_acl_add(wanted, change->sid->bytes, change->aces, change->count, sd->edited);
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
    *result = read_back && control == sd->control && acl_size(read_back) == size && !memcmp(read_back, sd->edited, size)
                  ? SBX_SD_CHANGED
                  : SBX_SD_DIFFERS;
    return 0;
}
