#include "elevated/gitconfig.h"

#include <string.h>

#define NAME 64u /* longer names are no keys that are let through */

static const struct {
    const char *section, *key; /* key NULL: each but what `not` lists */
    const char *excepted[4];
} allowed[] = {
    {"user", NULL, {"signingkey"}},
    {"core", "autocrlf", {NULL}},
    {"core", "eol", {NULL}},
    {"core", "longpaths", {NULL}},
    {"core", "editor", {NULL}},
    {"init", NULL, {"templatedir"}},
    {"alias", NULL, {NULL}},
    {"diff", NULL, {"external", "tool", "guitool", "orderfile"}},
    {"merge", NULL, {"tool", "guitool"}},
    {"pull", NULL, {NULL}},
    {"push", NULL, {"gpgsign"}},
};

typedef struct reader {
    const char *at, *end;
    char section[NAME]; /* "": none, or one that is let through in no case */
    sbx_text *out, *left;
    int is_written; /* the section stands in `out` */
} reader;

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static void skip_blanks(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\r'))
        r->at++;
}

static void skip_line(reader *r)
{
    while (r->at < r->end && *r->at != '\n')
        r->at++;
}

/* "": too long, or none. */
static void read_name(reader *r, char name[NAME])
{
    size_t length = 0;

    while (r->at < r->end && is_name(*r->at)) {
        if (length < NAME)
            name[length] = lower(*r->at);
        length++;
        r->at++;
    }
    name[length < NAME ? length : 0] = 0;
}

/* "[name]", behind the bracket; what has a second name, or no end on its line, is let through in no case. */
static void read_section(reader *r)
{
    r->is_written = 0;
    read_name(r, r->section);
    if (r->at < r->end && *r->at == ']') {
        r->at++;
        return;
    }
    r->section[0] = 0;
    while (r->at < r->end && *r->at != '\n' && *r->at != ']') {
        if (*r->at == '"') { /* a bracket may stand in it */
            for (r->at++; r->at < r->end && *r->at != '\n' && *r->at != '"'; r->at++)
                r->at += *r->at == '\\' && r->at + 1 < r->end && r->at[1] != '\n';
            if (r->at == r->end || *r->at == '\n')
                return;
        }
        r->at++;
    }
    if (r->at < r->end && *r->at == ']')
        r->at++;
}

/* To the end of a value, which lines that end with a backslash go on with; not of a comment. */
static void skip_value(reader *r)
{
    int quoted = 0;

    for (; r->at < r->end && *r->at != '\n'; r->at++) {
        if (*r->at == '"') {
            quoted = !quoted;
        } else if (*r->at == '\\' && r->at + 1 < r->end) {
            r->at++;
            if (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
                r->at++;
        } else if (!quoted && (*r->at == '#' || *r->at == ';')) {
            skip_line(r);
            return;
        }
    }
}

static int is_allowed(const char *section, const char *key)
{
    size_t i, k;

    for (i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
        if (strcmp(allowed[i].section, section) || (allowed[i].key && strcmp(allowed[i].key, key)))
            continue;
        for (k = 0; k < 4 && allowed[i].excepted[k]; k++)
            if (!strcmp(allowed[i].excepted[k], key))
                return 0;
        return 1;
    }
    return 0;
}

static int starts_program(const char *section, const char *value, size_t length)
{
    return !strcmp(section, "alias") && memchr(value, '!', length) != NULL;
}

static void read_key(reader *r)
{
    const char *value;
    char key[NAME];
    size_t length;

    read_name(r, key);
    value = r->at;
    skip_value(r);
    length = (size_t)(r->at - value);
    if (key[0] && r->section[0] && !memchr(value, 0, length) && is_allowed(r->section, key) &&
        !starts_program(r->section, value, length)) {
        if (!r->is_written)
            sbx_text_printf(r->out, "[%s]\n", r->section);
        r->is_written = 1;
        sbx_text_printf(r->out, "\t%s", key);
        sbx_text_add_n(r->out, value, length);
        sbx_text_add_char(r->out, '\n');
    } else if (key[0]) {
        sbx_text_printf(r->left, "%s%s%s%s", r->left->length ? ", " : "", r->section, r->section[0] ? "." : "", key);
    }
}

void sbx_gitconfig_filter(const char *text, size_t length, sbx_text *out, sbx_text *left)
{
    reader r = {.at = text, .end = text + length, .out = out, .left = left};

    if (length >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
        r.at += 3;
    while (r.at < r.end) {
        skip_blanks(&r);
        if (r.at == r.end)
            break;
        if (*r.at == '[') {
            r.at++;
            read_section(&r);
        } else if (is_name(*r.at)) {
            read_key(&r);
        } else if (*r.at == '\n') {
            r.at++;
        } else { /* a comment, or nothing that git would read */
            skip_line(&r);
        }
    }
}

void sbx_gitconfig_safe(sbx_text *out, const char *path)
{
    sbx_text_add(out, "\tdirectory = \"");
    for (; *path; path++)
        sbx_text_add_char(out, *path == '\\' ? '/' : *path);
    sbx_text_add(out, "\"\n");
}
