/* Launches as another account, which is made for the time of the tests where the system has accounts and this is an administrator. */
#ifndef SBX_TESTS_OTHER_H
#define SBX_TESTS_OTHER_H

#include <stdint.h>
#include <windows.h>

#include "launch/launch.h"

#define ACCOUNT L"sbx-test-account"
#define PASSWORD L"Vo3-ka!9qTz_71xLwM"
#define TICKET "template ticket 0123"

extern char account_sid[192], real_runner[MAX_PATH * 3], fake_runner[MAX_PATH * 3]; /* fake: how its name begins */
extern uint16_t password[64];

/* What the next launch takes; as `begin_other` leaves them: the real runner, this account, SBX_ACCOUNT_WAIT_MS. */
extern const char *runner, *named_sid;
extern uint32_t wait_ms;

int make_account(void **state); /* cmocka's setup and teardown */
int remove_account(void **state);
void find_programs(void);

/* First in each test; skips it where there is no account. */
void begin_other(void);

void other_identity(sbx_identity *identity);

/* "child TAIL" of this program, as that account. */
sbx_status launch_there(const wchar_t *tail, sbx_launch_result *result, sbx_error *err);

#endif
