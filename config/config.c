#include "config/config.h"

#include <string.h>

#include "base/memory.h"
#include "config/setting.h"
#include "config/variables.h"

struct sbx_config {
    sbx_layer *layers, **last; /* the built-in one first */
    uint32_t layer_count;
    sbx_arena arena; /* of the flags and of what is merged */
    uint32_t key_count;
    sbx_setting *flags;  /* what flags gave */
    uint8_t *dropped;    /* a flag emptied the list */
    const char **empty;  /* the one that takes no argument and means that the list is empty, once given */
    sbx_setting *merged; /* NULL before finish */
    const char **origins;
    const char *const **lists;
    const char *profile;
    uint32_t order;
};

static sbx_status add_layer(sbx_config *config, const char *file, const char *text, size_t length, uint32_t rank,
                            sbx_diag *diag)
{
    sbx_layer *layer;
    sbx_status st = sbx_layer_read(file, text, length, rank, &layer, diag);

    if (st != SBX_OK)
        return st;
    *config->last = layer;
    config->last = &layer->next;
    config->layer_count++;
    return SBX_OK;
}

/* All keys with their defaults, as a text that is read like any other. */
static sbx_status add_builtin(sbx_config *config)
{
    const char *table = "", *name;
    size_t table_length = 0, length;
    const sbx_key *keys;
    sbx_text text = {0};
    sbx_status st = SBX_E_MEMORY;
    uint32_t i;

    keys = sbx_schema_keys(&config->key_count);
    for (i = 0; i < config->key_count; i++) {
        length = sbx_schema_table_length(&keys[i], &name);
        if (length != table_length || memcmp(table, keys[i].name, length) != 0)
            sbx_text_printf(&text, "[%.*s]\n", (int)length, keys[i].name);
        table = keys[i].name;
        table_length = length;
        sbx_text_printf(&text, "%s = %s\n", name, keys[i].default_value);
    }
    if (!text.failed)
        st = sbx_config_add(config, "built-in", text.data, text.length, NULL);
    sbx_text_fini(&text);
    /* of another name: whoever chooses one has asked for what is in it */
    return st == SBX_OK ? add_layer(config, "built-in profile", sbx_profiles, strlen(sbx_profiles), 0, NULL) : st;
}

sbx_config *sbx_config_new(void)
{
    sbx_config *config = sbx_alloc_zero(1, sizeof(*config));

    if (!config)
        return NULL;
    config->last = &config->layers;
    sbx_schema_keys(&config->key_count);
    config->flags = sbx_arena_alloc(&config->arena, config->key_count * sizeof(*config->flags));
    config->dropped = sbx_arena_alloc(&config->arena, config->key_count);
    config->empty = sbx_arena_alloc(&config->arena, config->key_count * sizeof(*config->empty));
    if (!config->flags || !config->dropped || !config->empty || add_builtin(config) != SBX_OK) {
        sbx_config_free(config);
        return NULL;
    }
    return config;
}

void sbx_config_free(sbx_config *config)
{
    sbx_layer *layer;

    if (!config)
        return;
    while ((layer = config->layers)) {
        config->layers = layer->next;
        sbx_layer_free(layer);
    }
    sbx_arena_fini(&config->arena);
    sbx_free(config);
}

sbx_status sbx_config_add(sbx_config *config, const char *file, const char *text, size_t length, sbx_diag *diag)
{
    return add_layer(config, file, text, length, config->layer_count, diag);
}

/* `to` and then `from`, in a new array. */
static sbx_status append_items(sbx_config *config, sbx_setting *to, const sbx_item *from, uint32_t count)
{
    sbx_item *items = sbx_arena_alloc(&config->arena, ((size_t)to->count + count + 1) * sizeof(*items));

    if (!items)
        return SBX_E_MEMORY;
    if (to->count)
        memcpy(items, to->items, to->count * sizeof(*items));
    if (count)
        memcpy(items + to->count, from, count * sizeof(*items));
    to->items = items;
    to->count += count;
    return SBX_OK;
}

static sbx_status set_item(sbx_config *config, const sbx_source *source, const sbx_key *key, sbx_setting *setting,
                           const char *text, size_t length, sbx_diag *diag)
{
    sbx_item item;
    sbx_problem problem;
    sbx_status st = sbx_item_typed(&config->arena, source, key, text, length, &item, diag);

    if (st != SBX_OK)
        return st;
    if (!(key->traits & (SBX_KEY_LIST | SBX_KEY_TABLE)))
        setting->count = 0;
    if (setting->count >= SBX_SETTING_MAX) {
        sbx_problem_set(&problem, 0, 0, "the option is given more than %u times", SBX_SETTING_MAX);
        return sbx_item_fail(&item, &problem, diag);
    }
    if (append_items(config, setting, &item, 1) != SBX_OK)
        return sbx_diag_memory(diag);
    setting->source = source;
    return SBX_OK;
}

/* The option of the key that takes no argument, if this is it. */
static const char *without_argument(const sbx_key *key, const char *flag)
{
    uint32_t f;

    for (f = 0; f < SBX_KEY_FLAGS && key->flags[f].name; f++)
        if (!key->flags[f].argument && !strcmp(key->flags[f].name, flag))
            return key->flags[f].name;
    return NULL;
}

/* One option says that a list is empty, another one puts something into it: in either order. */
static sbx_status check_empty(const sbx_key *key, const char *empty, const sbx_setting *setting, const char *flag,
                              sbx_diag *diag)
{
    const sbx_flag *fills = &key->flags[0];

    if (!empty || !setting->count)
        return SBX_OK;
    sbx_diag_set(diag, SBX_E_USAGE, empty, NULL, 0, NULL, "it contradicts %s", flag);
    sbx_diag_hint(diag, "for that alone write: %s= %s %s", fills->name, fills->name, fills->argument);
    return SBX_E_USAGE;
}

sbx_status sbx_config_set(sbx_config *config, const char *flag, const char *name, const char *value, sbx_diag *diag)
{
    const sbx_key *key = sbx_schema_find(name);
    sbx_source *source;
    size_t length = strlen(value), part;
    const char *comma;
    sbx_setting *setting, made;
    uint32_t count, index;
    sbx_status st;

    if (!key)
        return sbx_diag_set(diag, SBX_E_USAGE, flag, NULL, 0, NULL, "there is no key \"%s\"", name);
    source = sbx_arena_alloc(&config->arena, sizeof(*source));
    if (!source || !(source->name = sbx_arena_strdup(&config->arena, flag)))
        return sbx_diag_memory(diag);
    source->rank = SBX_FLAG_RANK;
    source->flag = 1;
    index = (uint32_t)(key - sbx_schema_keys(&count));
    setting = &config->flags[index];
    if ((key->traits & (SBX_KEY_LIST | SBX_KEY_TABLE)) && !length) {
        if (without_argument(key, flag)) {
            config->empty[index] = without_argument(key, flag);
            st = check_empty(key, flag, setting, setting->count ? setting->source->name : flag, diag);
            if (st != SBX_OK)
                return st;
        }
        config->dropped[index] = 1;
        setting->count = 0;
        setting->source = source;
        return SBX_OK;
    }
    made = *setting;
    do {
        comma = key->traits & SBX_KEY_COMMAS ? memchr(value, ',', length) : NULL;
        part = comma ? (size_t)(comma - value) : length;
        st = set_item(config, source, key, &made, value, part, diag);
        if (st != SBX_OK)
            return st;
        value += part + 1;
        length -= comma ? part + 1 : part;
    } while (comma);
    *setting = made;
    return key->traits & (SBX_KEY_LIST | SBX_KEY_TABLE) ? check_empty(key, config->empty[index], setting, flag, diag)
                                                        : SBX_OK;
}

/* ---- merging ---- */

static sbx_status merge_table(sbx_config *config, sbx_setting *to, const sbx_setting *from)
{
    uint32_t i, j;
    sbx_status st;

    for (i = 0; i < from->count; i++) {
        const char *name = from->items[i].name;
        sbx_item item = from->items[i];

        item.order = config->order;
        for (j = 0; j < to->count; j++)
            if (sbx_environment_same(to->items[j].name, strlen(to->items[j].name), name, strlen(name)))
                break;
        if (j < to->count)
            to->items[j] = item;
        else if ((st = append_items(config, to, &item, 1)) != SBX_OK)
            return st;
    }
    return SBX_OK;
}

static sbx_status merge(sbx_config *config, const sbx_setting *settings, int flags)
{
    const sbx_key *keys = sbx_schema_keys(&config->key_count);
    uint32_t i, j, first;
    sbx_status st;

    config->order++;
    for (i = 0; i < config->key_count; i++) {
        const sbx_setting *from = &settings[i];
        sbx_setting *to = &config->merged[i];

        if (!from->source)
            continue;
        to->source = from->source;
        to->span = from->span;
        if ((!flags || config->dropped[i]) && !((keys[i].traits & SBX_KEY_TABLE) && !flags))
            to->count = 0;
        if (flags && !(keys[i].traits & (SBX_KEY_LIST | SBX_KEY_TABLE)))
            to->count = 0;
        if (keys[i].traits & SBX_KEY_TABLE) {
            st = merge_table(config, to, from);
        } else {
            first = to->count;
            st = append_items(config, to, from->items, from->count);
            for (j = first; st == SBX_OK && j < to->count; j++)
                to->items[j].order = config->order;
        }
        if (st != SBX_OK)
            return st;
    }
    return SBX_OK;
}

/* What it inherits, then itself. */
static sbx_status merge_profile(sbx_config *config, const char *chosen, sbx_diag *diag)
{
    const char *const *names = NULL;
    const sbx_layer *layer;
    const sbx_profile *profile;
    uint32_t count = 0, i;
    sbx_status st = sbx_profile_order(config->layers, chosen, &config->arena, &names, &count, diag);

    for (i = 0; i < count && st == SBX_OK; i++)
        for (layer = config->layers; layer && st == SBX_OK; layer = layer->next)
            if ((profile = sbx_profile_in(layer, names[i])) && !sbx_profile_is_replaced(layer, names[i]) &&
                merge(config, profile->settings, 0) != SBX_OK)
                st = sbx_diag_memory(diag);
    return st;
}

/* ---- the result ---- */

static sbx_status keep_results(sbx_config *config)
{
    const sbx_key *keys = sbx_schema_keys(&config->key_count);
    const sbx_setting *setting;
    sbx_text origin = {0};
    const char **list;
    uint32_t i, j;

    for (i = 0; i < config->key_count; i++) {
        setting = &config->merged[i];
        sbx_source_origin(setting->source, &setting->span, &origin);
        config->origins[i] = origin.failed ? NULL : sbx_arena_strdup(&config->arena, origin.data);
        sbx_text_fini(&origin);
        list = sbx_arena_alloc(&config->arena, (setting->count + 1) * sizeof(*list));
        if (!config->origins[i] || !list)
            return SBX_E_MEMORY;
        for (j = 0; j < setting->count; j++) {
            list[j] = setting->items[j].text;
            if (keys[i].traits & SBX_KEY_TABLE)
                list[j] = sbx_arena_printf(&config->arena, "%s=%s", setting->items[j].name, list[j]);
            if (!list[j])
                return SBX_E_MEMORY;
        }
        config->lists[i] = list;
    }
    return SBX_OK;
}

static sbx_status check_fallback(const sbx_config *config, sbx_diag *diag)
{
    const sbx_item *fallback = &sbx_config_setting(config, "fallback")->items[0];
    sbx_problem problem;

    if (strcmp(fallback->text, "none") != 0)
        return SBX_OK;
    sbx_problem_set(&problem, 0, 0, "the backend \"none\" confines nothing and cannot be a fallback");
    sbx_problem_hint(&problem, "for no fallback write \"refuse\"; to run without a sandbox choose the backend none");
    return sbx_item_fail(fallback, &problem, diag);
}

/* No backend can enforce that what is granted is not there. */
static sbx_status check_network(const sbx_config *config, sbx_diag *diag)
{
    const sbx_setting *require = sbx_config_setting(config, "require");
    const char *origin = "", *network = sbx_config_string(config, "network", &origin);
    sbx_problem problem;
    uint32_t i;

    if (!network || strcmp(network, "on") != 0)
        return SBX_OK;
    for (i = 0; i < require->count; i++)
        if (!strcmp(require->items[i].text, "network")) {
            sbx_problem_set(&problem, 0, 0, "\"network\" cannot be required while the network is on (%.200s)", origin);
            sbx_problem_hint(&problem, "take back one of the two");
            return sbx_item_fail(&require->items[i], &problem, diag);
        }
    return SBX_OK;
}

sbx_status sbx_config_finish(sbx_config *config, const char *profile, sbx_diag *diag)
{
    const sbx_layer *layer;
    sbx_status st = SBX_OK;

    config->merged = sbx_arena_alloc(&config->arena, config->key_count * sizeof(*config->merged));
    config->origins = sbx_arena_alloc(&config->arena, config->key_count * sizeof(*config->origins));
    config->lists = sbx_arena_alloc(&config->arena, config->key_count * sizeof(*config->lists));
    if (!config->merged || !config->origins || !config->lists)
        goto memory;
    for (layer = config->layers; layer; layer = layer->next)
        if (merge(config, layer->settings, 0) != SBX_OK)
            goto memory;
    st = merge_profile(config, profile, diag);
    if (st != SBX_OK)
        goto out;
    if (profile && !(config->profile = sbx_arena_strdup(&config->arena, profile)))
        goto memory;
    if (merge(config, config->flags, 1) != SBX_OK || keep_results(config) != SBX_OK)
        goto memory;
    if ((st = check_fallback(config, diag)) == SBX_OK)
        st = check_network(config, diag);
    goto out;

memory:
    st = sbx_diag_memory(diag);
out:
    if (st != SBX_OK)
        config->merged = NULL;
    return st;
}

const sbx_setting *sbx_config_setting(const sbx_config *config, const char *name)
{
    static const sbx_setting nothing = {0};
    const sbx_key *key = sbx_schema_find(name);
    uint32_t count;

    return key && config->merged ? &config->merged[key - sbx_schema_keys(&count)] : &nothing;
}

const char *sbx_config_string(const sbx_config *config, const char *name, const char **origin)
{
    const sbx_setting *setting = sbx_config_setting(config, name);
    const sbx_key *key = sbx_schema_find(name);
    uint32_t count;

    if (!setting->source)
        return NULL;
    if (origin)
        *origin = config->origins[key - sbx_schema_keys(&count)];
    return key->traits & (SBX_KEY_LIST | SBX_KEY_TABLE) ? NULL : setting->items[0].text;
}

int64_t sbx_config_integer(const sbx_config *config, const char *name)
{
    const sbx_setting *setting = sbx_config_setting(config, name);

    return setting->count ? setting->items[0].integer : 0;
}

const char *const *sbx_config_list(const sbx_config *config, const char *name, uint32_t *count)
{
    const sbx_setting *setting = sbx_config_setting(config, name);

    *count = setting->count;
    return setting->source ? config->lists[setting - config->merged] : NULL;
}

const char *sbx_config_file(const sbx_config *config, uint32_t index)
{
    const sbx_layer *layer = config->layers;

    while (layer && (!layer->source.rank || index--))
        layer = layer->next;
    return layer ? layer->source.name : NULL;
}

const sbx_layer *sbx_config_layers(const sbx_config *config)
{
    return config->layers;
}

const char *sbx_config_profile(const sbx_config *config)
{
    return config->profile;
}
