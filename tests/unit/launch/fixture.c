#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "win/clock.h"
#include "win/dirs.h"
#include "win/error.h"

WCHAR self_w[MAX_PATH];
char *cwd;
sbx_status verify_result;
int spawn_ends;

static sbx_status SBX_CALL self_identity(sbx_session *session, sbx_identity *identity, sbx_error *err)
{
    (void)session, (void)err;
    identity->kind = SBX_IDENTITY_SELF;
    return SBX_OK;
}

static sbx_status SBX_CALL empty_ticket(sbx_session *session, sbx_ticket *ticket, sbx_error *err)
{
    (void)session, (void)ticket, (void)err;
    return SBX_OK;
}

static sbx_status SBX_CALL extra_environment(sbx_session *session, sbx_env_edits *edits, sbx_error *err)
{
    static const sbx_env_edit extra[] = {{SBX_ENV_SET, "SBX_TEST_EXTRA", "backend"}};

    (void)session, (void)err;
    edits->edits = extra;
    edits->count = 1;
    return SBX_OK;
}

static sbx_status SBX_CALL own_token(const sbx_ticket *ticket, sbx_spawn *spawn, sbx_error *err)
{
    (void)ticket, (void)spawn, (void)err;
    return SBX_OK;
}

static sbx_status SBX_CALL verify(const sbx_spawn *spawn, void *process, sbx_error *err)
{
    (void)spawn, (void)process;
    return verify_result ? sbx_fail(err, verify_result, "verify", "test") : SBX_OK;
}

static void SBX_CALL spawn_end(sbx_spawn *spawn)
{
    (void)spawn;
    spawn_ends++;
}

sbx_backend backend(void)
{
    sbx_backend b = {0};

    b.size = sizeof(b);
    b.identity = self_identity;
    b.ticket = empty_ticket;
    b.environment = extra_environment;
    b.token = own_token;
    b.verify = verify;
    b.spawn_end = spawn_end;
    return b;
}

sbx_status launch_with(sbx_policy *policy, const sbx_backend *b, const wchar_t *tail, sbx_launch_result *result,
                       sbx_error *err)
{
    static WCHAR line_w[40000];
    sbx_launch_request request = {0};

    swprintf(line_w, 40000, L"\"%ls\" child %ls", self_w, tail);
    policy->size = sizeof(*policy);
    if (!policy->cwd)
        policy->cwd = cwd;
    request.policy = policy;
    request.backend = b;
    request.command_w = line_w;
    return sbx_launch_run(&request, result, err);
}

void check(sbx_status st, const sbx_error *err)
{
    char text[1024];

    if (st == SBX_OK)
        return;
    sbx_error_describe(err, text, sizeof(text));
    fail_msg("%s", text);
}

/* The exit code of a child with the given policy (may be NULL). */
sbx_launch_result run(sbx_policy *policy, const wchar_t *tail)
{
    sbx_policy plain = {0};
    sbx_launch_result result;
    sbx_error err = {0};
    sbx_backend b = backend();

    check(launch_with(policy ? policy : &plain, &b, tail, &result, &err), &err);
    return result;
}

int exists(const wchar_t *name)
{
    HANDLE event = OpenEventW(SYNCHRONIZE, FALSE, name);

    if (event)
        CloseHandle(event);
    return event != NULL || GetLastError() == ERROR_ACCESS_DENIED; /* another account's, with nothing in common */
}

/* Objects go shortly after the last process that holds them is reported gone. */
int goes(const wchar_t *name)
{
    uint64_t end_us = sbx_clock_us() + 1000000;

    while (exists(name) && sbx_clock_us() < end_us)
        SwitchToThread();
    return !exists(name);
}

void begin_launches(void)
{
    sbx_error err = {0};

    GetModuleFileNameW(NULL, self_w, MAX_PATH);
    check(sbx_dirs_get(SBX_DIR_CURRENT, &cwd, &err), &err);
}
