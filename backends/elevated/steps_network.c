/* The steps that take the accounts off the network: the ports that stay open, and the filters. */
#include "elevated/steps_part.h"

#include <string.h>

#include "base/memory.h"
#include "common/host.h"
#include "elevated/checks.h"
#include "elevated/filters.h"
#include "elevated/listeners.h"
#include "elevated/state.h"

/* ---- ports of this machine ---- */

static struct {
    int given;
    sbx_loopback ports;
} asked;

static sbx_status SBX_CALL loopback_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    *state = !user                                                              ? SBX_STEP_ABSENT
             : !asked.given || sbx_loopback_same(&user->loopback, &asked.ports) ? SBX_STEP_PRESENT
                                                                                : SBX_STEP_WRONG;
    sbx_machine_fini(&machine);
    return st;
}

/* What the ports lead to now. */
static void tell_opened(const sbx_loopback *ports)
{
    sbx_text ranges = {0}, listeners = {0};

    sbx_loopback_text(ports, &ranges);
    sbx_listeners_text(ports, &listeners);
    if (!ranges.failed && !listeners.failed && listeners.length)
        sbx_host_log(SBX_LOG_WARN, "commands without a network reach what listens at ports %s of this machine, now: %s",
                     ranges.data, listeners.data);
    sbx_text_fini(&ranges);
    sbx_text_fini(&listeners);
}

static sbx_status SBX_CALL loopback_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    if (st == SBX_OK && !user)
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "nobody is enrolled", step->name);
    if (st == SBX_OK && asked.given) {
        user->loopback = asked.ports;
        st = sbx_state_save(&machine, err);
        tell_opened(&asked.ports);
    }
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL loopback_undo(const sbx_setup_step *step, sbx_error *err)
{
    (void)step;
    (void)err;
    return SBX_OK; /* goes with the record */
}

/* ---- filters ---- */

/* Not for everybody to see: then the record says it. */
static sbx_status by_record(const sbx_machine *machine, const sbx_machine_user *user, uint32_t *state)
{
    *state = user && user->ready && machine->network == SBX_MACHINE_NETWORK ? SBX_STEP_PRESENT : SBX_STEP_ABSENT;
    return SBX_OK;
}

static sbx_status SBX_CALL filters_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_filters *filters = NULL;
    sbx_engine engine = {0};
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    *state = SBX_STEP_ABSENT;
    if (st != SBX_OK || (!user && machine.count)) /* those of others are theirs */
        goto out;
    if ((st = sbx_filters_new(&machine, NULL, 0, &filters, err)) == SBX_OK &&
        (st = sbx_engine_open(&engine, 0, err)) == SBX_OK)
        st = sbx_filters_look(&engine, filters, state, err);
    if (st == SBX_OK && *state == SBX_STEP_PRESENT && machine.network != SBX_MACHINE_NETWORK)
        *state = SBX_STEP_WRONG;
    else if (st == SBX_E_REFUSED)
        st = by_record(&machine, user, state);
    sbx_engine_close(&engine);
out:
    sbx_filters_free(filters);
    sbx_machine_fini(&machine);
    return st;
}

/* In a session that ends with this program first: does anybody else lose anything? */
static sbx_status try_filters(const sbx_machine *machine, const sbx_checks *checks, sbx_error *err)
{
    sbx_filters *filters = NULL;
    sbx_engine engine = {0};
    sbx_status st = sbx_filters_new(machine, NULL, SBX_FILTERS_TRIAL, &filters, err);

    if (st == SBX_OK && (st = sbx_engine_open(&engine, 1, err)) == SBX_OK &&
        (st = sbx_filters_replace(&engine, filters, err)) == SBX_OK)
        st = sbx_checks_foreign(checks, err);
    sbx_engine_close(&engine);
    sbx_filters_free(filters);
    return st;
}

/* All of them, for those in `machine` but one; none when nobody is left. */
static sbx_status put_filters(const sbx_machine *machine, const char *without, sbx_error *err)
{
    sbx_filters *filters = NULL;
    sbx_engine engine = {0};
    sbx_status st = sbx_filters_new(machine, without, 0, &filters, err);

    if (st == SBX_OK && (st = sbx_engine_open(&engine, 0, err)) == SBX_OK)
        st = sbx_filters_replace(&engine, filters, err);
    sbx_engine_close(&engine);
    sbx_filters_free(filters);
    return st;
}

static sbx_status record(sbx_machine *machine, uint32_t network, sbx_error *err)
{
    if (machine->network == network)
        return SBX_OK;
    machine->network = network;
    return sbx_state_save(machine, err);
}

static sbx_status SBX_CALL filters_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_checks checks = {0};
    sbx_machine machine = {0}, nobody = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    if (st == SBX_OK && (!user || !sbx_steps_all_made(user)))
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "an account is missing", step->name);
    if (st != SBX_OK || (st = sbx_checks_begin(&checks, &machine, user, err)) != SBX_OK ||
        (st = try_filters(&machine, &checks, err)) != SBX_OK || (st = record(&machine, 0, err)) != SBX_OK ||
        (st = put_filters(&machine, NULL, err)) != SBX_OK)
        goto out;
    st = sbx_checks_offline(&checks, err); /* to everybody else they are what was tried */
    if (st == SBX_OK)
        st = record(&machine, SBX_MACHINE_NETWORK, err);
    else if (put_filters(&nobody, NULL, NULL) != SBX_OK)
        sbx_hint(err, "and they could not be taken away again: sbx setup --remove");
out:
    sbx_checks_end(&checks);
    sbx_machine_fini(&machine);
    return st;
}

/* Those of other users stay, and name this one's accounts no longer. */
static sbx_status SBX_CALL filters_undo(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    if (st == SBX_OK && (st = put_filters(&machine, sbx_steps_user(), err)) == SBX_OK && user && machine.count == 1)
        st = record(&machine, 0, err);
    sbx_machine_fini(&machine);
    return st;
}

sbx_status sbx_steps_add_network(const sbx_setup_options *options, sbx_error *err)
{
    uint32_t i;

    memset(&asked, 0, sizeof(asked));
    asked.given = (options->flags & SBX_SETUP_LOOPBACK) != 0;
    for (i = 0; asked.given && i < options->loopback_count; i++)
        if (!sbx_loopback_add(&asked.ports, options->loopback[i].first, options->loopback[i].last))
            return sbx_fail(err, SBX_E_USAGE, "no ports, or more than 256 separate ranges", "--loopback");
    sbx_steps_add("loopback", "ports of this machine that commands reach", loopback_present, loopback_apply,
                  loopback_undo, 0, 0);
    sbx_steps_add("filters", "accounts without a network are off it", filters_present, filters_apply, filters_undo, 0,
                  0);
    return SBX_OK;
}
