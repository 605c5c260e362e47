/*
 * The backend that needs no administrator: the command runs as the user, with a token that can write only where
 * the run's own SIDs are admitted.  README.md says what that stops and what it does not.
 */
#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "common/token/desktop.h"
#include "common/grants/grant.h"
#include "common/grants/shield.h"
#include "common/host.h"
#include "common/environment/temp.h"
#include "common/token/station.h"
#include "common/token/token.h"
#include "unelevated/session.h"
#include "common/token/ticket.h"
#include "win/error.h"
#include "win/handle.h"

#define UI_LIMITS                                                                                                      \
    (JOB_OBJECT_UILIMIT_HANDLES | JOB_OBJECT_UILIMIT_READCLIPBOARD | JOB_OBJECT_UILIMIT_WRITECLIPBOARD |               \
     JOB_OBJECT_UILIMIT_SYSTEMPARAMETERS | JOB_OBJECT_UILIMIT_DISPLAYSETTINGS | JOB_OBJECT_UILIMIT_GLOBALATOMS |       \
     JOB_OBJECT_UILIMIT_DESKTOP | JOB_OBJECT_UILIMIT_EXITWINDOWS)

/* Of one spawn, in the process that spawns. */
typedef struct spawn_state {
    sbx_ticket_data data;
    sbx_station station;
    sbx_desktop desktop;
} spawn_state;

/* A token like that of a command, made and measured: what is missing here, every launch would miss. */
static sbx_status SBX_CALL unelevated_probe(sbx_error *err)
{
    sbx_token_spec spec;
    HANDLE token = NULL, copy = NULL;
    sbx_status st;

    memset(&spec, 0, sizeof(spec));
    if ((st = sbx_token_own(err)) != SBX_OK ||
        (st = sbx_run_sid("00000000000000000000000000000000", spec.run_sid, err)) != SBX_OK ||
        (st = sbx_token_restrict(&spec, &token, err)) != SBX_OK || (st = sbx_token_copy(token, &copy, err)) != SBX_OK ||
        (st = sbx_token_verify(&spec, token, copy, err)) != SBX_OK || (st = sbx_session_measure(copy, err)) != SBX_OK)
        goto out;
    st = sbx_token_try_object(copy, err);
out:
    sbx_handle_close(&copy);
    sbx_handle_close(&token);
    return st;
}

static sbx_status SBX_CALL unelevated_open(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                                           sbx_guarantees *guarantees, sbx_error *err)
{
    sbx_status st = sbx_session_open(policy, flags, session, guarantees, err);

    if (st == SBX_OK && !sbx_token_has_logon())
        sbx_host_note(
            SBX_NOTE_GAP, "logon session",
            "this logon has no SID of its own: desktops and named objects that admit only the logon session are "
            "closed to the command");
    return st;
}

static sbx_status SBX_CALL unelevated_ticket(sbx_session *session, sbx_ticket *ticket, sbx_error *err)
{
    (void)err;
    *ticket = *sbx_session_ticket(session);
    return SBX_OK;
}

static sbx_status SBX_CALL unelevated_environment(sbx_session *session, sbx_env_edits *edits, sbx_error *err)
{
    (void)err;
    *edits = *sbx_session_environment(session);
    return SBX_OK;
}

static void SBX_CALL unelevated_close(sbx_session *session)
{
    sbx_session_close(session);
}

static void free_state(spawn_state *state)
{
    if (!state)
        return;
    sbx_desktop_close(&state->desktop);
    sbx_station_close(&state->station);
    sbx_ticket_fini(&state->data);
    sbx_free(state);
}

static sbx_status SBX_CALL unelevated_token(const sbx_ticket *ticket, sbx_spawn *spawn, sbx_error *err)
{
    spawn_state *state = sbx_alloc_zero(1, sizeof(*state));
    HANDLE token = NULL;
    int own_desktop;
    sbx_status st;

    if (!state)
        return sbx_fail_memory(err);
    if ((st = sbx_ticket_read(ticket->bytes, ticket->length, &state->data, err)) != SBX_OK ||
        (st = sbx_token_own(err)) != SBX_OK || (st = sbx_token_restrict(&state->data.spec, &token, err)) != SBX_OK)
        goto out;
    own_desktop = (state->data.flags & SBX_TICKET_DESKTOP) != 0;
    if ((st = sbx_station_open(&state->station, token, state->data.spec.run_sid, !own_desktop, err)) != SBX_OK)
        goto out;
    if (own_desktop &&
        (st = sbx_desktop_open(&state->desktop, state->data.run_id, state->data.spec.run_sid, NULL, err)) != SBX_OK)
        goto out;
    memset(spawn, 0, sizeof(*spawn));
    spawn->size = sizeof(*spawn);
    spawn->ui_limits = state->data.flags & SBX_TICKET_UI_LIMITS ? UI_LIMITS : 0;
    spawn->token = token;
    spawn->desktop = state->desktop.name;
    spawn->context = state;
    token = NULL;
    state = NULL;
out:
    sbx_handle_close(&token);
    free_state(state);
    return st;
}

static const char *text_or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static sbx_status SBX_CALL unelevated_verify(const sbx_spawn *spawn, void *process, sbx_error *err)
{
    const spawn_state *state = spawn->context;
    HANDLE token = NULL, copy = NULL;
    int known = 0;
    sbx_status st;

    if (!OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE | WRITE_DAC, &token))
        return sbx_fail_last(err, SBX_E_UNENFORCED, "OpenProcessToken", "the suspended command");
    if ((st = sbx_token_settle(&state->data.spec, process, token, err)) != SBX_OK ||
        (st = sbx_token_copy(token, &copy, err)) != SBX_OK ||
        (st = sbx_token_verify(&state->data.spec, token, copy, err)) != SBX_OK ||
        (st = sbx_session_measure(copy, err)) != SBX_OK ||
        (st = sbx_token_try(copy, text_or_null(state->data.closed), text_or_null(state->data.opened),
                            text_or_null(state->data.root), err)) != SBX_OK)
        goto out;
    if (state->desktop.name && (st = sbx_desktop_verify(&state->desktop, process, &known, err)) != SBX_OK)
        goto out;
    sbx_host_note(
        SBX_NOTE_MEASURE, "token",
        "read back from the suspended command: restricting SIDs, privileges, groups, integrity, default DACL; "
        "access checks with it behave as asked%s",
        known ? "; it starts on the private desktop" : "");
out:
    sbx_handle_close(&copy);
    sbx_handle_close(&token);
    return st;
}

static void SBX_CALL unelevated_spawn_end(sbx_spawn *spawn)
{
    free_state(spawn->context);
    spawn->context = NULL;
    spawn->desktop = NULL;
}

static sbx_status SBX_CALL state_list(sbx_state_visitor visit, void *context, sbx_error *err)
{
    sbx_status st = sbx_grants_list(visit, context, err);

    if (st == SBX_OK)
        st = sbx_temp_list(visit, context, err);
    return st == SBX_OK ? sbx_shield_list(visit, context, err) : st;
}

/* All are tried; the first failure is told. */
static sbx_status SBX_CALL state_clean(uint32_t what, const char *root, sbx_state_visitor visit, void *context,
                                       sbx_error *err)
{
    sbx_status grants, folders, shields;

    if (what == SBX_CLEAN_HOMES) {
        folders = sbx_temp_clean(what, root, visit, context, err);
        grants =
            sbx_grants_clean(what, NULL, visit, context, folders == SBX_OK ? err : NULL); /* of those that are gone */
        return folders == SBX_OK ? grants : folders;
    }
    grants = sbx_grants_clean(what, root, visit, context, err);
    folders = sbx_temp_clean(what, root, visit, context, grants == SBX_OK ? err : NULL);
    shields = sbx_shield_clean(what, root, visit, context, grants == SBX_OK && folders == SBX_OK ? err : NULL);
    if (grants != SBX_OK)
        return grants;
    return folders == SBX_OK ? shields : folders;
}

static sbx_status SBX_CALL shield_folders(uint32_t which, sbx_shield_visitor visit, void *context, sbx_error *err)
{
    return sbx_shield_folders(which, visit, context, err);
}

static sbx_status SBX_CALL shield_run(uint32_t flags, const char *folder, sbx_shield_count *count, sbx_error *err)
{
    return sbx_shield_run(flags, folder, count, err);
}

static sbx_status SBX_CALL grant_again(const char *path, sbx_grant_count *count, sbx_error *err)
{
    return sbx_grants_again(path, count, err);
}

static sbx_status SBX_CALL token_like(sbx_session *session, void **token, const char **how, sbx_error *err)
{
    *how = "your own, restricted as that of a command";
    return sbx_session_token_like(session, token, err);
}

static const void *SBX_CALL unelevated_extension(const char *id)
{
    static const sbx_ext_token token = {sizeof(token), 0, token_like};
    static const sbx_ext_state state = {sizeof(state), 0, state_list, state_clean};
    static const sbx_ext_shield shield = {sizeof(shield), 0, shield_folders, shield_run};

    static const sbx_ext_grant grant = {sizeof(grant), 0, grant_again};

    if (!strcmp(id, SBX_EXT_TOKEN))
        return &token;
    if (!strcmp(id, SBX_EXT_GRANT))
        return &grant;
    if (!strcmp(id, SBX_EXT_SHIELD))
        return &shield;
    return strcmp(id, SBX_EXT_STATE) ? NULL : &state;
}

static const sbx_backend backend = {
    .size = sizeof(sbx_backend),
    .abi = SBX_ABI_VERSION,
    .name = "unelevated",
    .version = SBX_VERSION,
    .summary = "confines writes with a restricted token; needs no administrator",
    .claims = {sizeof(sbx_guarantees), SBX_UNELEVATED_ENFORCED, SBX_UNELEVATED_ADVISORY},
    .probe = unelevated_probe,
    .open = unelevated_open,
    .identity = sbx_host_identity_self,
    .ticket = unelevated_ticket,
    .environment = unelevated_environment,
    .close = unelevated_close,
    .token = unelevated_token,
    .verify = unelevated_verify,
    .spawn_end = unelevated_spawn_end,
    .setup_steps = sbx_host_no_setup,
    .extension = unelevated_extension,
};

SBX_EXPORT const sbx_backend *SBX_CALL sbx_backend_entry(const sbx_host *host)
{
    return sbx_host_init(host) ? &backend : NULL;
}
