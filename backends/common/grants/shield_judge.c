#include "common/grants/shield_judge.h"

#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/host.h"
#include "common/nt.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define LIST_BYTES 16384u
#define SD_BYTES 0x10000u /* of a descriptor, no more than sd.h has room for */
#define ROAMING 2u        /* PT_ROAMING */

#ifndef FILE_ATTRIBUTE_PINNED
#define FILE_ATTRIBUTE_PINNED 0x00080000u
#define FILE_ATTRIBUTE_UNPINNED 0x00100000u
#endif
#ifndef FILE_ATTRIBUTE_RECALL_ON_OPEN
#define FILE_ATTRIBUTE_RECALL_ON_OPEN 0x00040000u
#endif
#ifndef FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS
#define FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS 0x00400000u
#endif
#define CLOUD                                                                                                          \
    (FILE_ATTRIBUTE_PINNED | FILE_ATTRIBUTE_UNPINNED | FILE_ATTRIBUTE_RECALL_ON_OPEN |                                 \
     FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS)

typedef BOOL(WINAPI *profile_type_fn)(DWORD *);
typedef void (*any_fn)(void);

static int id_of(HANDLE handle, sbx_shield_id *id)
{
    FILE_ID_INFO info;

    if (!GetFileInformationByHandleEx(handle, FileIdInfo, &info, sizeof(info)))
        return 0;
    memset(id, 0, sizeof(*id));
    id->volume = info.VolumeSerialNumber;
    memcpy(id->file, info.FileId.Identifier, sizeof(id->file));
    return 1;
}

/* A folder that does not exist holds nothing. */
static void set_apart(sbx_shield_judge *judge, const char *path)
{
    uint16_t *path_w = NULL;
    HANDLE handle = NULL;

    if (judge->count < SBX_SHIELD_APART && sbx_wide_path(path, &path_w, NULL) == SBX_OK) {
        handle = sbx_handle_from(CreateFileW((const WCHAR *)path_w, FILE_READ_ATTRIBUTES,
                                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                             OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
        if (handle && id_of(handle, &judge->apart[judge->count]))
            judge->count++;
    }
    sbx_handle_close(&handle);
    sbx_free(path_w);
}

static int is_roaming(void)
{
    HMODULE module = LoadLibraryExW(L"userenv.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    profile_type_fn get = NULL;
    DWORD type = 0;
    int roams;

    if (module)
        get = (profile_type_fn)(any_fn)GetProcAddress(module, "GetProfileType");
    roams = get && get(&type) && (type & ROAMING);
    if (module)
        FreeLibrary(module);
    return roams;
}

/* The folder of application data, which the two known ones are in as a rule. */
static void set_data_apart(sbx_shield_judge *judge, uint32_t which)
{
    char *path = NULL, *end;

    if (sbx_dirs_get(which, &path, NULL) != SBX_OK)
        return;
    set_apart(judge, path);
    end = strrchr(path, '\\');
    if (end && end > path + 2) {
        *end = 0;
        if (!strcmp(sbx_path_name(path), "AppData"))
            set_apart(judge, path);
    }
    sbx_free(path);
}

static void set_clouds_apart(sbx_shield_judge *judge, const char *path)
{
    static const char *const names[] = {"OneDrive=", "OneDriveConsumer=", "OneDriveCommercial="};
    const char *const *items = NULL;
    uint32_t count = 0, i, n;

    if (sbx_dirs_environment(&items, &count, NULL) != SBX_OK)
        return;
    for (i = 0; i < count; i++)
        for (n = 0; n < ARRAYSIZE(names); n++)
            if (!strncmp(items[i], names[n], strlen(names[n]))) {
                const char *cloud = items[i] + strlen(names[n]);

                set_apart(judge, cloud);
                if (sbx_path_is_below(path, cloud))
                    judge->takes_cloud = 1;
            }
    sbx_free((void *)(uintptr_t)items);
}

sbx_status sbx_shield_judge_init(sbx_shield_judge *judge, void *handle, const char *path, sbx_error *err)
{
    FILE_BASIC_INFO info;
    HANDLE own = NULL, plain = NULL;
    char *profile = NULL;
    sbx_status st = SBX_OK;

    memset(judge, 0, sizeof(*judge));
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &own) ||
        !CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE | LUA_TOKEN, 0, NULL, 0, NULL, 0, NULL, &plain) ||
        !DuplicateTokenEx(plain, TOKEN_QUERY, NULL, SecurityIdentification, TokenImpersonation, &judge->token)) {
        judge->token = NULL;
        st = sbx_fail_last(err, SBX_E_SYSTEM, "DuplicateTokenEx", "own token");
    }
    sbx_handle_close(&own);
    sbx_handle_close(&plain);
    if (st != SBX_OK)
        return st;
    judge->takes_cloud =
        GetFileInformationByHandleEx(handle, FileBasicInfo, &info, sizeof(info)) && (info.FileAttributes & CLOUD);
    set_data_apart(judge, SBX_DIR_LOCAL_DATA);
    set_data_apart(judge, SBX_DIR_ROAMING_DATA);
    set_clouds_apart(judge, path);
    if (is_roaming() && sbx_dirs_get(SBX_DIR_PROFILE, &profile, NULL) == SBX_OK) {
        judge->is_roaming = sbx_path_is_below(path, profile);
        set_apart(judge, profile);
    }
    sbx_free(profile);
    return SBX_OK;
}

void sbx_shield_judge_fini(sbx_shield_judge *judge)
{
    sbx_handle_close(&judge->token);
}

int sbx_shield_is_apart(const sbx_shield_judge *judge, void *handle, uint32_t attributes)
{
    sbx_shield_id id;
    uint32_t i;

    if ((attributes & CLOUD) && !judge->takes_cloud)
        return 1;
    if (!id_of(handle, &id))
        return 1; /* what cannot be told apart is left alone */
    for (i = 0; i < judge->count; i++)
        if (!memcmp(&judge->apart[i], &id, sizeof(id)))
            return 1;
    return 0;
}

/* ---- What is in a directory -------------------------------------------------------------- */

/* Most of what is in a directory has the same descriptor: the one that was allowed last is kept in `check`. */
typedef struct asker {
    const sbx_shield_judge *judge;
    sbx_sd *sd;
    ULONG known; /* its length */
} asker;

static int may_delete(asker *a, HANDLE object)
{
    GENERIC_MAPPING mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE, FILE_ALL_ACCESS};
    PRIVILEGE_SET privileges;
    DWORD room = sizeof(privileges), granted = 0;
    BOOL may = FALSE;
    ULONG length = 0;

    if (!SBX_NT_OK(NtQuerySecurityObject(
            object, OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, a->sd->edited,
            SD_BYTES, &length)) ||
        length > SD_BYTES)
        return 0;
    if (length == a->known && !memcmp(a->sd->edited, a->sd->check, length))
        return 1;
    if (!AccessCheck(a->sd->edited, a->judge->token, DELETE, &mapping, &privileges, &room, &granted, &may) || !may)
        return 0;
    memcpy(a->sd->check, a->sd->edited, length);
    a->known = length;
    return 1;
}

static int is_closed(asker *a, HANDLE dir, const FILE_DIRECTORY_INFORMATION *entry)
{
    const size_t length = entry->FileNameLength / sizeof(WCHAR);
    HANDLE object = NULL;
    NTSTATUS status;
    int closed;

    if (entry->FileName[0] == L'.' && (length == 1 || (length == 2 && entry->FileName[1] == L'.')))
        return 0;
    status = sbx_nt_child(dir, entry->FileName, length, READ_CONTROL, FILE_OPEN, 0, NULL, &object);
    if (SBX_NT_GONE(status))
        return 0;
    closed = !SBX_NT_OK(status) || !may_delete(a, object);
    sbx_handle_close(&object);
    return closed;
}

sbx_status sbx_shield_holds_closed(const sbx_shield_judge *judge, void *handle, sbx_sd *sd, int *closed, sbx_error *err)
{
    asker a = {judge, sd, 0};
    UNICODE_STRING nothing = {0, 0, NULL};
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK io;
    HANDLE dir = NULL;
    uint8_t *list = sbx_alloc(LIST_BYTES);
    NTSTATUS status;

    *closed = 0;
    if (!list)
        return sbx_fail_memory(err);
    /* a handle of its own, with its own place in the listing */
    InitializeObjectAttributes(&attributes, &nothing, OBJ_CASE_INSENSITIVE, handle, NULL);
    status = NtOpenFile(&dir, FILE_LIST_DIRECTORY | FILE_TRAVERSE | SYNCHRONIZE, &attributes, &io,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                        FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | FILE_OPEN_REPARSE_POINT);
    while (SBX_NT_OK(status) && !*closed) {
        size_t at = 0;

        status = NtQueryDirectoryFile(dir, NULL, NULL, NULL, &io, list, LIST_BYTES, FileDirectoryInformation, FALSE,
                                      NULL, FALSE);
        while (SBX_NT_OK(status) && !*closed) {
            const FILE_DIRECTORY_INFORMATION *entry = (const void *)(list + at);

            *closed = is_closed(&a, dir, entry);
            if (!entry->NextEntryOffset)
                break;
            at += entry->NextEntryOffset;
        }
    }
    if (!SBX_NT_OK(status) && status != SBX_NT_NO_MORE_FILES && status != SBX_NT_NO_SUCH_FILE && !SBX_NT_GONE(status))
        *closed = 1; /* not to be looked into */
    sbx_handle_close(&dir);
    sbx_free(list);
    return SBX_OK;
}
