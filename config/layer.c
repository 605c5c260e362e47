#include <stdio.h>
#include <string.h>

#include "base/utf.h"
#include "config/setting.h"
#include "config/variables.h"

struct reader {
    sbx_layer *layer;
    sbx_setting *settings; /* of the file or of the profile that is read */
    sbx_profile *profile;  /* NULL outside of one */
    sbx_diag *diag;
};

sbx_status sbx_diag_memory(sbx_diag *diag)
{
    return sbx_diag_set(diag, SBX_E_MEMORY, NULL, NULL, 0, NULL, "out of memory");
}

static sbx_status fail_at(const struct reader *reader, const sbx_span *span, const sbx_problem *problem)
{
    const sbx_source *source = &reader->layer->source;

    sbx_diag_set(reader->diag, SBX_E_CONFIG, source->name, source->text, source->length, span, "%s", problem->message);
    if (problem->hint[0])
        sbx_diag_hint(reader->diag, "%s", problem->hint);
    return SBX_E_CONFIG;
}

sbx_status sbx_item_fail(const sbx_item *item, const sbx_problem *problem, sbx_diag *diag)
{
    const sbx_source *source = item->source;
    sbx_status status = source->flag ? SBX_E_USAGE : SBX_E_CONFIG;
    sbx_span span = item->span;
    size_t i, length = strlen(item->text);

    /* between plain quotes each byte stands for itself, so that the part can be pointed at */
    if (problem->length && source->text && span.length == length + 2 &&
        !memcmp(source->text + span.offset + 1, item->text, length)) {
        for (i = 0, span.column++; i < problem->at; span.column++)
            sbx_utf8_next(item->text, length, &i);
        span.offset += 1 + (uint32_t)problem->at;
        span.length = (uint32_t)problem->length;
    }
    if (source->rank) /* what is built in is in no file that a person could look at */
        sbx_diag_set(diag, status, source->name, source->text, source->length, source->flag ? NULL : &span, "%s",
                     problem->message);
    else
        sbx_diag_set(diag, status, NULL, NULL, 0, NULL, "%s", problem->message);
    if (problem->hint[0])
        sbx_diag_hint(diag, "%s", problem->hint);
    return status;
}

sbx_status sbx_item_typed(sbx_arena *arena, const sbx_source *source, const sbx_key *key, const char *text,
                          size_t length, sbx_item *item, sbx_diag *diag)
{
    sbx_problem problem;
    const char *divider = NULL;
    int right = 1;

    memset(item, 0, sizeof(*item));
    item->source = source;
    item->text = "";
    if (key->traits & SBX_KEY_TABLE) {
        divider = memchr(text, '=', length);
        if (!divider) {
            sbx_problem_set(&problem, 0, 0, "NAME=VALUE expected, not \"%.*s\"", (int)(length > 100 ? 100 : length),
                            text);
            sbx_problem_hint(&problem, "a variable of your own environment is named with --pass");
            return sbx_item_fail(item, &problem, diag);
        }
        right = sbx_variables_check_name(text, (size_t)(divider - text), &problem);
        item->name = sbx_arena_strndup(arena, text, (size_t)(divider - text));
        if (!item->name)
            return sbx_diag_memory(diag);
        length -= (size_t)(divider + 1 - text);
        text = divider + 1;
    }
    if (!right || !sbx_value_check(key, text, length, 1, &item->integer, &problem))
        return sbx_item_fail(item, &problem, diag);
    item->text = sbx_arena_strndup(arena, text, length);
    return item->text ? SBX_OK : sbx_diag_memory(diag);
}

void sbx_source_origin(const sbx_source *source, const sbx_span *span, sbx_text *out)
{
    sbx_text_add(out, source->name);
    if (source->rank && !source->flag)
        sbx_text_printf(out, ":%u", (unsigned)span->line);
}

static int takes_integers(const sbx_key *key)
{
    return (key->type >= SBX_KEY_COUNT && key->type <= SBX_KEY_DURATION) || key->type == SBX_KEY_PORTS;
}

static sbx_status wrong_type(const struct reader *reader, const sbx_key *key, const sbx_toml *value)
{
    sbx_problem problem;

    sbx_problem_set(&problem, 0, 0, "%s expected for \"%s\", not %s", sbx_schema_type_name(key), key->name,
                    sbx_toml_type_name(value->type));
    if (key->words && !strcmp(key->words[0], "off") && value->type == SBX_TOML_BOOLEAN)
        sbx_problem_hint(&problem, "write \"%s\"", value->integer ? "on" : "off");
    else if ((key->traits & SBX_KEY_LIST) &&
             (value->type == SBX_TOML_STRING || (value->type == SBX_TOML_INTEGER && takes_integers(key))))
        sbx_problem_hint(&problem, "put it in brackets: [...]");
    else if ((key->traits & SBX_KEY_TABLE) && value->type < SBX_TOML_ARRAY && value->type != SBX_TOML_STRING)
        sbx_problem_hint(&problem, "put the value in quotes");
    return fail_at(reader, &value->span, &problem);
}

static sbx_status read_item(const struct reader *reader, const sbx_key *key, const sbx_toml *value, sbx_item *item)
{
    sbx_problem problem;
    char number[SBX_VALUE_TEXT];
    int right;

    item->source = &reader->layer->source;
    item->span = value->span;
    if (value->type == SBX_TOML_BOOLEAN && key->type == SBX_KEY_BOOLEAN) {
        item->integer = value->integer;
        item->text = value->integer ? "true" : "false";
        return SBX_OK;
    }
    if (value->type == SBX_TOML_INTEGER && takes_integers(key)) {
        sbx_value_text(SBX_KEY_COUNT, value->integer, number);
        item->text = sbx_arena_strdup(&reader->layer->arena, number);
        right = sbx_value_check_integer(key, value->integer, &item->integer, &problem);
        if (!item->text)
            return sbx_diag_memory(reader->diag);
        return right ? SBX_OK : fail_at(reader, &value->span, &problem);
    }
    if (value->type != SBX_TOML_STRING)
        return wrong_type(reader, key, value);
    item->text = value->string;
    if (sbx_value_check(key, value->string, value->string_length, 0, &item->integer, &problem))
        return SBX_OK;
    if (memchr(value->string, 0, value->string_length))
        return fail_at(reader, &value->span, &problem);
    return sbx_item_fail(item, &problem, reader->diag);
}

static sbx_status read_variable(const struct reader *reader, const sbx_toml *value, sbx_setting *setting,
                                sbx_item *item)
{
    sbx_problem problem;
    uint32_t i;

    if (memchr(value->key, 0, value->key_length))
        sbx_problem_set(&problem, 0, 0, "the name of the variable holds a NUL character");
    else if (sbx_variables_check_name(value->key, value->key_length, &problem)) {
        item->name = value->key;
        for (i = 0; i < setting->count; i++)
            if (sbx_environment_same(setting->items[i].name, strlen(setting->items[i].name), item->name,
                                     value->key_length)) {
                sbx_problem_set(&problem, 0, 0, "\"%s\" is set twice: case makes no difference", item->name);
                return fail_at(reader, &value->key_span, &problem);
            }
        return SBX_OK;
    }
    return fail_at(reader, &value->key_span, &problem);
}

static sbx_status read_setting(const struct reader *reader, const sbx_key *key, const sbx_toml *value,
                               sbx_setting *setting)
{
    uint32_t wanted = key->traits & SBX_KEY_TABLE ? SBX_TOML_TABLE : SBX_TOML_ARRAY;
    int several = (key->traits & (SBX_KEY_LIST | SBX_KEY_TABLE)) != 0;
    const sbx_toml *element = several ? value->first : value;
    uint32_t count = several ? value->count : 1;
    sbx_status st;

    if (several && value->type != wanted)
        return wrong_type(reader, key, value);
    if (count > SBX_SETTING_MAX) {
        sbx_problem problem;

        sbx_problem_set(&problem, 0, 0, "\"%s\" has more than %u elements", key->name, SBX_SETTING_MAX);
        return fail_at(reader, &value->span, &problem);
    }
    setting->items = sbx_arena_alloc(&reader->layer->arena, (count ? count : 1) * sizeof(*setting->items));
    if (!setting->items)
        return sbx_diag_memory(reader->diag);
    for (; element; element = several ? element->next : NULL, setting->count++) {
        sbx_item *item = &setting->items[setting->count];

        if (key->traits & SBX_KEY_TABLE)
            if ((st = read_variable(reader, element, setting, item)) != SBX_OK)
                return st;
        if ((st = read_item(reader, key, element, item)) != SBX_OK)
            return st;
    }
    setting->source = &reader->layer->source;
    setting->span = value->span;
    return SBX_OK;
}

#define CANDIDATES 64u

static sbx_status unknown_key(const struct reader *reader, const char *table, size_t table_length,
                              const sbx_toml *value)
{
    const char *candidates[CANDIDATES], *rest, *nearest, *home = NULL;
    const sbx_key *keys;
    uint32_t count, i, used = 0;
    sbx_problem problem;
    size_t length;
    char word[80];
    int shown = (int)(value->key_length > 100 ? sbx_utf8_cut(value->key, 100) : value->key_length);

    sbx_problem_set(&problem, 0, 0, "unknown key \"%.*s%s%.*s\"", (int)table_length, table, table_length ? "." : "",
                    shown, value->key);
    keys = sbx_schema_keys(&count);
    snprintf(word, sizeof(word), "%.*s", shown, value->key);
    for (i = 0; i < count; i++) {
        length = sbx_schema_table_length(&keys[i], &rest);
        if (length == table_length && !memcmp(keys[i].name, table, length)) {
            if (used < CANDIDATES)
                candidates[used++] = rest;
        } else if (!strcmp(rest, word)) {
            home = keys[i].name;
        }
    }
    if (!table_length) {
        static const char *const tables[] = {"filesystem", "environment", "limits",   "console",
                                             "ui",         "tools",       "elevated", "profiles"};

        for (i = 0; i < sizeof(tables) / sizeof(tables[0]) && used < CANDIDATES; i++)
            if (!reader->profile || i + 1 < sizeof(tables) / sizeof(tables[0]))
                candidates[used++] = tables[i];
        if (reader->profile && used < CANDIDATES)
            candidates[used++] = "inherits";
    }
    if (home && table_length && !strchr(home, '.'))
        sbx_problem_hint(&problem, "\"%s\" belongs before the first [table]", home);
    else if (home)
        sbx_problem_hint(&problem, "did you mean \"%s\"?", home);
    else if ((nearest = sbx_suggest(word, candidates, used)))
        sbx_problem_hint(&problem, "did you mean \"%s\"?", nearest);
    else
        sbx_problem_hint(&problem, "`sbx config reference` lists the keys");
    return fail_at(reader, &value->key_span, &problem);
}

static sbx_status read_table(struct reader *reader, const char *table, size_t table_length, const sbx_toml *value);

static sbx_status read_inherits(const struct reader *reader, const sbx_toml *value)
{
    static const sbx_key key = {.name = "inherits", .type = SBX_KEY_NAME, .default_value = "[]"};
    sbx_key list = key;

    if (value->type == SBX_TOML_ARRAY)
        list.traits = SBX_KEY_LIST;
    return read_setting(reader, &list, value, &reader->profile->inherits);
}

static sbx_status read_profiles(struct reader *reader, const sbx_toml *table)
{
    static const sbx_key name_key = {.name = "profiles", .type = SBX_KEY_NAME, .default_value = ""};
    sbx_problem problem;
    sbx_profile **last = &reader->layer->profiles;
    const sbx_toml *value;
    uint32_t count;
    int64_t number;
    sbx_status st;

    sbx_schema_keys(&count);
    if (table->type != SBX_TOML_TABLE) {
        sbx_problem_set(&problem, 0, 0, "profiles are tables, [profiles.NAME], not %s",
                        sbx_toml_type_name(table->type));
        return fail_at(reader, &table->span, &problem);
    }
    if (table->count > SBX_PROFILES_MAX) {
        sbx_problem_set(&problem, 0, 0, "there are more than %u profiles", SBX_PROFILES_MAX);
        return fail_at(reader, &table->span, &problem);
    }
    for (value = table->first; value; value = value->next) {
        sbx_profile *profile = sbx_arena_alloc(&reader->layer->arena, sizeof(*profile));

        if (!profile || !(profile->settings = sbx_arena_alloc(&reader->layer->arena, count * sizeof(sbx_setting))))
            return sbx_diag_memory(reader->diag);
        if (!sbx_value_check(&name_key, value->key, value->key_length, 0, &number, &problem))
            return fail_at(reader, &value->key_span, &problem);
        if (value->type != SBX_TOML_TABLE) {
            sbx_problem_set(&problem, 0, 0, "a profile is a table, not %s", sbx_toml_type_name(value->type));
            return fail_at(reader, &value->span, &problem);
        }
        profile->name = value->key;
        profile->span = value->key_span;
        profile->source = &reader->layer->source;
        *last = profile;
        last = &profile->next;
        reader->profile = profile;
        reader->settings = profile->settings;
        st = read_table(reader, "", 0, value);
        reader->profile = NULL;
        reader->settings = reader->layer->settings;
        if (st != SBX_OK)
            return st;
    }
    return SBX_OK;
}

static sbx_status read_key(struct reader *reader, const char *table, size_t table_length, const sbx_toml *value)
{
    const sbx_key *keys, *key;
    sbx_problem problem;
    uint32_t count;
    char name[128];

    if (value->key_length >= 48 || memchr(value->key, 0, value->key_length))
        return unknown_key(reader, table, table_length, value);
    if (!table_length && !reader->profile && !strcmp(value->key, "profiles"))
        return read_profiles(reader, value);
    if (!table_length && reader->profile && !strcmp(value->key, "inherits"))
        return read_inherits(reader, value);
    if (!table_length && sbx_schema_table_help(value->key, value->key_length)) {
        if (value->type == SBX_TOML_TABLE)
            return read_table(reader, value->key, value->key_length, value);
        sbx_problem_set(&problem, 0, 0, "\"%s\" is a table, [%s], not %s", value->key, value->key,
                        sbx_toml_type_name(value->type));
        return fail_at(reader, &value->span, &problem);
    }
    snprintf(name, sizeof(name), "%.*s%s%s", (int)table_length, table, table_length ? "." : "", value->key);
    key = sbx_schema_find(name);
    /* a quoted "limits.time" at the top is a key of that name, not the one of the table */
    if (!key || strchr(value->key, '.'))
        return unknown_key(reader, table, table_length, value);
    keys = sbx_schema_keys(&count);
    return read_setting(reader, key, value, &reader->settings[key - keys]);
}

static sbx_status read_table(struct reader *reader, const char *table, size_t table_length, const sbx_toml *value)
{
    sbx_status st = SBX_OK;

    for (value = value->first; value && st == SBX_OK; value = value->next)
        st = read_key(reader, table, table_length, value);
    return st;
}

sbx_status sbx_layer_read(const char *file, const char *text, size_t length, uint32_t rank, sbx_layer **layer,
                          sbx_diag *diag)
{
    sbx_layer *made = sbx_alloc_zero(1, sizeof(*made));
    struct reader reader = {made, NULL, NULL, diag};
    const sbx_toml *root;
    uint32_t count;
    sbx_status st = SBX_E_MEMORY;

    if (!made)
        return sbx_diag_memory(diag);
    sbx_schema_keys(&count);
    made->source.name = sbx_arena_strdup(&made->arena, file);
    made->source.rank = rank;
    made->settings = sbx_arena_alloc(&made->arena, count * sizeof(sbx_setting));
    /* a text that is too long is refused by the reader before it is looked at */
    made->source.text = length <= SBX_TOML_MAX_BYTES ? sbx_arena_strndup(&made->arena, text, length) : text;
    made->source.length = length;
    reader.settings = made->settings;
    if (!made->source.name || !made->settings || !made->source.text) {
        sbx_diag_memory(diag);
        goto out;
    }
    st = sbx_toml_parse(&made->arena, made->source.name, made->source.text, length, &root, diag);
    if (st == SBX_OK)
        st = read_table(&reader, "", 0, root);
    if (st != SBX_OK)
        goto out;
    *layer = made;
    made = NULL;

out:
    sbx_layer_free(made);
    return st;
}

void sbx_layer_free(sbx_layer *layer)
{
    if (!layer)
        return;
    sbx_arena_fini(&layer->arena);
    sbx_free(layer);
}
