#include "base/utf.h"

#include <string.h>

#include "base/memory.h"

/* Read one character of WTF-8 at `at`.  Returns its bytes, 0 when it is not well-formed. */
static size_t decode(const char *text, size_t length, size_t at, uint32_t *code_point)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text + at;
    size_t count, i;
    uint32_t c = bytes[0];

    if (c < 0x80) {
        *code_point = c;
        return 1;
    }
    if (c < 0xC2 || c > 0xF4)
        return 0;
    count = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (count > length - at)
        return 0;
    c &= 0x7Fu >> count;
    for (i = 1; i < count; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (bytes[i] & 0x3Fu);
    }
    if (c < least[count] || c > 0x10FFFF)
        return 0;
    *code_point = c;
    return count;
}

static int is_high(uint32_t c)
{
    return c >= 0xD800 && c <= 0xDBFF;
}

static int is_low(uint32_t c)
{
    return c >= 0xDC00 && c <= 0xDFFF;
}

size_t sbx_utf8_check(const char *text, size_t length)
{
    size_t at = 0, bytes;
    uint32_t c;

    while (at < length) {
        bytes = decode(text, length, at, &c);
        if (!bytes || is_high(c) || is_low(c))
            break;
        at += bytes;
    }
    return at;
}

uint32_t sbx_utf8_next(const char *text, size_t length, size_t *at)
{
    uint32_t c = 0xFFFD;
    size_t bytes = decode(text, length, *at, &c);

    *at += bytes ? bytes : 1;
    return c;
}

size_t sbx_utf8_put(char out[4], uint32_t code_point)
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xC0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3F));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xE0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code_point & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (code_point >> 18 & 0x07));
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code_point & 0x3F));
    return 4;
}

size_t sbx_utf8_cut(const char *text, size_t limit)
{
    const char *end = memchr(text, 0, limit);
    size_t start = limit, length = end ? (size_t)(end - text) : limit;
    uint32_t c;

    if (end || !limit)
        return length;
    /* the last character that begins before the limit, at most 4 bytes back */
    while (start > 0 && limit - start < 4) {
        start--;
        if (((unsigned char)text[start] & 0xC0) != 0x80)
            break;
    }
    /* whole, or not a character at all: nothing to keep together */
    if ((unsigned char)text[start] < 0xC2 || decode(text, limit, start, &c))
        return limit;
    return start;
}

void sbx_utf8_copy(char *to, size_t size, const char *from)
{
    size_t length = from ? strlen(from) : 0;

    if (length >= size)
        length = sbx_utf8_cut(from, size - 1);
    if (length)
        memcpy(to, from, length);
    to[length] = 0;
}

uint16_t *sbx_utf8_to_utf16(const char *text, size_t length, size_t *out_length)
{
    size_t at = 0, units = 0, bytes;
    uint16_t *result;
    uint32_t c, before = 0;

    if (length > SIZE_MAX / sizeof(*result) - 1)
        return NULL;
    result = sbx_alloc((length + 1) * sizeof(*result));
    if (!result)
        return NULL;
    while (at < length) {
        bytes = decode(text, length, at, &c);
        /* a pair of surrogates has a four-byte form, two three-byte forms are not well-formed */
        if (!bytes || (is_high(before) && is_low(c))) {
            sbx_free(result);
            return NULL;
        }
        at += bytes;
        before = c;
        if (c > 0xFFFF) {
            result[units++] = (uint16_t)(0xD800 + ((c - 0x10000) >> 10));
            c = 0xDC00 + ((c - 0x10000) & 0x3FF);
        }
        result[units++] = (uint16_t)c;
    }
    result[units] = 0;
    if (out_length)
        *out_length = units;
    return result;
}

char *sbx_utf16_to_utf8(const uint16_t *text, size_t length, size_t *out_length)
{
    size_t at = 0, bytes = 0;
    uint32_t c;
    char *result;

    if (length > SIZE_MAX / 3 - 1)
        return NULL;
    result = sbx_alloc(length * 3 + 1); /* a pair, two units, takes four bytes */
    if (!result)
        return NULL;
    while (at < length) {
        c = text[at++];
        if (is_high(c) && at < length && is_low(text[at]))
            c = 0x10000 + ((c - 0xD800) << 10) + (text[at++] - 0xDC00u);
        bytes += sbx_utf8_put(result + bytes, c);
    }
    result[bytes] = 0;
    if (out_length)
        *out_length = bytes;
    return result;
}
