/* The verbs that are about users of the machine, and who is let into a session. */
#include "probe.h"
#include <lm.h>
#include <sddl.h>
#include <wchar.h>
#include <winternl.h>

NTSYSAPI NTSTATUS NTAPI NtOpenDirectoryObject(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);

/* user NAME PASSWORD: an ordinary user of this machine, made.  user NAME: removed. */
static int user(int argc, wchar_t **argv)
{
    USER_INFO_1 info = {.usri1_priv = USER_PRIV_USER, .usri1_flags = UF_SCRIPT | UF_DONT_EXPIRE_PASSWD};
    LOCALGROUP_MEMBERS_INFO_3 member;

    if (argc < 1 || argc > 2)
        return 2;
    if (argc == 1) {
        SetLastError(NetUserDel(NULL, argv[0]));
        return result(GetLastError() == NERR_Success);
    }
    info.usri1_name = member.lgrmi3_domainandname = argv[0];
    info.usri1_password = argv[1];
    SetLastError(NetUserAdd(NULL, 1, (BYTE *)&info, NULL));
    if (GetLastError() == NERR_Success) /* an English name: the tests run where it is one */
        SetLastError(NetLocalGroupAddMembers(NULL, L"Users", 3, (BYTE *)&member, 1));
    return result(GetLastError() == NERR_Success || GetLastError() == ERROR_MEMBER_IN_ALIAS);
}

/* as NAME PASSWORD -- COMMAND: a command as that user, logged on with a profile; "exit 0xN" */
static int as_user(int argc, wchar_t **argv)
{
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION info = {0};
    DWORD code = 0;

    if (argc < 4 || wcscmp(argv[2], L"--") != 0)
        return 2;
    startup.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (!CreateProcessWithLogonW(argv[0], L".", argv[1], LOGON_WITH_PROFILE, NULL, command_tail(), CREATE_NO_WINDOW,
                                 NULL, L"C:\\", &startup, &info))
        return result(FALSE);
    WaitForSingleObject(info.hProcess, INFINITE);
    GetExitCodeProcess(info.hProcess, &code);
    print("exit 0x%08lx\n", code);
    CloseHandle(info.hThread);
    CloseHandle(info.hProcess);
    return 0;
}

static void print_dacl(SECURITY_DESCRIPTOR *descriptor)
{
    char *text = NULL;

    ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text,
                                                         NULL);
    print("%s\n", text != NULL ? text : "");
    LocalFree(text);
}

/* session: who is let onto the window station and among the named objects of this session, a line each; of Wine the second is empty, as
 * everybody is */
static int session(int argc, wchar_t **argv)
{
    static _Alignas(8) unsigned char station[0x4000], names[0x4000];
    SECURITY_INFORMATION what = DACL_SECURITY_INFORMATION;
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    wchar_t name_w[64];
    DWORD size, id = 0;
    HANDLE directory = NULL;

    (void)argc;
    (void)argv;
    ProcessIdToSessionId(GetCurrentProcessId(), &id);
    swprintf(name_w, 64, L"\\Sessions\\%lu\\BaseNamedObjects", id);
    RtlInitUnicodeString(&name, name_w);
    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    if (NtOpenDirectoryObject(&directory, READ_CONTROL, &attributes) < 0 ||
        !GetUserObjectSecurity(GetProcessWindowStation(), &what, station, sizeof(station), &size) ||
        !GetKernelObjectSecurity(directory, what, names, sizeof(names), &size))
        return result(FALSE);
    print_dacl((SECURITY_DESCRIPTOR *)(void *)station);
    print_dacl((SECURITY_DESCRIPTOR *)(void *)names);
    CloseHandle(directory);
    return 0;
}

const verb user_verbs[] = {
    {L"user", user},
    {L"as", as_user},
    {L"session", session},
    {NULL, NULL},
};
