#include "config/change.h"

#include <stdio.h>
#include <string.h>

#include "config/setting.h"

/* ---- the value ---- */

static sbx_status unknown_key(const char *name, sbx_diag *diag)
{
    const char *names[64], *nearest = NULL, *last;
    uint32_t count, i;
    const sbx_key *keys = sbx_schema_keys(&count);

    for (i = 0; i < count && i < sizeof(names) / sizeof(names[0]); i++) {
        sbx_schema_table_length(&keys[i], &last);
        if (!strcmp(last, name))
            nearest = keys[i].name;
        names[i] = keys[i].name;
    }
    if (!nearest)
        nearest = sbx_suggest(name, names, i);
    sbx_diag_set(diag, SBX_E_USAGE, NULL, NULL, 0, NULL, "there is no key \"%.100s\"", name);
    if (nearest)
        return sbx_diag_hint(diag, "did you mean %s?", nearest);
    return sbx_diag_hint(diag, "`sbx config reference` lists the keys");
}

/* What was typed, checked as an option of the key would be. */
static sbx_status read_values(sbx_arena *arena, const sbx_key *key, const char *const *values, uint32_t count,
                              sbx_setting *setting, sbx_diag *diag)
{
    const int several = (key->traits & (SBX_KEY_LIST | SBX_KEY_TABLE)) != 0;
    sbx_source *source = sbx_arena_alloc(arena, sizeof(*source));
    const char *value, *comma;
    uint32_t i, room = count;
    size_t length, part;
    sbx_status st;

    if (!count || (count > 1 && !several)) {
        sbx_diag_set(diag, SBX_E_USAGE, key->name, NULL, 0, NULL, count ? "it has one value" : "a value is missing");
        return sbx_diag_hint(diag, "what it may be: %s", sbx_schema_type_name(key));
    }
    for (i = 0; i < count; i++)
        for (value = values[i]; *value; value++)
            room += *value == ',';
    setting->items = sbx_arena_alloc(arena, room * sizeof(*setting->items));
    if (!source || !setting->items)
        return sbx_diag_memory(diag);
    source->name = key->name;
    source->rank = SBX_FLAG_RANK;
    source->flag = 1;
    if (several && count == 1 && !values[0][0])
        return SBX_OK;
    for (i = 0; i < count; i++) {
        value = values[i];
        length = strlen(value);
        do {
            comma = several && (key->traits & SBX_KEY_COMMAS) ? memchr(value, ',', length) : NULL;
            part = comma ? (size_t)(comma - value) : length;
            st = sbx_item_typed(arena, source, key, value, part, &setting->items[setting->count++], diag);
            if (st != SBX_OK)
                return st;
            value += part + 1;
            length -= comma ? part + 1 : part;
        } while (comma);
    }
    return SBX_OK;
}

static void add_value(sbx_text *out, const sbx_key *key, const sbx_setting *setting)
{
    const int list = (key->traits & SBX_KEY_LIST) != 0, table = (key->traits & SBX_KEY_TABLE) != 0;
    uint32_t i;

    sbx_text_add(out, list ? "[" : table && setting->count ? "{ " : table ? "{" : "");
    for (i = 0; i < setting->count; i++) {
        sbx_text_add(out, i ? ", " : "");
        if (table) {
            sbx_item_add_name(out, &setting->items[i]);
            sbx_text_add(out, " = ");
        }
        sbx_item_add(out, key, &setting->items[i]);
    }
    sbx_text_add(out, list ? "]" : table && setting->count ? " }" : table ? "}" : "");
}

/* ---- where it belongs ---- */

typedef struct change {
    const char *text;
    size_t length, begin; /* begin: behind a byte order mark */
    const char *newline;
    size_t at, taken; /* where `put` goes, and how much it replaces */
    sbx_text put;
} change;

/* A [header], of all that is a table: others begin with their key, or a brace. */
static int is_header(const change *edit, const sbx_toml *node)
{
    return node->type == SBX_TOML_TABLE && edit->text[node->span.offset] == '[';
}

static int is_inline(const change *edit, const sbx_toml *node)
{
    return node->type == SBX_TOML_TABLE && edit->text[node->span.offset] == '{';
}

/* The text from `begin` to the next header. */
typedef struct section {
    size_t begin, end, last; /* last: behind its last value; `begin` where there is none */
    size_t at;               /* asked: is this in the middle of a value? */
    int inside;
} section;

static void scan(const change *edit, const sbx_toml *table, section *part)
{
    const sbx_toml *node;
    size_t at, end;

    for (node = table->first; node; node = node->next) {
        at = node->span.offset;
        end = at + node->span.length;
        if (is_header(edit, node) && at >= part->begin && at < part->end)
            part->end = at;
        if (node->type == SBX_TOML_TABLE && !is_inline(edit, node))
            scan(edit, node, part);
        else if (at >= part->begin && at < part->end && end > part->last)
            part->last = end;
        part->inside |= node->type != SBX_TOML_TABLE && at < part->at && part->at < end;
    }
}

static size_t next_line(const change *edit, size_t at)
{
    const char *newline = memchr(edit->text + at, '\n', edit->length - at);

    return newline ? (size_t)(newline - edit->text) + 1 : edit->length;
}

/* Behind a line "# name = ...", where a reference keeps the place for it.  0: there is none. */
static size_t place_of(const change *edit, const section *part, const char *name)
{
    const size_t length = strlen(name);
    const char *c, *end = edit->text + part->end;
    size_t at;

    for (at = part->begin; at < part->end; at = next_line(edit, at)) {
        c = edit->text + at;
        if (*c++ != '#')
            continue;
        while (c < end && *c == ' ')
            c++;
        if ((size_t)(end - c) <= length || memcmp(c, name, length) != 0)
            continue;
        for (c += length; c < end && *c == ' ';)
            c++;
        if (c < end && *c == '=')
            return next_line(edit, at);
    }
    return 0;
}

/* Behind comments at the very top that stand for themselves. */
static size_t behind_title(const change *edit)
{
    size_t at = edit->begin;

    while (at < edit->length && edit->text[at] == '#')
        at = next_line(edit, at);
    return at == edit->length || edit->text[at] == '\r' || edit->text[at] == '\n' ? at : edit->begin;
}

static void put_line(change *edit, const char *table, const char *name, const char *value)
{
    const int behind = edit->at > edit->begin && edit->text[edit->at - 1] != '\n';

    sbx_text_printf(&edit->put, "%s%s%s%s = %s%s", behind ? edit->newline : "", table, table[0] ? "." : "", name, value,
                    edit->newline);
    if (edit->at < edit->length && edit->text[edit->at] == '[')
        sbx_text_add(&edit->put, edit->newline);
}

/* table: not empty for a dotted key. */
static void put_in_section(change *edit, const sbx_toml *root, size_t begin, const char *table, const char *name,
                           const char *value)
{
    section part = {begin, edit->length, begin, 0, 0};

    scan(edit, root, &part); /* its end ... */
    part.last = begin;
    part.at = place_of(edit, &part, name);
    scan(edit, root, &part); /* ... and what is in it */
    if (part.at && !part.inside && !table[0])
        edit->at = part.at;
    else if (part.last > begin)
        edit->at = next_line(edit, part.last);
    else
        edit->at = begin == edit->begin ? behind_title(edit) : begin;
    put_line(edit, table, name, value);
}

static int has_dotted_key(const change *edit, const sbx_toml *table)
{
    const sbx_toml *node;

    for (node = table->first; node; node = node->next)
        if (!is_header(edit, node))
            return 1;
    return 0;
}

static sbx_status place(change *edit, const char *file, const sbx_toml *root, const sbx_key *key, const char *value,
                        sbx_diag *diag)
{
    const char *name;
    const size_t length = sbx_schema_table_length(key, &name);
    const sbx_toml *table = root, *there, *last;
    char title[64] = "";

    if (length) {
        snprintf(title, sizeof(title), "%.*s", (int)length, key->name);
        table = sbx_toml_get(root, title);
    }
    there = table ? sbx_toml_get(table, name) : NULL;
    if (there && there->type == SBX_TOML_TABLE && !is_inline(edit, there)) {
        sbx_diag_set(diag, SBX_E_CONFIG, file, edit->text, edit->length, &there->key_span,
                     "\"%s\" is written over several lines", key->name);
        return sbx_diag_hint(diag, "change these lines there, or delete them first");
    }
    if (there) {
        edit->at = there->span.offset;
        edit->taken = there->span.length;
        sbx_text_add(&edit->put, value);
    } else if (!length) {
        put_in_section(edit, root, edit->begin, "", name, value);
    } else if (table && is_inline(edit, table)) {
        for (last = table->first; last && last->next; last = last->next)
            ;
        edit->at = table->span.offset + table->span.length - 1;
        while (edit->text[edit->at - 1] == ' ' || edit->text[edit->at - 1] == '\t')
            edit->at--;
        edit->taken = table->span.offset + table->span.length - edit->at;
        sbx_text_printf(&edit->put, "%s %s = %s }", last ? "," : "", name, value);
    } else if (table && is_header(edit, table)) {
        put_in_section(edit, root, next_line(edit, table->span.offset), "", name, value);
    } else if (table && has_dotted_key(edit, table)) {
        put_in_section(edit, root, edit->begin, title, name, value);
    } else {
        edit->at = edit->length;
        sbx_text_printf(&edit->put, "%s%s[%s]%s",
                        edit->length > edit->begin && edit->text[edit->length - 1] != '\n' ? edit->newline : "",
                        edit->length > edit->begin ? edit->newline : "", title, edit->newline);
        sbx_text_printf(&edit->put, "%s = %s%s", name, value, edit->newline);
    }
    return SBX_OK;
}

/* ---- whether it came out as it should ---- */

static int same_setting(const sbx_setting *a, const sbx_setting *b)
{
    uint32_t i;

    if (!a->source != !b->source || a->count != b->count)
        return 0;
    for (i = 0; i < a->count; i++)
        if (a->items[i].integer != b->items[i].integer || strcmp(a->items[i].text, b->items[i].text) != 0 ||
            !a->items[i].name != !b->items[i].name ||
            (a->items[i].name && strcmp(a->items[i].name, b->items[i].name) != 0))
            return 0;
    return 1;
}

static int same_but(const sbx_layer *a, const sbx_layer *b, const sbx_key *but)
{
    const sbx_profile *left = a->profiles, *right = b->profiles;
    uint32_t count, i;
    const sbx_key *keys = sbx_schema_keys(&count);

    for (i = 0; i < count; i++)
        if (&keys[i] != but && !same_setting(&a->settings[i], &b->settings[i]))
            return 0;
    for (; left && right; left = left->next, right = right->next) {
        if (strcmp(left->name, right->name) != 0 || !same_setting(&left->inherits, &right->inherits))
            return 0;
        for (i = 0; i < count; i++)
            if (!same_setting(&left->settings[i], &right->settings[i]))
                return 0;
    }
    return !left && !right;
}

/* The value alone, as a file: what TOML and the schema make of it. */
static sbx_status read_alone(const sbx_key *key, const char *value, sbx_layer **layer, sbx_diag *diag)
{
    sbx_text text = {0};
    sbx_status st;

    sbx_text_printf(&text, "%s = %s\n", key->name, value);
    st = text.failed ? sbx_diag_memory(diag) : sbx_layer_read(key->name, text.data, text.length, 1, layer, diag);
    sbx_text_fini(&text);
    return st;
}

static sbx_status check(const char *file, const sbx_key *key, const char *value, const sbx_layer *before,
                        const sbx_text *out, sbx_diag *diag)
{
    sbx_layer *after = NULL, *alone = NULL;
    uint32_t count, i = (uint32_t)(key - sbx_schema_keys(&count));
    sbx_status st = read_alone(key, value, &alone, diag);

    if (st == SBX_OK)
        st = sbx_layer_read(file, out->data, out->length, 1, &after, diag);
    if (st == SBX_OK && (!same_setting(&after->settings[i], &alone->settings[i]) || !same_but(before, after, key))) {
        sbx_diag_set(diag, SBX_E_CONFIG, file, NULL, 0, NULL,
                     "\"%s\" cannot be put into this text without changing "
                     "something else",
                     key->name);
        st = sbx_diag_hint(diag, "write it there yourself: %s = %s", key->name, value);
    }
    sbx_layer_free(after);
    sbx_layer_free(alone);
    return st;
}

sbx_status sbx_config_change(const char *file, const char *text, size_t length, const char *name,
                             const char *const *values, uint32_t count, sbx_text *out, sbx_diag *diag)
{
    const sbx_key *key = sbx_schema_find(name);
    sbx_arena arena = {NULL};
    sbx_setting wanted = {0};
    sbx_layer *before = NULL;
    sbx_text value = {0};
    change edit = {text, length, 0, "\n", 0, 0, {0}};
    const sbx_toml *root;
    const char *line;
    sbx_status st;

    if (!key)
        return unknown_key(name, diag);
    st = read_values(&arena, key, values, count, &wanted, diag);
    if (st == SBX_OK)
        st = sbx_layer_read(file, text, length, 1, &before, diag);
    if (st == SBX_OK)
        st = sbx_toml_parse(&arena, file, text, length, &root, diag);
    if (st != SBX_OK)
        goto out;
    add_value(&value, key, &wanted);
    edit.begin = length >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0;
    line = memchr(text, '\n', length);
    if (line && line > text && line[-1] == '\r')
        edit.newline = "\r\n";
    st = value.failed ? sbx_diag_memory(diag) : place(&edit, file, root, key, value.data, diag);
    if (st != SBX_OK)
        goto out;
    sbx_text_add_n(out, text, edit.at);
    sbx_text_add_n(out, edit.put.data, edit.put.length);
    sbx_text_add_n(out, text + edit.at + edit.taken, length - edit.at - edit.taken);
    out->failed |= edit.put.failed;
    st = out->failed ? sbx_diag_memory(diag) : check(file, key, value.data, before, out, diag);
out:
    sbx_text_fini(&edit.put);
    sbx_text_fini(&value);
    sbx_layer_free(before);
    sbx_arena_fini(&arena);
    return st;
}
