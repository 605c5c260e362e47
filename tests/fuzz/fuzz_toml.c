/* Any text is parsed or refused with a position; the spans of a parsed one lie within it. */
#include <string.h>

#include "base/utf.h"
#include "config/toml.h"
#include "fuzz/fuzz.h"

static void check_span(const sbx_span *span, size_t size)
{
    SBX_HOLDS(span->offset <= size && span->length <= size - span->offset);
    SBX_HOLDS(span->line && span->column);
}

static void check_table(const sbx_toml *parent, size_t size, unsigned depth)
{
    const sbx_toml *element;
    uint32_t count = 0;

    SBX_HOLDS(depth <= SBX_TOML_MAX_DEPTH);
    for (element = parent->first; element; element = element->next, count++) {
        SBX_HOLDS(element->type >= SBX_TOML_STRING && element->type <= SBX_TOML_TABLE);
        check_span(&element->span, size);
        SBX_HOLDS(!element->key == (parent->type == SBX_TOML_ARRAY));
        if (element->key) {
            check_span(&element->key_span, size);
            SBX_HOLDS(sbx_utf8_check(element->key, element->key_length) == element->key_length);
            if (strlen(element->key) == element->key_length)
                SBX_HOLDS(sbx_toml_get(parent, element->key) == element);
        }
        if (element->string)
            SBX_HOLDS(sbx_utf8_check(element->string, element->string_length) == element->string_length);
        check_table(element, size, depth + 1);
    }
    SBX_HOLDS(count == parent->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sbx_toml *root = NULL;
    sbx_arena arena = {NULL};
    sbx_text shown = {0};
    sbx_diag diag = {0};
    uint64_t allocations;
    sbx_status st, again;

    sbx_fault_use(0);
    st = sbx_toml_parse(&arena, "seed", (const char *)data, size, &root, &diag);
    allocations = sbx_fault_count();
    if (st) {
        SBX_HOLDS(st == SBX_E_CONFIG && diag.message[0] && diag.span.line);
        check_span(&diag.span, size);
        SBX_HOLDS(sbx_utf8_check(diag.line, strlen(diag.line)) == strlen(diag.line));
        SBX_HOLDS(sbx_utf8_check(diag.message, strlen(diag.message)) == strlen(diag.message));
        SBX_HOLDS(diag.caret_length && diag.caret <= sizeof(diag.line));
        sbx_diag_print(&diag, &shown);
        SBX_HOLDS(!shown.failed && strlen(shown.data) == shown.length);
        sbx_text_fini(&shown);
    } else {
        check_table(root, size, 0);
    }
    sbx_arena_fini(&arena);

    sbx_fault_use(allocations ? 1 + size % allocations : 0);
    again = sbx_toml_parse(&arena, "seed", (const char *)data, size, &root, &diag);
    SBX_HOLDS(sbx_fault_hit() ? again == SBX_E_MEMORY : again == st);
    sbx_arena_fini(&arena);
    SBX_HOLDS(sbx_fault_live() == 0);
    return 0;
}
