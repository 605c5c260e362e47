#include "config/toml_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* What a number, a boolean, a date or a time is made of. */
static int is_token(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' || c == '_' ||
           c == '.' || c == ':';
}

/* Digits of `base`, single underscores between them: length of all, or 0 with what is wrong. */
static size_t check_digits(const char *token, size_t length, unsigned base, const char **wrong)
{
    size_t i = 0;
    int c;

    for (; i < length; i++) {
        c = (unsigned char)token[i];
        if (c == '_') {
            if (!i || i + 1 == length || token[i + 1] == '_' || token[i - 1] == '_') {
                *wrong = "an underscore must stand between digits";
                return 0;
            }
        } else if (!(base == 16 ? is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
                                : c >= '0' && c < '0' + (int)base)) {
            break;
        }
    }
    if (i && token[i - 1] == '_') {
        *wrong = "an underscore must stand between digits";
        return 0;
    }
    return i;
}

static const char *read_based(const char *token, size_t length, unsigned base, int64_t *result)
{
    const char *wrong = base == 16  ? "a hexadecimal number needs the digits 0 to 9 and A to F"
                        : base == 8 ? "an octal number needs the digits 0 to 7"
                                    : "a binary number needs the digits 0 and 1";
    uint64_t value = 0;
    size_t i;

    if (!length || check_digits(token, length, base, &wrong) != length)
        return wrong;
    for (i = 0; i < length; i++) {
        if (token[i] == '_')
            continue;
        if (value > (uint64_t)INT64_MAX / base)
            return "the number does not fit in 64 bits";
        value = value * base + (uint64_t)(is_digit(token[i]) ? token[i] - '0' : (token[i] | 0x20) - 'a' + 10);
        if (value > (uint64_t)INT64_MAX)
            return "the number does not fit in 64 bits";
    }
    *result = (int64_t)value;
    return NULL;
}

static const char *read_decimal(const char *token, size_t length, int negative, int64_t *result)
{
    const uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t value = 0, digit;
    size_t i;

    for (i = 0; i < length; i++) {
        if (token[i] == '_')
            continue;
        digit = (uint64_t)(token[i] - '0');
        if (value > (limit - digit) / 10)
            return "the number does not fit in 64 bits";
        value = value * 10 + digit;
    }
    *result = negative ? (value > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)value) : (int64_t)value;
    return NULL;
}

/* [digits] [. digits] [e [sign] digits] behind the sign; tells whether it is a float. */
static const char *check_decimal(const char *token, size_t length, int *is_float)
{
    const char *wrong = NULL;
    size_t at = check_digits(token, length, 10, &wrong), part;

    *is_float = 0;
    if (!at)
        return wrong ? wrong : "not a value; a text needs quotes";
    if (at > 1 && token[0] == '0')
        return "a number cannot begin with 0";
    if (at < length && token[at] == '.') {
        *is_float = 1;
        at++;
        part = check_digits(token + at, length - at, 10, &wrong);
        if (!part)
            return wrong ? wrong : "digits must follow the decimal point";
        at += part;
    }
    if (at < length && (token[at] | 0x20) == 'e') {
        *is_float = 1;
        at++;
        if (at < length && (token[at] == '+' || token[at] == '-'))
            at++;
        part = check_digits(token + at, length - at, 10, &wrong);
        if (!part)
            return wrong ? wrong : "digits must follow the exponent's e";
        at += part;
    }
    return at == length ? NULL : "not a number; a text needs quotes";
}

static sbx_status read_float(sbx_toml_reader *reader, sbx_span span, const char *token, size_t length, double *number)
{
    size_t i;

    reader->scratch.length = 0;
    for (i = 0; i < length; i++)
        if (token[i] != '_')
            sbx_text_add_char(&reader->scratch, token[i]);
    if (reader->scratch.failed)
        return sbx_toml_fail_memory(reader);
    *number = strtod(reader->scratch.data, NULL);
    return isfinite(*number) ? SBX_OK : sbx_toml_fail(reader, span, "the number does not fit in a 64-bit float");
}

static const char *read_number(sbx_toml_reader *reader, const char *token, size_t length, sbx_toml *value,
                               sbx_status *st)
{
    size_t sign = length && (token[0] == '+' || token[0] == '-');
    const char *digits = token + sign, *wrong;
    int is_float;

    if (length - sign == 3 && (!memcmp(digits, "inf", 3) || !memcmp(digits, "nan", 3))) {
        value->type = SBX_TOML_FLOAT;
        value->number = digits[0] == 'i' ? (double)INFINITY : (double)NAN;
        if (token[0] == '-')
            value->number = -value->number;
        return NULL;
    }
    value->type = SBX_TOML_INTEGER;
    if (length - sign >= 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'o' || digits[1] == 'b')) {
        if (sign)
            return "a hexadecimal, octal or binary number has no sign";
        return read_based(digits + 2, length - 2, digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : 2, &value->integer);
    }
    wrong = check_decimal(digits, length - sign, &is_float);
    if (wrong)
        return wrong;
    if (!is_float)
        return read_decimal(digits, length - sign, token[0] == '-', &value->integer);
    value->type = SBX_TOML_FLOAT;
    *st = read_float(reader, value->span, token, length, &value->number);
    return NULL;
}

static int is_date(const char *token, size_t length)
{
    return (length > 4 && is_digit(token[0]) && is_digit(token[1]) && is_digit(token[2]) && is_digit(token[3]) &&
            token[4] == '-') ||
           (length > 2 && is_digit(token[0]) && is_digit(token[1]) && token[2] == ':');
}

static sbx_status take_date(sbx_toml_reader *reader, sbx_span start, const char *token, size_t length, sbx_toml *value)
{
    size_t where = 0;
    const char *wrong = sbx_toml_check_date(token, length, &value->type, &where);
    char *text;

    if (wrong) {
        start.column += (uint32_t)where;
        start.offset += (uint32_t)where;
        start.length = 1;
        return sbx_toml_fail(reader, start, "%s", wrong);
    }
    text = sbx_arena_strndup(reader->arena, token, length);
    if (!text)
        return sbx_toml_fail_memory(reader);
    if (length > 10 && token[4] == '-')
        text[10] = 'T';
    if (text[length - 1] == 'z')
        text[length - 1] = 'Z';
    value->string = text;
    value->string_length = length;
    return SBX_OK;
}

sbx_status sbx_toml_read_scalar(sbx_toml_reader *reader, sbx_toml *value)
{
    sbx_span start = reader->at;
    const char *token = reader->text + start.offset, *wrong;
    sbx_status st = SBX_OK;
    size_t length = 0;
    char buffer[32];

    while (is_token(sbx_toml_peek(reader, length)))
        length++;
    /* a date and a time may be divided by a space */
    if (length == 10 && token[4] == '-' && sbx_toml_peek(reader, 10) == ' ' && is_digit(sbx_toml_peek(reader, 11)))
        for (length = 11; is_token(sbx_toml_peek(reader, length));)
            length++;
    if (!length)
        return sbx_toml_fail(reader, sbx_toml_here(reader), "a value is expected, not %s",
                             sbx_toml_seen(reader, buffer));
    sbx_toml_skip(reader, length);
    value->span = sbx_toml_since(reader, start);

    if ((length == 4 && !memcmp(token, "true", 4)) || (length == 5 && !memcmp(token, "false", 5))) {
        value->type = SBX_TOML_BOOLEAN;
        value->integer = length == 4;
        return SBX_OK;
    }
    if (is_date(token, length))
        return take_date(reader, start, token, length, value);
    wrong = read_number(reader, token, length, value, &st);
    return wrong ? sbx_toml_fail(reader, value->span, "%s", wrong) : st;
}
