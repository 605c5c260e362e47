#include "config/toml.h"

#include <string.h>

#include "base/utf.h"
#include "config/toml_reader.h"
#include "config/toml_table.h"

typedef struct parser {
    sbx_toml_reader r; /* first word of every failure */
    sbx_toml_tables tables;
} parser;

static sbx_status read_value(parser *p, sbx_toml_node *node);

static int is_bare(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static void skip_space(parser *p)
{
    int c;

    while ((c = sbx_toml_peek(&p->r, 0)) == ' ' || c == '\t')
        sbx_toml_skip(&p->r, 1);
}

static sbx_status skip_comment(parser *p)
{
    char buffer[32];
    int c;

    if (sbx_toml_peek(&p->r, 0) != '#')
        return SBX_OK;
    while ((c = sbx_toml_peek(&p->r, 0)) >= 0 && !sbx_toml_newline(&p->r)) {
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "a comment cannot contain %s",
                                 sbx_toml_seen(&p->r, buffer));
        sbx_toml_skip(&p->r, 1);
    }
    return SBX_OK;
}

/* What stands between the elements of an array. */
static sbx_status skip_lines(parser *p)
{
    sbx_status st = SBX_OK;

    for (;;) {
        skip_space(p);
        st = skip_comment(p);
        if (st || !sbx_toml_newline(&p->r))
            return st;
        sbx_toml_skip(&p->r, sbx_toml_newline(&p->r));
    }
}

/* Nothing but a comment may follow on the line. */
static sbx_status end_line(parser *p, const char *behind)
{
    char buffer[32];
    sbx_status st;

    skip_space(p);
    st = skip_comment(p);
    if (st)
        return st;
    if (sbx_toml_peek(&p->r, 0) >= 0 && !sbx_toml_newline(&p->r))
        return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "the line must end behind %s, not go on with %s", behind,
                             sbx_toml_seen(&p->r, buffer));
    sbx_toml_skip(&p->r, sbx_toml_newline(&p->r));
    return SBX_OK;
}

/* One part of a key. */
static sbx_status read_key_part(parser *p, sbx_toml_key *part)
{
    sbx_span start = p->r.at;
    int c = sbx_toml_peek(&p->r, 0);
    char buffer[32];
    sbx_status st;

    if (c == '"' || c == '\'') {
        st = sbx_toml_read_string(&p->r, 0, &part->text, &part->length);
        if (st)
            return st;
    } else {
        while (is_bare(sbx_toml_peek(&p->r, 0)))
            sbx_toml_skip(&p->r, 1);
        c = sbx_toml_peek(&p->r, 0);
        if (c >= 0x80)
            return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "a bare key cannot contain %s; quote it",
                                 sbx_toml_seen(&p->r, buffer));
        part->length = p->r.at.offset - start.offset;
        if (!part->length)
            return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "a key is expected, not %s",
                                 sbx_toml_seen(&p->r, buffer));
        part->text = sbx_arena_strndup(p->r.arena, p->r.text + start.offset, part->length);
        if (!part->text)
            return sbx_toml_fail_memory(&p->r);
    }
    part->span = sbx_toml_since(&p->r, start);
    return SBX_OK;
}

/* Read a key with its dots: enters all but the last part, which is left in `part`. */
static sbx_status read_key(parser *p, sbx_toml_node **table, sbx_toml_key *part, uint32_t origin)
{
    sbx_status st;

    for (;;) {
        skip_space(p);
        st = read_key_part(p, part);
        if (st)
            return st;
        skip_space(p);
        if (sbx_toml_peek(&p->r, 0) != '.')
            return SBX_OK;
        sbx_toml_skip(&p->r, 1);
        st = sbx_toml_enter(&p->r, &p->tables, table, part, origin);
        if (st)
            return st;
    }
}

/* key = value */
static sbx_status read_pair(parser *p, sbx_toml_node *table)
{
    sbx_toml_node *node;
    char buffer[32];
    sbx_toml_key part = {0};
    sbx_status st;

    st = read_key(p, &table, &part, SBX_TOML_DOTTED);
    if (st)
        return st;
    if (sbx_toml_peek(&p->r, 0) != '=') {
        st = sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "'=' must follow the key \"%s\", not %s", part.text,
                           sbx_toml_seen(&p->r, buffer));
        return st;
    }
    node = sbx_toml_tables_find(&p->tables, table, part.text, part.length);
    if (node)
        return sbx_toml_fail(&p->r, part.span, "the key \"%s\" is there already, in line %u, column %u", part.text,
                             (unsigned)node->value.key_span.line, (unsigned)node->value.key_span.column);
    sbx_toml_skip(&p->r, 1);
    skip_space(p);
    node = sbx_toml_tables_add(&p->tables, p->r.arena, table, part.text, part.length);
    if (!node)
        return sbx_toml_fail_memory(&p->r);
    node->value.key_span = part.span;
    return read_value(p, node);
}

static sbx_status read_array(parser *p, sbx_toml_node *array)
{
    sbx_span start = p->r.at;
    sbx_toml_node *node;
    char buffer[32];
    sbx_status st;
    int c;

    array->value.type = SBX_TOML_ARRAY;
    sbx_toml_skip(&p->r, 1);
    for (;;) {
        st = skip_lines(p);
        if (st)
            return st;
        c = sbx_toml_peek(&p->r, 0);
        if (c == ']')
            break;
        if (c < 0)
            return sbx_toml_fail(&p->r, start, "this array is not closed");
        node = sbx_toml_tables_add(&p->tables, p->r.arena, array, NULL, 0);
        if (!node)
            return sbx_toml_fail_memory(&p->r);
        st = read_value(p, node);
        if (!st)
            st = skip_lines(p);
        if (st)
            return st;
        c = sbx_toml_peek(&p->r, 0);
        if (c == ',')
            sbx_toml_skip(&p->r, 1);
        else if (c >= 0 && c != ']')
            return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "',' or ']' must follow an element of an array, not %s",
                                 sbx_toml_seen(&p->r, buffer));
    }
    sbx_toml_skip(&p->r, 1);
    array->value.span = sbx_toml_since(&p->r, start);
    return SBX_OK;
}

static sbx_status read_inline_table(parser *p, sbx_toml_node *table)
{
    sbx_span start = p->r.at;
    char buffer[32];
    sbx_status st;
    int c;

    table->value.type = SBX_TOML_TABLE;
    sbx_toml_skip(&p->r, 1);
    skip_space(p);
    c = sbx_toml_peek(&p->r, 0);
    while (c != '}') {
        st = read_pair(p, table);
        if (st)
            return st;
        skip_space(p);
        c = sbx_toml_peek(&p->r, 0);
        if (c == ',') {
            sbx_toml_skip(&p->r, 1);
            skip_space(p);
            if (sbx_toml_peek(&p->r, 0) == '}')
                return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "an inline table has no ',' behind its last value");
        } else if (sbx_toml_newline(&p->r)) {
            return sbx_toml_fail(&p->r, sbx_toml_since(&p->r, start), "an inline table must end on its line");
        } else if (c != '}') {
            return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "',' or '}' must follow a value here, not %s",
                                 sbx_toml_seen(&p->r, buffer));
        }
    }
    sbx_toml_skip(&p->r, 1);
    table->value.span = sbx_toml_since(&p->r, start);
    return SBX_OK;
}

static sbx_status read_value(parser *p, sbx_toml_node *node)
{
    sbx_span start = p->r.at;
    int c = sbx_toml_peek(&p->r, 0);
    sbx_status st;

    if (node->depth > SBX_TOML_MAX_DEPTH)
        return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "nested deeper than %u", SBX_TOML_MAX_DEPTH);
    if (c == '[')
        return read_array(p, node);
    if (c == '{')
        return read_inline_table(p, node);
    if (c != '"' && c != '\'')
        return sbx_toml_read_scalar(&p->r, &node->value);
    node->value.type = SBX_TOML_STRING;
    st = sbx_toml_read_string(&p->r, 1, &node->value.string, &node->value.string_length);
    node->value.span = sbx_toml_since(&p->r, start);
    return st;
}

/* [table] or [[array]] */
static sbx_status read_header(parser *p, sbx_toml_node *root, sbx_toml_node **table)
{
    sbx_span start = p->r.at;
    int repeated = sbx_toml_peek(&p->r, 1) == '[';
    sbx_toml_node *parent = root;
    char buffer[32];
    sbx_toml_key part = {0};
    sbx_status st;

    sbx_toml_skip(&p->r, repeated ? 2 : 1);
    st = read_key(p, &parent, &part, SBX_TOML_IMPLIED);
    if (st)
        return st;
    if (!sbx_toml_sees(&p->r, repeated ? "]]" : "]"))
        return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "%s must follow the table's name, not %s",
                             repeated ? "']]'" : "']'", sbx_toml_seen(&p->r, buffer));
    sbx_toml_skip(&p->r, repeated ? 2 : 1);
    start = sbx_toml_since(&p->r, start);
    if (parent->depth + 1u + (repeated != 0) > SBX_TOML_MAX_DEPTH)
        return sbx_toml_fail(&p->r, part.span, "nested deeper than %u", SBX_TOML_MAX_DEPTH);
    st = repeated ? sbx_toml_define_element(&p->r, &p->tables, parent, &part, start, table)
                  : sbx_toml_define_table(&p->r, &p->tables, parent, &part, start, table);
    return st ? st : end_line(p, "the table's name");
}

static sbx_status read_document(parser *p, sbx_toml_node *root)
{
    sbx_toml_node *table = root;
    sbx_status st = SBX_OK;

    while (!st) {
        st = skip_lines(p);
        if (st || sbx_toml_peek(&p->r, 0) < 0)
            break;
        if (sbx_toml_peek(&p->r, 0) == '[') {
            st = read_header(p, root, &table);
        } else {
            st = read_pair(p, table);
            if (!st)
                st = end_line(p, "the value");
        }
    }
    return st;
}

static sbx_status check_text(parser *p)
{
    size_t good = p->r.length > SBX_TOML_MAX_BYTES ? 0 : sbx_utf8_check(p->r.text, p->r.length);

    if (p->r.length > SBX_TOML_MAX_BYTES)
        return sbx_diag_set(p->r.diag, SBX_E_CONFIG, p->r.file, NULL, 0, NULL, "longer than %u MiB",
                            SBX_TOML_MAX_BYTES >> 20);
    if (good == p->r.length)
        return SBX_OK;
    sbx_toml_skip(&p->r, good);
    if (good == 0 && p->r.length >= 2 && (!memcmp(p->r.text, "\xFF\xFE", 2) || !memcmp(p->r.text, "\xFE\xFF", 2)))
        return sbx_toml_fail(&p->r, p->r.at, "the text is UTF-16; save it as UTF-8");
    return sbx_toml_fail(&p->r, sbx_toml_here(&p->r), "the byte 0x%02X is not UTF-8",
                         (unsigned)(unsigned char)p->r.text[good]);
}

sbx_status sbx_toml_parse(sbx_arena *arena, const char *file, const char *text, size_t length, const sbx_toml **root,
                          sbx_diag *diag)
{
    parser p = {0};
    sbx_toml_node *node;
    sbx_status st;

    p.r.arena = arena;
    p.r.file = file;
    p.r.text = text;
    p.r.length = length;
    p.r.diag = diag;
    p.r.at.line = p.r.at.column = 1;
    st = check_text(&p);
    if (st)
        goto out;
    node = sbx_arena_alloc(arena, sizeof(*node));
    if (!node) {
        st = sbx_toml_fail_memory(&p.r);
        goto out;
    }
    node->value.type = SBX_TOML_TABLE;
    node->value.span = p.r.at;
    node->origin = SBX_TOML_HEADER;
    if (sbx_toml_sees(&p.r, "\xEF\xBB\xBF"))
        p.r.at.offset += 3;
    st = read_document(&p, node);
    if (!st)
        *root = &node->value;
out:
    sbx_toml_tables_fini(&p.tables);
    sbx_text_fini(&p.r.scratch);
    return st;
}

const sbx_toml *sbx_toml_get(const sbx_toml *table, const char *key)
{
    size_t length = strlen(key);
    const sbx_toml *element;

    for (element = table->first; element; element = element->next)
        if (element->key && element->key_length == length && !memcmp(element->key, key, length))
            return element;
    return NULL;
}
