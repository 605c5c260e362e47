/* print-page < JSON > HTML */
#include <stdio.h>

#include "compare/page.h"
#include "unit/support/fault.h"

int main(void)
{
    char bytes[4096];
    sbx_text text = {0}, page = {0};
    cJSON *root;
    size_t got;

    sbx_fault_use(0);
    while ((got = fread(bytes, 1, sizeof(bytes), stdin)) > 0)
        sbx_text_add_n(&text, bytes, got);
    root = cJSON_Parse(text.data ? text.data : "");
    if (root)
        sbx_page_print(root, &page);
    if (!root || page.failed || fwrite(page.data, 1, page.length, stdout) != page.length) {
        fputs("print-page: no page\n", stderr);
        return 1;
    }
    cJSON_Delete(root);
    sbx_text_fini(&page);
    sbx_text_fini(&text);
    return 0;
}
