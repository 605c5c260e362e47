#include "config/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf.h"

#define LINE_COLUMNS 100u /* shown of a long line */
#define LINE_BEFORE 40u   /* of them before the position */
#define ELLIPSIS "..."

/* Control characters could forge lines or drive the terminal that shows them. */
static void blank_controls(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = '?';
}

/* One character as it is shown: tabs become a space, what cannot be shown U+FFFD. */
static size_t shown(const char *text, size_t length, size_t *at, char out[4])
{
    uint32_t c = sbx_utf8_next(text, length, at);

    if (c == '\t')
        c = ' ';
    else if (c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0xD800 && c <= 0xDFFF))
        c = 0xFFFD;
    return sbx_utf8_put(out, c);
}

static size_t shown_columns(const char *text, size_t from, size_t to)
{
    size_t columns = 0, bytes;
    char character[4];

    while (from < to) {
        bytes = shown(text, to, &from, character);
        columns += sbx_utf8_columns(character, bytes);
    }
    return columns;
}

static size_t character_before(const char *text, size_t first, size_t at)
{
    size_t start = at - 1, next;

    while (start > first && at - start < 4 && ((unsigned char)text[start] & 0xC0) == 0x80)
        start--;
    next = start;
    sbx_utf8_next(text, at, &next);
    return next == at ? start : at - 1;
}

static void take_line(sbx_diag *diag, const char *text, size_t length)
{
    size_t position = diag->span.offset, first, last, at, end, used = 0, columns = 0, bytes;
    char character[4];

    if (position > length)
        position = length;
    for (first = position; first > 0 && text[first - 1] != '\n';)
        first--;
    for (last = position; last < length && text[last] != '\n';)
        last++;
    if (last > position && last < length && text[last - 1] == '\r')
        last--;
    at = first;
    if (!at && last >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) && position >= 3)
        at = first = 3;
    end = position + diag->span.length < last ? position + diag->span.length : last;

    if ((last - first > sizeof(diag->line) / 2 || shown_columns(text, first, last) > LINE_COLUMNS) &&
        (position - first > LINE_BEFORE * 2 || shown_columns(text, first, position) > LINE_BEFORE)) {
        for (at = position; at > first && columns < LINE_BEFORE - 3 && position - at < LINE_BEFORE * 2;) {
            size_t before = character_before(text, first, at);

            columns += shown_columns(text, before, at);
            at = before;
        }
        memcpy(diag->line, ELLIPSIS, 3);
        used = 3;
    }
    columns = 0;
    while (at < last) {
        size_t from = at;

        bytes = shown(text, last, &at, character);
        if (used + bytes > sizeof(diag->line) - sizeof(ELLIPSIS) ||
            (columns >= LINE_COLUMNS && last - at > sizeof(ELLIPSIS))) {
            memcpy(diag->line + used, ELLIPSIS, 3);
            used += 3;
            at = from;
            break;
        }
        if (from == position)
            diag->caret = (uint32_t)sbx_utf8_columns(diag->line, used);
        memcpy(diag->line + used, character, bytes);
        used += bytes;
        columns += sbx_utf8_columns(character, bytes);
    }
    diag->line[used] = 0;
    if (position >= at)
        diag->caret = (uint32_t)sbx_utf8_columns(diag->line, used);
    if (end > at)
        end = at;
    diag->caret_length = end > position ? (uint32_t)shown_columns(text, position, end) : 0;
    if (!diag->caret_length)
        diag->caret_length = 1;
}

sbx_status sbx_diag_set(sbx_diag *diag, sbx_status status, const char *file, const char *text, size_t length,
                        const sbx_span *span, const char *format, ...)
{
    char message[2048];
    va_list args;

    if (!diag)
        return status;
    memset(diag, 0, sizeof(*diag));
    diag->status = status;
    sbx_utf8_copy(diag->file, sizeof(diag->file), file ? file : "");
    blank_controls(diag->file);
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    sbx_utf8_copy(diag->message, sizeof(diag->message), message);
    blank_controls(diag->message);
    if (span)
        diag->span = *span;
    if (text && diag->span.line)
        take_line(diag, text, length);
    return status;
}

sbx_status sbx_diag_hint(sbx_diag *diag, const char *format, ...)
{
    char hint[1024];
    va_list args;

    if (!diag)
        return SBX_E_CONFIG;
    va_start(args, format);
    vsnprintf(hint, sizeof(hint), format, args);
    va_end(args);
    sbx_utf8_copy(diag->hint, sizeof(diag->hint), hint);
    blank_controls(diag->hint);
    return diag->status;
}

void sbx_diag_print(const sbx_diag *diag, sbx_text *out)
{
    uint32_t i;

    if (diag->file[0])
        sbx_text_printf(out, "%s:", diag->file);
    if (diag->span.line)
        sbx_text_printf(out, "%u:%u:", (unsigned)diag->span.line, (unsigned)diag->span.column);
    sbx_text_printf(out, "%s%s\n", diag->file[0] || diag->span.line ? " " : "", diag->message);
    if (diag->line[0]) {
        sbx_text_printf(out, "%5u | %s\n      | ", (unsigned)diag->span.line, diag->line);
        for (i = 0; i < diag->caret; i++)
            sbx_text_add_char(out, ' ');
        sbx_text_add_char(out, '^');
        for (i = 1; i < diag->caret_length; i++)
            sbx_text_add_char(out, '~');
        sbx_text_add_char(out, '\n');
    }
    if (diag->hint[0])
        sbx_text_printf(out, "  hint: %s\n", diag->hint);
}
