/*
 * The schema: every key that a configuration may hold, in one table.
 *
 * The table drives the checking of files and flags, the defaults, `sbx config show`, the
 * help, the options of the command line, its completion, and the reference sbx.toml.
 *
 *   for (i = 0; i < count; i++)
 *       for (f = 0; f < SBX_KEY_FLAGS && keys[i].flags[f].name; f++)
 *           an option: give sbx_config_set the flag's name, keys[i].name, and the argument
 *           or, for a flag that takes none, flags[f].value
 *
 * Constant data: any thread.
 */
#ifndef SBX_CONFIG_SCHEMA_H
#define SBX_CONFIG_SCHEMA_H

#include "config/diag.h"

#define SBX_KEY_STRING 1u    /* any text */
#define SBX_KEY_NAME 2u      /* letters, digits, '-' and '_' */
#define SBX_KEY_ENUM 3u      /* one of `words` */
#define SBX_KEY_BOOLEAN 4u   /* true, false; as a flag also on, off */
#define SBX_KEY_COUNT 5u     /* a whole number */
#define SBX_KEY_PERCENT 6u   /* 50 or "50%" */
#define SBX_KEY_SIZE 7u      /* "4GiB"; the integer is in bytes */
#define SBX_KEY_DURATION 8u  /* "1h30m"; the integer is in milliseconds */
#define SBX_KEY_PATH 9u      /* relative to the workspace unless absolute */
#define SBX_KEY_VARIABLE 10u /* the name of an environment variable */
#define SBX_KEY_PATTERN 11u  /* such a name, or the begin of one and '*' */
#define SBX_KEY_PORTS 12u    /* 8080, "3000-3999", "all"; the integer is an SBX_PORTS of value.h */

#define SBX_KEY_LIST 0x1u    /* an array of these */
#define SBX_KEY_TABLE 0x2u   /* a table NAME = value of these; as a flag NAME=VALUE */
#define SBX_KEY_EXPAND 0x4u  /* ${NAME} is replaced, see variables.h */
#define SBX_KEY_NONE 0x8u    /* "none" is allowed and means 0 */
#define SBX_KEY_COMMAS 0x10u /* a flag's argument may hold several, between commas */

#define SBX_KEY_FLAGS 2

/* An option of the command line that sets the key.  `name` NULL: there is none. */
typedef struct sbx_flag {
    const char *name;       /* "--network" */
    const char *short_name; /* "-w", or NULL */
    const char *argument;   /* its name in the help, "DIR"; NULL: the flag stands alone and means `value` */
    const char *value;      /* what to give sbx_config_set when there is no argument ("" empties a list) */
    const char *help;       /* NULL: the key's */
} sbx_flag;

typedef struct sbx_key {
    const char *name;          /* "limits.time"; the part before the dot is the TOML table */
    uint32_t type;             /* SBX_KEY_STRING ... SBX_KEY_PORTS; of each element for a list */
    uint32_t traits;           /* SBX_KEY_LIST ... */
    const char *default_value; /* as TOML text; never NULL */
    const char *const *words;  /* ENUM: ends with NULL */
    int64_t min, max;          /* numbers; both 0: not limited.  "none" is outside of it */
    sbx_flag flags[SBX_KEY_FLAGS];
    const char *help;    /* one line, without a full stop */
    const char *comment; /* for the reference, lines divided by '\n'; NULL: nothing to add */
} sbx_key;

/* The keys, in the order of the reference: those of one table stand together. */
const sbx_key *sbx_schema_keys(uint32_t *count);

/* NULL for a name that is not a key. */
const sbx_key *sbx_schema_find(const char *name);

/* "a string", "a list of strings", ... for messages. */
const char *sbx_schema_type_name(const sbx_key *key);

/* The table "limits" that a key belongs to, "" for those at the top; *name gets the part behind it. */
size_t sbx_schema_table_length(const sbx_key *key, const char **name);

/* What stands behind the reference's "[limits]" line as a comment; NULL when the table is unknown. */
const char *sbx_schema_table_help(const char *table, size_t length);

#endif
