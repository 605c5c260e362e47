#include "other.h"

#include <lm.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

#include "fixture.h"
#include "win/user.h"

#define ACCOUNT_UTF8 "sbx-test-account"

char account_sid[192], real_runner[MAX_PATH * 3], fake_runner[MAX_PATH * 3];
const char *runner, *named_sid;
uint16_t password[64];

uint32_t wait_ms;
static int have_account;

static sbx_status SBX_CALL account_identity(sbx_session *session, sbx_identity *identity, sbx_error *err)
{
    (void)session, (void)err;
    if (!password[0])
        wcscpy(password, PASSWORD);
    identity->kind = SBX_IDENTITY_LOGON;
    identity->account = ACCOUNT_UTF8;
    identity->domain = ".";
    identity->secret = password;
    identity->account_sid = named_sid;
    identity->runner = runner;
    return SBX_OK;
}

static sbx_status SBX_CALL account_ticket(sbx_session *session, sbx_ticket *ticket, sbx_error *err)
{
    (void)session, (void)err;
    ticket->bytes = TICKET;
    ticket->length = (uint32_t)strlen(TICKET);
    return SBX_OK;
}

static sbx_backend account_backend(void)
{
    sbx_backend b = backend();

    b.name = "template";
    b.flags = SBX_BACKEND_ACCOUNT;
    b.identity = account_identity;
    b.ticket = account_ticket;
    return b;
}

sbx_status launch_there(const wchar_t *tail, sbx_launch_result *result, sbx_error *err)
{
    sbx_backend b = account_backend();
    sbx_policy policy = {0};
    static WCHAR line_w[1024];
    sbx_launch_request request = {.policy = &policy, .backend = &b, .command_w = line_w, .account_wait_ms = wait_ms};

    memset(err, 0, sizeof(*err));
    policy.size = sizeof(policy);
    policy.cwd = "C:\\windows"; /* what the account may read */
    swprintf(line_w, 1024, L"\"%ls\" child %ls", self_w, tail);
    return sbx_launch_run(&request, result, err);
}

void other_identity(sbx_identity *identity)
{
    account_identity(NULL, identity, NULL);
}

int make_account(void **state)
{
    USER_INFO_1 info = {.usri1_name = (WCHAR *)(uintptr_t)ACCOUNT,
                        .usri1_password = (WCHAR *)(uintptr_t)PASSWORD,
                        .usri1_priv = USER_PRIV_USER,
                        .usri1_flags = UF_SCRIPT | UF_DONT_EXPIRE_PASSWD};
    _Alignas(4) BYTE sid[SECURITY_MAX_SID_SIZE];
    WCHAR domain[256];
    LOCALGROUP_MEMBERS_INFO_0 member = {sid};
    DWORD sid_size = sizeof(sid), domain_size = 256;
    SID_NAME_USE use;

    (void)state;
    NetUserDel(NULL, ACCOUNT);
    if (NetUserAdd(NULL, 1, (BYTE *)&info, NULL) ||
        !LookupAccountNameW(NULL, ACCOUNT, sid, &sid_size, domain, &domain_size, &use))
        return 0; /* none here */
    NetLocalGroupAddMembers(NULL, L"Users", 0, (BYTE *)&member, 1);
    sbx_user_sid_text(sid, account_sid, sizeof(account_sid));
    have_account = 1;
    return 0;
}

int remove_account(void **state)
{
    (void)state;
    if (have_account)
        NetUserDel(NULL, ACCOUNT);
    return 0;
}

void begin_other(void)
{
    if (!have_account)
        skip();
    runner = real_runner;
    named_sid = account_sid;
    wcscpy(password, PASSWORD);
    wait_ms = 0;
}

/* The real one is beside the test backends; copies of this program lie beside itself. */
void find_programs(void)
{
    char self[MAX_PATH * 3], *end;

    WideCharToMultiByte(CP_UTF8, 0, self_w, -1, self, sizeof(self), NULL, NULL);
    end = strrchr(self, '\\');
    *end = 0;
    snprintf(real_runner, sizeof(real_runner), "%s\\plugin\\sbx-runner.exe", self);
    snprintf(fake_runner, sizeof(fake_runner), "%s\\fake", self);
}
