#include "elevated/filter_users.h"

#include <string.h>

/* The right is FWP_ACTRL_MATCH_FILTER, 1. */
#define HEAD "O:SYG:SYD:"
/* Everybody, whatever the token is restricted to: Everyone, Users, RESTRICTED, all packages, all restricted packages. */
#define ALL "(A;;CC;;;WD)(A;;CC;;;BU)(A;;CC;;;RC)(A;;CC;;;S-1-15-2-1)(A;;CC;;;S-1-15-2-2)"
/* SERVICE, SYSTEM, LOCAL SERVICE, NETWORK SERVICE, Administrators: never in the token of a command. */
#define NEVER "(D;;CC;;;SU)(D;;CC;;;SY)(D;;CC;;;LS)(D;;CC;;;NS)(D;;CC;;;BA)"

static void ace(sbx_text *out, const char *type, const char *sid)
{
    if (!strncmp(sid, "S-1-", 4)) /* made, not "pending" */
        sbx_text_printf(out, "(%s;;CC;;;%s)", type, sid);
}

static void offline_of(const sbx_machine_user *user, const char *type, sbx_text *out)
{
    uint32_t slot;

    ace(out, type, user->groups[SBX_GROUP_OFFLINE]);
    for (slot = 0; slot < SBX_SLOTS_MAX; slot++)
        ace(out, type, user->accounts[0][slot]);
}

static void all_offline(const sbx_machine *machine, const char *type, sbx_text *out)
{
    uint32_t i;

    for (i = 0; i < machine->count; i++)
        offline_of(&machine->users[i], type, out);
}

void sbx_filter_users_permit(const sbx_machine *machine, sbx_text *out)
{
    sbx_text_add(out, HEAD);
    all_offline(machine, "D", out);
    sbx_text_add(out, ALL);
}

void sbx_filter_users_block(const sbx_machine *machine, const char *const *others, uint32_t count, sbx_text *out)
{
    uint32_t i, k;

    sbx_text_add(out, HEAD NEVER);
    for (i = 0; i < machine->count; i++)
        ace(out, "D", machine->users[i].sid);
    for (i = 0; i < count; i++) {
        for (k = 0; k < machine->count && strcmp(machine->users[k].sid, others[i]); k++)
            ;
        if (k == machine->count)
            ace(out, "D", others[i]);
    }
    sbx_text_add(out, ALL "(A;;CC;;;AN)");
    all_offline(machine, "A", out);
}

int sbx_filter_users_offline(const sbx_machine_user *user, sbx_text *out)
{
    const size_t empty = sizeof(HEAD) - 1;
    uint32_t slot;

    sbx_text_add(out, HEAD);
    for (slot = 0; slot < SBX_SLOTS_MAX; slot++)
        ace(out, "A", user->accounts[0][slot]);
    return out->length > empty;
}

void sbx_filter_users_rule(const sbx_machine_user *user, sbx_text *out)
{
    sbx_text_add(out, "O:LSD:");
    offline_of(user, "A", out);
}
