/*
 * Writing JSON into a text, value by value: nothing is built in memory, and a failed
 * allocation shows once, in the text.
 *
 *   sbx_json json = {&out};
 *   sbx_json_open(&json, NULL, '{');
 *   sbx_json_string(&json, "backend", "none");
 *   sbx_json_close(&json, '}');
 *
 * Names are NULL inside of an array.  Output is indented by two spaces.
 */
#ifndef SBX_CONFIG_JSON_H
#define SBX_CONFIG_JSON_H

#include "base/text.h"

typedef struct sbx_json {
    sbx_text *out;
    uint32_t depth;
    int filled; /* the object or array that is open has an element */
} sbx_json;

void sbx_json_open(sbx_json *json, const char *name, char bracket);
void sbx_json_close(sbx_json *json, char bracket);
void sbx_json_string(sbx_json *json, const char *name, const char *value); /* NULL gives null */
void sbx_json_number(sbx_json *json, const char *name, uint64_t value);
void sbx_json_literal(sbx_json *json, const char *name, const char *text); /* JSON as it is */
void sbx_json_boolean(sbx_json *json, const char *name, int value);
void sbx_json_strings(sbx_json *json, const char *name, const char *const *values, uint32_t count);

#endif
