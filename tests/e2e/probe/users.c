/* The verbs that are about other users of the machine. */
#include "probe.h"
#include <lm.h>
#include <wchar.h>

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

const verb user_verbs[] = {
    {L"user", user},
    {L"as", as_user},
    {NULL, NULL},
};
