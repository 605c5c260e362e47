/* The two texts made from the schema: the merged configuration and the reference. */
#include <string.h>

#include "base/utf.h"
#include "config/json.h"
#include "config/setting.h"

#define ORIGIN_COLUMN 48u

/* ---- the merged values ---- */

static void add_quoted(sbx_text *out, const char *value)
{
    const unsigned char *c = (const unsigned char *)value;

    if (strchr(value, '\\') && !strchr(value, '\'')) {
        while (*c >= 0x20 && *c != 0x7F)
            c++;
        if (!*c) {
            sbx_text_printf(out, "'%s'", value);
            return;
        }
    }
    sbx_text_add_char(out, '"');
    for (c = (const unsigned char *)value; *c; c++)
        if (*c == '"' || *c == '\\')
            sbx_text_printf(out, "\\%c", *c);
        else if (*c < 0x20 || *c == 0x7F)
            sbx_text_printf(out, "\\u%04X", (unsigned)*c);
        else
            sbx_text_add_char(out, (char)*c);
    sbx_text_add_char(out, '"');
}

void sbx_item_add_name(sbx_text *out, const sbx_item *item)
{
    static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    if (*item->name && strspn(item->name, bare) == strlen(item->name))
        sbx_text_add(out, item->name);
    else
        add_quoted(out, item->name);
}

/* One that TOML and JSON write without quotes. */
static int is_number(const sbx_key *key, const sbx_item *item)
{
    return (key->type == SBX_KEY_COUNT && item->integer) ||
           (key->type == SBX_KEY_PORTS && SBX_PORTS_FIRST(item->integer) == SBX_PORTS_LAST(item->integer));
}

void sbx_item_add(sbx_text *out, const sbx_key *key, const sbx_item *item)
{
    char number[SBX_VALUE_TEXT];

    if (key->type == SBX_KEY_BOOLEAN) {
        sbx_text_add(out, item->integer ? "true" : "false");
    } else if (is_number(key, item)) {
        sbx_value_text(key->type, item->integer, number);
        sbx_text_add(out, number);
    } else if ((key->type == SBX_KEY_PORTS || (key->type >= SBX_KEY_PERCENT && key->type <= SBX_KEY_DURATION)) &&
               item->integer) {
        sbx_value_text(key->type, item->integer, number);
        sbx_text_printf(out, "\"%s\"", number);
    } else {
        add_quoted(out, item->text);
    }
}

/* "    # origin" behind what stands on the line that began at `start`. */
static void add_origin(sbx_text *out, size_t start, const sbx_source *source, const sbx_span *span)
{
    size_t columns;

    if (out->failed)
        return;
    for (columns = sbx_utf8_columns(out->data + start, out->length - start); columns < ORIGIN_COLUMN; columns++)
        sbx_text_add_char(out, ' ');
    sbx_text_add(out, " # ");
    sbx_source_origin(source, span, out);
    sbx_text_add_char(out, '\n');
}

static int one_origin(const sbx_setting *setting)
{
    uint32_t i;

    for (i = 1; i < setting->count; i++)
        if (setting->items[i].source != setting->items[0].source)
            return 0;
    return !setting->count || setting->items[0].source == setting->source;
}

static void show_key(sbx_text *out, const sbx_key *key, const char *name, const sbx_setting *setting)
{
    int table = (key->traits & SBX_KEY_TABLE) != 0, list = (key->traits & SBX_KEY_LIST) != 0;
    size_t start = out->length;
    uint32_t i;

    if (table && setting->count) {
        for (i = 0; i < setting->count; i++, start = out->length) {
            sbx_text_printf(out, "%s.", name);
            sbx_item_add_name(out, &setting->items[i]);
            sbx_text_add(out, " = ");
            sbx_item_add(out, key, &setting->items[i]);
            add_origin(out, start, setting->items[i].source, &setting->items[i].span);
        }
        return;
    }
    sbx_text_printf(out, "%s = ", name);
    if (list && !one_origin(setting)) {
        sbx_text_add(out, "[\n");
        for (i = 0; i < setting->count; i++) {
            start = out->length;
            sbx_text_add(out, "    ");
            sbx_item_add(out, key, &setting->items[i]);
            sbx_text_add_char(out, ',');
            add_origin(out, start, setting->items[i].source, &setting->items[i].span);
        }
        sbx_text_add(out, "]\n");
        return;
    }
    if (list || table)
        sbx_text_add_char(out, list ? '[' : '{');
    for (i = 0; i < setting->count; i++) {
        sbx_text_add(out, i ? ", " : "");
        sbx_item_add(out, key, &setting->items[i]);
    }
    if (list || table)
        sbx_text_add_char(out, list ? ']' : '}');
    add_origin(out, start, setting->source, &setting->span);
}

static void json_item(sbx_json *json, const char *name, const sbx_key *key, const sbx_item *item)
{
    if (key->type == SBX_KEY_BOOLEAN)
        sbx_json_boolean(json, name, item->integer != 0);
    else if (is_number(key, item))
        sbx_json_number(json, name,
                        key->type == SBX_KEY_PORTS ? SBX_PORTS_FIRST(item->integer) : (uint32_t)item->integer);
    else
        sbx_json_string(json, name, item->text);
}

static void json_origin(sbx_json *json, const sbx_source *source, const sbx_span *span)
{
    sbx_text origin = {0};

    sbx_source_origin(source, span, &origin);
    if (origin.failed)
        json->out->failed = 1;
    else
        sbx_json_string(json, "origin", origin.data);
    sbx_text_fini(&origin);
}

/* { "value": ..., "origin": "..." } for a plain key, an array of them for a list or a table. */
static void json_key(sbx_json *json, const sbx_key *key, const sbx_setting *setting)
{
    int several = (key->traits & (SBX_KEY_LIST | SBX_KEY_TABLE)) != 0;
    uint32_t i;

    if (several)
        sbx_json_open(json, key->name, '[');
    for (i = 0; i < setting->count; i++) {
        sbx_json_open(json, several ? NULL : key->name, '{');
        if (setting->items[i].name)
            sbx_json_string(json, "name", setting->items[i].name);
        json_item(json, "value", key, &setting->items[i]);
        json_origin(json, setting->items[i].source, &setting->items[i].span);
        sbx_json_close(json, '}');
    }
    if (several)
        sbx_json_close(json, ']');
}

/* As comments: what a profile holds counts only where it is chosen. */
static void show_profiles(sbx_text *out, const sbx_config *config)
{
    const sbx_layer *layer;
    const sbx_profile *profile;
    size_t start;

    sbx_text_add(out, "\n# Profiles, for --profile NAME:\n");
    for (layer = sbx_config_layers(config); layer; layer = layer->next)
        for (profile = layer->profiles; profile; profile = profile->next) {
            if (sbx_profile_is_replaced(layer, profile->name))
                continue;
            start = out->length;
            sbx_text_printf(out, "#   %s", profile->name);
            add_origin(out, start, &layer->source, &profile->span);
        }
}

sbx_status sbx_config_show(const sbx_config *config, int json, sbx_text *out)
{
    sbx_json writer = {out, 0, 0};
    const char *table = "", *name;
    size_t table_length = 0, length;
    const sbx_setting *setting;
    const sbx_key *keys;
    uint32_t count, i;

    keys = sbx_schema_keys(&count);
    if (json)
        sbx_json_open(&writer, NULL, '{');
    for (i = 0; i < count; i++) {
        setting = sbx_config_setting(config, keys[i].name);
        if (!setting->source)
            return SBX_E_CONFIG;
        if (json) {
            json_key(&writer, &keys[i], setting);
            continue;
        }
        length = sbx_schema_table_length(&keys[i], &name);
        if (length != table_length || memcmp(table, keys[i].name, length) != 0)
            sbx_text_printf(out, "\n[%.*s]\n", (int)length, keys[i].name);
        table = keys[i].name;
        table_length = length;
        show_key(out, &keys[i], name, setting);
    }
    if (json)
        sbx_json_close(&writer, '}');
    else
        show_profiles(out, config);
    return out->failed ? SBX_E_MEMORY : SBX_OK;
}

/* ---- the reference ---- */

static void add_comment(sbx_text *out, const char *comment)
{
    sbx_text_add(out, "# ");
    sbx_text_wrap(out, "#", 2, comment);
}

static const char reference_head[] =
    "# The configuration of sbx: every key with its default.\n"
    "#\n"
    "# Read in this order, the later overrides the earlier:\n"
    "#   built-in, %ProgramData%\\sbx\\sbx.toml, %APPDATA%\\sbx\\sbx.toml, --config FILE,\n"
    "#   --profile NAME, options\n"
    "# A file in the workspace is never read on its own: the command could have written it.\n"
    "# Between files a list replaces a list; an option adds to it (an empty argument drops it first).\n"
    "#\n"
    "# In paths and in environment.set: ${WORKSPACE} ${CWD} ${USERPROFILE} ${LOCALAPPDATA} ${APPDATA}\n"
    "# ${PROGRAMDATA} ${WINDIR} ${SYSTEMROOT}, ${env:NAME} from the environment, and $${ for a plain ${.\n"
    "# Write paths between single quotes: 'C:\\src\\project'.\n";

static const char reference_profiles[] =
    "\n# Profiles: any of the keys above under a name, chosen with --profile NAME.\n"
    "# `inherits` is a name or a list of names that are merged first.\n"
    "#\n"
    "# [profiles.ci]\n"
    "# inherits = \"base\"\n"
    "# require = [\"write\", \"network\"]\n"
    "# limits.time = \"30m\"\n";

sbx_status sbx_config_reference(sbx_text *out)
{
    const char *table = "", *name;
    size_t table_length = 0, length;
    sbx_text help = {0};
    const sbx_key *keys;
    uint32_t count, i;

    sbx_text_add(out, reference_head);
    keys = sbx_schema_keys(&count);
    for (i = 0; i < count; i++) {
        length = sbx_schema_table_length(&keys[i], &name);
        if (length != table_length || memcmp(table, keys[i].name, length) != 0)
            sbx_text_printf(out, "\n# ---- %.*s: %s\n[%.*s]\n", (int)length, keys[i].name,
                            sbx_schema_table_help(keys[i].name, length), (int)length, keys[i].name);
        table = keys[i].name;
        table_length = length;
        sbx_text_printf(&help, "%s.", keys[i].help);
        sbx_text_add_char(out, '\n');
        add_comment(out, help.failed ? "" : help.data);
        out->failed |= help.failed;
        sbx_text_fini(&help);
        if (keys[i].comment)
            add_comment(out, keys[i].comment);
        if (keys[i].flags[0].name)
            sbx_text_printf(out, "# Option: %s%s%s\n", keys[i].flags[0].name, keys[i].flags[0].argument ? " " : "",
                            keys[i].flags[0].argument ? keys[i].flags[0].argument : "");
        sbx_text_printf(out, "# %s = %s\n", name, keys[i].default_value);
    }
    sbx_text_add(out, reference_profiles);
    return out->failed ? SBX_E_MEMORY : SBX_OK;
}
