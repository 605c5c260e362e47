/* What this process is, what a write-restricted token may, and whom it can act as. */
#include "first_hour.h"
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <winternl.h>

NTSTATUS NTAPI RtlGetVersion(PRTL_OSVERSIONINFOW);

static DWORD number(HANDLE token, TOKEN_INFORMATION_CLASS what)
{
    DWORD *value = token_info(token, what);
    DWORD got = value != NULL ? *value : 0;

    free(value);
    return got;
}

static DWORD integrity(HANDLE token)
{
    TOKEN_MANDATORY_LABEL *label = token_info(token, TokenIntegrityLevel);
    DWORD level = label != NULL ? *GetSidSubAuthority(label->Label.Sid, 0) : 0;

    free(label);
    return level;
}

static DWORD policy(const wchar_t *name_w)
{
    DWORD value = 99, size = sizeof(value);

    RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System", name_w,
                 RRF_RT_REG_DWORD, NULL, &value, &size);
    return value;
}

static void tell_station(void)
{
    HWINSTA station = GetProcessWindowStation();
    wchar_t name_w[128] = L"none", desktop_w[128] = L"none";
    USEROBJECTFLAGS flags = {0};
    DWORD size;

    GetUserObjectInformationW(station, UOI_NAME, name_w, sizeof(name_w), &size);
    GetUserObjectInformationW(station, UOI_FLAGS, &flags, sizeof(flags), &size);
    GetUserObjectInformationW(GetThreadDesktop(GetCurrentThreadId()), UOI_NAME, desktop_w, sizeof(desktop_w), &size);
    tell("U7", "window station and desktop", "", "%ls %s, %ls, %s", name_w,
         flags.dwFlags & WSF_VISIBLE ? "visible" : "not visible", desktop_w, get_sddl(station));
}

void tell_where(void)
{
    RTL_OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof(version)};
    TOKEN_GROUPS *groups, *restricting;
    HANDLE token = NULL;
    DWORD i, logon = 0, session = 0;

    RtlGetVersion(&version);
    OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token);
    groups = token_info(token, TokenGroups);
    restricting = token_info(token, TokenRestrictedSids);
    for (i = 0; groups != NULL && i < groups->GroupCount; i++)
        logon += (groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID;
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    tell("where", "system and token", "",
         "build %lu, session %lu, elevation type %lu, integrity 0x%lx, logon SIDs %lu, restricting SIDs %lu",
         version.dwBuildNumber, session, number(token, TokenElevationType), integrity(token), logon,
         restricting != NULL ? restricting->GroupCount : 0);
    tell("U5", "policy: EnableLUA, ConsentPromptBehaviorAdmin", "", "%lu, %lu", policy(L"EnableLUA"),
         policy(L"ConsentPromptBehaviorAdmin"));
    tell_station();
}

/* Each right by itself on a file that admits the user alone: which ones a write-restricted token has. */
static void ask_rights(HANDLE token)
{
    GENERIC_MAPPING map = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};
    PSECURITY_DESCRIPTOR sd = descriptor("O:%sG:%sD:(A;;FA;;;%s)");
    struct {
        PRIVILEGE_SET set;
        LUID_AND_ATTRIBUTES more[4];
    } privileges;
    DWORD bit, size, granted, has = 0;
    HANDLE copy = NULL;
    BOOL ok = FALSE;

    if (!DuplicateTokenEx(token, TOKEN_QUERY, NULL, SecurityImpersonation, TokenImpersonation, &copy)) {
        tell("delete", "AccessCheck", "", "%s", outcome(FALSE));
        return;
    }
    for (bit = 1; bit <= SYNCHRONIZE; bit <<= 1) {
        size = sizeof(privileges);
        if (AccessCheck(sd, copy, bit, &map, &privileges.set, &size, &granted, &ok) && ok)
            has |= bit;
    }
    tell("delete", "rights that a write-restricted token has where the user has all",
         has & FILE_DELETE_CHILD ? "delete-child=once" : "delete-child=twice", "0x%lx", has);
    close(copy);
}

static const char *admits_probe(HANDLE object)
{
    return strstr(get_sddl(object), PROBE_SID) != NULL ? "token" : "caller";
}

/* Whose default DACL process, first thread and token of CreateProcessAsUser get. */
static void ask_thread(HANDLE token)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made;
    wchar_t command_w[LONGEST + 8];
    HANDLE theirs = NULL;
    const char *thread;

    swprintf(command_w, LONGEST + 8, L"\"%ls\" exit 0", self());
    if (!CreateProcessAsUserW(token, self(), command_w, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &startup,
                              &made)) {
        tell("thread", "CreateProcessAsUser", "", "%s", outcome(FALSE));
        return;
    }
    OpenProcessToken(made.hProcess, READ_CONTROL, &theirs);
    thread = admits_probe(made.hThread);
    tell("thread", "default DACL in process, first thread, token", text("thread-dacl=%s", thread), "%s, %s, %s",
         admits_probe(made.hProcess), thread, theirs != NULL ? admits_probe(theirs) : outcome(FALSE));
    TerminateProcess(made.hProcess, 0);
    CloseHandle(made.hProcess);
    CloseHandle(made.hThread);
    close(theirs);
}

void ask_tokens(void)
{
    HANDLE token = restricted_token();

    if (token == NULL) {
        tell("delete", "CreateRestrictedToken", "", "%s", outcome(FALSE));
        return;
    }
    ask_rights(token);
    ask_thread(token);
    close(token);
}

/* Impersonate that process, and ask for the right to make files in a folder: "LEVEL, OUTCOME". */
static const char *act_as(HANDLE token, const wchar_t *dir_w)
{
    HANDLE copy = NULL, now = NULL;
    const char *got = "";
    DWORD level;

    if (!DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_IMPERSONATE, NULL, SecurityImpersonation, TokenImpersonation,
                          &copy))
        return text("DuplicateTokenEx %s", outcome(FALSE));
    if (!SetThreadToken(NULL, copy))
        got = text("SetThreadToken %s", outcome(FALSE));
    else if (!OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &now))
        got = text("OpenThreadToken %s", outcome(FALSE));
    else {
        level = number(now, TokenImpersonationLevel);
        got = text("level %lu, add a file %s", level, outcome(close(open_for(dir_w, FILE_ADD_FILE, OPEN_EXISTING, 0))));
    }
    SetThreadToken(NULL, NULL);
    close(copy);
    close(now);
    return got;
}

int take(DWORD id, const wchar_t *dir_w)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id), token = NULL;
    const char *result, *tried;
    TOKEN_GROUPS *restricting;
    BOOL confined, mild;

    tell("U1", text("control: add a file to %ls as oneself", wcsrchr(dir_w, L'\\') + 1), "", "%s",
         outcome(close(open_for(dir_w, FILE_ADD_FILE, OPEN_EXISTING, 0))));
    if (process == NULL || !OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE, &token)) {
        tell("U1", "open the token of another process for TOKEN_DUPLICATE", "", "%s", outcome(FALSE));
        close(process);
        return 1;
    }
    restricting = token_info(token, TokenRestrictedSids);
    confined = restricting != NULL && restricting->GroupCount != 0;
    tried = confined ? "act as another sandbox" : "act as an unrestricted process of the user";
    result = act_as(token, dir_w);
    mild = strncmp(result, "level 2", 7) == 0 || strncmp(result, "level 3", 7) == 0;
    tell("U1", tried,
         confined || strcmp(world, "unelevated") != 0 ? ""
         : mild                                       ? "impersonate=any"
                                                      : "impersonate=full",
         "%s", result);
    close(token);
    close(process);
    return 0;
}
