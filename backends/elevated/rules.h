/*
 * The second layer that keeps the accounts off the network: two rules of the firewall for each user, one for what goes out and
 * one for what comes in, which block whatever is no loopback.
 *
 * Nothing depends on them: a group policy can leave local rules without effect, the firewall can be off, and a program that gives
 * its SID up is not held by them, for among rules a block always wins, so that there can be no pair (filter_users.h).  The proof of
 * a launch is not theirs either: what they alone refuse would be open at loopback.
 *
 * What is looked at is what a rule means: the service may write users, addresses and profiles in another way than they were given.
 * Whether one was narrowed to an interface (INetFwRule::Interfaces) is not looked at.
 *
 * A rule of one of our names is ours, whoever changed it; among several of one name the first is looked at, and all go.
 *
 * Source: MSDN "INetFwPolicy2", "INetFwRules", "INetFwRule3" (LocalUserAuthorizedList, of which the page says only that it is for app
 * containers; that it holds for any program of these users: github.com/sandboxie-plus/Sandboxie/issues/4408),
 * "INetFwRule::put_ServiceName" ("*" is services alone), "NET_FW_MODIFY_STATE"; MS-GPFAS 2.2.2 (how rules are kept).  COM of an
 * elevated program passes over the classes of its user: MSDN "HKEY_CLASSES_ROOT Key".
 * One thread; changing takes an administrator.
 */
#ifndef SBX_ELEVATED_RULES_H
#define SBX_ELEVATED_RULES_H

#include "elevated/machine.h"

typedef struct sbx_rules {
    void *ole, *automation; /* HMODULE */
    struct INetFwPolicy2 *policy;
    struct INetFwRules *rules;
    int entered; /* COM, by this thread */
} sbx_rules;

/* `rules` begins as { 0 }.  SBX_E_UNAVAILABLE: there is no firewall of Windows, or it does not run. */
sbx_status sbx_rules_open(sbx_rules *rules, sbx_error *err);
void sbx_rules_close(sbx_rules *rules);

/* *state: 0 neither of a user's is there, 1 both are, just so, 2 something else.  SBX_E_REFUSED: not for this user to see. */
sbx_status sbx_rules_look(const sbx_rules *rules, const sbx_machine_user *user, uint32_t *state, sbx_error *err);
sbx_status sbx_rules_replace(const sbx_rules *rules, const sbx_machine_user *user, sbx_error *err);
sbx_status sbx_rules_remove(const sbx_rules *rules, uint32_t user, sbx_error *err);

/* Why they do not count on this machine, now; NULL: they do. */
const char *sbx_rules_without_effect(const sbx_rules *rules);

/* Without the firewall's service: are any of a user's kept for when it runs? */
int sbx_rules_kept(uint32_t user);

#endif
