/* What backends have left on this machine: listed, and undone. */
#include <stdio.h>
#include <string.h>

#include "base/path.h"
#include "cli/cli.h"
#include "cli/examine.h"
#include "cli/json.h"
#include "cli/out.h"
#include "cli/select.h"
#include "win/dirs.h"
#include "win/error.h"

typedef struct visit {
    sbx_cli *cli;
    cJSON *list; /* NULL: for people */
    const char *backend;
    uint32_t items, failed;
    int cleaning;
} visit;

static const char *state_name(uint32_t state)
{
    return state == SBX_STATE_ACTIVE ? "active" : state == SBX_STATE_KEPT ? "kept" : "stale";
}

static const char *text_of(const char *text)
{
    return text ? text : "";
}

static void add_json(visit *v, const sbx_state_item *item, const sbx_error *error)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "backend", v->backend);
    cJSON_AddStringToObject(object, "kind", text_of(item->kind));
    cJSON_AddStringToObject(object, "state", state_name(item->state));
    cJSON_AddStringToObject(object, "root", text_of(item->root));
    cJSON_AddStringToObject(object, "object", text_of(item->object));
    cJSON_AddStringToObject(object, "text", text_of(item->text));
    sbx_json_add_u64(object, "count", item->count);
    cJSON_AddNumberToObject(object, "process_id", item->process_id);
    if (v->cleaning)
        cJSON_AddBoolToObject(object, "undone", !error);
    if (error)
        sbx_json_add_error(object, "error", error);
    cJSON_AddItemToArray(v->list, object);
}

static int32_t SBX_CALL on_item(void *context, const sbx_state_item *item, const sbx_error *error)
{
    visit *v = context;
    sbx_text *out = &v->cli->out;
    char text[2048];

    v->items++;
    v->failed += error != NULL;
    if (v->list) {
        add_json(v, item, error);
        return 0;
    }
    if (v->cleaning)
        sbx_text_printf(out, "%s ", error ? "NOT UNDONE" : "undone");
    sbx_text_printf(out, "%-10s %-7s %s", text_of(item->kind), state_name(item->state), text_of(item->object));
    if (item->count > 1)
        sbx_text_printf(out, " (%llu objects)", (unsigned long long)item->count);
    if (item->process_id)
        sbx_text_printf(out, " held by process %u", (unsigned)item->process_id);
    if (item->text && item->text[0])
        sbx_text_printf(out, "  %s", item->text);
    sbx_text_add_char(out, '\n');
    if (error) {
        sbx_error_describe(error, text, sizeof(text));
        sbx_text_printf(out, "  %s\n", text);
    }
    return 0;
}

/* One that is refused is told of and not asked: it may crash, or never answer. */
static sbx_status is_sound(const char *name, int *sound, sbx_error *err)
{
    cJSON *object = NULL;
    char text[1200];
    sbx_status st = sbx_examine(name, &object, err);

    if (st != SBX_OK)
        return st;
    *sound = strcmp(sbx_examine_string(object, "state"), "refused") != 0;
    if (!*sound) {
        snprintf(text, sizeof(text), "backend \"%s\" is left out: %s", name,
                 sbx_examine_string(cJSON_GetObjectItemCaseSensitive(object, "error"), "message"));
        sbx_out_line(text);
    }
    cJSON_Delete(object);
    return SBX_OK;
}

static sbx_status one_backend(visit *v, const char *name, uint32_t what, const char *root, sbx_error *err)
{
    const sbx_ext_state *ext;
    sbx_plugin *plugin = NULL;
    int sound = 0;
    sbx_status st = is_sound(name, &sound, err);

    if (st != SBX_OK || !sound || (st = sbx_plugin_load(name, &plugin, err)) != SBX_OK)
        return st;
    v->backend = name;
    ext = sbx_plugin_backend(plugin)->extension(SBX_EXT_STATE);
    if (ext && ext->size < sizeof(*ext))
        st = sbx_fail(err, SBX_E_BACKEND, "the table of its state is too short", sbx_plugin_path(plugin));
    else if (ext)
        st = v->cleaning ? ext->clean(what, root, on_item, v, err) : ext->list(on_item, v, err);
    sbx_plugin_free(plugin);
    return st;
}

static sbx_status all_backends(sbx_cli *cli, int cleaning, uint32_t what, const char *root, sbx_error *err)
{
    visit v = {0};
    char **names = NULL;
    uint32_t count = 0, i;
    cJSON *json = NULL;
    sbx_error one;
    sbx_status st = sbx_cli_plugins(cli, err), one_st;

    if (st == SBX_OK)
        st = sbx_plugin_list(&names, &count, err);
    if (st != SBX_OK)
        return st;
    if (cli->json) {
        json = cJSON_CreateObject();
        v.list = cJSON_AddArrayToObject(json, "items");
    }
    v.cli = cli;
    v.cleaning = cleaning;
    for (i = 0; i < count; i++) {
        memset(&one, 0, sizeof(one));
        one_st = one_backend(&v, names[i], what, root, &one);
        if (one_st != SBX_OK && st == SBX_OK) {
            st = one_st; /* the others are still asked */
            *err = one;
        }
        sbx_free(names[i]);
    }
    sbx_free(names);
    if (cli->json) {
        one_st = sbx_json_finish(json, &cli->out, &one);
        return st == SBX_OK ? one_st : st;
    }
    if (!v.items && st == SBX_OK)
        sbx_text_add(&cli->out, cleaning ? "nothing to undo\n" : "sbx has changed nothing on this machine\n");
    return st;
}

sbx_status sbx_verb_status(sbx_cli *cli, sbx_error *err)
{
    return all_backends(cli, 0, 0, NULL, err);
}

sbx_status sbx_verb_clean(sbx_cli *cli, sbx_error *err)
{
    const char *root = NULL, *dir;
    sbx_status st;

    if ((int)cli->word_count + !!cli->all + !!cli->stale > 1) {
        sbx_fail(err, SBX_E_USAGE, "more than one of ROOT, --all, --stale", "clean");
        return sbx_hint(err, "see `sbx help clean`");
    }
    if (cli->word_count) {
        if ((st = sbx_cli_dir(cli, SBX_DIR_CURRENT, &dir, err)) != SBX_OK)
            return st;
        root = sbx_path_join(&cli->arena, dir, cli->words[0]);
        if (!root)
            return sbx_fail_memory(err);
    }
    return all_backends(cli, 1, root ? SBX_CLEAN_ROOT : cli->all ? SBX_CLEAN_ALL : SBX_CLEAN_STALE, root, err);
}
