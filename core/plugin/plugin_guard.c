#include "plugin/plugin_guard.h"

#include <stdio.h>
#include <string.h>

#include "base/area.h"
#include "base/memory.h"
#include "plugin/calling.h"
#include "plugin/plugin_watch.h"

/* The first interface's table ends here; what a newer one adds is not called. */
#define TABLE_SIZE ((uint32_t)sizeof(sbx_backend))

static const sbx_backend *raw; /* of the DLL */
static sbx_backend table;      /* what callers get: data of the DLL, functions of this file */
static char plugin_name[64];

const sbx_backend *sbx_plugin_guard_table(void)
{
    return raw ? &table : NULL;
}

void sbx_plugin_guard_leave(void)
{
    raw = NULL;
    memset(&table, 0, sizeof(table));
}

static sbx_status broken(sbx_error *err, const char *function, const char *what)
{
    char op[64];

    snprintf(op, sizeof(op), "%s: %s", function, what);
    return sbx_fail(err, SBX_E_BACKEND, op, plugin_name);
}

/* What every function that can fail must keep to. */
static sbx_status finish(sbx_status st, sbx_error *err, const char *function)
{
    sbx_calling_mark(NULL, NULL);
    if (st < SBX_OK || st > SBX_E_UNSUPPORTED)
        return broken(err, function, "gave a status that there is not");
    if (st == SBX_OK)
        return st;
    err->op[sizeof(err->op) - 1] = 0;
    err->object[sizeof(err->object) - 1] = 0;
    err->hint[sizeof(err->hint) - 1] = 0;
    if (!err->op[0] && !err->object[0])
        return sbx_fail(err, st, function, plugin_name);
    err->status = st;
    return st;
}

static sbx_error *begin(sbx_error *err, sbx_error *local, const char *function)
{
    sbx_error *used = err ? err : local;

    memset(used, 0, sizeof(*used));
    used->size = sizeof(*used);
    sbx_calling_mark(plugin_name, function);
    return used;
}

static int guarantees_ok(const sbx_guarantees *g)
{
    return !(g->enforced & g->advisory) && !((g->enforced | g->advisory) & ~SBX_AREA_ALL);
}

static sbx_status SBX_CALL guard_probe(sbx_error *err)
{
    sbx_error local;
    sbx_error *e = begin(err, &local, "probe");
    sbx_status st = sbx_plugin_watch_begin(plugin_name, "probe", e);

    if (st == SBX_OK) {
        st = raw->probe(e);
        sbx_plugin_watch_end();
    }
    return finish(st, e, "probe");
}

static void SBX_CALL guard_close(sbx_session *session)
{
    if (!session)
        return;
    sbx_calling_mark(plugin_name, "close");
    raw->close(session);
    sbx_calling_mark(NULL, NULL);
}

static sbx_status SBX_CALL guard_open(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                                      sbx_guarantees *guarantees, sbx_error *err)
{
    sbx_error local;
    sbx_error *e = begin(err, &local, "open");
    sbx_guarantees given = {sizeof(given), 0, 0};
    sbx_session *made = NULL;
    uint32_t missing, i;
    sbx_status st = finish(raw->open(policy, flags, &made, &given, e), e, "open");

    if (st != SBX_OK)
        return st;
    if (!made)
        return broken(e, "open", "gave no session");
    if (!guarantees_ok(&given))
        st = broken(e, "open", "guarantees that contradict each other");
    else if (given.enforced & ~raw->claims.enforced)
        st = broken(e, "open", "guarantees more than it claims");
    if (policy->flags & SBX_POLICY_KEEP_CHILDREN)
        given.enforced &= ~SBX_AREA_PROCESS_TREE; /* the launcher lets them go, whatever the backend says */
    missing = policy->require & ~given.enforced;
    if (st == SBX_OK && missing) {
        for (i = 0; i < SBX_AREA_COUNT - 1 && !(missing & sbx_areas[i].bit); i++)
            ;
        st = sbx_fail(e, SBX_E_REFUSED, "require", sbx_areas[i].words);
        if (sbx_areas[i].bit == SBX_AREA_PROCESS_TREE && (policy->flags & SBX_POLICY_KEEP_CHILDREN))
            sbx_hint(e, "children that are kept outlive the command");
        else
            sbx_hint(e, "the backend \"%s\" does not enforce it here; `sbx backends` shows who does", plugin_name);
    }
    if (st != SBX_OK) {
        guard_close(made);
        return st;
    }
    given.size = sizeof(given);
    *guarantees = given;
    *session = made;
    return SBX_OK;
}

static sbx_status SBX_CALL guard_identity(sbx_session *session, sbx_identity *identity, sbx_error *err)
{
    const uint32_t kind = raw->flags & SBX_BACKEND_ACCOUNT ? SBX_IDENTITY_LOGON : SBX_IDENTITY_SELF;
    sbx_error local;
    sbx_error *e = begin(err, &local, "identity");
    sbx_identity given = {0};
    sbx_status st;

    given.size = sizeof(given);
    st = finish(raw->identity(session, &given, e), e, "identity");
    if (st != SBX_OK)
        return st;
    if (given.kind != kind)
        return broken(e, "identity", "not the kind that the table says");
    if (kind == SBX_IDENTITY_LOGON && (!given.account || !given.account[0] || !given.domain || !given.secret ||
                                       !given.account_sid || !given.account_sid[0]))
        return broken(e, "identity", "an account without name or secret");
    *identity = given;
    return SBX_OK;
}

static sbx_status SBX_CALL guard_ticket(sbx_session *session, sbx_ticket *ticket, sbx_error *err)
{
    sbx_error local;
    sbx_error *e = begin(err, &local, "ticket");
    sbx_ticket given = {0};
    sbx_status st;

    given.size = sizeof(given);
    st = finish(raw->ticket(session, &given, e), e, "ticket");
    if (st != SBX_OK)
        return st;
    if (given.length && !given.bytes)
        return broken(e, "ticket", "a length without bytes");
    *ticket = given;
    return SBX_OK;
}

static int edit_ok(const sbx_env_edit *edit)
{
    if (edit->op < SBX_ENV_SET || edit->op > SBX_ENV_DEFAULT || !edit->name || !edit->name[0])
        return 0;
    return !strchr(edit->name + 1, '=') && (edit->op == SBX_ENV_UNSET || edit->value);
}

static sbx_status SBX_CALL guard_environment(sbx_session *session, sbx_env_edits *edits, sbx_error *err)
{
    sbx_error local;
    sbx_error *e = begin(err, &local, "environment");
    sbx_env_edits given = {0};
    uint32_t i;
    sbx_status st;

    given.size = sizeof(given);
    st = finish(raw->environment(session, &given, e), e, "environment");
    if (st != SBX_OK)
        return st;
    if (given.count && !given.edits)
        return broken(e, "environment", "a count without edits");
    for (i = 0; i < given.count; i++)
        if (!edit_ok(&given.edits[i]))
            return broken(e, "environment", "an edit that is none");
    *edits = given;
    return SBX_OK;
}

static void SBX_CALL guard_spawn_end(sbx_spawn *spawn)
{
    sbx_calling_mark(plugin_name, "spawn_end");
    raw->spawn_end(spawn);
    sbx_calling_mark(NULL, NULL);
}

static sbx_status SBX_CALL guard_token(const sbx_ticket *ticket, sbx_spawn *spawn, sbx_error *err)
{
    sbx_error local;
    sbx_error *e = begin(err, &local, "token");
    sbx_spawn given = {0};
    sbx_status st;

    given.size = sizeof(given);
    st = finish(raw->token(ticket, &given, e), e, "token");
    if (st == SBX_OK)
        *spawn = given;
    return st;
}

static sbx_status SBX_CALL guard_verify(const sbx_spawn *spawn, void *process, sbx_error *err)
{
    sbx_error local;
    sbx_error *e = begin(err, &local, "verify");

    return finish(raw->verify(spawn, process, e), e, "verify");
}

static int step_ok(const sbx_setup_step *step)
{
    return step->size >= sizeof(*step) && step->name && step->name[0] && strlen(step->name) < 64 &&
           !strpbrk(step->name, " \t\r\n") && step->summary && step->present && step->apply && step->undo;
}

static sbx_status SBX_CALL guard_setup_steps(const sbx_setup_options *options, const sbx_setup_step **steps,
                                             uint32_t *count, sbx_error *err)
{
    sbx_error local;
    sbx_error *e = begin(err, &local, "setup_steps");
    const sbx_setup_step *given = NULL;
    uint32_t given_count = 0, i;
    sbx_status st = finish(raw->setup_steps(options, &given, &given_count, e), e, "setup_steps");

    if (st != SBX_OK)
        return st;
    if (given_count && !given)
        return broken(e, "setup_steps", "a count without steps");
    for (i = 0; i < given_count; i++)
        if (!step_ok(&given[i]))
            return broken(e, "setup_steps", "a step that is not whole");
    *steps = given;
    *count = given_count;
    return SBX_OK;
}

static const void *SBX_CALL guard_extension(const char *id)
{
    const void *found;

    sbx_calling_mark(plugin_name, "extension");
    found = raw->extension(id);
    sbx_calling_mark(NULL, NULL);
    return found;
}

/* The first mandatory function that is missing, or NULL. */
static const char *missing_function(const sbx_backend *t)
{
    const struct {
        const char *name;
        int there;
    } functions[] = {
        {"probe", t->probe != NULL},
        {"open", t->open != NULL},
        {"identity", t->identity != NULL},
        {"ticket", t->ticket != NULL},
        {"environment", t->environment != NULL},
        {"close", t->close != NULL},
        {"token", t->token != NULL},
        {"verify", t->verify != NULL},
        {"spawn_end", t->spawn_end != NULL},
        {"setup_steps", t->setup_steps != NULL},
        {"extension", t->extension != NULL},
    };
    size_t i;

    for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (!functions[i].there)
            return functions[i].name;
    return NULL;
}

static sbx_status check_table(const sbx_backend *t, const char *name, const char *path, sbx_error *err)
{
    const char *missing;
    char reason[64];

    if (!t) {
        sbx_fail(err, SBX_E_BACKEND, "it gave no table", path);
        return sbx_hint(err, "it cannot work with this sbx (interface %u.%u)", SBX_ABI_MAJOR, SBX_ABI_MINOR);
    }
    if (t->abi >> 16 != SBX_ABI_MAJOR) {
        snprintf(reason, sizeof(reason), "built for interface %u.%u, this sbx has %u.%u", (unsigned)(t->abi >> 16),
                 (unsigned)(t->abi & 0xFFFF), SBX_ABI_MAJOR, SBX_ABI_MINOR);
        return sbx_fail(err, SBX_E_BACKEND, reason, path);
    }
    if (t->size < TABLE_SIZE) {
        snprintf(reason, sizeof(reason), "its table is too short (%u of %u bytes)", (unsigned)t->size, TABLE_SIZE);
        return sbx_fail(err, SBX_E_BACKEND, reason, path);
    }
    missing = missing_function(t);
    if (missing) {
        snprintf(reason, sizeof(reason), "it has no function \"%s\"", missing);
        return sbx_fail(err, SBX_E_BACKEND, reason, path);
    }
    if (!t->name || !t->version || !t->summary)
        return sbx_fail(err, SBX_E_BACKEND, "it has no name, version or summary", path);
    if (strcmp(t->name, name) != 0) {
        snprintf(reason, sizeof(reason), "it calls itself \"%.32s\"", t->name);
        return sbx_fail(err, SBX_E_BACKEND, reason, path);
    }
    if (!guarantees_ok(&t->claims) || t->claims.size < sizeof(t->claims))
        return sbx_fail(err, SBX_E_BACKEND, "its claims contradict each other", path);
    return SBX_OK;
}

sbx_status sbx_plugin_guard_enter(sbx_backend_entry_fn entry, const sbx_host *host, const char *name, const char *path,
                                  sbx_error *err)
{
    const sbx_backend *given;
    sbx_status st;

    snprintf(plugin_name, sizeof(plugin_name), "%s", name);
    st = sbx_plugin_watch_begin(plugin_name, SBX_BACKEND_ENTRY, err);
    if (st != SBX_OK)
        return st;
    sbx_calling_mark(plugin_name, SBX_BACKEND_ENTRY);
    given = entry(host);
    sbx_calling_mark(NULL, NULL);
    sbx_plugin_watch_end();
    st = check_table(given, name, path, err);
    if (st != SBX_OK)
        return st;
    table = *given;
    table.size = sizeof(table);
    table.probe = guard_probe;
    table.open = guard_open;
    table.identity = guard_identity;
    table.ticket = guard_ticket;
    table.environment = guard_environment;
    table.close = guard_close;
    table.token = guard_token;
    table.verify = guard_verify;
    table.spawn_end = guard_spawn_end;
    table.setup_steps = guard_setup_steps;
    table.extension = guard_extension;
    raw = given;
    return SBX_OK;
}
