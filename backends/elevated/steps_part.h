/* What the files of the steps share: for whom setup is, and the record of it. */
#ifndef SBX_ELEVATED_STEPS_PART_H
#define SBX_ELEVATED_STEPS_PART_H

#include "elevated/machine.h"
#include "win/user.h"

#define SBX_STEP_ABSENT 0u
#define SBX_STEP_PRESENT 1u
#define SBX_STEP_WRONG 2u

/* The context of a step: of which account or group it is. */
typedef struct sbx_step_of {
    uint32_t online, slot;
    char name[32];
} sbx_step_of;

typedef sbx_status(SBX_CALL *sbx_step_present)(const sbx_setup_step *step, uint32_t *state, sbx_error *err);
typedef sbx_status(SBX_CALL *sbx_step_act)(const sbx_setup_step *step, sbx_error *err);

/* "S-1-...": who is to be enrolled. */
const char *sbx_steps_user(void);
/* The record, and that user in it; NULL: not enrolled.  The caller ends the machine. */
sbx_status sbx_steps_load(sbx_machine *machine, sbx_machine_user **user, sbx_error *err);
/* All groups and accounts are there, by the record. */
int sbx_steps_all_made(const sbx_machine_user *user);
/* Did setup come to its end, by the record? */
sbx_status SBX_CALL sbx_steps_ready(const sbx_setup_step *step, uint32_t *state, sbx_error *err);

/* A SID of the record. */
sbx_status sbx_steps_sid(const char *text, sbx_user_sid *sid, sbx_error *err);

/* The folder of the copied programs. */
const char *sbx_steps_programs(void);
/* How many accounts of each kind there are to be; a step of one beyond takes it away. */
uint32_t sbx_steps_slots(void);

/* One more step; online and slot: of which account or group. */
sbx_setup_step *sbx_steps_add(const char *name, const char *summary, sbx_step_present present, sbx_step_act apply,
                              sbx_step_act undo, uint32_t online, uint32_t slot);

/* For a step that has nothing to do there. */
sbx_status SBX_CALL sbx_steps_nothing(const sbx_setup_step *step, sbx_error *err);
/* No value for an account among those that the logon screen does not offer. */
sbx_status sbx_steps_unhide(const char *account, sbx_error *err);

/* In order. */
void sbx_steps_add_machine(void);              /* a condition: can it be set up here? */
void sbx_steps_add_principals(uint32_t slots); /* groups, accounts */
void sbx_steps_add_rights(void);               /* members of groups, rights, the logon screen */
void sbx_steps_add_secret(void);               /* the secret, the passwords */
void sbx_steps_add_runner(void);               /* the copy of sbx-runner.exe */
sbx_status sbx_steps_add_network(const sbx_setup_options *options, sbx_error *err); /* open ports, filters */
void sbx_steps_add_rules(void);                                                     /* of the firewall */

#endif
