#include "common/token/station.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <winternl.h>

#include "base/memory.h"
#include "common/grants/acl.h"
#include "common/grants/ledger.h"
#include "common/host.h"
#include "common/token/user32.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"

NTSTATUS NTAPI NtOpenDirectoryObject(HANDLE *, ACCESS_MASK, OBJECT_ATTRIBUTES *);

#define LOCK_MS 10000u

/* What user32 opens them with, as far as it was seen. */
#define STATION_RIGHTS (WINSTA_ALL_ACCESS | READ_CONTROL)
/* Of another account: without READ_CONTROL its first process hangs, others found; it may not change the DACL, delete, or own it.
 * The clipboard (0x4) and the desktop's pixels (0x200) are among them: told. */
#define ACCOUNT_RIGHTS ((DWORD)0x2037F)

/* DIRECTORY_QUERY, _TRAVERSE, _CREATE_OBJECT, _CREATE_SUBDIRECTORY */
#define NAMES_RIGHTS ((DWORD)0xF)

#define DESKTOP_RIGHTS                                                                                                 \
    (DESKTOP_READOBJECTS | DESKTOP_CREATEWINDOW | DESKTOP_CREATEMENU | DESKTOP_HOOKCONTROL | DESKTOP_JOURNALRECORD |   \
     DESKTOP_JOURNALPLAYBACK | DESKTOP_ENUMERATE | DESKTOP_WRITEOBJECTS | DESKTOP_SWITCHDESKTOP | READ_CONTROL)

/* calls NULL: an object of the kernel. */
static BOOL get_security(const sbx_user32 *calls, HANDLE object, void *descriptor, DWORD size, DWORD *needed)
{
    SECURITY_INFORMATION what = DACL_SECURITY_INFORMATION;

    return calls ? calls->get_security(object, &what, descriptor, size, needed)
                 : GetKernelObjectSecurity(object, what, descriptor, size, needed);
}

static BOOL set_security(const sbx_user32 *calls, HANDLE object, void *descriptor)
{
    SECURITY_INFORMATION what = DACL_SECURITY_INFORMATION;

    return calls ? calls->set_security(object, &what, descriptor) : SetKernelObjectSecurity(object, what, descriptor);
}

/* *dacl is in *descriptor, which the caller frees; NULL: it admits everybody. */
static sbx_status read_dacl(const sbx_user32 *calls, HANDLE object, void **descriptor, ACL **dacl, sbx_error *err)
{
    BOOL present = FALSE, defaulted = FALSE;
    DWORD size = 0;
    void *made = NULL;

    get_security(calls, object, NULL, 0, &size);
    made = sbx_alloc_zero(1, size + 1);
    if (!made)
        return sbx_fail_memory(err);
    if (!get_security(calls, object, made, size, &size) ||
        !GetSecurityDescriptorDacl(made, &present, dacl, &defaulted)) {
        sbx_fail_last(err, SBX_E_SYSTEM, "GetUserObjectSecurity", "window station");
        sbx_free(made);
        return SBX_E_SYSTEM;
    }
    if (!present)
        *dacl = NULL;
    *descriptor = made;
    return SBX_OK;
}

static sbx_status may_open(const sbx_user32 *calls, HANDLE object, void *token, DWORD rights, int *may, sbx_error *err)
{
    /* all count as writing, so that a right that only the first of the two checks admits is not taken for granted */
    GENERIC_MAPPING mapping = {READ_CONTROL, rights, READ_CONTROL, rights};
    PRIVILEGE_SET used;
    SECURITY_DESCRIPTOR asked;
    DWORD length = sizeof(used), got = 0;
    BOOL allowed = FALSE;
    HANDLE copy = NULL;
    ACL *dacl = NULL;
    void *descriptor = NULL;
    sbx_user_sid user;
    sbx_status st;

    if ((st = sbx_user_get(&user, err)) != SBX_OK || (st = read_dacl(calls, object, &descriptor, &dacl, err)) != SBX_OK)
        return st;
    if (!DuplicateTokenEx(token, TOKEN_QUERY, NULL, SecurityIdentification, TokenImpersonation, &copy)) {
        copy = NULL;
        st = sbx_fail_last(err, SBX_E_SYSTEM, "DuplicateTokenEx", "the command's token");
    } else if (!InitializeSecurityDescriptor(&asked, SECURITY_DESCRIPTOR_REVISION) ||
               !SetSecurityDescriptorOwner(&asked, user.u.bytes, FALSE) ||
               !SetSecurityDescriptorGroup(&asked, user.u.bytes, FALSE) ||
               !SetSecurityDescriptorDacl(&asked, TRUE, dacl, FALSE) ||
               !AccessCheck(&asked, copy, rights, &mapping, &used, &length, &got, &allowed)) {
        st = sbx_fail_last(err, SBX_E_SYSTEM, "AccessCheck", "window station");
    }
    *may = allowed && (got & rights) == rights;
    sbx_handle_close(&copy);
    sbx_free(descriptor);
    return st;
}

/* Add an ACE for the SID, or (rights 0) remove it; nobody else's is touched.  Held by the caller: the lock. */
static sbx_status edit(const sbx_user32 *calls, HANDLE object, const void *sid, DWORD rights, sbx_error *err)
{
    const sbx_ace ace = {SBX_ACE_ALLOW, 0, rights};
    SECURITY_DESCRIPTOR changed;
    ACL *old = NULL, *made = NULL;
    void *descriptor = NULL;
    sbx_status st = read_dacl(calls, object, &descriptor, &old, err);

    if (st != SBX_OK)
        return st;
    if (!old)
        goto out;
    if (rights) {
        made = sbx_alloc_zero(1, old->AclSize + sbx_ace_length(sid));
        if (!made) {
            st = sbx_fail_memory(err);
            goto out;
        }
        if (!sbx_acl_add(old, sid, &ace, 1, made)) {
            st = sbx_fail(err, SBX_E_SYSTEM, "add an ACE", "window station");
            goto out;
        }
    } else if (!sbx_acl_remove(old, sid, SBX_ACL_EXPLICIT | SBX_ACL_ALLOW)) {
        goto out;
    }
    if (!InitializeSecurityDescriptor(&changed, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&changed, TRUE, made ? made : old, FALSE) || !set_security(calls, object, &changed))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "SetUserObjectSecurity", "window station");
out:
    sbx_free(made);
    sbx_free(descriptor);
    return st;
}

static sbx_status closed(sbx_error *err, const char *name)
{
    sbx_error why = *err;

    sbx_fail_code(err, SBX_E_UNAVAILABLE, why.code_kind, why.code, "let the command into the window station", name);
    return sbx_hint(err,
                    "programs that load user32 would end with 0xC0000142 there; start sbx in an interactive session");
}

static int is_visible(const sbx_user32 *calls, HWINSTA station)
{
    USEROBJECTFLAGS flags;
    DWORD size = 0;

    memset(&flags, 0, sizeof(flags));
    return calls->information(station, UOI_FLAGS, &flags, sizeof(flags), &size) && (flags.dwFlags & WSF_VISIBLE);
}

/* *opened: with the right to change its DACL, where that had to be changed. */
static sbx_status admit(const sbx_user32 *calls, HANDLE own, int is_desktop, void *token, const void *sid,
                        HANDLE *opened, sbx_error *err)
{
    const DWORD rights = is_desktop ? DESKTOP_RIGHTS : STATION_RIGHTS, access = READ_CONTROL | WRITE_DAC;
    WCHAR name_w[128] = L"";
    DWORD size = 0;
    HANDLE object;
    int may = 0;
    sbx_status st = may_open(calls, own, token, rights, &may, err);

    if (st != SBX_OK || may)
        return st;
    if (!calls->information(own, UOI_NAME, name_w, sizeof(name_w), &size))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetUserObjectInformationW", "window station");
    object = is_desktop ? (HANDLE)calls->open_desktop(name_w, 0, FALSE, access)
                        : (HANDLE)calls->open_station(name_w, FALSE, access);
    if (!object)
        return sbx_fail_last_w(err, SBX_E_SYSTEM, is_desktop ? "OpenDesktopW" : "OpenWindowStationW",
                               (const uint16_t *)name_w);
    *opened = object;
    st = edit(calls, object, sid, rights, err);
    if (st == SBX_OK)
        st = may_open(calls, object, token, rights, &may, err);
    if (st == SBX_OK && !may)
        st = sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, ERROR_ACCESS_DENIED, "AccessCheck", "window station");
    return st;
}

static void keep_sid(sbx_station *station, const void *sid)
{
    memcpy(station->sids[station->count++].u.bytes, sid, sbx_sid_length(sid, SBX_SID_MAX));
}

/* The directory that this session's named objects are in: who may make one there.  NULL: there is none, or it may not be changed. */
static HANDLE open_names(NTSTATUS *status)
{
    WCHAR name_w[64];
    UNICODE_STRING name;
    OBJECT_ATTRIBUTES attributes;
    HANDLE directory = NULL;
    DWORD session = 0;

    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    if (session)
        swprintf(name_w, ARRAYSIZE(name_w), L"\\Sessions\\%lu\\BaseNamedObjects", session);
    else
        wcscpy(name_w, L"\\BaseNamedObjects");
    RtlInitUnicodeString(&name, name_w);
    InitializeObjectAttributes(&attributes, &name, 0, NULL, NULL);
    *status = NtOpenDirectoryObject(&directory, READ_CONTROL | WRITE_DAC, &attributes);
    return *status >= 0 ? directory : NULL;
}

/* The station of this process, to change its DACL. */
static sbx_status open_station(const sbx_user32 *calls, HANDLE *station, sbx_error *err)
{
    WCHAR name_w[128] = L"";
    DWORD size = 0;

    if (!calls->information(calls->process_station(), UOI_NAME, name_w, sizeof(name_w), &size))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetUserObjectInformationW", "window station");
    *station = (HANDLE)calls->open_station(name_w, FALSE, READ_CONTROL | WRITE_DAC);
    return *station ? SBX_OK : sbx_fail_last_w(err, SBX_E_SYSTEM, "OpenWindowStationW", (const uint16_t *)name_w);
}

sbx_status sbx_station_admit(sbx_station *station, const void *account_sid, const void *run_sid, sbx_error *err)
{
    sbx_user32 calls;
    sbx_lock *lock = NULL;
    NTSTATUS status = 0;
    sbx_error why = {0};
    char text[300];
    uint32_t i;
    sbx_status st;

    if ((st = sbx_user32_load(&calls, err)) != SBX_OK || (st = sbx_lock_take(NULL, LOCK_MS, &lock, err)) != SBX_OK)
        return st;
    keep_sid(station, account_sid);
    keep_sid(station, run_sid);
    st = open_station(&calls, &station->station, err);
    for (i = 0; i < station->count && st == SBX_OK; i++)
        st = edit(&calls, station->station, station->sids[i].u.bytes, ACCOUNT_RIGHTS, err);
    if (st == SBX_OK && !(station->names = open_names(&status)))
        sbx_fail_nt(&why, SBX_E_SYSTEM, status, "open", "named objects");
    for (i = 0; i < station->count && st == SBX_OK && station->names && !why.status; i++)
        edit(NULL, station->names, station->sids[i].u.bytes, NAMES_RIGHTS, &why);
    sbx_lock_give(lock);
    if (st == SBX_OK && why.status) {
        sbx_error_describe(&why, text, sizeof(text));
        sbx_host_note(
            SBX_NOTE_GAP, "named objects",
            "this session's directory of them stays closed to the command (%s): what makes some, as MSYS2 does, "
            "fails",
            text);
    }
    if (st == SBX_OK)
        return SBX_OK;
    st = closed(err, "window station");
    sbx_station_close(station);
    return st;
}

/* Remove what was added. */
static void take_away(const sbx_user32 *calls, HANDLE object, const sbx_station *station, sbx_error *err)
{
    uint32_t i;

    for (i = 0; i < station->count; i++)
        edit(calls, object, station->sids[i].u.bytes, 0, err);
}

sbx_status sbx_station_open(sbx_station *station, void *token, const void *run_sid, int desktop_too, sbx_error *err)
{
    sbx_user32 calls;
    sbx_lock *lock = NULL;
    HWINSTA own;
    const char *name = "window station";
    sbx_status st;

    if ((st = sbx_user32_load(&calls, err)) != SBX_OK)
        return st;
    own = calls.process_station();
    if (is_visible(&calls, own) && sbx_token_has_logon())
        return SBX_OK; /* of an interactive logon: it admits the logon SID */
    /* others of the user change the same DACL */
    if ((st = sbx_lock_take(NULL, LOCK_MS, &lock, err)) != SBX_OK)
        return st;
    keep_sid(station, run_sid);
    st = admit(&calls, own, 0, token, run_sid, &station->station, err);
    if (st == SBX_OK && desktop_too) {
        name = "desktop";
        st = admit(&calls, calls.thread_desktop(GetCurrentThreadId()), 1, token, run_sid, &station->desktop, err);
    }
    sbx_lock_give(lock);
    if (st == SBX_OK) {
        if (station->station)
            sbx_host_note(SBX_NOTE_GRANT, name, "this logon's admits only you: opened to the command while it runs");
        return SBX_OK;
    }
    st = closed(err, name);
    sbx_station_close(station);
    return st;
}

void sbx_station_record(const void *account_sid, const void *run_sid, char record[SBX_STATION_RECORD])
{
    char account[192], run[192];

    sbx_user_sid_text(account_sid, account, sizeof(account));
    sbx_user_sid_text(run_sid, run, sizeof(run));
    snprintf(record, SBX_STATION_RECORD, "station %s %s", account, run);
}

/* The SID in *text, which is moved behind it.  0: there is none that begins so. */
static int take_sid(const char **text, const char *begin, sbx_user_sid *sid)
{
    const size_t length = strcspn(*text, " ");
    const int ok = !strncmp(*text, begin, strlen(begin)) && sbx_user_sid_read(*text, length, sid);

    *text += length + ((*text)[length] == ' ');
    return ok;
}

void sbx_station_undo(const char *record)
{
    static const char word[] = "station ";
    sbx_station left = {NULL, NULL, NULL, {{{0}}}, 0};
    sbx_user32 calls;
    NTSTATUS status;

    if (strncmp(record, word, strlen(word)))
        return;
    record += strlen(word);
    if (!take_sid(&record, "S-1-5-21-", &left.sids[0]) || !take_sid(&record, "S-1-9-", &left.sids[1]))
        return; /* whatever else a record names, it is not sbx's to take away */
    left.count = 2;
    if (sbx_user32_load(&calls, NULL) == SBX_OK)
        open_station(&calls, &left.station, NULL);
    left.names = open_names(&status);
    sbx_station_close(&left);
}

void sbx_station_close(sbx_station *station)
{
    sbx_user32 calls;
    sbx_lock *lock = NULL;
    sbx_error err = {0};

    if ((station->station || station->desktop || station->names) && sbx_user32_load(&calls, NULL) == SBX_OK) {
        sbx_lock_take(NULL, LOCK_MS, &lock, NULL); /* without it, too: what stays is of no use to anybody */
        if (station->desktop) {
            take_away(&calls, station->desktop, station, &err);
            calls.close_desktop(station->desktop);
        }
        if (station->station) {
            take_away(&calls, station->station, station, &err);
            calls.close_station(station->station);
        }
        if (station->names) {
            take_away(NULL, station->names, station, &err);
            sbx_handle_close(&station->names);
        }
        sbx_lock_give(lock);
        if (err.status)
            sbx_host_log(SBX_LOG_WARN, "%s: %s: the command's access could not be removed", err.op, err.object);
    }
    memset(station, 0, sizeof(*station));
}
