/*
 * Values: from the text of a setting to its number, and whether it is one that the key allows.
 *
 *   size      4GiB 512M 1000kB 0B    whole numbers; K, KiB = 1024, kB = 1000
 *   duration  250ms 90s 1h30m 2d     whole numbers, larger units first, each once
 *   percent   50% 50
 *   ports     8080 3000-3999 all     both ends included
 *
 * A number without a unit is refused where a unit exists: nobody knows what 10 was meant to be.
 * Pure functions: any thread.
 */
#ifndef SBX_CONFIG_VALUE_H
#define SBX_CONFIG_VALUE_H

#include "config/problem.h"
#include "config/schema.h"

/* Each returns 1 and fills *number, or 0 and fills *problem.  Overflow is a problem. */
int sbx_value_size(const char *text, size_t length, int64_t *bytes, sbx_problem *problem);
int sbx_value_duration(const char *text, size_t length, int64_t *milliseconds, sbx_problem *problem);
int sbx_value_percent(const char *text, size_t length, int64_t *percent, sbx_problem *problem);
int sbx_value_count(const char *text, size_t length, int64_t *count, sbx_problem *problem);
int sbx_value_ports(const char *text, size_t length, int64_t *ports, sbx_problem *problem);

/* A text for one element of a key: its form, its range, its words, the names of its variables.
 * Text that comes from a file may not be a count or a boolean, which TOML writes without quotes;
 * `flag` allows it.  *number gets the number, 0 or 1 for a boolean, else 0. */
int sbx_value_check(const sbx_key *key, const char *text, size_t length, int flag, int64_t *number,
                    sbx_problem *problem);

/* An integer that stands in a file for one element of a key; *number gets what it means there. */
int sbx_value_check_integer(const sbx_key *key, int64_t integer, int64_t *number, sbx_problem *problem);

/* A range of ports as one number. */
#define SBX_PORTS(first, last) ((int64_t)(first) << 16 | (int64_t)(last))
#define SBX_PORTS_FIRST(ports) ((uint16_t)((ports) >> 16))
#define SBX_PORTS_LAST(ports) ((uint16_t)(ports))

/* A number of a key as a text: "1h30m", "4GiB", "50%", "12", "3000-3999", "all".  Shortest exact form. */
#define SBX_VALUE_TEXT 32u
void sbx_value_text(uint32_t type, int64_t number, char text[SBX_VALUE_TEXT]);

#endif
