#include "cli/told.h"

#include <windows.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "win/dirs.h"
#include "win/file.h"
#include "win/out.h"
#include "win/wide.h"

#define FILE_BYTES 65536u
#define LINE_BYTES 34u /* two numbers of 16 digits, a space, a line break */
#define DIGITS 16u

/* FNV-1a: what is told wrongly twice or once too little hurts nobody. */
static uint64_t hash(uint64_t seed, const char *text)
{
    uint64_t value = seed ^ 0xCBF29CE484222325u;

    for (;; text++) {
        value = (value ^ (unsigned char)*text) * 0x100000001B3u;
        if (!*text)
            return value;
    }
}

static const char *told_file(sbx_cli *cli)
{
    const char *dir;

    return sbx_cli_dir(cli, SBX_DIR_LOCAL_DATA, &dir, NULL) == SBX_OK
               ? sbx_arena_printf(&cli->arena, "%s\\sbx\\told", dir)
               : NULL;
}

/* The line of a key, whole, or NULL. */
static char *find(char *lines, uint64_t key)
{
    char *at, *end;

    for (at = lines; strlen(at) >= LINE_BYTES; at += LINE_BYTES)
        if (strtoull(at, &end, 16) == key && end == at + DIGITS)
            return at;
    return NULL;
}

/* Whether this was not told yet; now it is. */
static int is_new(sbx_text *lines, uint64_t key, uint64_t value)
{
    char *line = lines->data ? find(lines->data, key) : NULL;

    if (line && strtoull(line + DIGITS + 1, NULL, 16) == value)
        return 0;
    if (line) {
        memmove(line, line + LINE_BYTES, strlen(line + LINE_BYTES) + 1);
        lines->length -= LINE_BYTES;
    }
    if (lines->length + LINE_BYTES > FILE_BYTES) { /* the oldest half */
        sbx_text rest = {0};

        sbx_text_add(&rest, lines->data + FILE_BYTES / LINE_BYTES / 2 * LINE_BYTES);
        sbx_text_fini(lines);
        *lines = rest;
    }
    sbx_text_printf(lines, "%016llx %016llx\n", (unsigned long long)key, (unsigned long long)value);
    return 1;
}

static void show(const sbx_cli *cli, const sbx_report_note *note)
{
    sbx_text line = {0};

    sbx_text_printf(&line, "%s%s%s", note->object, note->object[0] ? ": " : "", note->text);
    if (!line.failed && !cli->verbosity) /* with -v it is there already */
        sbx_out_line(line.data);
    sbx_text_fini(&line);
}

void sbx_told_events(const sbx_cli *cli, uint32_t first)
{
    uint32_t i;

    for (i = first; i < cli->report.note_count && !cli->quiet; i++)
        if (cli->report.notes[i].kind == SBX_NOTE_WARN)
            show(cli, &cli->report.notes[i]);
}

/* The file as it is, a place in it for this workspace; 0: nothing is kept. */
static int open_lines(sbx_cli *cli, sbx_text *lines, const char **file, uint64_t *place)
{
    char *old = NULL;
    size_t length = 0;

    *place = hash(0, cli->plan.policy.workspace); /* a backend has spoken, so there is a plan */
    *file = told_file(cli);
    if (*file && sbx_file_read(*file, FILE_BYTES, &old, &length, NULL) == SBX_OK && !(length % LINE_BYTES))
        sbx_text_add(lines, old);
    sbx_free(old);
    return *file != NULL;
}

void sbx_told_warnings(sbx_cli *cli, uint32_t first)
{
    sbx_text lines = {0};
    uint64_t place = 0;
    const char *file = NULL;
    uint32_t i;
    int changed = 0;

    for (i = first; i < cli->report.note_count && !cli->quiet; i++) {
        const sbx_report_note *note = &cli->report.notes[i];

        if (note->kind != SBX_NOTE_WARN)
            continue;
        if (!file)
            open_lines(cli, &lines, &file, &place);
        if (is_new(&lines, hash(place, note->object), hash(0, note->text))) {
            show(cli, note);
            changed = 1;
        }
    }
    if (changed && file && !lines.failed)
        sbx_file_write(file, lines.data, lines.length, NULL);
    sbx_text_fini(&lines);
}

int sbx_told_is_due(sbx_cli *cli, const char *what, uint64_t value)
{
    sbx_text lines = {0};
    const char *file;
    uint64_t place;
    int is_due = 0;

    if (open_lines(cli, &lines, &file, &place)) {
        is_due = is_new(&lines, hash(place, what), value);
        if (is_due && !lines.failed)
            sbx_file_write(file, lines.data, lines.length, NULL);
    }
    sbx_text_fini(&lines);
    return is_due;
}

void sbx_told_clean(sbx_cli *cli)
{
    const char *file = told_file(cli);
    uint16_t *file_w = NULL;

    if (file && sbx_wide_path(file, &file_w, NULL) == SBX_OK)
        DeleteFileW((LPCWSTR)file_w);
    sbx_free(file_w);
}
