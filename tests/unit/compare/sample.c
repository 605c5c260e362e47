#include "unit/compare/sample.h"

#include <stdio.h>

cJSON *sample(void)
{
    FILE *file = fopen(SAMPLE, "rb");
    char bytes[4096];
    sbx_text text = {0};
    cJSON *root;
    size_t got;

    assert_non_null(file);
    while ((got = fread(bytes, 1, sizeof(bytes), file)) > 0)
        sbx_text_add_n(&text, bytes, got);
    fclose(file);
    root = cJSON_Parse(text.data);
    assert_non_null(root);
    sbx_text_fini(&text);
    return root;
}
