/*
 * The two streams of a terminal, as far as who passes them on has to understand them.
 *
 * What is shown comes as UTF-8 in pieces of any length, which a console wants in whole characters.  What is typed comes as
 * UTF-16 units, plain or within sequences: who passes it on as UTF-8 has to notice Ctrl-C, also where the other side has asked for
 * key events as sequences (ESC [ key ; scan ; character ; down ; modifiers ; repeat _).  Answers of the terminal, keys that
 * go down or up by themselves, arrows and the like are sequences as well, and say nothing.
 *
 * Source: ECMA-48 5.4; learn.microsoft.com "Console Virtual Terminal Sequences"; github.com/microsoft/terminal, spec #4999
 * "Improved keyboard handling in Conpty".  Portable, and fuzzed.
 */
#ifndef SBX_BASE_TTY_H
#define SBX_BASE_TTY_H

#include <stddef.h>
#include <stdint.h>

#define SBX_TTY_BYTES 4096u

typedef struct sbx_tty_text {
    char bytes[SBX_TTY_BYTES]; /* the caller adds behind `count` */
    size_t count;
} sbx_tty_text;

/* Takes all whole characters, 0xFFFD for what is none; a beginning stays.  Returns the number of units. */
size_t sbx_tty_show(sbx_tty_text *text, uint16_t units[SBX_TTY_BYTES]);

#define SBX_TTY_NOTHING 0u
#define SBX_TTY_TYPED 1u     /* a key that is no Ctrl-C */
#define SBX_TTY_INTERRUPT 2u /* Ctrl-C */

typedef struct sbx_tty_keys {
    uint32_t state;
    uint32_t numbers[4], count; /* of a sequence: key, scan code, character, down */
    uint16_t high;              /* first half of a pair, 0: none */
} sbx_tty_keys;

/* Begins as { 0 }.  *bytes, 0 to 6, are for the other side; `out` has room for them.  Returns what it was, SBX_TTY_*. */
uint32_t sbx_tty_key(sbx_tty_keys *keys, uint16_t unit, char out[8], size_t *bytes);

#endif
