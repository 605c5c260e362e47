/*
 * A whole backend, as small as one can be: copy it to begin your own (backends/README.md).  It needs
 * nothing of sbx but the header sbx/backend.h.
 *
 * It pretends to have an account to run commands as, so that all three programs meet it: sbx.exe asks
 * for identity and ticket, sbx-runner.exe makes the token from the ticket, sbx-setup.exe applies three
 * steps, each a value below HKEY_CURRENT_USER\Software\sbx-template.
 */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "sbx/backend.h"

#define STATE_KEY L"Software\\sbx-template"
#define TICKET "template ticket "

struct sbx_session {
    char ticket[sizeof(TICKET) + 32];
};

static const sbx_host *host;

static sbx_status fail(sbx_error *err, sbx_status status, uint32_t code, const char *op, const char *object,
                       const char *hint)
{
    err->size = sizeof(*err);
    err->status = status;
    err->code = code;
    err->code_kind = code ? SBX_CODE_WIN32 : SBX_CODE_NONE;
    snprintf(err->op, sizeof(err->op), "%s", op);
    snprintf(err->object, sizeof(err->object), "%s", object);
    snprintf(err->hint, sizeof(err->hint), "%s", hint);
    return status;
}

/* ---- setup ---- */

static LSTATUS value_get(const WCHAR *name)
{
    DWORD value, bytes = sizeof(value);

    return RegGetValueW(HKEY_CURRENT_USER, STATE_KEY, name, RRF_RT_REG_DWORD, NULL, &value, &bytes);
}

static sbx_status SBX_CALL step_present(const sbx_setup_step *step, uint32_t *state, sbx_error *err)
{
    (void)err;
    *state = value_get(step->context) == ERROR_SUCCESS ? 1 : 0;
    return SBX_OK;
}

static sbx_status SBX_CALL step_apply(const sbx_setup_step *step, sbx_error *err)
{
    DWORD one = 1;
    LSTATUS code;

    /* for the test of what happens when a step fails */
    if (value_get(L"fail") == ERROR_SUCCESS && !strcmp(step->name, "three"))
        return fail(err, SBX_E_SYSTEM, ERROR_ACCESS_DENIED, "apply", step->name, "");
    code = RegSetKeyValueW(HKEY_CURRENT_USER, STATE_KEY, step->context, REG_DWORD, &one, sizeof(one));
    return code ? fail(err, SBX_E_SYSTEM, (uint32_t)code, "RegSetKeyValueW", step->name, "") : SBX_OK;
}

static sbx_status SBX_CALL step_undo(const sbx_setup_step *step, sbx_error *err)
{
    LSTATUS code = RegDeleteKeyValueW(HKEY_CURRENT_USER, STATE_KEY, step->context);

    if (code && code != ERROR_FILE_NOT_FOUND)
        return fail(err, SBX_E_SYSTEM, (uint32_t)code, "RegDeleteKeyValueW", step->name, "");
    return SBX_OK;
}

#define STEP(name, summary)                                                                                            \
    {                                                                                                                  \
        sizeof(sbx_setup_step), 0, name, summary, L##name, step_present, step_apply, step_undo                         \
    }

static const sbx_setup_step steps[] = {
    STEP("one", "the first value"),
    STEP("two", "the second value"),
    STEP("three", "the third value"),
};

static sbx_status SBX_CALL setup_steps(const sbx_setup_options *options, const sbx_setup_step **table, uint32_t *count,
                                       sbx_error *err)
{
    (void)err;
    *table = steps;
    *count = options->part == SBX_SETUP_MACHINE ? 3 : 0;
    return SBX_OK;
}

/* ---- sbx.exe ---- */

static sbx_status SBX_CALL probe(sbx_error *err)
{
    if (value_get(L"three") != ERROR_SUCCESS)
        return fail(err, SBX_E_UNAVAILABLE, 0, "not set up", "template", "run `sbx setup`");
    return SBX_OK;
}

static sbx_status SBX_CALL open_session(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                                        sbx_guarantees *guarantees, sbx_error *err)
{
    sbx_session *made = host->alloc(sizeof(*made));

    (void)flags;
    if (!made)
        return fail(err, SBX_E_MEMORY, 0, "allocate", "session", "");
    snprintf(made->ticket, sizeof(made->ticket), TICKET "%.32s", policy->run_id);
    guarantees->size = sizeof(*guarantees);
    guarantees->enforced = SBX_AREA_PROCESS_TREE;
    guarantees->advisory = 0;
    *session = made;
    return SBX_OK;
}

static sbx_status SBX_CALL identity(sbx_session *session, sbx_identity *out, sbx_error *err)
{
    static uint16_t secret[] = {'s', 0};

    (void)session;
    (void)err;
    out->size = sizeof(*out);
    out->kind = SBX_IDENTITY_LOGON;
    out->account = "sbx-template";
    out->domain = ".";
    out->secret = secret;
    out->account_sid = "S-1-5-21-1-2-3-1001";
    return SBX_OK;
}

static sbx_status SBX_CALL ticket(sbx_session *session, sbx_ticket *out, sbx_error *err)
{
    (void)err;
    out->size = sizeof(*out);
    out->bytes = session->ticket;
    out->length = (uint32_t)strlen(session->ticket);
    return SBX_OK;
}

static sbx_status SBX_CALL environment(sbx_session *session, sbx_env_edits *out, sbx_error *err)
{
    static const sbx_env_edit edits[] = {{SBX_ENV_SET, "SBX_TEMPLATE", "1"}};

    (void)session;
    (void)err;
    out->size = sizeof(*out);
    out->edits = edits;
    out->count = 1;
    return SBX_OK;
}

static void SBX_CALL close_session(sbx_session *session)
{
    host->free(session);
}

/* ---- the process that spawns ---- */

static sbx_status SBX_CALL token(const sbx_ticket *in, sbx_spawn *spawn, sbx_error *err)
{
    HANDLE own = NULL, made = NULL;
    DWORD code = 0;

    if (in->length < strlen(TICKET) || memcmp(in->bytes, TICKET, strlen(TICKET)) != 0)
        return fail(err, SBX_E_REFUSED, 0, "token", "ticket", "it is not one of this backend");
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE | TOKEN_QUERY | TOKEN_ASSIGN_PRIMARY, &own) ||
        !DuplicateTokenEx(own, MAXIMUM_ALLOWED, NULL, SecurityImpersonation, TokenPrimary, &made))
        code = GetLastError();
    if (own)
        CloseHandle(own);
    if (!made)
        return fail(err, SBX_E_SYSTEM, code, "DuplicateTokenEx", "own token", "");
    memset(spawn, 0, sizeof(*spawn));
    spawn->size = sizeof(*spawn);
    spawn->token = made;
    return SBX_OK;
}

static sbx_status SBX_CALL verify(const sbx_spawn *spawn, void *process, sbx_error *err)
{
    (void)spawn;
    (void)process;
    (void)err;
    return SBX_OK; /* compare the child's token with what was asked for here */
}

static void SBX_CALL spawn_end(sbx_spawn *spawn)
{
    (void)spawn;
}

/* ---- extensions ---- */

static int32_t visit_all(sbx_state_visitor visit, void *context)
{
    sbx_state_item item = {sizeof(item), SBX_STATE_KEPT, "value", "", "HKCU\\Software\\sbx-template", "setup", 1, 0, 0};

    return value_get(L"one") == ERROR_SUCCESS ? visit(context, &item, NULL) : 0;
}

static sbx_status SBX_CALL state_list(sbx_state_visitor visit, void *context, sbx_error *err)
{
    (void)err;
    visit_all(visit, context);
    return SBX_OK;
}

static sbx_status SBX_CALL state_clean(uint32_t what, const char *root, sbx_state_visitor visit, void *context,
                                       sbx_error *err)
{
    (void)what;
    (void)root;
    (void)visit;
    (void)context;
    (void)err;
    return SBX_OK; /* what setup made is removed by setup */
}

static const sbx_ext_state state = {sizeof(state), 0, state_list, state_clean};

static const void *SBX_CALL extension(const char *id)
{
    return strcmp(id, SBX_EXT_STATE) ? NULL : &state;
}

static const sbx_backend backend = {
    sizeof(sbx_backend),
    SBX_ABI_VERSION,
    "template",
    "1.0.0",
    "an example that confines nothing",
    {sizeof(sbx_guarantees), SBX_AREA_PROCESS_TREE, 0},
    SBX_BACKEND_ACCOUNT,
    probe,
    open_session,
    identity,
    ticket,
    environment,
    close_session,
    token,
    verify,
    spawn_end,
    setup_steps,
    extension,
};

SBX_EXPORT const sbx_backend *SBX_CALL sbx_backend_entry(const sbx_host *from)
{
    if (from->abi >> 16 != SBX_ABI_MAJOR)
        return NULL;
    host = from;
    return &backend;
}
