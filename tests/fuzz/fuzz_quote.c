/*
 * Any line splits; what it splits into can be quoted and splits back the same.  Where a batch line is
 * accepted, everything that cmd.exe acts on stands within quotes.
 */
#include <string.h>

#include "base/quote.h"
#include "base/utf.h"
#include "fuzz/fuzz.h"

static void check_batch(const sbx_arguments *arguments)
{
    sbx_text line = {0};
    sbx_arena arena = {NULL};
    const sbx_env_edit *edits = NULL;
    uint32_t count = 0, seen = 0;
    sbx_status st;
    char *c, *last;
    int quoted = 0;

    st = sbx_quote_batch(&line, "cmd", arguments->items[0], arguments->items + 1, arguments->count - 1, &arena, &edits,
                         &count, NULL);
    SBX_HOLDS(!line.failed);
    if (!st) {
        c = strstr(line.data, " /c \"");
        SBX_HOLDS(c);
        last = line.data + line.length - 1;
        for (c += 5; c < last; c++) {
            if (*c == '"')
                quoted = !quoted;
            if (*c == '%') { /* only a variable of its own, within quotes */
                SBX_HOLDS(quoted && seen < count && !strncmp(c + 1, edits[seen].name, strlen(edits[seen].name)));
                c += strlen(edits[seen].name) + 1;
                SBX_HOLDS(*c == '%' && !strchr(edits[seen].value, '"'));
                seen++;
                continue;
            }
            SBX_HOLDS(*c != '\n' && *c != '\r');
            SBX_HOLDS(quoted || !strchr("&|<>^(),;=!`'~[]{}", *c));
        }
        SBX_HOLDS(!quoted && *last == '"' && seen == count);
    }
    sbx_arena_fini(&arena);
    sbx_text_fini(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t units = size / 2, length, i;
    sbx_arguments first = {0}, second = {0};
    sbx_arena arena = {NULL};
    sbx_text line = {0};
    uint16_t *line_w, *again_w;

    sbx_fault_use(0);
    line_w = malloc((units + 1) * sizeof(*line_w));
    SBX_HOLDS(line_w);
    memcpy(line_w, data, units * sizeof(*line_w));
    line_w[units] = 0;

    SBX_HOLDS(!sbx_quote_split(&arena, line_w, &first, NULL));
    for (i = 0; i < first.count; i++)
        SBX_HOLDS(first.begin[i] < units && (!i || first.begin[i] > first.begin[i - 1]));
    if (first.count) {
        SBX_HOLDS(!sbx_quote_line(&line, first.items, first.count, NULL));
        again_w = sbx_utf8_to_utf16(line.data, line.length, &length);
        SBX_HOLDS(again_w);
        SBX_HOLDS(!sbx_quote_split(&arena, again_w, &second, NULL));
        SBX_HOLDS(second.count == first.count);
        for (i = 0; i < first.count; i++)
            SBX_HOLDS(!strcmp(first.items[i], second.items[i]));
        sbx_free(again_w);
        check_batch(&first);
        sbx_quote_is_batch(first.items[0]);
    }
    free(line_w);
    sbx_text_fini(&line);
    sbx_arena_fini(&arena);
    SBX_HOLDS(sbx_fault_live() == 0);
    return 0;
}
