#include "base/quote.h"

#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "base/utf.h"

#define LINE_MAX_UNITS (1u << 30)
#define CMD_LINE_MAX 8191u /* "Command prompt (Cmd.exe) command-line string limitation" */

static int is_space(uint16_t c)
{
    return c == ' ' || c == '\t';
}

static size_t skip_spaces(const uint16_t *line_w, size_t at)
{
    while (is_space(line_w[at]))
        at++;
    return at;
}

/* The program's name: its text to `out`, its length to *length; returns where it ends. */
static size_t take_program(const uint16_t *line_w, uint16_t *out, size_t *length)
{
    size_t at = 0;
    int quoted = 0;

    for (*length = 0; line_w[at] && (quoted || !is_space(line_w[at])); at++) {
        if (line_w[at] == '"')
            quoted = !quoted;
        else
            out[(*length)++] = line_w[at];
    }
    return at;
}

/* An argument: 2n backslashes and a quote are n backslashes and a quote that groups, 2n+1 are n
 * and a plain one; of quotes in a row within a group each third is plain and ends the group. */
static size_t take_argument(const uint16_t *line_w, size_t at, uint16_t *out, size_t *length)
{
    size_t slashes = 0, quotes = 0;

    for (*length = 0; line_w[at] && (quotes || !is_space(line_w[at]));) {
        if (line_w[at] != '"') {
            slashes = line_w[at] == '\\' ? slashes + 1 : 0;
            out[(*length)++] = line_w[at++];
            continue;
        }
        *length -= (slashes + 1) / 2;
        if (slashes % 2)
            out[(*length)++] = '"';
        else
            quotes++;
        slashes = 0;
        for (at++; line_w[at] == '"'; at++)
            if (++quotes == 3) {
                out[(*length)++] = '"';
                quotes = 0;
            }
        if (quotes == 2)
            quotes = 0;
    }
    return at;
}

/* Once to count (out NULL), once to keep. */
static sbx_status walk(sbx_arena *arena, const uint16_t *line_w, uint16_t *unit, uint32_t *count, const char **items,
                       uint32_t *begin)
{
    size_t at = 0, start = 0, length;
    char *text, *kept;

    for (*count = 0; line_w[at] || !*count; at = skip_spaces(line_w, at), ++*count) {
        start = at;
        at = *count ? take_argument(line_w, at, unit, &length) : take_program(line_w, unit, &length);
        if (!items)
            continue;
        text = sbx_utf16_to_utf8(unit, length, &length);
        kept = text ? sbx_arena_strndup(arena, text, length) : NULL;
        sbx_free(text);
        if (!kept)
            return SBX_E_MEMORY;
        items[*count] = kept;
        begin[*count] = (uint32_t)start;
    }
    return SBX_OK;
}

sbx_status sbx_quote_split(sbx_arena *arena, const uint16_t *line_w, sbx_arguments *arguments, sbx_error *err)
{
    const char **items;
    uint32_t *begin, count;
    size_t length = 0;
    uint16_t *unit;
    sbx_status st;

    while (line_w[length])
        if (length++ == LINE_MAX_UNITS)
            return sbx_fail(err, SBX_E_USAGE, "split a command line", "longer than 2^30 characters");
    memset(arguments, 0, sizeof(*arguments));
    unit = sbx_alloc((length + 1) * sizeof(*unit));
    if (!unit)
        return sbx_fail_memory(err);
    count = 0;
    st = length ? walk(arena, line_w, unit, &count, NULL, NULL) : SBX_OK;
    items = sbx_arena_alloc(arena, (count + 1) * sizeof(*items));
    begin = sbx_arena_alloc(arena, (count + 1) * sizeof(*begin));
    if (!items || !begin)
        st = SBX_E_MEMORY;
    else if (!st && count)
        st = walk(arena, line_w, unit, &count, items, begin);
    sbx_free(unit);
    if (st)
        return sbx_fail_memory(err);
    arguments->count = count;
    arguments->items = items;
    arguments->begin = begin;
    return SBX_OK;
}

void sbx_quote_argument(sbx_text *line, const char *argument)
{
    size_t slashes = 0;

    if (argument[0] && !strpbrk(argument, " \t\n\v\"")) {
        sbx_text_add(line, argument);
        return;
    }
    sbx_text_add_char(line, '"');
    for (; *argument; argument++) {
        if (*argument == '\\') {
            slashes++;
        } else {
            /* backslashes before a quote are read in pairs */
            if (*argument == '"')
                for (slashes++; slashes; slashes--)
                    sbx_text_add_char(line, '\\');
            slashes = 0;
        }
        sbx_text_add_char(line, *argument);
    }
    for (; slashes; slashes--)
        sbx_text_add_char(line, '\\');
    sbx_text_add_char(line, '"');
}

sbx_status sbx_quote_line(sbx_text *line, const char *const *items, uint32_t count, sbx_error *err)
{
    uint32_t i;

    if (count && strchr(items[0], '"'))
        return sbx_fail(err, SBX_E_REFUSED, "quote a program's name, which cannot hold '\"'", items[0]);
    for (i = 0; i < count; i++) {
        if (i) {
            sbx_text_add_char(line, ' ');
            sbx_quote_argument(line, items[i]);
        } else {
            int plain = items[0][0] && !strpbrk(items[0], " \t");

            sbx_text_printf(line, plain ? "%s" : "\"%s\"", items[0]);
        }
    }
    return SBX_OK;
}

int sbx_quote_is_batch(const char *path)
{
    const char *name = sbx_path_name(path), *stream = strchr(name, ':');
    size_t length = stream ? (size_t)(stream - name) : strlen(name);

    while (length && (name[length - 1] == '.' || name[length - 1] == ' '))
        length--;
    return length >= 4 && name[length - 4] == '.' &&
           (((name[length - 3] | 0x20) == 'b' && (name[length - 2] | 0x20) == 'a' &&
             (name[length - 1] | 0x20) == 't') ||
            ((name[length - 3] | 0x20) == 'c' && (name[length - 2] | 0x20) == 'm' && (name[length - 1] | 0x20) == 'd'));
}

/* The first character that no quoting makes plain text for cmd.exe, or NULL. */
static const char *unquotable(const char *text)
{
    for (; *text; text++)
        if (*text == '"' || ((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7F)
            return text;
    return NULL;
}

static sbx_status refuse(sbx_error *err, uint32_t index, const char *where)
{
    char object[64], what[16], whose[32] = "its path";

    snprintf(what, sizeof(what), *where == '"' ? "'%c'" : "U+%04X", (unsigned)(unsigned char)*where);
    if (index)
        snprintf(whose, sizeof(whose), "argument %u", (unsigned)index);
    snprintf(object, sizeof(object), "%s holds %s", whose, what);
    sbx_fail(err, SBX_E_REFUSED, "quote for a batch file", object);
    sbx_hint(err, "cmd.exe would read it as more than text; start the program behind the batch file instead");
    return SBX_E_REFUSED;
}

/* Whether cmd.exe takes it as it is, wherever it stands; a backslash at the end might meet a quote. */
static int is_plain(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#$*+-./:?@\\_");

    return length && !text[length] && text[length - 1] != '\\';
}

typedef struct variables {
    sbx_arena *arena;
    sbx_env_edit *edits; /* room for all */
    uint32_t count;
} variables;

/* always: in quotes even where it needs none. */
static void add_for_cmd(sbx_text *line, const char *text, int always, variables *v)
{
    size_t length = strlen(text);

    if (!always && is_plain(text)) {
        sbx_text_add(line, text);
        return;
    }
    sbx_text_add_char(line, '"');
    if (strchr(text, '%')) {
        sbx_env_edit *edit = &v->edits[v->count++];

        edit->op = SBX_ENV_SET;
        edit->name = sbx_arena_printf(v->arena, "SBX_ARG_%u", (unsigned)v->count);
        edit->value = sbx_arena_strdup(v->arena, text);
        line->failed |= !edit->name || !edit->value;
        sbx_text_printf(line, "%%%s%%", edit->name ? edit->name : "");
    } else {
        sbx_text_add(line, text);
    }
    for (; length && text[length - 1] == '\\'; length--) /* before a quote they are read in pairs */
        sbx_text_add_char(line, '\\');
    sbx_text_add_char(line, '"');
}

sbx_status sbx_quote_batch(sbx_text *line, const char *cmd, const char *script, const char *const *items,
                           uint32_t count, sbx_arena *arena, const sbx_env_edit **edits, uint32_t *edit_count,
                           sbx_error *err)
{
    variables v = {arena, sbx_arena_alloc(arena, (count + 1) * sizeof(*v.edits)), 0};
    const char *where = unquotable(script);
    size_t begin = line->length, units;
    uint16_t *line_w;
    uint32_t i;

    if (where)
        return refuse(err, 0, where);
    for (i = 0; i < count; i++)
        if ((where = unquotable(items[i])))
            return refuse(err, i + 1, where);
    if (!v.edits) {
        line->failed = 1;
        return SBX_OK;
    }
    sbx_text_printf(line, "\"%s\" /d /e:on /v:off /s /c \"", cmd);
    add_for_cmd(line, script, 1, &v);
    for (i = 0; i < count; i++) {
        sbx_text_add_char(line, ' ');
        add_for_cmd(line, items[i], 0, &v);
    }
    sbx_text_add_char(line, '"');
    *edits = v.count ? v.edits : NULL;
    *edit_count = v.count;
    if (line->failed)
        return SBX_OK;
    line_w = sbx_utf8_to_utf16(line->data + begin, line->length - begin, &units);
    if (!line_w) {
        line->failed = 1;
        return SBX_OK;
    }
    sbx_free(line_w);
    for (i = 0; i < v.count; i++) /* expanded; a byte is never less than a unit */
        units += strlen(v.edits[i].value);
    return units <= CMD_LINE_MAX ? SBX_OK
                                 : sbx_fail(err, SBX_E_REFUSED, "quote for a batch file",
                                            "the line is longer than the 8191 characters that cmd.exe takes");
}
