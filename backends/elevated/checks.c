#include "elevated/checks.h"

#include <windows.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "common/host.h"
#include "common/token/desktop.h"
#include "common/token/station.h"
#include "elevated/secret.h"
#include "elevated/state.h"
#include "elevated/steps_part.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/logon.h"
#include "win/reach.h"
#include "win/walk.h"
#include "win/weaker.h"
#include "win/wide.h"

#define LIMIT_MS 1000u
#define PROCESS_MS 120000u
#define IDLE_MS 5000u
#define PORT_TRIES 50u

#define LOSES "the filters would take it from others than the accounts of sbx: they are not left in place"

void sbx_checks_ports(const sbx_loopback *loopback, sbx_reach_listener *listener, uint16_t *listen)
{
    LARGE_INTEGER now;
    uint32_t i;
    uint16_t port;

    *listen = 0;
    QueryPerformanceCounter(&now);
    port = (uint16_t)(20000 + now.QuadPart % 20000); /* below the range that the system gives out */
    for (i = 0; i < PORT_TRIES && !listener->port; i++, port++)
        if (!(port = sbx_loopback_outside(loopback, port)) || sbx_reach_listen(listener, port))
            break;
    if (listener->port) {
        *listen = sbx_loopback_outside(loopback, (uint16_t)(listener->port + 1));
        *listen = *listen == listener->port ? 0 : *listen;
    }
}

/* ---- a process of an account ---- */

static int is_there(void *context, uint32_t process_id)
{
    (void)process_id;
    *(int *)context = 1;
    return 1;
}

/* An account in which nothing runs: a command that does could take over what begins beside it. */
static sbx_status idle(const sbx_checks *c, uint32_t online, uint32_t *slot, sbx_user_sid *account, sbx_error *err)
{
    const ULONGLONG end = GetTickCount64() + IDLE_MS;
    int busy;
    sbx_status st;

    for (;;) { /* the host of a console ends a moment after its last program */
        busy = 1;
        for (*slot = c->user->slots; busy && (*slot)-- > 0;) { /* the first ones are taken first */
            busy = 0;
            if ((st = sbx_steps_sid(c->user->accounts[online][*slot], account, err)) != SBX_OK ||
                (st = sbx_walk_processes(account->u.bytes, is_there, &busy, err)) != SBX_OK)
                return st;
        }
        if (!busy)
            return SBX_OK;
        if (GetTickCount64() >= end)
            break;
        Sleep(20);
    }
    sbx_fail(err, SBX_E_UNAVAILABLE, "commands run in all of its accounts", "filters of the network");
    return sbx_hint(err, "wait for one to end, and run setup again");
}

static sbx_status start(const sbx_checks *c, uint32_t online, uint32_t slot, const uint16_t *arguments_w,
                        const uint16_t *desktop_w, HANDLE output, sbx_process *process, sbx_error *err)
{
    uint16_t password_w[SBX_PASSWORD_UNITS], *account_w = NULL, *program_w = NULL;
    sbx_logon_start how = {.domain_w = L".", .arguments_w = arguments_w, .desktop_w = desktop_w, .output = output};
    sbx_secret secret;
    char name[24], *path = NULL;
    sbx_status st;

    sbx_machine_account_name(name, c->user->number, (int)online, slot);
    if ((st = sbx_state_secret_path(c->user->number, &path, err)) != SBX_OK ||
        (st = sbx_secret_read(path, c->user->sid, &secret, err)) != SBX_OK)
        goto out;
    st = sbx_secret_password(&secret, name, c->user->generation, password_w, err);
    sbx_secret_wipe(&secret);
    if (st == SBX_OK && (st = sbx_wide(name, name, &account_w, err)) == SBX_OK &&
        (st = sbx_wide(c->runner, c->runner, &program_w, err)) == SBX_OK) {
        how.account_w = account_w;
        how.secret_w = password_w;
        how.program_w = program_w;
        st = sbx_logon_spawn(process, &how, err);
    }
    SecureZeroMemory(password_w, sizeof(password_w));
    if (st == SBX_OK && ((st = sbx_logon_check(process, c->user->accounts[online][slot], program_w, err)) != SBX_OK ||
                         (st = sbx_logon_close_to_account(process, err)) != SBX_OK))
        sbx_process_discard(process);
out:
    sbx_free(program_w);
    sbx_free(account_w);
    sbx_free(path);
    return st;
}

/* Its end, and what it wrote: less than a pipe holds. */
static sbx_status hear(const sbx_checks *c, sbx_process *process, HANDLE pipe, char *text, DWORD size, sbx_error *err)
{
    DWORD length = 0, code = 0;
    sbx_status st = sbx_process_resume(process, err);

    if (st == SBX_OK && WaitForSingleObject(process->handle, PROCESS_MS) != WAIT_OBJECT_0)
        st = sbx_fail(err, SBX_E_UNAVAILABLE, "it does not come to an end", c->runner);
    if (st == SBX_OK && GetExitCodeProcess(process->handle, &code) && code)
        st = sbx_fail_nt(err, SBX_E_UNAVAILABLE, (int32_t)code, "run it as an account of sbx", c->runner);
    if (st != SBX_OK) {
        sbx_process_discard(process);
        return st;
    }
    if (!ReadFile(pipe, text, size - 1, &length, NULL))
        length = 0;
    text[length] = 0;
    sbx_process_close(process);
    return SBX_OK;
}

typedef struct row {
    uint32_t verdicts;
    char name[48];
} row;

static sbx_status rows_of(const sbx_checks *c, const char *text, row rows[SBX_CHECKS_ROWS], uint32_t *count,
                          sbx_error *err)
{
    const char *end;

    for (*count = 0; *text && *count < SBX_CHECKS_ROWS; text = end + 1, ++*count) {
        end = strchr(text, '\n');
        if (!end || end - text < 10 || end - text >= 9 + (int)sizeof(rows->name))
            break;
        rows[*count].verdicts = (uint32_t)strtoul(text, NULL, 16);
        snprintf(rows[*count].name, sizeof(rows->name), "%.*s", (int)(end - text - 9), text + 9);
    }
    return *count ? SBX_OK : sbx_fail(err, SBX_E_UNAVAILABLE, "it does not say what it reached", c->runner);
}

/* What an account reaches as itself and with weaker tokens. */
static sbx_status ask(const sbx_checks *c, uint32_t online, row rows[SBX_CHECKS_ROWS], uint32_t *count, sbx_error *err)
{
    static const char run_id[] = "5b5d1e5a2f404e5f9a53626200000000";
    _Alignas(4) uint8_t run_sid[SBX_RUN_SID_BYTES];
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};
    sbx_station station = {0};
    sbx_desktop desktop = {0};
    sbx_process process = {0};
    sbx_user_sid account;
    uint32_t slot = 0;
    WCHAR arguments_w[64];
    uint16_t *desktop_w = NULL;
    HANDLE pipe = NULL, output = NULL;
    char text[1024];
    sbx_status st;

    swprintf(arguments_w, 64, L"--weaker %u %u %u", (unsigned)c->listener->port, (unsigned)c->listen, LIMIT_MS);
    if ((st = idle(c, online, &slot, &account, err)) != SBX_OK || (st = sbx_run_sid(run_id, run_sid, err)) != SBX_OK ||
        (st = sbx_station_admit(&station, account.u.bytes, run_sid, err)) != SBX_OK ||
        (st = sbx_desktop_open(&desktop, run_id, run_sid, account.u.bytes, err)) != SBX_OK ||
        (desktop.name && (st = sbx_wide(desktop.name, "desktop", &desktop_w, err)) != SBX_OK))
        goto out;
    if (!CreatePipe(&pipe, &output, &inherit, 0) || !SetHandleInformation(pipe, HANDLE_FLAG_INHERIT, 0)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreatePipe", NULL);
        goto out;
    }
    if ((st = start(c, online, slot, arguments_w, desktop_w, output, &process, err)) != SBX_OK)
        goto out;
    sbx_handle_close(&output);
    if ((st = hear(c, &process, pipe, text, sizeof(text), err)) == SBX_OK)
        st = rows_of(c, text, rows, count, err);
out:
    sbx_handle_close(&output);
    sbx_handle_close(&pipe);
    sbx_free(desktop_w);
    sbx_desktop_close(&desktop);
    sbx_station_close(&station);
    return st;
}

/* ---- the checks ---- */

static uint32_t own(const sbx_checks *c)
{
    const sbx_reach how = {c->listener->port, c->listen, LIMIT_MS, NULL, 0, 1};

    return sbx_reach_try(&how);
}

/* Does the redirector reach this machine?  What it opens is a pipe of this program. */
static int by_redirector(void)
{
    WCHAR name_w[48], remote_w[56];
    HANDLE pipe, client = INVALID_HANDLE_VALUE;

    swprintf(name_w, 48, L"\\\\.\\pipe\\sbx-check-%lu", (unsigned long)GetCurrentProcessId());
    swprintf(remote_w, 56, L"\\\\localhost\\%ls", name_w + 4);
    pipe = CreateNamedPipeW(name_w, PIPE_ACCESS_INBOUND | FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_TYPE_BYTE, 1, 0, 512, 0,
                            NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        return 0;
    client =
        CreateFileW(remote_w, GENERIC_WRITE, 0, NULL, OPEN_EXISTING, SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
    if (client != INVALID_HANDLE_VALUE)
        CloseHandle(client);
    CloseHandle(pipe);
    return client != INVALID_HANDLE_VALUE;
}

sbx_status sbx_checks_begin(sbx_checks *checks, const sbx_machine *machine, const sbx_machine_user *user,
                            sbx_error *err)
{
    row rows[SBX_CHECKS_ROWS];
    uint32_t count = 0, i;
    sbx_text path = {0};
    sbx_status st;

    checks->machine = machine;
    checks->user = user;
    if (machine->runner)
        sbx_text_add(&path, machine->runner);
    else if (sbx_host_table)
        sbx_text_printf(&path, "%s\\sbx-runner.exe", sbx_host_table->program_dir);
    checks->runner = sbx_text_take(&path);
    checks->listener = sbx_alloc_zero(1, sizeof(*checks->listener));
    if (!checks->runner || !checks->listener)
        return sbx_fail_memory(err);
    sbx_checks_ports(&user->loopback, checks->listener, &checks->listen);
    checks->own_before = own(checks);
    checks->redirector = by_redirector();
    st = ask(checks, 1, rows, &count, err);
    for (i = 0; i < count && st == SBX_OK; i++)
        checks->before[i] = rows[i].verdicts;
    return st;
}

/* What was open and is refused now. */
static sbx_status lost(uint32_t before, uint32_t now, const char *who, sbx_error *err)
{
    uint32_t way;

    for (way = 0; way < SBX_REACH_WAYS; way++)
        if ((before >> 2 * way & 3u) == SBX_REACH_OPEN && (now >> 2 * way & 3u) == SBX_REACH_REFUSED) {
            sbx_fail(err, SBX_E_UNENFORCED, sbx_reach_name(way), who);
            return sbx_hint(err, LOSES);
        }
    return SBX_OK;
}

sbx_status sbx_checks_foreign(const sbx_checks *checks, sbx_error *err)
{
    row rows[SBX_CHECKS_ROWS];
    uint32_t count = 0, i;
    char who[96];
    sbx_status st = lost(checks->own_before, own(checks), "whoever runs setup", err);

    if (st == SBX_OK && checks->redirector && !by_redirector()) {
        st = sbx_fail(err, SBX_E_UNENFORCED, "\\\\localhost", "the system");
        sbx_hint(err, LOSES);
    }
    if (st == SBX_OK)
        st = ask(checks, 1, rows, &count, err);
    for (i = 0; i < count && st == SBX_OK; i++) {
        if (!strcmp(rows[i].name, SBX_WEAKER_ANONYMOUS)) /* which is nobody's, and loses it: README.md */
            continue;
        snprintf(who, sizeof(who), "another user (%s)", rows[i].name);
        st = lost(checks->before[i], rows[i].verdicts, who, err);
    }
    return st;
}

sbx_status sbx_checks_offline(const sbx_checks *checks, sbx_error *err)
{
    row rows[SBX_CHECKS_ROWS];
    uint32_t count = 0, i, way = 0, judged = SBX_REACH_UNKNOWN;
    char who[96];
    sbx_status st = ask(checks, 0, rows, &count, err);

    for (i = 0; i < count && st == SBX_OK; i++) {
        judged = sbx_reach_judge(rows[i].verdicts, &way);
        if (judged == SBX_REACH_OPEN) {
            snprintf(who, sizeof(who), "an account without a network (%s)", rows[i].name);
            st = sbx_fail(err, SBX_E_UNENFORCED, sbx_reach_name(way), who);
            sbx_hint(err, "it is open: another program's filters, or the system, let it through");
        } else if (!i && judged == SBX_REACH_UNKNOWN) {
            st = sbx_fail(err, SBX_E_UNENFORCED, "nothing of it could be tried", "an account without a network");
        }
    }
    return st;
}

void sbx_checks_end(sbx_checks *checks)
{
    if (checks->listener)
        sbx_reach_listen_end(checks->listener);
    sbx_free(checks->listener);
    sbx_free(checks->runner);
    memset(checks, 0, sizeof(*checks));
}
