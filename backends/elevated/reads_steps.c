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
    sbx_host_log(SBX_LOG_WARN, "PATH: %s: left out: %s", folder, why);
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

sbx_status sbx_reads_steps(const sbx_audience *audience, const sbx_setup_step **steps, uint32_t *count, sbx_error *err)
{
    char *path = path_variable();
    uint32_t i;
    sbx_status st;

    sbx_reads_fini(&part.reads);
    memset(&part, 0, sizeof(part));
    part.audience = *audience;
    part.reads.left_out = left_out;
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

/* "HASH COUNT FIRST": of PATH and the group, and what was closed then. */
static void hash_of(const char *path, const sbx_audience *audience, char text[65])
{
    sbx_sha256 hash;
    uint8_t digest[32];
    size_t i;

    sbx_sha256_begin(&hash);
    sbx_sha256_add(&hash, audience->readers.u.bytes, sizeof(audience->readers.u.bytes));
    sbx_sha256_add(&hash, path, strlen(path));
    sbx_sha256_end(&hash, digest);
    for (i = 0; i < sizeof(digest); i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

static void judge(const char *path, const sbx_audience *audience, const char *hash, sbx_text *text)
{
    sbx_reads reads = {0};
    const char *first = "";
    uint32_t i, closed = 0;

    if (sbx_reads_find(&reads, path, audience, NULL) == SBX_OK) {
        for (i = reads.count; i-- > 0;)
            if (!sbx_reader_is_open(reads.paths[i], audience->readers.u.bytes)) {
                closed++;
                first = reads.paths[i];
            }
        sbx_text_printf(text, "%s %u %s", hash, (unsigned)closed, first);
    }
    sbx_reads_fini(&reads);
}

void sbx_reads_tell(const sbx_audience *audience, int dry)
{
    char hash[65], *path = path_variable(), *file = sbx_state_path(STATE), *data = NULL, *first = NULL;
    sbx_text text = {0};
    size_t length = 0;
    unsigned long closed;

    if (!path || !file)
        goto out;
    hash_of(path, audience, hash);
    if (sbx_file_read(file, LARGEST, &data, &length, NULL) == SBX_OK && length > 66 && !strncmp(data, hash, 64) &&
        data[64] == ' ') {
        sbx_text_add(&text, data);
    } else {
        judge(path, audience, hash, &text);
        if (!dry && text.data && !text.failed)
            sbx_file_write(file, text.data, text.length, NULL); /* else it is judged again */
    }
    closed = text.data && !text.failed ? strtoul(text.data + 65, &first, 10) : 0;
    if (closed)
        sbx_host_note(
            SBX_NOTE_WARN, "tools",
            "%lu folders of tools in your profile or of PATH are closed to commands, %s among them; open them "
            "with: sbx setup --tools",
            closed, first + (*first == ' '));
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
