#include "setup/programs.h"

#include <windows.h>
#include <sddl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/grants/sha256.h"
#include "plugin/plugin.h"
#include "plugin/plugin_file.h"
#include "setup/folder.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/trust.h"
#include "win/wide.h"

#define CHUNK 65536u

/* As the folder that it is made in passes on (folder.c); said, so that its owner is not the user. */
#define FILE_SDDL L"O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1200a9;;;BU)" SBX_FOLDER_PACKAGES(L"")

static const char *const fixed[] = {"sbx-runner.exe", "sbx-setup.exe", "sbx-probe.exe"};
#define REQUIRED 2u /* of these */

static char *join(const char *folder, const char *name)
{
    sbx_text text = {0};

    sbx_text_printf(&text, "%s\\%s", folder, name);
    return sbx_text_take(&text);
}

/* ---- a folder's programs ---- */

static void close_files(sbx_programs *set)
{
    while (set->count)
        sbx_handle_close(&set->files[--set->count].handle);
}

static sbx_status digest(void *handle, const char *path, uint8_t out[32], sbx_error *err)
{
    sbx_sha256 hash;
    LARGE_INTEGER begin = {.QuadPart = 0};
    char *chunk = sbx_alloc(CHUNK);
    DWORD done = 0;
    sbx_status st = SBX_OK;

    if (!chunk)
        return sbx_fail_memory(err);
    sbx_sha256_begin(&hash);
    if (!SetFilePointerEx(handle, begin, NULL, FILE_BEGIN))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "SetFilePointerEx", path);
    while (st == SBX_OK) {
        if (!ReadFile(handle, chunk, CHUNK, &done, NULL))
            st = sbx_fail_last(err, SBX_E_SYSTEM, "ReadFile", path);
        if (!done)
            break;
        sbx_sha256_add(&hash, chunk, done);
    }
    sbx_sha256_end(&hash, out);
    sbx_free(chunk);
    return st;
}

/* Opened so that it stays what was looked at; optional: one that is not there is passed over. */
static sbx_status add(sbx_programs *set, const char *folder, const char *name, uint32_t trust, int optional,
                      sbx_error *err)
{
    char *path = join(folder, name);
    void *handle = NULL;
    sbx_status st;

    if (!path)
        return sbx_fail_memory(err);
    if (set->count == SBX_PROGRAMS_MAX || strlen(name) >= sizeof(set->files[0].name)) {
        st = sbx_fail(err, SBX_E_REFUSED, "more backends than setup copies", folder);
        goto out;
    }
    st = sbx_plugin_file_open(path, 0, trust, &handle, err);
    if (st == SBX_E_UNAVAILABLE && optional)
        st = SBX_OK;
    if (st == SBX_OK && handle) {
        snprintf(set->files[set->count].name, sizeof(set->files[0].name), "%s", name);
        st = digest(handle, path, set->files[set->count].digest, err);
        set->files[set->count++].handle = handle;
    }
out:
    sbx_free(path);
    return st;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b); /* the name is the first of a file */
}

/* backends\*.dll, names in small letters; what is no name of a backend is nothing to load either. */
static sbx_status add_backends(sbx_programs *set, const char *folder, uint32_t trust, sbx_error *err)
{
    WIN32_FIND_DATAW entry;
    char *pattern = join(folder, "backends\\*.dll"), name[48];
    uint16_t *pattern_w = NULL;
    HANDLE find = NULL;
    size_t i;
    sbx_status st = pattern ? sbx_wide_path(pattern, &pattern_w, err) : sbx_fail_memory(err);

    if (st == SBX_OK)
        find = sbx_handle_from(FindFirstFileW(pattern_w, &entry));
    if (st == SBX_OK && !find)
        st = sbx_fail_last(err, SBX_E_UNAVAILABLE, "FindFirstFileW", pattern);
    while (st == SBX_OK) {
        const int length = snprintf(name, sizeof(name), "backends\\%ls", entry.cFileName);

        for (i = 0; length > 0 && name[i]; i++)
            if (name[i] >= 'A' && name[i] <= 'Z')
                name[i] = (char)(name[i] + ('a' - 'A'));
        if (length > 0 && (size_t)length < sizeof(name) && !(entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) &&
            strspn(name + 9, "abcdefghijklmnopqrstuvwxyz0123456789-_") == (size_t)length - 9 - 4)
            st = add(set, folder, name, trust, 0, err);
        if (!FindNextFileW(find, &entry))
            break;
    }
    if (find)
        FindClose(find);
    sbx_free(pattern_w);
    sbx_free(pattern);
    return st;
}

/* All of a folder, by name: the set is of its own, and empty on failure. */
static sbx_status open_set(sbx_programs *set, const char *folder, uint32_t trust, sbx_error *err)
{
    char *backends = join(folder, "backends");
    void *held[2] = {NULL, NULL};
    uint32_t i;
    sbx_status st = backends ? sbx_plugin_file_open(folder, 1, trust, &held[0], err) : sbx_fail_memory(err);

    if (st == SBX_OK)
        st = sbx_plugin_file_open(backends, 1, trust, &held[1], err);
    for (i = 0; i < sizeof(fixed) / sizeof(fixed[0]) && st == SBX_OK; i++)
        st = add(set, folder, fixed[i], trust, i >= REQUIRED, err);
    if (st == SBX_OK)
        st = add_backends(set, folder, trust, err);
    if (st == SBX_OK)
        qsort(set->files, set->count, sizeof(set->files[0]), by_name);
    else
        close_files(set);
    sbx_handle_close(&held[0]);
    sbx_handle_close(&held[1]);
    sbx_free(backends);
    return st;
}

/* "VERSION-HASH" of a set; `version` has what stands before the hash. */
static void name_of(const sbx_programs *set, const char *version, char name[64])
{
    sbx_sha256 hash;
    uint8_t all[32];
    uint32_t i;

    sbx_sha256_begin(&hash);
    for (i = 0; i < set->count; i++) {
        sbx_sha256_add(&hash, set->files[i].name, strlen(set->files[i].name) + 1);
        sbx_sha256_add(&hash, set->files[i].digest, sizeof(set->files[i].digest));
    }
    sbx_sha256_end(&hash, all);
    snprintf(name, 64, "%.24s-%02x%02x%02x%02x%02x%02x%02x%02x", version, all[0], all[1], all[2], all[3], all[4],
             all[5], all[6], all[7]);
}

sbx_status sbx_programs_is_whole(const char *folder, int *whole, sbx_error *err)
{
    const char *own = strrchr(folder, '\\') + 1, *dash = strrchr(own, '-');
    sbx_programs *set;
    char name[64], version[25];
    sbx_status st;

    *whole = 0;
    if (!dash || (size_t)(dash - own) >= sizeof(version))
        return SBX_OK;
    set = sbx_alloc_zero(1, sizeof(*set));
    if (!set)
        return sbx_fail_memory(err);
    st = open_set(set, folder, SBX_TRUST_ADMIN, NULL);
    if (st == SBX_OK) {
        snprintf(version, sizeof(version), "%.*s", (int)(dash - own), own);
        name_of(set, version, name);
        *whole = !_stricmp(name, own);
    }
    close_files(set);
    sbx_free(set);
    return st == SBX_E_MEMORY ? sbx_fail_memory(err) : SBX_OK;
}

/* ---- where ---- */

sbx_status sbx_programs_open(sbx_programs *p, sbx_error *err)
{
    char *files = NULL, name[64];
    size_t length;
    sbx_status st = sbx_dirs_get(SBX_DIR_PROGRAMS, &files, err);

    if (st != SBX_OK)
        return st;
    p->own = sbx_strdup(sbx_plugin_program_dir());
    p->base = join(files, "sbx");
    p->place = p->base ? join(p->base, "setup") : NULL;
    sbx_free(files);
    if (!p->own || !p->place)
        return sbx_fail_memory(err);
    length = strlen(p->place);
    p->here = !_strnicmp(p->own, p->place, length) && p->own[length] == '\\';
    if (p->here) {
        p->folder = sbx_strdup(p->own);
        return p->folder ? SBX_OK : sbx_fail_memory(err);
    }
    if ((st = open_set(p, p->own, SBX_TRUST_SELF, err)) != SBX_OK)
        return st;
    name_of(p, SBX_VERSION, name);
    p->folder = join(p->place, name);
    return p->folder ? SBX_OK : sbx_fail_memory(err);
}

void sbx_programs_close(sbx_programs *p)
{
    close_files(p);
    sbx_free(p->own);
    sbx_free(p->base);
    sbx_free(p->place);
    sbx_free(p->folder);
    memset(p, 0, sizeof(*p));
}

sbx_status sbx_programs_look(const sbx_programs *p, int *whole, sbx_error *err)
{
    return sbx_programs_is_whole(p->folder, whole, err);
}

/* ---- the copy ---- */

static sbx_status copy_bytes(void *from, void *to, const char *path, sbx_error *err)
{
    LARGE_INTEGER begin = {.QuadPart = 0};
    char *chunk = sbx_alloc(CHUNK);
    DWORD got = 0, done = 0;
    sbx_status st = SBX_OK;

    if (!chunk)
        return sbx_fail_memory(err);
    if (!SetFilePointerEx(from, begin, NULL, FILE_BEGIN))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "SetFilePointerEx", path);
    while (st == SBX_OK) {
        if (!ReadFile(from, chunk, CHUNK, &got, NULL))
            st = sbx_fail_last(err, SBX_E_SYSTEM, "ReadFile", path);
        if (!got)
            break;
        if (st == SBX_OK && (!WriteFile(to, chunk, got, &done, NULL) || done != got))
            st = sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", path);
    }
    if (st == SBX_OK && !FlushFileBuffers(to))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "FlushFileBuffers", path);
    sbx_free(chunk);
    return st;
}

static sbx_status copy_one(const sbx_programs *p, uint32_t i, sbx_error *err)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    char *path = join(p->folder, p->files[i].name);
    uint16_t *path_w = NULL;
    HANDLE file = NULL;
    sbx_status st = path ? sbx_wide_path(path, &path_w, err) : sbx_fail_memory(err);

    if (st == SBX_OK && !ConvertStringSecurityDescriptorToSecurityDescriptorW(FILE_SDDL, SDDL_REVISION_1,
                                                                              &attributes.lpSecurityDescriptor, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSecurityDescriptorToSecurityDescriptorW", path);
    if (st == SBX_OK && !DeleteFileW(path_w) && GetLastError() != ERROR_FILE_NOT_FOUND) /* cut short, or changed */
        st = sbx_fail_last(err, SBX_E_SYSTEM, "DeleteFileW", path);
    if (st == SBX_OK) {
        file = sbx_handle_from(CreateFileW(path_w, GENERIC_WRITE, 0, &attributes, CREATE_NEW,
                                           FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
        st = file ? copy_bytes(p->files[i].handle, file, path, err)
                  : sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
        sbx_handle_close(&file);
        if (st != SBX_OK)
            DeleteFileW(path_w);
    }
    LocalFree(attributes.lpSecurityDescriptor);
    sbx_free(path_w);
    sbx_free(path);
    return st;
}

sbx_status sbx_programs_make_place(const sbx_programs *p, sbx_error *err)
{
    void *handle = NULL;
    sbx_error why = {0};
    /* the installer's, perhaps: then it has the rights of %ProgramFiles% */
    sbx_status st = sbx_plugin_file_open(p->base, 1, SBX_TRUST_PLACE, &handle, &why);

    sbx_handle_close(&handle);
    if (st == SBX_E_UNAVAILABLE)
        st = sbx_setup_folder_make(p->base, SBX_FOLDER_PROGRAMS, err);
    else if (st != SBX_OK)
        *err = why;
    return st == SBX_OK ? sbx_setup_folder_make(p->place, SBX_FOLDER_PROGRAMS, err) : st;
}

sbx_status sbx_programs_copy(const sbx_programs *p, int *made, sbx_error *err)
{
    char *backends = join(p->folder, "backends");
    uint32_t i;
    int whole = 0;
    sbx_status st = backends ? sbx_programs_look(p, &whole, err) : sbx_fail_memory(err);

    *made = st == SBX_OK && !whole;
    if (st != SBX_OK || whole)
        goto out;
    if ((st = sbx_setup_folder_make(p->folder, SBX_FOLDER_PROGRAMS, err)) != SBX_OK ||
        (st = sbx_setup_folder_make(backends, SBX_FOLDER_PROGRAMS, err)) != SBX_OK)
        goto out;
    for (i = 0; i < p->count && st == SBX_OK; i++)
        st = copy_one(p, i, err);
    if (st == SBX_OK && (st = sbx_programs_look(p, &whole, err)) == SBX_OK && !whole)
        st = sbx_fail(err, SBX_E_UNENFORCED, "copied, but it is not what was copied", p->folder);
out:
    sbx_free(backends);
    return st;
}
