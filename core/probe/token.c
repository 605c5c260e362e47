/* Rows with tokens that the command makes of its own: to give up rights must not gain any. */
#include "probe/probe.h"

#include <sddl.h>

/* For the thread: its own, of which the user and Everyone are asked a second time, and nobody else that a sandbox put there. */
static BOOL begin_restricted(void)
{
    static _Alignas(4) BYTE everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    SID_AND_ATTRIBUTES sids[2] = {{everyone, 0}};
    HANDLE own = NULL, made = NULL, copy = NULL;
    BOOL ok = ConvertStringSidToSidW(sbx_probe_at.sid_w, &sids[1].Sid) &&
              OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_QUERY | TOKEN_ASSIGN_PRIMARY, &own) &&
              CreateRestrictedToken(own, WRITE_RESTRICTED, 0, NULL, 0, NULL, 2, sids, &made) &&
              DuplicateTokenEx(made, TOKEN_IMPERSONATE | TOKEN_QUERY, NULL, SecurityImpersonation, TokenImpersonation,
                               &copy) &&
              SetThreadToken(NULL, copy);

    LocalFree(sids[1].Sid);
    if (copy)
        CloseHandle(copy);
    if (made)
        CloseHandle(made);
    if (own)
        CloseHandle(own);
    return ok;
}

/* What the row says as that thread; who cannot get back to itself must not go on. */
static DWORD end(DWORD code)
{
    if (!SetThreadToken(NULL, NULL))
        TerminateProcess(GetCurrentProcess(), 1);
    return code;
}

DWORD sbx_probe_restricted_write(const sbx_probe_row *row)
{
    static const sbx_probe_row file = {NULL, NULL, NULL, NULL, NULL, L"outside\\keep", FILE_WRITE_DATA};

    (void)row;
    return begin_restricted() ? end(sbx_probe_open(&file)) : SBX_PROBE_UNTRIED;
}

DWORD sbx_probe_restricted_tcp(const sbx_probe_row *row)
{
    return begin_restricted() ? end(sbx_probe_tcp(row)) : SBX_PROBE_UNTRIED;
}

DWORD sbx_probe_anonymous_tcp(const sbx_probe_row *row)
{
    return ImpersonateAnonymousToken(GetCurrentThread()) ? end(sbx_probe_tcp(row)) : SBX_PROBE_UNTRIED;
}
