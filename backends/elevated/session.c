#include "elevated/session.h"

#include <windows.h>
#include <sddl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf.h"
#include "common/environment/edits.h"
#include "common/environment/network.h"
#include "common/environment/tools.h"
#include "common/grants/ancestors.h"
#include "common/grants/audience.h"
#include "common/grants/grant.h"
#include "common/grants/hidden.h"
#include "common/grants/tidy.h"
#include "common/host.h"
#include "common/roots.h"
#include "common/state.h"
#include "common/token/desktop.h"
#include "common/token/station.h"
#include "common/token/ticket.h"
#include "elevated/deleting.h"
#include "elevated/folder.h"
#include "elevated/home.h"
#include "elevated/lease.h"
#include "elevated/principal.h"
#include "elevated/proof.h"
#include "elevated/reads.h"
#include "elevated/secret.h"
#include "elevated/sessions.h"
#include "elevated/state.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

struct sbx_session {
    sbx_machine machine;
    const sbx_machine_user *user;
    sbx_grants *grants;
    sbx_hidden hidden;
    sbx_token_spec spec;
    sbx_lease lease;
    uint16_t password_w[SBX_PASSWORD_UNITS];
    void *runner; /* HANDLE */
    void *denied; /* PSID that the token has for deny only */
    sbx_elevated_folder folder;
    sbx_home home;
    sbx_audience audience;
    sbx_proof proof;
    sbx_station station;
    sbx_desktop desktop;
    sbx_user_sid self;
    sbx_edits edits;
    sbx_ticket ticket;
    void *bytes;    /* of the ticket */
    int asks_twice; /* see deleting.h */
};

/* ---- is it set up? ---- */

static sbx_status not_set_up(sbx_error *err)
{
    sbx_fail(err, SBX_E_UNAVAILABLE, "it is not set up for you", "backend \"elevated\"");
    return sbx_hint(err, "once, with administrator rights: sbx setup");
}

sbx_status sbx_elevated_load(sbx_machine *machine, const sbx_machine_user **user, sbx_error *err)
{
    sbx_user_sid self;
    char text[SBX_MACHINE_SID];
    sbx_status st = sbx_user_get(&self, err);

    if (st != SBX_OK)
        return st;
    st = sbx_state_load(machine, err);
    if (machine->foreign)
        return err->status = SBX_E_UNAVAILABLE; /* somebody else's folder is no setup, and no damage to one */
    if (st == SBX_E_UNAVAILABLE)
        err->status = st = SBX_E_REFUSED;
    if (st != SBX_OK)
        return st;
    sbx_user_sid_text(self.u.bytes, text, sizeof(text));
    *user = sbx_machine_find(machine, text);
    if (!*user)
        return not_set_up(err);
    if ((*user)->ready && (*user)->slots)
        return SBX_OK;
    sbx_fail(err, SBX_E_REFUSED, "its setup has not come to its end", "backend \"elevated\"");
    return sbx_hint(err, "go on with it: sbx setup");
}

sbx_status sbx_elevated_probe(sbx_error *err)
{
    sbx_machine machine = {0};
    const sbx_machine_user *user;
    sbx_status st = sbx_elevated_load(&machine, &user, err);

    sbx_machine_fini(&machine);
    return st;
}

/* ---- an account for this run alone ---- */

static sbx_status password(sbx_session *s, sbx_error *err)
{
    sbx_secret secret;
    char *path = NULL;
    sbx_status st = sbx_state_secret_path(s->user->number, &path, err);

    if (st == SBX_OK && (st = sbx_secret_read(path, s->user->sid, &secret, err)) == SBX_OK) {
        st = sbx_secret_password(&secret, s->lease.account, s->user->generation, s->password_w, err);
        sbx_secret_wipe(&secret);
    }
    sbx_free(path);
    return st;
}

static sbx_status get_account(sbx_session *s, const sbx_policy *policy, uint32_t flags, sbx_error *err)
{
    const int online = policy->network == SBX_NETWORK_ON;
    sbx_status st = SBX_OK;

    if (flags & SBX_OPEN_DRY_RUN) /* the secret is read all the same: without it nothing would run */
        sbx_machine_account_name(s->lease.account, s->user->number, online, 0);
    else
        st = sbx_lease_take(&s->lease, s->user, online, policy->workspace, policy->account_wait_ms, err);
    return st == SBX_OK ? password(s, err) : st;
}

/* ---- what this version refuses ---- */

static int is_whole(const sbx_policy *policy)
{
    return policy->size >= offsetof(sbx_policy, token) + sizeof(policy->token) && policy->token == SBX_TOKEN_ACCOUNT;
}

static sbx_status refuse(const char *what, const char *hint, sbx_error *err)
{
    sbx_fail(err, SBX_E_REFUSED, what, "backend \"elevated\"");
    return sbx_hint(err, "%s", hint);
}

static sbx_status check_policy(const sbx_policy *policy, sbx_error *err)
{
    if (policy->flags & SBX_POLICY_KEEP_CHILDREN)
        return refuse("children cannot outlive the command in an account", "leave out --keep-children", err);
    if (policy->flags & SBX_POLICY_UI_LIMITS)
        return refuse("limits of the user interface are not part of it in this version", "leave out --no-clipboard",
                      err);
    if (!(policy->flags & SBX_POLICY_DESKTOP_PRIVATE))
        return refuse("its accounts are not let onto your desktop", "leave out --desktop user", err);
    if (policy->temp == SBX_TEMP_USER)
        return refuse("your own TEMP is closed to its accounts", "leave out --temp user", err);
    if (is_whole(policy) && (policy->require & SBX_AREA_FILE_WRITE))
        return refuse("it does not enforce writes with the token \"account\"", "leave out --elevated-token account",
                      err);
    if (policy->require & ~SBX_ELEVATED_ENFORCED)
        return refuse("it does not enforce all that is required", "see what it does: sbx backends", err);
    return sbx_roots_check(policy, err);
}

/* ---- open ---- */

sbx_status sbx_elevated_audience(const sbx_machine_user *user, sbx_audience *audience, sbx_error *err)
{
    return sbx_audience_of(user->groups[SBX_GROUP_WRITERS], user->groups[SBX_GROUP_READERS], audience, err);
}

/* The accounts of this user are let into his roots, in the first check of their commands. */
static sbx_status open_roots(sbx_session *s, const sbx_policy *policy, uint32_t flags, sbx_error *err)
{
    const sbx_reads_wanted wanted = {policy->read, policy->readable_count, policy->readable};
    sbx_status st;

    if ((st = sbx_elevated_audience(s->user, &s->audience, err)) != SBX_OK ||
        (st = sbx_hidden_open(&s->hidden, policy, &s->audience, (flags & SBX_OPEN_DRY_RUN) != 0, err)) != SBX_OK ||
        (st = sbx_grants_open(policy, flags, &s->audience, &s->grants, err)) != SBX_OK)
        return st;
    s->spec.root_count = sbx_grants_sids(s->grants, &s->spec.roots);
    s->spec.set_sid = sbx_grants_set(s->grants);
    sbx_reads_tell(&wanted, &s->audience, (flags & SBX_OPEN_DRY_RUN) != 0);
    return SBX_OK;
}

static sbx_status make_ticket(sbx_session *s, const sbx_policy *policy, sbx_error *err)
{
    sbx_ticket_data data = {0};
    char *closed = NULL;
    uint32_t length = 0;
    sbx_status st;

    data.flags =
        SBX_TICKET_DESKTOP | (s->spec.is_whole ? SBX_TICKET_WHOLE : 0) | (s->asks_twice ? SBX_TICKET_DELETE : 0);
    data.spec = s->spec;
    data.run_id = policy->run_id;
    data.root = policy->writable_count ? policy->writable[0] : NULL;
    data.opened = s->folder.path;
    data.desktop = s->desktop.name;
    data.proof = s->proof.text;
    data.owed = s->lease.owed;
    data.made = s->lease.made;
    data.hidden = s->hidden.paths.data;
    if (!s->spec.is_whole) /* every user may make something there, and no command */
        st = sbx_dirs_get(SBX_DIR_PROGRAM_DATA, &closed, err);
    else /* what admits the user alone */
        st = (closed = sbx_strdup(sbx_host_table->state_dir)) ? SBX_OK : sbx_fail_memory(err);
    data.closed = closed;
    if (st == SBX_OK)
        st = sbx_ticket_write(&data, &s->bytes, &length, err);
    sbx_free(closed);
    s->ticket.size = sizeof(s->ticket);
    s->ticket.bytes = s->bytes;
    s->ticket.length = length;
    return st;
}

/* Of the user's environment what says where he is at home is the account's. */
static sbx_status make_edits(sbx_session *s, const sbx_policy *policy, sbx_error *err)
{
    const int is_kept = s->home.folder.path != NULL;
    const char *home = is_kept ? s->home.folder.path : s->folder.home;
    const struct {
        const char *name, *value;
    } sets[] = {{"TEMP", s->folder.path},
                {"TMP", s->folder.path},
                {"TMPDIR", s->folder.path},
                {"HOME", home},
                {"USERPROFILE", home},
                {"APPDATA", is_kept ? s->home.roaming : s->folder.roaming},
                {"LOCALAPPDATA", is_kept ? s->home.local : s->folder.local},
                {"USERNAME", s->lease.account}};
    char *drive;
    size_t i;

    sbx_edits_init(&s->edits, 0);
    for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        sbx_edits_set(&s->edits, sets[i].name, sets[i].value);
    drive = sbx_arena_strndup(&s->edits.arena, home, 2); /* "C:" */
    if (drive)
        sbx_edits_set(&s->edits, "HOMEDRIVE", drive);
    sbx_edits_set(&s->edits, "HOMEPATH", home + 2);
    sbx_tools_edits(&s->edits, policy, is_kept ? s->home.cache : s->folder.path);
    sbx_network_edits(&s->edits, policy, NULL); /* what is refused anyway is not tried, and not waited for */
    sbx_edits_git_end(&s->edits);
    return drive ? sbx_edits_status(&s->edits, err) : sbx_fail_memory(err);
}

/* *sid: freed with LocalFree. */
static sbx_status sid_of(const char *text, PSID *sid, sbx_error *err)
{
    uint16_t *text_w = NULL;
    sbx_status st = sbx_wide(text, "account", &text_w, err);

    if (st == SBX_OK && !ConvertStringSidToSidW(text_w, sid))
        st = sbx_fail_last(err, SBX_E_UNAVAILABLE, "ConvertStringSidToSidW", text);
    sbx_free(text_w);
    return st;
}

/* Kept for the set.  Programs look at each folder on the way to it, and to TEMP, which is the same but for the end. */
static sbx_status open_home(sbx_session *s, sbx_text *made, sbx_error *err)
{
    sbx_status st = sbx_home_open(&s->home, s->grants, s->audience.writers.u.bytes, err);

    if (st != SBX_OK)
        return st;
    if (s->home.folder.path)
        sbx_tidy_add_folder(made, s->home.folder.path, s->spec.set_sid, s->user->groups[SBX_GROUP_WRITERS]);
    return sbx_ancestors_open(s->home.folder.path ? s->home.folder.path : s->folder.area, &s->audience, 0, err);
}

/* What other runs may write stays closed to one that writes nowhere. */
static sbx_status deny_others(sbx_session *s, const sbx_policy *policy, sbx_error *err)
{
    sbx_status st = SBX_OK;

    if (s->spec.is_whole && !policy->writable_count) {
        st = sid_of(s->user->groups[SBX_GROUP_WRITERS], &s->denied, err);
        s->spec.deny_only = s->denied;
    }
    return st;
}

static sbx_status open_run(sbx_session *s, const sbx_policy *policy, sbx_error *err)
{
    const uint8_t *run_sid = s->spec.run_sid;
    /* TEMP is the set's, so that the next run can change what this one moves from it into a root */
    sbx_elevated_folder_who who = {.account = s->lease.account,
                                   .account_sid = s->lease.sid,
                                   .first_sid = s->user->groups[SBX_GROUP_WRITERS],
                                   .second_sid = s->spec.set_sid ? s->spec.set_sid : run_sid,
                                   .run_id = policy->run_id,
                                   .is_home = !s->spec.set_sid};
    char record[SBX_STATION_RECORD];
    sbx_text made = {0};
    PSID account = NULL;
    sbx_status st;

    if ((st = sid_of(s->lease.sid, &account, err)) != SBX_OK)
        goto out;
    if (s->denied)
        who.first_sid = s->lease.sid;
    if (policy->network == SBX_NETWORK_OFF &&
        (st = sbx_proof_open(&s->proof, policy->run_id, s->user, s->lease.sid, err)) != SBX_OK)
        goto out;
    sbx_tidy_add(&made, s->grants, s->user->groups[SBX_GROUP_WRITERS]);
    if ((st = sbx_elevated_folder_open(&s->folder, &who, err)) != SBX_OK || (st = open_home(s, &made, err)) != SBX_OK ||
        (sbx_station_record(account, run_sid, record),
         st = made.failed ? sbx_fail_memory(err)
                          : sbx_lease_keep(&s->lease, record, made.data ? made.data : "", err)) != SBX_OK ||
        (st = sbx_station_admit(&s->station, account, run_sid, err)) != SBX_OK ||
        (st = sbx_desktop_open(&s->desktop, policy->run_id, run_sid, account, err)) != SBX_OK ||
        (st = make_edits(s, policy, err)) != SBX_OK)
        goto out;
    st = make_ticket(s, policy, err);
    sbx_sessions_tell(SBX_SESSIONS_MANY);
out:
    sbx_text_fini(&made);
    LocalFree(account);
    return st;
}

static void tell(const sbx_policy *policy)
{
    if (is_whole(policy))
        sbx_host_note(
            SBX_NOTE_WARN, "token",
            "that of the account, not restricted: the command can write where every user of this machine may%s, and a "
            "hostile one can probably reach your desktop",
            policy->writable_count ? ", and in all folders that were ever opened to commands of yours" : "");
    if (policy->tool_count && !policy->writable_count)
        sbx_host_note(SBX_NOTE_GAP, "tools", "their caches are in the folder of the run, and go with it");
    sbx_host_note(SBX_NOTE_GAP, "read",
                  "what every user of this machine can read, and each folder that was opened to commands of yours, the "
                  "command can read");
    sbx_host_note(SBX_NOTE_GAP, "clipboard", "open, as is what the screen shows");
    sbx_host_note(SBX_NOTE_GAP, "names",
                  "the command can take names of pipes and of this session's objects before your programs do");
    sbx_host_note(SBX_NOTE_GAP, "services",
                  "services that act for the command (file sharing of this machine, WMI, COM) act as its account, with "
                  "what every command of yours may write");
    sbx_host_note(
        SBX_NOTE_GAP, "processes",
        "a process that such a service started outlives the command; where it closes itself to you, the next run "
        "in that account does not see it");
}

sbx_status sbx_elevated_open(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                             sbx_guarantees *guarantees, sbx_error *err)
{
    sbx_session *s = sbx_alloc_zero(1, sizeof(*s));
    sbx_status st;

    if (!s)
        return sbx_fail_memory(err);
    if ((st = sbx_user_get(&s->self, err)) != SBX_OK ||
        (st = sbx_elevated_load(&s->machine, &s->user, err)) != SBX_OK ||
        (st = sbx_state_runner(&s->machine, &s->runner, err)) != SBX_OK || (st = check_policy(policy, err)) != SBX_OK ||
        (policy->network == SBX_NETWORK_OFF &&
         (st = sbx_proof_look(&s->proof, policy, &s->machine, s->user, !(flags & SBX_OPEN_DRY_RUN), err)) != SBX_OK) ||
        (st = sbx_run_sid(policy->run_id, s->spec.run_sid, err)) != SBX_OK)
        goto out;
    s->spec.launcher = s->self.u.bytes;
    s->spec.is_whole = is_whole(policy);
    /* an account first: nothing is held and nothing was changed while one is waited for */
    if ((st = get_account(s, policy, flags, err)) != SBX_OK || (st = open_roots(s, policy, flags, err)) != SBX_OK)
        goto out;
    guarantees->size = sizeof(*guarantees);
    guarantees->enforced = SBX_AREA_PROCESS_TREE | (policy->network == SBX_NETWORK_OFF ? SBX_AREA_NETWORK : 0u);
    guarantees->advisory = SBX_ELEVATED_ADVISORY;
    *(s->spec.is_whole ? &guarantees->advisory : &guarantees->enforced) |= SBX_AREA_FILE_WRITE;
    if ((st = deny_others(s, policy, err)) != SBX_OK)
        goto out;
    *(s->hidden.is_partial ? &guarantees->advisory : &guarantees->enforced) |= SBX_AREA_FILE_READ;
    if (s->hidden.is_partial && (policy->require & SBX_AREA_FILE_READ)) {
        st = refuse("what deny_read names is not all there, and could be read once it is",
                    "`sbx plan` names what is missing", err);
        goto out;
    }
    st = sbx_deleting_claim(policy, s->grants, s->spec.is_whole, guarantees, &s->asks_twice, err);
    if (st != SBX_OK)
        goto out;
    if (flags & SBX_OPEN_DRY_RUN)
        sbx_home_tell(s->grants);
    else if ((st = open_run(s, policy, err)) != SBX_OK)
        goto out;
    tell(policy);
    *session = s;
    s = NULL;
out:
    sbx_elevated_close(s);
    return st;
}

void sbx_elevated_identity(sbx_session *session, sbx_identity *identity)
{
    identity->kind = SBX_IDENTITY_LOGON;
    identity->account = session->lease.account;
    identity->domain = ".";
    identity->secret = session->password_w; /* and no longer than until it was used */
    identity->account_sid = session->lease.sid;
    identity->desktop = session->desktop.name;
    identity->runner = session->machine.runner;
}

const sbx_ticket *sbx_elevated_ticket(const sbx_session *session)
{
    return &session->ticket;
}

void sbx_elevated_environment(const sbx_session *session, sbx_env_edits *edits)
{
    edits->count = session->edits.count;
    edits->edits = session->edits.items;
}

sbx_status sbx_elevated_token_like(sbx_session *session, void **copy, sbx_error *err)
{
    HANDLE logon = NULL;
    sbx_status st = sbx_account_logon(session->lease.account, session->password_w, &logon, err);

    if (st == SBX_OK)
        st = sbx_token_like(&session->spec, logon, copy, err);
    sbx_handle_close(&logon);
    return st;
}

void sbx_elevated_close(sbx_session *session)
{
    int is_done;

    if (!session)
        return;
    SecureZeroMemory(session->password_w, sizeof(session->password_w));
    sbx_edits_fini(&session->edits);
    sbx_desktop_close(&session->desktop);
    sbx_station_close(&session->station);
    sbx_home_close(&session->home);
    is_done = sbx_elevated_folder_close(&session->folder);
    sbx_grants_close(session->grants);
    sbx_hidden_close(&session->hidden);
    if (!is_done) /* else the account has looked itself */
        sbx_lease_end(&session->lease);
    sbx_proof_close(&session->proof);
    sbx_lease_give(&session->lease, is_done);
    sbx_handle_close(&session->runner);
    sbx_machine_fini(&session->machine);
    LocalFree(session->denied);
    sbx_free(session->bytes);
    sbx_free(session);
}
