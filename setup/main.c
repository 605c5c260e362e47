/*
 * sbx-setup.exe: see README.md.  Started by `sbx setup`.
 */
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/quote.h"
#include "win/out.h"
#include "plugin/plugin.h"
#include "plugin/start.h"
#include "setup/folder.h"
#include "setup/steps.h"
#include "win/error.h"
#include "win/user.h"

#define SOMETHING_TO_DO 3
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

typedef enum action {
    ACTION_CHECK,
    ACTION_CHECK_REMOVE,
    ACTION_APPLY,
    ACTION_STATUS,
    ACTION_REMOVE,
    ACTION_REPAIR
} action;

typedef struct setup {
    action what;
    int to_do;                          /* --check: steps are missing, --check-remove: there are some */
    const char *user, *backend, *slots; /* NULL: this one; all; as it is, or the backend's choice */
    int dry_run, json, list;
    char *folder;
    sbx_tell tell;
} setup;

int wmain(void);

static void on_log(void *context, uint32_t level, const char *text)
{
    (void)context;
    if (level <= SBX_LOG_WARN)
        sbx_out_line(text);
}

/* Looks alone: nothing is written. */
static sbx_status look(setup *s, const sbx_steps *steps, sbx_error *err)
{
    static const uint32_t shown[] = {SBX_STEPS_LOOK, SBX_STEPS_UNDO, SBX_STEPS_APPLY,
                                     SBX_STEPS_LOOK, SBX_STEPS_UNDO, SBX_STEPS_REPAIR};
    const int remove = s->what == ACTION_CHECK_REMOVE;
    sbx_text line = {0};
    uint32_t count = 0;
    sbx_status st;

    if (s->what != ACTION_CHECK && !remove)
        return sbx_steps_show(steps, shown[s->what], &s->tell, err);
    if ((st = sbx_steps_check(steps, remove, &count, err)) != SBX_OK)
        return st;
    s->to_do |= count != 0;
    if (s->list)
        return sbx_steps_show(steps, remove ? SBX_STEPS_UNDO : SBX_STEPS_APPLY, &s->tell, err);
    if (!count) {
        sbx_text_printf(&line, "backend \"%s\" %s", s->tell.backend, remove ? "has nothing to remove" : "is set up");
        sbx_tell_line(&s->tell, &line);
    }
    return SBX_OK;
}

static sbx_status change(setup *s, sbx_steps *steps, sbx_error *err)
{
    sbx_status st;

    if (s->what != ACTION_REMOVE)
        return sbx_steps_apply(steps, s->what == ACTION_REPAIR, &s->tell, err);
    if ((st = sbx_steps_undo(steps, &s->tell, err)) != SBX_OK)
        return st;
    st = sbx_journal_remove(steps->journal, err);
    steps->journal = NULL;
    return st;
}

static sbx_status one_backend(setup *s, const char *name, sbx_error *err)
{
    const int writing =
        !s->dry_run && (s->what == ACTION_APPLY || s->what == ACTION_REMOVE || s->what == ACTION_REPAIR);
    sbx_text line = {0};
    sbx_plugin *plugin = NULL;
    const sbx_backend *backend;
    sbx_setup_options options = {.size = sizeof(options), .part = SBX_SETUP_MACHINE};
    char user_text[192];
    sbx_user_sid user;
    sbx_steps steps = {0};
    sbx_text path = {0};
    sbx_status st = sbx_user_get(&user, err);

    if (st != SBX_OK || (st = sbx_plugin_load(name, &plugin, err)) != SBX_OK)
        return st;
    sbx_user_sid_text(user.u.bytes, user_text, sizeof(user_text));
    options.user_sid = s->user ? s->user : user_text;
    options.slots = s->slots ? (uint32_t)strtoul(s->slots, NULL, 10) : 0;
    backend = sbx_plugin_backend(plugin);
    s->tell.backend = backend->name;
    options.flags = writing ? 0 : SBX_SETUP_DRY_RUN;
    if ((st = backend->setup_steps(&options, &steps.items, &steps.count, err)) != SBX_OK)
        goto out;
    if (!steps.count) {
        sbx_text_printf(&line, "backend \"%s\" needs no setup", backend->name);
        sbx_tell_line(&s->tell, &line);
        goto out;
    }
    if (writing && (st = sbx_setup_folder_make(s->folder, err)) != SBX_OK)
        goto out;
    sbx_text_printf(&path, "%s\\setup-%s.journal", s->folder, backend->name);
    if (path.failed) {
        st = sbx_fail_memory(err);
        goto out;
    }
    if ((st = sbx_journal_open(path.data, writing, &steps.journal, err)) != SBX_OK)
        goto out;
    if (sbx_journal_damaged(steps.journal)) {
        sbx_text_printf(&line, "%s: %u lines of the journal are damaged and were passed over", backend->name,
                        (unsigned)sbx_journal_damaged(steps.journal));
        sbx_tell_line(&s->tell, &line);
    }
    st = writing ? change(s, &steps, err) : look(s, &steps, err);
    if (st == SBX_OK && writing && s->what == ACTION_REMOVE)
        sbx_setup_folder_remove(s->folder);
out:
    sbx_journal_close(steps.journal);
    sbx_text_fini(&path);
    sbx_plugin_free(plugin);
    return st;
}

static sbx_status all_backends(setup *s, sbx_error *err)
{
    sbx_error one = {0};
    char **names = NULL, message[1024];
    uint32_t count = 0, i;
    sbx_status st = sbx_plugin_list(&names, &count, err), one_st;

    for (i = 0; i < count; i++) {
        one_st = one_backend(s, names[i], &one);
        if (one_st == SBX_E_BACKEND || one_st == SBX_E_REFUSED) {
            /* one that is refused does not hold up the others; `sbx backends` tells more */
            sbx_error_describe(&one, message, sizeof(message));
            sbx_out_line(message);
        } else if (one_st != SBX_OK && st == SBX_OK) {
            st = one_st;
            *err = one;
        }
        sbx_free(names[i]);
    }
    sbx_free(names);
    return st;
}

/* ACTION [OPTIONS] [BACKEND] */
static int parse(setup *s, const sbx_arguments *arguments)
{
    static const char *const actions[] = {"--check", "--check-remove", "--apply", "--status", "--remove", "--repair"};
    const struct {
        const char *name, **value;
    } valued[] = {
        {"--user", &s->user},
        {"--slots", &s->slots},
    };
    const struct {
        const char *name;
        int *on;
    } plain[] = {
        {"--dry-run", &s->dry_run},
        {"--json", &s->json},
        {"--list", &s->list},
    };
    const uint32_t count = arguments->count;
    const char *const *items = arguments->items;
    uint32_t i = 0, at = 2, k;

    while (i < COUNT(actions) && (count < 2 || strcmp(actions[i], items[1])))
        i++;
    if (i == COUNT(actions))
        return 0;
    s->what = (action)i;
    for (; at < count && items[at][0] == '-'; at++) {
        for (i = 0; i < COUNT(plain) && strcmp(plain[i].name, items[at]); i++)
            ;
        for (k = 0; k < COUNT(valued) && strcmp(valued[k].name, items[at]); k++)
            ;
        if (i < COUNT(plain))
            *plain[i].on = 1;
        else if (k < COUNT(valued) && at + 1 < count && !*valued[k].value)
            *valued[k].value = items[++at];
        else
            return 0;
    }
    if (at < count)
        s->backend = items[at++];
    return at == count;
}

static sbx_status run(setup *s, sbx_arena *arena, sbx_error *err)
{
    const sbx_plugin_sink sink = {NULL, on_log, NULL, NULL};
    sbx_arguments arguments;
    sbx_status st = sbx_quote_split(arena, (const uint16_t *)GetCommandLineW(), &arguments, err);

    if (st != SBX_OK)
        return st;
    if (!parse(s, &arguments)) {
        sbx_fail(err, SBX_E_USAGE, "nothing asked for", NULL);
        return sbx_hint(err, "this program is started by `sbx setup`");
    }
    if ((st = sbx_tell_begin(&s->tell, s->json, err)) != SBX_OK ||
        (st = sbx_plugin_init(SBX_PROGRAM_SETUP, "", &sink, err)) != SBX_OK ||
        (st = sbx_setup_folder(&s->folder, err)) != SBX_OK)
        return st;
    return s->backend ? one_backend(s, s->backend, err) : all_backends(s, err);
}

int wmain(void)
{
    setup s = {0};
    sbx_arena arena = {NULL};
    sbx_error err = {0};
    char message[2048];
    sbx_status st;

    sbx_start("sbx-setup");
    sbx_out_program("sbx-setup");
    st = run(&s, &arena, &err);
    /* where something is to do, the next call tells */
    s.tell.quiet = s.to_do && !s.list && st == SBX_OK;
    sbx_tell_end(&s.tell, st == SBX_OK ? NULL : &err);
    if (st != SBX_OK) {
        sbx_error_describe(&err, message, sizeof(message));
        sbx_out_error(message, err.hint);
    }
    sbx_free(s.folder);
    sbx_arena_fini(&arena);
    return st == SBX_OK && s.to_do ? SOMETHING_TO_DO : sbx_exit_code(st);
}
