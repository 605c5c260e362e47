#include "common/grants/owner.h"

#include <lm.h>
#include <string.h>

#include "base/memory.h"
#include "common/grants/sid.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/library.h"
#include "win/wide.h"

static const char *const names[] = {"NetLocalGroupGetMembers", "NetApiBufferFree"};

typedef struct netapi {
    NET_API_STATUS(NET_API_FUNCTION *members)
    (const WCHAR *, const WCHAR *, DWORD, BYTE **, DWORD, DWORD *, DWORD *, DWORD_PTR *);
    NET_API_STATUS(NET_API_FUNCTION *release)(void *);
} netapi;

static sbx_status add(sbx_owners *owners, const WCHAR *group_w, const char *group, const netapi *net, sbx_error *err)
{
    LOCALGROUP_MEMBERS_INFO_0 *found = NULL;
    DWORD got = 0, all = 0, i;
    const NET_API_STATUS code = net->members(NULL, group_w, 0, (BYTE **)&found, MAX_PREFERRED_LENGTH, &got, &all, NULL);
    sbx_status st = SBX_OK;

    if (code != NERR_Success)
        st = sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, code, names[0], group);
    for (i = 0; i < got && st == SBX_OK; i++)
        if (owners->count == SBX_OWNERS)
            st = sbx_fail(err, SBX_E_REFUSED, "it has too many members", group);
        else
            CopySid(sizeof(owners->sids[0].u.bytes), owners->sids[owners->count++].u.bytes, found[i].lgrmi0_sid);
    if (found)
        net->release(found);
    return st;
}

sbx_status sbx_owners_add(sbx_owners *owners, const void *group, sbx_error *err)
{
    char text[512], *name;
    uint16_t *name_w = NULL;
    void *library = NULL;
    netapi net;
    sbx_status st;

    sbx_user_name(group, text, sizeof(text));
    name = strchr(text, '\\');
    if (!name) /* it has none any more */
        return SBX_OK;
    st = sbx_wide(name + 1, "name", &name_w, err);
    if (st == SBX_OK)
        st = sbx_library_load("netapi32.dll", names, ARRAYSIZE(names), &net, &library, err);
    if (st == SBX_OK)
        st = add(owners, (const WCHAR *)name_w, text, &net, err);
    if (library)
        FreeLibrary(library);
    sbx_free(name_w);
    return st;
}

int sbx_owners_own(const sbx_owners *owners, HANDLE handle)
{
    union {
        SECURITY_DESCRIPTOR_RELATIVE head;
        uint8_t bytes[sizeof(SECURITY_DESCRIPTOR_RELATIVE) + SBX_SID_MAX];
    } sd;
    ULONG length = 0;
    uint32_t i;

    if (!owners->count ||
        !SBX_NT_OK(NtQuerySecurityObject(handle, OWNER_SECURITY_INFORMATION, &sd, sizeof(sd), &length)) ||
        length > sizeof(sd) || !sd.head.Owner || sd.head.Owner >= length ||
        !sbx_sid_length(sd.bytes + sd.head.Owner, length - sd.head.Owner))
        return 0;
    for (i = 0; i < owners->count; i++)
        if (EqualSid(sd.bytes + sd.head.Owner, (PSID)(uintptr_t)owners->sids[i].u.bytes))
            return 1;
    return 0;
}

NTSTATUS sbx_owners_end(const sbx_owners *owners, const sbx_user_sid *user, HANDLE handle, HANDLE parent,
                        const WCHAR *name, size_t length)
{
    SECURITY_DESCRIPTOR descriptor = {.Revision = SECURITY_DESCRIPTOR_REVISION,
                                      .Owner = (PSID)(uintptr_t)user->u.bytes};
    HANDLE mine = NULL;
    NTSTATUS status;

    if (!sbx_owners_own(owners, handle))
        return 0;
    status = sbx_nt_child(parent, name, length, READ_CONTROL | WRITE_OWNER, FILE_OPEN, 0, NULL, &mine);
    if (SBX_NT_OK(status) && sbx_owners_own(owners, mine)) /* it may be another one by now */
        status = NtSetSecurityObject(mine, OWNER_SECURITY_INFORMATION, &descriptor);
    sbx_handle_close(&mine);
    return status;
}
