/* One run: started, waited for, its output kept. */
#include <windows.h>
#include <string.h>

#include "base/utf.h"
#include "cli/child.h"
#include "cli/compare.h"
#include "compare/shown.h"
#include "win/clock.h"
#include "win/dirs.h"
#include "win/env.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/job.h"
#include "win/process.h"
#include "win/resolve.h"
#include "win/wide.h"

#define STOPPED_MS 30000u /* how long one may go on that saw the same Ctrl-C */
#define GONE_MS 10000u
#define CLEAN_MS 60000u
#define REPORT_BYTES (1u << 20)
#define READ_BYTES 65536u
#define LINE_BYTES 200u /* of a line that differs */

/* ---- what is started ---- */

typedef struct start {
    sbx_arena arena;
    uint16_t *program_w, *line_w, *environment_w, *folder_w;
    HANDLE streams[3];
} start;

static void start_fini(start *s)
{
    int i;

    for (i = 0; i < 3; i++)
        sbx_handle_close(&s->streams[i]);
    sbx_free(s->program_w);
    sbx_free(s->line_w);
    sbx_free(s->environment_w);
    sbx_free(s->folder_w);
    sbx_arena_fini(&s->arena);
}

static sbx_status open_stream(const char *path, HANDLE *stream, sbx_error *err)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    uint16_t *path_w = NULL;
    sbx_status st = SBX_OK;

    if (!path) { /* no input */
        *stream = sbx_handle_from(CreateFileW(L"\\\\.\\NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit,
                                              OPEN_EXISTING, 0, NULL));
    } else if ((st = sbx_wide_path(path, &path_w, err)) == SBX_OK) {
        *stream = sbx_handle_from(CreateFileW((LPCWSTR)path_w, GENERIC_WRITE | FILE_READ_ATTRIBUTES, FILE_SHARE_READ,
                                              &inherit, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL));
    }
    if (st == SBX_OK && !*stream)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path ? path : "NUL");
    sbx_free(path_w);
    return st;
}

static sbx_status open_streams(const sbx_compare_place *place, const char *as, start *s, sbx_error *err)
{
    const char *out = sbx_arena_printf(&s->arena, "%s\\%s.1", place->path, as);
    const char *errors = sbx_arena_printf(&s->arena, "%s\\%s.2", place->path, as);
    sbx_status st = out && errors ? open_stream(NULL, &s->streams[0], err) : sbx_fail_memory(err);

    if (st == SBX_OK)
        st = open_stream(out, &s->streams[1], err);
    return st == SBX_OK ? open_stream(errors, &s->streams[2], err) : st;
}

/* Batch files go through cmd.exe in the words that sbx itself would use. */
static sbx_status through_cmd(start *s, const char *script, const sbx_arguments *arguments, sbx_error *err)
{
    char *dir = NULL;
    const char *cmd = NULL;
    sbx_env_list variables = {NULL, 0};
    sbx_text line = {0};
    uint16_t *environment_w;
    sbx_status st = sbx_dirs_get(SBX_DIR_SYSTEM, &dir, err);

    if (st == SBX_OK && !(cmd = sbx_arena_printf(&s->arena, "%s\\cmd.exe", dir)))
        st = sbx_fail_memory(err);
    if (st == SBX_OK)
        st = sbx_quote_batch(&line, cmd, script, arguments->items + 1, arguments->count - 1, &s->arena,
                             &variables.edits, &variables.count, err);
    if (st == SBX_OK && line.failed)
        st = sbx_fail_memory(err);
    if (st == SBX_OK && (st = sbx_env_build(s->environment_w, &variables, 1, &environment_w, err)) == SBX_OK) {
        sbx_free(s->environment_w);
        s->environment_w = environment_w;
    }
    if (st == SBX_OK)
        st = sbx_wide(line.data, "command line", &s->line_w, err);
    if (st == SBX_OK)
        st = sbx_wide_path(cmd, &s->program_w, err);
    sbx_text_fini(&line);
    sbx_free(dir);
    return st;
}

static sbx_status without_sbx(const uint16_t *command_w, const char *folder, start *s, sbx_error *err)
{
    sbx_arguments arguments = {0};
    sbx_program program = {0};
    sbx_status st = sbx_quote_split(&s->arena, command_w, &arguments, err);

    if (st == SBX_OK)
        st = sbx_resolve(&s->arena, arguments.items[0], folder, s->environment_w, &program, err);
    if (st != SBX_OK)
        return st;
    if (program.batch)
        return through_cmd(s, program.path, &arguments, err);
    s->line_w = sbx_alloc((wcslen((const wchar_t *)command_w) + 1) * sizeof(*s->line_w));
    if (!s->line_w)
        return sbx_fail_memory(err);
    memcpy(s->line_w, command_w, (wcslen((const wchar_t *)command_w) + 1) * sizeof(*s->line_w));
    return sbx_wide(program.path, program.path, &s->program_w, err);
}

/* sbx.exe with its options, and behind them the command as it was typed. */
static sbx_status through_sbx(const sbx_compare_place *place, const uint16_t *command_w, const char *backend, start *s,
                              sbx_error *err)
{
    const char *report = sbx_arena_printf(&s->arena, "%s\\report.json", place->path);
    const char *const items[] = {place->program, "--backend", backend, "--quiet", "--report", report, "--"};
    sbx_text line = {0};
    uint16_t *options_w = NULL;
    size_t length, tail = wcslen((const wchar_t *)command_w);
    sbx_status st = report ? sbx_quote_line(&line, items, 7, err) : sbx_fail_memory(err);

    sbx_text_add_char(&line, ' ');
    if (st == SBX_OK && line.failed)
        st = sbx_fail_memory(err);
    if (st == SBX_OK)
        st = sbx_wide(line.data, "command line", &options_w, err);
    if (st == SBX_OK) {
        length = wcslen((const wchar_t *)options_w);
        s->line_w = sbx_realloc(options_w, (length + tail + 1) * sizeof(*s->line_w));
        if (s->line_w) {
            memcpy(s->line_w + length, command_w, (tail + 1) * sizeof(*s->line_w));
            options_w = NULL;
            st = sbx_wide_path(place->program, &s->program_w, err);
        } else {
            st = sbx_fail_memory(err);
        }
    }
    sbx_free(options_w);
    sbx_text_fini(&line);
    return st;
}

/* ---- the run ---- */

static int await(const sbx_compare_place *place, HANDLE process)
{
    const HANDLE handles[2] = {process, place->console.event};

    for (;;) {
        if (WaitForMultipleObjects(2, handles, FALSE, INFINITE) != WAIT_OBJECT_0 + 1)
            return 1;
        if (sbx_compare_stopped()) { /* it saw the same Ctrl-C */
            WaitForSingleObject(process, STOPPED_MS);
            return 0;
        }
    }
}

static sbx_status run_it(const sbx_compare_place *place, const start *s, sbx_compare_run *run, sbx_error *err)
{
    const sbx_stdio stdio = {{s->streams[0], s->streams[1], s->streams[2]}};
    sbx_process_start how = {.program_w = s->program_w,
                             .command_w = s->line_w,
                             .environment_w = s->environment_w,
                             .cwd_w = s->folder_w,
                             .stdio = &stdio};
    sbx_process process = {0};
    sbx_job job = {0};
    sbx_job_usage usage = {0};
    DWORD code = 0;
    uint64_t begin;
    sbx_status st = sbx_job_open(&job, NULL, 0, err);

    if (st != SBX_OK)
        return st;
    how.job = job.handle;
    begin = sbx_clock_us();
    st = sbx_process_spawn(&process, &how, err);
    if (st == SBX_OK && (st = sbx_process_resume(&process, err)) != SBX_OK)
        sbx_process_discard(&process);
    else if (st == SBX_OK) {
        run->ended = await(place, process.handle);
        run->wall_us = sbx_clock_us() - begin;
        if (sbx_job_usage_get(&job, &usage, NULL) == SBX_OK)
            run->peak_memory = usage.peak_memory;
        GetExitCodeProcess(process.handle, &code);
        run->exit_code = code;
        sbx_job_end(&job, 1, GONE_MS, NULL); /* what it left in the background */
    }
    sbx_process_close(&process);
    sbx_job_close(&job);
    return st;
}

static cJSON *take_report(const sbx_compare_place *place)
{
    const char *path = sbx_arena_printf(place->arena, "%s\\report.json", place->path);
    cJSON *report = NULL;
    char *data = NULL;
    size_t length;

    if (path && sbx_file_read(path, REPORT_BYTES, &data, &length, NULL) == SBX_OK) {
        report = cJSON_Parse(data);
        sbx_file_delete(path, NULL);
    }
    sbx_free(data);
    return report;
}

sbx_status sbx_compare_start(const sbx_compare_place *place, const uint16_t *command_w, sbx_compare_run *run,
                             sbx_error *err)
{
    const char *const smallest[] = {place->probe, "exit"};
    const sbx_env_list nothing = {NULL, 0};
    sbx_text line = {0};
    uint16_t *smallest_w = NULL;
    start s = {0};
    sbx_status st = sbx_env_build(NULL, &nothing, 1, &s.environment_w, err);

    if (st == SBX_OK && !command_w && (st = sbx_quote_line(&line, smallest, 2, err)) == SBX_OK)
        st = sbx_wide(line.data ? line.data : "", "command line", &smallest_w, err);
    if (st == SBX_OK)
        st = sbx_wide_path(run->folder, &s.folder_w, err);
    if (st == SBX_OK)
        st = open_streams(place, run->as, &s, err);
    if (st == SBX_OK && !run->backend)
        st = without_sbx(command_w ? command_w : smallest_w, run->folder, &s, err);
    else if (st == SBX_OK)
        st = through_sbx(place, command_w ? command_w : smallest_w, run->backend, &s, err);
    if (st == SBX_OK)
        st = run_it(place, &s, run, err);
    if (st == SBX_OK && run->backend)
        run->report = take_report(place);
    start_fini(&s);
    sbx_free(smallest_w);
    sbx_text_fini(&line);
    return st;
}

/* ---- outputs ---- */

typedef struct written {
    HANDLE file;
    char bytes[READ_BYTES];
    DWORD count;
} written;

static int open_output(const sbx_compare_place *place, const char *as, int stream, written *o)
{
    sbx_text path = {0};
    uint16_t *path_w = NULL;

    o->file = NULL;
    sbx_text_printf(&path, "%s\\%s.%d", place->path, as, stream);
    if (path.data && sbx_wide_path(path.data, &path_w, NULL) == SBX_OK)
        o->file = sbx_handle_from(CreateFileW((LPCWSTR)path_w, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                              OPEN_EXISTING, 0, NULL));
    sbx_free(path_w);
    sbx_text_fini(&path);
    return o->file != NULL;
}

static void read_output(written *o)
{
    if (!ReadFile(o->file, o->bytes, sizeof(o->bytes), &o->count, NULL))
        o->count = 0;
}

/* The line that begins at an offset, as far as it is shown. */
static void add_line(cJSON *object, const char *name, written *o, uint64_t offset)
{
    LARGE_INTEGER at = {.QuadPart = (LONGLONG)offset};
    sbx_text shown = {0};
    DWORD length;

    o->count = 0;
    if (SetFilePointerEx(o->file, at, NULL, FILE_BEGIN))
        read_output(o);
    for (length = 0; length < o->count && length < LINE_BYTES && o->bytes[length] != '\n'; length++)
        ;
    if (length < o->count && length == LINE_BYTES)
        while (length && ((unsigned char)o->bytes[length] & 0xC0) == 0x80)
            length--;
    if (length && o->bytes[length - 1] == '\r')
        length--;
    sbx_shown_add(&shown, o->bytes, length);
    cJSON_AddStringToObject(object, name, shown.data ? shown.data : "");
    sbx_text_fini(&shown);
}

static cJSON *compare_stream(written *a, written *b, const char *name)
{
    uint64_t offset = 0, begin = 0;
    uint32_t line = 1;
    cJSON *difference;
    DWORD i, common;

    for (;;) {
        read_output(a);
        read_output(b);
        common = a->count < b->count ? a->count : b->count;
        for (i = 0; i < common && a->bytes[i] == b->bytes[i]; i++)
            if (a->bytes[i] == '\n') {
                line++;
                begin = offset + i + 1;
            }
        if (i < common || a->count != b->count)
            break;
        if (!common)
            return NULL;
        offset += common;
    }
    difference = cJSON_CreateObject();
    cJSON_AddStringToObject(difference, "stream", name);
    cJSON_AddNumberToObject(difference, "line", line);
    add_line(difference, "without", b, begin);
    add_line(difference, "within", a, begin);
    return difference;
}

cJSON *sbx_compare_outputs(const sbx_compare_place *place, const char *as, const char *other)
{
    static const char *const names[] = {"standard output", "standard error"};
    written *both = sbx_alloc_zero(2, sizeof(*both));
    cJSON *difference = NULL;
    int stream;

    for (stream = 1; both && !difference && stream <= 2; stream++) {
        if (open_output(place, as, stream, &both[0]) && open_output(place, other, stream, &both[1]))
            difference = compare_stream(&both[0], &both[1], names[stream - 1]);
        sbx_handle_close(&both[0].file);
        sbx_handle_close(&both[1].file);
    }
    sbx_free(both);
    return difference;
}

/* ---- afterwards ---- */

static void sbx(const sbx_compare_place *place, const char *const *items, uint32_t count)
{
    const sbx_child_how how = {.limit_ms = CLEAN_MS, .cwd = place->path};
    sbx_text line = {0}, output = {0};
    uint32_t end, code;

    if (sbx_quote_line(&line, items, count, NULL) == SBX_OK && !line.failed)
        sbx_child_watch(items[0], line.data, &how, &output, &end, &code, NULL);
    sbx_text_fini(&line);
    sbx_text_fini(&output);
}

void sbx_compare_clean(const sbx_compare_place *place, const char *folder)
{
    const char *const clean[] = {place->program, "clean", folder};
    const char *const home[] = {place->program, "clean", "--homes", folder};

    sbx(place, clean, 3);
    sbx(place, home, 4);
}
