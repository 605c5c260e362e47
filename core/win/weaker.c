#include "win/weaker.h"

#include <windows.h>
#include <winternl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "win/handle.h"
#include "win/user.h"

#define EXIT_MARK 0x5B000000u
#define EXIT_MASK 0x00FFFFFFu
#define PROCESS_MS 20000u

#define DISOWNED 1u
#define RESTRICTED 2u

/* An AppContainer reaches this machine's loopback by an exemption alone, and no page tells the error it gets. */
static const struct {
    const char *name;
    uint32_t how;
    int package;
} kinds[] = {{"self", 0, 0},
             {"its own SID for deny only", DISOWNED, 0},
             {"restricted to Everyone and Users", RESTRICTED, 0},
             {"both of these", DISOWNED | RESTRICTED, 0},
             {"an AppContainer", 0, 1}};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static HANDLE filtered(HANDLE own, uint32_t how)
{
    SID_AND_ATTRIBUTES disable = {0}, restrict_to[2] = {{0}};
    _Alignas(4) uint8_t everyone[SECURITY_MAX_SID_SIZE], users[SECURITY_MAX_SID_SIZE];
    DWORD sizes[2] = {sizeof(everyone), sizeof(users)};
    sbx_user_sid self;
    HANDLE token = NULL;

    if (sbx_user_get(&self, NULL) != SBX_OK || !CreateWellKnownSid(WinWorldSid, NULL, everyone, &sizes[0]) ||
        !CreateWellKnownSid(WinBuiltinUsersSid, NULL, users, &sizes[1]))
        return NULL;
    disable.Sid = self.u.bytes;
    restrict_to[0].Sid = everyone;
    restrict_to[1].Sid = users;
    return CreateRestrictedToken(own, 0, how & DISOWNED ? 1 : 0, &disable, 0, NULL, how & RESTRICTED ? 2 : 0,
                                 restrict_to, &token)
               ? token
               : NULL;
}

/* With the capability internetClient. */
static HANDLE packaged(HANDLE own)
{
    typedef NTSTATUS(NTAPI * lowbox_fn)(HANDLE *, HANDLE, ACCESS_MASK, void *, PSID, ULONG, SID_AND_ATTRIBUTES *, ULONG,
                                        HANDLE *);
    static const uint8_t package[] = {1, 8, 0, 0, 0, 0, 0, 15, 2, 0, 0, 0, 's', 'b', 'x', 1, 1, 0, 0, 0,
                                      2, 0, 0, 0, 3, 0, 0, 0,  4, 0, 0, 0, 5,   0,   0,   0, 6, 0, 0, 0};
    static const uint8_t client[] = {1, 2, 0, 0, 0, 0, 0, 15, 3, 0, 0, 0, 1, 0, 0, 0};
    _Alignas(4) uint8_t sids[sizeof(package) + sizeof(client)];
    SID_AND_ATTRIBUTES capability = {sids + sizeof(package), SE_GROUP_ENABLED};
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    union {
        FARPROC found;
        lowbox_fn call;
    } symbol = {ntdll ? GetProcAddress(ntdll, "NtCreateLowBoxToken") : NULL};
    HANDLE token = NULL;

    memcpy(sids, package, sizeof(package));
    memcpy(sids + sizeof(package), client, sizeof(client));
    if (!symbol.found || symbol.call(&token, own, TOKEN_ALL_ACCESS, NULL, sids, 1, &capability, 0, NULL) < 0)
        return NULL;
    return token;
}

/* NULL: it does not start. */
static HANDLE start(HANDLE token, const sbx_reach *how)
{
    WCHAR path_w[MAX_PATH + 1], command_w[MAX_PATH + 64];
    STARTUPINFOW si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi = {0};
    const DWORD length = GetModuleFileNameW(NULL, path_w, MAX_PATH + 1);

    if (!length || length > MAX_PATH)
        return NULL;
    swprintf(command_w, MAX_PATH + 64, L"\"%ls\" --connect %u %u %u", path_w, (unsigned)how->port,
             (unsigned)how->listen, (unsigned)how->limit_ms);
    if (!CreateProcessAsUserW(token, path_w, command_w, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &si, &pi))
        return NULL;
    CloseHandle(pi.hThread);
    return pi.hProcess;
}

static uint32_t verdicts_of(HANDLE process)
{
    DWORD code = 0;

    if (WaitForSingleObject(process, PROCESS_MS) != WAIT_OBJECT_0)
        TerminateProcess(process, 1);
    GetExitCodeProcess(process, &code);
    return (code & ~EXIT_MASK) == EXIT_MARK ? code & EXIT_MASK : 0;
}

void sbx_weaker_try(const sbx_reach *how, sbx_weaker_told told, void *context)
{
    sbx_reach thread = {how->port, how->listen, how->limit_ms, NULL, 1};
    HANDLE own = NULL, token, processes[KINDS] = {NULL};
    size_t i;

    OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own);
    for (i = 0; i < KINDS; i++) {
        token = !own ? NULL : kinds[i].package ? packaged(own) : filtered(own, kinds[i].how);
        if (token)
            processes[i] = start(token, how);
        sbx_handle_close(&token);
    }
    sbx_handle_close(&own);
    for (i = 0; i < KINDS; i++) {
        told(context, kinds[i].name,
             !processes[i] ? 0 : verdicts_of(processes[i]) & (kinds[i].package ? SBX_REACH_OUTSIDE : EXIT_MASK));
        sbx_handle_close(&processes[i]);
    }
    told(context, SBX_WEAKER_ANONYMOUS, sbx_reach_try(&thread));
}

static void print(void *context, const char *name, uint32_t verdicts)
{
    char line[80];
    const int length = snprintf(line, sizeof(line), "%08x %s\n", (unsigned)verdicts, name);
    DWORD done;

    WriteFile((HANDLE)context, line, (DWORD)length, &done, NULL);
}

int sbx_weaker_main(uint32_t count, const char *const *arguments, int *exit_code)
{
    sbx_reach how = {0};

    if (count != 5 || (strcmp(arguments[1], "--connect") != 0 && strcmp(arguments[1], "--weaker") != 0))
        return 0;
    how.port = (uint16_t)strtoul(arguments[2], NULL, 10);
    how.listen = (uint16_t)strtoul(arguments[3], NULL, 10);
    how.limit_ms = (uint32_t)strtoul(arguments[4], NULL, 10);
    *exit_code = 0;
    if (!strcmp(arguments[1], "--connect"))
        *exit_code = (int)(EXIT_MARK | sbx_reach_try(&how));
    else
        sbx_weaker_try(&how, print, GetStdHandle(STD_OUTPUT_HANDLE));
    return 1;
}
