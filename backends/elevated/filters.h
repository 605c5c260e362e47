/*
 * The filters that keep the accounts without a network off it: a provider, a sublayer above all others, and in it, at
 * each layer where a connection, a listener, an accepted connection or a raw endpoint is authorised, for IPv4 and IPv6:
 *
 *     3  PERMIT  the ports of this machine that setup opened, for one user's accounts
 *     2  PERMIT  everybody but the accounts (filter_users.h); what other sublayers say of them still counts
 *     1  BLOCK   everybody that is left: TCP and UDP, echo requests, listening, raw endpoints
 *
 * A BLOCK names what it stops, so that none can match neighbour discovery, MLD or DHCP.  It clears the right of others to
 * overrule it; a PERMIT never does, for that would overrule every firewall below: such a filter is not committed.
 *
 * Their keys are fixed.  All or none: they come, go and change in one transaction.  Filters of other people in the sublayer,
 * or with the provider's key, are not expected there and go with ours.
 *
 * Source: MSDN "Filter Arbitration", "Filter Weight Assignment", "ALE Layers", "Filtering Conditions Available at Each
 * Filtering Layer", "FWPM_FILTER0", "Object Management".  Takes an administrator.
 */
#ifndef SBX_ELEVATED_FILTERS_H
#define SBX_ELEVATED_FILTERS_H

#include "elevated/engine.h"
#include "elevated/machine.h"

typedef struct sbx_filters sbx_filters;

#define SBX_FILTERS_TRIAL 1u /* with other keys, for a dynamic session, beside those that there are */

/* Those for all users in the record but one (without: his SID, or NULL); for none an empty set. */
sbx_status sbx_filters_new(const sbx_machine *machine, const char *without, uint32_t flags, sbx_filters **filters,
                           sbx_error *err);
void sbx_filters_free(sbx_filters *filters); /* NULL is fine */

/* *state: 0 nothing of them is there, 1 they are, each just so, and no other is; 2 neither. */
sbx_status sbx_filters_look(const sbx_engine *engine, const sbx_filters *filters, uint32_t *state, sbx_error *err);

/* In place of whatever there is; within a transaction. */
sbx_status sbx_filters_write(const sbx_engine *engine, const sbx_filters *filters, sbx_error *err);
/* The same in a transaction of its own, committed when what was written reads back. */
sbx_status sbx_filters_replace(const sbx_engine *engine, const sbx_filters *filters, sbx_error *err);

#endif
