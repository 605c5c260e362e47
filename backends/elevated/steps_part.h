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

/* One more step; online and slot: of which account or group. */
void sbx_steps_add(const char *name, const char *summary, sbx_step_present present, sbx_step_act apply,
                   sbx_step_act undo, uint32_t online, uint32_t slot);

/* In order. */
void sbx_steps_add_principals(uint32_t slots); /* groups, accounts */
void sbx_steps_add_rights(void);               /* members of groups, rights, the logon screen */
void sbx_steps_add_secret(void);               /* the secret, the passwords */

#endif
