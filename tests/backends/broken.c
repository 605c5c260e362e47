/*
 * Backends that break one rule each; which one is told by the macro of the build.
 *
 *   BROKEN_EXPORT     no entry               BROKEN_NULL       entry gives NULL
 *   BROKEN_ABI        another major          BROKEN_SHORT      table shorter than 2.0's
 *   BROKEN_FUNCTION   no `verify`            BROKEN_CLAIMS     one area enforced and advisory
 *   BROKEN_NAME       another name           BROKEN_ATTACH     DllMain says no
 *   BROKEN_CRASH      entry crashes          BROKEN_HANG       entry never returns
 *   BROKEN_ATTACH_HANG DllMain never returns BROKEN_PROBE_HANG probe never returns
 *   BROKEN_UNAVAILABLE probe says no         BROKEN_STATUS     probe gives an unknown status
 *   BROKEN_REFUSED    probe says damaged     BROKEN_BUSY       open says not now
 *   BROKEN_OPEN       open crashes           BROKEN_SESSION    open gives no session
 *   BROKEN_BOAST      open guarantees more than the table claims
 *   BROKEN_LIE        claims, and guarantees, that nothing is written and the network is off; confines nothing
 *   BROKEN_EDITS      environment gives an edit without a name
 *   BROKEN_SOUND      breaks none: what the others are compared with
 */
#include <windows.h>
#include <string.h>

#include "sbx/backend.h"

#define LIE (SBX_AREA_PROCESS_TREE | SBX_AREA_FILE_WRITE | SBX_AREA_FILE_DELETE | SBX_AREA_NETWORK)

static sbx_status SBX_CALL probe(sbx_error *err)
{
    (void)err;
#ifdef BROKEN_UNAVAILABLE
    memcpy(err->op, "service", sizeof("service"));
    memcpy(err->object, "sbxd", sizeof("sbxd"));
    memcpy(err->hint, "start the service", sizeof("start the service"));
    return SBX_E_UNAVAILABLE;
#elif defined(BROKEN_REFUSED)
    memcpy(err->op, "it is damaged", sizeof("it is damaged"));
    memcpy(err->hint, "repair it", sizeof("repair it"));
    return SBX_E_REFUSED;
#elif defined(BROKEN_STATUS)
    return 4711;
#elif defined(BROKEN_PROBE_HANG)
    Sleep(INFINITE);
    return SBX_OK;
#else
    return SBX_OK;
#endif
}

static sbx_status SBX_CALL open_session(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                                        sbx_guarantees *guarantees, sbx_error *err)
{
    static int state;

    (void)policy;
    (void)flags;
    (void)err;
    guarantees->size = sizeof(*guarantees);
    guarantees->enforced = SBX_AREA_PROCESS_TREE;
#ifdef BROKEN_OPEN
    *(volatile int *)NULL = 1;
#endif
#ifdef BROKEN_BUSY
    memcpy(err->op, "all are at work", sizeof("all are at work"));
    return SBX_E_UNAVAILABLE;
#endif
#ifdef BROKEN_BOAST
    guarantees->enforced |= SBX_AREA_NETWORK;
#endif
#ifdef BROKEN_LIE
    guarantees->enforced = LIE;
#endif
#ifndef BROKEN_SESSION
    *session = (sbx_session *)(void *)&state;
#else
    (void)state;
    (void)session;
#endif
    return SBX_OK;
}

static sbx_status SBX_CALL identity(sbx_session *session, sbx_identity *out, sbx_error *err)
{
    (void)session;
    (void)err;
    out->kind = SBX_IDENTITY_SELF;
    return SBX_OK;
}

static sbx_status SBX_CALL ticket(sbx_session *session, sbx_ticket *out, sbx_error *err)
{
    (void)session;
    (void)out;
    (void)err;
    return SBX_OK;
}

static sbx_status SBX_CALL environment(sbx_session *session, sbx_env_edits *out, sbx_error *err)
{
    (void)session;
    (void)err;
#ifdef BROKEN_EDITS
    static const sbx_env_edit edits[] = {{SBX_ENV_SET, "", "1"}};
    out->edits = edits;
    out->count = 1;
#else
    (void)out;
#endif
    return SBX_OK;
}

static void SBX_CALL close_session(sbx_session *session)
{
    (void)session;
}

static sbx_status SBX_CALL token(const sbx_ticket *in, sbx_spawn *spawn, sbx_error *err)
{
    (void)in;
    (void)spawn;
    (void)err;
    return SBX_OK;
}

#ifndef BROKEN_FUNCTION
static sbx_status SBX_CALL verify(const sbx_spawn *spawn, void *process, sbx_error *err)
{
    (void)spawn;
    (void)process;
    (void)err;
    return SBX_OK;
}
#endif

static void SBX_CALL spawn_end(sbx_spawn *spawn)
{
    (void)spawn;
}

static sbx_status SBX_CALL setup_steps(const sbx_setup_options *options, const sbx_setup_step **table, uint32_t *count,
                                       sbx_error *err)
{
    (void)options;
    (void)err;
    *table = NULL;
    *count = 0;
    return SBX_OK;
}

static const void *SBX_CALL extension(const char *id)
{
    (void)id;
    return NULL;
}

static sbx_backend backend = {
    .size = sizeof(sbx_backend),
    .abi = SBX_ABI_VERSION,
    .name = BROKEN_STEM,
    .version = "1.0.0",
    .summary = "breaks a rule",
    .claims = {sizeof(sbx_guarantees), SBX_AREA_PROCESS_TREE, 0},
    .probe = probe,
    .open = open_session,
    .identity = identity,
    .ticket = ticket,
    .environment = environment,
    .close = close_session,
    .token = token,
#ifndef BROKEN_FUNCTION
    .verify = verify,
#endif
    .spawn_end = spawn_end,
    .setup_steps = setup_steps,
    .extension = extension,
};

#ifdef BROKEN_EXPORT
__declspec(dllexport) const sbx_backend *another_entry(const sbx_host *host);
const sbx_backend *another_entry(const sbx_host *host)
#else
SBX_EXPORT const sbx_backend *SBX_CALL sbx_backend_entry(const sbx_host *host)
#endif
{
    (void)host;
#ifdef BROKEN_NULL
    return NULL;
#endif
#ifdef BROKEN_ABI
    backend.abi = (SBX_ABI_MAJOR + 1) << 16 | 3;
#endif
#ifdef BROKEN_SHORT
    backend.size = 24;
#endif
#ifdef BROKEN_CLAIMS
    backend.claims.advisory = SBX_AREA_PROCESS_TREE;
#endif
#ifdef BROKEN_LIE
    backend.claims.enforced = LIE;
#endif
#ifdef BROKEN_NAME
    backend.name = "trusted";
#endif
#ifdef BROKEN_CRASH
    *(volatile int *)NULL = 1;
#endif
#ifdef BROKEN_HANG
    Sleep(INFINITE);
#endif
    return &backend;
}

#if defined(BROKEN_ATTACH) || defined(BROKEN_ATTACH_HANG)
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved);

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module;
    (void)reserved;
#ifdef BROKEN_ATTACH_HANG
    Sleep(INFINITE);
#endif
    return reason != DLL_PROCESS_ATTACH;
}
#endif
