#include "common/grants/admit.h"

#include <string.h>

#include "base/memory.h"
#include "common/grants/kind.h"
#include "common/grants/ledger.h"
#include "common/nt.h"
#include "win/handle.h"

sbx_status sbx_admit_init(sbx_admit *admit, const sbx_sid *sid, int is_directory, sbx_error *err)
{
    static const uint8_t system[12] = {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0},
                         administrators[16] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0};
    const void *const sids[4] = {sid->bytes, administrators, system, admit->user.u.bytes};
    size_t i;

    memset(admit->changes, 0, sizeof(admit->changes));
    for (i = 0; i < 4; i++) {
        sbx_sd_change *change = &admit->changes[i];

        change->sid = sids[i];
        change->count = 1;
        change->aces[0].type = SBX_ACE_ALLOW;
        change->aces[0].flags = (uint8_t)(SBX_ACE_INHERITED | (is_directory ? SBX_KIND_BELOW : 0));
        change->aces[0].mask = i ? FILE_ALL_ACCESS : SBX_KIND_ALLOW;
        change->also = i < 3 ? change + 1 : NULL;
    }
    return sbx_user_get(&admit->user, err);
}

int sbx_admit_mend(void *parent, const uint16_t *name, size_t length, const sbx_sid *sid)
{
    sbx_admit admit;
    sbx_sd *sd = NULL;
    HANDLE handle = NULL;
    sbx_nt_info info = {0};
    uint32_t result = SBX_SD_SAME;
    int done = 0;

    /* SYNCHRONIZE would be denied */
    if (SBX_NT_OK(sbx_nt_child(parent, (const WCHAR *)name, length, READ_CONTROL | WRITE_DAC | FILE_READ_ATTRIBUTES,
                               FILE_OPEN, 0, NULL, &handle)) &&
        SBX_NT_OK(sbx_nt_query(handle, &info)) && sbx_sd_new(&sd, NULL) == SBX_OK &&
        sbx_admit_init(&admit, sid, !!(info.attributes & FILE_ATTRIBUTE_DIRECTORY), NULL) == SBX_OK &&
        SBX_NT_OK(sbx_sd_read(sd, handle)) && sd->acl && sbx_acl_only(sd->acl, sid->bytes)) {
        sbx_step("mend");
        done = SBX_NT_OK(sbx_sd_change_read(sd, handle, admit.changes, 0, &result)) &&
               (result == SBX_SD_CHANGED || result == SBX_SD_OTHERS);
    }
    sbx_free(sd);
    sbx_handle_close(&handle);
    return done;
}
