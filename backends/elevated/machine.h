/*
 * What setup made on this machine, for whom: %ProgramData%\sbx\elevated.txt.
 *
 * Text, a record a line, the last one a checksum, written whole or not at all.  Everybody may read it; it counts only where
 * nobody but administrators can change it.  SIDs stand in it because a name is no proof.
 *
 *     sbx-elevated 2                  the format; 1 lacks what is about the network
 *     runner PATH                     sbx-runner.exe of the setup
 *     user U SID SLOTS GENERATION READY    one who was enrolled; READY 0: setup has not come to its end
 *     principal U WHAT SID            readers, writers, offline, off01.., on01..
 *     loopback U FIRST LAST           ports of this machine that the user's commands reach without a network
 *     network N                       the filters are there, as version N of sbx's makes them
 *     end CHECKSUM                    FNV-1a 32 over all before it
 */
#ifndef SBX_ELEVATED_MACHINE_H
#define SBX_ELEVATED_MACHINE_H

#include "base/text.h"
#include "elevated/loopback.h"

#define SBX_SLOTS_MAX 16u
#define SBX_USERS_MAX 99u
#define SBX_MACHINE_SID 192u

#define SBX_MACHINE_NETWORK 1u        /* what filters there are: another number when they become others */
#define SBX_MACHINE_PENDING "pending" /* in place of a SID: being made */

#define SBX_GROUP_READERS 0u
#define SBX_GROUP_WRITERS 1u
#define SBX_GROUP_OFFLINE 2u
#define SBX_GROUPS 3u

typedef struct sbx_machine_user {
    uint32_t number, slots, generation, ready;
    char sid[SBX_MACHINE_SID];
    char groups[SBX_GROUPS][SBX_MACHINE_SID];
    char accounts[2][SBX_SLOTS_MAX][SBX_MACHINE_SID]; /* [0]: offline, [1]: online; "": none yet */
    sbx_loopback loopback;
} sbx_machine_user;

typedef struct sbx_machine {
    sbx_machine_user *users;
    uint32_t count;
    char *runner;     /* NULL: none yet */
    uint32_t foreign; /* there is a folder, but others made it or can change it: nothing in it counts */
    uint32_t network; /* SBX_MACHINE_NETWORK, 0: no filters, or those of another version */
} sbx_machine;

/* `machine` begins as { 0 }.  SBX_E_UNAVAILABLE: there is none (*there = 0), or it is damaged (*there = 1). */
sbx_status sbx_machine_parse(sbx_machine *machine, const char *text, size_t length, sbx_error *err);
sbx_status sbx_machine_print(const sbx_machine *machine, sbx_text *out, sbx_error *err);
void sbx_machine_fini(sbx_machine *machine);

/* The one who is enrolled as that SID, or NULL. */
sbx_machine_user *sbx_machine_find(const sbx_machine *machine, const char *sid);
/* The same, or a new one with the smallest number that is free.  NULL: out of memory, or too many. */
sbx_machine_user *sbx_machine_enrol(sbx_machine *machine, const char *sid);
void sbx_machine_forget(sbx_machine *machine, const char *sid);

/* Is that an account of ours, of whomever? */
int sbx_machine_is_account(const sbx_machine *machine, const char *sid);

/* "sbxU-readers"; "sbxU-off01". */
void sbx_machine_group_name(char name[24], uint32_t user, uint32_t group);
void sbx_machine_account_name(char name[24], uint32_t user, int online, uint32_t slot); /* slot: from 0 */

#endif
