#include "elevated/proof.h"

#include <windows.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <winternl.h>

#include "base/memory.h"
#include "common/host.h"
#include "common/state.h"
#include "elevated/checks.h"
#include "elevated/service.h"
#include "win/error.h"
#include "win/file.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/weaker.h"
#include "win/wide.h"

#define PLATFORM_W L"BFE"
#define LIMIT_MS 500u
#define STAMP "elevated-proof"
#define FORM "sbx-proof 2"

/* ---- the filtering platform ---- */

static sbx_status no_platform(sbx_error *err)
{
    /* refused, not unavailable: nothing weaker takes its place */
    sbx_fail(err, SBX_E_REFUSED, "the service BFE (Base Filtering Engine) does not run", "network");
    return sbx_hint(err,
                    "without it nobody is kept off the network: start it as an administrator, or use --network on");
}

/* When a process was started; 0: nobody knows.  Opening one of a service is not for a user. */
static uint64_t start_of(uint32_t process)
{
    typedef struct entry {
        ULONG next, threads;
        LARGE_INTEGER unused[3], created, times[2];
        UNICODE_STRING name;
        LONG priority;
        HANDLE id;
    } entry;
    ULONG size = 1u << 18, needed = 0;
    uint8_t *list = NULL;
    NTSTATUS status;
    const entry *at;
    uint64_t found = 0;
    size_t offset = 0;

    do {
        size = needed > size ? needed + 65536 : size;
        sbx_free(list);
        list = sbx_alloc(size);
        if (!list)
            return 0;
        status = NtQuerySystemInformation(SystemProcessInformation, list, size, &needed);
    } while (status == (NTSTATUS)0xC0000004 && needed > size && size < 1u << 26); /* STATUS_INFO_LENGTH_MISMATCH */
    while (status >= 0) {
        at = (const entry *)(const void *)(list + offset);
        if ((uint32_t)(ULONG_PTR)at->id == process)
            found = (uint64_t)at->created.QuadPart;
        if (!at->next || found)
            break;
        offset += at->next;
    }
    sbx_free(list);
    return found;
}

/* ---- is it so still? ---- */

/* What the last trial held for, and whether the platform is that of then. */
static int read_known(sbx_proof *proof)
{
    char *path = sbx_state_path(STAMP), *data = NULL;
    size_t length = 0;
    unsigned process = 0;
    unsigned long long started = 0;
    int is_same = 0;

    if (path && sbx_file_read(path, sizeof(proof->known) - 1, &data, &length, NULL) == SBX_OK) {
        memcpy(proof->known, data, length);
        proof->known[length] = 0;
        is_same = sscanf(proof->known, FORM " %*u %*u %*u %u %llx", &process, &started) == 2 && started &&
                  start_of(process) == started;
    }
    if (is_same) {
        proof->platform = process;
        proof->started = started;
    }
    sbx_free(data);
    sbx_free(path);
    return is_same;
}

static void make_stamp(sbx_proof *proof, const sbx_machine_user *user)
{
    static const WCHAR key_w[] = L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
    DWORD revision = 0, size = sizeof(revision), build = 0;
    WCHAR build_w[16] = L"";
    DWORD build_size = sizeof(build_w);

    RegGetValueW(HKEY_LOCAL_MACHINE, key_w, L"UBR", RRF_RT_REG_DWORD, NULL, &revision, &size);
    if (!RegGetValueW(HKEY_LOCAL_MACHINE, key_w, L"CurrentBuild", RRF_RT_REG_SZ, NULL, build_w, &build_size))
        build = (DWORD)wcstoul(build_w, NULL, 10);
    snprintf(proof->stamp, sizeof(proof->stamp), FORM " %u %u %u %u %016llx %lu.%lu\n", SBX_MACHINE_NETWORK,
             (unsigned)user->number, (unsigned)user->generation, (unsigned)proof->platform,
             (unsigned long long)proof->started, (unsigned long)build, (unsigned long)revision);
}

static void remember(const sbx_proof *proof)
{
    char *path = sbx_state_path(STAMP);

    if (path)
        sbx_file_write(path, proof->stamp, strlen(proof->stamp), NULL); /* else it is tried again next time */
    sbx_free(path);
}

/* ---- sbx.exe ---- */

static sbx_status check_loopback(const sbx_policy *policy, const sbx_machine_user *user, sbx_error *err)
{
    sbx_loopback wanted = user->loopback;
    sbx_text object = {0}, hint = {0};
    uint32_t i, missing = policy->loopback_count;
    sbx_status st;

    for (i = policy->loopback_count; i-- > 0;) {
        if (!sbx_loopback_has(&user->loopback, policy->loopback[i].first, policy->loopback[i].last))
            missing = i;
        sbx_loopback_add(&wanted, policy->loopback[i].first, policy->loopback[i].last);
    }
    if (missing == policy->loopback_count)
        return SBX_OK;
    sbx_text_printf(&object, "loopback port %u", (unsigned)policy->loopback[missing].first);
    sbx_text_add(&hint, "let commands without a network reach it, all of yours: sbx setup --loopback ");
    sbx_loopback_text(&wanted, &hint);
    st = sbx_fail(err, SBX_E_REFUSED, "setup has not opened it", object.failed ? "loopback" : object.data);
    if (!hint.failed)
        sbx_hint(err, "%s", hint.data);
    sbx_text_fini(&object);
    sbx_text_fini(&hint);
    return st;
}

sbx_status sbx_proof_look(sbx_proof *proof, const sbx_policy *policy, const sbx_machine *machine,
                          const sbx_machine_user *user, int will_try, sbx_error *err)
{
    sbx_text ports = {0};
    sbx_status st;

    if (!read_known(proof) || !will_try) {
        if (!sbx_service_runs(PLATFORM_W, &proof->platform)) /* a user may ask for that */
            return no_platform(err);
        proof->started = start_of(proof->platform);
    }
    if ((st = check_loopback(policy, user, err)) != SBX_OK)
        return st;
    if (machine->network != SBX_MACHINE_NETWORK) {
        sbx_fail(err, SBX_E_REFUSED, "its filters of the network are not there", "backend \"elevated\"");
        return sbx_hint(err, "put them there: sbx setup");
    }
    sbx_host_note(SBX_NOTE_GAP, "network",
                  "services of the system still ask the network for a command: names are looked up by the DNS client, "
                  "\\\\server\\share is opened by the redirector; AF_UNIX and Hyper-V sockets are no part of it");
    sbx_loopback_text(&user->loopback, &ports);
    if (user->loopback.count && !ports.failed)
        sbx_host_note(SBX_NOTE_GAP, SBX_NOTE_PORTS, "%s: of this machine, opened by setup to all of your commands",
                      ports.data);
    sbx_text_fini(&ports);
    return SBX_OK;
}

static void event_name(const char *run_id, WCHAR name_w[64])
{
    swprintf(name_w, 64, L"Local\\sbx-proof-%hs", run_id);
}

static sbx_status make_event(sbx_proof *proof, const char *run_id, const char *account_sid, sbx_error *err)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    sbx_user_sid self;
    char self_text[SBX_MACHINE_SID];
    sbx_text sddl = {0};
    uint16_t *sddl_w = NULL;
    WCHAR name_w[64];
    sbx_status st = sbx_user_get(&self, err);

    if (st != SBX_OK)
        return st;
    sbx_user_sid_text(self.u.bytes, self_text, sizeof(self_text));
    sbx_text_printf(&sddl, "D:P(A;;GA;;;%s)(A;;0x2;;;%s)", self_text, account_sid); /* EVENT_MODIFY_STATE */
    st = sddl.failed ? sbx_fail_memory(err) : sbx_wide(sddl.data, "event", &sddl_w, err);
    event_name(run_id, name_w);
    if (st == SBX_OK && (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
                             sddl_w, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL) ||
                         !(proof->event = CreateEventW(&attributes, TRUE, FALSE, name_w))))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateEventW", "proof of the network");
    LocalFree(attributes.lpSecurityDescriptor);
    sbx_free(sddl_w);
    sbx_text_fini(&sddl);
    return st;
}

sbx_status sbx_proof_open(sbx_proof *proof, const char *run_id, const sbx_machine_user *user, const char *account_sid,
                          sbx_error *err)
{
    uint16_t listen = 0;
    sbx_status st;

    make_stamp(proof, user);
    if ((!proof->started || strcmp(proof->known, proof->stamp) != 0) &&
        (st = make_event(proof, run_id, account_sid, err)) != SBX_OK)
        return st;
    if (!sbx_loopback_has(&user->loopback, 1, UINT16_MAX)) {
        sbx_checks_ports(&user->loopback, &proof->listener, &listen);
        if (!proof->listener.port)
            return sbx_fail(err, SBX_E_SYSTEM, "no port is free for a listener", "proof of the network");
    }
    snprintf(proof->text, sizeof(proof->text), "%u %u %u", (unsigned)proof->listener.port, (unsigned)listen,
             proof->event != NULL);
    return SBX_OK;
}

void sbx_proof_close(sbx_proof *proof)
{
    if (proof->event && WaitForSingleObject(proof->event, 0) == WAIT_OBJECT_0)
        remember(proof);
    sbx_handle_close(&proof->event);
    sbx_reach_listen_end(&proof->listener);
}

/* ---- sbx-runner.exe ---- */

typedef struct tally {
    uint32_t refused;
    const char *open; /* NULL: nobody reached anything */
    uint32_t way;
} tally;

static void count(void *context, const char *name, uint32_t verdicts)
{
    tally *t = context;
    uint32_t way = 0;

    switch (sbx_reach_judge(verdicts, &way)) {
    case SBX_REACH_OPEN:
        if (!t->open) {
            t->open = name;
            t->way = way;
        }
        break;
    case SBX_REACH_REFUSED:
        t->refused++;
        break;
    default:
        break;
    }
}

static sbx_status judge(const tally *t, sbx_error *err)
{
    char object[96];

    if (t->open && !sbx_service_runs(PLATFORM_W, NULL))
        return no_platform(err);
    if (t->open) {
        snprintf(object, sizeof(object), "network off (%s)", t->open);
        sbx_fail(err, SBX_E_UNENFORCED, sbx_reach_name(t->way), object);
        return sbx_hint(err, "it is open, so nothing was run; put the filters right: sbx setup --repair");
    }
    if (!t->refused) {
        sbx_fail(err, SBX_E_UNENFORCED, "nothing that could be tried tells whether it is off", "network off");
        return sbx_hint(err, "with all ports of this machine open, only a network outside could tell");
    }
    return SBX_OK;
}

static sbx_status tell(const char *run_id, sbx_error *err)
{
    WCHAR name_w[64];
    HANDLE event;
    int set;

    event_name(run_id, name_w);
    event = OpenEventW(EVENT_MODIFY_STATE, FALSE, name_w);
    set = event && SetEvent(event);
    if (!set)
        sbx_fail_last(err, SBX_E_SYSTEM, "OpenEventW", "proof of the network");
    sbx_handle_close(&event);
    return set ? SBX_OK : SBX_E_SYSTEM;
}

static int ports_of(const char *text, sbx_reach *how, unsigned *weaker)
{
    unsigned port = 0, listen = 0;

    if (sscanf(text, "%5u %5u %1u", &port, &listen, weaker) != 3 || port > UINT16_MAX || listen > UINT16_MAX)
        return 0;
    how->port = (uint16_t)port;
    how->listen = (uint16_t)listen;
    how->limit_ms = LIMIT_MS;
    return 1;
}

sbx_status sbx_proof_check(const char *text, const char *run_id, void *token, sbx_error *err)
{
    unsigned weaker = 0;
    sbx_reach how = {0};
    tally t = {0};
    sbx_status st;

    if (!ports_of(text, &how, &weaker))
        return sbx_fail(err, SBX_E_REFUSED, "it has no ports to try", "ticket");
    count(&t, "the account", sbx_reach_try(&how));
    how.token = token;
    count(&t, "the command's token", sbx_reach_try(&how));
    how.token = NULL;
    if (weaker && !t.open)
        sbx_weaker_try(&how, count, &t);
    st = judge(&t, err);
    return st == SBX_OK && weaker ? tell(run_id, err) : st;
}

void sbx_proof_end(const char *text)
{
    unsigned weaker = 0;
    uint32_t way = 0;
    sbx_reach how = {0};

    if (!ports_of(text, &how, &weaker) || sbx_reach_judge(sbx_reach_try(&how), &way) != SBX_REACH_OPEN)
        return;
    sbx_host_note(SBX_NOTE_WARN, "network",
                  "it was off when the command began, and was open when it ended (%s): somebody took filters away "
                  "meanwhile; what the command reached then is not known",
                  sbx_reach_name(way));
}
