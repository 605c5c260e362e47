/* The steps that make groups and accounts and say what they may. */
#include "elevated/steps_part.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf.h"
#include "elevated/principal.h"
#include "elevated/secret.h"
#include "elevated/state.h"
#include "win/error.h"

static int sid_is(const char *text, const sbx_user_sid *sid)
{
    char found[SBX_MACHINE_SID];

    sbx_user_sid_text(sid->u.bytes, found, sizeof(found));
    return !strcmp(text, found);
}

/* SBX_STEP_ABSENT, SBX_STEP_PRESENT, or SBX_STEP_WRONG: half made. SBX_E_REFUSED: somebody else's. */
static sbx_status look_at(const char *name, uint32_t kind, const char *recorded, uint32_t *state, sbx_error *err)
{
    sbx_user_sid sid;
    uint32_t found;
    sbx_status st = sbx_principal_find(name, &found, &sid, err);

    if (st != SBX_OK)
        return st;
    if (found == SBX_PRINCIPAL_NONE) {
        *state = *recorded ? SBX_STEP_WRONG : SBX_STEP_ABSENT;
        return SBX_OK;
    }
    if (!strcmp(recorded, SBX_MACHINE_PENDING) && found == kind) {
        *state = SBX_STEP_WRONG;
        return SBX_OK;
    }
    if (found != kind || !sid_is(recorded, &sid)) {
        sbx_fail(err, SBX_E_REFUSED, "it was not made by this setup", name);
        return sbx_hint(err, "rename or remove it, and run setup again");
    }
    *state = SBX_STEP_PRESENT;
    return SBX_OK;
}

/* In the record; with another one setup has not come to its end. */
static sbx_status remember(sbx_machine *machine, char *place, const char *text, sbx_error *err)
{
    sbx_machine_user *user = sbx_machine_find(machine, sbx_steps_user());

    sbx_utf8_copy(place, SBX_MACHINE_SID, text);
    if (user)
        user->ready = 0;
    return sbx_state_save(machine, err);
}

/* The SID of what was just made, kept. */
static sbx_status keep_sid(sbx_machine *machine, char *place, const char *name, uint32_t kind, sbx_error *err)
{
    char text[SBX_MACHINE_SID];
    sbx_user_sid sid;
    uint32_t found;
    sbx_status st = sbx_principal_find(name, &found, &sid, err);

    if (st != SBX_OK)
        return st;
    if (found != kind)
        return sbx_fail(err, SBX_E_UNENFORCED, "it was made, but it is not there", name);
    sbx_user_sid_text(sid.u.bytes, text, sizeof(text));
    return remember(machine, place, text, err);
}

sbx_status sbx_steps_sid(const char *text, sbx_user_sid *sid, sbx_error *err)
{
    return sbx_user_sid_read(text, strlen(text), sid) ? SBX_OK : sbx_fail(err, SBX_E_SYSTEM, "it is no SID", text);
}

/* A password that nobody knows, until the secret is there. */
static sbx_status throwaway(uint16_t password_w[SBX_PASSWORD_UNITS], sbx_error *err)
{
    sbx_secret secret;
    sbx_status st = sbx_secret_draw(&secret, err);

    if (st != SBX_OK)
        return st;
    st = sbx_secret_password(&secret, "throwaway", 0, password_w, err);
    sbx_secret_wipe(&secret);
    return st;
}

/* ---- groups and accounts ---- */

static const char *const group_texts[SBX_GROUPS] = {"sbx: reads for sandboxed commands",
                                                    "sbx: writable folders of sandboxed commands",
                                                    "sbx: sandboxed commands without a network"};

/* Where the record has it, and its name; SBX_E_UNAVAILABLE where nobody is enrolled. */
typedef struct principal {
    sbx_machine machine;
    char *place;
    char name[24];
    uint32_t kind;
    int unwanted; /* an account beyond those that there are to be */
} principal;

static sbx_status principal_of(const sbx_step_of *w, int group, principal *p, sbx_error *err)
{
    sbx_machine_user *user;
    sbx_status st;

    memset(p, 0, sizeof(*p));
    st = sbx_steps_load(&p->machine, &user, err);
    if (st != SBX_OK)
        return st;
    p->kind = group ? SBX_PRINCIPAL_GROUP : SBX_PRINCIPAL_USER;
    if (!user)
        return SBX_OK;
    if (group)
        sbx_machine_group_name(p->name, user->number, w->slot);
    else
        sbx_machine_account_name(p->name, user->number, (int)w->online, w->slot);
    p->unwanted = !group && w->slot >= sbx_steps_slots();
    p->place = group ? user->groups[w->slot] : user->accounts[w->online][w->slot];
    return SBX_OK;
}

static sbx_status principal_present(const sbx_step_of *w, int group, uint32_t *state, sbx_error *err)
{
    principal p;
    sbx_status st = principal_of(w, group, &p, err);

    *state = SBX_STEP_ABSENT;
    if (st == SBX_OK && p.place && p.unwanted)
        *state = *p.place ? SBX_STEP_WRONG : SBX_STEP_PRESENT;
    else if (st == SBX_OK && p.place)
        st = look_at(p.name, p.kind, p.place, state, err);
    sbx_machine_fini(&p.machine);
    return st;
}

static sbx_status delete_principal(const principal *p, sbx_error *err)
{
    sbx_status st;

    if (p->kind == SBX_PRINCIPAL_GROUP)
        return sbx_group_delete(p->name, err);
    st = sbx_account_delete(p->name, err);
    return st == SBX_OK ? sbx_steps_unhide(p->name, err) : st;
}

/* Of a group that is gone the system keeps them. */
static sbx_status take_rights(const principal *p, sbx_error *err)
{
    sbx_user_sid sid;

    if (p->kind != SBX_PRINCIPAL_GROUP || !sbx_user_sid_read(p->place, strlen(p->place), &sid))
        return SBX_OK;
    return sbx_rights_remove(sid.u.bytes, err);
}

static sbx_status take_away(principal *p, sbx_error *err)
{
    uint32_t state = SBX_STEP_ABSENT;
    sbx_status st = look_at(p->name, p->kind, p->place, &state, err);

    if (st == SBX_OK && state != SBX_STEP_ABSENT)
        st = delete_principal(p, err);
    return st == SBX_OK ? remember(&p->machine, p->place, "", err) : st;
}

static sbx_status principal_apply(const sbx_step_of *w, int group, sbx_error *err)
{
    uint16_t password_w[SBX_PASSWORD_UNITS];
    uint32_t state = SBX_STEP_ABSENT;
    principal p;
    sbx_status st = principal_of(w, group, &p, err);

    if (st == SBX_OK && !p.place)
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "nobody is enrolled", w->name);
    if (st == SBX_OK && p.unwanted) {
        st = take_away(&p, err);
        goto out;
    }
    if (st != SBX_OK || (st = look_at(p.name, p.kind, p.place, &state, err)) != SBX_OK || state == SBX_STEP_PRESENT)
        goto out;
    if ((st = take_rights(&p, err)) != SBX_OK ||
        (st = remember(&p.machine, p.place, SBX_MACHINE_PENDING, err)) != SBX_OK ||
        (st = delete_principal(&p, err)) != SBX_OK)
        goto out;
    if (group)
        st = sbx_group_make(p.name, group_texts[w->slot], err);
    else if ((st = throwaway(password_w, err)) == SBX_OK)
        st = sbx_account_make(p.name, "sbx: runs sandboxed commands; made and removed by sbx setup", password_w, err);
    SecureZeroMemory(password_w, sizeof(password_w));
    if (st == SBX_OK)
        st = keep_sid(&p.machine, p.place, p.name, p.kind, err);
out:
    sbx_machine_fini(&p.machine);
    return st;
}

static sbx_status principal_undo(const sbx_step_of *w, int group, sbx_error *err)
{
    principal p;
    sbx_status st = principal_of(w, group, &p, err);

    if (st == SBX_OK && p.place)
        st = take_away(&p, err);
    sbx_machine_fini(&p.machine);
    return st;
}

static sbx_status SBX_CALL group_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    return principal_present(step->context, 1, state, err);
}

static sbx_status SBX_CALL group_apply(const sbx_setup_step *step, sbx_error *err)
{
    return principal_apply(step->context, 1, err);
}

static sbx_status SBX_CALL group_undo(const sbx_setup_step *step, sbx_error *err)
{
    return principal_undo(step->context, 1, err);
}

static sbx_status SBX_CALL account_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    return principal_present(step->context, 0, state, err);
}

static sbx_status SBX_CALL account_apply(const sbx_setup_step *step, sbx_error *err)
{
    return principal_apply(step->context, 0, err);
}

static sbx_status SBX_CALL account_undo(const sbx_setup_step *step, sbx_error *err)
{
    return principal_undo(step->context, 0, err);
}

void sbx_steps_add_principals(uint32_t slots)
{
    static const char *const group_steps[SBX_GROUPS] = {"group-readers", "group-writers", "group-offline"};
    uint32_t i, online;
    char name[32];

    for (i = 0; i < SBX_GROUPS; i++)
        sbx_steps_add(group_steps[i], group_texts[i] + 5, group_present, group_apply, group_undo, 0, i);
    for (online = 0; online < 2; online++)
        for (i = 0; i < slots; i++) {
            snprintf(name, sizeof(name), "account-%s%02u", online ? "on" : "off", (unsigned)i + 1);
            sbx_steps_add(name, "an account that runs commands, disabled until all is there", account_present,
                          account_apply, account_undo, online, i);
        }
}
