#include "win/weaker.h"

#include <windows.h>
#include <winternl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "win/handle.h"
#include "win/user.h"

#define EXIT_MARK 0x50000000u
#define EXIT_MASK 0x0FFFFFFFu
#define PROCESS_MS 20000u

#define DISOWNED 1u
#define RESTRICTED 2u
#define PACKAGED 4u
#define LESS_PRIVILEGED 8u

/* An AppContainer reaches this machine's loopback by an exemption alone, and no page tells the error it gets. */
static const struct {
    const char *name;
    uint32_t how;
} kinds[] = {{"self", 0},
             {"its own SID for deny only", DISOWNED},
             {"restricted to Everyone and Users", RESTRICTED},
             {"both of these", DISOWNED | RESTRICTED},
             {"an AppContainer", PACKAGED},
             {"a less privileged AppContainer", PACKAGED | LESS_PRIVILEGED}};

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

/* ---- packages ---- */

/* One that nobody has, and the capability internetClient. */
typedef struct package {
    _Alignas(4) uint8_t sid[40];
    _Alignas(4) uint8_t client[16];
    SID_AND_ATTRIBUTES capability;
} package;

static void package_init(package *p)
{
    static const uint8_t sid[] = {1, 8, 0, 0, 0, 0, 0, 15, 2, 0, 0, 0, 's', 'b', 'x', 1, 1, 0, 0, 0,
                                  2, 0, 0, 0, 3, 0, 0, 0,  4, 0, 0, 0, 5,   0,   0,   0, 6, 0, 0, 0};
    static const uint8_t client[] = {1, 2, 0, 0, 0, 0, 0, 15, 3, 0, 0, 0, 1, 0, 0, 0};

    memcpy(p->sid, sid, sizeof(sid));
    memcpy(p->client, client, sizeof(client));
    p->capability.Sid = p->client;
    p->capability.Attributes = SE_GROUP_ENABLED;
}

static HANDLE packaged(HANDLE own, package *p)
{
    typedef NTSTATUS(NTAPI * lowbox_fn)(HANDLE *, HANDLE, ACCESS_MASK, void *, PSID, ULONG, SID_AND_ATTRIBUTES *, ULONG,
                                        HANDLE *);
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    union {
        FARPROC found;
        lowbox_fn call;
    } symbol = {ntdll ? GetProcAddress(ntdll, "NtCreateLowBoxToken") : NULL};
    HANDLE token = NULL;

    if (!symbol.found || symbol.call(&token, own, TOKEN_ALL_ACCESS, NULL, p->sid, 1, &p->capability, 0, NULL) < 0)
        return NULL;
    return token;
}

/* The attributes of a process that is no member of "all packages", which no token alone can ask for. */
typedef struct attributes {
    SECURITY_CAPABILITIES capabilities;
    DWORD policy;
    LPPROC_THREAD_ATTRIBUTE_LIST list;
    _Alignas(16) uint8_t room[256];
} attributes;

/* 0: there are none such. */
static int attributes_init(attributes *a, package *p)
{
    SIZE_T size = sizeof(a->room);

    a->capabilities.AppContainerSid = p->sid;
    a->capabilities.Capabilities = &p->capability;
    a->capabilities.CapabilityCount = 1;
    a->policy = 1; /* PROCESS_CREATION_ALL_APPLICATION_PACKAGES_OPT_OUT */
    a->list = (LPPROC_THREAD_ATTRIBUTE_LIST)(void *)a->room;
    return InitializeProcThreadAttributeList(a->list, 2, 0, &size) &&
           UpdateProcThreadAttribute(a->list, 0, PROC_THREAD_ATTRIBUTE_SECURITY_CAPABILITIES, &a->capabilities,
                                     sizeof(a->capabilities), NULL, NULL) &&
           UpdateProcThreadAttribute(a->list, 0, PROC_THREAD_ATTRIBUTE_ALL_APPLICATION_PACKAGES_POLICY, &a->policy,
                                     sizeof(a->policy), NULL, NULL);
}

/* ---- processes ---- */

/* NULL: it does not start. */
static HANDLE start(HANDLE token, attributes *a, const sbx_reach *how)
{
    WCHAR path_w[MAX_PATH + 1], command_w[MAX_PATH + 64];
    STARTUPINFOEXW si = {.StartupInfo.cb = sizeof(si.StartupInfo)};
    PROCESS_INFORMATION pi = {0};
    const DWORD length = GetModuleFileNameW(NULL, path_w, MAX_PATH + 1);
    DWORD flags = DETACHED_PROCESS;

    if (!length || length > MAX_PATH)
        return NULL;
    if (a) {
        si.StartupInfo.cb = sizeof(si);
        si.lpAttributeList = a->list;
        flags |= EXTENDED_STARTUPINFO_PRESENT;
    }
    swprintf(command_w, MAX_PATH + 64, L"\"%ls\" --connect %u %u %u", path_w, (unsigned)how->port,
             (unsigned)how->listen, (unsigned)how->limit_ms);
    if (!CreateProcessAsUserW(token, path_w, command_w, NULL, NULL, FALSE, flags, NULL, NULL, &si.StartupInfo, &pi))
        return NULL;
    CloseHandle(pi.hThread);
    return pi.hProcess;
}

static HANDLE start_kind(HANDLE own, uint32_t kind, const sbx_reach *how)
{
    package p;
    attributes a;
    HANDLE token, process;

    package_init(&p);
    if (kind & LESS_PRIVILEGED)
        return attributes_init(&a, &p) ? start(own, &a, how) : NULL;
    token = kind & PACKAGED ? packaged(own, &p) : filtered(own, kind);
    process = token ? start(token, NULL, how) : NULL;
    sbx_handle_close(&token);
    return process;
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
    sbx_reach thread = {how->port, how->listen, how->limit_ms, NULL, 1, 0}, outside = {.limit_ms = how->limit_ms};
    HANDLE own = NULL, processes[KINDS] = {NULL};
    size_t i;

    OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own);
    for (i = 0; i < KINDS && own; i++)
        if (kinds[i].how & PACKAGED)
            processes[i] = start_kind(own, kinds[i].how, &outside);
    for (i = 0; i < KINDS; i++) {
        if (own && !(kinds[i].how & PACKAGED)) /* one after another: they listen at the same port */
            processes[i] = start_kind(own, kinds[i].how, how);
        told(context, kinds[i].name,
             !processes[i] ? 0 : verdicts_of(processes[i]) & (kinds[i].how & PACKAGED ? SBX_REACH_OUTSIDE : EXIT_MASK));
        sbx_handle_close(&processes[i]);
    }
    sbx_handle_close(&own);
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
    how.more = 1;
    *exit_code = 0;
    if (!strcmp(arguments[1], "--connect"))
        *exit_code = (int)(EXIT_MARK | sbx_reach_try(&how));
    else
        sbx_weaker_try(&how, print, GetStdHandle(STD_OUTPUT_HANDLE));
    return 1;
}
