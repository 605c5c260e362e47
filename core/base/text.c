#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf.h"

/* Room for `more` bytes and the NUL. */
static int reserve(sbx_text *text, size_t more)
{
    size_t size = text->size ? text->size : 64;
    char *data;

    if (text->failed || more >= SIZE_MAX / 2 - text->length)
        return text->failed = 1, 0;
    while (size <= text->length + more)
        size *= 2;
    if (size != text->size) {
        data = sbx_realloc(text->data, size);
        if (!data)
            return text->failed = 1, 0;
        text->data = data;
        text->size = size;
    }
    return 1;
}

void sbx_text_add_n(sbx_text *text, const char *bytes, size_t length)
{
    if (!reserve(text, length))
        return;
    if (length)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = 0;
}

void sbx_text_add(sbx_text *text, const char *string)
{
    sbx_text_add_n(text, string, strlen(string));
}

void sbx_text_add_char(sbx_text *text, char c)
{
    sbx_text_add_n(text, &c, 1);
}

void sbx_text_printf(sbx_text *text, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        text->failed = 1;
        return;
    }
    if (!reserve(text, (size_t)length))
        return;
    va_start(args, format);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
    va_end(args);
    text->length += (size_t)length;
}

/* Control characters, and those that change the order or the lines of what is shown: Unicode "Cc", UAX #9 table 4. */
static int controls(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x61C || (c >= 0x200E && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

void sbx_text_add_shown(sbx_text *text, const char *string, int lines)
{
    const size_t length = strlen(string);
    size_t at = 0, begin;
    uint32_t c;

    while (at < length) {
        begin = at;
        c = sbx_utf8_next(string, length, &at);
        if (controls(c) && !(lines && (c == '\n' || c == '\t')))
            sbx_text_printf(text, "<U+%04X>", (unsigned)c);
        else if (c == 0xFFFD && at - begin == 1)
            sbx_text_add_char(text, '?');
        else
            sbx_text_add_n(text, string + begin, at - begin);
    }
}

void sbx_text_wrap(sbx_text *text, const char *mark, unsigned indent, const char *string)
{
    size_t used = indent, spaces, length, columns;

    for (; *string; string += spaces + length) {
        spaces = strspn(string, " ");
        length = strcspn(string + spaces, " ");
        columns = spaces + sbx_utf8_columns(string + spaces, length);
        if (used > indent && used + columns > SBX_TEXT_COLUMNS) {
            sbx_text_printf(text, "\n%-*s", (int)indent, mark);
            sbx_text_add_n(text, string + spaces, length);
            used = indent + columns - spaces;
        } else {
            sbx_text_add_n(text, string, spaces + length);
            used += columns;
        }
    }
    sbx_text_add_char(text, '\n');
}

char *sbx_text_take(sbx_text *text)
{
    char *data = NULL;

    sbx_text_add_n(text, "", 0);
    if (!text->failed) {
        data = text->data;
        text->data = NULL;
    }
    sbx_text_fini(text);
    return data;
}

void sbx_text_fini(sbx_text *text)
{
    sbx_free(text->data);
    memset(text, 0, sizeof(*text));
}
