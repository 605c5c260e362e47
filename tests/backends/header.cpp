/* backend.h alone, from C++. */
#include "sbx/backend.h"

static_assert(sizeof(sbx_guarantees) == 12, "a member of other structures: it never grows");
static_assert(sizeof(sbx_limits) == 32, "a member of other structures: it never grows");

extern "C" const sbx_backend *SBX_CALL sbx_backend_entry(const sbx_host *host)
{
    static sbx_backend backend = {};

    return host ? &backend : nullptr;
}
