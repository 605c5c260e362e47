/* Any bytes at a terminal, typed and shown: in pieces as in one, and nothing but whole characters goes on. */
#include <string.h>

#include "base/tty.h"
#include "base/utf.h"
#include "fuzz/fuzz.h"

static void check_shown(const uint8_t *data, size_t size)
{
    sbx_tty_text whole = {.count = size}, pieces = {0};
    uint16_t units[SBX_TTY_BYTES], part[SBX_TTY_BYTES];
    size_t i, n, made, at = 0;

    memcpy(whole.bytes, data, size);
    made = sbx_tty_show(&whole, units);
    SBX_HOLDS(made <= size && whole.count < 4);
    for (i = 0; i < size; i++) {
        pieces.bytes[pieces.count++] = (char)data[i];
        n = sbx_tty_show(&pieces, part);
        SBX_HOLDS(at + n <= made && !memcmp(units + at, part, n * sizeof(*part)));
        at += n;
    }
    SBX_HOLDS(at == made && pieces.count == whole.count);
}

static void check_typed(const uint8_t *data, size_t size)
{
    sbx_tty_keys keys = {0};
    char out[8];
    size_t i, bytes;
    uint32_t what;

    for (i = 0; i + 1 < size; i += 2) {
        const uint16_t unit = (uint16_t)(data[i] | data[i + 1] << 8);

        what = sbx_tty_key(&keys, unit, out, &bytes);
        SBX_HOLDS(bytes <= 6 && sbx_utf8_check(out, bytes) == bytes);
        SBX_HOLDS(unit != 3 || what == SBX_TTY_INTERRUPT);
        SBX_HOLDS(bytes || keys.high);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > SBX_TTY_BYTES)
        size = SBX_TTY_BYTES;
    check_shown(data, size);
    check_typed(data, size);
    return 0;
}
