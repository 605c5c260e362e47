/*
 * UTF-8 and UTF-16.
 *
 * Inside the project text is UTF-8.  Windows names may hold lone surrogates, so the
 * conversion keeps them as their three-byte form (WTF-8); both ways round trip exactly.
 * Source: Unicode 15 ch. 3.9; "The WTF-8 encoding", simonsapin.github.io/wtf-8.
 */
#ifndef SBX_BASE_UTF_H
#define SBX_BASE_UTF_H

#include <stddef.h>
#include <stdint.h>

/* Offset of the first byte that is not well-formed UTF-8 (no surrogates, no overlong
 * forms), or `length` when all is well. */
size_t sbx_utf8_check(const char *text, size_t length);

/* Read one character at *at (< length), lone surrogates too, and move past it; 0xFFFD and one byte for a bad one. */
uint32_t sbx_utf8_next(const char *text, size_t length, size_t *at);

/* Write a code point (surrogates allowed), 1..4 bytes; returns their number. */
size_t sbx_utf8_put(char out[4], uint32_t code_point);

/* The longest length <= limit that does not cut a character of `text` in two. */
size_t sbx_utf8_cut(const char *text, size_t limit);

/* As much of `from` (NULL: nothing) as fits whole into `size` bytes with the NUL. */
void sbx_utf8_copy(char *to, size_t size, const char *from);

/* Columns that a text takes on a terminal, as far as that is known: combining marks 0,
 * East Asian wide 2. */
size_t sbx_utf8_columns(const char *text, size_t length);

/* The capital of a character as NTFS and the system compare names: one character for one, only
 * below U+10000, the same in every language. */
uint32_t sbx_utf_upper(uint32_t code_point);

/* Convert `length` units; the result is allocated, has a NUL behind it, and its length
 * goes to *out_length (may be NULL).  NULL: out of memory, or (first) not well-formed WTF-8. */
uint16_t *sbx_utf8_to_utf16(const char *text, size_t length, size_t *out_length);
char *sbx_utf16_to_utf8(const uint16_t *text, size_t length, size_t *out_length);

#endif
