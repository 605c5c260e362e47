/* Files, descriptors, tokens and programs, for the probes. */
#include "first_hour.h"
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define EVERYTHING (OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION)

wchar_t *below(const wchar_t *dir_w, const wchar_t *name_w)
{
    static wchar_t space_w[8][LONGEST];
    static int turn;
    wchar_t *to_w = space_w[turn++ % 8];

    swprintf(to_w, LONGEST, L"%ls\\%ls", dir_w, name_w);
    return to_w;
}

HANDLE open_for(const wchar_t *path_w, DWORD access, DWORD disposition, DWORD flags)
{
    HANDLE file = CreateFileW(path_w, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, disposition,
                              flags | FILE_FLAG_BACKUP_SEMANTICS, NULL);

    return file == INVALID_HANDLE_VALUE ? NULL : file;
}

BOOL close(HANDLE handle)
{
    const DWORD error = GetLastError();

    if (handle != NULL)
        CloseHandle(handle);
    SetLastError(error);
    return handle != NULL;
}

BOOL make_file(const wchar_t *path_w)
{
    HANDLE file = open_for(path_w, GENERIC_WRITE, CREATE_ALWAYS, 0);
    DWORD written;
    BOOL ok = file != NULL && WriteFile(file, "mine", 4, &written, NULL);

    close(file);
    return ok;
}

BOOL exists(const wchar_t *path_w)
{
    return GetFileAttributesW(path_w) != INVALID_FILE_ATTRIBUTES;
}

BOOL is_mine(const wchar_t *path_w)
{
    HANDLE file = open_for(path_w, GENERIC_READ, OPEN_EXISTING, 0);
    char bytes[8] = {0};
    DWORD got = 0;

    return file != NULL && ReadFile(file, bytes, sizeof(bytes), &got, NULL) && close(file) && got == 4 &&
           memcmp(bytes, "mine", 4) == 0;
}

void remove_tree(const wchar_t *path_w)
{
    const DWORD attributes = GetFileAttributesW(path_w);
    WIN32_FIND_DATAW entry;
    wchar_t name_w[LONGEST];
    HANDLE find;

    if (attributes == INVALID_FILE_ATTRIBUTES)
        return;
    set_dacl(path_w, "D:P(A;OICI;FA;;;%s)");
    SetFileAttributesW(path_w, FILE_ATTRIBUTE_NORMAL);
    if (!(attributes & FILE_ATTRIBUTE_DIRECTORY)) {
        DeleteFileW(path_w);
        return;
    }
    if (!(attributes & FILE_ATTRIBUTE_REPARSE_POINT) &&
        (find = FindFirstFileW(below(path_w, L"*"), &entry)) != INVALID_HANDLE_VALUE) {
        do {
            if (wcscmp(entry.cFileName, L".") == 0 || wcscmp(entry.cFileName, L"..") == 0)
                continue;
            wcscpy(name_w, below(path_w, entry.cFileName));
            remove_tree(name_w);
        } while (FindNextFileW(find, &entry));
        FindClose(find);
    }
    RemoveDirectoryW(path_w);
}

PSECURITY_DESCRIPTOR descriptor(const char *sddl)
{
    const char *rest;
    char whole[2048] = {0};
    PSECURITY_DESCRIPTOR made = NULL;

    for (; (rest = strstr(sddl, "%s")) != NULL; sddl = rest + 2) {
        strncat(whole, sddl, (size_t)(rest - sddl));
        strcat(whole, user_sid());
    }
    strcat(whole, sddl);
    return ConvertStringSecurityDescriptorToSecurityDescriptorA(whole, SDDL_REVISION_1, &made, NULL) ? made : NULL;
}

BOOL set_dacl(const wchar_t *path_w, const char *sddl)
{
    PSECURITY_DESCRIPTOR made = descriptor(sddl);
    HANDLE file = open_for(path_w, WRITE_DAC, OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT);
    BOOL ok = made != NULL && file != NULL && SetKernelObjectSecurity(file, DACL_SECURITY_INFORMATION, made);

    close(file);
    LocalFree(made);
    return ok;
}

PSECURITY_DESCRIPTOR get_descriptor(HANDLE object)
{
    static union {
        SECURITY_DESCRIPTOR align;
        unsigned char bytes[65536];
    } space[2];
    static int turn;
    DWORD size = 0;
    PSECURITY_DESCRIPTOR got = &space[turn++ % 2];

    memset(got, 0, sizeof(space[0]));
    if (!GetKernelObjectSecurity(object, EVERYTHING, got, sizeof(space[0]), &size))
        InitializeSecurityDescriptor(got, SECURITY_DESCRIPTOR_REVISION);
    return got;
}

char *get_sddl(HANDLE object)
{
    static char none[] = "unknown";
    char *sddl = NULL;

    if (!ConvertSecurityDescriptorToStringSecurityDescriptorA(get_descriptor(object), SDDL_REVISION_1, EVERYTHING,
                                                              &sddl, NULL) ||
        sddl[0] == 0)
        return none;
    return sddl;
}

void *token_info(HANDLE token, TOKEN_INFORMATION_CLASS what)
{
    DWORD size = 0;
    void *data;

    GetTokenInformation(token, what, NULL, 0, &size);
    data = calloc(1, size + 1);
    if (data != NULL && GetTokenInformation(token, what, data, size, &size))
        return data;
    free(data);
    return NULL;
}

char *user_sid(void)
{
    static char *sid;
    HANDLE token = NULL;
    TOKEN_USER *user;

    if (sid == NULL && OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) &&
        (user = token_info(token, TokenUser)) != NULL)
        ConvertSidToStringSidA(user->User.Sid, &sid);
    return sid;
}

static PSID logon_sid(HANDLE token)
{
    TOKEN_GROUPS *groups = token_info(token, TokenGroups);
    DWORD i;

    for (i = 0; groups != NULL && i < groups->GroupCount; i++)
        if ((groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID)
            return groups->Groups[i].Sid;
    return NULL;
}

HANDLE restricted_token(void)
{
    SID_AND_ATTRIBUTES list[3] = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    PSECURITY_DESCRIPTOR made = descriptor("D:(A;;GA;;;%s)(A;;GA;;;SY)(A;;GA;;;" PROBE_SID ")");
    BOOL present, defaulted;
    TOKEN_DEFAULT_DACL dacl = {NULL};
    HANDLE own = NULL, token = NULL;
    DWORD count = 2;

    if (!OpenProcessToken(GetCurrentProcess(),
                          TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT, &own) ||
        !ConvertStringSidToSidA(PROBE_SID, &list[0].Sid) || !ConvertStringSidToSidA("S-1-1-0", &list[1].Sid) ||
        made == NULL || !GetSecurityDescriptorDacl(made, &present, &dacl.DefaultDacl, &defaulted))
        return NULL;
    if ((list[2].Sid = logon_sid(own)) != NULL)
        count = 3;
    return CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE | LUA_TOKEN | WRITE_RESTRICTED, 0, NULL, 0, NULL, count,
                                 list, &token) &&
                   SetTokenInformation(token, TokenDefaultDacl, &dacl, sizeof(dacl))
               ? token
               : NULL;
}

const wchar_t *self(void)
{
    static wchar_t path_w[LONGEST];

    if (path_w[0] == 0)
        GetModuleFileNameW(NULL, path_w, LONGEST);
    return path_w;
}

/* Input NULL: the own one. */
static BOOL create(const wchar_t *command_w, DWORD flags, HANDLE input, HANDLE output, PROCESS_INFORMATION *made)
{
    STARTUPINFOW startup = {.cb = sizeof(startup), .dwFlags = STARTF_USESTDHANDLES};
    wchar_t *copy_w = _wcsdup(command_w);
    BOOL ok;

    startup.hStdInput = input != NULL ? input : GetStdHandle(STD_INPUT_HANDLE);
    startup.hStdOutput = output != NULL ? output : GetStdHandle(STD_OUTPUT_HANDLE);
    startup.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    ok = copy_w != NULL && CreateProcessW(NULL, copy_w, NULL, NULL, TRUE, flags, NULL, NULL, &startup, made);
    free(copy_w);
    return ok;
}

static DWORD end_of(HANDLE process)
{
    DWORD code = 0;

    if (WaitForSingleObject(process, 120000) == WAIT_TIMEOUT) {
        TerminateProcess(process, WAIT_TIMEOUT);
        WaitForSingleObject(process, INFINITE);
    }
    GetExitCodeProcess(process, &code);
    CloseHandle(process);
    return code;
}

static DWORD run_to(HANDLE output, const wchar_t *command_w, DWORD flags)
{
    PROCESS_INFORMATION made;

    if (!create(command_w, flags, NULL, output, &made))
        return GetLastError() | 0xE0000000;
    CloseHandle(made.hThread);
    return end_of(made.hProcess);
}

DWORD run(const wchar_t *command_w, DWORD flags)
{
    return run_to(NULL, command_w, flags);
}

DWORD run_silent(const wchar_t *command_w, DWORD flags)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    HANDLE nowhere =
        CreateFileW(L"NUL", GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, OPEN_EXISTING, 0, NULL);
    const DWORD code = run_to(nowhere, command_w, flags);

    CloseHandle(nowhere);
    return code;
}

BOOL start(const wchar_t *command_w, running *it)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    HANDLE in_read, out_read, out_write;
    PROCESS_INFORMATION made;
    char line[64] = {0};
    size_t length = 0;
    DWORD got;

    memset(it, 0, sizeof(*it));
    if (!CreatePipe(&in_read, &it->input, &inherit, 0) || !CreatePipe(&out_read, &out_write, &inherit, 0))
        return FALSE;
    SetHandleInformation(it->input, HANDLE_FLAG_INHERIT, 0);
    SetHandleInformation(out_read, HANDLE_FLAG_INHERIT, 0);
    if (!create(command_w, 0, in_read, out_write, &made))
        return FALSE;
    CloseHandle(in_read);
    CloseHandle(out_write);
    CloseHandle(made.hThread);
    it->process = made.hProcess;
    while (length + 1 < sizeof(line) && ReadFile(out_read, line + length, 1, &got, NULL) && got == 1 &&
           line[length] != '\n')
        length++;
    CloseHandle(out_read);
    if (strncmp(line, "pid ", 4) == 0)
        it->id = strtoul(line + 4, NULL, 10);
    return it->id != 0;
}

void finish(running *it)
{
    DWORD written;

    WriteFile(it->input, "\n", 1, &written, NULL);
    CloseHandle(it->input);
    end_of(it->process);
}
