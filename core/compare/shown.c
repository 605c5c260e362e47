#include "compare/shown.h"

#include <string.h>

#include "base/utf.h"

void sbx_shown_add(sbx_text *out, const char *bytes, size_t length)
{
    char one[5] = {0};
    size_t at = 0, begin;
    uint32_t c;

    while (at < length) {
        begin = at;
        c = sbx_utf8_next(bytes, length, &at);
        if (!c || (c >= 0xD800 && c <= 0xDFFF)) {
            sbx_text_printf(out, "<U+%04X>", (unsigned)c);
            continue;
        }
        memcpy(one, bytes + begin, at - begin);
        one[at - begin] = 0;
        sbx_text_add_shown(out, one, 1);
    }
}
