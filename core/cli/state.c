/* What backends have left on this machine: listed, and undone. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/utf.h"
#include "cli/cli.h"
#include "cli/examine.h"
#include "cli/json.h"
#include "cli/last.h"
#include "win/out.h"
#include "cli/select.h"
#include "cli/told.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"

typedef struct visit {
    sbx_cli *cli;
    cJSON *list; /* NULL: for people */
    const char *backend;
    uint32_t items;
    int cleaning;
    /* of what is there still where nothing was undone */
    const char *root; /* that was named */
    uint32_t left;
    char *around, *inside; /* folders opened to commands that `root` is in, or that are in it */
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
    sbx_json_add_text(object, "root", item->root);
    cJSON_AddStringToObject(object, "object", text_of(item->object));
    sbx_json_add_text(object, "text", item->text);
    sbx_json_add_u64(object, "count", item->count);
    sbx_json_add_process(object, "process_id", item->process_id);
    if (v->cleaning)
        cJSON_AddBoolToObject(object, "undone", !error && item->state != SBX_STATE_ACTIVE);
    if (error)
        sbx_json_add_error(object, "error", error);
    cJSON_AddItemToArray(v->list, object);
}

#define OBJECT_COLUMN 18
#define TEXT_COLUMN 20 /* of what does not fit one line */

/* The object, and what is said of it behind that or, where they are long, below. */
static void print_line(sbx_text *out, const sbx_state_item *item)
{
    const size_t begin = out->length;
    sbx_text words = {0};
    const char *between = "";
    size_t columns;

    sbx_text_add(out, text_of(item->object));
    if (item->text && item->text[0]) {
        sbx_text_add(&words, item->text);
        between = ", ";
    }
    if (item->count > 1) {
        sbx_text_printf(&words, "%s%llu objects", between, (unsigned long long)item->count);
        between = ", ";
    }
    /* what is in a root is held with it */
    if (item->process_id && (!text_of(item->root)[0] || sbx_path_equal(text_of(item->object), item->root)))
        sbx_text_printf(&words, "%sin use by process %u", between, (unsigned)item->process_id);
    if (out->failed || words.failed) {
        out->failed = 1;
    } else if (words.length) {
        columns = OBJECT_COLUMN + sbx_utf8_columns(out->data + begin, out->length - begin) + 2;
        if (columns + sbx_utf8_columns(words.data, words.length) <= SBX_TEXT_COLUMNS)
            sbx_text_printf(out, "  %s\n", words.data);
        else {
            sbx_text_printf(out, "\n%*s", TEXT_COLUMN, "");
            sbx_out_wrap(out, TEXT_COLUMN, words.data);
        }
    } else {
        sbx_text_add_char(out, '\n');
    }
    sbx_text_fini(&words);
}

static int32_t SBX_CALL on_item(void *context, const sbx_state_item *item, const sbx_error *error)
{
    visit *v = context;
    sbx_text *out = &v->cli->out;
    char text[2048];

    v->items++;
    if (v->list) {
        add_json(v, item, error);
        return 0;
    }
    if (v->cleaning)
        sbx_text_printf(out, "%-8s", error ? "FAILED" : item->state == SBX_STATE_ACTIVE ? "kept" : "undone");
    sbx_text_printf(out, "%-10s", text_of(item->kind));
    if (!v->cleaning)
        sbx_text_printf(out, "%-8s", state_name(item->state));
    print_line(out, item);
    if (error) {
        sbx_error_describe(error, text, sizeof(text));
        sbx_text_printf(out, "%*s%s\n", TEXT_COLUMN, "", text);
    }
    return 0;
}

static void keep_first(char **kept, const char *path)
{
    if (!*kept)
        *kept = sbx_strdup(path);
}

static int32_t SBX_CALL on_left(void *context, const sbx_state_item *item, const sbx_error *error)
{
    visit *v = context;
    const char *root = text_of(item->root);

    (void)error;
    v->left++;
    /* what may be looked at passes nothing on, and goes by itself */
    if (v->root && root[0] && strcmp(text_of(item->kind), "look") != 0 && !sbx_path_equal(root, v->root)) {
        if (sbx_path_is_below(v->root, root))
            keep_first(&v->around, root);
        else if (sbx_path_is_below(root, v->root))
            keep_first(&v->inside, root);
    }
    return 0;
}

/* Why nothing was undone. */
static void print_nothing(visit *v)
{
    sbx_text *out = &v->cli->out;

    sbx_text_add(out, "nothing to undo");
    if (v->around)
        sbx_text_printf(out, ": %s was not opened to commands\n  it is in a folder that was: sbx clean \"%s\"", v->root,
                        v->around);
    else if (v->inside)
        sbx_text_printf(out, ": %s was not opened to commands\n  a folder in it was: sbx clean \"%s\"", v->root,
                        v->inside);
    else if (v->root)
        sbx_text_printf(out, ": sbx has changed nothing in %s", v->root);
    else if (v->left)
        sbx_text_add(out, ": nothing is stale; `sbx status` lists what is in use or kept");
    sbx_text_add_char(out, '\n');
}

/* What sbx itself keeps: the record of the last run that failed. */
static sbx_status own_state(visit *v, uint32_t what, const char *root, sbx_error *err)
{
    const char *file =
        v->cleaning && what != SBX_CLEAN_ALL && what != SBX_CLEAN_ROOT ? NULL : sbx_last_file(v->cli, root);
    const sbx_state_item item = {.size = sizeof(item),
                                 .state = SBX_STATE_KEPT,
                                 .kind = "last",
                                 .root = "",
                                 .object = file,
                                 .text = "the last run that failed, for `sbx explain --last`"};
    sbx_status st = SBX_OK;

    if (!file)
        return SBX_OK;
    if (v->cleaning)
        st = sbx_file_delete(file, err);
    v->backend = "";
    on_item(v, &item, st == SBX_OK ? NULL : err);
    return st;
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
    if (ext && st == SBX_OK && v->cleaning && !v->items)
        st = ext->list(on_left, v, err);
    sbx_plugin_free(plugin);
    return st;
}

static sbx_status all_backends(sbx_cli *cli, int cleaning, int quiet, uint32_t what, const char *root, sbx_error *err)
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
    v.root = root;
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
    memset(&one, 0, sizeof(one));
    if ((one_st = own_state(&v, what, root, &one)) != SBX_OK && st == SBX_OK) {
        st = one_st;
        *err = one;
    }
    if (cli->json) {
        if (st != SBX_OK)
            sbx_json_add_error(json, "error", err);
        else
            cJSON_AddNullToObject(json, "error");
        one_st = sbx_json_finish(json, &cli->out, &one);
        st = st == SBX_OK ? one_st : st;
    } else if (!v.items && st == SBX_OK && cleaning) {
        if (!quiet)
            print_nothing(&v);
    } else if (!v.items && st == SBX_OK) {
        sbx_text_add(&cli->out, "sbx has changed nothing on this machine\n");
    }
    sbx_free(v.around);
    sbx_free(v.inside);
    return st;
}

sbx_status sbx_verb_status(sbx_cli *cli, sbx_error *err)
{
    return all_backends(cli, 0, 0, 0, NULL, err);
}

sbx_status sbx_clean_all(sbx_cli *cli, sbx_error *err)
{
    sbx_told_clean(cli);
    return all_backends(cli, 1, 1, SBX_CLEAN_ALL, NULL, err);
}

sbx_status sbx_verb_clean(sbx_cli *cli, sbx_error *err)
{
    const char *root = NULL;
    sbx_status st = SBX_OK;

    if (!!cli->all + !!cli->stale + (cli->homes || cli->word_count) > 1) {
        sbx_fail(err, SBX_E_USAGE, "more than one of ROOT, --all, --stale, --homes", "clean");
        return sbx_hint(err, "see `sbx help clean`");
    }
    if (cli->word_count && (st = sbx_cli_folder(cli, 0, "ROOT", &root, err)) != SBX_OK)
        return st;
    if (cli->all)
        sbx_told_clean(cli);
    return all_backends(cli, 1, 0,
                        cli->homes ? SBX_CLEAN_HOMES
                        : root     ? SBX_CLEAN_ROOT
                        : cli->all ? SBX_CLEAN_ALL
                                   : SBX_CLEAN_STALE,
                        root, err);
}
