/* What the tests of setup share: the steps, applied and undone one by one, and what another program would see of the machine. */
#ifndef SBX_TESTS_ELEVATED_FIXTURE_H
#define SBX_TESTS_ELEVATED_FIXTURE_H

#include <windows.h>

#include "unit/support/unit.h"

#include "base/error.h"
#include "elevated/machine.h"

#define STEPS_BESIDE 15 /* those that are not of one account */

extern char own_sid[SBX_MACHINE_SID];
extern const sbx_setup_step *steps;
extern uint32_t count;

void check(sbx_status st, const sbx_error *err, const char *what); /* ends the test where st is no SBX_OK */

extern const char *programs; /* the folder of the runner */

void options(uint32_t slots); /* fills steps and count */
/* For another user, or with ports of this machine; 0: with none. */
void options_for(const char *sid, uint32_t slots, uint32_t first, uint32_t last);
uint32_t step_of(const char *name);
uint32_t state_of(uint32_t i);
/* Filters, for which programs of the accounts are started, and rules have a test of their own. */
extern int with_network;
int is_elsewhere(uint32_t i);
void apply(uint32_t i); /* unless it is there */
void apply_all(void);
void undo_all(void);

/* By their names. */
uint32_t state_named(const char *name);
void apply_named(const char *name);
void undo_named(const char *name);
void load(sbx_machine *machine); /* the record */

/* Users with their flags, groups with their members, denied rights, hidden users, files of sbx, as one number. */
uint32_t snapshot(void);
/* The password that the record and the secret give now. */
const uint16_t *derived(const char *account);
BOOL logs_on(const WCHAR *name, const uint16_t *password_w, DWORD type);

/* repair.c */
void test_put_right(void **state);
void test_refused(void **state);
void test_fewer(void **state);
void test_own_account(void **state);
void test_unfit(void **state);

/* files.c */
void test_record_once(void **state);
void test_record_lost(void **state);
void test_secret_kept(void **state);
void test_owner(void **state);

/* cut.c */
void test_cut_anywhere(void **state);

#endif
