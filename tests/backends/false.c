/*
 * Backends whose claim is made false: the backend of the product that lies beside, with one thing less.
 *
 *   FALSE_GIT   unelevated, which leaves .git open
 */
#include <windows.h>
#include <wchar.h>

#include "sbx/backend.h"

typedef const sbx_backend *(SBX_CALL *entry_function)(const sbx_host *host);

static sbx_backend backend;
static const sbx_backend *honest;

static sbx_status SBX_CALL open_session(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                                        sbx_guarantees *guarantees, sbx_error *err)
{
    sbx_policy less = *policy;

#ifdef FALSE_GIT
    less.git = SBX_GIT_WRITE;
    less.protected_count = less.protected_asked = 0;
#endif
    return honest->open(&less, flags, session, guarantees, err);
}

SBX_EXPORT const sbx_backend *SBX_CALL sbx_backend_entry(const sbx_host *host)
{
    wchar_t path_w[MAX_PATH];
    wchar_t *name_w;
    HMODULE self, module;
    entry_function entry;

    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (LPCWSTR)(void *)&backend, &self) ||
        !GetModuleFileNameW(self, path_w, MAX_PATH) || (name_w = wcsrchr(path_w, L'\\')) == NULL)
        return NULL;
    wcscpy(name_w + 1, FALSE_OF);
    module = LoadLibraryW(path_w);
    entry = module ? (entry_function)(void (*)(void))GetProcAddress(module, "sbx_backend_entry") : NULL;
    honest = entry ? entry(host) : NULL;
    if (!honest)
        return NULL;
    backend = *honest;
    backend.size = sizeof(backend);
    backend.name = FALSE_STEM;
    backend.open = open_session;
    return &backend;
}
