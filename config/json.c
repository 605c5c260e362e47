#include "config/json.h"

#include <string.h>

#include "base/utf.h"

static void quote(sbx_text *out, const char *value)
{
    size_t length = strlen(value), at = 0, from;
    uint32_t c;

    sbx_text_add_char(out, '"');
    while (at < length) {
        from = at;
        c = sbx_utf8_next(value, length, &at);
        if (c == '"' || c == '\\')
            sbx_text_printf(out, "\\%c", (int)c);
        else if (c < 0x20 || c == 0x7F || c == 0xFFFD || (c >= 0xD800 && c <= 0xDFFF))
            sbx_text_printf(out, "\\u%04x", (unsigned)c);
        else
            sbx_text_add_n(out, value + from, at - from);
    }
    sbx_text_add_char(out, '"');
}

static void begin(sbx_json *json, const char *name)
{
    uint32_t i;

    if (json->filled)
        sbx_text_add_char(json->out, ',');
    if (json->depth)
        sbx_text_add_char(json->out, '\n');
    for (i = 0; i < json->depth; i++)
        sbx_text_add(json->out, "  ");
    json->filled = 1;
    if (name) {
        quote(json->out, name);
        sbx_text_add(json->out, ": ");
    }
}

void sbx_json_open(sbx_json *json, const char *name, char bracket)
{
    begin(json, name);
    sbx_text_add_char(json->out, bracket);
    json->depth++;
    json->filled = 0;
}

void sbx_json_close(sbx_json *json, char bracket)
{
    uint32_t i;

    json->depth--;
    if (json->filled) {
        sbx_text_add_char(json->out, '\n');
        for (i = 0; i < json->depth; i++)
            sbx_text_add(json->out, "  ");
    }
    sbx_text_add_char(json->out, bracket);
    json->filled = 1;
    if (!json->depth)
        sbx_text_add_char(json->out, '\n');
}

void sbx_json_string(sbx_json *json, const char *name, const char *value)
{
    begin(json, name);
    if (value)
        quote(json->out, value);
    else
        sbx_text_add(json->out, "null");
}

void sbx_json_number(sbx_json *json, const char *name, uint64_t value)
{
    begin(json, name);
    sbx_text_printf(json->out, "%llu", (unsigned long long)value);
}

void sbx_json_literal(sbx_json *json, const char *name, const char *text)
{
    begin(json, name);
    sbx_text_add(json->out, text);
}

void sbx_json_boolean(sbx_json *json, const char *name, int value)
{
    begin(json, name);
    sbx_text_add(json->out, value ? "true" : "false");
}

void sbx_json_strings(sbx_json *json, const char *name, const char *const *values, uint32_t count)
{
    uint32_t i;

    sbx_json_open(json, name, '[');
    for (i = 0; i < count; i++)
        sbx_json_string(json, NULL, values[i]);
    sbx_json_close(json, ']');
}
