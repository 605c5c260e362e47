/* The steps of the secret and of the passwords that come from it. */
#include "elevated/steps_part.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "elevated/principal.h"
#include "elevated/secret.h"
#include "elevated/state.h"
#include "win/error.h"
#include "win/file.h"

/* The user's place in the record, and his secret's file; user and path are NULL where nobody is enrolled. */
typedef struct owner {
    sbx_machine machine;
    sbx_machine_user *user;
    char *path;
} owner;

static sbx_status find_owner(owner *o, sbx_error *err)
{
    sbx_status st;

    memset(o, 0, sizeof(*o));
    st = sbx_steps_load(&o->machine, &o->user, err);
    return st == SBX_OK && o->user ? sbx_state_secret_path(o->user->number, &o->path, err) : st;
}

static void end_owner(owner *o)
{
    sbx_free(o->path);
    sbx_machine_fini(&o->machine);
}

/* ---- the secret ---- */

static sbx_status SBX_CALL secret_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_secret secret;
    sbx_error why = {0};
    owner o;
    sbx_status st = find_owner(&o, err);

    (void)step;
    *state = SBX_STEP_ABSENT;
    if (st == SBX_OK && o.path) {
        if (sbx_secret_read(o.path, sbx_steps_user(), &secret, &why) == SBX_OK)
            *state = sbx_secret_is_closed(o.path, sbx_steps_user(), o.user->groups[SBX_GROUP_READERS])
                         ? SBX_STEP_PRESENT
                         : SBX_STEP_WRONG;
        else if (!sbx_file_is_missing(&why))
            *state = SBX_STEP_WRONG;
        sbx_secret_wipe(&secret);
        if (*state == SBX_STEP_WRONG && sbx_file_is_held(&why)) { /* a new one could not take its place */
            st = why.status;
            *err = why;
        }
    }
    end_owner(&o);
    return st;
}

/* With a new secret no password is right any more: that is known before it is there. */
static sbx_status SBX_CALL secret_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_secret secret;
    owner o;
    sbx_status st = find_owner(&o, err);

    if (st == SBX_OK && !o.user)
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "nobody is enrolled", step->name);
    if (st == SBX_OK) {
        o.user->generation = o.user->ready = 0;
        st = sbx_state_save(&o.machine, err);
    }
    if (st == SBX_OK) {
        st = sbx_secret_make(o.path, sbx_steps_user(), o.user->groups[SBX_GROUP_READERS], &secret, err);
        sbx_secret_wipe(&secret);
    }
    end_owner(&o);
    return st;
}

static sbx_status SBX_CALL secret_undo(const sbx_setup_step *step, sbx_error *err)
{
    owner o;
    sbx_status st = find_owner(&o, err);

    (void)step;
    if (st == SBX_OK && o.path)
        st = sbx_secret_remove(o.path, err);
    end_owner(&o);
    return st;
}

/* ---- the passwords ---- */

static sbx_status SBX_CALL passwords_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    uint32_t online, slot, flags, right = 1;
    char name[24];
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    *state = SBX_STEP_ABSENT;
    if (st == SBX_OK && user && sbx_steps_all_made(user) && user->generation) {
        for (online = 0; online < 2; online++)
            for (slot = 0; slot < user->slots && st == SBX_OK; slot++) {
                sbx_machine_account_name(name, user->number, (int)online, slot);
                st = sbx_account_look(name, &flags, err);
                right &= !flags;
            }
        *state = right ? SBX_STEP_PRESENT : SBX_STEP_WRONG;
    }
    sbx_machine_fini(&machine);
    return st;
}

/* One account: its password, so that it may log on, and that it can. */
static sbx_status set_password(const sbx_secret *secret, const char *name, uint32_t generation, sbx_error *err)
{
    uint16_t password_w[SBX_PASSWORD_UNITS];
    sbx_status st = sbx_secret_password(secret, name, generation, password_w, err);

    if (st == SBX_OK && (st = sbx_account_set_password(name, password_w, err)) == SBX_OK &&
        (st = sbx_account_enable(name, 1, err)) == SBX_OK)
        st = sbx_account_try(name, password_w, err);
    SecureZeroMemory(password_w, sizeof(password_w));
    return st;
}

/* Until the new generation is on record, some passwords are of the old one and some of the new: nobody is to try them. */
static sbx_status SBX_CALL passwords_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_secret secret;
    uint32_t online, slot, generation;
    char name[24];
    owner o;
    sbx_status st = find_owner(&o, err);

    if (st == SBX_OK && (!o.user || !sbx_steps_all_made(o.user)))
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "an account is missing", step->name);
    if (st != SBX_OK || (st = sbx_secret_read(o.path, sbx_steps_user(), &secret, err)) != SBX_OK)
        goto out;
    generation = o.user->generation + 1;
    o.user->ready = 0;
    st = sbx_state_save(&o.machine, err);
    for (online = 0; online < 2; online++)
        for (slot = 0; slot < o.user->slots && st == SBX_OK; slot++) {
            sbx_machine_account_name(name, o.user->number, (int)online, slot);
            st = set_password(&secret, name, generation, err);
        }
    sbx_secret_wipe(&secret);
    if (st == SBX_OK) {
        o.user->generation = generation;
        st = sbx_state_save(&o.machine, err);
    }
out:
    end_owner(&o);
    return st;
}

static sbx_status end_all(const sbx_machine_user *user, sbx_error *err)
{
    sbx_user_sid sids[2 * SBX_SLOTS_MAX];
    uint32_t online, slot, count = 0;
    sbx_status st = SBX_OK;

    for (online = 0; online < 2; online++)
        for (slot = 0; slot < SBX_SLOTS_MAX && st == SBX_OK; slot++)
            if (!strncmp(user->accounts[online][slot], "S-1-", 4))
                st = sbx_steps_sid(user->accounts[online][slot], &sids[count++], err);
    return st == SBX_OK ? sbx_account_end_processes(sids, count, err) : st;
}

static sbx_status SBX_CALL passwords_undo(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    uint32_t online, slot;
    char name[24];
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    if (st == SBX_OK && user && sbx_steps_all_made(user)) {
        for (online = 0; online < 2; online++)
            for (slot = 0; slot < user->slots && st == SBX_OK; slot++) {
                sbx_machine_account_name(name, user->number, (int)online, slot);
                st = sbx_account_enable(name, 0, err);
            }
        if (st == SBX_OK) /* nobody begins anew */
            st = end_all(user, err);
        user->generation = 0;
        if (st == SBX_OK)
            st = sbx_state_save(&machine, err);
    }
    sbx_machine_fini(&machine);
    return st;
}

void sbx_steps_add_secret(void)
{
    sbx_steps_add("secret", "the secret that their passwords come from", secret_present, secret_apply, secret_undo, 0,
                  0);
    sbx_steps_add("passwords", "passwords are set, the accounts enabled", passwords_present, passwords_apply,
                  passwords_undo, 0, 0);
}
