/* The runs of a doctor: in folders that are made for them, and gone afterwards. */
#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "cli/doctor.h"
#include "plugin/plugin.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

#define RUN_MS 60000u
#define REPORT_BYTES (1u << 20)
#define WITHOUT "without" /* the folder of the run that nothing confines */

sbx_status sbx_doctor_start(sbx_doctor_scratch *scratch, const char *const *items, uint32_t count, const char *cwd,
                            sbx_text *output, uint32_t *end, sbx_error *err)
{
    const sbx_child_how how = {.limit_ms = RUN_MS, .cwd = cwd, .stop = scratch->console.event, .breakaway = 1};
    sbx_text line = {0};
    uint32_t code;
    sbx_status st = sbx_quote_line(&line, items, count, err);

    if (st == SBX_OK && line.failed)
        st = sbx_fail_memory(err);
    if (st == SBX_OK)
        st = sbx_child_watch(items[0], line.data, &how, output, end, &code, err);
    if (st == SBX_OK && (*end == SBX_CHILD_STOPPED || sbx_console_asked()))
        scratch->stopped = 1;
    sbx_text_fini(&line);
    return st;
}

static sbx_status make_folder(const char *path, int may_be, sbx_error *err)
{
    uint16_t *path_w = NULL;
    sbx_status st = sbx_wide_path(path, &path_w, err);

    if (st == SBX_OK && !CreateDirectoryW((LPCWSTR)path_w, NULL) && !(may_be && GetLastError() == ERROR_ALREADY_EXISTS))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateDirectoryW", path);
    sbx_free(path_w);
    return st;
}

static int succeeds(const sbx_doctor_scratch *scratch, const char *const *items, uint32_t count)
{
    const sbx_child_how how = {.limit_ms = RUN_MS, .cwd = scratch->path};
    sbx_text line = {0}, output = {0};
    uint32_t end, code = 1;
    sbx_error err;

    if (sbx_quote_line(&line, items, count, &err) == SBX_OK && !line.failed)
        sbx_child_watch(items[0], line.data, &how, &output, &end, &code, &err);
    sbx_text_fini(&line);
    sbx_text_fini(&output);
    return !code;
}

/* Undo what a run left in its folder, and remove that. */
static int remove_run(sbx_doctor_scratch *scratch, const char *name)
{
    const char *ws = sbx_arena_printf(scratch->arena, "%s\\%s\\ws", scratch->path, name);
    const char *secret = sbx_arena_printf(scratch->arena, "%s\\%s\\out\\secret", scratch->path, name);
    const char *const clean[] = {scratch->program, "clean", ws}, *const home[] = {clean[0], clean[1], "--homes", ws};
    const char *const hidden[] = {clean[0], clean[1], secret};
    const char *const clear[] = {scratch->probe, "clear", name};

    if (ws && secret && strcmp(name, WITHOUT) != 0) {
        succeeds(scratch, clean, 3);
        succeeds(scratch, hidden, 3);
        succeeds(scratch, home, 4);
    }
    return succeeds(scratch, clear, 3);
}

static int remove_all(sbx_doctor_scratch *scratch)
{
    WIN32_FIND_DATAW entry;
    uint16_t *pattern_w = NULL;
    const char *pattern = sbx_arena_printf(scratch->arena, "%s\\*", scratch->path);
    char name[64];
    HANDLE find;
    int removed = 1;

    if (!pattern || sbx_wide_path(pattern, &pattern_w, NULL) != SBX_OK)
        return 0;
    find = FindFirstFileW((LPCWSTR)pattern_w, &entry);
    if (find != INVALID_HANDLE_VALUE) {
        do {
            if ((entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) && entry.cFileName[0] != L'.' &&
                WideCharToMultiByte(CP_UTF8, 0, entry.cFileName, -1, name, sizeof(name), NULL, NULL))
                removed &= remove_run(scratch, name);
        } while (FindNextFileW(find, &entry));
        FindClose(find);
    }
    sbx_free(pattern_w);
    return removed;
}

static sbx_status take_lock(sbx_doctor_scratch *scratch, sbx_error *err)
{
    const char *path = sbx_arena_printf(scratch->arena, "%s\\lock", scratch->path);
    uint16_t *path_w = NULL;
    sbx_status st = path ? sbx_wide_path(path, &path_w, err) : sbx_fail_memory(err);

    if (st != SBX_OK)
        return st;
    scratch->lock = sbx_handle_from(
        CreateFileW((LPCWSTR)path_w, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL));
    if (!scratch->lock && GetLastError() == ERROR_SHARING_VIOLATION)
        st = sbx_fail(err, SBX_E_REFUSED, "another `sbx doctor` of yours runs", "doctor");
    else if (!scratch->lock)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
    sbx_free(path_w);
    return st;
}

sbx_status sbx_doctor_open(sbx_cli *cli, sbx_doctor_scratch *scratch, sbx_error *err)
{
    const char *local;
    sbx_user_sid user;
    sbx_status st;

    scratch->arena = &cli->arena;
    if ((st = sbx_user_get(&user, err)) != SBX_OK ||
        (st = sbx_cli_dir(cli, SBX_DIR_PROFILE, &scratch->profile, err)) != SBX_OK ||
        (st = sbx_cli_dir(cli, SBX_DIR_LOCAL_DATA, &local, err)) != SBX_OK)
        return st;
    sbx_user_sid_text(&user, scratch->sid, sizeof(scratch->sid));
    scratch->path = sbx_arena_printf(&cli->arena, "%s\\sbx-doctor", local);
    scratch->probe = sbx_arena_printf(&cli->arena, "%s\\sbx-probe.exe", sbx_plugin_program_dir());
    scratch->program = sbx_arena_printf(&cli->arena, "%s\\sbx.exe", sbx_plugin_program_dir());
    if (!scratch->path || !scratch->probe || !scratch->program)
        return sbx_fail_memory(err);
    if ((st = make_folder(scratch->path, 1, err)) != SBX_OK || (st = take_lock(scratch, err)) != SBX_OK)
        return st;
    remove_all(scratch);
    return sbx_console_begin(&scratch->console, err);
}

int sbx_doctor_close(sbx_doctor_scratch *scratch)
{
    uint16_t *path_w = NULL;
    int removed = 1;

    if (scratch->lock) {
        removed = remove_all(scratch);
        sbx_handle_close(&scratch->lock);
        if (sbx_wide_path(scratch->path, &path_w, NULL) == SBX_OK)
            RemoveDirectoryW((LPCWSTR)path_w);
        sbx_free(path_w);
    }
    if (scratch->console.event)
        sbx_console_end(&scratch->console);
    return removed;
}

static cJSON *read_report(const char *path)
{
    cJSON *report = NULL;
    char *data = NULL;
    size_t length;

    if (sbx_file_read(path, REPORT_BYTES, &data, &length, NULL) == SBX_OK)
        report = cJSON_Parse(data);
    sbx_free(data);
    return report;
}

sbx_status sbx_doctor_try(sbx_doctor_scratch *scratch, const char *backend, int deny_read, sbx_doctor_trial *trial,
                          sbx_error *err)
{
    const char *folder = sbx_arena_printf(scratch->arena, "%s\\%s", scratch->path, backend ? backend : WITHOUT);
    const char *outside = sbx_arena_printf(scratch->arena, "%s\\out", folder ? folder : "");
    const char *secret = sbx_arena_printf(scratch->arena, "%s\\secret", outside ? outside : "");
    const char *report = sbx_arena_printf(scratch->arena, "%s\\report.json", folder ? folder : "");
    const char *items[20];
    uint32_t n = 0;
    sbx_text output = {0};
    sbx_status st;

    if (!folder || !outside || !secret || !report)
        return sbx_fail_memory(err);
    items[n++] = scratch->probe;
    items[n++] = "hold";
    if (backend) {
        items[n++] = scratch->program;
        items[n++] = "--backend";
        items[n++] = backend;
        items[n++] = "--quiet";
        items[n++] = "--git"; /* the rows of .git are about this, whatever is configured */
        items[n++] = "protect";
        items[n++] = "--report";
        items[n++] = report;
        if (deny_read) {
            items[n++] = "--deny-read";
            items[n++] = secret;
        }
        items[n++] = "--";
    }
    items[n++] = scratch->probe;
    items[n++] = "try";
    items[n++] = outside;
    items[n++] = scratch->profile;
    items[n++] = scratch->sid;
    st = make_folder(folder, 0, err);
    if (st == SBX_OK)
        st = sbx_doctor_start(scratch, items, n, folder, &output, &trial->end, err);
    if (st == SBX_OK) {
        trial->lines = sbx_doctor_lines(output.data);
        trial->report = backend ? read_report(report) : NULL;
    }
    sbx_text_fini(&output);
    return st;
}
