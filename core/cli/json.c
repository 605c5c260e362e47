#include "cli/json.h"

#include "base/area.h"
#include "base/memory.h"
#include "win/error.h"

static void *json_alloc(size_t bytes)
{
    return sbx_alloc(bytes);
}

void sbx_json_init(void)
{
    cJSON_Hooks hooks = {json_alloc, sbx_free};

    cJSON_InitHooks(&hooks);
}

cJSON *sbx_json_areas(uint32_t set)
{
    cJSON *list = cJSON_CreateArray();
    size_t i;

    for (i = 0; list && i < SBX_AREA_COUNT; i++)
        if (set & sbx_areas[i].bit)
            cJSON_AddItemToArray(list, cJSON_CreateString(sbx_areas[i].name));
    return list;
}

void sbx_json_add_guarantees(cJSON *object, const char *name, const sbx_guarantees *guarantees)
{
    cJSON *item = cJSON_AddObjectToObject(object, name);

    cJSON_AddItemToObject(item, "enforced", sbx_json_areas(guarantees->enforced));
    cJSON_AddItemToObject(item, "advisory", sbx_json_areas(guarantees->advisory));
    cJSON_AddItemToObject(item, "none", sbx_json_areas(SBX_AREA_ALL & ~(guarantees->enforced | guarantees->advisory)));
}

void sbx_json_add_error(cJSON *object, const char *name, const sbx_error *err)
{
    static const char *const kinds[] = {"none", "win32", "ntstatus", "hresult"};
    cJSON *item = cJSON_AddObjectToObject(object, name);
    char text[2048];

    cJSON_AddNumberToObject(item, "status", err->status);
    cJSON_AddStringToObject(item, "operation", err->op);
    sbx_json_add_text(item, "object", err->object);
    cJSON_AddNumberToObject(item, "code", err->code);
    cJSON_AddStringToObject(item, "code_kind", kinds[err->code_kind < 4 ? err->code_kind : 0]);
    sbx_error_describe(err, text, sizeof(text));
    cJSON_AddStringToObject(item, "message", text);
    sbx_json_add_text(item, "hint", err->hint);
}

void sbx_json_add_u64(cJSON *object, const char *name, uint64_t value)
{
    cJSON_AddNumberToObject(object, name, (double)value);
}

void sbx_json_add_text(cJSON *object, const char *name, const char *text)
{
    if (text && text[0])
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

void sbx_json_add_process(cJSON *object, const char *name, uint32_t process_id)
{
    if (process_id)
        cJSON_AddNumberToObject(object, name, process_id);
    else
        cJSON_AddNullToObject(object, name);
}

sbx_status sbx_json_finish(cJSON *json, sbx_text *out, sbx_error *err)
{
    char *text = json ? cJSON_Print(json) : NULL;

    cJSON_Delete(json);
    if (!text)
        return sbx_fail_memory(err);
    sbx_text_add(out, text);
    sbx_text_add_char(out, '\n');
    cJSON_free(text);
    return out->failed ? sbx_fail_memory(err) : SBX_OK;
}

static void print_areas(uint32_t set, int names, sbx_text *out)
{
    const char *between = "";
    size_t i;

    for (i = 0; i < SBX_AREA_COUNT; i++) {
        if (!(set & sbx_areas[i].bit))
            continue;
        sbx_text_add(out, between);
        sbx_text_add(out, names ? sbx_areas[i].name : sbx_areas[i].words);
        between = ", ";
    }
    if (!set)
        sbx_text_add(out, "nothing");
}

void sbx_areas_print(uint32_t set, sbx_text *out)
{
    print_areas(set, 0, out);
}

void sbx_areas_print_names(uint32_t set, sbx_text *out)
{
    print_areas(set, 1, out);
}
