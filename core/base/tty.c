#include "base/tty.h"

#include <string.h>

#include "base/utf.h"

#define ESCAPE 0x1Bu
#define CTRL_C 3u
#define REPLACEMENT 0xFFFDu

enum { PLAIN, ESCAPED, NUMBERS, OTHERS };

static int is_high(uint32_t unit)
{
    return unit >= 0xD800 && unit < 0xDC00;
}

static int is_low(uint32_t unit)
{
    return unit >= 0xDC00 && unit < 0xE000;
}

/* Is it more than the beginning of a character? */
static int is_whole(const char *bytes, size_t count)
{
    const uint8_t lead = (uint8_t)bytes[0];
    const size_t wanted = lead < 0xC2 || lead > 0xF4 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    size_t i;

    for (i = 1; i < wanted; i++)
        if (i == count || ((uint8_t)bytes[i] & 0xC0) != 0x80)
            return i < count;
    return 1;
}

size_t sbx_tty_show(sbx_tty_text *text, uint16_t units[SBX_TTY_BYTES])
{
    size_t at = 0, made = 0;
    uint32_t c;

    while (at < text->count && is_whole(text->bytes + at, text->count - at)) {
        c = sbx_utf8_next(text->bytes, text->count, &at);
        if (c >= 0x10000) {
            units[made++] = (uint16_t)(0xD7C0 + (c >> 10));
            c = 0xDC00 | (c & 0x3FF);
        }
        units[made++] = (uint16_t)c;
    }
    text->count -= at;
    memmove(text->bytes, text->bytes + at, text->count);
    return made;
}

/* A sequence that tells of a key event. */
static uint32_t event(const sbx_tty_keys *keys)
{
    if (keys->count < 4 || !keys->numbers[3] || !keys->numbers[2])
        return SBX_TTY_NOTHING;
    return keys->numbers[2] == CTRL_C ? SBX_TTY_INTERRUPT : SBX_TTY_TYPED;
}

static uint32_t understand(sbx_tty_keys *keys, uint32_t unit)
{
    const uint32_t state = keys->state;

    if (unit == CTRL_C || unit == ESCAPE) {
        keys->state = unit == ESCAPE ? ESCAPED : PLAIN;
        return unit == CTRL_C ? SBX_TTY_INTERRUPT : SBX_TTY_NOTHING;
    }
    switch (state) {
    case ESCAPED:
        keys->state = unit == '[' ? NUMBERS : unit == 'O' ? OTHERS : PLAIN;
        memset(keys->numbers, 0, sizeof(keys->numbers));
        keys->count = 1;
        return SBX_TTY_NOTHING;
    case NUMBERS:
        if (unit >= '0' && unit <= '9') {
            if (keys->count <= 4 && keys->numbers[keys->count - 1] < 0x10000)
                keys->numbers[keys->count - 1] = keys->numbers[keys->count - 1] * 10 + unit - '0';
            return SBX_TTY_NOTHING;
        }
        if (unit == ';') {
            keys->count += keys->count <= 4;
            return SBX_TTY_NOTHING;
        }
        if (unit == '_') {
            keys->state = PLAIN;
            return event(keys);
        }
        keys->state = OTHERS;
        /* fall through */
    case OTHERS:
        if (unit >= 0x40)
            keys->state = PLAIN;
        return SBX_TTY_NOTHING;
    default:
        return SBX_TTY_TYPED;
    }
}

uint32_t sbx_tty_key(sbx_tty_keys *keys, uint16_t unit, char out[8], size_t *bytes)
{
    const uint16_t high = keys->high;

    *bytes = 0;
    keys->high = 0;
    if (high && is_low(unit)) {
        *bytes = sbx_utf8_put(out, 0x10000 + ((uint32_t)(high - 0xD800) << 10) + (unit - 0xDC00u));
        return understand(keys, unit);
    }
    if (high)
        *bytes = sbx_utf8_put(out, REPLACEMENT);
    if (is_high(unit)) {
        keys->high = unit;
        return SBX_TTY_NOTHING;
    }
    *bytes += sbx_utf8_put(out + *bytes, is_low(unit) ? REPLACEMENT : unit);
    return understand(keys, unit);
}
