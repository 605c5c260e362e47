/* Any bytes in a page: no tag, no end of a quoted value, whole UTF-8, and every & begins an entity. */
#include <string.h>

#include "base/memory.h"
#include "base/utf.h"
#include "compare/markup.h"
#include "fuzz/fuzz.h"

static int begins_entity(const char *text)
{
    static const char *const entities[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
    size_t i;

    for (i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
        if (!strncmp(text, entities[i], strlen(entities[i])))
            return 1;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sbx_text out = {0};
    char *text;
    size_t i;

    sbx_fault_use(0);
    text = sbx_alloc(size + 1);
    SBX_HOLDS(text);
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    sbx_markup_text(&out, text);
    SBX_HOLDS(!out.failed && (!out.length || sbx_utf8_check(out.data, out.length) == out.length));
    for (i = 0; i < out.length; i++) {
        SBX_HOLDS(!strchr("<>\"'", out.data[i]));
        SBX_HOLDS(out.data[i] != '&' || begins_entity(out.data + i));
        SBX_HOLDS((unsigned char)out.data[i] >= 0x20 || out.data[i] == '\n' || out.data[i] == '\t');
    }
    sbx_text_fini(&out);
    sbx_free(text);
    SBX_HOLDS(sbx_fault_live() == 0);
    return 0;
}
