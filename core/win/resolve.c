#include "win/resolve.h"

#include <windows.h>
#include <winioctl.h>
#include <string.h>
#include <wchar.h>

#include "base/path.h"
#include "base/quote.h"
#include "base/suggest.h"
#include "base/utf.h"
#include "win/drive.h"
#include "win/env.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/wide.h"

#define TAG_APPEXECLINK 0x8000001Bu
#define REPARSE_BYTES (16u * 1024)

/* How far the search for a name that was meant goes: System32 has some five thousand entries. */
#define NEAR_ENTRIES 30000u
#define NEAR_BYTES 72u

typedef struct search {
    sbx_arena *arena;
    const char *name;
    const char *const *extensions; /* ".COM", ..., NULL */
    const char *other;             /* the first hit that cannot be started by itself */
    sbx_program *program;
    sbx_error *err;
    int on_disks; /* for a hint: pass over what may be asleep or on another machine */
} search;

static const struct {
    const char *extension, *hint;
} scripts[] = {
    {".ps1", "a PowerShell script; type: powershell -NoProfile -File \"%s\""},
    {".py", "a Python script; type: python \"%s\""},
    {".pyw", "a Python script; type: pythonw \"%s\""},
    {".js", "a JavaScript file; type: node \"%s\""},
    {".mjs", "a JavaScript file; type: node \"%s\""},
    {".cjs", "a JavaScript file; type: node \"%s\""},
    {".ts", "a TypeScript file; it needs a runtime, such as: bun \"%s\""},
    {".sh", "a shell script; type: bash \"%s\""},
    {".rb", "a Ruby script; type: ruby \"%s\""},
    {".pl", "a Perl script; type: perl \"%s\""},
    {".vbs", "a Windows Script Host file; type: cscript //nologo \"%s\""},
    {".vbe", "a Windows Script Host file; type: cscript //nologo \"%s\""},
    {".wsf", "a Windows Script Host file; type: cscript //nologo \"%s\""},
    {".jar", "a Java archive; type: java -jar \"%s\""},
    {".msi", "an installer package; type: msiexec /i \"%s\""},
    {".dll", "a library; type: rundll32 \"%s\",ENTRY"},
    {".lnk", "a shortcut; type the program that it points at"},
    {".msc", "a console snap-in; type: mmc \"%s\""},
    {".reg", "a registry file; type: reg import \"%s\""},
};

static int same_extension(const char *a, const char *b)
{
    return _stricmp(a, b) == 0;
}

static const char *script_hint(const char *path)
{
    const char *extension = sbx_path_extension(path);
    size_t i;

    for (i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
        if (same_extension(extension, scripts[i].extension))
            return scripts[i].hint;
    return NULL;
}

static int starts_by_itself(const char *path)
{
    const char *extension = sbx_path_extension(path);

    return same_extension(extension, ".exe") || same_extension(extension, ".com") || sbx_quote_is_batch(path);
}

/* The attributes of a path, or INVALID_FILE_ATTRIBUTES. */
static sbx_status attributes_of(const char *path, DWORD *attributes, sbx_error *err)
{
    uint16_t *path_w = NULL;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    *attributes = INVALID_FILE_ATTRIBUTES;
    if (st == SBX_OK)
        *attributes = GetFileAttributesW(path_w);
    sbx_free(path_w);
    return st;
}

static sbx_status not_runnable(const char *path, const char *why, sbx_error *err)
{
    sbx_fail(err, SBX_E_NOT_RUNNABLE, "start", path);
    sbx_hint(err, "%s", why);
    return SBX_E_NOT_RUNNABLE;
}

static sbx_status explain(const char *path, sbx_error *err)
{
    const char *hint = script_hint(path);

    sbx_fail(err, SBX_E_NOT_RUNNABLE, "start", path);
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#endif
    if (hint)
        sbx_hint(err, hint, path);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
    return SBX_E_NOT_RUNNABLE;
}

/* The third text of the link's data is the program: package, application, program, kind.  0: no such link. */
static int alias_target(const uint16_t *path_w, uint8_t *buffer, const uint16_t **target_w)
{
    const uint16_t *text_w, *end_w;
    HANDLE file;
    DWORD tag, got = 0;
    int i, ok;

    file = sbx_handle_from(CreateFileW(path_w, FILE_READ_ATTRIBUTES,
                                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                       FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS, NULL));
    if (!file)
        return 0;
    ok = DeviceIoControl(file, FSCTL_GET_REPARSE_POINT, NULL, 0, buffer, REPARSE_BYTES, &got, NULL);
    sbx_handle_close(&file);
    if (!ok || got < 12)
        return 0;
    memcpy(&tag, buffer, sizeof(tag));
    if (tag != TAG_APPEXECLINK)
        return 0;
    /* 8 bytes of header, 4 of version, then texts with a NUL each */
    text_w = (const uint16_t *)(const void *)(buffer + 12);
    end_w = (const uint16_t *)(const void *)(buffer + (got & ~1u));
    *target_w = NULL;
    for (i = 0; i < 2; i++) {
        while (text_w < end_w && *text_w)
            text_w++;
        if (text_w < end_w)
            text_w++;
    }
    *target_w = text_w;
    while (text_w < end_w && *text_w)
        text_w++;
    if (text_w == end_w || text_w == *target_w)
        *target_w = NULL;
    return 1;
}

/* A user may not look into the folder of the packages, but CreateProcessW starts what lies there all the same. */
static int is_gone(const uint16_t *path_w)
{
    return GetFileAttributesW(path_w) == INVALID_FILE_ATTRIBUTES &&
           (GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND);
}

/* A packaged program's alias: *path becomes what it points at. */
static sbx_status follow_alias(sbx_arena *arena, const char **path, sbx_error *err)
{
    uint8_t *buffer = sbx_arena_alloc(arena, REPARSE_BYTES + 2);
    const uint16_t *target_w = NULL;
    uint16_t *path_w = NULL;
    char *target = NULL;
    sbx_status st;

    if (!buffer)
        return sbx_fail_memory(err);
    st = sbx_wide_path(*path, &path_w, err);
    if (st != SBX_OK || !alias_target(path_w, buffer, &target_w))
        goto out;
    if (!target_w || is_gone(target_w)) {
        st = not_runnable(*path, "an alias of a packaged program that is not there; name the program's own file", err);
        goto out;
    }
    st = sbx_narrow(target_w, &target, err);
    if (st != SBX_OK)
        goto out;
    if (_stricmp(sbx_path_name(target), "AppInstallerPythonRedirector.exe") == 0) {
        st = not_runnable(*path, "a placeholder that opens the Store; install Python, or put it in front in PATH", err);
        goto out;
    }
    *path = sbx_arena_strdup(arena, target);
    if (!*path)
        st = sbx_fail_memory(err);
out:
    sbx_free(target);
    sbx_free(path_w);
    return st;
}

static sbx_status accept(search *s, const char *path, DWORD attributes)
{
    sbx_status st = SBX_OK;

    if (attributes & FILE_ATTRIBUTE_REPARSE_POINT)
        st = follow_alias(s->arena, &path, s->err);
    if (st != SBX_OK)
        return st;
    s->program->path = path;
    s->program->batch = sbx_quote_is_batch(path);
    return SBX_OK;
}

/* Look at one file.  *found: it is the program. */
static sbx_status try_file(search *s, const char *path, int explicit_name, int *found)
{
    const char *name = path ? sbx_path_name(path) : NULL;
    DWORD attributes;
    sbx_status st;

    if (!path)
        return sbx_fail_memory(s->err);
    if (sbx_path_is_reserved(name, strlen(name)))
        return SBX_OK; /* Win32 says that a device is there */
    st = attributes_of(path, &attributes, s->err);
    if (st != SBX_OK || attributes == INVALID_FILE_ATTRIBUTES || (attributes & FILE_ATTRIBUTE_DIRECTORY))
        return st;
    /* named in full, a file of another kind may still be a program */
    if (!starts_by_itself(path) && (!explicit_name || script_hint(path))) {
        if (!s->other)
            s->other = path;
        return SBX_OK;
    }
    *found = 1;
    return accept(s, path, attributes);
}

/* base: a path without PATHEXT's part. */
static sbx_status try_extensions(search *s, const char *base, int *found)
{
    const char *const *extension;
    sbx_status st = SBX_OK;

    for (extension = s->extensions; st == SBX_OK && !*found && *extension; extension++)
        st = try_file(s, sbx_arena_printf(s->arena, "%s%s", base, *extension), 0, found);
    return st;
}

/* As it stands where it has an extension, then with those of PATHEXT, then, when named in full, as it stands. */
static sbx_status try_path(search *s, const char *path, int explicit_name, int *found)
{
    int has_extension = sbx_path_extension(path)[0] != 0;
    sbx_status st = SBX_OK;

    if (has_extension)
        st = try_file(s, path, explicit_name, found);
    if (st == SBX_OK && !*found)
        st = try_extensions(s, path, found);
    if (st == SBX_OK && !*found && !has_extension && explicit_name)
        st = try_file(s, path, 1, found);
    return st;
}

/* Divide a list at semicolons outside quotes; quotes are dropped. */
static const char *const *divide(sbx_arena *arena, const uint16_t *list_w)
{
    size_t units = list_w ? wcslen(list_w) : 0, count = 1, i;
    char *text = units ? sbx_utf16_to_utf8(list_w, units, NULL) : NULL;
    char *copy, *to, *from;
    const char **items;
    int quoted = 0;

    if (units && !text)
        return NULL;
    copy = sbx_arena_strdup(arena, text ? text : "");
    sbx_free(text);
    if (!copy)
        return NULL;
    for (i = 0; copy[i]; i++)
        count += copy[i] == ';';
    items = sbx_arena_alloc(arena, (count + 1) * sizeof(*items));
    if (!items)
        return NULL;
    count = 0;
    items[0] = copy;
    for (to = from = copy;; from++) {
        if (*from == '"') {
            quoted = !quoted;
            continue;
        }
        if (*from && (*from != ';' || quoted)) {
            *to++ = *from;
            continue;
        }
        i = *from == 0;
        *to++ = 0;
        if (items[count][0])
            count++;
        items[count] = i ? NULL : to;
        if (i)
            return items;
    }
}

static int has_separator(const char *name)
{
    return strpbrk(name, "\\/") || (name[0] && name[1] == ':');
}

static int is_on_disk(const char *dir)
{
    return sbx_path_kind(dir) == SBX_PATH_DRIVE && sbx_drive_is_disk(dir[0]);
}

static sbx_status search_path(search *s, const uint16_t *environment_w, int *found)
{
    const char *const *dir = divide(s->arena, sbx_env_find(environment_w, L"PATH"));
    const char *path;
    sbx_status st = SBX_OK;

    if (!dir)
        return sbx_fail_memory(s->err);
    for (; st == SBX_OK && !*found && *dir; dir++) {
        if (!sbx_path_is_absolute(*dir) || (s->on_disks && !is_on_disk(*dir)))
            continue;
        path = sbx_path_join(s->arena, *dir, s->name);
        st = path ? try_path(s, path, 0, found) : sbx_fail_memory(s->err);
    }
    return st;
}

/* *path: of a name with a separator; may be NULL. */
static sbx_status look_for(search *s, const uint16_t *environment_w, const char *cwd, const char **path, int *found)
{
    const char *full;

    if (!has_separator(s->name))
        return search_path(s, environment_w, found);
    full = sbx_path_join(s->arena, cwd, s->name);
    if (path)
        *path = full;
    return full ? try_path(s, full, 1, found) : sbx_fail_memory(s->err);
}

typedef struct nearest {
    char name[NEAR_BYTES];
    size_t distance;
    uint32_t entries; /* looked at */
} nearest;

/* One file of a directory of PATH. */
static void weigh(const search *s, const WCHAR *file_w, nearest *best)
{
    char *file = sbx_utf16_to_utf8((const uint16_t *)file_w, wcslen(file_w), NULL);
    const char *extension = file ? sbx_path_extension(file) : "";
    size_t distance;

    if (extension[0] && starts_by_itself(file)) {
        if (!sbx_path_extension(s->name)[0])
            file[extension - file] = 0;
        distance = sbx_suggest_distance(s->name, file);
        /* of two or three letters nearly everything is near: "sc" is none for "tsc" */
        if (distance < best->distance && distance <= 2 && distance * 4 <= strlen(s->name) &&
            strlen(file) < sizeof(best->name)) {
            best->distance = distance;
            memcpy(best->name, file, strlen(file) + 1);
        }
    }
    sbx_free(file);
}

/* The program in PATH that may have been meant; "" when none is near. */
static void find_nearest(search *s, const uint16_t *environment_w, nearest *best)
{
    const char *const *dir = divide(s->arena, sbx_env_find(environment_w, L"PATH"));
    WIN32_FIND_DATAW entry;
    uint16_t *pattern_w;
    const char *pattern;
    HANDLE find;

    for (; dir && *dir && best->entries < NEAR_ENTRIES; dir++) {
        pattern = is_on_disk(*dir) ? sbx_path_join(s->arena, *dir, "*") : NULL;
        pattern_w = NULL;
        if (!pattern || sbx_wide_path(pattern, &pattern_w, NULL) != SBX_OK)
            continue;
        find = sbx_handle_from(FindFirstFileExW(pattern_w, FindExInfoBasic, &entry, FindExSearchNameMatch, NULL,
                                                FIND_FIRST_EX_LARGE_FETCH));
        sbx_free(pattern_w);
        if (!find)
            continue;
        do {
            if (!(entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
                weigh(s, entry.cFileName, best);
        } while (++best->entries < NEAR_ENTRIES && FindNextFileW(find, &entry));
        FindClose(find);
    }
}

/* Nothing that runs was found: why? */
static sbx_status missing(search *s, const char *path, const uint16_t *environment_w, const char *cwd)
{
    static const char *const builtins[] = {"assoc", "call",  "cd",    "chdir", "cls",  "copy", "date",   "del",
                                           "dir",   "echo",  "erase", "for",   "if",   "md",   "mkdir",  "mklink",
                                           "move",  "path",  "pushd", "popd",  "rd",   "ren",  "rename", "rmdir",
                                           "set",   "start", "time",  "title", "type", "ver",  "vol"};
    /* where package managers put the programs of a project, which npm and an activated environment have on the PATH */
    static const char *const unsearched[] = {".", "node_modules\\.bin", ".venv\\Scripts"};
    DWORD attributes = INVALID_FILE_ATTRIBUTES;
    nearest best = {"", SIZE_MAX, 0};
    const size_t length = strcspn(s->name, " \t");
    sbx_program unused = {0};
    sbx_error ignored = {0};
    search hint = {s->arena, NULL, s->extensions, NULL, &unused, &ignored, 1};
    int found = 0;
    size_t i;

    if (path && attributes_of(path, &attributes, s->err) == SBX_OK && attributes != INVALID_FILE_ATTRIBUTES &&
        (attributes & FILE_ATTRIBUTE_DIRECTORY))
        return not_runnable(path, "it is a directory", s->err);
    if (s->other)
        return explain(s->other, s->err);
    sbx_fail(s->err, SBX_E_NOT_FOUND, "find the command", s->name);
    /* not that of a path, which is one word by right */
    hint.name = s->name[length] ? sbx_arena_strndup(s->arena, s->name, length) : NULL;
    if (hint.name && hint.name[0] && look_for(&hint, environment_w, cwd, NULL, &found) == SBX_OK && found) {
        sbx_hint(s->err,
                 "it is one word with spaces in it; quote each argument by itself, as in: sbx -- node \"a b.js\"");
        return SBX_E_NOT_FOUND;
    }
    for (i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (_stricmp(s->name, builtins[i]) == 0) {
            sbx_hint(s->err, "a command of cmd.exe; type: cmd /d /c %s ...", s->name);
            return SBX_E_NOT_FOUND;
        }
    if (path)
        return SBX_E_NOT_FOUND;
    if (!sbx_env_find(environment_w, L"PATH")) {
        sbx_hint(s->err, "the command's environment has no PATH");
        return SBX_E_NOT_FOUND;
    }
    for (i = 0; i < sizeof(unsearched) / sizeof(unsearched[0]); i++) {
        hint.other = NULL;
        path = sbx_arena_printf(s->arena, "%s\\%s", unsearched[i], s->name);
        path = path ? sbx_path_join(s->arena, cwd, path) : NULL;
        if (path && try_path(&hint, path, 1, &found) == SBX_OK && (found || hint.other)) {
            sbx_hint(s->err, "%s is not searched; type: %s\\%s", i ? unsearched[i] : "the current directory",
                     unsearched[i], s->name);
            return SBX_E_NOT_FOUND;
        }
    }
    find_nearest(s, environment_w, &best);
    if (best.name[0])
        sbx_hint(s->err, "did you mean \"%s\"?", best.name);
    return SBX_E_NOT_FOUND;
}

sbx_status sbx_resolve(sbx_arena *arena, const char *name, const char *cwd, const uint16_t *environment_w,
                       sbx_program *program, sbx_error *err)
{
    static const uint16_t standard_w[] = L".COM;.EXE;.BAT;.CMD";
    const uint16_t *pathext_w = sbx_env_find(environment_w, L"PATHEXT");
    search s = {arena, name, NULL, NULL, program, err, 0};
    const char *path = NULL;
    int found = 0;
    sbx_status st;

    if (!name[0])
        return sbx_fail(err, SBX_E_NOT_FOUND, "find the command", "\"\"");
    s.extensions = divide(arena, pathext_w && *pathext_w ? pathext_w : standard_w);
    if (!s.extensions)
        return sbx_fail_memory(err);
    st = look_for(&s, environment_w, cwd, &path, &found);
    if (st != SBX_OK || found)
        return st;
    return missing(&s, path, environment_w, cwd);
}
