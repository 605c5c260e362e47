#include "config/toml_reader.h"

#include "base/utf.h"

/* The value of up to `digits` hexadecimal digits; *count tells how many there were. */
static uint32_t hexadecimal(const sbx_toml_reader *reader, size_t ahead, size_t digits, size_t *count)
{
    uint32_t value = 0;
    int c;

    for (*count = 0; *count < digits; ++*count) {
        c = sbx_toml_peek(reader, ahead + *count);
        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            value = value << 4 | (uint32_t)(c - 'A' + 10);
        else
            break;
    }
    return value;
}

static sbx_status hint_at_paths(const sbx_toml_reader *reader)
{
    return sbx_diag_hint(reader->diag, "write \\\\ for a backslash, or put a path between single quotes");
}

/* At the 'u' or 'U' behind a backslash, which began at `start`. */
static sbx_status read_code_point(sbx_toml_reader *reader, sbx_span start)
{
    size_t digits = sbx_toml_peek(reader, 0) == 'u' ? 4 : 8, count;
    uint32_t c = hexadecimal(reader, 1, digits, &count);
    char bytes[4];

    sbx_toml_skip(reader, 1 + count);
    if (count < digits) {
        sbx_toml_fail(reader, sbx_toml_since(reader, start), "\\%c needs %u hexadecimal digits",
                      digits == 4 ? 'u' : 'U', (unsigned)digits);
        return hint_at_paths(reader);
    }
    if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return sbx_toml_fail(reader, sbx_toml_since(reader, start), "U+%04X is not a Unicode character", (unsigned)c);
    sbx_text_add_n(&reader->scratch, bytes, sbx_utf8_put(bytes, c));
    return SBX_OK;
}

/* At the backslash. */
static sbx_status read_escape(sbx_toml_reader *reader)
{
    static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
    sbx_span start = reader->at;
    char buffer[32];
    int c, i;

    sbx_toml_skip(reader, 1);
    c = sbx_toml_peek(reader, 0);
    if (c == 'u' || c == 'U')
        return read_code_point(reader, start);
    for (i = 0; names[i]; i++)
        if (c == names[i]) {
            sbx_text_add_char(&reader->scratch, values[i]);
            sbx_toml_skip(reader, 1);
            return SBX_OK;
        }
    if (c < 0 || sbx_toml_newline(reader))
        return sbx_toml_fail(reader, sbx_toml_since(reader, start), "a backslash at the end of the line in a string");
    start.length = 1 + sbx_toml_here(reader).length;
    sbx_toml_fail(reader, start, "a string has no escape with %s", sbx_toml_seen(reader, buffer));
    return hint_at_paths(reader);
}

/* A backslash with nothing but space to the end of its line: skip to what comes next. */
static int skip_line_ending(sbx_toml_reader *reader)
{
    size_t ahead = 1;
    int c;

    while ((c = sbx_toml_peek(reader, ahead)) == ' ' || c == '\t')
        ahead++;
    if (c != '\n' && !(c == '\r' && sbx_toml_peek(reader, ahead + 1) == '\n'))
        return 0;
    sbx_toml_skip(reader, ahead);
    while ((c = sbx_toml_peek(reader, 0)) == ' ' || c == '\t' || sbx_toml_newline(reader))
        sbx_toml_skip(reader, sbx_toml_newline(reader) ? sbx_toml_newline(reader) : 1);
    return 1;
}

sbx_status sbx_toml_read_string(sbx_toml_reader *reader, int multi_line, const char **string, size_t *length)
{
    sbx_span start = reader->at;
    int quote = sbx_toml_peek(reader, 0), basic = quote == '"', c;
    int triple = sbx_toml_peek(reader, 1) == quote && sbx_toml_peek(reader, 2) == quote;
    char buffer[32];
    size_t newline;
    sbx_status st;

    if (triple && !multi_line)
        return sbx_toml_fail(reader, start, "a key cannot be a multi-line string");
    sbx_toml_skip(reader, triple ? 3 : 1);
    if (triple)
        sbx_toml_skip(reader, sbx_toml_newline(reader)); /* one right behind the quotes does not count */
    reader->scratch.length = 0;
    for (;;) {
        c = sbx_toml_peek(reader, 0);
        newline = sbx_toml_newline(reader);
        if (c < 0 || (newline && !triple)) {
            sbx_span opening = start;

            opening.length = triple ? 3 : 1;
            return sbx_toml_fail(reader, opening, "this string is not closed%s", triple ? "" : " on its line");
        }
        if (newline) {
            sbx_text_add_char(&reader->scratch, '\n'); /* the value does not depend on the editor */
            sbx_toml_skip(reader, newline);
        } else if (c == quote) {
            if (!triple)
                break;
            if (sbx_toml_peek(reader, 1) == quote && sbx_toml_peek(reader, 2) == quote &&
                sbx_toml_peek(reader, 3) != quote)
                break;
            /* of four or five quotes the first one or two belong to the text */
            if (sbx_toml_peek(reader, 1) == quote && sbx_toml_peek(reader, 2) == quote &&
                sbx_toml_peek(reader, 4) == quote && sbx_toml_peek(reader, 5) == quote)
                return sbx_toml_fail(reader, reader->at, "more than two quotes in a row within a multi-line string");
            sbx_text_add_char(&reader->scratch, (char)c);
            sbx_toml_skip(reader, 1);
        } else if (c == '\\' && basic) {
            if (triple && skip_line_ending(reader))
                continue;
            st = read_escape(reader);
            if (st)
                return st;
        } else if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return sbx_toml_fail(reader, sbx_toml_here(reader), "a string cannot contain %s%s",
                                 sbx_toml_seen(reader, buffer), basic && c != '\r' ? " as it stands; escape it" : "");
        } else {
            sbx_text_add_char(&reader->scratch, (char)c);
            sbx_toml_skip(reader, 1);
        }
    }
    sbx_toml_skip(reader, triple ? 3 : 1);
    *length = reader->scratch.length;
    *string = sbx_arena_strndup(reader->arena, reader->scratch.data ? reader->scratch.data : "", *length);
    return *string && !reader->scratch.failed ? SBX_OK : sbx_toml_fail_memory(reader);
}
