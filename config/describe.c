/* The JSON Schema of a configuration file, made from the schema table: for editors (`#:schema`) and for programs that write one. */
#include <string.h>

#include "config/config.h"
#include "config/json.h"
#include "config/schema.h"

#define SIZE "^[0-9]+([KMGTkmgt]([Ii]?[Bb])?|[Bb])$"
#define DURATION "^([0-9]+([Mm][Ss]|[SsMmHhDd]))+$"
#define PERCENT "^[0-9]+%?$"
#define PORTS "^([0-9]+(-[0-9]+)?|all)$"
#define NAME "^[A-Za-z0-9_-]+$"

static void add_text(sbx_json *json, const char *pattern)
{
    sbx_json_string(json, "type", "string");
    if (pattern)
        sbx_json_string(json, "pattern", pattern);
}

static void add_whole(sbx_json *json, const sbx_key *key)
{
    sbx_json_string(json, "type", "integer");
    sbx_json_number(json, "minimum", (uint64_t)key->min);
    sbx_json_number(json, "maximum", (uint64_t)key->max);
}

static void open_choice(sbx_json *json)
{
    sbx_json_close(json, '}');
    sbx_json_open(json, NULL, '{');
}

/* One element: what TOML writes it as. */
static void add_element(sbx_json *json, const sbx_key *key)
{
    const int numbers = key->type == SBX_KEY_COUNT || key->type == SBX_KEY_PERCENT || key->type == SBX_KEY_PORTS;
    const int choices = numbers || (key->traits & SBX_KEY_NONE);
    uint32_t i;

    if (choices) {
        sbx_json_open(json, "anyOf", '[');
        sbx_json_open(json, NULL, '{');
    }
    if (numbers)
        add_whole(json, key);
    if (key->type == SBX_KEY_PERCENT || key->type == SBX_KEY_PORTS) {
        open_choice(json);
        add_text(json, key->type == SBX_KEY_PORTS ? PORTS : PERCENT);
    } else if (key->type == SBX_KEY_ENUM) {
        sbx_json_open(json, "enum", '[');
        for (i = 0; key->words[i]; i++)
            sbx_json_string(json, NULL, key->words[i]);
        sbx_json_close(json, ']');
    } else if (key->type == SBX_KEY_BOOLEAN) {
        sbx_json_string(json, "type", "boolean");
    } else if (!numbers) {
        add_text(json, key->type == SBX_KEY_SIZE       ? SIZE
                       : key->type == SBX_KEY_DURATION ? DURATION
                       : key->type == SBX_KEY_NAME     ? NAME
                                                       : NULL);
    }
    if (key->traits & SBX_KEY_NONE) {
        open_choice(json);
        sbx_json_string(json, "const", "none");
    }
    if (choices) {
        sbx_json_close(json, '}');
        sbx_json_close(json, ']');
    }
}

static void add_key(sbx_json *json, const sbx_key *key, const char *name)
{
    sbx_text help = {0};

    sbx_text_printf(&help, "%s.%s%s", key->help, key->comment ? " " : "", key->comment ? key->comment : "");
    sbx_json_open(json, name, '{');
    sbx_json_string(json, "description", help.failed ? NULL : help.data);
    json->out->failed |= help.failed;
    sbx_text_fini(&help);
    if (key->traits & SBX_KEY_LIST) {
        sbx_json_string(json, "type", "array");
        sbx_json_open(json, "items", '{');
    } else if (key->traits & SBX_KEY_TABLE) {
        sbx_json_string(json, "type", "object");
        sbx_json_open(json, "additionalProperties", '{');
    }
    add_element(json, key);
    if (key->traits & (SBX_KEY_LIST | SBX_KEY_TABLE))
        sbx_json_close(json, '}');
    sbx_json_literal(json, "default", key->default_value); /* its TOML is JSON, too */
    sbx_json_close(json, '}');
}

static void open_table(sbx_json *json, const char *name, const char *help)
{
    sbx_json_open(json, name, '{');
    if (help)
        sbx_json_string(json, "description", help);
    sbx_json_string(json, "type", "object");
    sbx_json_boolean(json, "additionalProperties", 0);
    sbx_json_open(json, "properties", '{');
}

static void close_table(sbx_json *json)
{
    sbx_json_close(json, '}');
    sbx_json_close(json, '}');
}

static void add_keys(sbx_json *json)
{
    const char *table = "", *name;
    size_t table_length = 0, length;
    char of[32];
    uint32_t count, i;
    const sbx_key *keys = sbx_schema_keys(&count);

    for (i = 0; i < count; i++) {
        length = sbx_schema_table_length(&keys[i], &name);
        if (length != table_length || memcmp(table, keys[i].name, length) != 0) {
            if (table_length)
                close_table(json);
            memcpy(of, keys[i].name, length);
            of[length] = 0;
            open_table(json, of, sbx_schema_table_help(of, length));
        }
        table = keys[i].name;
        table_length = length;
        add_key(json, &keys[i], name);
    }
    if (table_length)
        close_table(json);
}

sbx_status sbx_config_describe(sbx_text *out)
{
    sbx_json json = {out, 0, 0};

    sbx_json_open(&json, NULL, '{');
    sbx_json_string(&json, "$schema", "http://json-schema.org/draft-07/schema#");
    sbx_json_string(&json, "title", "sbx.toml, the configuration of sbx");
    sbx_json_string(&json, "type", "object");
    sbx_json_boolean(&json, "additionalProperties", 0);
    sbx_json_open(&json, "properties", '{');
    add_keys(&json);
    sbx_json_open(&json, "profiles", '{');
    sbx_json_string(&json, "description", "Any of the keys under a name, chosen with --profile NAME");
    sbx_json_string(&json, "type", "object");
    open_table(&json, "additionalProperties", NULL);
    sbx_json_open(&json, "inherits", '{');
    sbx_json_string(&json, "description", "Profiles that are merged first");
    sbx_json_literal(&json, "anyOf",
                     "[{\"type\": \"string\"}, {\"type\": \"array\", \"items\": {\"type\": \"string\"}}]");
    sbx_json_close(&json, '}');
    add_keys(&json);
    close_table(&json);
    sbx_json_close(&json, '}');
    sbx_json_close(&json, '}');
    sbx_json_close(&json, '}');
    sbx_text_add_char(out, '\n');
    return out->failed ? SBX_E_MEMORY : SBX_OK;
}
