/*
 * The smallest launcher of commands as another account, in two stages: CreateProcessWithLogonW starts this program there, and
 * that starts the command with a write-restricted token, in a job; each waits, and passes the exit code on.  It leases, grants,
 * checks, records and reports nothing.
 *
 *   bench-logon                    as an administrator: make the account
 *   bench-logon -- COMMAND...
 */
#include <windows.h>
#include <lm.h>

#include <string.h>
#include <wchar.h>

#define ACCOUNT L"sbx-bench"
#define PASSWORD L"Bench-7!of-sbx"
#define THERE L"bench-logon-there"

static int make(void)
{
    static WCHAR name[] = ACCOUNT, password[] = PASSWORD;
    USER_INFO_1 user = {.usri1_name = name,
                        .usri1_password = password,
                        .usri1_priv = USER_PRIV_USER,
                        .usri1_flags = UF_SCRIPT | UF_DONT_EXPIRE_PASSWD};
    LOCALGROUP_MEMBERS_INFO_3 member = {name};

    NetUserDel(NULL, name);
    if (NetUserAdd(NULL, 1, (BYTE *)&user, NULL) != NERR_Success)
        return 125;
    NetLocalGroupAddMembers(NULL, L"Users", 3, (BYTE *)&member, 1); /* where it is not one by itself */
    return 0;
}

static int finish(const PROCESS_INFORMATION *process)
{
    DWORD code = 125;

    WaitForSingleObject(process->hProcess, INFINITE);
    GetExitCodeProcess(process->hProcess, &code);
    CloseHandle(process->hThread);
    CloseHandle(process->hProcess);
    return (int)code;
}

/* As the account: its own token, with itself and Everyone as those that may write. */
static int there(wchar_t *command)
{
    static SID everyone = {SID_REVISION, 1, {SECURITY_WORLD_SID_AUTHORITY}, {SECURITY_WORLD_RID}};
    static union {
        TOKEN_USER user;
        BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } own;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags =
                                                       JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    SID_AND_ATTRIBUTES sids[2] = {{NULL, 0}, {&everyone, 0}};
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION process;
    HANDLE token, made, job = CreateJobObjectW(NULL, NULL);
    DWORD size;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY, &token) ||
        !GetTokenInformation(token, TokenUser, &own, sizeof(own), &size))
        return 125;
    sids[0].Sid = own.user.User.Sid;
    if (!job || !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)) ||
        !CreateRestrictedToken(token, DISABLE_MAX_PRIVILEGE | LUA_TOKEN | WRITE_RESTRICTED, 0, NULL, 0, NULL,
                               ARRAYSIZE(sids), sids, &made) ||
        !CreateProcessAsUserW(made, NULL, command, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup, &process))
        return 125;
    if (!AssignProcessToJobObject(job, process.hProcess) || ResumeThread(process.hThread) == (DWORD)-1)
        TerminateProcess(process.hProcess, 125);
    return finish(&process);
}

int wmain(void);

int wmain(void)
{
    static const DWORD streams[3] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION process;
    wchar_t *command = wcsstr(GetCommandLineW(), L" -- "), line[1024], path[MAX_PATH];
    int i;

    if (!command)
        return make();
    if (!wcsncmp(GetCommandLineW(), THERE, wcslen(THERE)))
        return there(command + 4);
    startup.hStdInput = GetStdHandle(streams[0]);
    startup.hStdOutput = GetStdHandle(streams[1]);
    startup.hStdError = GetStdHandle(streams[2]);
    for (i = 0; i < 3; i++)
        SetHandleInformation(GetStdHandle(streams[i]), HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
    GetModuleFileNameW(NULL, path, MAX_PATH);
    _snwprintf(line, ARRAYSIZE(line), THERE L"%ls", command);
    if (!CreateProcessWithLogonW(ACCOUNT, L".", PASSWORD, 0, path, line, CREATE_NO_WINDOW, NULL, L"C:\\windows",
                                 &startup, &process))
        return 125;
    return finish(&process);
}
