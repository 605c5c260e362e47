/* Folders of the user in which commands cannot delete: made, tried, undone. */
#include "base/memory.h"
#include "cli/cli.h"
#include "cli/extension.h"

typedef struct list {
    sbx_cli *cli;
    const char **folders;
    uint32_t *states;
    uint32_t count, room;
    int failed;
} list;

static int32_t SBX_CALL on_folder(void *context, const char *folder, uint32_t state)
{
    list *l = context;
    sbx_arena *arena = &l->cli->arena;

    if (l->count == l->room) {
        const char **folders = sbx_arena_alloc(arena, (l->room * 2 + 16) * sizeof(*folders));
        uint32_t *states = sbx_arena_alloc(arena, (l->room * 2 + 16) * sizeof(*states)), i;

        if (!folders || !states)
            return l->failed = 1;
        for (i = 0; i < l->count; i++) {
            folders[i] = l->folders[i];
            states[i] = l->states[i];
        }
        l->folders = folders;
        l->states = states;
        l->room = l->room * 2 + 16;
    }
    l->folders[l->count] = sbx_arena_printf(arena, "%s", folder);
    l->failed |= !l->folders[l->count];
    l->states[l->count++] = state;
    return l->failed;
}

static sbx_status get_folders(sbx_cli *cli, const sbx_ext_shield *ext, uint32_t which, list *l, sbx_error *err)
{
    sbx_status st;

    l->cli = cli;
    st = ext->folders(which, on_folder, l, err);
    return st == SBX_OK && l->failed ? sbx_fail_memory(err) : st;
}

static sbx_status print_suggestions(sbx_cli *cli, const sbx_ext_shield *ext, sbx_error *err)
{
    list l = {0};
    uint32_t i, open = 0;
    sbx_status st = get_folders(cli, ext, SBX_SHIELD_SUGGESTED, &l, err);

    if (st != SBX_OK)
        return st;
    sbx_text_add(&cli->out, "nothing is changed without the name of a folder; these are worth a shield\n");
    for (i = 0; i < l.count; i++) {
        open += l.states[i] == SBX_SHIELD_STATE_OPEN;
        sbx_text_printf(&cli->out, "  %-10s%s\n", l.states[i] == SBX_SHIELD_STATE_OPEN ? "open" : "shielded",
                        l.folders[i]);
    }
    if (!l.count)
        sbx_text_add(&cli->out, "  (none of the usual ones is here)\n");
    if (open) {
        sbx_text_add(&cli->out, "\nsbx shield --dry-run");
        for (i = 0; i < l.count; i++)
            if (l.states[i] == SBX_SHIELD_STATE_OPEN)
                sbx_text_printf(&cli->out, " \"%s\"", l.folders[i]);
        sbx_text_add(&cli->out, "\n");
    }
    return SBX_OK;
}

static void print_count(sbx_text *out, uint64_t count, const char *what, const char *first)
{
    if (!count)
        return;
    sbx_text_printf(out, "  %llu %s", (unsigned long long)count, what);
    if (first && first[0])
        sbx_text_printf(out, "%s %s", count > 1 ? ", one is" : ":", first);
    sbx_text_add(out, "\n");
}

static void print_result(sbx_cli *cli, const char *folder, const sbx_shield_count *count)
{
    sbx_text *out = &cli->out;

    sbx_text_printf(out, "%s\n", folder);
    if (cli->remove) {
        sbx_text_printf(out, "  %llu folders are as before\n", (unsigned long long)count->changed);
        print_count(out, count->shielded, "keep the entry, which is your own", NULL);
        print_count(out, count->left_out, "could not be changed", count->first_left_out);
        print_count(out, count->apart,
                    "in writable folders of sbx still have it, which `sbx clean` frees first; repeat this then",
                    count->first_apart);
        if (!count->is_known && count->changed)
            sbx_text_add(out, "  there was no record: an equal entry of your own could not be told apart\n");
    } else {
        sbx_text_printf(out, cli->dry_run ? "  %llu folders would be shielded" : "  %llu folders shielded",
                        (unsigned long long)count->changed);
        if (count->shielded)
            sbx_text_printf(out, ", %llu were already", (unsigned long long)count->shielded);
        sbx_text_add(out, "\n");
        print_count(out, count->left_out, "left out, as they hold what you could not delete then",
                    count->first_left_out);
        print_count(out, count->apart, "not looked into, as they have to be named", count->first_apart);
    }
    print_count(out, count->closed, "left alone, as you may not change them", count->first_closed);
    print_count(out, count->links, "links not followed", NULL);
}

/* The first failure ends it; what was done before is printed. */
static sbx_status each(sbx_cli *cli, const sbx_ext_shield *ext, const char *const *folders, uint32_t count,
                       sbx_error *err)
{
    const uint32_t flags = (cli->dry_run ? SBX_SHIELD_DRY_RUN : 0) | (cli->remove ? SBX_SHIELD_REMOVE : 0);
    sbx_status st = SBX_OK;
    uint32_t i;

    for (i = 0; i < count && st == SBX_OK; i++) {
        sbx_shield_count counted = {.size = sizeof(counted)};

        st = ext->run(flags, folders[i], &counted, err);
        if (st == SBX_OK || counted.changed)
            print_result(cli, folders[i], &counted);
        if (st != SBX_OK && counted.changed && !cli->dry_run && !err->hint[0])
            sbx_hint(err, "`sbx status` lists what was done; the same command goes on, --remove undoes it");
    }
    return st;
}

static sbx_status named(sbx_cli *cli, const sbx_ext_shield *ext, sbx_error *err)
{
    const char **folders = sbx_arena_alloc(&cli->arena, cli->word_count * sizeof(*folders));
    uint32_t i;
    sbx_status st = folders ? SBX_OK : sbx_fail_memory(err);

    for (i = 0; i < cli->word_count && st == SBX_OK; i++)
        st = sbx_cli_folder(cli, i, "DIR", &folders[i], err);
    if (st != SBX_OK)
        return st;
    return each(cli, ext, folders, cli->word_count, err);
}

static sbx_status act(sbx_cli *cli, const sbx_ext_shield *ext, sbx_error *err)
{
    list l = {0};
    sbx_status st;

    if (cli->word_count)
        return named(cli, ext, err);
    if (!cli->remove)
        return print_suggestions(cli, ext, err);
    st = get_folders(cli, ext, SBX_SHIELD_MADE, &l, err);
    if (st == SBX_OK && !l.count)
        sbx_text_add(&cli->out, "nothing to undo: sbx knows of no shield; name the folder where there is one\n");
    return st == SBX_OK ? each(cli, ext, l.folders, l.count, err) : st;
}

sbx_status sbx_verb_shield(sbx_cli *cli, sbx_error *err)
{
    const void *ext = NULL;
    sbx_plugin *plugin = NULL;
    sbx_status st;

    if (cli->dry_run && cli->remove) {
        sbx_fail(err, SBX_E_USAGE, "one of --dry-run and --remove", "shield");
        return sbx_hint(err, "see `sbx help shield`");
    }
    st = sbx_extension_find(cli, SBX_EXT_SHIELD, sizeof(sbx_ext_shield), &plugin, &ext, err);
    if (st == SBX_OK)
        st = act(cli, ext, err);
    sbx_plugin_free(plugin);
    return st;
}
