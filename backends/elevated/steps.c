#include "elevated/steps.h"

#include <windows.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf.h"
#include "elevated/principal.h"
#include "elevated/secret.h"
#include "elevated/state.h"
#include "win/error.h"
#include "win/dirs.h"
#include "win/file.h"
#include "win/wide.h"

#define ABSENT 0u
#define PRESENT 1u
#define WRONG 2u

#define DEFAULT_SLOTS 8u
#define USER_LIST L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon\\SpecialAccounts\\UserList"

/* One step: which, and of which account. */
typedef struct what {
    uint32_t online, slot;
    char name[32];
} what;

#define STEPS_MAX (8u + 2u * SBX_SLOTS_MAX)

static struct {
    char user_sid[SBX_MACHINE_SID];
    uint32_t slots;
    sbx_setup_step steps[STEPS_MAX];
    what whats[STEPS_MAX];
    uint32_t count;
} setup;

/* ---- the record ---- */

/* *user NULL: not enrolled. */
static sbx_status load(sbx_machine *machine, sbx_machine_user **user, sbx_error *err)
{
    sbx_status st = sbx_state_load(machine, err);

    *user = st == SBX_OK ? sbx_machine_find(machine, setup.user_sid) : NULL;
    return st;
}

static int sid_is(const char *text, const sbx_user_sid *sid)
{
    char found[SBX_MACHINE_SID];

    sbx_user_sid_text(sid->u.bytes, found, sizeof(found));
    return !strcmp(text, found);
}

/* ABSENT, PRESENT, or WRONG: half made. SBX_E_REFUSED: somebody else's. */
static sbx_status look_at(const char *name, uint32_t kind, const char *recorded, uint32_t *state, sbx_error *err)
{
    sbx_user_sid sid;
    uint32_t found;
    sbx_status st = sbx_principal_find(name, &found, &sid, err);

    if (st != SBX_OK)
        return st;
    if (found == SBX_PRINCIPAL_NONE) {
        *state = *recorded ? WRONG : ABSENT;
        return SBX_OK;
    }
    if (!strcmp(recorded, SBX_MACHINE_PENDING) && found == kind) {
        *state = WRONG;
        return SBX_OK;
    }
    if (found != kind || !sid_is(recorded, &sid)) {
        sbx_fail(err, SBX_E_REFUSED, "it was not made by this setup", name);
        return sbx_hint(err, "rename or remove it, and run setup again");
    }
    *state = PRESENT;
    return SBX_OK;
}

static sbx_status remember(sbx_machine *machine, char *place, const char *text, sbx_error *err)
{
    sbx_utf8_copy(place, SBX_MACHINE_SID, text);
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

static sbx_status sid_of(const char *text, sbx_user_sid *sid, sbx_error *err)
{
    PSID found = NULL;
    uint16_t *text_w = NULL;
    sbx_status st = sbx_wide(text, text, &text_w, err);

    if (st != SBX_OK)
        return st;
    if (!ConvertStringSidToSidW(text_w, &found) || !CopySid(sizeof(sid->u.bytes), sid->u.bytes, found))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSidToSidW", text);
    LocalFree(found);
    sbx_free(text_w);
    return st;
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

/* ---- enrolled ---- */

static sbx_status SBX_CALL enrol_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = load(&machine, &user, err);

    (void)step;
    *state = !user ? ABSENT : user->slots == setup.slots ? PRESENT : WRONG;
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL enrol_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = load(&machine, &user, err);

    (void)step;
    if (st == SBX_OK && !(user = sbx_machine_enrol(&machine, setup.user_sid)))
        st = sbx_fail(err, SBX_E_REFUSED, "too many users are enrolled", setup.user_sid);
    if (st == SBX_OK) {
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
    sbx_status st = load(&machine, &user, err);

    (void)step;
    if (st == SBX_OK) {
        sbx_machine_forget(&machine, setup.user_sid);
        st = machine.count ? sbx_state_save(&machine, err) : sbx_state_remove(err);
    }
    sbx_machine_fini(&machine);
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
} principal;

static sbx_status principal_of(const what *w, int group, principal *p, sbx_error *err)
{
    sbx_machine_user *user;
    sbx_status st;

    memset(p, 0, sizeof(*p));
    st = load(&p->machine, &user, err);
    if (st != SBX_OK)
        return st;
    p->kind = group ? SBX_PRINCIPAL_GROUP : SBX_PRINCIPAL_USER;
    if (!user)
        return SBX_OK;
    if (group)
        sbx_machine_group_name(p->name, user->number, w->slot);
    else
        sbx_machine_account_name(p->name, user->number, (int)w->online, w->slot);
    p->place = group ? user->groups[w->slot] : user->accounts[w->online][w->slot];
    return SBX_OK;
}

static sbx_status principal_present(const what *w, int group, uint32_t *state, sbx_error *err)
{
    principal p;
    sbx_status st = principal_of(w, group, &p, err);

    *state = ABSENT;
    if (st == SBX_OK && p.place)
        st = look_at(p.name, p.kind, p.place, state, err);
    sbx_machine_fini(&p.machine);
    return st;
}

static sbx_status delete_principal(const principal *p, sbx_error *err)
{
    return p->kind == SBX_PRINCIPAL_GROUP ? sbx_group_delete(p->name, err) : sbx_account_delete(p->name, err);
}

static sbx_status principal_apply(const what *w, int group, sbx_error *err)
{
    uint16_t password_w[SBX_PASSWORD_UNITS];
    uint32_t state = ABSENT;
    principal p;
    sbx_status st = principal_of(w, group, &p, err);

    if (st == SBX_OK && !p.place)
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "nobody is enrolled", w->name);
    if (st != SBX_OK || (st = look_at(p.name, p.kind, p.place, &state, err)) != SBX_OK || state == PRESENT)
        goto out;
    if ((st = remember(&p.machine, p.place, SBX_MACHINE_PENDING, err)) != SBX_OK ||
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

static sbx_status principal_undo(const what *w, int group, sbx_error *err)
{
    uint32_t state = ABSENT;
    principal p;
    sbx_status st = principal_of(w, group, &p, err);

    if (st != SBX_OK || !p.place || (st = look_at(p.name, p.kind, p.place, &state, err)) != SBX_OK)
        goto out;
    if (state != ABSENT)
        st = delete_principal(&p, err);
    if (st == SBX_OK)
        st = remember(&p.machine, p.place, "", err);
out:
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

/* ---- members: each account in Users, readers, writers, and offline where it is one ---- */

/* The SIDs of the accounts that a group is to have; a group of NULL is Users. */
static sbx_status accounts_of(const sbx_machine_user *user, uint32_t group, sbx_user_sid *sids, uint32_t *count,
                              sbx_error *err)
{
    uint32_t online, slot;
    sbx_status st = SBX_OK;

    *count = 0;
    for (online = 0; online < (group == SBX_GROUP_OFFLINE ? 1u : 2u); online++)
        for (slot = 0; slot < user->slots && st == SBX_OK; slot++)
            st = sid_of(user->accounts[online][slot], &sids[(*count)++], err);
    return st;
}

static sbx_status member_group_name(const sbx_machine_user *user, uint32_t group, char name[256], sbx_error *err)
{
    if (group == SBX_GROUPS)
        return sbx_group_users(name, err);
    sbx_machine_group_name(name, user->number, group);
    return SBX_OK;
}

static int all_made(const sbx_machine_user *user)
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

static sbx_status SBX_CALL members_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_user_sid sids[2 * SBX_SLOTS_MAX];
    sbx_machine machine = {0};
    sbx_machine_user *user;
    uint32_t group, count, own, foreign, right = 0, some = 0;
    char name[256];
    sbx_status st = load(&machine, &user, err);

    (void)step;
    *state = ABSENT;
    if (st != SBX_OK || !user || !all_made(user))
        goto out;
    for (group = 0; group <= SBX_GROUPS; group++) {
        if ((st = member_group_name(user, group, name, err)) != SBX_OK ||
            (st = accounts_of(user, group, sids, &count, err)) != SBX_OK ||
            (st = sbx_group_count(name, sids, count, &own, &foreign, err)) != SBX_OK)
            goto out;
        if (foreign && group < SBX_GROUPS) { /* whoever is in it could write what only commands may */
            st = sbx_fail(err, SBX_E_REFUSED, "the group has a member that setup did not put there", name);
            sbx_hint(err, "take it out, and run setup again");
            goto out;
        }
        right += own == count;
        some += own;
    }
    *state = right == SBX_GROUPS + 1 ? PRESENT : some ? WRONG : ABSENT;
out:
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL members_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_user_sid sids[2 * SBX_SLOTS_MAX];
    sbx_machine machine = {0};
    sbx_machine_user *user;
    uint32_t group, count = 0, i;
    char name[256];
    sbx_status st = load(&machine, &user, err);

    if (st == SBX_OK && (!user || !all_made(user)))
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "an account is missing", step->name);
    for (group = 0; group <= SBX_GROUPS && st == SBX_OK; group++) {
        if ((st = member_group_name(user, group, name, err)) == SBX_OK)
            st = accounts_of(user, group, sids, &count, err);
        for (i = 0; i < count && st == SBX_OK; i++)
            st = sbx_group_add(name, sids[i].u.bytes, err);
    }
    sbx_machine_fini(&machine);
    return st;
}

/* Memberships go with the accounts. */
static sbx_status SBX_CALL nothing_to_undo(const sbx_setup_step *step, sbx_error *err)
{
    (void)step;
    (void)err;
    return SBX_OK;
}

static sbx_status SBX_CALL ready_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err);

/* ---- rights ---- */

static sbx_status readers_of(sbx_user_sid *sid, int *there, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = load(&machine, &user, err);

    *there = st == SBX_OK && user && !strncmp(user->groups[SBX_GROUP_READERS], "S-1-", 4);
    if (*there)
        st = sid_of(user->groups[SBX_GROUP_READERS], sid, err);
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL rights_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_user_sid sid;
    int there, denied = 0;
    sbx_status st = readers_of(&sid, &there, err);

    (void)step;
    if (st == SBX_OK && there)
        st = sbx_rights_look(sid.u.bytes, &denied, err);
    *state = denied ? PRESENT : ABSENT;
    /* not for everybody to see: then setup came to its end, or it did not */
    if (st == SBX_E_REFUSED)
        st = ready_present(step, state, err);
    return st;
}

static sbx_status SBX_CALL rights_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_user_sid sid;
    int there;
    sbx_status st = readers_of(&sid, &there, err);

    if (st == SBX_OK && !there)
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "the group is missing", step->name);
    return st == SBX_OK ? sbx_rights_deny(sid.u.bytes, err) : st;
}

static sbx_status SBX_CALL rights_undo(const sbx_setup_step *step, sbx_error *err)
{
    sbx_user_sid sid;
    int there;
    sbx_status st = readers_of(&sid, &there, err);

    (void)step;
    return st == SBX_OK && there ? sbx_rights_remove(sid.u.bytes, err) : st;
}

/* ---- not among the users that the logon screen offers ---- */

/* Every account's value: get, set (0: hidden) or remove it; *found: how many are hidden. */
static sbx_status each_hidden(int write, int remove, uint32_t *found, uint32_t *wanted, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    char name[24];
    uint16_t *name_w = NULL;
    uint32_t online, slot;
    DWORD value, size;
    LSTATUS code;
    sbx_status st = load(&machine, &user, err);

    *found = *wanted = 0;
    for (online = 0; st == SBX_OK && user && online < 2; online++)
        for (slot = 0; slot < user->slots && st == SBX_OK; slot++) {
            sbx_machine_account_name(name, user->number, (int)online, slot);
            if ((st = sbx_wide(name, name, &name_w, err)) != SBX_OK)
                break;
            value = 0;
            size = sizeof(value);
            if (remove)
                code = RegDeleteKeyValueW(HKEY_LOCAL_MACHINE, USER_LIST, name_w);
            else if (write)
                code = RegSetKeyValueW(HKEY_LOCAL_MACHINE, USER_LIST, name_w, REG_DWORD, &value, sizeof(value));
            else
                code = RegGetValueW(HKEY_LOCAL_MACHINE, USER_LIST, name_w, RRF_RT_REG_DWORD, NULL, &value, &size);
            ++*wanted;
            *found += !code && !value;
            if (code && code != ERROR_FILE_NOT_FOUND)
                st = sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, (uint32_t)code, "UserList", name);
            sbx_free(name_w);
            name_w = NULL;
        }
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL hidden_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    uint32_t found, wanted;
    sbx_status st = each_hidden(0, 0, &found, &wanted, err);

    (void)step;
    *state = !found ? ABSENT : found == wanted ? PRESENT : WRONG;
    return st;
}

static sbx_status SBX_CALL hidden_apply(const sbx_setup_step *step, sbx_error *err)
{
    uint32_t found, wanted;

    (void)step;
    return each_hidden(1, 0, &found, &wanted, err);
}

static sbx_status SBX_CALL hidden_undo(const sbx_setup_step *step, sbx_error *err)
{
    uint32_t found, wanted;

    (void)step;
    return each_hidden(0, 1, &found, &wanted, err);
}

/* ---- the secret, the passwords ---- */

static sbx_status SBX_CALL secret_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_secret secret;
    sbx_error why = {0};
    char *path = NULL;
    sbx_status st = load(&machine, &user, err);

    (void)step;
    *state = ABSENT;
    if (st == SBX_OK && user && (st = sbx_state_secret_path(user->number, &path, err)) == SBX_OK) {
        if (sbx_secret_read(path, setup.user_sid, &secret, &why) == SBX_OK)
            *state = PRESENT;
        else if (!sbx_file_is_missing(&why))
            *state = WRONG;
        sbx_secret_wipe(&secret);
    }
    sbx_free(path);
    sbx_machine_fini(&machine);
    return st;
}

/* With a new secret no password is right any more: that is known before it is there. */
static sbx_status SBX_CALL secret_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_secret secret;
    char *path = NULL;
    sbx_status st = load(&machine, &user, err);

    if (st == SBX_OK && !user)
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "nobody is enrolled", step->name);
    if (st == SBX_OK) {
        user->generation = user->ready = 0;
        st = sbx_state_save(&machine, err);
    }
    if (st == SBX_OK && (st = sbx_state_secret_path(user->number, &path, err)) == SBX_OK) {
        st = sbx_secret_make(path, setup.user_sid, user->groups[SBX_GROUP_READERS], &secret, err);
        sbx_secret_wipe(&secret);
    }
    sbx_free(path);
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL secret_undo(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    uint16_t *path_w = NULL;
    char *path = NULL;
    sbx_status st = load(&machine, &user, err);

    (void)step;
    if (st == SBX_OK && user && (st = sbx_state_secret_path(user->number, &path, err)) == SBX_OK &&
        (st = sbx_wide_path(path, &path_w, err)) == SBX_OK && !DeleteFileW(path_w) &&
        GetLastError() != ERROR_FILE_NOT_FOUND)
        st = sbx_fail_last(err, SBX_E_SYSTEM, "DeleteFileW", path);
    sbx_free(path_w);
    sbx_free(path);
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL passwords_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    uint32_t online, slot, flags, right = 1;
    char name[24];
    sbx_status st = load(&machine, &user, err);

    (void)step;
    *state = ABSENT;
    if (st == SBX_OK && user && all_made(user) && user->generation) {
        for (online = 0; online < 2; online++)
            for (slot = 0; slot < user->slots && st == SBX_OK; slot++) {
                sbx_machine_account_name(name, user->number, (int)online, slot);
                st = sbx_account_look(name, &flags, err);
                right &= !flags;
            }
        *state = right ? PRESENT : WRONG;
    }
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL passwords_apply(const sbx_setup_step *step, sbx_error *err)
{
    uint16_t password_w[SBX_PASSWORD_UNITS];
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_secret secret;
    uint32_t online, slot, generation;
    char name[24], *path = NULL;
    sbx_status st = load(&machine, &user, err);

    if (st == SBX_OK && (!user || !all_made(user)))
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "an account is missing", step->name);
    if (st != SBX_OK || (st = sbx_state_secret_path(user->number, &path, err)) != SBX_OK ||
        (st = sbx_secret_read(path, setup.user_sid, &secret, err)) != SBX_OK)
        goto out;
    generation = user->generation + 1;
    for (online = 0; online < 2; online++)
        for (slot = 0; slot < user->slots && st == SBX_OK; slot++) {
            sbx_machine_account_name(name, user->number, (int)online, slot);
            if ((st = sbx_secret_password(&secret, name, generation, password_w, err)) == SBX_OK &&
                (st = sbx_account_set_password(name, password_w, err)) == SBX_OK)
                st = sbx_account_enable(name, 1, err);
        }
    SecureZeroMemory(password_w, sizeof(password_w));
    sbx_secret_wipe(&secret);
    if (st == SBX_OK) {
        user->generation = generation;
        st = sbx_state_save(&machine, err);
    }
out:
    sbx_free(path);
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL passwords_undo(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    uint32_t online, slot;
    char name[24];
    sbx_status st = load(&machine, &user, err);

    (void)step;
    if (st == SBX_OK && user && all_made(user)) {
        for (online = 0; online < 2; online++)
            for (slot = 0; slot < user->slots && st == SBX_OK; slot++) {
                sbx_machine_account_name(name, user->number, (int)online, slot);
                st = sbx_account_enable(name, 0, err);
            }
        user->generation = 0;
        if (st == SBX_OK)
            st = sbx_state_save(&machine, err);
    }
    sbx_machine_fini(&machine);
    return st;
}

/* ---- ready ---- */

static sbx_status SBX_CALL ready_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = load(&machine, &user, err);

    (void)step;
    *state = user && user->ready ? PRESENT : ABSENT;
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status set_ready(uint32_t ready, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = load(&machine, &user, err);

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

typedef sbx_status(SBX_CALL *present_fn)(const sbx_setup_step *, uint32_t *, sbx_error *);
typedef sbx_status(SBX_CALL *act_fn)(const sbx_setup_step *, sbx_error *);

static void add_step(const char *summary, present_fn present, act_fn apply, act_fn undo, uint32_t online, uint32_t slot,
                     const char *name)
{
    what *w = &setup.whats[setup.count];
    sbx_setup_step *step = &setup.steps[setup.count++];

    w->online = online;
    w->slot = slot;
    sbx_utf8_copy(w->name, sizeof(w->name), name);
    step->size = sizeof(*step);
    step->name = w->name;
    step->summary = summary;
    step->context = w;
    step->present = present;
    step->apply = apply;
    step->undo = undo;
}

static sbx_status choose_slots(const sbx_setup_options *options, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st;

    if (options->slots > SBX_SLOTS_MAX)
        return sbx_fail(err, SBX_E_USAGE, "at most 16 slots", "setup");
    if ((st = load(&machine, &user, err)) == SBX_OK)
        setup.slots = options->slots ? options->slots : user && user->slots ? user->slots : DEFAULT_SLOTS;
    sbx_machine_fini(&machine);
    return st;
}

sbx_status sbx_elevated_steps(const sbx_setup_options *options, const sbx_setup_step **steps, uint32_t *count,
                              sbx_error *err)
{
    static const char *const group_steps[SBX_GROUPS] = {"group-readers", "group-writers", "group-offline"};
    uint32_t i, online;
    char name[32];
    sbx_status st;

    setup.count = 0;
    *steps = setup.steps;
    *count = 0;
    if (options->part != SBX_SETUP_MACHINE)
        return SBX_OK;
    sbx_utf8_copy(setup.user_sid, sizeof(setup.user_sid), options->user_sid);
    if ((st = choose_slots(options, err)) != SBX_OK)
        return st;
    add_step("the user is on record", enrol_present, enrol_apply, enrol_undo, 0, 0, "enrol");
    for (i = 0; i < SBX_GROUPS; i++)
        add_step(group_texts[i] + 5, group_present, group_apply, group_undo, 0, i, group_steps[i]);
    for (online = 0; online < 2; online++)
        for (i = 0; i < setup.slots; i++) {
            snprintf(name, sizeof(name), "account-%s%02u", online ? "on" : "off", (unsigned)i + 1);
            add_step("an account that runs commands, disabled until all is there", account_present, account_apply,
                     account_undo, online, i, name);
        }
    add_step("the accounts are in their groups", members_present, members_apply, nothing_to_undo, 0, 0, "members");
    add_step("no network, batch, service or remote logon for them", rights_present, rights_apply, rights_undo, 0, 0,
             "rights");
    add_step("they are not on the logon screen", hidden_present, hidden_apply, hidden_undo, 0, 0, "hidden");
    add_step("the secret that their passwords come from", secret_present, secret_apply, secret_undo, 0, 0, "secret");
    add_step("passwords are set, the accounts enabled", passwords_present, passwords_apply, passwords_undo, 0, 0,
             "passwords");
    add_step("setup came to its end", ready_present, ready_apply, ready_undo, 0, 0, "ready");
    *count = setup.count;
    return SBX_OK;
}
