#include "common/grants/open_places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "base/utf.h"
#include "common/host.h"
#include "common/grants/ledger_record.h"
#include "common/grants/sd.h"
#include "common/grants/volumes.h"
#include "common/state.h"
#include "win/dirs.h"
#include "win/drive.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

#define PLACES_MAX 512u
#define FOUND_MAX 64u
#define CACHE_BYTES 65536u
#define CACHE_HOURS 24u
#define CACHE_HEAD "sbx-reach-2"

#define WRITES                                                                                                         \
    (FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)

/* Each found place is a line: 'E' open to Everyone, 'L' to the logon, 'N' without a DACL, 'U' every user may delete in it; then its path. */
typedef struct scan {
    sbx_text lines;
    sbx_sd *sd;
    sbx_user_sid logon;
    int has_logon;
    uint32_t places, found;
} scan;

static const uint8_t everyone[12] = {1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};

/* Users, Authenticated Users, INTERACTIVE, LOCAL. */
static int is_every_users(const uint8_t *acl)
{
    static const uint8_t sids[4][16] = {{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x21, 2, 0, 0},
                                        {1, 1, 0, 0, 0, 0, 0, 5, 11, 0, 0, 0},
                                        {1, 1, 0, 0, 0, 0, 0, 5, 4, 0, 0, 0},
                                        {1, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0}};
    size_t i;

    for (i = 0; i < 4 && !sbx_acl_allows(acl, sids[i], FILE_DELETE_CHILD | GENERIC_ALL); i++)
        ;
    return i < 4;
}

static void look_at(scan *s, const WCHAR *path_w)
{
    HANDLE handle;
    char kind = 0, *path;

    if (s->places++ >= PLACES_MAX || s->found >= FOUND_MAX)
        return;
    handle = sbx_handle_from(CreateFileW(path_w, READ_CONTROL | FILE_READ_ATTRIBUTES,
                                         FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                                         FILE_FLAG_BACKUP_SEMANTICS, NULL));
    if (!handle)
        return; /* not to be read, so it is not known to be open */
    if (SBX_NT_OK(sbx_sd_read(s->sd, handle))) {
        if (!s->sd->acl)
            kind = 'N';
        else if (sbx_acl_allows(s->sd->acl, everyone, WRITES))
            kind = 'E';
        else if (s->has_logon && sbx_acl_allows(s->sd->acl, s->logon.u.bytes, WRITES))
            kind = 'L';
        else if (is_every_users(s->sd->acl))
            kind = 'U';
    }
    path = kind ? sbx_file_final_path(handle, VOLUME_NAME_DOS) : NULL;
    if (path) {
        sbx_text_printf(&s->lines, "%c%s\n", kind, path);
        s->found++;
    }
    sbx_free(path);
    sbx_handle_close(&handle);
}

static void look_at_text(scan *s, const char *path)
{
    uint16_t *path_w = NULL;

    if (sbx_wide_path(path, &path_w, NULL) == SBX_OK)
        look_at(s, (const WCHAR *)path_w);
    sbx_free(path_w);
}

/* A directory and the directories in it. */
static void look_in(scan *s, const char *path)
{
    WIN32_FIND_DATAW data;
    sbx_text pattern = {0};
    uint16_t *pattern_w = NULL;
    HANDLE search = NULL;

    look_at_text(s, path);
    sbx_text_printf(&pattern, "%s%s*", path, path[strlen(path) - 1] == '\\' ? "" : "\\");
    if (!pattern.failed && sbx_wide_path(pattern.data, &pattern_w, NULL) == SBX_OK)
        search = sbx_handle_from(FindFirstFileW((const WCHAR *)pattern_w, &data));
    while (search) {
        if ((data.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) && wcscmp(data.cFileName, L".") &&
            wcscmp(data.cFileName, L"..")) {
            char *name = sbx_utf16_to_utf8((const uint16_t *)data.cFileName, wcslen(data.cFileName), NULL);
            sbx_text inner = {0};

            if (name) {
                sbx_text_add_n(&inner, pattern.data, pattern.length - 1);
                sbx_text_add(&inner, name);
                if (!inner.failed)
                    look_at_text(s, inner.data);
            }
            sbx_text_fini(&inner);
            sbx_free(name);
        }
        if (!FindNextFileW(search, &data))
            break;
    }
    if (search)
        FindClose(search);
    sbx_text_fini(&pattern);
    sbx_free(pattern_w);
}

static void look_along_path(scan *s, WCHAR *list)
{
    while (*list) {
        size_t length = wcscspn(list, L";");
        int more = list[length] == L';';

        list[length] = 0;
        if (length > 2 && list[1] == L':' && *list < 0x80 && sbx_drive_is_disk((char)*list))
            look_at(s, list);
        list += length + (size_t)more;
    }
}

static void look_around(scan *s, WCHAR *path_list)
{
    static const char *const windows[] = {
        "Temp", "Tasks", "System32\\Tasks", "System32\\spool\\drivers\\color", "System32\\spool\\PRINTERS", "tracing"};
    char *dir = NULL;
    size_t i;

    if (sbx_dirs_get(SBX_DIR_WINDOWS, &dir, NULL) == SBX_OK) {
        char drive[4] = {dir[0], ':', '\\', 0};

        look_in(s, drive);
        for (i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
            sbx_text place = {0};

            sbx_text_printf(&place, "%s\\%s", dir, windows[i]);
            if (!place.failed)
                look_at_text(s, place.data);
            sbx_text_fini(&place);
        }
        sbx_free(dir);
    }
    dir = NULL;
    if (sbx_dirs_get(SBX_DIR_PROGRAM_DATA, &dir, NULL) == SBX_OK)
        look_in(s, dir);
    sbx_free(dir);
    dir = NULL;
    if (sbx_dirs_get(SBX_DIR_PROFILE, &dir, NULL) == SBX_OK) {
        sbx_text place = {0};

        look_in(s, dir);
        sbx_text_add_n(&place, dir, sbx_path_parent_length(dir));
        sbx_text_add(&place, "\\Public");
        if (!place.failed)
            look_in(s, place.data);
        sbx_text_fini(&place);
    }
    sbx_free(dir);
    look_along_path(s, path_list);
}

static uint64_t hours_now(void)
{
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    return ((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) / 36000000000ull;
}

/* What was found not long ago for the same PATH, without the first line; NULL: look again. */
static char *from_cache(const char *file, uint32_t key, uint64_t now, char **whole)
{
    size_t length = 0;
    unsigned long long hour = 0;
    char *at, *end;

    if (sbx_file_read(file, CACHE_BYTES, whole, &length, NULL) != SBX_OK)
        return NULL;
    if (strlen(*whole) != length || strncmp(*whole, CACHE_HEAD " ", sizeof(CACHE_HEAD)))
        return NULL;
    at = *whole + sizeof(CACHE_HEAD);
    if (strtoul(at, &end, 16) != key || *end != ' ')
        return NULL;
    hour = strtoull(end + 1, &end, 10);
    if (*end != '\n' || hour > now || now - hour >= CACHE_HOURS)
        return NULL;
    return end + 1;
}

/* Whether it is in the list already; now it is. */
static int is_told(sbx_text *told, const char *path)
{
    const size_t before = told->length;

    sbx_text_printf(told, "\n%s\n", path);
    return !told->failed && strstr(told->data, told->data + before) != told->data + before;
}

static void tell(char *lines, const sbx_root *roots, uint32_t count, sbx_text *told, char **every)
{
    while (*lines) {
        size_t length = strcspn(lines, "\n");
        const char *why =
            *lines == 'N' ? "can be written: it has no access control list" : "can be written: it is open to everyone";
        uint32_t i;
        int last = !lines[length];

        lines[length] = 0;
        for (i = 0; i < count && !sbx_path_is_below(lines + 1, roots[i].path); i++)
            ;
        if (length > 1 && i == count && *lines == 'U') {
            if (!*every)
                *every = sbx_strdup(lines + 1);
        } else if (length > 1 && i == count && !is_told(told, lines + 1))
            sbx_host_note(SBX_NOTE_GAP, lines + 1, "%s", why);
        lines += length + !last;
    }
}

/* The directories that the roots are in, at every launch: the command of an earlier one may have made them. */
static void tell_above(const sbx_root *roots, uint32_t count, sbx_text *told, char **every)
{
    scan s = {.places = 0};
    uint32_t i;

    if (sbx_sd_new(&s.sd, NULL) != SBX_OK)
        return;
    sbx_user_logon(&s.logon, &s.has_logon, NULL);
    for (i = 0; i < count; i++) {
        char *path = sbx_strdup(roots[i].path);
        size_t length = path ? sbx_path_parent_length(path) : 0;

        for (; length > 3 && path[length]; length = sbx_path_parent_length(path)) {
            path[length] = 0;
            look_at_text(&s, path);
        }
        sbx_free(path);
    }
    if (s.lines.data && !s.lines.failed)
        tell(s.lines.data, roots, count, told, every);
    sbx_text_fini(&s.lines);
    sbx_free(s.sd);
}

void sbx_open_places_report(const sbx_root *roots, uint32_t count, uint32_t flags, char **every)
{
    scan s = {.places = 0};
    DWORD length = GetEnvironmentVariableW(L"PATH", NULL, 0);
    WCHAR *list = sbx_alloc_zero((size_t)length + 1, sizeof(WCHAR));
    char *file = sbx_state_path("reach"), *whole = NULL, *lines;
    sbx_text told = {0};
    uint64_t now = hours_now();
    uint32_t key;

    sbx_volumes_report(roots, count);
    if (!list || !file)
        goto out;
    tell_above(roots, count, &told, every);
    if (length && GetEnvironmentVariableW(L"PATH", list, length) >= length)
        list[0] = 0;
    key = sbx_crc32c(0, list, wcslen(list) * sizeof(WCHAR));
    lines = from_cache(file, key, now, &whole);
    if (lines) {
        tell(lines, roots, count, &told, every);
        goto out;
    }
    if (sbx_sd_new(&s.sd, NULL) != SBX_OK)
        goto out;
    sbx_user_logon(&s.logon, &s.has_logon, NULL);
    sbx_text_printf(&s.lines, "%s %08lx %lu\n", CACHE_HEAD, (unsigned long)key, (unsigned long)now);
    look_around(&s, list);
    if (s.lines.failed)
        goto out;
    if (!(flags & SBX_OPEN_DRY_RUN) && sbx_state_make(NULL) == SBX_OK)
        sbx_file_write(file, s.lines.data, s.lines.length, NULL);
    tell(s.lines.data + strcspn(s.lines.data, "\n") + 1, roots, count, &told, every);
out:
    sbx_text_fini(&told);
    sbx_text_fini(&s.lines);
    sbx_free(s.sd);
    sbx_free(whole);
    sbx_free(list);
    sbx_free(file);
}
