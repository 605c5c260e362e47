#include "elevated/state.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/trust.h"
#include "win/wide.h"

#define FILE_MAX (1u << 20)

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
    return below_data("elevated.txt", path, err);
}

sbx_status sbx_state_secret_path(uint32_t user, char **path, sbx_error *err)
{
    char name[32];

    snprintf(name, sizeof(name), "elevated-%u.secret", (unsigned)user);
    return below_data(name, path, err);
}

/* The folder, held while what is in it is read, so that it is the one that was looked at: who may make, replace or change
 * something there are administrators alone.  *folder NULL: it is not there. */
static sbx_status open_folder(void **folder, sbx_error *err)
{
    uint16_t *path_w = NULL;
    char *path = NULL;
    sbx_status st;

    if ((st = below_data("", &path, err)) != SBX_OK)
        return st;
    path[strlen(path) - 1] = 0;
    if ((st = sbx_wide_path(path, &path_w, err)) == SBX_OK) {
        *folder = sbx_handle_from(CreateFileW(path_w, READ_CONTROL | FILE_READ_ATTRIBUTES,
                                              FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING,
                                              FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
        if (!*folder && GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND)
            st = sbx_fail_last(err, SBX_E_UNAVAILABLE, "CreateFileW", path);
        else if (*folder && (st = sbx_trust_check(*folder, path, SBX_TRUST_ADMIN, err)) != SBX_OK)
            sbx_handle_close(folder);
    }
    sbx_free(path_w);
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

sbx_status sbx_state_load(sbx_machine *machine, sbx_error *err)
{
    char *path = NULL, *data = NULL;
    size_t length = 0;
    HANDLE folder = NULL;
    sbx_error why = {0};
    sbx_status st;

    if ((st = sbx_state_machine_path(&path, err)) != SBX_OK || (st = open_folder(&folder, err)) != SBX_OK || !folder) {
        tell_foreign(machine, st, err);
        goto out;
    }
    st = sbx_file_read(path, FILE_MAX, &data, &length, &why);
    if (st != SBX_OK && sbx_file_is_missing(&why)) {
        st = SBX_OK;
    } else if (st != SBX_OK) {
        if (err)
            *err = why;
    } else if ((st = sbx_machine_parse(machine, data, length, err)) == SBX_E_UNAVAILABLE) {
        sbx_hint(err, "put it right with: sbx setup --repair");
    }
out:
    sbx_handle_close(&folder);
    sbx_free(data);
    sbx_free(path);
    return st;
}

sbx_status sbx_state_save(const sbx_machine *machine, sbx_error *err)
{
    sbx_text text = {0};
    char *path = NULL;
    sbx_status st;

    if ((st = sbx_state_machine_path(&path, err)) == SBX_OK && (st = sbx_machine_print(machine, &text, err)) == SBX_OK)
        st = sbx_file_write(path, text.data, text.length, err);
    sbx_text_fini(&text);
    sbx_free(path);
    return st;
}

sbx_status sbx_state_remove(sbx_error *err)
{
    char *path = NULL;
    uint16_t *path_w = NULL;
    sbx_status st;

    if ((st = sbx_state_machine_path(&path, err)) == SBX_OK && (st = sbx_wide_path(path, &path_w, err)) == SBX_OK &&
        !DeleteFileW(path_w) && GetLastError() != ERROR_FILE_NOT_FOUND)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "DeleteFileW", path);
    sbx_free(path_w);
    sbx_free(path);
    return st;
}
