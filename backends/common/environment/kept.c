#include "common/environment/kept.h"

#include "base/memory.h"
#include "base/text.h"

static char *record_of(const char *folder)
{
    sbx_text path = {0};

    sbx_text_printf(&path, "%s%s", folder, SBX_KEPT_SUFFIX);
    return sbx_text_take(&path);
}

uint32_t sbx_kept_record(const char *folder)
{
    char *record = record_of(folder);
    uint32_t answer = record ? sbx_children_record(record) : SBX_CHILDREN_UNKNOWN;

    sbx_free(record);
    return answer;
}

uint32_t sbx_kept_ask(const char *folder)
{
    char *record = record_of(folder);
    uint32_t answer = record ? sbx_children_ask(record, NULL) : SBX_CHILDREN_UNKNOWN;

    sbx_free(record);
    return answer;
}

void sbx_kept_forget(const char *folder)
{
    char *record = record_of(folder);

    if (record)
        sbx_children_forget(record);
    sbx_free(record);
}
