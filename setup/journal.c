#include "setup/journal.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/wide.h"

#define JOURNAL_MAX (1u << 20)

static const char head[] = "sbx-setup 1\n";
static const char *const words[] = {"", "apply", "done", "undo", "undone"};

struct sbx_journal {
    char *path;
    HANDLE file; /* NULL: for reading, and not there */
    char *text;  /* the readable lines, each without its checksum and with a NUL at its end */
    size_t length, size;
    uint32_t damaged;
};

static uint32_t checksum(const char *text, size_t length)
{
    uint32_t hash = 2166136261u;

    while (length--)
        hash = (hash ^ (unsigned char)*text++) * 16777619u;
    return hash;
}

static sbx_status keep(sbx_journal *journal, const char *line, size_t length, sbx_error *err)
{
    char *text;

    if (journal->length + length + 1 > journal->size) {
        text = sbx_realloc(journal->text, (journal->length + length + 1) * 2);
        if (!text)
            return sbx_fail_memory(err);
        journal->text = text;
        journal->size = (journal->length + length + 1) * 2;
    }
    memcpy(journal->text + journal->length, line, length);
    journal->length += length;
    journal->text[journal->length++] = 0;
    return SBX_OK;
}

/* Whether the eight digits at the end are those of what stands before them. */
static int line_ok(const char *line, size_t length)
{
    char digits[9];

    if (length < 10 || line[length - 9] != ' ')
        return 0;
    snprintf(digits, sizeof(digits), "%08x", (unsigned)checksum(line, length - 9));
    return !memcmp(digits, line + length - 8, 8);
}

/* *good: bytes up to the end of the last readable line. */
static sbx_status parse(sbx_journal *journal, const char *data, size_t length, size_t *good, sbx_error *err)
{
    size_t at = sizeof(head) - 1, end;
    uint32_t pending = 0;
    sbx_status st;

    *good = 0;
    if (length < at || memcmp(data, head, at) != 0) {
        journal->damaged = length ? 1 : 0;
        return SBX_OK;
    }
    *good = at;
    while (at < length) {
        for (end = at; end < length && data[end] != '\n'; end++)
            ;
        if (end == length)
            break; /* torn */
        if (line_ok(data + at, end - at)) {
            if ((st = keep(journal, data + at, end - at - 9, err)) != SBX_OK)
                return st;
            journal->damaged += pending;
            pending = 0;
            *good = end + 1;
        } else {
            pending++; /* in the middle only if a readable one follows */
        }
        at = end + 1;
    }
    return SBX_OK;
}

/* Nothing that was begun waits for its end: then nothing in it matters any more. */
static int is_settled(const sbx_journal *journal)
{
    uint32_t last;
    size_t at;

    for (at = 0; at < journal->length; at += strlen(journal->text + at) + 1) {
        last = sbx_journal_last(journal, journal->text + at + strcspn(journal->text + at, " ") + 1);
        if (last == SBX_JOURNAL_APPLY || last == SBX_JOURNAL_UNDO)
            return 0;
    }
    return 1;
}

static sbx_status load(sbx_journal *journal, int writing, sbx_error *err)
{
    LARGE_INTEGER size, position;
    char *data = NULL;
    size_t good = 0;
    DWORD done = 0;
    sbx_status st = SBX_OK;

    if (!GetFileSizeEx(journal->file, &size))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetFileSizeEx", journal->path);
    if (size.QuadPart > JOURNAL_MAX) {
        sbx_fail(err, SBX_E_REFUSED, "too large for a journal", journal->path);
        return sbx_hint(err, "no setup writes so much; remove it, and run setup again");
    }
    data = sbx_alloc((size_t)size.QuadPart);
    if (!data)
        return sbx_fail_memory(err);
    if (!ReadFile(journal->file, data, (DWORD)size.QuadPart, &done, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ReadFile", journal->path);
    else
        st = parse(journal, data, done, &good, err);
    sbx_free(data);
    if (st != SBX_OK || !writing)
        return st;
    if (good && is_settled(journal)) { /* else it would grow with each repair */
        good = sizeof(head) - 1;
        journal->length = 0;
    }
    position.QuadPart = (LONGLONG)good;
    if (!SetFilePointerEx(journal->file, position, NULL, FILE_BEGIN) || !SetEndOfFile(journal->file))
        return sbx_fail_last(err, SBX_E_SYSTEM, "SetEndOfFile", journal->path);
    if (!good && (!WriteFile(journal->file, head, sizeof(head) - 1, &done, NULL) || !FlushFileBuffers(journal->file)))
        return sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", journal->path);
    return SBX_OK;
}

sbx_status sbx_journal_open(const char *path, int writing, sbx_journal **out, sbx_error *err)
{
    const DWORD access = writing ? GENERIC_READ | GENERIC_WRITE | DELETE : GENERIC_READ;
    const DWORD share = writing ? FILE_SHARE_READ : FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    sbx_journal *journal = sbx_alloc_zero(1, sizeof(*journal));
    uint16_t *path_w = NULL;
    sbx_status st;

    if (!journal)
        return sbx_fail_memory(err);
    journal->path = sbx_strdup(path);
    if (!journal->path) {
        st = sbx_fail_memory(err);
        goto out;
    }
    if ((st = sbx_wide_path(path, &path_w, err)) != SBX_OK)
        goto out;
    journal->file = sbx_file_open_own(path_w, access, share, writing ? OPEN_ALWAYS : OPEN_EXISTING);
    if (journal->file) {
        st = load(journal, writing, err);
    } else if (writing || (GetLastError() != ERROR_FILE_NOT_FOUND && GetLastError() != ERROR_PATH_NOT_FOUND)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path);
    }
    if (st == SBX_OK) {
        *out = journal;
        journal = NULL;
    }
out:
    sbx_free(path_w);
    sbx_journal_close(journal);
    return st;
}

void sbx_journal_close(sbx_journal *journal)
{
    if (!journal)
        return;
    sbx_handle_close(&journal->file);
    sbx_free(journal->text);
    sbx_free(journal->path);
    sbx_free(journal);
}

sbx_status sbx_journal_add(sbx_journal *journal, uint32_t what, const char *step, sbx_error *err)
{
    char line[128], whole[144];
    int length, whole_length;
    DWORD done = 0;

    length = snprintf(line, sizeof(line), "%s %s", words[what], step);
    if (length < 0 || (size_t)length >= sizeof(line))
        return sbx_fail(err, SBX_E_BACKEND, "the name is too long", step);
    whole_length = snprintf(whole, sizeof(whole), "%s %08x\n", line, (unsigned)checksum(line, (size_t)length));
    if (!WriteFile(journal->file, whole, (DWORD)whole_length, &done, NULL) || done != (DWORD)whole_length ||
        !FlushFileBuffers(journal->file))
        return sbx_fail_last(err, SBX_E_SYSTEM, "WriteFile", journal->path);
    return keep(journal, line, (size_t)length, err);
}

int sbx_journal_is_there(const sbx_journal *journal)
{
    return journal->file != NULL;
}

uint32_t sbx_journal_last(const sbx_journal *journal, const char *step)
{
    uint32_t last = SBX_JOURNAL_NONE, i;
    size_t at, word;

    for (at = 0; at < journal->length; at += strlen(journal->text + at) + 1)
        for (i = SBX_JOURNAL_APPLY; i <= SBX_JOURNAL_UNDONE; i++) {
            word = strlen(words[i]);
            if (!strncmp(journal->text + at, words[i], word) && journal->text[at + word] == ' ' &&
                !strcmp(journal->text + at + word + 1, step))
                last = i;
        }
    return last;
}

uint32_t sbx_journal_damaged(const sbx_journal *journal)
{
    return journal->damaged;
}

sbx_status sbx_journal_remove(sbx_journal *journal, sbx_error *err)
{
    FILE_DISPOSITION_INFO gone = {TRUE};
    sbx_status st = SBX_OK;

    if (!SetFileInformationByHandle(journal->file, FileDispositionInfo, &gone, sizeof(gone)))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "SetFileInformationByHandle", journal->path);
    sbx_journal_close(journal);
    return st;
}
