/* Shared by the parts of the TOML reader: where it stands in the text. */
#ifndef SBX_CONFIG_TOML_READER_H
#define SBX_CONFIG_TOML_READER_H

#include "base/text.h"
#include "config/toml.h"

typedef struct sbx_toml_reader {
    sbx_arena *arena;
    const char *file, *text;
    size_t length;
    sbx_diag *diag;
    sbx_span at;      /* the next byte; length 0 */
    sbx_text scratch; /* a string or number while it is read */
} sbx_toml_reader;

/* The byte `ahead` of the next one, or -1 behind the end. */
int sbx_toml_peek(const sbx_toml_reader *reader, size_t ahead);

/* Whether the text goes on with `word`. */
int sbx_toml_sees(const sbx_toml_reader *reader, const char *word);

/* Move over `bytes` bytes, which must be there. */
void sbx_toml_skip(sbx_toml_reader *reader, size_t bytes);

/* From a remembered `start` to where the reader stands now. */
sbx_span sbx_toml_since(const sbx_toml_reader *reader, sbx_span start);

/* The next character alone. */
sbx_span sbx_toml_here(const sbx_toml_reader *reader);

/* "'a'", "the end of the line", "U+0007", ...: the next character, for messages. */
const char *sbx_toml_seen(const sbx_toml_reader *reader, char buffer[32]);

/* Fail at `span`. */
sbx_status sbx_toml_fail(sbx_toml_reader *reader, sbx_span span, const char *format, ...) SBX_PRINTF(3, 4);
sbx_status sbx_toml_fail_memory(sbx_toml_reader *reader);

/* Length of a line's end at the reader: 1 for LF, 2 for CR LF, else 0. */
size_t sbx_toml_newline(const sbx_toml_reader *reader);

/* Read a string at its opening quote.  `multi_line` 0: a key, which cannot be one. */
sbx_status sbx_toml_read_string(sbx_toml_reader *reader, int multi_line, const char **string, size_t *length);

/* Read a number, a boolean, a date or a time; fills type, span and value. */
sbx_status sbx_toml_read_scalar(sbx_toml_reader *reader, sbx_toml *value);

/*
 * Read a date or time from a whole token.  Returns NULL, or what is wrong with *wrong telling where;
 * `type` gets SBX_TOML_DATETIME ... SBX_TOML_TIME_LOCAL.
 */
const char *sbx_toml_check_date(const char *token, size_t length, uint32_t *type, size_t *wrong);

#endif
