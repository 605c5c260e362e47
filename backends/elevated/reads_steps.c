/* What reads.h finds, opened by the user's part of setup, and told of at a launch. */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "common/grants/ancestors.h"
#include "common/grants/grant.h"
#include "common/grants/reader.h"
#include "common/grants/sha256.h"
#include "common/host.h"
#include "common/state.h"
#include "elevated/reads.h"
#include "win/file.h"
#include "win/wide.h"

#define STATE "reads"
#define LARGEST 65536u

static struct {
    sbx_audience audience;
    sbx_reads reads;
    sbx_setup_step *steps;
} part;

/* PATH of this process; sbx_free, NULL: none. */
static char *path_variable(void)
{
    const DWORD units = GetEnvironmentVariableW(L"PATH", NULL, 0);
    WCHAR *value_w = units ? sbx_alloc(units * sizeof(*value_w)) : NULL;
    char *value = NULL;

    if (value_w && GetEnvironmentVariableW(L"PATH", value_w, units))
        sbx_narrow((const uint16_t *)value_w, &value, NULL);
    sbx_free(value_w);
    return value;
}

/* ---- Steps ---- */

static void left_out(const char *folder, const char *why)
{
    sbx_host_log(SBX_LOG_WARN, "%s: left out: %s", folder, why);
}

static sbx_status SBX_CALL present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    (void)err;
    *state = sbx_reader_is_open(step->context, part.audience.readers.u.bytes) ? 1 : 0;
    return SBX_OK;
}

static sbx_status SBX_CALL apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_reader reader = {0};
    sbx_status st = sbx_reader_open(step->context, NULL, &part.audience, 0, &reader, err);

    if (st == SBX_OK)
        st = sbx_ancestors_open(step->context, &part.audience, 0, err);
    sbx_reader_close(&reader);
    sbx_reads_forget();
    return st;
}

static sbx_status SBX_CALL undo(const sbx_setup_step *step, sbx_error *err)
{
    sbx_reads_forget();
    return sbx_grants_clean(SBX_CLEAN_ROOT, step->context, NULL, NULL, err);
}

sbx_status sbx_reads_steps(const sbx_reads_wanted *wanted, const sbx_audience *audience, const sbx_setup_step **steps,
                           uint32_t *count, sbx_error *err)
{
    char *path = path_variable();
    uint32_t i;
    sbx_status st;

    sbx_reads_fini(&part.reads);
    memset(&part, 0, sizeof(part));
    part.audience = *audience;
    part.reads.left_out = left_out;
    part.reads.wanted = *wanted;
    st = sbx_reads_find(&part.reads, path, audience, err);
    sbx_free(path);
    if (st == SBX_OK &&
        !(part.steps = sbx_arena_alloc(&part.reads.arena, (part.reads.count + 1) * sizeof(*part.steps))))
        st = sbx_fail_memory(err);
    for (i = 0; i < part.reads.count && st == SBX_OK; i++) {
        part.steps[i] = (sbx_setup_step){.size = sizeof(part.steps[i]),
                                         .name = "read",
                                         .summary = part.reads.paths[i],
                                         .context = part.reads.paths[i],
                                         .present = present,
                                         .apply = apply,
                                         .undo = undo};
    }
    *steps = part.steps;
    *count = st == SBX_OK ? part.reads.count : 0;
    return st;
}

/* ---- At a launch ---- */

/* "HASH COUNT FIRST": of PATH, the group and what is wanted; what was closed then, or (LISTED) open and not wanted. */
static void hash_of(const char *path, const sbx_reads_wanted *wanted, const sbx_audience *audience, char text[65])
{
    const uint8_t read = (uint8_t)wanted->read;
    sbx_sha256 hash;
    uint8_t digest[32];
    size_t i;

    sbx_sha256_begin(&hash);
    sbx_sha256_add(&hash, audience->readers.u.bytes, sizeof(audience->readers.u.bytes));
    sbx_sha256_add(&hash, &read, 1);
    for (i = 0; i < wanted->count; i++)
        sbx_sha256_add(&hash, wanted->readable[i], strlen(wanted->readable[i]) + 1);
    sbx_sha256_add(&hash, path, strlen(path));
    sbx_sha256_end(&hash, digest);
    for (i = 0; i < sizeof(digest); i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

/* -1: nothing is known. */
static int how_many(sbx_reads *reads, const char *path, const sbx_audience *audience, int are_open, const char **first)
{
    uint32_t i;
    int found = 0;

    *first = "";
    if (sbx_reads_find(reads, path, audience, NULL) != SBX_OK)
        return -1;
    for (i = reads->count; i-- > 0;)
        if (sbx_reader_is_open(reads->paths[i], audience->readers.u.bytes) == are_open) {
            found++;
            *first = reads->paths[i];
        }
    return found;
}

static void judge(const char *path, const sbx_reads_wanted *wanted, const sbx_audience *audience, const char *hash,
                  sbx_text *text)
{
    sbx_reads reads = {.wanted = *wanted}, tools = {.wanted = {.read = SBX_READ_TOOLS}};
    const char *first, *extra = "";
    const int closed = how_many(&reads, path, audience, 0, &first);
    const int more = wanted->read == SBX_READ_LISTED ? how_many(&tools, path, audience, 1, &extra) : 0;

    if (closed >= 0 && more >= 0)
        sbx_text_printf(text, "%s %d %d %s|%s", hash, closed, more, first, extra);
    sbx_reads_fini(&reads);
    sbx_reads_fini(&tools);
}

static void tell(const char *said)
{
    char *at = NULL;
    const unsigned long closed = strtoul(said, &at, 10), more = strtoul(at, &at, 10);
    const char *first = at + (*at == ' '), *extra = strchr(first, '|');

    if (closed)
        sbx_host_note(
            SBX_NOTE_WARN, "tools",
            "%lu folders that commands are to read are closed to them, %.*s among them; open them with: sbx setup "
            "--tools",
            closed, extra ? (int)(extra - first) : 0, first);
    if (more && extra)
        sbx_host_note(
            SBX_NOTE_WARN, "read",
            "%lu folders of tools that were opened before can be read although only `readable` is to be, %s among "
            "them; `sbx clean` closes each",
            more, extra + 1);
}

void sbx_reads_tell(const sbx_reads_wanted *wanted, const sbx_audience *audience, int dry)
{
    char hash[65], *path = path_variable(), *file = sbx_state_path(STATE), *data = NULL;
    sbx_text text = {0};
    size_t length = 0;

    if (!path || !file)
        goto out;
    hash_of(path, wanted, audience, hash);
    if (sbx_file_read(file, LARGEST, &data, &length, NULL) == SBX_OK && length > 66 && !strncmp(data, hash, 64) &&
        data[64] == ' ') {
        sbx_text_add(&text, data);
    } else {
        judge(path, wanted, audience, hash, &text);
        if (!dry && text.data && !text.failed)
            sbx_file_write(file, text.data, text.length, NULL); /* else it is judged again */
    }
    if (text.data && !text.failed)
        tell(text.data + 65);
out:
    sbx_text_fini(&text);
    sbx_free(data);
    sbx_free(file);
    sbx_free(path);
}

void sbx_reads_forget(void)
{
    char *file = sbx_state_path(STATE);
    uint16_t *file_w = NULL;

    if (file && sbx_state_wide(file, &file_w, NULL) == SBX_OK)
        DeleteFileW((const WCHAR *)file_w);
    sbx_free(file_w);
    sbx_free(file);
}
