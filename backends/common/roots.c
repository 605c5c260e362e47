#include "common/roots.h"

#include "base/path.h"
#include "common/host.h"
#include "common/token/token.h"

static sbx_status refuse(const char *root, const char *hint, sbx_error *err)
{
    sbx_fail(err, SBX_E_REFUSED, "make writable", root);
    return sbx_hint(err, "%s", hint);
}

sbx_status sbx_roots_check(const sbx_policy *policy, sbx_error *err)
{
    uint32_t i;

    if (policy->writable_count > SBX_TOKEN_ROOTS) {
        sbx_fail(err, SBX_E_REFUSED, "writable roots", policy->writable[SBX_TOKEN_ROOTS]);
        return sbx_hint(err, "at most %u are possible; take a folder that holds several of them", SBX_TOKEN_ROOTS);
    }
    /* where the command could write to what sbx itself runs or keeps, nothing else would hold */
    for (i = 0; i < policy->writable_count; i++) {
        if (sbx_path_is_below(sbx_host_table->program_dir, policy->writable[i]))
            return refuse(policy->writable[i], "sbx itself is installed in it", err);
        if (sbx_path_is_below(sbx_host_table->state_dir, policy->writable[i]) ||
            sbx_path_is_below(policy->writable[i], sbx_host_table->state_dir))
            return refuse(policy->writable[i], "sbx keeps its records there", err);
    }
    return SBX_OK;
}
