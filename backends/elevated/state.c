#include "elevated/state.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/trust.h"
#include "win/wide.h"

#define FILE_MAX (1u << 20)
#define RECORD "elevated.txt"
#define COPY "elevated.copy.txt"

static sbx_status below_data(const char *name, char **path, sbx_error *err)
{
    sbx_text text = {0};
    char *data = NULL;
    sbx_status st = sbx_dirs_get(SBX_DIR_PROGRAM_DATA, &data, err);

    if (st != SBX_OK)
        return st;
    sbx_text_printf(&text, "%s\\sbx\\%s", data, name);
    sbx_free(data);
    *path = sbx_text_take(&text);
    return *path ? SBX_OK : sbx_fail_memory(err);
}

sbx_status sbx_state_machine_path(char **path, sbx_error *err)
{
    return below_data(RECORD, path, err);
}

sbx_status sbx_state_secret_path(uint32_t user, char **path, sbx_error *err)
{
    char name[32];

    snprintf(name, sizeof(name), "elevated-%u.secret", (unsigned)user);
    return below_data(name, path, err);
}

/* Held, so that it is the one that was looked at: who may make, replace or change it, or something in it, are administrators
 * alone.  *handle NULL: it is not there. */
static sbx_status open_closed(const char *path, void **handle, sbx_error *err)
{
    uint16_t *path_w = NULL;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st == SBX_OK) {
        *handle = sbx_handle_from(CreateFileW(path_w, READ_CONTROL | FILE_READ_ATTRIBUTES,
                                              FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                                              FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
        if (!*handle && GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND)
            st = sbx_fail_last(err, SBX_E_UNAVAILABLE, "CreateFileW", path);
        else if (*handle && (st = sbx_trust_check(*handle, path, SBX_TRUST_ADMIN, err)) != SBX_OK)
            sbx_handle_close(handle);
    }
    sbx_free(path_w);
    return st;
}

/* *folder NULL: it is not there. */
static sbx_status open_folder(void **folder, sbx_error *err)
{
    char *path = NULL;
    sbx_status st = below_data("", &path, err);

    if (st != SBX_OK)
        return st;
    path[strlen(path) - 1] = 0;
    st = open_closed(path, folder, err);
    sbx_free(path);
    return st;
}

/* Everybody may make a folder in %ProgramData%. */
static void tell_foreign(sbx_machine *machine, sbx_status st, sbx_error *err)
{
    char why[160];

    machine->foreign = st == SBX_E_REFUSED || (st == SBX_E_UNAVAILABLE && err->code == ERROR_ACCESS_DENIED);
    if (!machine->foreign)
        return;
    snprintf(why, sizeof(why), "%s", err->hint);
    sbx_hint(err, "%s%swhat is in it does not count; remove it, then: sbx setup", why, why[0] ? "; " : "");
}

sbx_status sbx_state_runner(const sbx_machine *machine, void **held, sbx_error *err)
{
    const char *path = machine->runner ? machine->runner : "sbx-runner.exe";
    sbx_text folder = {0};
    void *above = NULL;
    sbx_status st = SBX_OK;

    sbx_text_add(&folder, path);
    if (folder.failed)
        st = sbx_fail_memory(err);
    else if (machine->runner && strrchr(folder.data, '\\')) {
        *strrchr(folder.data, '\\') = 0;
        if ((st = open_closed(folder.data, &above, err)) == SBX_OK)
            st = open_closed(path, held, err);
    }
    if (st == SBX_OK && !*held)
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "it is gone", path);
    if (st == SBX_E_UNAVAILABLE || st == SBX_E_REFUSED)
        sbx_hint(err, "%s%sput it right with: sbx setup --repair", err && st == SBX_E_REFUSED ? err->hint : "",
                 st == SBX_E_REFUSED ? "; " : "");
    sbx_handle_close(&above);
    sbx_text_fini(&folder);
    return st;
}

/* The record, or else its copy: each is written whole, so one that is not is a disk's doing. */
static sbx_status read_one(const char *path, sbx_machine *machine, sbx_error *err)
{
    char *data = NULL;
    size_t length = 0;
    sbx_status st = sbx_file_read(path, FILE_MAX, &data, &length, err);

    if (st == SBX_OK && (st = sbx_machine_parse(machine, data, length, err)) != SBX_OK)
        sbx_utf8_copy(err->object, sizeof(err->object), path);
    sbx_free(data);
    return st;
}

/* Of both, the one that says what is to be done. */
static void tell_unread(const sbx_error *record, const sbx_error *copy, sbx_error *err)
{
    if (!err)
        return;
    *err = sbx_file_is_held(copy) || sbx_file_is_missing(record) ? *copy : *record;
    if (err->code_kind == SBX_CODE_WIN32 && err->code == ERROR_ACCESS_DENIED)
        sbx_hint(
            err,
            "every user reads it; give it the access rights of its folder, as an administrator: icacls FILE /reset");
    else if (!err->hint[0])
        sbx_hint(err,
                 "%s and %s are no better one than the other; remove both, the groups and the accounts that are called "
                 "sbx1-..., and run setup again",
                 RECORD, COPY);
}

sbx_status sbx_state_load(sbx_machine *machine, sbx_error *err)
{
    char *path = NULL, *copy = NULL;
    HANDLE folder = NULL;
    sbx_error why = {0}, other = {0};
    sbx_status st;

    if ((st = sbx_state_machine_path(&path, err)) != SBX_OK || (st = below_data(COPY, &copy, err)) != SBX_OK)
        goto out;
    if ((st = open_folder(&folder, err)) != SBX_OK || !folder) {
        tell_foreign(machine, st, err);
        goto out;
    }
    st = read_one(path, machine, &why);
    if (st == SBX_OK || read_one(copy, machine, &other) == SBX_OK) {
        st = SBX_OK;
    } else if (sbx_file_is_missing(&why) && sbx_file_is_missing(&other)) {
        st = SBX_OK; /* none yet */
    } else {
        tell_unread(&why, &other, err);
    }
out:
    sbx_handle_close(&folder);
    sbx_free(copy);
    sbx_free(path);
    return st;
}

int sbx_state_is_twofold(void)
{
    char *path = NULL, *copy = NULL, *first = NULL, *second = NULL;
    size_t length = 0, other = 0;
    const int is = sbx_state_machine_path(&path, NULL) == SBX_OK && below_data(COPY, &copy, NULL) == SBX_OK &&
                   sbx_file_read(path, FILE_MAX, &first, &length, NULL) == SBX_OK &&
                   sbx_file_read(copy, FILE_MAX, &second, &other, NULL) == SBX_OK && length == other &&
                   !memcmp(first, second, length);

    sbx_free(second);
    sbx_free(first);
    sbx_free(copy);
    sbx_free(path);
    return is;
}

/* What a write that was cut short left beside the record.  Setup has its turn: no other one is at work. */
static void sweep(void)
{
    WIN32_FIND_DATAW entry;
    char *pattern = NULL, *path = NULL;
    uint16_t *pattern_w = NULL;
    HANDLE find = NULL;
    char name[64];

    if (below_data("elevated*.tmp", &pattern, NULL) == SBX_OK && sbx_wide_path(pattern, &pattern_w, NULL) == SBX_OK)
        find = sbx_handle_from(FindFirstFileW(pattern_w, &entry));
    while (find) {
        if (snprintf(name, sizeof(name), "%ls", entry.cFileName) > 0 && below_data(name, &path, NULL) == SBX_OK)
            sbx_file_delete(path, NULL);
        sbx_free(path);
        path = NULL;
        if (!FindNextFileW(find, &entry))
            break;
    }
    if (find)
        FindClose(find);
    sbx_free(pattern_w);
    sbx_free(pattern);
}

sbx_status sbx_state_save(const sbx_machine *machine, sbx_error *err)
{
    sbx_text text = {0};
    char *path = NULL, *copy = NULL;
    sbx_status st;

    sweep();
    if ((st = sbx_state_machine_path(&path, err)) == SBX_OK && (st = below_data(COPY, &copy, err)) == SBX_OK &&
        (st = sbx_machine_print(machine, &text, err)) == SBX_OK &&
        (st = sbx_file_write(path, text.data, text.length, err)) == SBX_OK)
        st = sbx_file_write(copy, text.data, text.length, err);
    sbx_text_fini(&text);
    sbx_free(copy);
    sbx_free(path);
    return st;
}

/* The copy first: alone it would stand for a record that was lost. */
sbx_status sbx_state_remove(sbx_error *err)
{
    char *path = NULL, *copy = NULL;
    sbx_status st;

    sweep();
    if ((st = sbx_state_machine_path(&path, err)) == SBX_OK && (st = below_data(COPY, &copy, err)) == SBX_OK &&
        (st = sbx_file_delete(copy, err)) == SBX_OK)
        st = sbx_file_delete(path, err);
    sbx_free(copy);
    sbx_free(path);
    return st;
}
