#include "elevated/steps.h"

#include <string.h>

#include "base/memory.h"
#include "base/utf.h"
#include "elevated/state.h"
#include "elevated/steps_part.h"

#define DEFAULT_SLOTS 8u
#define STEPS_MAX                                                                                                      \
    (15u + 2u * SBX_SLOTS_MAX) /* machine, enrol, groups, accounts, rights, secret, runner, network, ready */

static struct {
    char user_sid[SBX_MACHINE_SID];
    char *programs;
    uint32_t slots;
    sbx_setup_step steps[STEPS_MAX];
    sbx_step_of of[STEPS_MAX];
    uint32_t count;
} setup;

const char *sbx_steps_user(void)
{
    return setup.user_sid;
}

const char *sbx_steps_programs(void)
{
    return setup.programs;
}

uint32_t sbx_steps_slots(void)
{
    return setup.slots;
}

sbx_status SBX_CALL sbx_steps_nothing(const sbx_setup_step *step, sbx_error *err)
{
    (void)step;
    (void)err;
    return SBX_OK;
}

sbx_status sbx_steps_load(sbx_machine *machine, sbx_machine_user **user, sbx_error *err)
{
    sbx_status st = sbx_state_load(machine, err);

    *user = st == SBX_OK ? sbx_machine_find(machine, setup.user_sid) : NULL;
    return st;
}

int sbx_steps_all_made(const sbx_machine_user *user)
{
    uint32_t i, online;

    for (i = 0; i < SBX_GROUPS; i++)
        if (strncmp(user->groups[i], "S-1-", 4))
            return 0;
    for (online = 0; online < 2; online++)
        for (i = 0; i < user->slots; i++)
            if (strncmp(user->accounts[online][i], "S-1-", 4))
                return 0;
    return 1;
}

/* ---- enrolled ---- */

static sbx_status SBX_CALL enrol_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    *state = !user                                                  ? SBX_STEP_ABSENT
             : user->slots == setup.slots && sbx_state_is_twofold() ? SBX_STEP_PRESENT
                                                                    : SBX_STEP_WRONG;
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL enrol_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    if (st == SBX_OK && !(user = sbx_machine_enrol(&machine, setup.user_sid)))
        st = sbx_fail(err, SBX_E_REFUSED, "too many users are enrolled", setup.user_sid);
    if (st == SBX_OK) {
        user->ready = user->ready && user->slots == setup.slots;
        user->slots = setup.slots;
        st = sbx_state_save(&machine, err);
    }
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL enrol_undo(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    if (st == SBX_OK) {
        sbx_machine_forget(&machine, setup.user_sid);
        st = machine.count ? sbx_state_save(&machine, err) : sbx_state_remove(err);
    }
    sbx_machine_fini(&machine);
    return st;
}

/* ---- ready ---- */

sbx_status SBX_CALL sbx_steps_ready(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    *state = user && user->ready ? SBX_STEP_PRESENT : SBX_STEP_ABSENT;
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status set_ready(uint32_t ready, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    if (st == SBX_OK && user) {
        user->ready = ready;
        st = sbx_state_save(&machine, err);
    }
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL ready_apply(const sbx_setup_step *step, sbx_error *err)
{
    (void)step;
    return set_ready(1, err);
}

static sbx_status SBX_CALL ready_undo(const sbx_setup_step *step, sbx_error *err)
{
    (void)step;
    return set_ready(0, err);
}

/* ---- the table ---- */

sbx_setup_step *sbx_steps_add(const char *name, const char *summary, sbx_step_present present, sbx_step_act apply,
                              sbx_step_act undo, uint32_t online, uint32_t slot)
{
    sbx_step_of *of = &setup.of[setup.count];
    sbx_setup_step *step = &setup.steps[setup.count++];

    of->online = online;
    of->slot = slot;
    sbx_utf8_copy(of->name, sizeof(of->name), name);
    step->size = sizeof(*step);
    step->flags = 0;
    step->name = of->name;
    step->summary = summary;
    step->context = of;
    step->present = present;
    step->apply = apply;
    step->undo = undo;
    return step;
}

/* *listed: those that there are to be, and those that there are. */
static sbx_status choose_slots(const sbx_setup_options *options, uint32_t *listed, sbx_error *err)
{
    uint32_t i;
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st;

    if (options->slots > SBX_SLOTS_MAX)
        return sbx_fail(err, SBX_E_USAGE, "at most 16 slots", "setup");
    if ((st = sbx_steps_load(&machine, &user, err)) == SBX_OK)
        setup.slots = options->slots ? options->slots : user && user->slots ? user->slots : DEFAULT_SLOTS;
    *listed = setup.slots;
    for (i = setup.slots; st == SBX_OK && user && i < SBX_SLOTS_MAX; i++)
        if (user->accounts[0][i][0] || user->accounts[1][i][0])
            *listed = i + 1;
    sbx_machine_fini(&machine);
    return st;
}

sbx_status sbx_elevated_steps(const sbx_setup_options *options, const sbx_setup_step **steps, uint32_t *count,
                              sbx_error *err)
{
    uint32_t slots = 0;
    sbx_status st;

    setup.count = 0;
    *steps = setup.steps;
    *count = 0;
    if (options->part != SBX_SETUP_MACHINE)
        return SBX_OK;
    sbx_utf8_copy(setup.user_sid, sizeof(setup.user_sid), options->user_sid);
    sbx_free(setup.programs);
    setup.programs = sbx_strdup(options->programs ? options->programs : "");
    if (!setup.programs)
        return sbx_fail_memory(err);
    if ((st = choose_slots(options, &slots, err)) != SBX_OK)
        return st;
    sbx_steps_add_machine();
    sbx_steps_add("enrol", "the user is on record", enrol_present, enrol_apply, enrol_undo, 0, 0);
    sbx_steps_add_principals(slots);
    sbx_steps_add_rights();
    sbx_steps_add_secret();
    sbx_steps_add_runner();
    if ((st = sbx_steps_add_network(options, err)) != SBX_OK)
        return st;
    sbx_steps_add_rules();
    sbx_steps_add("ready", "setup came to its end", sbx_steps_ready, ready_apply, ready_undo, 0, 0);
    *count = setup.count;
    return SBX_OK;
}
