/* JSON for people's programs: cJSON with the project's memory, and the parts that several verbs print. */
#ifndef SBX_CLI_JSON_H
#define SBX_CLI_JSON_H

#include <cJSON.h>

#include "base/error.h"
#include "base/text.h"
#include "sbx/backend.h"

/* Before the first use of cJSON. */
void sbx_json_init(void);

/* Names of areas as in `require`: "write", "delete", "read", "network", "processes", "ui". */
cJSON *sbx_json_areas(uint32_t set);
void sbx_json_add_guarantees(cJSON *object, const char *name, const sbx_guarantees *guarantees);

/* {"status", "operation", "object", "code", "code_kind", "message", "hint"} */
void sbx_json_add_error(cJSON *object, const char *name, const sbx_error *err);

/* A number, exact to 2^53 as all of JSON's readers keep them: a size of 8 PiB, 285 years in us. */
void sbx_json_add_u64(cJSON *object, const char *name, uint64_t value);

/* What is not there is null, and nothing else is: not "", not 0. */
void sbx_json_add_text(cJSON *object, const char *name, const char *text);
void sbx_json_add_process(cJSON *object, const char *name, uint32_t process_id);

/* Print and free.  NULL, or an item that there was no memory for, is SBX_E_MEMORY. */
sbx_status sbx_json_finish(cJSON *json, sbx_text *out, sbx_error *err);

/* "file writes, network" for people. */
void sbx_areas_print(uint32_t set, sbx_text *out);

/* The same as they are written in --require: "write, processes". */
void sbx_areas_print_names(uint32_t set, sbx_text *out);

#endif
