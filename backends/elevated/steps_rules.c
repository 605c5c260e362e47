/* The step that makes rules of the firewall, the second layer. */
#include <string.h>

#include "common/host.h"
#include "elevated/rules.h"
#include "elevated/state.h"
#include "elevated/steps_part.h"

/* Once a program: nothing depends on them, but who reads of two layers should know when there is one. */
static void tell(const char *why)
{
    static int told;

    if (!told)
        sbx_host_log(SBX_LOG_WARN,
                     "rules of the firewall, the second layer, have no effect: %s; the filters hold without them", why);
    told = 1;
}

static sbx_status SBX_CALL rules_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_rules rules = {0};
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_error why = {0};
    const char *no_effect;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    *state = SBX_STEP_ABSENT;
    if (st != SBX_OK || !user)
        goto out;
    if ((st = sbx_rules_open(&rules, &why)) == SBX_OK)
        st = sbx_rules_look(&rules, user, state, &why);
    if (st == SBX_OK && *state == SBX_STEP_PRESENT && (no_effect = sbx_rules_without_effect(&rules)) != NULL)
        tell(no_effect);
    if (st == SBX_E_UNAVAILABLE) { /* none can be made, and none counts */
        *state = SBX_STEP_PRESENT;
        tell("the firewall of Windows does not run");
        st = SBX_OK;
    } else if (st == SBX_E_REFUSED) { /* not for everybody to see: then setup came to its end, or it did not */
        st = sbx_steps_ready(step, state, err);
    } else if (st != SBX_OK && err) {
        *err = why;
    }
    sbx_rules_close(&rules);
out:
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL rules_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_rules rules = {0};
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    if (st == SBX_OK && (!user || !sbx_steps_all_made(user)))
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "an account is missing", step->name);
    else if (st == SBX_OK && (st = sbx_rules_open(&rules, err)) == SBX_E_UNAVAILABLE)
        st = SBX_OK; /* told when it is looked at */
    else if (st == SBX_OK)
        st = sbx_rules_replace(&rules, user, err);
    sbx_rules_close(&rules);
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL rules_undo(const sbx_setup_step *step, sbx_error *err)
{
    sbx_rules rules = {0};
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    if (st == SBX_OK && user) {
        if ((st = sbx_rules_open(&rules, err)) == SBX_OK)
            st = sbx_rules_remove(&rules, user->number, err);
        else if (st == SBX_E_UNAVAILABLE)
            st = sbx_rules_kept(user->number)
                     ? sbx_hint(err, "it keeps rules of sbx for when it runs: start it, and remove again")
                     : SBX_OK;
    }
    sbx_rules_close(&rules);
    sbx_machine_fini(&machine);
    return st;
}

void sbx_steps_add_rules(void)
{
    sbx_steps_add("rules", "rules of the firewall, a second layer", rules_present, rules_apply, rules_undo, 0, 0);
}
