#include "setup/setup.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "win/error.h"
#include "win/user.h"
#include "win/wide.h"

/* "DOMAIN\name", "name", or "S-1-...". */
static sbx_status find(const char *text, sbx_user_sid *sid, SID_NAME_USE *use, sbx_error *err)
{
    WCHAR name_w[256], domain_w[256];
    DWORD size = sizeof(sid->u.bytes), name = 256, domain = 256;
    uint16_t *text_w = NULL;
    sbx_status st;

    *use = SidTypeUnknown;
    if (!strncmp(text, "S-1-", 4)) {
        if (!sbx_user_sid_read(text, strlen(text), sid))
            return sbx_fail(err, SBX_E_USAGE, "it is no SID", text);
        if (!LookupAccountSidW(NULL, sid->u.bytes, name_w, &name, domain_w, &domain, use))
            *use = SidTypeUnknown;
        return SBX_OK;
    }
    st = sbx_wide(text, "name", &text_w, err);
    if (st == SBX_OK && !LookupAccountNameW(NULL, text_w, sid->u.bytes, &size, domain_w, &domain, use))
        st = sbx_fail_last(err, SBX_E_REFUSED, "LookupAccountNameW", text);
    sbx_free(text_w);
    return st;
}

sbx_status sbx_setup_whom(sbx_setup *setup, sbx_error *err)
{
    const int removes =
        setup->what == SBX_ACTION_REMOVE || setup->what == SBX_ACTION_CHECK_REMOVE || setup->what == SBX_ACTION_STATUS;
    SID_NAME_USE use = SidTypeUser;
    sbx_user_sid sid;
    sbx_status st = setup->user ? find(setup->user, &sid, &use, err) : sbx_user_get(&sid, err);

    if (st != SBX_OK)
        return st;
    sbx_user_sid_text(sid.u.bytes, setup->user_text, sizeof(setup->user_text));
    if (use != SidTypeUser && !(removes && use == SidTypeUnknown)) {
        sbx_fail(err, SBX_E_REFUSED, "it is no user", setup->user);
        return sbx_hint(err, "name a person's account: DOMAIN\\name, a name of this machine, or a SID");
    }
    return SBX_OK;
}
