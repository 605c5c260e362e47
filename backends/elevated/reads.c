#include "elevated/reads.h"

#include <windows.h>
#include <string.h>

#include "base/path.h"
#include "common/grants/reader.h"
#include "elevated/credentials.h"
#include "win/dirs.h"
#include "win/drive.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define MOST 256u

static const char *const of_profile[] = {
    ".cargo\\bin",
    ".cargo\\registry",
    ".cargo\\git",
    ".rustup",
    ".nvm",
    ".volta",
    ".fnm",
    ".bun\\bin",
    ".deno\\bin",
    ".dotnet\\tools",
    ".pyenv",
    ".local\\bin",
    ".local\\share\\uv",
    ".jdks",
    ".gradle\\wrapper",
    ".m2\\repository",
    ".m2\\wrapper",
    ".nuget\\packages",
    "go\\bin",
    "go\\pkg\\mod",
    "scoop\\apps",
    "scoop\\shims",
};
static const char *const of_roaming[] = {"npm", "nvm", "fnm", "Python", "uv\\python", "uv\\tools"};
static const char *const of_local[] = {"Programs\\Python", "pnpm", "Volta",    "fnm",
                                       "fnm_multishells",  "mise", "Yarn\\bin"};

typedef struct finder {
    sbx_reads *reads;
    const sbx_audience *audience;
    sbx_credentials credentials;
    sbx_ledger ledger;
    int may_be_own; /* Documents and the like are asked for */
    sbx_error *err;
} finder;

static sbx_status leave(const finder *f, const char *folder, const char *why, int is_named)
{
    if (is_named && f->reads->left_out)
        f->reads->left_out(folder, why);
    return SBX_OK;
}

/* Where it is, links followed; sbx_free.  NULL: it does not open, or is no directory. */
static char *final_of(const char *folder)
{
    uint16_t *path_w = NULL;
    FILE_BASIC_INFO info;
    HANDLE handle = NULL;
    char *path = NULL;

    if (sbx_wide_path(folder, &path_w, NULL) == SBX_OK)
        handle = sbx_handle_from(CreateFileW((const WCHAR *)path_w, FILE_READ_ATTRIBUTES,
                                             FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                             OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
    if (handle && GetFileInformationByHandleEx(handle, FileBasicInfo, &info, sizeof(info)) &&
        (info.FileAttributes & FILE_ATTRIBUTE_DIRECTORY))
        path = sbx_file_final_path(handle, VOLUME_NAME_DOS);
    sbx_handle_close(&handle);
    sbx_free(path_w);
    return path;
}

static const char *holds_own(const finder *f, const char *folder)
{
    static const char *const others[] = {"Downloads", "Desktop", "Documents", "OneDrive"};
    const sbx_ledger_root *root;
    sbx_arena scratch = {NULL};
    const char *why = NULL;
    size_t i;

    for (i = 0; i < ARRAYSIZE(others) && !why && !f->may_be_own; i++) {
        const char *other = sbx_arena_printf(&scratch, "%s\\%s", f->credentials.profile, others[i]);

        if (!other || sbx_path_is_below(other, folder))
            why = "it is, or holds, a folder of your own files";
    }
    for (root = f->ledger.roots; root && !why; root = root->next)
        if (root->path[0] && !sbx_sid_is_read(&root->sid) && sbx_path_is_below(root->path, folder))
            why = "a folder that commands write in lies in it";
    sbx_arena_fini(&scratch);
    return why;
}

static int is_listed(const sbx_reads *reads, const char *folder)
{
    uint32_t i;

    for (i = 0; i < reads->count; i++)
        if (sbx_path_is_below(folder, reads->paths[i]))
            return 1;
    return 0;
}

/* At where it is. */
static sbx_status judge(finder *f, const char *folder, int is_named)
{
    sbx_error why = {.size = sizeof(why)};
    sbx_root root = {0};
    const char *words;
    sbx_status st;

    if (sbx_path_kind(folder) != SBX_PATH_DRIVE)
        return leave(f, folder, "it is on another machine, or on a volume without a letter", is_named);
    if (is_listed(f->reads, folder) || sbx_reader_is_open(folder, f->audience->writers.u.bytes))
        return SBX_OK;
    if (sbx_credentials_at(&f->credentials, folder))
        return leave(f, folder, "it is, holds, or lies in a place where credentials are kept", is_named);
    if ((words = holds_own(f, folder)) != NULL)
        return leave(f, folder, words, is_named);
    st = sbx_root_open(folder, &root, &why);
    sbx_root_close(&root);
    if (st != SBX_OK)
        return leave(f, folder, why.op, is_named);
    if (f->reads->count == MOST)
        return leave(f, folder, "there are too many", is_named);
    f->reads->paths[f->reads->count] = sbx_arena_strdup(&f->reads->arena, folder);
    return f->reads->paths[f->reads->count++] ? SBX_OK : sbx_fail_memory(f->err);
}

static sbx_status look(finder *f, const char *named, int is_named)
{
    char *folder = sbx_path_normalise(&f->reads->arena, named), *found;
    sbx_status st;

    if (!folder)
        return sbx_fail_memory(f->err);
    if (sbx_path_kind(folder) != SBX_PATH_DRIVE || !sbx_drive_is_disk(folder[0]))
        return leave(f, folder, "it is on no disk of this machine", is_named);
    if (!(found = final_of(folder)))
        return leave(f, folder, "there is no such folder", is_named);
    st = judge(f, found, is_named);
    sbx_free(found);
    return st;
}

static sbx_status look_in(finder *f, const char *folder, const char *const *names, size_t count)
{
    sbx_status st = SBX_OK;
    size_t i;

    for (i = 0; i < count && st == SBX_OK; i++) {
        const char *path = sbx_arena_printf(&f->reads->arena, "%s\\%s", folder, names[i]);

        st = path ? look(f, path, 0) : sbx_fail_memory(f->err);
    }
    return st;
}

/* Empty parts and quotation marks, which Windows takes no part of a name, are no folders. */
static sbx_status look_at_path(finder *f, const char *path)
{
    sbx_status st = SBX_OK;

    while (*path && st == SBX_OK) {
        size_t length = strcspn(path, ";");
        const char *at = path + (length && *path == '"');
        size_t inner = length - (size_t)(at - path);
        char *one;

        inner -= inner && at[inner - 1] == '"';
        one = sbx_arena_strndup(&f->reads->arena, at, inner);
        if (!one)
            st = sbx_fail_memory(f->err);
        else if (inner)
            st = look(f, one, 1);
        path += length + (path[length] != 0);
    }
    return st;
}

/* Each folder of the profile; links are the user's way to other places, and no part of it. */
static sbx_status look_at_profile(finder *f)
{
    WIN32_FIND_DATAW entry;
    uint16_t *pattern_w = NULL;
    const char *pattern = sbx_arena_printf(&f->reads->arena, "%s\\*", f->credentials.profile);
    sbx_status st = pattern ? sbx_wide_path(pattern, &pattern_w, f->err) : sbx_fail_memory(f->err);
    HANDLE search = NULL;

    if (st == SBX_OK)
        search = sbx_handle_from(FindFirstFileW((const WCHAR *)pattern_w, &entry));
    sbx_free(pattern_w);
    if (!search)
        return st;
    f->may_be_own = 1;
    do {
        char *name = NULL;
        const char *path;

        if ((entry.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) !=
                FILE_ATTRIBUTE_DIRECTORY ||
            !wcscmp(entry.cFileName, L".") || !wcscmp(entry.cFileName, L"..") || !_wcsicmp(entry.cFileName, L"AppData"))
            continue;
        if ((st = sbx_narrow((const uint16_t *)entry.cFileName, &name, f->err)) == SBX_OK)
            st = (path = sbx_arena_printf(&f->reads->arena, "%s\\%s", f->credentials.profile, name)) != NULL
                     ? look(f, path, 1)
                     : sbx_fail_memory(f->err);
        sbx_free(name);
    } while (st == SBX_OK && FindNextFileW(search, &entry));
    FindClose(search);
    f->may_be_own = 0;
    return st;
}

static sbx_status look_at_listed(finder *f)
{
    const sbx_reads_wanted *wanted = &f->reads->wanted;
    sbx_status st = SBX_OK;
    uint32_t i;

    f->may_be_own = 1;
    for (i = 0; i < wanted->count && st == SBX_OK; i++)
        st = look(f, wanted->readable[i], 1);
    f->may_be_own = 0;
    return st;
}

static sbx_status look_at_tools(finder *f, const char *path)
{
    sbx_status st = look_in(f, f->credentials.profile, of_profile, ARRAYSIZE(of_profile));

    if (st == SBX_OK && (st = look_in(f, f->credentials.roaming, of_roaming, ARRAYSIZE(of_roaming))) == SBX_OK &&
        (st = look_in(f, f->credentials.local, of_local, ARRAYSIZE(of_local))) == SBX_OK && path)
        st = look_at_path(f, path);
    return st;
}

sbx_status sbx_reads_find(sbx_reads *reads, const char *path, const sbx_audience *audience, sbx_error *err)
{
    finder f = {.reads = reads, .audience = audience, .err = err};
    sbx_status st;

    reads->paths = sbx_arena_alloc(&reads->arena, MOST * sizeof(*reads->paths));
    st = reads->paths ? sbx_credentials_find(&f.credentials, err) : sbx_fail_memory(err);
    if (st == SBX_OK && (st = sbx_ledger_load(&f.ledger, err)) == SBX_OK && (st = look_at_listed(&f)) == SBX_OK &&
        reads->wanted.read != SBX_READ_LISTED &&
        (reads->wanted.read == SBX_READ_TOOLS || (st = look_at_profile(&f)) == SBX_OK))
        st = look_at_tools(&f, path);
    sbx_ledger_fini(&f.ledger);
    sbx_credentials_fini(&f.credentials);
    return st;
}

void sbx_reads_fini(sbx_reads *reads)
{
    sbx_arena_fini(&reads->arena);
}
