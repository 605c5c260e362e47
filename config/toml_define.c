/* Who may make a table, and who may add to it: toml.io/en/v1.0.0, "Keys", "Table", "Array of Tables". */
#include "config/toml_table.h"

sbx_status sbx_toml_enter(sbx_toml_reader *reader, sbx_toml_tables *tables, sbx_toml_node **table,
                          const sbx_toml_key *key, uint32_t origin)
{
    sbx_toml_node *node = sbx_toml_tables_find(tables, *table, key->text, key->length);

    if (!node) {
        if ((*table)->depth + 1 > SBX_TOML_MAX_DEPTH)
            return sbx_toml_fail(reader, key->span, "nested deeper than %u", SBX_TOML_MAX_DEPTH);
        node = sbx_toml_tables_add(tables, reader->arena, *table, key->text, key->length);
        if (!node)
            return sbx_toml_fail_memory(reader);
        node->value.type = SBX_TOML_TABLE;
        node->value.span = node->value.key_span = key->span;
        node->origin = origin;
    } else if (origin == SBX_TOML_IMPLIED && node->origin == SBX_TOML_REPEATED) {
        node = node->last;
    } else if (node->value.type != SBX_TOML_TABLE) {
        return sbx_toml_fail(reader, key->span, "\"%s\" is %s since line %u, not a table", key->text,
                             sbx_toml_type_name(node->value.type), (unsigned)node->value.key_span.line);
    } else if (node->origin == SBX_TOML_PLAIN) {
        return sbx_toml_fail(reader, key->span, "\"%s\" is an inline table (line %u), which nothing can be added to",
                             key->text, (unsigned)node->value.key_span.line);
    } else if (origin == SBX_TOML_DOTTED && node->origin != SBX_TOML_DOTTED) {
        return sbx_toml_fail(reader, key->span, "the table \"%s\" of line %u cannot be added to by a dotted key",
                             key->text, (unsigned)node->value.key_span.line);
    }
    *table = node;
    return SBX_OK;
}

sbx_status sbx_toml_define_table(sbx_toml_reader *reader, sbx_toml_tables *tables, sbx_toml_node *parent,
                                 const sbx_toml_key *key, sbx_span span, sbx_toml_node **table)
{
    sbx_toml_node *node = sbx_toml_tables_find(tables, parent, key->text, key->length);

    if (node && node->origin != SBX_TOML_IMPLIED)
        return sbx_toml_fail(reader, key->span, "\"%s\" is there already, in line %u, column %u", key->text,
                             (unsigned)node->value.key_span.line, (unsigned)node->value.key_span.column);
    if (!node)
        node = sbx_toml_tables_add(tables, reader->arena, parent, key->text, key->length);
    if (!node)
        return sbx_toml_fail_memory(reader);
    node->value.type = SBX_TOML_TABLE;
    node->value.key_span = key->span;
    node->value.span = span;
    node->origin = SBX_TOML_HEADER;
    *table = node;
    return SBX_OK;
}

sbx_status sbx_toml_define_element(sbx_toml_reader *reader, sbx_toml_tables *tables, sbx_toml_node *parent,
                                   const sbx_toml_key *key, sbx_span span, sbx_toml_node **table)
{
    sbx_toml_node *array = sbx_toml_tables_find(tables, parent, key->text, key->length), *node;

    if (array && array->origin != SBX_TOML_REPEATED)
        return sbx_toml_fail(reader, key->span, "\"%s\" is there already, in line %u, column %u, and is not [[%s]]",
                             key->text, (unsigned)array->value.key_span.line, (unsigned)array->value.key_span.column,
                             key->text);
    if (!array) {
        array = sbx_toml_tables_add(tables, reader->arena, parent, key->text, key->length);
        if (!array)
            return sbx_toml_fail_memory(reader);
        array->value.type = SBX_TOML_ARRAY;
        array->value.key_span = key->span;
        array->value.span = span;
        array->origin = SBX_TOML_REPEATED;
    }
    node = sbx_toml_tables_add(tables, reader->arena, array, NULL, 0);
    if (!node)
        return sbx_toml_fail_memory(reader);
    node->value.type = SBX_TOML_TABLE;
    node->value.span = span;
    node->origin = SBX_TOML_HEADER;
    *table = node;
    return SBX_OK;
}
