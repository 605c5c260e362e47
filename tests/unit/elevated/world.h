/*
 * A machine whose accounts start programs, for the tests of the network: two users, a listener, and what a program of somebody
 * reaches.  Takes an administrator.
 */
#ifndef SBX_TESTS_ELEVATED_WORLD_H
#define SBX_TESTS_ELEVATED_WORLD_H

#include "fixture.h"

#include <fwpmu.h>

#include "win/reach.h"

#define SECOND "sbx-second" /* a user like any */
#define PASSWORD L"Tr0ub4dor&3-and-more"

extern char second_sid[SBX_MACHINE_SID];
extern HANDLE engine;
extern sbx_reach_listener listener;
extern uint16_t quiet;    /* a port where nobody listens */
extern char logged[1024]; /* what was logged last */

int world_begin(void **state);
int world_end(void **state);

/* The machine as setup leaves it, with the filters or without; what is there of it stays, for making it anew takes longer than most tests. */
void world_set_up(int with_filters);

/* Filters but for those that rules of the firewall have, on any layer where NULL, of any action where 0; keys: of them, or NULL. */
uint32_t filters_there(const GUID *layer, FWP_ACTION_TYPE action, GUID *keys);
void delete_filters(FWP_ACTION_TYPE action);

/* What a program of that user reaches; of somebody's first account, with a network or without. */
uint32_t reached(const char *account, const uint16_t *password_w);
uint32_t reached_by(const char *sid, int online);

/* cut_off.c */
void test_checks(void **state);
void test_tried(void **state);
void test_parts(void **state);

#define HERE(verdicts) ((verdicts)&0xFF0F0Fu)
#define OPEN_HERE 0xFF0F0Fu    /* TCP, UDP, listening, accepting: IPv4 and IPv6 */
#define REFUSED_HERE 0x550505u /* each of them by a filter */
#define OUTSIDE(verdicts) ((verdicts)&SBX_REACH_OUTSIDE)
#define REFUSED_OUTSIDE 0x5050u
#define ECHO(verdicts) ((verdicts) >> 24 & 3u)

#endif
