#include "elevated/engine.h"

#include <rpcdce.h>
#include <string.h>

#include "elevated/fwpm_ids.h"
#include "win/error.h"
#include "win/library.h"

sbx_fwpm sbx_fwpm_table;

sbx_status sbx_engine_failed(uint32_t code, const char *op, sbx_error *err)
{
    sbx_status st = SBX_E_SYSTEM;

    if (code == ERROR_ACCESS_DENIED)
        st = SBX_E_REFUSED;
    else if (code == EPT_S_NOT_REGISTERED || code == RPC_S_SERVER_UNAVAILABLE)
        st = SBX_E_UNAVAILABLE;
    sbx_fail_code(err, st, code & 0x80000000u ? SBX_CODE_HRESULT : SBX_CODE_WIN32, code, op, "filters of the network");
    return st == SBX_E_UNAVAILABLE ? sbx_hint(err, "the service BFE (Base Filtering Engine) does not run: start it")
                                   : st;
}

sbx_status sbx_engine_open(sbx_engine *engine, int dynamic, sbx_error *err)
{
#define SBX_FWPM_NAME(type, name, arguments) "Fwpm" #name,
    static const char *const names[] = {SBX_FWPM(SBX_FWPM_NAME)};
    FWPM_SESSION0 session = {.flags = dynamic ? FWPM_SESSION_FLAG_DYNAMIC : 0};
    uint32_t code;
    sbx_status st = sbx_library_load("fwpuclnt.dll", names, sizeof(names) / sizeof(names[0]), &sbx_fwpm_table,
                                     &engine->library, err);

    if (st == SBX_OK && (code = sbx_fwpm_table.EngineOpen0(NULL, RPC_C_AUTHN_WINNT, NULL, &session, &engine->handle)))
        st = sbx_engine_failed(code, "FwpmEngineOpen0", err);
    if (st != SBX_OK)
        sbx_engine_close(engine);
    return st;
}

void sbx_engine_close(sbx_engine *engine)
{
    if (engine->handle)
        sbx_fwpm_table.EngineClose0(engine->handle);
    if (engine->library)
        FreeLibrary(engine->library);
    memset(engine, 0, sizeof(*engine));
}
