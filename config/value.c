#include "config/value.h"

#include <stdio.h>
#include <string.h>

#include "base/utf.h"
#include "config/variables.h"

struct unit {
    const char *name;
    int64_t factor;
};

#define KILO ((int64_t)1000)
#define KIBI ((int64_t)1024)

/* The last of several with the same factor is not used for printing. */
static const struct unit sizes[] = {
    {"TiB", KIBI *KIBI *KIBI *KIBI},
    {"GiB", KIBI *KIBI *KIBI},
    {"MiB", KIBI *KIBI},
    {"KiB", KIBI},
    {"B", 1},
    {"T", KIBI *KIBI *KIBI *KIBI},
    {"G", KIBI *KIBI *KIBI},
    {"M", KIBI *KIBI},
    {"K", KIBI},
    {"TB", KILO *KILO *KILO *KILO},
    {"GB", KILO *KILO *KILO},
    {"MB", KILO *KILO},
    {"kB", KILO},
};
#define PRINTED_SIZES 5u

static const struct unit durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
#define DURATIONS (sizeof(durations) / sizeof(durations[0]))

static const char no_limit[] = "for no limit write \"none\"";

/* What of a text fits into a message, whole characters. */
static int quoted(const char *text, size_t length)
{
    return (int)(length > 100 ? sbx_utf8_cut(text, 100) : length);
}

static int same_word(const char *a, size_t length, const char *b)
{
    size_t i;

    for (i = 0; i < length; i++) {
        char x = a[i], y = b[i];

        if (x >= 'A' && x <= 'Z')
            x = (char)(x - 'A' + 'a');
        if (y >= 'A' && y <= 'Z')
            y = (char)(y - 'A' + 'a');
        if (x != y || !y)
            return 0;
    }
    return !b[length];
}

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits at *at: 1 and the number, 0 where there are none or they do not fit. */
static int take_number(const char *text, size_t length, size_t *at, int64_t *number, sbx_problem *problem)
{
    size_t first = *at;

    for (*number = 0; *at < length && is_digit(text[*at]); ++*at) {
        int digit = text[*at] - '0';

        if (*number > (INT64_MAX - digit) / 10)
            return sbx_problem_set(problem, first, length - first, "the number is too large");
        *number = *number * 10 + digit;
    }
    if (*at == first)
        return sbx_problem_set(problem, 0, 0, "\"%.*s\" is %s", quoted(text, length), text,
                               first + 1 < length && text[first] == '-' && is_digit(text[first + 1]) ? "below zero"
                                                                                                     : "not a number");
    return 1;
}

static const struct unit *take_unit(const struct unit *units, size_t count, const char *text, size_t length, size_t *at)
{
    size_t first = *at, i;

    while (*at < length && !is_digit(text[*at]))
        ++*at;
    for (i = 0; i < count; i++)
        if (same_word(text + first, *at - first, units[i].name))
            return &units[i];
    return NULL;
}

/* A number of a million and more was meant in bytes. */
static int hint_size(int64_t number, const char *digits, size_t length, sbx_problem *problem)
{
    return sbx_problem_hint(
        problem, number < 1 << 20 ? "write \"%.*sMiB\", or B, KiB, GiB, TiB" : "write \"%.*sB\", or KiB, MiB, GiB, TiB",
        quoted(digits, length), digits);
}

int sbx_value_size(const char *text, size_t length, int64_t *bytes, sbx_problem *problem)
{
    const struct unit *unit;
    int64_t number;
    size_t at = 0, first;

    if (!take_number(text, length, &at, &number, problem)) {
        if (!at)
            sbx_problem_set(problem, 0, 0, "\"%.*s\" is not a size", quoted(text, length), text);
        return sbx_problem_hint(problem, "a size is a whole number with a unit: \"512MiB\", \"4GiB\"");
    }
    if (at == length) {
        sbx_problem_set(problem, 0, 0, "a size needs a unit");
        return hint_size(number, text, length, problem);
    }
    first = at;
    unit = take_unit(sizes, sizeof(sizes) / sizeof(sizes[0]), text, length, &at);
    if (!unit || at != length) {
        sbx_problem_set(problem, first, length - first, "\"%.*s\" is not a unit of size",
                        quoted(text + first, length - first), text + first);
        return sbx_problem_hint(problem, "units are B, KiB, MiB, GiB, TiB (1024) and kB, MB, GB, TB (1000)%s",
                                text[first] == '.' ? "; there are no fractions" : "");
    }
    if (number > INT64_MAX / unit->factor)
        return sbx_problem_set(problem, 0, 0, "the number is too large");
    *bytes = number * unit->factor;
    return 1;
}

int sbx_value_duration(const char *text, size_t length, int64_t *milliseconds, sbx_problem *problem)
{
    const struct unit *unit, *last = NULL;
    int64_t number, sum = 0;
    size_t at = 0, first;

    if (!length || !is_digit(text[0])) {
        sbx_problem_set(problem, 0, 0, "\"%.*s\" is not a duration", quoted(text, length), text);
        return sbx_problem_hint(problem, "a duration is whole numbers with units: \"90s\", \"10m\", \"1h30m\"");
    }
    while (at < length) {
        if (!take_number(text, length, &at, &number, problem))
            return 0;
        if (at == length) {
            sbx_problem_set(problem, 0, 0, "a duration needs a unit");
            return sbx_problem_hint(problem, "write \"%.*ss\", or ms, m, h, d", quoted(text, length), text);
        }
        first = at;
        unit = take_unit(durations, DURATIONS, text, length, &at);
        if (!unit) {
            sbx_problem_set(problem, first, at - first, "\"%.*s\" is not a unit of time",
                            quoted(text + first, at - first), text + first);
            return sbx_problem_hint(problem, "units are ms, s, m, h, d%s",
                                    text[first] == '.' ? "; there are no fractions" : "");
        }
        if (last && unit <= last) {
            sbx_problem_set(problem, first, at - first, "the unit \"%s\" does not belong here", unit->name);
            return sbx_problem_hint(problem, "larger units come first, each once: \"1h30m\"");
        }
        if (number > INT64_MAX / unit->factor || sum > INT64_MAX - number * unit->factor)
            return sbx_problem_set(problem, 0, 0, "the number is too large");
        sum += number * unit->factor;
        last = unit;
    }
    *milliseconds = sum;
    return 1;
}

int sbx_value_percent(const char *text, size_t length, int64_t *percent, sbx_problem *problem)
{
    size_t at = 0;

    if (!take_number(text, length, &at, percent, problem))
        return 0;
    if (at < length && !(text[at] == '%' && at + 1 == length)) {
        sbx_problem_set(problem, 0, 0, "\"%.*s\" is not a percentage", quoted(text, length), text);
        return sbx_problem_hint(problem, "a percentage is a whole number: 50 or \"50%%\"");
    }
    return 1;
}

int sbx_value_count(const char *text, size_t length, int64_t *count, sbx_problem *problem)
{
    size_t at = 0;

    if (!take_number(text, length, &at, count, problem))
        return 0;
    return at == length || sbx_problem_set(problem, 0, 0, "\"%.*s\" is not a whole number", quoted(text, length), text);
}

#define PORT_MIN 1
#define PORT_MAX 65535

static int take_port(const char *text, size_t length, size_t *at, int64_t *port, sbx_problem *problem)
{
    size_t first = *at;

    if (!take_number(text, length, at, port, problem))
        return 0;
    if (*port >= PORT_MIN && *port <= PORT_MAX)
        return 1;
    return sbx_problem_set(problem, first, *at - first, "%.*s is out of range: ports go from %d to %d",
                           quoted(text + first, *at - first), text + first, PORT_MIN, PORT_MAX);
}

int sbx_value_ports(const char *text, size_t length, int64_t *ports, sbx_problem *problem)
{
    int64_t first, last;
    size_t at = 0;

    if (length == 3 && !memcmp(text, "all", 3)) {
        *ports = SBX_PORTS(PORT_MIN, PORT_MAX);
        return 1;
    }
    if (length && is_digit(text[0])) {
        if (!take_port(text, length, &at, &first, problem))
            return 0;
        last = first;
        if (at + 1 < length && text[at] == '-' && is_digit(text[at + 1])) {
            at++;
            if (!take_port(text, length, &at, &last, problem))
                return 0;
        }
        if (at == length && first > last) {
            sbx_problem_set(problem, 0, 0, "\"%.*s\" ends before it begins", quoted(text, length), text);
            return sbx_problem_hint(problem, "write \"%d-%d\"", (int)last, (int)first);
        }
        *ports = SBX_PORTS(first, last);
        if (at == length)
            return 1;
    }
    sbx_problem_set(problem, 0, 0, "\"%.*s\" is no port", quoted(text, length), text);
    return sbx_problem_hint(problem, "ports are written 8080, \"3000-3999\" or \"all\"");
}

/* PRId64 is not ISO C for every compiler that builds for Windows. */
static void add_number(char text[SBX_VALUE_TEXT], int64_t number, const char *unit)
{
    char digits[SBX_VALUE_TEXT];
    size_t first = sizeof(digits) - 1, used = strlen(text);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    digits[first] = 0;
    do
        digits[--first] = (char)('0' + rest % 10);
    while (rest /= 10);
    snprintf(text + used, SBX_VALUE_TEXT - used, "%s%s%s", number < 0 ? "-" : "", digits + first, unit);
}

void sbx_value_text(uint32_t type, int64_t number, char text[SBX_VALUE_TEXT])
{
    size_t i;

    text[0] = 0;
    switch (type) {
    case SBX_KEY_SIZE:
        for (i = 0; i + 1 < PRINTED_SIZES && (!number || number % sizes[i].factor); i++)
            ;
        add_number(text, number / sizes[i].factor, sizes[i].name);
        return;
    case SBX_KEY_DURATION:
        if (!number)
            add_number(text, 0, "s");
        for (i = 0; i < DURATIONS; number %= durations[i].factor, i++)
            if (number >= durations[i].factor)
                add_number(text, number / durations[i].factor, durations[i].name);
        return;
    case SBX_KEY_PORTS:
        if (number == SBX_PORTS(PORT_MIN, PORT_MAX)) {
            memcpy(text, "all", sizeof("all"));
            return;
        }
        add_number(text, SBX_PORTS_FIRST(number), SBX_PORTS_FIRST(number) == SBX_PORTS_LAST(number) ? "" : "-");
        if (SBX_PORTS_FIRST(number) != SBX_PORTS_LAST(number))
            add_number(text, SBX_PORTS_LAST(number), "");
        return;
    default:
        add_number(text, number, type == SBX_KEY_PERCENT ? "%" : "");
    }
}

/* ---- keys ---- */

static int in_range(const sbx_key *key, int64_t number, sbx_problem *problem)
{
    const uint32_t type = key->type == SBX_KEY_PORTS ? SBX_KEY_COUNT : key->type; /* one port */
    char low[SBX_VALUE_TEXT], high[SBX_VALUE_TEXT], is[SBX_VALUE_TEXT];

    if ((!key->min && !key->max) || (number >= key->min && number <= key->max))
        return 1;
    sbx_value_text(type, key->min, low);
    sbx_value_text(type, key->max, high);
    sbx_value_text(number < 0 ? SBX_KEY_COUNT : type, number, is);
    sbx_problem_set(problem, 0, 0, "%s is out of range: it goes from %s to %s", is, low, high);
    return key->traits & SBX_KEY_NONE ? sbx_problem_hint(problem, no_limit) : 0;
}

static int check_word(const sbx_key *key, const char *text, size_t length, sbx_problem *problem)
{
    char list[160] = "", word[64];
    const char *near_word = NULL;
    size_t count, used = 0;

    for (count = 0; key->words[count]; count++) {
        if (strlen(key->words[count]) == length && !memcmp(key->words[count], text, length))
            return 1;
        used += (size_t)snprintf(list + used, sizeof(list) - used, "%s\"%s\"", count ? ", " : "", key->words[count]);
    }
    if (length < sizeof(word)) {
        memcpy(word, text, length);
        word[length] = 0;
        near_word = sbx_suggest(word, key->words, count);
    }
    sbx_problem_set(problem, 0, 0, "\"%.*s\" is not one of %s", quoted(text, length), text, list);
    return near_word ? sbx_problem_hint(problem, "did you mean \"%s\"?", near_word) : 0;
}

static int check_name(const char *text, size_t length, sbx_problem *problem)
{
    size_t i;

    if (!length)
        return sbx_problem_set(problem, 0, 0, "the name is empty");
    for (i = 0; i < length; i++)
        if (!is_digit(text[i]) && !((text[i] | 0x20) >= 'a' && (text[i] | 0x20) <= 'z') && text[i] != '-' &&
            text[i] != '_')
            return sbx_problem_set(problem, i, 1, "a name has only letters, digits, '-' and '_'");
    return length <= 64 || sbx_problem_set(problem, 0, 0, "the name is too long");
}

static int check_pattern(const char *text, size_t length, sbx_problem *problem)
{
    const char *star = memchr(text, '*', length);

    if (star && star != text + length - 1)
        return sbx_problem_set(problem, (size_t)(star - text), 1, "'*' stands only at the end of a name");
    return sbx_variables_check_name(text, length, problem);
}

int sbx_value_check_integer(const sbx_key *key, int64_t integer, int64_t *number, sbx_problem *problem)
{
    char digits[SBX_VALUE_TEXT];

    *number = integer;
    if (key->type == SBX_KEY_COUNT || key->type == SBX_KEY_PERCENT)
        return in_range(key, integer, problem);
    if (key->type == SBX_KEY_PORTS) {
        if (!in_range(key, integer, problem))
            return 0;
        *number = SBX_PORTS(integer, integer);
        return 1;
    }
    sbx_problem_set(problem, 0, 0, "%s expected, not an integer", sbx_schema_type_name(key));
    sbx_value_text(SBX_KEY_COUNT, integer, digits);
    if (!integer && (key->traits & SBX_KEY_NONE))
        return sbx_problem_hint(problem, no_limit);
    if (integer >= 0 && key->type == SBX_KEY_SIZE)
        return hint_size(integer, digits, strlen(digits), problem);
    if (integer >= 0 && key->type == SBX_KEY_DURATION)
        return sbx_problem_hint(problem, "write \"%ss\", or ms, m, h, d", digits);
    return 0;
}

static int check_boolean(const char *text, size_t length, int64_t *number, sbx_problem *problem)
{
    static const char *const words[] = {"false", "true", "off", "on"};
    size_t i;

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == length && !memcmp(words[i], text, length)) {
            *number = i & 1;
            return 1;
        }
    return sbx_problem_set(problem, 0, 0, "\"%.*s\" is not true or false", quoted(text, length), text);
}

/* A number or a truth value between quotes, or something else. */
static int not_a_string(const sbx_key *key, const char *text, size_t length, sbx_problem *problem)
{
    size_t digits = 0;

    while (digits < length && is_digit(text[digits]))
        digits++;
    sbx_problem_set(problem, 0, 0, "%s expected, not a string", sbx_schema_type_name(key));
    if (key->type == SBX_KEY_BOOLEAN)
        return sbx_problem_hint(problem, "write true or false, without quotes");
    if (digits == length && length)
        return sbx_problem_hint(problem, key->traits & SBX_KEY_NONE ? "write it without quotes, or \"none\""
                                                                    : "write it without quotes");
    return key->traits & SBX_KEY_NONE ? sbx_problem_hint(problem, no_limit) : 0;
}

/* "C:\temp" between double quotes is C:, a tab and "emp". */
static int check_controls(const char *text, size_t length, int flag, sbx_problem *problem)
{
    size_t i;

    for (i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20) {
            sbx_problem_set(problem, i, 1, "the path holds the control character U+%04X", (unsigned)text[i]);
            return flag ? 0
                        : sbx_problem_hint(problem, "between double quotes a backslash begins an escape: put the path "
                                                    "between single quotes");
        }
    return 1;
}

static int is_separator(char c)
{
    return c == '\\' || c == '/';
}

/* of a variable; Windows has some with brackets. */
static size_t name_length(const char *text, size_t length, int any_case)
{
    size_t at;

    for (at = 0; at < length; at++)
        if (text[at] != '_' && !(text[at] >= 'A' && text[at] <= 'Z') && !(at && is_digit(text[at])) &&
            !(any_case && ((text[at] >= 'a' && text[at] <= 'z') || (at && (text[at] == '(' || text[at] == ')')))))
            break;
    return at;
}

/* The variable that begins at the text as a shell writes it, %NAME%, $NAME or $env:NAME: its length and what of it stands
 * before the name, or 0.  $NAME only in capitals and as all of a folder's name: others with a '$' are those of folders. */
static size_t shell_variable(const char *text, size_t length, int begins, size_t *before)
{
    size_t name;

    *before = 1;
    if (text[0] == '%') {
        name = name_length(text + 1, length - 1, 1);
        return name && name + 1 < length && text[name + 1] == '%' ? name + 2 : 0;
    }
    if (text[0] != '$' || !begins)
        return 0;
    if (length > 5 && same_word(text, 5, "$env:"))
        *before = 5;
    name = name_length(text + *before, length - *before, *before > 1) + *before;
    return name > *before && (name == length || is_separator(text[name])) ? name : 0;
}

/* What a shell replaces and sbx does not: as a name of a folder it is not what was meant. */
static int check_typed(const char *text, size_t length, sbx_problem *problem)
{
    const char *quote = memchr(text, '"', length);
    size_t at, name, before;

    if (quote)
        return sbx_problem_set(problem, (size_t)(quote - text), 1, "the path holds a quote: %.*s", quoted(text, length),
                               text);
    if (text[0] == '~' && (length == 1 || is_separator(text[1]))) {
        sbx_problem_set(problem, 0, 1, "\"~\" is not replaced here");
        return sbx_problem_hint(problem, "write ${USERPROFILE}%.*s", quoted(text + 1, length - 1), text + 1);
    }
    for (at = 0; at < length; at++) {
        name = shell_variable(text + at, length - at, !at || is_separator(text[at - 1]), &before);
        if (!name)
            continue;
        sbx_problem_set(problem, at, name, "\"%.*s\" is not replaced here", quoted(text + at, name), text + at);
        name -= before + (text[at] == '%');
        if (name == 4 && before == 1 && !memcmp(text + at, "$HOME", 5)) /* PowerShell's own, often no variable */
            return sbx_problem_hint(problem, "write ${USERPROFILE}");
        return sbx_problem_hint(problem, "write ${env:%.*s}", quoted(text + at + before, name), text + at + before);
    }
    return 1;
}

int sbx_value_check(const sbx_key *key, const char *text, size_t length, int flag, int64_t *number,
                    sbx_problem *problem)
{
    const char *nul = memchr(text, 0, length);
    size_t digits = 0;

    *number = 0;
    if (nul)
        return sbx_problem_set(problem, (size_t)(nul - text), 1, "the text holds a NUL character");
    if ((key->traits & SBX_KEY_NONE) && length == 4 && !memcmp(text, "none", 4))
        return 1;
    if (!flag && (key->type == SBX_KEY_COUNT || key->type == SBX_KEY_BOOLEAN)) {
        return not_a_string(key, text, length, problem);
    }
    /* nothing of anything: a unit would not make it right */
    if ((key->traits & SBX_KEY_NONE) && take_number(text, length, &digits, number, problem) && digits == length &&
        !*number)
        return in_range(key, 0, problem);
    *number = 0;
    switch (key->type) {
    case SBX_KEY_NAME:
        return check_name(text, length, problem);
    case SBX_KEY_ENUM:
        return check_word(key, text, length, problem);
    case SBX_KEY_BOOLEAN:
        return check_boolean(text, length, number, problem);
    case SBX_KEY_COUNT:
        return sbx_value_count(text, length, number, problem) && in_range(key, *number, problem);
    case SBX_KEY_PERCENT:
        return sbx_value_percent(text, length, number, problem) && in_range(key, *number, problem);
    case SBX_KEY_SIZE:
        return sbx_value_size(text, length, number, problem) && in_range(key, *number, problem);
    case SBX_KEY_DURATION:
        return sbx_value_duration(text, length, number, problem) && in_range(key, *number, problem);
    case SBX_KEY_PORTS:
        return sbx_value_ports(text, length, number, problem);
    case SBX_KEY_VARIABLE:
        return sbx_variables_check_name(text, length, problem);
    case SBX_KEY_PATTERN:
        return check_pattern(text, length, problem);
    case SBX_KEY_PATH:
        if (!length)
            return sbx_problem_set(problem, 0, 0, "the path is empty");
        if (!check_controls(text, length, flag, problem) || !check_typed(text, length, problem))
            return 0;
        break;
    default:
        break;
    }
    return !(key->traits & SBX_KEY_EXPAND) || sbx_variables_check(text, length, problem);
}
