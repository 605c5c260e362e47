/* The verbs about the token and about objects that are no files: processes, events, pipes, keys, desktops. */
#include "probe.h"
#include <sddl.h>
#include <wincrypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>
#include <winternl.h>

static void *token_info(HANDLE token, TOKEN_INFORMATION_CLASS kind)
{
    void *data = NULL;
    DWORD size = 0;

    GetTokenInformation(token, kind, NULL, 0, &size);
    data = calloc(1, size != 0 ? size : 1);
    if (data != NULL && !GetTokenInformation(token, kind, data, size, &size)) {
        free(data);
        data = NULL;
    }
    return data;
}

static void print_sid(const char *word, PSID sid, DWORD attributes)
{
    char *text = NULL;

    if (ConvertSidToStringSidA(sid, &text))
        print("%s %s 0x%lx\n", word, text, attributes);
    LocalFree(text);
}

static void print_groups(const char *word, const TOKEN_GROUPS *groups)
{
    DWORD i;

    for (i = 0; groups != NULL && i < groups->GroupCount; i++)
        print_sid(word, groups->Groups[i].Sid, groups->Groups[i].Attributes);
}

static void print_default_dacl(const TOKEN_DEFAULT_DACL *dacl)
{
    void *ace = NULL;
    DWORD i;

    for (i = 0; dacl != NULL && dacl->DefaultDacl != NULL && i < dacl->DefaultDacl->AceCount; i++)
        if (GetAce(dacl->DefaultDacl, i, &ace) && ((ACE_HEADER *)ace)->AceType == ACCESS_ALLOWED_ACE_TYPE)
            print_sid("default", &((ACCESS_ALLOWED_ACE *)ace)->SidStart, ((ACCESS_ALLOWED_ACE *)ace)->Mask);
}

/* token [PID]: what is in the own token, or in that of a process.  A line a SID or privilege:
 * user, owner, group, restricting, integrity, default, each with attributes or mask; privilege NAME attributes */
static int show_token(int argc, wchar_t **argv)
{
    HANDLE process = GetCurrentProcess(), token = NULL;
    TOKEN_PRIVILEGES *privileges;
    TOKEN_MANDATORY_LABEL *label;
    TOKEN_USER *user;
    TOKEN_OWNER *owner;
    char name[64];
    DWORD i, size;

    if (argc > 0)
        process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, wcstoul(argv[0], NULL, 0));
    if (process == NULL || !OpenProcessToken(process, TOKEN_QUERY, &token))
        return result(FALSE);
    user = token_info(token, TokenUser);
    owner = token_info(token, TokenOwner);
    label = token_info(token, TokenIntegrityLevel);
    privileges = token_info(token, TokenPrivileges);
    if (user == NULL || owner == NULL || privileges == NULL)
        return result(FALSE);
    print_sid("user", user->User.Sid, user->User.Attributes);
    print_sid("owner", owner->Owner, 0);
    if (label != NULL)
        print_sid("integrity", label->Label.Sid, label->Label.Attributes);
    print_groups("group", token_info(token, TokenGroups));
    print_groups("restricting", token_info(token, TokenRestrictedSids));
    print_default_dacl(token_info(token, TokenDefaultDacl));
    for (i = 0; i < privileges->PrivilegeCount; i++) {
        size = sizeof(name);
        if (!LookupPrivilegeNameA(NULL, &privileges->Privileges[i].Luid, name, &size))
            snprintf(name, sizeof(name), "%lu", privileges->Privileges[i].Luid.LowPart);
        print("privilege %s 0x%lx\n", name, privileges->Privileges[i].Attributes);
    }
    return 0;
}

/* process PID ACCESS..., thread TID ACCESS...: open it with each; a line "ACCESS ok" or "ACCESS error N" */
static int open_each(int argc, wchar_t **argv, HANDLE(WINAPI *open)(DWORD, BOOL, DWORD))
{
    int i, failed = 0;

    for (i = 1; i < argc; i++) {
        print("0x%lx ", wcstoul(argv[i], NULL, 0));
        failed |= result(open(wcstoul(argv[i], NULL, 0), FALSE, wcstoul(argv[0], NULL, 0)) != NULL);
    }
    return argc > 1 ? failed : 2;
}

static int open_process(int argc, wchar_t **argv)
{
    return open_each(argc, argv, OpenProcess);
}

static int open_thread(int argc, wchar_t **argv)
{
    return open_each(argc, argv, OpenThread);
}

/* steal PID HANDLE: duplicate a handle of a process, and set the event that it is */
static int steal(int argc, wchar_t **argv)
{
    HANDLE process, copy = NULL;

    if (argc != 2)
        return 2;
    process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, wcstoul(argv[0], NULL, 0));
    return result(process != NULL &&
                  DuplicateHandle(process, (HANDLE)(ULONG_PTR)_wcstoui64(argv[1], NULL, 0), GetCurrentProcess(), &copy,
                                  0, FALSE, DUPLICATE_SAME_ACCESS) &&
                  SetEvent(copy));
}

/* debug PID: attach as its debugger; let go again */
static int debug(int argc, wchar_t **argv)
{
    DWORD id;
    BOOL ok;

    if (argc != 1)
        return 2;
    id = wcstoul(argv[0], NULL, 0);
    ok = DebugActiveProcess(id);
    if (!ok)
        return result(FALSE);
    DebugSetProcessKillOnExit(FALSE);
    return result(DebugActiveProcessStop(id));
}

/* hold NAME: make Local\NAME-event, Local\NAME-section and \\.\pipe\NAME without a descriptor, and an event without a
 * name; say "held PID TID HANDLE", wait for a line, say whether somebody set either event or wrote into the section */
static int hold(int argc, wchar_t **argv)
{
    wchar_t name_w[128];
    HANDLE event, section, pipe, secret;
    volatile char *view;
    char byte;
    DWORD got;

    if (argc != 1 || wcslen(argv[0]) > 80)
        return 2;
    swprintf(name_w, 128, L"Local\\%ls-event", argv[0]);
    event = CreateEventW(NULL, TRUE, FALSE, name_w);
    swprintf(name_w, 128, L"Local\\%ls-section", argv[0]);
    section = CreateFileMappingW(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, 4096, name_w);
    swprintf(name_w, 128, L"\\\\.\\pipe\\%ls", argv[0]);
    pipe = CreateNamedPipeW(name_w, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE, 8, 512, 512, 0, NULL);
    secret = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (event == NULL || section == NULL || pipe == INVALID_HANDLE_VALUE || secret == NULL)
        return result(FALSE);
    view = MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 4096);
    if (view == NULL)
        return result(FALSE);
    print("held %lu %lu %llu\n", GetCurrentProcessId(), GetCurrentThreadId(), (ULONGLONG)(ULONG_PTR)secret);
    ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &got, NULL);
    print("event %s section %s secret %s\n", WaitForSingleObject(event, 0) == WAIT_OBJECT_0 ? "set" : "untouched",
          view[0] != 0 ? "written" : "untouched",
          WaitForSingleObject(secret, 0) == WAIT_OBJECT_0 ? "set" : "untouched");
    return 0;
}

/* event NAME: set it.  section NAME: write its first byte.  pipe NAME ACCESS: connect */
static int set_event(int argc, wchar_t **argv)
{
    HANDLE event = argc == 1 ? OpenEventW(EVENT_MODIFY_STATE, FALSE, argv[0]) : NULL;

    return result(event != NULL && SetEvent(event));
}

static int write_section(int argc, wchar_t **argv)
{
    HANDLE section = argc == 1 ? OpenFileMappingW(FILE_MAP_WRITE, FALSE, argv[0]) : NULL;
    volatile char *view = section != NULL ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, 4096) : NULL;

    if (view != NULL)
        view[0] = 1;
    return result(view != NULL);
}

static int open_pipe(int argc, wchar_t **argv)
{
    return argc == 2 ? result(CreateFileW(argv[0], wcstoul(argv[1], NULL, 0), 0, NULL, OPEN_EXISTING, 0, NULL) !=
                              INVALID_HANDLE_VALUE)
                     : 2;
}

/* own pipe|anonymous|event: make one without a descriptor, then open or use it as a second program would;
 * "ok", or "error N" of the second step.  pipe is what libuv does for the standard streams of a child. */
static int own_object(int argc, wchar_t **argv)
{
    wchar_t name_w[64];
    HANDLE made = NULL, opened = NULL;
    DWORD done = 0;
    char byte = 0;

    if (argc != 1)
        return 2;
    if (wcscmp(argv[0], L"anonymous") == 0)
        return result(CreatePipe(&opened, &made, NULL, 0) && WriteFile(made, "x", 1, &done, NULL) &&
                      ReadFile(opened, &byte, 1, &done, NULL) && byte == 'x');
    if (wcscmp(argv[0], L"event") == 0) {
        swprintf(name_w, 64, L"Local\\sbx-own-%lu", GetCurrentProcessId());
        made = CreateEventW(NULL, TRUE, FALSE, name_w);
        return made != NULL ? set_event(1, (wchar_t *[]){name_w}) : 2;
    }
    swprintf(name_w, 64, L"\\\\.\\pipe\\sbx-own-%lu", GetCurrentProcessId());
    made =
        CreateNamedPipeW(name_w, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE | WRITE_DAC,
                         PIPE_TYPE_BYTE, 1, 65536, 65536, 0, NULL);
    if (made == INVALID_HANDLE_VALUE) {
        print("cannot create: ");
        return result(FALSE);
    }
    opened = CreateFileW(name_w, GENERIC_WRITE | FILE_READ_ATTRIBUTES, 0, NULL, OPEN_EXISTING, 0, NULL);
    return result(opened != INVALID_HANDLE_VALUE);
}

static HKEY top_key(const wchar_t *name_w)
{
    return wcscmp(name_w, L"HKLM") == 0  ? HKEY_LOCAL_MACHINE
           : wcscmp(name_w, L"HKU") == 0 ? HKEY_USERS
                                         : HKEY_CURRENT_USER;
}

static int registry(LSTATUS status)
{
    SetLastError((DWORD)status);
    return result(status == ERROR_SUCCESS);
}

/* setkey HKCU|HKLM|HKU KEY VALUE TEXT: into a key that there is.  makekey TOP KEY.  delkey TOP KEY.
 * getkey TOP KEY VALUE: "value TEXT" or "error N" */
static int set_key(int argc, wchar_t **argv)
{
    LSTATUS status;
    HKEY key = NULL;

    if (argc != 4)
        return 2;
    status = RegOpenKeyExW(top_key(argv[0]), argv[1], 0, KEY_SET_VALUE, &key);
    if (status == ERROR_SUCCESS)
        status = RegSetValueExW(key, argv[2], 0, REG_SZ, (const BYTE *)argv[3],
                                (DWORD)((wcslen(argv[3]) + 1) * sizeof(wchar_t)));
    return registry(status);
}

static int make_key(int argc, wchar_t **argv)
{
    HKEY key = NULL;

    if (argc != 2)
        return 2;
    return registry(RegCreateKeyExW(top_key(argv[0]), argv[1], 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL));
}

static int delete_key(int argc, wchar_t **argv)
{
    return argc == 2 ? registry(RegDeleteKeyW(top_key(argv[0]), argv[1])) : 2;
}

static int get_key(int argc, wchar_t **argv)
{
    wchar_t text_w[256] = L"";
    DWORD size = sizeof(text_w) - sizeof(wchar_t);
    LSTATUS status;

    if (argc != 3)
        return 2;
    status = RegGetValueW(top_key(argv[0]), argv[1], argv[2], RRF_RT_REG_SZ, NULL, text_w, &size);
    if (status != ERROR_SUCCESS)
        return registry(status);
    print("value %ls\n", text_w);
    return 0;
}

/* desktop: the name of the own one.  desktop NAME ACCESS: open another */
static int desktop(int argc, wchar_t **argv)
{
    wchar_t name_w[128] = L"";
    DWORD size = 0;

    if (argc == 2)
        return result(OpenDesktopW(argv[0], 0, FALSE, wcstoul(argv[1], NULL, 0)) != NULL);
    if (!GetUserObjectInformationW(GetThreadDesktop(GetCurrentThreadId()), UOI_NAME, name_w, sizeof(name_w), &size))
        return result(FALSE);
    print("desktop %ls\n", name_w);
    return 0;
}

static BOOL CALLBACK count_desktop(LPWSTR name_w, LPARAM count)
{
    (void)name_w;
    ++*(DWORD *)count;
    return TRUE;
}

/* SystemHandleInformation begins with the number of all handles of the system. */
static DWORD count_handles(void)
{
    static union {
        ULONG_PTR align;
        DWORD count;
        unsigned char bytes[4 << 20];
    } info;
    ULONG got = 0;

    return NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)16, &info, sizeof(info), &got) >= 0 ? info.count : 0;
}

/* inventory: "desktops N handles N": of the window station, and of the whole system */
static int inventory(int argc, wchar_t **argv)
{
    DWORD count = 0;

    (void)argc;
    (void)argv;
    if (!EnumDesktopsW(GetProcessWindowStation(), count_desktop, (LPARAM)&count))
        return result(FALSE);
    print("desktops %lu handles %lu\n", count, count_handles());
    return 0;
}

/* unprotect FILE ENTROPY: what was sealed for this machine, in hex */
static int unprotect(int argc, wchar_t **argv)
{
    static BYTE sealed[4096];
    char entropy[256];
    DATA_BLOB in = {0, sealed}, extra = {0, (BYTE *)entropy}, out = {0, NULL};
    HANDLE file = argc == 2 ? CreateFileW(argv[0], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL)
                            : INVALID_HANDLE_VALUE;
    DWORD i;

    if (file == INVALID_HANDLE_VALUE || !ReadFile(file, sealed, sizeof(sealed), &in.cbData, NULL))
        return result(FALSE);
    CloseHandle(file);
    extra.cbData = (DWORD)snprintf(entropy, sizeof(entropy), "%ls", argv[1]);
    if (!CryptUnprotectData(&in, NULL, &extra, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &out))
        return result(FALSE);
    for (i = 0; i < out.cbData; i++)
        print("%02x", out.pbData[i]);
    print("\n");
    LocalFree(out.pbData);
    return 0;
}

/* logon NAME PASSWORD */
static int log_on(int argc, wchar_t **argv)
{
    HANDLE token = NULL;
    const BOOL ok =
        argc == 2 && LogonUserW(argv[0], L".", argv[1], LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT, &token);

    return result(ok);
}

/* intrude NAME PASSWORD: a process as that user, which nobody but that user opens; "in", and until a line comes it is there */
static int intrude(int argc, wchar_t **argv)
{
    STARTUPINFOW si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi = {0};
    unsigned char sid[SECURITY_MAX_SID_SIZE];
    PSECURITY_DESCRIPTOR closed = NULL;
    DWORD size = sizeof(sid), domain = 256;
    wchar_t domain_w[256], self_w[MAX_PATH], sddl_w[256], *sid_w = NULL;
    SID_NAME_USE use;
    char line;
    BOOL ok;

    if (argc != 2 || !LookupAccountNameW(NULL, argv[0], sid, &size, domain_w, &domain, &use) ||
        !ConvertSidToStringSidW(sid, &sid_w))
        return 2;
    swprintf(sddl_w, 256, L"D:P(A;;GA;;;%ls)", sid_w);
    GetModuleFileNameW(NULL, self_w, MAX_PATH);
    ok = ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_w, SDDL_REVISION_1, &closed, NULL) &&
         CreateProcessWithLogonW(argv[0], L".", argv[1], 0, self_w, NULL, CREATE_SUSPENDED | CREATE_NO_WINDOW, NULL,
                                 L"C:\\", &si, &pi) &&
         SetKernelObjectSecurity(pi.hProcess, DACL_SECURITY_INFORMATION, closed);
    print(ok ? "in\n" : "error %lu\n", GetLastError());
    ReadFile(GetStdHandle(STD_INPUT_HANDLE), &line, 1, &size, NULL);
    TerminateProcess(pi.hProcess, 0);
    WaitForSingleObject(pi.hProcess, 10000);
    return !ok;
}

/* sddl PATH...: owner, group and DACL of each, a line each */
static int show_sddl(int argc, wchar_t **argv)
{
    const SECURITY_INFORMATION what =
        OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    unsigned char space[8192];
    char *text;
    DWORD size;
    int i;

    for (i = 0; i < argc; i++) {
        text = NULL;
        if (!GetFileSecurityW(argv[i], what, (PSECURITY_DESCRIPTOR)space, sizeof(space), &size) ||
            !ConvertSecurityDescriptorToStringSecurityDescriptorA((PSECURITY_DESCRIPTOR)space, SDDL_REVISION_1, what,
                                                                  &text, NULL))
            return result(FALSE);
        print("%s\n", text);
        LocalFree(text);
    }
    return 0;
}

/* job: the limits that the own job has for the user interface and the CPU, as the system tells them */
static int job(int argc, wchar_t **argv)
{
    JOBOBJECT_BASIC_UI_RESTRICTIONS limits = {0};
    JOBOBJECT_CPU_RATE_CONTROL_INFORMATION cpu = {0};

    (void)argc;
    (void)argv;
    if (!QueryInformationJobObject(NULL, JobObjectBasicUIRestrictions, &limits, sizeof(limits), NULL))
        return result(FALSE);
    print("ui 0x%lx\n", limits.UIRestrictionsClass);
    if (QueryInformationJobObject(NULL, JobObjectCpuRateControlInformation, &cpu, sizeof(cpu), NULL) &&
        cpu.ControlFlags != 0)
        print("cpu %lu 0x%lx\n", cpu.CpuRate, cpu.ControlFlags);
    return 0;
}

/* killafter MS -- COMMAND: TerminateProcess it after that time; "killed", or "exit 0x........" if it was faster */
static int kill_after(int argc, wchar_t **argv)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION info;
    wchar_t *tail_w = command_tail();
    DWORD code = 0;

    if (argc < 1 || tail_w == NULL)
        return 2;
    if (!CreateProcessW(NULL, tail_w, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &info))
        return result(FALSE);
    if (WaitForSingleObject(info.hProcess, wcstoul(argv[0], NULL, 0)) == WAIT_TIMEOUT &&
        TerminateProcess(info.hProcess, 99)) {
        WaitForSingleObject(info.hProcess, INFINITE);
        print("killed\n");
        return 0;
    }
    GetExitCodeProcess(info.hProcess, &code);
    print("exit 0x%08lx\n", code);
    return 0;
}

/* lock FILE [BYTES]: nobody else may open it, or lock so many of its first bytes; say "locked" and stay until a line comes */
static int lock_file(int argc, wchar_t **argv)
{
    HANDLE file;
    OVERLAPPED at = {0};
    DWORD got;
    char byte;

    if (argc < 1)
        return 2;
    file =
        CreateFileW(argv[0], GENERIC_READ | GENERIC_WRITE,
                    argc > 1 ? FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE : 0, NULL, OPEN_ALWAYS, 0, NULL);
    if (file == INVALID_HANDLE_VALUE ||
        (argc > 1 && !LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK, 0, wcstoul(argv[1], NULL, 0), 0, &at)))
        return result(FALSE);
    print("locked\n");
    ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &got, NULL);
    return 0;
}

const verb object_verbs[] = {
    {L"token", show_token},     {L"process", open_process},  {L"thread", open_thread},
    {L"steal", steal},          {L"debug", debug},           {L"hold", hold},
    {L"event", set_event},      {L"section", write_section}, {L"pipe", open_pipe},
    {L"own", own_object},       {L"setkey", set_key},        {L"makekey", make_key},
    {L"delkey", delete_key},    {L"getkey", get_key},        {L"desktop", desktop},
    {L"inventory", inventory},  {L"sddl", show_sddl},        {L"unprotect", unprotect},
    {L"logon", log_on},         {L"intrude", intrude},       {L"job", job},
    {L"killafter", kill_after}, {L"lock", lock_file},        {NULL, NULL},
};
