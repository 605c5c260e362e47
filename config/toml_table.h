/* The tables of a TOML document while it is read: which keys there are, and who may add to them. */
#ifndef SBX_CONFIG_TOML_TABLE_H
#define SBX_CONFIG_TOML_TABLE_H

#include "config/toml_reader.h"

#define SBX_TOML_PLAIN 0u    /* a value, an array of values, an inline table: nothing is added */
#define SBX_TOML_IMPLIED 1u  /* a table that only the name of another brought about */
#define SBX_TOML_HEADER 2u   /* [table] */
#define SBX_TOML_DOTTED 3u   /* made by a dotted key; others in the same place add to it */
#define SBX_TOML_REPEATED 4u /* [[array]] */

typedef struct sbx_toml_node {
    sbx_toml value; /* first, so that the one is the other */
    struct sbx_toml_node *last, *same_hash;
    const struct sbx_toml_node *parent;
    uint32_t origin; /* SBX_TOML_PLAIN ... */
    uint32_t depth;
    uint32_t hash;
} sbx_toml_node;

typedef struct sbx_toml_tables {
    sbx_toml_node **slots; /* every element with a key, by parent and key */
    size_t size, used;     /* size: 0 or a power of two */
} sbx_toml_tables;

/* One part of a key in the text. */
typedef struct sbx_toml_key {
    const char *text;
    size_t length;
    sbx_span span;
} sbx_toml_key;

/* A new element at the end of `parent` (an array: key NULL), NULL without memory.  The key's text
 * must live as long as the arena. */
sbx_toml_node *sbx_toml_tables_add(sbx_toml_tables *tables, sbx_arena *arena, sbx_toml_node *parent, const char *key,
                                   size_t key_length);
sbx_toml_node *sbx_toml_tables_find(const sbx_toml_tables *tables, const sbx_toml_node *parent, const char *key,
                                    size_t key_length);
void sbx_toml_tables_fini(sbx_toml_tables *tables);

/* Go from *table into the table `key`, which is made when it is not there.  `origin`: IMPLIED for the
 * name of a header, DOTTED for a dotted key. */
sbx_status sbx_toml_enter(sbx_toml_reader *reader, sbx_toml_tables *tables, sbx_toml_node **table,
                          const sbx_toml_key *key, uint32_t origin);

/* [key] and [[key]] in `parent`; `span` is that of the header. */
sbx_status sbx_toml_define_table(sbx_toml_reader *reader, sbx_toml_tables *tables, sbx_toml_node *parent,
                                 const sbx_toml_key *key, sbx_span span, sbx_toml_node **table);
sbx_status sbx_toml_define_element(sbx_toml_reader *reader, sbx_toml_tables *tables, sbx_toml_node *parent,
                                   const sbx_toml_key *key, sbx_span span, sbx_toml_node **table);

#endif
