#include "tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <aclapi.h>
#include <sddl.h>
#include <winioctl.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/grants/acl.h"
#include "common/host.h"

static char folder[512];
static char state[640];
static sbx_host host;
uint32_t tree_grant_notes, tree_gap_notes, tree_warnings;
char tree_warning[1024];

static void *take(uint64_t bytes)
{
    return malloc((size_t)bytes);
}

static void *retake(void *old, uint64_t bytes)
{
    return realloc(old, (size_t)bytes);
}

static void note(uint32_t kind, const char *object, const char *text)
{
    if (getenv("TREE_VERBOSE"))
        printf("note %u %s: %s\n", (unsigned)kind, object, text);
    if (kind == SBX_NOTE_GRANT)
        tree_grant_notes++;
    if (kind == SBX_NOTE_GAP && strncmp(object, "\\\\", 2) != 0) /* but of what every run here has */
        tree_gap_notes++;
    if (kind == SBX_NOTE_WARN) {
        tree_warnings++;
        snprintf(tree_warning, sizeof(tree_warning), "%s", text);
    }
}

static void warn(uint32_t level, const char *text)
{
    (void)text;
    tree_warnings += level == SBX_LOG_WARN;
}

const char *tree_path(const char *name)
{
    static char paths[16][1024];
    static unsigned at;
    char *path = paths[at++ % 16];

    snprintf(path, sizeof(paths[0]), "%s%s%s", folder, *name ? "\\" : "", name);
    return path;
}

static void remove_all(const char *path)
{
    WIN32_FIND_DATAA data;
    char pattern[1100], inner[1400];
    HANDLE search;

    snprintf(pattern, sizeof(pattern), "%s\\*", path);
    search = FindFirstFileA(pattern, &data);
    if (search == INVALID_HANDLE_VALUE)
        return;
    do {
        if (!strcmp(data.cFileName, ".") || !strcmp(data.cFileName, ".."))
            continue;
        snprintf(inner, sizeof(inner), "%s\\%s", path, data.cFileName);
        if (data.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
            RemoveDirectoryA(inner);
        else if ((data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) && strlen(inner) < 900)
            remove_all(inner);
        else
            DeleteFileA(inner);
    } while (FindNextFileA(search, &data));
    FindClose(search);
    RemoveDirectoryA(path);
}

int tree_begin(void)
{
    static const sbx_allocator allocator = {take, retake, free};
    HANDLE token = NULL;
    SID everyone = {1, 1, {{0, 0, 0, 0, 0, 1}}, {0}};
    SID_AND_ATTRIBUTES one = {&everyone, 0};
    HANDLE restricted = NULL;
    int enforced;

    sbx_memory_use(&allocator);
    if (!GetEnvironmentVariableA("SBX_TREE", folder, sizeof(folder))) {
        snprintf(folder, sizeof(folder), "%s\\sbx-tree-%lu-%lu", getenv("USERPROFILE"), GetCurrentProcessId(),
                 GetTickCount());
        CreateDirectoryA(folder, NULL);
        SetEnvironmentVariableA("SBX_TREE", folder);
    }
    snprintf(state, sizeof(state), "%s\\state", folder);
    host.size = sizeof(host);
    host.abi = SBX_ABI_VERSION;
    host.state_dir = state;
    host.program_dir = "C:\\nowhere";
    host.note = note;
    host.log = warn;
    sbx_host_table = &host;

    OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &token);
    CreateRestrictedToken(token, DISABLE_MAX_PRIVILEGE | WRITE_RESTRICTED, 0, NULL, 0, NULL, 1, &one, &restricted);
    enforced = restricted && IsTokenRestricted(restricted);
    CloseHandle(restricted);
    CloseHandle(token);
    return enforced;
}

void tree_end(void)
{
    remove_all(folder);
}

void tree_dir(const char *name)
{
    CreateDirectoryA(tree_path(name), NULL);
}

void tree_file(const char *name, const char *text)
{
    DWORD written;
    HANDLE file = CreateFileA(tree_path(name), GENERIC_WRITE, 7, NULL, CREATE_ALWAYS, 0, NULL);

    WriteFile(file, text, (DWORD)strlen(text), &written, NULL);
    CloseHandle(file);
}

void tree_remove(const char *name)
{
    remove_all(tree_path(name));
}

/* REPARSE_DATA_BUFFER of a junction, which only the headers of the driver kit have. */
typedef struct junction {
    DWORD tag;
    WORD length, reserved, target_offset, target_length, print_offset, print_length;
    WCHAR names[2048];
} junction;

int tree_symlinks;

static int make_symlink(const char *path, const char *target, DWORD flags)
{
    const DWORD unprivileged = 2; /* SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE */
    WCHAR path_w[1024], target_w[1024];

    swprintf(path_w, 1024, L"%hs", path);
    swprintf(target_w, 1024, L"%hs", target);
    return CreateSymbolicLinkW(path_w, target_w, unprivileged | flags) != 0;
}

int tree_may_symlink(void)
{
    char path[512];
    DWORD attributes;

    snprintf(path, sizeof(path), "%s\\sbx-link-%lu", getenv("USERPROFILE"), GetCurrentProcessId());
    make_symlink(path, ".", SYMBOLIC_LINK_FLAG_DIRECTORY);
    attributes = GetFileAttributesA(path); /* stock Wine says that there is a link now */
    RemoveDirectoryA(path);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_REPARSE_POINT);
}

uint32_t tree_link(const char *name, const char *target)
{
    junction data = {IO_REPARSE_TAG_MOUNT_POINT, 0, 0, 0, 0, 0, 0, {0}};
    const char *path = tree_path(name);
    int room = (int)(sizeof(data.names) / sizeof(data.names[0]));
    int length = swprintf(data.names, (size_t)room, L"\\??\\%hs", tree_path(target));
    int print = swprintf(data.names + length + 1, (size_t)(room - length - 1), L"%hs", tree_path(target));
    HANDLE dir;
    DWORD got, error = 0;

    if (tree_symlinks && !tree_exists(name))
        return make_symlink(path, tree_path(target), SYMBOLIC_LINK_FLAG_DIRECTORY) ? 0 : GetLastError();
    CreateDirectoryA(path, NULL);
    dir = CreateFileA(path, GENERIC_WRITE, 7, NULL, OPEN_EXISTING,
                      FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (dir == INVALID_HANDLE_VALUE)
        return GetLastError();
    data.target_length = (WORD)(length * 2);
    data.print_offset = (WORD)(data.target_length + 2);
    data.print_length = (WORD)(print * 2);
    data.length = (WORD)(8 + data.print_offset + data.print_length + 2);
    if (!DeviceIoControl(dir, FSCTL_SET_REPARSE_POINT, &data, 8u + data.length, NULL, 0, &got, NULL))
        error = GetLastError();
    CloseHandle(dir);
    return error;
}

uint32_t tree_file_link(const char *name, const char *target)
{
    return make_symlink(tree_path(name), tree_path(target), 0) ? 0 : GetLastError();
}

int tree_is_link(const char *name)
{
    DWORD attributes = GetFileAttributesA(tree_path(name));

    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_REPARSE_POINT);
}

uint32_t tree_aces_of(const char *name, const void *sid)
{
    union {
        SECURITY_DESCRIPTOR_RELATIVE head;
        BYTE bytes[65536];
    } sd;
    DWORD needed;

    if (!GetFileSecurityA(tree_path(name), DACL_SECURITY_INFORMATION, &sd, sizeof(sd), &needed) || !sd.head.Dacl)
        return UINT32_MAX;
    return sbx_acl_find(sd.bytes + sd.head.Dacl, sid, NULL, 0);
}

uint32_t tree_aces(const char *name, const sbx_grants *grants)
{
    const void *const *sids;

    return sbx_grants_sids(grants, &sids) ? tree_aces_of(name, sids[0]) : UINT32_MAX;
}

static void snapshot_one(sbx_text *text, const char *path)
{
    union {
        SECURITY_DESCRIPTOR_RELATIVE head;
        BYTE bytes[65536];
    } sd;
    HANDLE file = CreateFileA(path, READ_CONTROL, 7, NULL, OPEN_EXISTING,
                              FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    DWORD needed = 0, i;

    sbx_text_printf(text, "%s ", path);
    if (!GetKernelObjectSecurity(file,
                                 OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                                 &sd, sizeof(sd), &needed))
        sbx_text_printf(text, "error %lu", GetLastError());
    else
        for (i = 0; i < needed; i++)
            sbx_text_printf(text, "%02x", sd.bytes[i]);
    sbx_text_add(text, "\n");
    CloseHandle(file);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void snapshot_below(sbx_text *text, const char *path)
{
    WIN32_FIND_DATAA data;
    char pattern[1100], *names[512];
    HANDLE search;
    size_t count = 0, i;

    snapshot_one(text, path);
    snprintf(pattern, sizeof(pattern), "%s\\*", path);
    search = FindFirstFileA(pattern, &data);
    if (search == INVALID_HANDLE_VALUE)
        return;
    do {
        char inner[1400];

        if (!strcmp(data.cFileName, ".") || !strcmp(data.cFileName, "..") || count == 512)
            continue;
        snprintf(inner, sizeof(inner), "%s\\%s", path, data.cFileName);
        names[count++] = sbx_strdup(inner);
    } while (FindNextFileA(search, &data));
    FindClose(search);
    qsort(names, count, sizeof(names[0]), by_name);
    for (i = 0; i < count; i++) {
        if ((GetFileAttributesA(names[i]) & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) ==
            FILE_ATTRIBUTE_DIRECTORY)
            snapshot_below(text, names[i]);
        else
            snapshot_one(text, names[i]);
        sbx_free(names[i]);
    }
}

char *tree_snapshot(const char *name)
{
    sbx_text text = {0};

    snapshot_below(&text, tree_path(name));
    return sbx_text_take(&text);
}

void tree_enter(const sbx_grants *grants)
{
    SID everyone = {1, 1, {{0, 0, 0, 0, 0, 1}}, {0}};
    SID_AND_ATTRIBUTES sids[66] = {{&everyone, 0}};
    const void *const *ours = NULL;
    uint32_t i, count = grants ? sbx_grants_sids(grants, &ours) : 0;
    HANDLE token = NULL, restricted = NULL;

    for (i = 0; i < count; i++)
        memcpy(&sids[i + 1].Sid, &ours[i], sizeof(void *));
    OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &token);
    CreateRestrictedToken(token, DISABLE_MAX_PRIVILEGE | LUA_TOKEN | WRITE_RESTRICTED, 0, NULL, 0, NULL, count + 1,
                          sids, &restricted);
    if (!ImpersonateLoggedOnUser(restricted))
        abort();
    CloseHandle(restricted);
    CloseHandle(token);
}

void tree_leave(void)
{
    RevertToSelf();
}

static uint32_t try_open(const char *name, DWORD access, DWORD disposition)
{
    HANDLE file = CreateFileA(tree_path(name), access, 7, NULL, disposition, FILE_FLAG_BACKUP_SEMANTICS, NULL);

    if (file == INVALID_HANDLE_VALUE)
        return GetLastError();
    CloseHandle(file);
    return 0;
}

uint32_t act_write(const char *name)
{
    return try_open(name, GENERIC_WRITE, OPEN_EXISTING);
}

uint32_t act_open(const char *name, uint32_t access)
{
    return try_open(name, access, OPEN_EXISTING);
}

uint32_t act_create(const char *name)
{
    return try_open(name, GENERIC_WRITE, CREATE_NEW);
}

uint32_t act_mkdir(const char *name)
{
    return CreateDirectoryA(tree_path(name), NULL) ? 0 : GetLastError();
}

uint32_t act_delete(const char *name)
{
    return DeleteFileA(tree_path(name)) ? 0 : GetLastError();
}

uint32_t act_rmdir(const char *name)
{
    return RemoveDirectoryA(tree_path(name)) ? 0 : GetLastError();
}

uint32_t act_rename(const char *from, const char *to)
{
    return MoveFileA(tree_path(from), tree_path(to)) ? 0 : GetLastError();
}

int tree_exists(const char *name)
{
    return GetFileAttributesA(tree_path(name)) != INVALID_FILE_ATTRIBUTES;
}

static void set_dacl(const char *path, const char *sddl)
{
    SECURITY_DESCRIPTOR none;
    PSECURITY_DESCRIPTOR sd = NULL;

    InitializeSecurityDescriptor(&none, SECURITY_DESCRIPTOR_REVISION);
    SetSecurityDescriptorDacl(&none, TRUE, NULL, FALSE);
    if ((sddl && !ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, 1, &sd, NULL)) ||
        !SetFileSecurityA(path, DACL_SECURITY_INFORMATION, sd ? sd : &none)) {
        fprintf(stderr, "cannot set %s on %s: %lu\n", sddl ? sddl : "no DACL", path, GetLastError());
        abort();
    }
    LocalFree(sd);
}

void tree_set(const char *name, const char *sddl)
{
    set_dacl(tree_path(name), sddl);
}

void tree_open_to_everyone(const char *path)
{
    set_dacl(path, "D:(A;OICI;FA;;;WD)");
}

void tree_forget_state(void)
{
    remove_all(state);
}
