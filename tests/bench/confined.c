/*
 * The smallest launcher that confines: CreateProcess, wait, exit code as bench-minimal has them, and what every
 * launcher needs whose command may only write where it is told: a write-restricted token, a desktop and a job.  It
 * grants, protects, checks, records and reports nothing.
 *
 *   bench-confined -- COMMAND...
 */
#include <windows.h>

#include <string.h>
#include <wchar.h>

/* Filtered from the own token, with the logon SID and Everyone as those that may write. */
static HANDLE restricted_token(void)
{
    static SID everyone = {SID_REVISION, 1, {SECURITY_WORLD_SID_AUTHORITY}, {SECURITY_WORLD_RID}};
    static union {
        TOKEN_GROUPS groups;
        BYTE room[4096];
    } own;
    SID_AND_ATTRIBUTES sids[2] = {{NULL, 0}, {&everyone, 0}};
    HANDLE token, made;
    DWORD size, i;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY, &token) ||
        !GetTokenInformation(token, TokenGroups, &own, sizeof(own), &size))
        return NULL;
    for (i = 0; i < own.groups.GroupCount; i++)
        if ((own.groups.Groups[i].Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID)
            sids[0].Sid = own.groups.Groups[i].Sid;
    if (!sids[0].Sid || !CreateRestrictedToken(token, DISABLE_MAX_PRIVILEGE | LUA_TOKEN | WRITE_RESTRICTED, 0, NULL, 0,
                                               NULL, ARRAYSIZE(sids), sids, &made))
        return NULL;
    CloseHandle(token);
    return made;
}

int wmain(void);

int wmain(void)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {.BasicLimitInformation.LimitFlags =
                                                       JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
    WCHAR name[] = L"bench-confined";
    STARTUPINFOW startup = {.cb = sizeof(startup), .lpDesktop = name};
    PROCESS_INFORMATION process;
    wchar_t *command = wcsstr(GetCommandLineW(), L" -- ");
    HANDLE token = restricted_token(), job = CreateJobObjectW(NULL, NULL);
    HDESK desktop = CreateDesktopW(name, NULL, NULL, 0, DESKTOP_CREATEWINDOW, NULL);
    DWORD code = 125;

    if (!command || !token || !desktop || !job ||
        !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof(limits)) ||
        !CreateProcessAsUserW(token, NULL, command + 4, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL, NULL, &startup,
                              &process))
        return 125;
    if (!AssignProcessToJobObject(job, process.hProcess) || ResumeThread(process.hThread) == (DWORD)-1)
        TerminateProcess(process.hProcess, 125);
    WaitForSingleObject(process.hProcess, INFINITE);
    GetExitCodeProcess(process.hProcess, &code);
    CloseHandle(process.hThread);
    CloseHandle(process.hProcess);
    CloseHandle(job);
    CloseHandle(token);
    CloseDesktop(desktop);
    return (int)code;
}
