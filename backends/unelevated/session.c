#include "unelevated/session.h"

#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "base/text.h"
#include "common/grants/grant.h"
#include "common/grants/shield.h"
#include "common/host.h"
#include "common/roots.h"
#include "common/environment/network.h"
#include "common/state.h"
#include "common/environment/temp.h"
#include "common/token/token.h"
#include "common/environment/tools.h"
#include "common/token/ticket.h"
#include "win/wide.h"

struct sbx_session {
    sbx_grants *grants;
    sbx_temp temp, cache;
    sbx_edits edits;
    sbx_token_spec spec;
    sbx_ticket ticket;
    sbx_env_edits environment;
    void *ticket_bytes;
    int dry_run;
};

static int may_delete = 1; /* what lies outside: until it is measured nothing is claimed */

static sbx_status refuse(sbx_error *err, const char *op, const char *object, const char *hint)
{
    sbx_fail(err, SBX_E_REFUSED, op, object);
    return sbx_hint(err, "%s", hint);
}

static sbx_status check_policy(const sbx_policy *policy, sbx_error *err)
{
    if (policy->deny_read_count)
        return refuse(err, "deny reading", policy->deny_read[0],
                      "backend \"unelevated\" cannot; remove deny_read, or see which can: `sbx backends`");
    if (policy->require & SBX_AREA_FILE_READ)
        return refuse(err, "require", "read",
                      "backend \"unelevated\" cannot keep the command from reading; see `sbx backends`");
    if (may_delete && (policy->require & SBX_AREA_FILE_DELETE))
        return refuse(err, "require", "delete",
                      "here \"unelevated\" keeps files outside from being changed, not from being deleted");
    if (policy->require & SBX_AREA_NETWORK)
        return refuse(err, "require", "network",
                      "backend \"unelevated\" can only discourage the network; see `sbx backends`");
    if (policy->require & SBX_AREA_UI)
        return refuse(err, "require", "ui",
                      "with \"unelevated\" a program can reach your desktop if it wants to; see `sbx backends`");
    return sbx_roots_check(policy, err);
}

/* Whether the folders that matter most have shields, so that what is outside is not quite open.  A launch where no shield was
 * ever made asks nothing more. */
static int tell_of_deleting(int dry_run)
{
    char *open = NULL;
    uint32_t shielded = 0;
    int closed;

    if (dry_run || sbx_shield_is_known())
        shielded = sbx_shield_first_open(&open);
    closed = shielded && !open;
    if (closed)
        sbx_host_note(SBX_NOTE_WARN, "delete",
                      "on this system the command can also delete, rename and move away what lies outside of its "
                      "writable folders and of those with a shield, where you can; it cannot change it");
    else
        sbx_host_note(SBX_NOTE_WARN, "delete",
                      "on this system the command can also delete, rename and move away what lies outside of its "
                      "writable folders, where you can%s%s; it cannot change it; `sbx shield` tells how to close that",
                      open ? ", as in " : "", open ? open : "");
    sbx_free(open);
    return closed;
}

/* By the record of a setup; whoever sets the variable to something else has himself not told. */
static int accounts_are_there(void)
{
    WCHAR path[MAX_PATH];
    const DWORD length = GetEnvironmentVariableW(L"ProgramData", path, MAX_PATH - 32);

    if (!length || length >= MAX_PATH - 32)
        return 0;
    wcscat(path, L"\\sbx\\elevated.txt");
    return GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

static void tell(const sbx_policy *policy)
{
    sbx_host_note(SBX_NOTE_GAP, "read", "everything that you can read, the command can read");
    if (policy->network == SBX_NETWORK_OFF)
        sbx_host_note(
            SBX_NOTE_GAP, "network",
            "discouraged by proxies to a dead port, offline switches and stubs; a program that opens a socket "
            "itself is not stopped");
    if (policy->network == SBX_NETWORK_OFF)
        sbx_host_note(SBX_NOTE_GAP, "loopback", "every port of this machine can be reached, granted or not");
    sbx_host_note(SBX_NOTE_GAP, "ui",
                  "a program that attaches to your console or opens your desktop by name is not stopped");
    if (!(policy->flags & SBX_POLICY_UI_LIMITS))
        sbx_host_note(SBX_NOTE_GAP, "clipboard",
                      "open; --no-clipboard closes it, but node and bun start no program then");
    sbx_host_note(
        SBX_NOTE_GAP, "pipes",
        "named pipes that the command makes without a security descriptor cannot be written to by name, not "
        "even by itself: child processes with piped streams fail with EPERM in node, bun and others on libuv");
    sbx_host_note(SBX_NOTE_GAP, "processes", "the command can end your processes, though it cannot change them");
    sbx_host_note(
        SBX_NOTE_GAP, "services",
        "programs started through COM, WMI, the task scheduler or BITS may run outside the sandbox, and as an "
        "administrator where you are one and UAC does not always notify");
    sbx_host_note(SBX_NOTE_GAP, "sandboxes",
                  "while another sandbox of yours runs, the command may act as that one, in its writable folders");
    sbx_host_note(SBX_NOTE_GAP, "names",
                  "the command can take names of pipes, objects and ports before your programs do");
    if (policy->flags & SBX_POLICY_KEEP_CHILDREN)
        sbx_host_note(
            SBX_NOTE_GAP, "children",
            "what outlives the command keeps the protection of its folders up, with the placeholders of missing "
            "names; what that starts later does not count");
    if (accounts_are_there())
        sbx_host_note(SBX_NOTE_GAP, "accounts",
                      "the backend \"elevated\" is set up: the command can read what its passwords come from, as you "
                      "can, and may "
                      "start programs as its accounts, outside of this sandbox");
    if (policy->temp == SBX_TEMP_USER && !sbx_temp_user_is_in(policy))
        sbx_host_note(SBX_NOTE_WARN, "TEMP", "the command cannot write to your own TEMP: no writable folder has it");
}

static char *own_variable(const WCHAR *name)
{
    WCHAR value[64];
    DWORD length = GetEnvironmentVariableW(name, value, ARRAYSIZE(value));
    char *text = NULL;

    if (length && length < ARRAYSIZE(value) && sbx_narrow(value, &text, NULL) != SBX_OK)
        text = NULL;
    return text;
}

/* The folder with the stub programs, or NULL. */
static char *find_stubs(void)
{
    sbx_text path = {0};
    WCHAR *path_w = NULL;
    char *text;
    DWORD attributes = INVALID_FILE_ATTRIBUTES;

    sbx_text_printf(&path, "%s\\stubs", sbx_host_table->program_dir);
    text = sbx_text_take(&path);
    if (text && sbx_wide_path(text, &path_w, NULL) == SBX_OK)
        attributes = GetFileAttributesW(path_w);
    sbx_free(path_w);
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY))
        return text;
    sbx_host_note(SBX_NOTE_GAP, text, "the stub programs are missing here: ssh and scp are not discouraged");
    sbx_free(text);
    return NULL;
}

static sbx_status make_edits(sbx_session *session, const sbx_policy *policy, const char *temp, const char *cache,
                             sbx_error *err)
{
    char *count = own_variable(L"GIT_CONFIG_COUNT"), *stubs = NULL;

    sbx_edits_init(&session->edits, sbx_edits_git_count(sbx_edits_before(policy, "GIT_CONFIG_COUNT", count)));
    sbx_free(count);
    if (temp) {
        sbx_edits_set(&session->edits, "TEMP", temp);
        sbx_edits_set(&session->edits, "TMP", temp);
        sbx_edits_set(&session->edits, "TMPDIR", temp); /* Python and what comes from Unix look there first */
    }
    sbx_tools_edits(&session->edits, policy, cache);
    if (policy->network == SBX_NETWORK_OFF) {
        stubs = find_stubs();
        sbx_network_edits(&session->edits, policy, stubs);
        sbx_free(stubs);
    }
    sbx_edits_git_end(&session->edits);
    session->environment.size = sizeof(session->environment);
    session->environment.count = session->edits.count;
    session->environment.edits = session->edits.items;
    return sbx_edits_status(&session->edits, err);
}

/* TEMP and the caches of tools; what is not made in a dry run has its path all the same. */
static sbx_status make_folders(sbx_session *session, const sbx_policy *policy, sbx_error *err)
{
    const int keep = (policy->flags & SBX_POLICY_KEEP_CHILDREN) != 0;
    const char *cache = NULL;
    char *planned = NULL;
    sbx_status st = SBX_OK;

    if (session->dry_run) {
        if (policy->temp == SBX_TEMP_PRIVATE) {
            planned = sbx_temp_path(policy->run_id);
            if (!planned)
                return sbx_fail_memory(err);
            sbx_host_note(SBX_NOTE_GRANT, planned, "a private TEMP would be made, and removed afterwards");
        }
        if (session->spec.root_count && sbx_tools_need_cache(policy))
            sbx_host_note(SBX_NOTE_GRANT, "caches of tools", "a folder for them would be kept for this workspace");
        st = make_edits(session, policy, planned, planned, err);
        sbx_free(planned);
        return st;
    }
    if (policy->temp == SBX_TEMP_PRIVATE) {
        /* of the set, so that the next run can change what this one moves from it into a root */
        st = sbx_temp_open(&session->temp, policy->run_id, keep,
                           session->spec.set_sid ? session->spec.set_sid : session->spec.run_sid, err);
        if (st != SBX_OK)
            return st;
        sbx_host_note(SBX_NOTE_GRANT, session->temp.path, "private TEMP");
        cache = session->temp.path;
    }
    if (session->spec.root_count && sbx_tools_need_cache(policy)) {
        st = sbx_temp_open_cache(&session->cache, policy->writable[0], session->spec.set_sid, err);
        if (st != SBX_OK)
            return st;
        sbx_host_note(SBX_NOTE_GRANT, session->cache.path,
                      "caches of tools, kept for runs with these writable folders and rules");
        cache = session->cache.path;
    }
    return make_edits(session, policy, session->temp.path, cache, err);
}

static sbx_status make_ticket(sbx_session *session, const sbx_policy *policy, sbx_error *err)
{
    sbx_ticket_data data;
    uint32_t length = 0;
    sbx_status st;

    memset(&data, 0, sizeof(data));
    if (policy->flags & SBX_POLICY_DESKTOP_PRIVATE)
        data.flags |= SBX_TICKET_DESKTOP;
    if (policy->flags & SBX_POLICY_UI_LIMITS)
        data.flags |= SBX_TICKET_UI_LIMITS;
    data.spec = session->spec;
    data.run_id = policy->run_id;
    data.opened = session->temp.path;
    data.closed = sbx_host_table->state_dir;
    data.root = policy->writable_count ? policy->writable[0] : NULL;
    /* with neither TEMP nor a root nothing has made it */
    if (!session->dry_run && !session->temp.path && !session->spec.root_count && (st = sbx_state_make(err)) != SBX_OK)
        return st;
    st = sbx_ticket_write(&data, &session->ticket_bytes, &length, err);
    if (st != SBX_OK)
        return st;
    session->ticket.size = sizeof(session->ticket);
    session->ticket.length = length;
    session->ticket.bytes = session->ticket_bytes;
    return SBX_OK;
}

sbx_status sbx_session_measure(void *copy, sbx_error *err)
{
    int may = 1;
    sbx_status st = sbx_token_measure_delete(copy, NULL, &may, err);

    if (st != SBX_OK)
        return st;
    if (may && !may_delete)
        return sbx_fail(err, SBX_E_UNENFORCED, "access check: what lies outside can be deleted", "the command's token");
    may_delete = may;
    return SBX_OK;
}

sbx_status sbx_session_open(const sbx_policy *policy, uint32_t flags, sbx_session **session, sbx_guarantees *guarantees,
                            sbx_error *err)
{
    sbx_session *made = NULL;
    sbx_status st = check_policy(policy, err);

    if (st != SBX_OK)
        return st;
    made = sbx_alloc_zero(1, sizeof(*made));
    if (!made)
        return sbx_fail_memory(err);
    made->dry_run = (flags & SBX_OPEN_DRY_RUN) != 0;
    if ((st = sbx_run_sid(policy->run_id, made->spec.run_sid, err)) != SBX_OK ||
        (st = sbx_grants_open(policy, flags, NULL, &made->grants, err)) != SBX_OK)
        goto out;
    made->spec.root_count = sbx_grants_sids(made->grants, &made->spec.roots);
    made->spec.set_sid = sbx_grants_set(made->grants);
    if ((st = make_folders(made, policy, err)) != SBX_OK || (st = make_ticket(made, policy, err)) != SBX_OK)
        goto out;
    memset(guarantees, 0, sizeof(*guarantees));
    guarantees->size = sizeof(*guarantees);
    guarantees->enforced = SBX_UNELEVATED_ENFORCED;
    if (may_delete)
        guarantees->enforced &= ~(uint32_t)SBX_AREA_FILE_DELETE;
    if (may_delete && tell_of_deleting(made->dry_run))
        guarantees->advisory |= SBX_AREA_FILE_DELETE;
    tell(policy);
    if (policy->network == SBX_NETWORK_OFF)
        guarantees->advisory |= SBX_AREA_NETWORK;
    if (policy->flags & (SBX_POLICY_DESKTOP_PRIVATE | SBX_POLICY_UI_LIMITS))
        guarantees->advisory |= SBX_AREA_UI;
    *session = made;
    made = NULL;
out:
    sbx_session_close(made);
    return st;
}

void sbx_session_close(sbx_session *session)
{
    if (!session)
        return;
    sbx_temp_close(&session->cache);
    sbx_temp_close(&session->temp);
    sbx_grants_close(session->grants);
    sbx_edits_fini(&session->edits);
    sbx_free(session->ticket_bytes);
    sbx_free(session);
}

const sbx_ticket *sbx_session_ticket(const sbx_session *session)
{
    return &session->ticket;
}

const sbx_env_edits *sbx_session_environment(const sbx_session *session)
{
    return &session->environment;
}

sbx_status sbx_session_token_like(const sbx_session *session, void **copy, sbx_error *err)
{
    return sbx_token_like(&session->spec, NULL, copy, err);
}
