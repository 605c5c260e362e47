#include "setup/setup.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "plugin/plugin.h"
#include "setup/ports.h"
#include "setup/steps.h"
#include "win/error.h"
#include "win/out.h"

/* ---- the programs, as the first step of each ---- */

static sbx_status SBX_CALL programs_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    const sbx_programs *programs = step->context;
    int whole = 1;
    sbx_status st = programs->here ? SBX_OK : sbx_programs_look(programs, &whole, err);

    *state = whole ? 1 : 0;
    return st;
}

static sbx_status SBX_CALL not_here(const sbx_setup_step *step, sbx_error *err)
{
    return sbx_fail(err, SBX_E_UNSUPPORTED, "it is a condition", step->name);
}

static sbx_status all_steps(const sbx_setup *s, const sbx_setup_step *items, uint32_t count, sbx_steps *steps,
                            sbx_error *err)
{
    sbx_setup_step *all = sbx_alloc((count + 1) * sizeof(*all));

    if (!all)
        return sbx_fail_memory(err);
    *all = (sbx_setup_step){.size = sizeof(*all),
                            .flags = SBX_STEP_CONDITION,
                            .name = "programs",
                            .summary = "what runs with other rights is copied to where only administrators write",
                            .context = &s->programs,
                            .present = programs_present,
                            .apply = not_here,
                            .undo = not_here};
    memcpy(all + 1, items, count * sizeof(*all));
    steps->items = all;
    steps->count = count + 1;
    return SBX_OK;
}

/* ---- one backend ---- */

/* *loaded: what went wrong is not that the backend cannot be used at all. */
static sbx_status one_backend(sbx_setup *s, const char *name, int *loaded, sbx_error *err)
{
    sbx_setup_options options = {.size = sizeof(options),
                                 .part = SBX_SETUP_MACHINE,
                                 .flags = (sbx_setup_writes(s) ? 0 : SBX_SETUP_DRY_RUN) |
                                          (s->loopback ? SBX_SETUP_LOOPBACK : 0),
                                 .slots = s->slots ? (uint32_t)strtoul(s->slots, NULL, 10) : 0,
                                 .user_sid = s->user_text,
                                 .programs = s->programs.folder};
    sbx_port_range ports[SBX_SETUP_PORTS];
    sbx_plugin *plugin = NULL;
    const sbx_backend *backend;
    const sbx_setup_step *items = NULL;
    sbx_steps steps = {0};
    sbx_text line = {0};
    uint32_t count = 0;
    sbx_status st = sbx_plugin_load(name, &plugin, err);

    *loaded = st == SBX_OK;
    if (st != SBX_OK)
        return st;
    options.loopback = ports;
    if (s->loopback && (st = sbx_setup_ports(s->loopback, ports, &options.loopback_count, err)) != SBX_OK) {
        sbx_plugin_free(plugin);
        return st;
    }
    backend = sbx_plugin_backend(plugin);
    s->tell.backend = backend->name;
    st = backend->setup_steps(&options, &items, &count, err);
    if (st == SBX_OK && !count) {
        sbx_text_printf(&line, "backend \"%s\" needs no setup", backend->name);
        sbx_tell_line(&s->tell, &line);
    } else if (st == SBX_OK && (st = all_steps(s, items, count, &steps, err)) == SBX_OK) {
        st = sbx_setup_change(s, &steps, err);
    }
    sbx_free((void *)(uintptr_t)steps.items);
    sbx_plugin_free(plugin);
    return st;
}

sbx_status sbx_setup_backends(sbx_setup *s, sbx_error *err)
{
    sbx_error one = {0};
    char **names = NULL, message[1024];
    uint32_t count = 0, i;
    int loaded;
    sbx_status st, one_st;

    if (s->backend)
        return one_backend(s, s->backend, &loaded, err);
    st = sbx_plugin_list(&names, &count, err);
    for (i = 0; i < count; i++) {
        one_st = one_backend(s, names[i], &loaded, &one);
        if (one_st != SBX_OK && !loaded) {
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
