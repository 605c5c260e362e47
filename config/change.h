/*
 * One key of a configuration file set to another value, as a change of its text: comments, order and all else stay.
 *
 * Pure functions: any thread.
 */
#ifndef SBX_CONFIG_CHANGE_H
#define SBX_CONFIG_CHANGE_H

#include "config/diag.h"

/* text: of the file, which must be right already; values: each as for sbx_config_set, all that the key is to have; a
 * single empty one empties a list.  `out` gets the whole new text.  The result is read again: it says what is wanted,
 * and all other keys and profiles are as they were.  SBX_E_USAGE for what was typed, SBX_E_CONFIG for the file. */
sbx_status sbx_config_change(const char *file, const char *text, size_t length, const char *key,
                             const char *const *values, uint32_t count, sbx_text *out, sbx_diag *diag);

#endif
