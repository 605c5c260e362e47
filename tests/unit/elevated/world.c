#include "world.h"

#include <lm.h>
#include <rpcdce.h>
#include <stdio.h>

#include "base/memory.h"
#include "common/host.h"
#include "elevated/checks.h"
#include "elevated/principal.h"
#include "elevated/secret.h"
#include "elevated/state.h"
#include "setup/folder.h"
#include "win/user.h"
#include "win/wide.h"

#define FOLDER "C:\\Program Files\\sbx-filters"
#define RUNNER_W L"C:\\Program Files\\sbx-filters\\sbx-runner.exe"

char second_sid[SBX_MACHINE_SID], logged[1024];
HANDLE engine;
sbx_reach_listener listener;
uint16_t quiet;

/* ---- oracles ---- */

uint32_t filters_there(const GUID *layer, FWP_ACTION_TYPE action, GUID *keys)
{
    static const GUID firewall = {0xb3cdd441, 0xaf90, 0x41ba, {0xa7, 0x45, 0x7c, 0x60, 0x08, 0xff, 0x23, 0x01}};
    FWPM_FILTER0 **found = NULL;
    HANDLE walk = NULL;
    UINT32 got = 0, i;
    uint32_t n = 0;

    assert_int_equal(FwpmFilterCreateEnumHandle0(engine, NULL, &walk), 0);
    assert_int_equal(FwpmFilterEnum0(engine, walk, 4096, &found, &got), 0);
    for (i = 0; i < got; i++)
        if (memcmp(&firewall, &found[i]->subLayerKey, sizeof(firewall)) != 0 &&
            (!layer || !memcmp(layer, &found[i]->layerKey, sizeof(*layer))) &&
            (!action || found[i]->action.type == action)) {
            if (keys)
                keys[n] = found[i]->filterKey;
            n++;
        }
    FwpmFreeMemory0((void **)&found);
    FwpmFilterDestroyEnumHandle0(engine, walk);
    return n;
}

void delete_filters(FWP_ACTION_TYPE action)
{
    GUID keys[64];
    const uint32_t n = filters_there(NULL, action, keys);
    uint32_t i;

    assert_true(n > 0 && n <= 64);
    for (i = 0; i < n; i++)
        assert_int_equal(FwpmFilterDeleteByKey0(engine, &keys[i]), 0);
}

/* What a program of that user reaches. */
uint32_t reached(const char *account, const uint16_t *password_w)
{
    STARTUPINFOW si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi = {0};
    WCHAR command_w[128];
    uint16_t *account_w = NULL;
    DWORD code = 0;

    assert_int_equal(sbx_wide(account, account, &account_w, NULL), SBX_OK);
    swprintf(command_w, 128, L"runner --connect %u %u 1000", (unsigned)listener.port, (unsigned)quiet);
    if (!CreateProcessWithLogonW(account_w, L".", password_w, 0, RUNNER_W, command_w, CREATE_NO_WINDOW, NULL, L"C:\\",
                                 &si, &pi))
        fail_msg("%s: CreateProcessWithLogonW: %lu", account, (unsigned long)GetLastError());
    WaitForSingleObject(pi.hProcess, 60000);
    GetExitCodeProcess(pi.hProcess, &code);
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);
    sbx_free(account_w);
    assert_int_equal(code >> 28, 5);
    return code & 0xFFFFFFF;
}

uint32_t reached_by(const char *sid, int online)
{
    uint16_t password_w[SBX_PASSWORD_UNITS];
    sbx_machine machine;
    sbx_machine_user *user;
    sbx_secret secret;
    sbx_error err = {0};
    char name[24], *path = NULL;

    load(&machine);
    user = sbx_machine_find(&machine, sid);
    assert_non_null(user);
    sbx_machine_account_name(name, user->number, online, 0);
    check(sbx_state_secret_path(user->number, &path, &err), &err, "path");
    check(sbx_secret_read(path, sid, &secret, &err), &err, "secret");
    check(sbx_secret_password(&secret, name, user->generation, password_w, &err), &err, "password");
    sbx_free(path);
    sbx_machine_fini(&machine);
    return reached(name, password_w);
}

static void SBX_CALL on_log(uint32_t level, const char *text)
{
    (void)level;
    snprintf(logged, sizeof(logged), "%s", text);
}

int world_begin(void **state)
{
    static sbx_host host = {.size = sizeof(host), .program_dir = FOLDER, .state_dir = FOLDER, .log = on_log};
    USER_INFO_1 info = {(LPWSTR)(uintptr_t)L"sbx-second",
                        (LPWSTR)(uintptr_t)PASSWORD,
                        0,
                        USER_PRIV_USER,
                        NULL,
                        NULL,
                        UF_SCRIPT | UF_DONT_EXPIRE_PASSWD,
                        NULL};
    WCHAR path_w[MAX_PATH], *end;
    sbx_loopback none = {0};
    sbx_user_sid sid;
    uint32_t kind;

    (void)state;
    sbx_fault_use(0);
    with_network = 1;
    programs = FOLDER;
    sbx_host_table = &host;
    GetModuleFileNameW(NULL, path_w, MAX_PATH);
    for (end = path_w + wcslen(path_w); *end != L'\\'; end--)
        ;
    wcscpy(end, L"\\..\\bin\\sbx-runner.exe");
    NetUserDel(NULL, L"sbx-second");
    if (sbx_setup_folder_make(FOLDER, SBX_FOLDER_PROGRAMS, NULL) != SBX_OK || !CopyFileW(path_w, RUNNER_W, FALSE) ||
        sbx_setup_folder_make("C:\\ProgramData\\sbx", SBX_FOLDER_STATE, NULL) != SBX_OK ||
        sbx_user_get(&sid, NULL) != SBX_OK || NetUserAdd(NULL, 1, (BYTE *)&info, NULL))
        return 1;
    sbx_user_sid_text(sid.u.bytes, own_sid, sizeof(own_sid));
    if (sbx_principal_find(SECOND, &kind, &sid, NULL) != SBX_OK)
        return 1;
    sbx_user_sid_text(sid.u.bytes, second_sid, sizeof(second_sid));
    sbx_checks_ports(&none, &listener, &quiet);
    return !listener.port || !quiet || FwpmEngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, NULL, &engine);
}

void world_set_up(int with_filters)
{
    uint32_t i, filters;

    options_for(own_sid, 1, 0, 0);
    filters = step_of("filters");
    for (i = 0; i < count; i++)
        if (with_filters || i != filters)
            apply(i);
    if (!with_filters)
        undo_named("filters");
}

int world_end(void **state)
{
    (void)state;
    FwpmEngineClose0(engine);
    sbx_reach_listen_end(&listener);
    NetUserDel(NULL, L"sbx-second");
    DeleteFileW(RUNNER_W);
    DeleteFileW(L"C:\\Program Files\\sbx-filters\\lock");
    RemoveDirectoryW(L"C:\\Program Files\\sbx-filters");
    return 0;
}
