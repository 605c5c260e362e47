/* What a command tries: run without a sandbox, with the backend `none`, and confined. */
#include "first_hour.h"
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <winternl.h>

#define MAKE_OBJECT 4     /* DIRECTORY_CREATE_OBJECT */
#define NEW_CREDENTIALS 2 /* LOGON_NETCREDENTIALS_ONLY */

NTSTATUS NTAPI NtOpenDirectoryObject(PHANDLE, ACCESS_MASK, POBJECT_ATTRIBUTES);

static BOOL confined(void)
{
    return strcmp(world, "unelevated") == 0;
}

/* Names in a folder of the user that is no root.  The caller of this program looks afterwards what is there. */
static void try_names(const wchar_t *dir_w)
{
    wchar_t outside_w[LONGEST], ws_w[LONGEST];
    BOOL ok;

    wcscpy(outside_w, below(dir_w, L"outside"));
    wcscpy(ws_w, below(dir_w, L"ws"));
    tell("delete", "write to outside\\keep", "", "%s",
         outcome(close(open_for(below(outside_w, L"keep"), FILE_WRITE_DATA, OPEN_EXISTING, 0))));
    tell("delete", "open outside for FILE_DELETE_CHILD", "", "%s",
         outcome(close(open_for(outside_w, FILE_DELETE_CHILD, OPEN_EXISTING, 0))));
    ok = DeleteFileW(below(outside_w, L"delete"));
    tell("delete", "DeleteFile outside\\delete",
         !confined() ? ""
         : ok        ? "delete-child=once"
                     : "delete-child=twice",
         "%s", outcome(ok));
    tell("delete", "MoveFile outside\\move to ws", "", "%s",
         outcome(MoveFileExW(below(outside_w, L"move"), below(ws_w, L"moved"), 0)));
    tell("delete", "MoveFile outside\\rename to outside\\renamed", "", "%s",
         outcome(MoveFileExW(below(outside_w, L"rename"), below(outside_w, L"renamed"), 0)));
    tell("delete", "MoveFile ws\\over onto outside\\over", "", "%s",
         outcome(MoveFileExW(below(ws_w, L"over"), below(outside_w, L"over"), MOVEFILE_REPLACE_EXISTING)));
    tell("delete", "RemoveDirectory outside\\folder", "", "%s", outcome(RemoveDirectoryW(below(outside_w, L"folder"))));
    tell("U10", "CreateHardLink ws\\link of outside\\linked", "", "%s",
         outcome(CreateHardLinkW(below(ws_w, L"link"), below(outside_w, L"linked"), NULL)));
}

/* The own program with each kind of console. */
static void try_consoles(void)
{
    static const struct {
        const char *name;
        DWORD flags;
    } kinds[] = {{"inherited", 0},
                 {"CREATE_NO_WINDOW", CREATE_NO_WINDOW},
                 {"CREATE_NEW_CONSOLE", CREATE_NEW_CONSOLE},
                 {"DETACHED_PROCESS", DETACHED_PROCESS}};
    static const wchar_t *const programs_w[] = {L"cmd /d /c exit 7", L"whoami /user",
                                                L"powershell -NoProfile -NonInteractive -Command exit 7"};
    wchar_t command_w[LONGEST + 8];
    size_t i;

    swprintf(command_w, LONGEST + 8, L"\"%ls\" exit 7", self());
    for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        tell("U4", text("a child with console: %s", kinds[i].name), "", "exit 0x%lx", run(command_w, kinds[i].flags));
    for (i = 0; i < sizeof(programs_w) / sizeof(programs_w[0]); i++)
        tell("U4", text("%ls", programs_w[i]), "", "exit 0x%lx", run_silent(programs_w[i], CREATE_NO_WINDOW));
}

/* A service that makes the token anew: what it gives back says of itself whether it is confined. */
static void try_services(const wchar_t *dir_w)
{
    STARTUPINFOW startup = {.cb = sizeof(startup)};
    PROCESS_INFORMATION made;
    wchar_t command_w[2 * LONGEST];
    OBJECT_ATTRIBUTES attributes = {0};
    UNICODE_STRING name;
    HANDLE directory = NULL;
    NTSTATUS status;
    DWORD code = 0;

    swprintf(command_w, 2 * LONGEST, L"\"%ls\" add \"%ls\"", self(), below(dir_w, L"outside"));
    if (!CreateProcessWithLogonW(L"sbx-first-hour", L".", L"none", NEW_CREDENTIALS, NULL, command_w, CREATE_NO_WINDOW,
                                 NULL, NULL, &startup, &made)) {
        const DWORD error = GetLastError(); /* the account does not matter: a wrong one is no refusal of the caller */

        tell("U3", "CreateProcessWithLogon with other network credentials",
             confined() && error == ERROR_ACCESS_DENIED ? "seclogon-restricted=refused" : "", "error %lu", error);
    } else {
        if (WaitForSingleObject(made.hProcess, 60000) == WAIT_TIMEOUT)
            TerminateProcess(made.hProcess, WAIT_TIMEOUT);
        GetExitCodeProcess(made.hProcess, &code);
        tell("U3", "CreateProcessWithLogon with other network credentials",
             confined() ? "seclogon-restricted=allowed" : "",
             "started; there, restricting SIDs: %s, add a file outside: %s", code & 0x100 ? "yes" : "no",
             code & 0xff ? text("error %lu", code & 0xff) : "ok");
        CloseHandle(made.hProcess);
        CloseHandle(made.hThread);
    }
    RtlInitUnicodeString(&name, L"\\??");
    attributes.Length = sizeof(attributes);
    attributes.ObjectName = &name;
    status = NtOpenDirectoryObject(&directory, MAKE_OBJECT, &attributes);
    tell("U3", "the right to make drive letters", "", status >= 0 ? "ok" : "status 0x%08lx", status);
    close(directory);
}

void try_inside(const wchar_t *dir_w)
{
    tell_where();
    try_names(dir_w);
    try_consoles();
    try_services(dir_w);
    ask_network(below(dir_w, L"ws"));
}

static void try_folder(const wchar_t *path_w, const char *kind)
{
    const HANDLE folder = open_for(path_w, FILE_ADD_FILE, OPEN_EXISTING, 0);

    tell("U2", text("the right to add a file to %ls", path_w), "", "%s; %s", outcome(close(folder)), kind);
}

/* The roots of the volumes of this machine, its own share, and what was named. */
void try_volumes(int argc, wchar_t **argv)
{
    static const char *const kinds[] = {"unknown", "no root", "removable", "fixed", "remote", "cdrom", "ramdisk"};
    wchar_t root_w[] = L"A:\\", system_w[64], share_w[LONGEST];
    DWORD drives = GetLogicalDrives(), flags, i;
    UINT kind;

    for (i = 2; i < 26; i++) {
        root_w[0] = (wchar_t)(L'A' + i);
        if (!(drives & 1u << i))
            continue;
        kind = GetDriveTypeW(root_w);
        if (kind == DRIVE_REMOTE || kind == DRIVE_CDROM || kind > 6) {
            tell("U2", text("%ls", root_w), "", "%s: not tried unless named", kind > 6 ? "unknown" : kinds[kind]);
            continue;
        }
        wcscpy(system_w, L"?");
        flags = 0;
        GetVolumeInformationW(root_w, NULL, 0, NULL, NULL, &flags, system_w, 64);
        try_folder(root_w, text("%s, %ls, %s", kinds[kind], system_w,
                                flags & FILE_PERSISTENT_ACLS ? "keeps ACLs" : "keeps no ACLs"));
    }
    for (i = 0; i < (DWORD)argc; i++) {
        if (i == 0 && wcslen(argv[0]) > 3 && argv[0][1] == L':')
            swprintf(share_w, LONGEST, L"\\\\localhost\\%lc$%ls", argv[0][0], argv[0] + 2);
        else
            wcscpy(share_w, argv[i]);
        try_folder(share_w, i == 0 ? "the own folder outside, by the administrative share" : "named");
    }
}
