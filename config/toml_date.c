#include "config/toml_reader.h"

typedef struct cursor {
    const char *token;
    size_t length, at;
    const char *wrong;
    size_t where;
} cursor;

static void fail(cursor *c, size_t where, const char *wrong)
{
    if (!c->wrong) {
        c->wrong = wrong;
        c->where = where < c->length ? where : c->length - 1;
    }
}

static unsigned digits(cursor *c, unsigned count, unsigned min, unsigned max, const char *wrong)
{
    size_t start = c->at;
    unsigned value = 0;

    for (; count; count--, c->at++) {
        if (c->at >= c->length || c->token[c->at] < '0' || c->token[c->at] > '9') {
            fail(c, c->at, wrong);
            return 0;
        }
        value = value * 10 + (unsigned)(c->token[c->at] - '0');
    }
    if (value < min || value > max)
        fail(c, start, wrong);
    return value;
}

static int sees(const cursor *c, char a, char b)
{
    return !c->wrong && c->at < c->length && (c->token[c->at] == a || c->token[c->at] == b);
}

static void expect(cursor *c, char character, const char *wrong)
{
    if (sees(c, character, character))
        c->at++;
    else
        fail(c, c->at, wrong);
}

static void read_date(cursor *c)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned year, month, day;
    size_t start;

    year = digits(c, 4, 0, 9999, "a year has four digits");
    expect(c, '-', "a date is written YYYY-MM-DD");
    month = digits(c, 2, 1, 12, "a month is 01 to 12");
    expect(c, '-', "a date is written YYYY-MM-DD");
    start = c->at;
    day = digits(c, 2, 1, 31, "a day is 01 to 31");
    if (!c->wrong && day > days[month - 1] &&
        !(month == 2 && day == 29 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
        fail(c, start, "this month has no such day");
}

static void read_time(cursor *c)
{
    digits(c, 2, 0, 23, "an hour is 00 to 23");
    expect(c, ':', "a time is written HH:MM:SS");
    digits(c, 2, 0, 59, "a minute is 00 to 59");
    expect(c, ':', "a time is written HH:MM:SS");
    digits(c, 2, 0, 60, "a second is 00 to 60"); /* 60: RFC 3339 has leap seconds */
    if (sees(c, '.', '.')) {
        c->at++;
        digits(c, 1, 0, 9, "digits must follow the point");
        while (!c->wrong && c->at < c->length && c->token[c->at] >= '0' && c->token[c->at] <= '9')
            c->at++;
    }
}

static void read_offset(cursor *c)
{
    c->at++;
    digits(c, 2, 0, 23, "the hours of an offset are 00 to 23");
    expect(c, ':', "an offset is written +HH:MM");
    digits(c, 2, 0, 59, "the minutes of an offset are 00 to 59");
}

const char *sbx_toml_check_date(const char *token, size_t length, uint32_t *type, size_t *wrong)
{
    cursor c = {0};

    c.token = token;
    c.length = length;
    *type = SBX_TOML_TIME_LOCAL;
    if (length > 2 && token[2] == ':') {
        read_time(&c);
    } else {
        *type = SBX_TOML_DATE_LOCAL;
        read_date(&c);
        if (sees(&c, 'T', 't') || sees(&c, ' ', ' ')) {
            *type = SBX_TOML_DATETIME_LOCAL;
            c.at++;
            read_time(&c);
            if (sees(&c, 'Z', 'z')) {
                *type = SBX_TOML_DATETIME;
                c.at++;
            } else if (sees(&c, '+', '-')) {
                *type = SBX_TOML_DATETIME;
                read_offset(&c);
            }
        }
    }
    if (c.at < length)
        fail(&c, c.at, "this does not belong to a date or time");
    *wrong = c.where;
    return c.wrong;
}
