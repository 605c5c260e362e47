/*
 * The backend that runs commands as an account of their own: setup makes it, with administrator rights, once.  README.md says
 * what that stops, and what this version does not do yet.
 */
#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "common/grants/tidy.h"
#include "common/host.h"
#include "common/token/ticket.h"
#include "common/token/token.h"
#include "elevated/deleting.h"
#include "elevated/folder.h"
#include "elevated/lease.h"
#include "elevated/proof.h"
#include "elevated/reads.h"
#include "elevated/session.h"
#include "elevated/steps.h"
#include "win/error.h"
#include "win/handle.h"

static sbx_status SBX_CALL elevated_probe(sbx_error *err)
{
    return sbx_elevated_probe(err);
}

static sbx_status SBX_CALL elevated_open(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                                         sbx_guarantees *guarantees, sbx_error *err)
{
    return sbx_elevated_open(policy, flags, session, guarantees, err);
}

static sbx_status SBX_CALL elevated_identity(sbx_session *session, sbx_identity *identity, sbx_error *err)
{
    (void)err;
    sbx_elevated_identity(session, identity);
    return SBX_OK;
}

static sbx_status SBX_CALL elevated_ticket(sbx_session *session, sbx_ticket *ticket, sbx_error *err)
{
    (void)err;
    *ticket = *sbx_elevated_ticket(session);
    return SBX_OK;
}

static sbx_status SBX_CALL elevated_environment(sbx_session *session, sbx_env_edits *edits, sbx_error *err)
{
    (void)err;
    sbx_elevated_environment(session, edits);
    return SBX_OK;
}

static void SBX_CALL elevated_close(sbx_session *session)
{
    sbx_elevated_close(session);
}

static void free_data(sbx_ticket_data *data)
{
    if (data)
        sbx_ticket_fini(data);
    sbx_free(data);
}

/* In sbx-runner.exe: of the account's own token, filtered once. */
static sbx_status SBX_CALL elevated_token(const sbx_ticket *ticket, sbx_spawn *spawn, sbx_error *err)
{
    sbx_ticket_data *data = sbx_alloc_zero(1, sizeof(*data));
    HANDLE token = NULL;
    sbx_status st;

    if (!data)
        return sbx_fail_memory(err);
    if ((st = sbx_ticket_read(ticket->bytes, ticket->length, data, err)) != SBX_OK)
        goto out;
    if (!data->spec.launcher) {
        st = sbx_fail(err, SBX_E_REFUSED, "it names nobody who launched it", "ticket");
        goto out;
    }
    if ((st = sbx_lease_look(err)) != SBX_OK || (st = sbx_token_own(err)) != SBX_OK ||
        (st = sbx_token_restrict(&data->spec, &token, err)) != SBX_OK)
        goto out;
    sbx_elevated_folder_clear(data->opened, 0);
    sbx_tidy(data->owed, data->spec.launcher);
    memset(spawn, 0, sizeof(*spawn));
    spawn->size = sizeof(*spawn);
    spawn->token = token;
    spawn->desktop = data->desktop && *data->desktop ? data->desktop : NULL;
    spawn->context = data;
    data = NULL;
out:
    free_data(data);
    return st;
}

static sbx_status SBX_CALL elevated_verify(const sbx_spawn *spawn, void *process, sbx_error *err)
{
    const sbx_ticket_data *data = spawn->context;
    HANDLE token = NULL, copy = NULL;
    sbx_status st;

    if (!OpenProcessToken(process, TOKEN_QUERY | TOKEN_DUPLICATE | WRITE_DAC, &token))
        return sbx_fail_last(err, SBX_E_UNENFORCED, "OpenProcessToken", "the suspended command");
    if ((st = sbx_token_settle(&data->spec, process, token, err)) == SBX_OK &&
        (st = sbx_token_copy(token, &copy, err)) == SBX_OK &&
        (st = sbx_token_verify(&data->spec, token, copy, err)) == SBX_OK)
        st = sbx_token_try(copy, data->closed, data->opened, data->root && *data->root ? data->root : NULL, err);
    if (st == SBX_OK)
        st = sbx_token_try_hidden(copy, data->hidden, err);
    if (st == SBX_OK && (data->flags & SBX_TICKET_DELETE))
        st = sbx_deleting_check(copy, err);
    if (st == SBX_OK && *data->proof)
        st = sbx_proof_check(data->proof, data->run_id, token, err);
    sbx_handle_close(&copy);
    sbx_handle_close(&token);
    return st;
}

static void SBX_CALL elevated_spawn_end(sbx_spawn *spawn)
{
    const sbx_ticket_data *data = spawn->context;
    sbx_error err = {.size = sizeof(err)};

    if (data) {
        if (*data->proof)
            sbx_proof_end(data->proof);
        if (sbx_lease_look(&err) != SBX_OK)
            sbx_host_note(SBX_NOTE_WARN, err.object, "%s%s%s", err.op, err.hint[0] ? ": " : "", err.hint);
        sbx_tidy(data->made, data->spec.launcher);
        sbx_elevated_folder_clear(data->opened, 1); /* the last: that it is gone says that all was done */
    }
    free_data(spawn->context);
    spawn->context = NULL;
    spawn->desktop = NULL;
}

/* The user's part is only his to do: what may be read of what is his. */
static sbx_status user_steps(const sbx_setup_options *options, const sbx_setup_step **steps, uint32_t *count,
                             sbx_error *err)
{
    const sbx_reads_wanted wanted = {options->read, options->readable_count, options->readable};
    sbx_machine machine = {0};
    const sbx_machine_user *user;
    sbx_audience audience;
    sbx_status st;

    if ((st = sbx_elevated_load(&machine, &user, err)) == SBX_OK &&
        (st = sbx_elevated_audience(user, &audience, err)) == SBX_OK)
        st = sbx_reads_steps(&wanted, &audience, steps, count, err);
    sbx_machine_fini(&machine);
    return st;
}

static sbx_status SBX_CALL elevated_steps(const sbx_setup_options *options, const sbx_setup_step **steps,
                                          uint32_t *count, sbx_error *err)
{
    return options->part == SBX_SETUP_USER ? user_steps(options, steps, count, err)
                                           : sbx_elevated_steps(options, steps, count, err);
}

static sbx_status SBX_CALL state_list(sbx_state_visitor visit, void *context, sbx_error *err)
{
    return sbx_lease_list(visit, context, err);
}

static sbx_status SBX_CALL state_clean(uint32_t what, const char *root, sbx_state_visitor visit, void *context,
                                       sbx_error *err)
{
    if (what == SBX_CLEAN_HOMES) /* the other backends' affair: they are in the state that all share */
        return SBX_OK;
    sbx_reads_forget();
    return sbx_lease_clean(what, root, visit, context, err);
}

static sbx_status SBX_CALL token_like(sbx_session *session, void **token, const char **how, sbx_error *err)
{
    *how = "of a logon of an account, restricted as that of a command; a launch makes it of the secondary logon's";
    return sbx_elevated_token_like(session, token, err);
}

static const void *SBX_CALL elevated_extension(const char *id)
{
    static const sbx_ext_state state = {sizeof(state), 0, state_list, state_clean};
    static const sbx_ext_token token = {sizeof(token), 0, token_like};

    if (!strcmp(id, SBX_EXT_TOKEN))
        return &token;
    return strcmp(id, SBX_EXT_STATE) ? NULL : &state;
}

static const sbx_backend backend = {
    .size = sizeof(sbx_backend),
    .abi = SBX_ABI_VERSION,
    .name = "elevated",
    .version = SBX_VERSION,
    .summary = "runs commands as accounts of their own; needs one setup with administrator rights",
    .claims = {sizeof(sbx_guarantees), SBX_ELEVATED_ENFORCED, SBX_ELEVATED_ADVISORY},
    .flags = SBX_BACKEND_ACCOUNT,
    .probe = elevated_probe,
    .open = elevated_open,
    .identity = elevated_identity,
    .ticket = elevated_ticket,
    .environment = elevated_environment,
    .close = elevated_close,
    .token = elevated_token,
    .verify = elevated_verify,
    .spawn_end = elevated_spawn_end,
    .setup_steps = elevated_steps,
    .extension = elevated_extension,
};

SBX_EXPORT const sbx_backend *SBX_CALL sbx_backend_entry(const sbx_host *host)
{
    return sbx_host_init(host) ? &backend : NULL;
}
