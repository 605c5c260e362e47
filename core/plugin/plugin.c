#include "plugin/plugin.h"

#include <windows.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/utf.h"
#include "plugin/calling.h"
#include "plugin/plugin_file.h"
#include "plugin/plugin_guard.h"
#include "plugin/plugin_watch.h"
#include "win/trust.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/job.h"

#define NAME_MAX_LENGTH 32

struct sbx_plugin {
    char name[NAME_MAX_LENGTH + 1];
    char *path;
    HMODULE module;
};

static sbx_host host;
static sbx_plugin_sink sink;
static char *program_dir;
static char *state_dir_copy;
static sbx_plugin *loaded; /* one at a time */

/* ---- the host's side of the table ---- */

static void *SBX_CALL host_alloc(uint64_t bytes)
{
    return bytes <= SIZE_MAX ? sbx_alloc((size_t)bytes) : NULL;
}

static void *SBX_CALL host_realloc(void *old, uint64_t bytes)
{
    return bytes <= SIZE_MAX ? sbx_realloc(old, (size_t)bytes) : NULL;
}

static void SBX_CALL host_free(void *memory)
{
    sbx_free(memory);
}

static void SBX_CALL host_log(uint32_t level, const char *text)
{
    if (sink.log)
        sink.log(sink.context, level, text ? text : "");
}

static void SBX_CALL host_note(uint32_t kind, const char *object, const char *text)
{
    if (sink.note)
        sink.note(sink.context, kind, object ? object : "", text ? text : "");
}

static void SBX_CALL host_progress(const char *what, uint64_t done, uint64_t total)
{
    if (sink.progress)
        sink.progress(sink.context, what ? what : "", done, total);
}

static const void *SBX_CALL host_extension(const char *id)
{
    return strcmp(id, SBX_EXT_CHILDREN) ? NULL : sbx_job_children();
}

/* ---- places ---- */

/* "\\?\C:\x" -> "C:\x", "\\?\UNC\server\share" -> "\\server\share". */
static char *plain_path(const WCHAR *path_w, size_t length)
{
    char *path;

    if (length > 8 && !wcsncmp(path_w, L"\\\\?\\UNC\\", 8)) {
        path = sbx_utf16_to_utf8((const uint16_t *)path_w + 6, length - 6, NULL);
        if (path)
            path[0] = '\\';
        return path;
    }
    if (length > 4 && !wcsncmp(path_w, L"\\\\?\\", 4)) {
        path_w += 4;
        length -= 4;
    }
    return sbx_utf16_to_utf8((const uint16_t *)path_w, length, NULL);
}

/* The exe's own path with links resolved: package managers start programs through links in one folder. */
static sbx_status find_program_dir(char **dir, sbx_error *err)
{
    const DWORD size = 32768;
    WCHAR *path_w = sbx_alloc(size * sizeof(*path_w));
    HANDLE file = NULL;
    DWORD length;
    char *slash;
    sbx_status st = SBX_OK;

    if (!path_w)
        return sbx_fail_memory(err);
    length = GetModuleFileNameW(NULL, path_w, size);
    if (!length || length >= size) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetModuleFileNameW", "own program");
        goto out;
    }
    file = sbx_handle_from(CreateFileW(path_w, FILE_READ_ATTRIBUTES,
                                       FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0,
                                       NULL));
    if (!file) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", "own program");
        goto out;
    }
    length = GetFinalPathNameByHandleW(file, path_w, size, FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
    if (!length || length >= size) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "GetFinalPathNameByHandleW", "own program");
        goto out;
    }
    *dir = plain_path(path_w, length);
    if (!*dir) {
        st = sbx_fail_memory(err);
        goto out;
    }
    slash = strrchr(*dir, '\\');
    if (slash)
        *slash = 0;
out:
    sbx_handle_close(&file);
    sbx_free(path_w);
    return st;
}

const char *sbx_plugin_program_dir(void)
{
    return program_dir ? program_dir : "";
}

sbx_status sbx_plugin_init(uint32_t program, const char *state_dir, const sbx_plugin_sink *where, sbx_error *err)
{
    sbx_status st;

    if (!program_dir && (st = find_program_dir(&program_dir, err)) != SBX_OK)
        return st;
    sbx_free(state_dir_copy);
    state_dir_copy = sbx_strdup(state_dir ? state_dir : "");
    if (!state_dir_copy)
        return sbx_fail_memory(err);
    memset(&sink, 0, sizeof(sink));
    if (where)
        sink = *where;
    host.size = sizeof(host);
    host.abi = SBX_ABI_VERSION;
    host.program = program;
    host.program_dir = program_dir;
    host.state_dir = state_dir_copy;
    host.alloc = host_alloc;
    host.realloc = host_realloc;
    host.free = host_free;
    host.log = host_log;
    host.note = host_note;
    host.progress = host_progress;
    host.extension = host_extension;
    return SBX_OK;
}

/* The name in lower case.  Names that MS-DOS gave to devices are none (MSDN "Naming Files, Paths,
 * and Namespaces"). */
static int fold_name(const char *name, char out[NAME_MAX_LENGTH + 1])
{
    static const char *const devices[] = {"con", "prn", "aux", "nul"};
    size_t i, length = strlen(name);

    if (!length || length > NAME_MAX_LENGTH)
        return 0;
    for (i = 0; i <= length; i++) {
        out[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + ('a' - 'A')) : name[i];
        if (name[i] && !strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", out[i]))
            return 0;
    }
    for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
        if (!strcmp(out, devices[i]))
            return 0;
    return !(length == 4 && (!strncmp(out, "com", 3) || !strncmp(out, "lpt", 3)) && strchr("0123456789", out[3]));
}

static char *join(const char *a, const char *b, const char *c)
{
    sbx_text text = {0};

    sbx_text_add(&text, program_dir);
    sbx_text_add(&text, a);
    sbx_text_add(&text, b);
    sbx_text_add(&text, c);
    return sbx_text_take(&text);
}

char *sbx_plugin_file(const char *name)
{
    return join("\\backends\\", name, ".dll");
}

/* There is no file of that name: say so, and what there is. */
static sbx_status no_such_backend(const char *name, sbx_error *err)
{
    sbx_text text = {0};
    char **names = NULL;
    uint32_t count = 0, i;

    sbx_fail(err, SBX_E_UNAVAILABLE, "there is no such backend", name);
    if (sbx_plugin_list(&names, &count, NULL) != SBX_OK)
        return SBX_E_UNAVAILABLE;
    for (i = 0; i < count; i++) {
        sbx_text_printf(&text, "%s%s", i ? ", " : "", names[i]);
        sbx_free(names[i]);
    }
    sbx_free(names);
    if (text.data && !text.failed)
        sbx_hint(err, "there are: %s", text.data);
    sbx_text_fini(&text);
    return SBX_E_UNAVAILABLE;
}

static sbx_status load_module(sbx_plugin *plugin, sbx_error *err)
{
    uint16_t *path_w = sbx_utf8_to_utf16(plugin->path, strlen(plugin->path), NULL);
    DWORD mode = 0;
    sbx_status st;

    if (!path_w)
        return sbx_fail_memory(err);
    st = sbx_plugin_watch_begin(plugin->name, "DllMain", err);
    if (st != SBX_OK)
        goto out;
    /* of this thread only, and not for the child: no box for a DLL that needs another that is missing */
    SetThreadErrorMode(SEM_FAILCRITICALERRORS, &mode);
    sbx_calling_mark(plugin->name, "DllMain");
    plugin->module =
        LoadLibraryExW((LPCWSTR)path_w, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32);
    sbx_calling_mark(NULL, NULL);
    if (!plugin->module)
        st = sbx_fail_last(err, SBX_E_BACKEND, "LoadLibraryExW", plugin->path);
    else
        sbx_calling_module(plugin->name, plugin->module);
    sbx_plugin_watch_end();
    SetThreadErrorMode(mode, NULL);
out:
    sbx_free(path_w);
    return st;
}

sbx_status sbx_plugin_load(const char *name, sbx_plugin **out_plugin, sbx_error *err)
{
    const uint32_t trust = host.program == SBX_PROGRAM_RUNNER ? SBX_TRUST_OWNER : SBX_TRUST_SELF;
    sbx_plugin *plugin = NULL;
    char *dir = NULL;
    void *folder = NULL, *file = NULL;
    union {
        FARPROC found;
        sbx_backend_entry_fn entry;
    } symbol;
    sbx_status st;

    if (loaded || !host.size)
        return sbx_fail(err, SBX_E_REFUSED, loaded ? "another backend is loaded" : "sbx_plugin_init first", name);
    plugin = sbx_alloc_zero(1, sizeof(*plugin));
    if (!plugin)
        return sbx_fail_memory(err);
    if (!fold_name(name, plugin->name)) {
        st = sbx_fail(err, SBX_E_USAGE, "not the name of a backend", name);
        sbx_hint(err, "up to %d letters, digits, '-' and '_'; `sbx backends` lists them", NAME_MAX_LENGTH);
        goto out;
    }
    dir = join("\\backends", "", "");
    plugin->path = sbx_plugin_file(plugin->name);
    if (!dir || !plugin->path) {
        st = sbx_fail_memory(err);
        goto out;
    }
    st = sbx_plugin_file_open(dir, 1, trust, &folder, err);
    if (st == SBX_E_UNAVAILABLE)
        sbx_hint(err, "the folder with the backends belongs beside the program; install sbx again");
    if (st != SBX_OK)
        goto out;
    st = sbx_plugin_file_open(plugin->path, 0, trust, &file, err);
    if (st == SBX_E_UNAVAILABLE)
        no_such_backend(plugin->name, err);
    if (st != SBX_OK || (st = sbx_plugin_file_check(file, plugin->path, err)) != SBX_OK ||
        (st = load_module(plugin, err)) != SBX_OK)
        goto out;
    symbol.found = GetProcAddress(plugin->module, SBX_BACKEND_ENTRY);
    if (!symbol.found) {
        st = sbx_fail(err, SBX_E_BACKEND, "it does not export " SBX_BACKEND_ENTRY, plugin->path);
        goto out;
    }
    st = sbx_plugin_guard_enter(symbol.entry, &host, plugin->name, plugin->path, err);
    if (st != SBX_OK)
        goto out;
    loaded = plugin;
    *out_plugin = plugin;
    plugin = NULL;
out:
    sbx_handle_close(&file);
    sbx_handle_close(&folder);
    sbx_free(dir);
    sbx_plugin_free(plugin);
    return st;
}

const sbx_backend *sbx_plugin_backend(const sbx_plugin *plugin)
{
    return plugin == loaded ? sbx_plugin_guard_table() : NULL;
}

const char *sbx_plugin_path(const sbx_plugin *plugin)
{
    return plugin->path;
}

void sbx_plugin_free(sbx_plugin *plugin)
{
    if (!plugin)
        return;
    if (plugin == loaded) {
        sbx_plugin_guard_leave();
        loaded = NULL;
    }
    if (plugin->module) {
        sbx_calling_mark(plugin->name, "DllMain");
        FreeLibrary(plugin->module);
        sbx_calling_module(NULL, NULL);
        sbx_calling_mark(NULL, NULL);
    }
    sbx_free(plugin->path);
    sbx_free(plugin);
}

/* ---- the list ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One more file; a name that is no backend's is passed over.  0: out of memory. */
static int add_name(char ***names, uint32_t *count, const WCHAR *file_w)
{
    size_t length = wcslen(file_w);
    char folded[NAME_MAX_LENGTH + 1];
    char *name, **more;
    int ok;

    if (length < 5 || _wcsicmp(file_w + length - 4, L".dll") != 0)
        return 1;
    name = sbx_utf16_to_utf8((const uint16_t *)file_w, length - 4, NULL);
    if (!name)
        return 0;
    ok = fold_name(name, folded);
    sbx_free(name);
    if (!ok)
        return 1;
    more = sbx_realloc(*names, (*count + 1) * sizeof(*more));
    if (!more)
        return 0;
    *names = more;
    more[*count] = sbx_strdup(folded);
    return more[*count] ? ++*count, 1 : 0;
}

sbx_status sbx_plugin_list(char ***out_names, uint32_t *out_count, sbx_error *err)
{
    WIN32_FIND_DATAW entry;
    char *pattern = join("\\backends\\", "*.dll", ""), **names = NULL;
    uint16_t *pattern_w = pattern ? sbx_utf8_to_utf16(pattern, strlen(pattern), NULL) : NULL;
    HANDLE find = NULL;
    uint32_t count = 0;
    sbx_status st = SBX_OK;

    if (!pattern_w) {
        st = sbx_fail_memory(err);
        goto out;
    }
    find =
        sbx_handle_from(FindFirstFileExW((LPCWSTR)pattern_w, FindExInfoBasic, &entry, FindExSearchNameMatch, NULL, 0));
    if (!find) {
        if (GetLastError() != ERROR_FILE_NOT_FOUND)
            st = sbx_fail_last(err, SBX_E_UNAVAILABLE, "FindFirstFileExW", pattern);
    } else {
        do {
            if (!(entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) && !add_name(&names, &count, entry.cFileName))
                st = sbx_fail_memory(err);
        } while (st == SBX_OK && FindNextFileW(find, &entry));
    }
    if (st == SBX_OK) {
        if (count)
            qsort(names, count, sizeof(*names), by_name);
        *out_names = names;
        *out_count = count;
        names = NULL;
        count = 0;
    }
out:
    if (find)
        FindClose(find);
    while (count)
        sbx_free(names[--count]);
    sbx_free(names);
    sbx_free(pattern_w);
    sbx_free(pattern);
    return st;
}
