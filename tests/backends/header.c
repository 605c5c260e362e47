/* backend.h alone, from C99. */
#include "sbx/backend.h"

typedef char guarantees_never_grow[sizeof(sbx_guarantees) == 12 ? 1 : -1];
typedef char limits_never_grow[sizeof(sbx_limits) == 32 ? 1 : -1];

const sbx_backend *SBX_CALL sbx_backend_entry(const sbx_host *host)
{
    static sbx_backend backend;

    return host ? &backend : (const sbx_backend *)0;
}
