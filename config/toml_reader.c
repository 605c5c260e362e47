#include "config/toml_reader.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf.h"

int sbx_toml_peek(const sbx_toml_reader *reader, size_t ahead)
{
    size_t at = reader->at.offset + ahead;

    return at < reader->length ? (unsigned char)reader->text[at] : -1;
}

int sbx_toml_sees(const sbx_toml_reader *reader, const char *word)
{
    size_t length = strlen(word);

    return reader->length - reader->at.offset >= length && !memcmp(reader->text + reader->at.offset, word, length);
}

void sbx_toml_skip(sbx_toml_reader *reader, size_t bytes)
{
    const unsigned char *text = (const unsigned char *)reader->text + reader->at.offset;
    size_t i;

    for (i = 0; i < bytes; i++) {
        if (text[i] == '\n') {
            reader->at.line++;
            reader->at.column = 1;
        } else if ((text[i] & 0xC0) != 0x80) {
            reader->at.column++;
        }
    }
    reader->at.offset += (uint32_t)bytes;
}

sbx_span sbx_toml_since(const sbx_toml_reader *reader, sbx_span start)
{
    start.length = reader->at.offset - start.offset;
    return start;
}

sbx_span sbx_toml_here(const sbx_toml_reader *reader)
{
    sbx_span span = reader->at;
    size_t next = span.offset;

    if (next < reader->length) {
        sbx_utf8_next(reader->text, reader->length, &next);
        span.length = (uint32_t)(next - span.offset);
    }
    return span;
}

const char *sbx_toml_seen(const sbx_toml_reader *reader, char buffer[32])
{
    size_t at = reader->at.offset, start = at;
    uint32_t c;

    if (at >= reader->length)
        return "the end of the file";
    if (sbx_toml_newline(reader))
        return "the end of the line";
    c = sbx_utf8_next(reader->text, reader->length, &at);
    if (c == '\r')
        return "a carriage return without a line feed";
    if (c == '\t')
        return "a tab";
    if (c == ' ')
        return "a space";
    if (c < 0x20 || (c >= 0x7F && c <= 0xA0) || !sbx_utf8_columns(reader->text + start, at - start))
        snprintf(buffer, 32, "U+%04X", (unsigned)c);
    else
        snprintf(buffer, 32, "'%.*s'", (int)(at - start), reader->text + start);
    return buffer;
}

sbx_status sbx_toml_fail(sbx_toml_reader *reader, sbx_span span, const char *format, ...)
{
    char message[sizeof(reader->diag->message)];
    va_list args;

    if (reader->scratch.failed)
        return sbx_toml_fail_memory(reader);
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    return sbx_diag_set(reader->diag, SBX_E_CONFIG, reader->file, reader->text, reader->length, &span, "%s", message);
}

sbx_status sbx_toml_fail_memory(sbx_toml_reader *reader)
{
    return sbx_diag_set(reader->diag, SBX_E_MEMORY, reader->file, NULL, 0, NULL, "out of memory");
}

size_t sbx_toml_newline(const sbx_toml_reader *reader)
{
    int c = sbx_toml_peek(reader, 0);

    return c == '\n' ? 1 : c == '\r' && sbx_toml_peek(reader, 1) == '\n' ? 2 : 0;
}

const char *sbx_toml_type_name(uint32_t type)
{
    static const char *const names[] = {
        "nothing",          "a string",     "an integer",    "a float",  "a boolean", "a date with time and offset",
        "a date with time", "a plain date", "a time of day", "an array", "a table",
    };

    return type < sizeof(names) / sizeof(names[0]) ? names[type] : names[0];
}
