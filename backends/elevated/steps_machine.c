/* What the machine has to be like, and which runner it starts. */
#include "elevated/steps_part.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "elevated/principal.h"
#include "elevated/state.h"

#define FIRST_BUILD 17763u /* Windows 10 1809 */

/* ---- can it be set up here? ---- */

static sbx_status unfit(const char *what, const char *hint, sbx_error *err)
{
    sbx_fail(err, SBX_E_UNAVAILABLE, what, "this machine");
    return sbx_hint(err, "%s", hint);
}

/* MSDN "RtlGetVersion", "OSVERSIONINFOEXW": what a manifest does not bend. */
static sbx_status check_system(sbx_error *err)
{
    typedef LONG(WINAPI * version_fn)(OSVERSIONINFOEXW *);
    union {
        FARPROC found;
        version_fn get;
    } symbol = {GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion")};
    OSVERSIONINFOEXW version = {.dwOSVersionInfoSize = sizeof(version)};

    if (!symbol.found || symbol.get(&version))
        return SBX_OK;
    if (version.wProductType == VER_NT_DOMAIN_CONTROLLER)
        return unfit("a domain controller has no accounts of its own", "use --backend unelevated there", err);
    if (version.dwMajorVersion < 10 || version.dwBuildNumber < FIRST_BUILD)
        return unfit("it is older than Windows 10 1809", "use --backend unelevated there", err);
    return SBX_OK;
}

/* By what the service manager goes by, which everybody may read: MSDN "QUERY_SERVICE_CONFIGW" (dwStartType). */
static sbx_status check_logon(sbx_error *err)
{
    DWORD start = 0, size = sizeof(start);

    if (!RegGetValueW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Services\\seclogon", L"Start", RRF_RT_REG_DWORD,
                      NULL, &start, &size) &&
        start == SERVICE_DISABLED)
        return unfit("the service \"Secondary Logon\" (seclogon) is disabled",
                     "it starts the commands; enable it, or use --backend unelevated", err);
    return SBX_OK;
}

/* Only an administrator may ask; nobody else changes anything. */
static sbx_status check_policy(sbx_error *err)
{
    sbx_error why = {0};
    int allowed = 1;
    sbx_status st = sbx_rights_may_log_on(&allowed, &why);

    if (st == SBX_OK && !allowed)
        return unfit(
            "a policy lets no ordinary user log on locally",
            "the accounts are such; ask whoever manages it (Allow log on locally), or use --backend unelevated", err);
    if (st != SBX_OK && st != SBX_E_REFUSED && err)
        *err = why;
    return st == SBX_E_REFUSED ? SBX_OK : st;
}

static sbx_status SBX_CALL machine_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st;

    (void)step;
    *state = SBX_STEP_PRESENT;
    if ((st = check_system(err)) != SBX_OK || (st = check_logon(err)) != SBX_OK || (st = check_policy(err)) != SBX_OK)
        return st;
    st = sbx_steps_load(&machine, &user, err);
    if (st == SBX_OK && sbx_machine_is_account(&machine, sbx_steps_user()))
        st = sbx_fail(err, SBX_E_REFUSED, "it is an account that runs commands", sbx_steps_user());
    sbx_machine_fini(&machine);
    return st;
}

/* ---- the runner ---- */

static sbx_status runner_path(sbx_text *path, sbx_error *err)
{
    sbx_text_printf(path, "%s\\sbx-runner.exe", sbx_steps_programs());
    return path->failed ? sbx_fail_memory(err) : SBX_OK;
}

static sbx_status SBX_CALL runner_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_text path = {0};
    sbx_status st = sbx_steps_load(&machine, &user, err);

    (void)step;
    *state = SBX_STEP_ABSENT;
    if (st == SBX_OK && machine.runner && (st = runner_path(&path, err)) == SBX_OK)
        *state = !_stricmp(machine.runner, path.data) ? SBX_STEP_PRESENT : SBX_STEP_WRONG;
    sbx_text_fini(&path);
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status set_runner(const char *path, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);

    if (st == SBX_OK) {
        sbx_free(machine.runner);
        machine.runner = path ? sbx_strdup(path) : NULL;
        st = path && !machine.runner ? sbx_fail_memory(err) : sbx_state_save(&machine, err);
    }
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL runner_apply(const sbx_setup_step *step, sbx_error *err)
{
    sbx_text path = {0};
    sbx_status st = runner_path(&path, err);

    (void)step;
    if (st == SBX_OK)
        st = set_runner(path.data, err);
    sbx_text_fini(&path);
    return st;
}

/* With the last user. */
static sbx_status SBX_CALL runner_undo(const sbx_setup_step *step, sbx_error *err)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_status st = sbx_steps_load(&machine, &user, err);
    const int last = st == SBX_OK && machine.count == (user ? 1u : 0u);

    (void)step;
    sbx_machine_fini(&machine);
    return last ? set_runner(NULL, err) : st;
}

void sbx_steps_add_machine(void)
{
    sbx_steps_add("machine", "it can have accounts that run commands", machine_present, sbx_steps_nothing,
                  sbx_steps_nothing, 0, 0)
        ->flags = SBX_STEP_CONDITION;
}

void sbx_steps_add_runner(void)
{
    sbx_steps_add("runner", "the program that starts commands", runner_present, runner_apply, runner_undo, 0, 0);
}
