#include "setup/tell.h"

#include "cli/json.h"
#include "win/out.h"

sbx_status sbx_tell_begin(sbx_tell *tell, int json, sbx_error *err)
{
    if (!json)
        return SBX_OK;
    sbx_json_init();
    tell->json = cJSON_CreateObject();
    return tell->json && cJSON_AddArrayToObject(tell->json, "steps") ? SBX_OK : sbx_fail_memory(err);
}

static void add_step(const sbx_tell *tell, const char *state, const sbx_setup_step *step, const sbx_error *why)
{
    cJSON *item = cJSON_CreateObject();

    cJSON_AddStringToObject(item, "backend", tell->backend);
    cJSON_AddStringToObject(item, "name", step->name);
    cJSON_AddStringToObject(item, "summary", step->summary);
    cJSON_AddStringToObject(item, "state", state);
    if (why)
        sbx_json_add_error(item, "error", why);
    cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(tell->json, "steps"), item);
}

void sbx_tell_step(sbx_tell *tell, const char *state, const sbx_setup_step *step, const char *more,
                   const sbx_error *why)
{
    sbx_text line = {0};

    if (tell->json && !tell->quiet) {
        add_step(tell, state, step, why);
        return;
    }
    sbx_text_printf(&line, "%s: %-8s %-24s %s%s", tell->backend, state, step->name, step->summary, more);
    sbx_tell_line(tell, &line);
}

void sbx_tell_line(sbx_tell *tell, sbx_text *line)
{
    sbx_text_add_char(line, '\n');
    if (!line->failed && !tell->quiet && !tell->json)
        sbx_out_text(SBX_OUT_STDOUT, line->data);
    sbx_text_fini(line);
}

void sbx_tell_end(sbx_tell *tell, const sbx_error *err)
{
    sbx_text text = {0};

    if (!tell->json)
        return;
    if (err)
        sbx_json_add_error(tell->json, "error", err);
    if (!tell->quiet && sbx_json_finish(tell->json, &text, NULL) == SBX_OK)
        sbx_out_write(SBX_OUT_STDOUT, text.data, text.length);
    tell->json = NULL;
    sbx_text_fini(&text);
}
