/* The steps that say what the accounts may, and where they are seen. */
#include "elevated/steps_part.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "elevated/principal.h"
#include "win/error.h"
#include "win/wide.h"

#define WINLOGON L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon"
#define USER_LIST WINLOGON L"\\SpecialAccounts\\UserList"

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
            st = sbx_steps_sid(user->accounts[online][slot], &sids[(*count)++], err);
    return st;
}

static sbx_status member_group_name(const sbx_machine_user *user, uint32_t group, char name[256], sbx_error *err)
{
    if (group == SBX_GROUPS)
        return sbx_group_users(name, err);
    sbx_machine_group_name(name, user->number, group);
    return SBX_OK;
}

static sbx_status SBX_CALL members_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_user_sid sids[2 * SBX_SLOTS_MAX];
    sbx_machine machine = {0};
    sbx_machine_user *user;
    uint32_t group, count, own, foreign, right = 0, some = 0;
    char name[256];
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    *state = SBX_STEP_ABSENT;
    if (st != SBX_OK || !user || !sbx_steps_all_made(user))
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
    *state = right == SBX_GROUPS + 1 ? SBX_STEP_PRESENT : some ? SBX_STEP_WRONG : SBX_STEP_ABSENT;
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
    sbx_status st = sbx_steps_load(&machine, &user, err);

    if (st == SBX_OK && (!user || !sbx_steps_all_made(user)))
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

/* ---- rights ---- */

static sbx_status readers_of(sbx_user_sid *sid, int *there, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    *there = st == SBX_OK && user && !strncmp(user->groups[SBX_GROUP_READERS], "S-1-", 4);
    if (*there)
        st = sbx_steps_sid(user->groups[SBX_GROUP_READERS], sid, err);
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
    *state = denied ? SBX_STEP_PRESENT : SBX_STEP_ABSENT;
    /* not for everybody to see: then setup came to its end, or it did not */
    if (st == SBX_E_REFUSED)
        st = sbx_steps_ready(step, state, err);
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

sbx_status sbx_steps_unhide(const char *account, sbx_error *err)
{
    uint16_t *name_w = NULL;
    sbx_status st = sbx_wide(account, account, &name_w, err);
    LSTATUS code = st == SBX_OK ? RegDeleteKeyValueW(HKEY_LOCAL_MACHINE, USER_LIST, name_w) : 0;

    sbx_free(name_w);
    if (code && code != ERROR_FILE_NOT_FOUND && code != ERROR_PATH_NOT_FOUND)
        st = sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, (uint32_t)code, "UserList", account);
    return st;
}

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
    sbx_status st = sbx_steps_load(&machine, &user, err);

    *found = *wanted = 0;
    for (online = 0; st == SBX_OK && user && online < 2; online++)
        for (slot = 0; slot < user->slots && st == SBX_OK; slot++) {
            sbx_machine_account_name(name, user->number, (int)online, slot);
            if ((st = sbx_wide(name, name, &name_w, err)) != SBX_OK)
                break;
            value = 0;
            size = sizeof(value);
            code = 0;
            if (remove)
                st = sbx_steps_unhide(name, err);
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
    *state = !found ? SBX_STEP_ABSENT : found == wanted ? SBX_STEP_PRESENT : SBX_STEP_WRONG;
    return st;
}

static sbx_status SBX_CALL hidden_apply(const sbx_setup_step *step, sbx_error *err)
{
    uint32_t found, wanted;

    (void)step;
    return each_hidden(1, 0, &found, &wanted, err);
}

/* Keys that no Windows has by itself, if nothing is in them. */
static void remove_empty_keys(void)
{
    static const WCHAR *const keys_w[] = {USER_LIST, WINLOGON L"\\SpecialAccounts"};
    DWORD keys, values, i;
    HKEY key;

    for (i = 0; i < 2; i++) {
        keys = values = 1;
        if (!RegOpenKeyExW(HKEY_LOCAL_MACHINE, keys_w[i], 0, KEY_READ, &key)) {
            RegQueryInfoKeyW(key, NULL, NULL, NULL, &keys, NULL, NULL, &values, NULL, NULL, NULL, NULL);
            RegCloseKey(key);
        }
        if (!keys && !values)
            RegDeleteKeyW(HKEY_LOCAL_MACHINE, keys_w[i]);
    }
}

static sbx_status SBX_CALL hidden_undo(const sbx_setup_step *step, sbx_error *err)
{
    uint32_t found, wanted;
    sbx_status st;

    (void)step;
    st = each_hidden(0, 1, &found, &wanted, err);
    remove_empty_keys();
    return st;
}

void sbx_steps_add_rights(void)
{
    sbx_steps_add("members", "the accounts are in their groups", members_present, members_apply, sbx_steps_nothing, 0,
                  0); /* memberships go with the accounts */
    sbx_steps_add("rights", "no network, batch, service or remote logon for them", rights_present, rights_apply,
                  rights_undo, 0, 0);
    sbx_steps_add("hidden", "they are not on the logon screen", hidden_present, hidden_apply, hidden_undo, 0, 0);
}
