/*
 * The backend that confines nothing: the command runs with the user's own token.  What is left is
 * what the launcher itself does: the job, the limits, the environment.  For finding out whether a
 * failure comes from the sandbox, and as the positive control of tests.
 */
#include <string.h>

#include "base/error.h"
#include "common/host.h"

struct sbx_session {
    int unused;
};

static sbx_session the_session; /* it has no state, so one serves all */

static sbx_status SBX_CALL none_probe(sbx_error *err)
{
    (void)err;
    return SBX_OK;
}

static sbx_status SBX_CALL none_open(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                                     sbx_guarantees *guarantees, sbx_error *err)
{
    static const char text[] = "nothing is confined: files, network and desktop are as open as for you";

    if (policy->require & ~SBX_AREA_PROCESS_TREE) {
        sbx_fail(err, SBX_E_REFUSED, "require more than processes", "backend \"none\"");
        return sbx_hint(err, "it enforces nothing but the process tree; `sbx backends` shows what others do");
    }
    guarantees->size = sizeof(*guarantees);
    guarantees->enforced = SBX_AREA_PROCESS_TREE;
    guarantees->advisory = 0;
    sbx_host_note(SBX_NOTE_GAP, "", "%s", text);
    if (!(flags & SBX_OPEN_DRY_RUN))
        sbx_host_log(SBX_LOG_WARN, "%s", text);
    *session = &the_session;
    return SBX_OK;
}

static sbx_status SBX_CALL none_ticket(sbx_session *session, sbx_ticket *ticket, sbx_error *err)
{
    (void)session;
    (void)err;
    memset(ticket, 0, sizeof(*ticket));
    ticket->size = sizeof(*ticket);
    return SBX_OK;
}

static sbx_status SBX_CALL none_environment(sbx_session *session, sbx_env_edits *edits, sbx_error *err)
{
    (void)session;
    (void)err;
    memset(edits, 0, sizeof(*edits));
    edits->size = sizeof(*edits);
    return SBX_OK;
}

static void SBX_CALL none_close(sbx_session *session)
{
    (void)session;
}

static sbx_status SBX_CALL none_token(const sbx_ticket *ticket, sbx_spawn *spawn, sbx_error *err)
{
    (void)ticket;
    (void)err;
    memset(spawn, 0, sizeof(*spawn));
    spawn->size = sizeof(*spawn); /* no token: the process's own */
    return SBX_OK;
}

static sbx_status SBX_CALL none_verify(const sbx_spawn *spawn, void *process, sbx_error *err)
{
    (void)spawn;
    (void)process;
    (void)err;
    return SBX_OK; /* nothing was asked for */
}

static void SBX_CALL none_spawn_end(sbx_spawn *spawn)
{
    (void)spawn;
}

static const void *SBX_CALL none_extension(const char *id)
{
    (void)id;
    return NULL;
}

static const sbx_backend backend = {
    .size = sizeof(sbx_backend),
    .abi = SBX_ABI_VERSION,
    .name = "none",
    .version = SBX_VERSION,
    .summary = "confines nothing; for diagnosis",
    .claims = {sizeof(sbx_guarantees), SBX_AREA_PROCESS_TREE, 0},
    .probe = none_probe,
    .open = none_open,
    .identity = sbx_host_identity_self,
    .ticket = none_ticket,
    .environment = none_environment,
    .close = none_close,
    .token = none_token,
    .verify = none_verify,
    .spawn_end = none_spawn_end,
    .setup_steps = sbx_host_no_setup,
    .extension = none_extension,
};

SBX_EXPORT const sbx_backend *SBX_CALL sbx_backend_entry(const sbx_host *host)
{
    return sbx_host_init(host) ? &backend : NULL;
}
