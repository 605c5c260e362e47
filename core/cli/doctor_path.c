/* What is on the PATH: another sbx, and tools that a sandbox cannot start. */
#include <windows.h>
#include <string.h>

#include "base/path.h"
#include "cli/doctor.h"
#include "win/dirs.h"
#include "win/drive.h"
#include "win/wide.h"

#define ALIAS 0x8000001Bu /* IO_REPARSE_TAG_APPEXECLINK, winnt.h of later SDKs */

typedef struct finds {
    sbx_doctor_scratch *scratch;
    sbx_doctor_tell *tell;
    void *context;
    uint32_t aliases;
    const char *alias, *msys; /* the first of them */
} finds;

static int is_there(const char *path)
{
    uint16_t *path_w = NULL;
    int there = 0;

    if (path && sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        there = GetFileAttributesW((LPCWSTR)path_w) != INVALID_FILE_ATTRIBUTES;
    sbx_free(path_w);
    return there;
}

static void count_aliases(finds *f, const char *folder)
{
    const char *pattern = sbx_path_join(f->scratch->arena, folder, "*.exe");
    WIN32_FIND_DATAW entry;
    uint16_t *pattern_w = NULL;
    char *name = NULL;
    HANDLE found = INVALID_HANDLE_VALUE;

    if (pattern && sbx_wide_path(pattern, &pattern_w, NULL) == SBX_OK)
        found = FindFirstFileW((LPCWSTR)pattern_w, &entry);
    sbx_free(pattern_w);
    if (found == INVALID_HANDLE_VALUE)
        return;
    do {
        if (!(entry.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) || entry.dwReserved0 != ALIAS)
            continue;
        if (!f->aliases++ && sbx_narrow((const uint16_t *)entry.cFileName, &name, NULL) == SBX_OK)
            f->alias = sbx_path_join(f->scratch->arena, folder, name);
        sbx_free(name);
        name = NULL;
    } while (FindNextFileW(found, &entry));
    FindClose(found);
}

static void one_folder(finds *f, const char *folder)
{
    const char *other = sbx_path_join(f->scratch->arena, folder, "sbx.exe");
    const char *msys = sbx_path_join(f->scratch->arena, folder, "msys-2.0.dll");

    if (other && !sbx_path_equal(other, f->scratch->program) && is_there(other))
        f->tell(f->context, "another sbx is on the PATH", other,
                "see that the one you mean stands first, or remove it");
    if (!f->msys && is_there(msys))
        f->msys = msys;
    count_aliases(f, folder);
}

void sbx_doctor_path(sbx_doctor_scratch *scratch, sbx_doctor_tell *tell, void *context)
{
    finds f = {.scratch = scratch, .tell = tell, .context = context};
    const char *const *environment = NULL;
    const char *path = NULL, *at, *end, *folder;
    uint32_t count = 0, i;

    if (sbx_dirs_environment(&environment, &count, NULL) != SBX_OK)
        return;
    for (i = 0; i < count; i++)
        if (!_strnicmp(environment[i], "PATH=", 5))
            path = environment[i] + 5;
    for (at = path; at && *at; at = *end ? end + 1 : end) {
        end = at + strcspn(at, ";");
        folder = sbx_arena_strndup(scratch->arena, at, (size_t)(end - at));
        folder = folder && folder[0] ? sbx_path_join(scratch->arena, "C:\\", folder) : NULL;
        if (folder && sbx_path_kind(folder) == SBX_PATH_DRIVE && sbx_drive_is_disk(folder[0]))
            one_folder(&f, folder);
    }
    if (f.aliases)
        tell(context,
             sbx_arena_printf(scratch->arena,
                              "%u programs on the PATH are aliases of packaged apps, which do not start in a sandbox",
                              (unsigned)f.aliases),
             f.alias ? f.alias : "",
             "install the program itself, or turn the alias off: Settings, App execution aliases");
    if (f.msys)
        tell(context,
             "programs of MSYS2 (Git Bash) are on the PATH: of tokens like a command's it is reported that they do not "
             "start",
             f.msys, "use the programs of Windows, or of git for cmd");
    sbx_free((void *)(uintptr_t)environment);
}
