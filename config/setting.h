/*
 * What a configuration holds inside: each key's elements, with where they come from.
 * For the files of config/ only.
 */
#ifndef SBX_CONFIG_SETTING_H
#define SBX_CONFIG_SETTING_H

#include "config/config.h"
#include "config/value.h"

typedef struct sbx_source {
    const char *name; /* file, flag, or "built-in" */
    const char *text; /* of a file; NULL for a flag */
    size_t length;
    uint32_t rank; /* later layers have higher ones */
    int flag;
} sbx_source;

typedef struct sbx_item {
    const char *name; /* TABLE: the left side */
    const char *text; /* as written, without quotes */
    int64_t integer;
    sbx_span span;
    const sbx_source *source;
    uint32_t order; /* when it was merged: later overrides earlier */
} sbx_item;

/* More elements of one key, and more profiles, than any person writes are an error. */
#define SBX_SETTING_MAX 4096u
#define SBX_PROFILES_MAX 256u

typedef struct sbx_setting {
    const sbx_source *source; /* NULL: not set */
    sbx_span span;
    sbx_item *items; /* one for a plain key */
    uint32_t count;
} sbx_setting;

typedef struct sbx_profile {
    struct sbx_profile *next;
    const char *name;
    sbx_span span;
    const sbx_source *source;
    sbx_setting inherits;
    sbx_setting *settings; /* by the key's place in the schema */
} sbx_profile;

typedef struct sbx_layer {
    struct sbx_layer *next;
    sbx_arena arena;
    sbx_source source;
    sbx_setting *settings;
    sbx_profile *profiles;
} sbx_layer;

#define SBX_FLAG_RANK UINT32_MAX /* of what flags give */

/* Read and check a text. */
sbx_status sbx_layer_read(const char *file, const char *text, size_t length, uint32_t rank, sbx_layer **layer,
                          sbx_diag *diag);
void sbx_layer_free(sbx_layer *layer);

/* The profile of that name in one layer, or NULL. */
const sbx_profile *sbx_profile_in(const sbx_layer *layer, const char *name);

/* Those that are built in, as a file: one of the same name in a file replaces it. */
extern const char sbx_profiles[];
int sbx_profile_is_replaced(const sbx_layer *layer, const char *name);

/* In which order profiles are merged for the chosen one (NULL: none is): what it inherits, then itself; each once, so that
 * a common base does not undo a nearer one.  All profiles are checked, chosen or not.  The names live in the arena. */
sbx_status sbx_profile_order(const sbx_layer *layers, const char *chosen, sbx_arena *arena, const char *const **names,
                             uint32_t *count, sbx_diag *diag);

/* Fill `diag` from a problem with an item: the part of it, as far as its spelling allows. */
sbx_status sbx_item_fail(const sbx_item *item, const sbx_problem *problem, sbx_diag *diag);

/* One element as a person types it: of a table NAME=VALUE.  On failure `diag` names the source. */
sbx_status sbx_item_typed(sbx_arena *arena, const sbx_source *source, const sbx_key *key, const char *text,
                          size_t length, sbx_item *item, sbx_diag *diag);

/* The value of an element as TOML, and its name in a table. */
void sbx_item_add(sbx_text *out, const sbx_key *key, const sbx_item *item);
void sbx_item_add_name(sbx_text *out, const sbx_item *item);

/* After finish: the merged setting of a key; never NULL. */
const sbx_setting *sbx_config_setting(const sbx_config *config, const char *key);

/* "built-in", "FILE:LINE" or the flag. */
void sbx_source_origin(const sbx_source *source, const sbx_span *span, sbx_text *out);

/* "out of memory" as a diagnostic. */
sbx_status sbx_diag_memory(sbx_diag *diag);

/* The files that were added, lowest first; NULL behind the last. */
const char *sbx_config_file(const sbx_config *config, uint32_t index);
const char *sbx_config_profile(const sbx_config *config);
const sbx_layer *sbx_config_layers(const sbx_config *config);

#endif
