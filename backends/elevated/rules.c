#define COBJMACROS
#include "elevated/rules.h"

#include <windows.h>
#include <netfw.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "elevated/filter_users.h"
#include "elevated/service.h"
#include "win/error.h"
#include "win/library.h"
#include "win/wide.h"

#define STORE L"SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules"
#define TEXT_MAX 4096u /* of a rule as it is stored: one of ours is shorter */
#define NAME_MAX 64u
#define EACH_PROFILE 3u  /* domain 1, private 2, public 4 */
#define MATCH_FILTER 1u  /* FWP_ACTRL_MATCH_FILTER */
#define ANY_PROTOCOL 256 /* NET_FW_IP_PROTOCOL_ANY, which the headers of mingw-w64 lack */

static const CLSID class_policy = {0xe2b3c97f, 0x6ae1, 0x41ac, {0x81, 0x7a, 0xf6, 0xf9, 0x21, 0x66, 0xd7, 0xdd}};
static const CLSID class_rule = {0x2c5bc43e, 0x3369, 0x4c33, {0xab, 0x0c, 0xbe, 0x94, 0x69, 0x67, 0x7a, 0xf4}};
static const IID is_policy = {0x98325047, 0xc671, 0x4174, {0x8d, 0x81, 0xde, 0xfc, 0xd3, 0xf0, 0x31, 0x86}};
static const IID is_rule = {0xb21563ff, 0xd696, 0x4222, {0xab, 0x46, 0x4e, 0x89, 0xb7, 0x3a, 0xb3, 0x4a}};

static const NET_FW_RULE_DIRECTION directions[] = {NET_FW_RULE_DIR_OUT, NET_FW_RULE_DIR_IN};

static struct {
    HRESULT(WINAPI *CoInitializeEx)(void *, DWORD);
    HRESULT(WINAPI *CoCreateInstance)(const CLSID *, void *, DWORD, const IID *, void **);
    void(WINAPI *CoUninitialize)(void);
} ole;

static struct {
    BSTR(WINAPI *SysAllocString)(const OLECHAR *);
    void(WINAPI *SysFreeString)(BSTR);
} automation;

static sbx_status failed(HRESULT hr, const char *op, sbx_error *err)
{
    const sbx_status st = hr == E_ACCESSDENIED ? SBX_E_REFUSED
                          : hr == HRESULT_FROM_WIN32(EPT_S_NOT_REGISTERED) ||
                                  hr == HRESULT_FROM_WIN32(RPC_S_SERVER_UNAVAILABLE) || hr == REGDB_E_CLASSNOTREG
                              ? SBX_E_UNAVAILABLE
                              : SBX_E_SYSTEM;

    return sbx_fail_code(err, st, SBX_CODE_HRESULT, (uint32_t)hr, op, "rules of the firewall");
}

/* ---- the firewall ---- */

sbx_status sbx_rules_open(sbx_rules *rules, sbx_error *err)
{
    static const char *const of_ole[] = {"CoInitializeEx", "CoCreateInstance", "CoUninitialize"};
    static const char *const of_automation[] = {"SysAllocString", "SysFreeString"};
    HRESULT hr;
    sbx_status st;

    if (!sbx_service_runs(L"MpsSvc", NULL))
        return sbx_fail(err, SBX_E_UNAVAILABLE, "its service (MpsSvc) does not run", "the firewall");
    if ((st = sbx_library_load("ole32.dll", of_ole, 3, &ole, &rules->ole, err)) != SBX_OK ||
        (st = sbx_library_load("oleaut32.dll", of_automation, 2, &automation, &rules->automation, err)) != SBX_OK)
        goto out;
    rules->entered =
        SUCCEEDED(ole.CoInitializeEx(NULL, COINIT_MULTITHREADED)); /* no window, of which the other kind has one */
    if (FAILED(
            hr = ole.CoCreateInstance(&class_policy, NULL, CLSCTX_INPROC_SERVER, &is_policy, (void **)&rules->policy)))
        st = failed(hr, "CoCreateInstance", err);
    else if (FAILED(hr = INetFwPolicy2_get_Rules(rules->policy, &rules->rules)))
        st = failed(hr, "INetFwPolicy2::get_Rules", err);
out:
    if (st != SBX_OK)
        sbx_rules_close(rules);
    return st;
}

void sbx_rules_close(sbx_rules *rules)
{
    if (rules->rules)
        INetFwRules_Release(rules->rules);
    if (rules->policy)
        INetFwPolicy2_Release(rules->policy);
    if (rules->entered)
        ole.CoUninitialize();
    if (rules->automation)
        FreeLibrary(rules->automation);
    if (rules->ole)
        FreeLibrary(rules->ole);
    memset(rules, 0, sizeof(*rules));
}

const char *sbx_rules_without_effect(const sbx_rules *rules)
{
    NET_FW_MODIFY_STATE state = NET_FW_MODIFY_STATE_OK;
    VARIANT_BOOL on;
    LONG profiles = 0, i;
    const HRESULT hr = INetFwPolicy2_get_LocalPolicyModifyState(rules->policy, &state);

    if (SUCCEEDED(hr) && state == NET_FW_MODIFY_STATE_GP_OVERRIDE)
        return "a group policy overrides local rules";
    if (hr == S_FALSE)
        return "in some of the networks that it is in, a policy overrides local rules";
    if (FAILED(INetFwPolicy2_get_CurrentProfileTypes(rules->policy, &profiles)))
        profiles = 0;
    for (i = 0; i < (LONG)EACH_PROFILE; i++) {
        on = VARIANT_TRUE;
        if (profiles & 1 << i &&
            SUCCEEDED(INetFwPolicy2_get_FirewallEnabled(rules->policy, (NET_FW_PROFILE_TYPE2)(1 << i), &on)) && !on)
            return "the firewall is turned off";
    }
    return NULL;
}

/* ---- a rule ---- */

static void name_of(uint32_t user, NET_FW_RULE_DIRECTION direction, WCHAR name_w[NAME_MAX])
{
    swprintf(name_w, NAME_MAX, L"sbx%u: commands without a network, %ls", (unsigned)user,
             direction == NET_FW_RULE_DIR_OUT ? L"outbound" : L"inbound");
}

/* *rule NULL: there is none. */
static sbx_status find(const sbx_rules *rules, const WCHAR *name_w, INetFwRule3 **rule, sbx_error *err)
{
    INetFwRule *found = NULL;
    const BSTR name = automation.SysAllocString(name_w);
    HRESULT hr = name ? INetFwRules_Item(rules->rules, name, &found) : E_OUTOFMEMORY;

    *rule = NULL;
    automation.SysFreeString(name);
    if (hr == HRESULT_FROM_WIN32(ERROR_FILE_NOT_FOUND))
        return SBX_OK;
    if (SUCCEEDED(hr)) {
        hr = INetFwRule_QueryInterface(found, &is_rule, (void **)rule);
        INetFwRule_Release(found);
    }
    return FAILED(hr) ? failed(hr, "INetFwRules::Item", err) : SBX_OK;
}

static sbx_status users_of(const sbx_machine_user *user, uint16_t **list_w, sbx_error *err)
{
    sbx_text list = {0};
    sbx_status st;

    sbx_filter_users_rule(user, &list);
    st = list.failed ? sbx_fail_memory(err) : sbx_wide(list.data, "users of a rule", list_w, err);
    sbx_text_fini(&list);
    return st;
}

typedef HRESULT(STDMETHODCALLTYPE *get_text)(INetFwRule3 *, BSTR *);
typedef HRESULT(STDMETHODCALLTYPE *put_text)(INetFwRule3 *, BSTR);

static HRESULT put(INetFwRule3 *rule, put_text function, const WCHAR *value_w)
{
    const BSTR value = automation.SysAllocString(value_w);
    const HRESULT hr = value ? function(rule, value) : E_OUTOFMEMORY;

    automation.SysFreeString(value);
    return hr;
}

/* Nothing that narrows the rule. */
static int is_unset(INetFwRule3 *rule, get_text function, const WCHAR *everything_w)
{
    BSTR got = NULL;
    int unset;

    if (FAILED(function(rule, &got)))
        return 0;
    unset = !got || !*got || (everything_w && !_wcsicmp(got, everything_w));
    automation.SysFreeString(got);
    return unset;
}

/* Whom that ACE admits to the filter that becomes of the rule, whatever else it gives; NULL: nobody, or it denies. */
static SID *admitted(ACL *list, DWORD index)
{
    ACCESS_ALLOWED_ACE *ace;

    return GetAce(list, index, (void **)&ace) && ace->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
                   !(ace->Header.AceFlags & INHERIT_ONLY_ACE) && ace->Mask & MATCH_FILTER
               ? (SID *)&ace->SidStart
               : NULL;
}

static int all_in(ACL *list, ACL *other)
{
    DWORD i, k;
    SID *one, *another;

    for (i = 0; i < list->AceCount; i++) {
        if ((one = admitted(list, i)) == NULL)
            return 0;
        for (k = 0; k < other->AceCount && ((another = admitted(other, k)) == NULL || !EqualSid(one, another)); k++)
            ;
        if (k == other->AceCount)
            return 0;
    }
    return 1;
}

/* Just those users: the list is kept as text, and comes back as the service writes it. */
static int same_users(const WCHAR *one_w, const WCHAR *other_w)
{
    const WCHAR *const texts_w[2] = {one_w, other_w};
    PSECURITY_DESCRIPTOR made[2] = {NULL, NULL};
    ACL *lists[2] = {NULL, NULL};
    BOOL there = FALSE, defaulted;
    uint32_t i;
    int same;

    for (i = 0; i < 2; i++)
        if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(texts_w[i], SDDL_REVISION_1, &made[i], NULL) ||
            !GetSecurityDescriptorDacl(made[i], &there, &lists[i], &defaulted) || !there)
            break;
    same = lists[0] && lists[1] && all_in(lists[0], lists[1]) && all_in(lists[1], lists[0]);
    LocalFree(made[0]);
    LocalFree(made[1]);
    return same;
}

static int is_right(INetFwRule3 *rule, NET_FW_RULE_DIRECTION direction, const WCHAR *list_w)
{
    const INetFwRule3Vtbl *of = rule->lpVtbl;
    NET_FW_RULE_DIRECTION got_direction = NET_FW_RULE_DIR_MAX;
    NET_FW_ACTION action = NET_FW_ACTION_MAX;
    VARIANT_BOOL enabled = VARIANT_FALSE;
    LONG profiles = 0, protocol = 0, secure = 0;
    BSTR text = NULL;
    int right;

    if (FAILED(of->get_Direction(rule, &got_direction)) || got_direction != direction ||
        FAILED(of->get_Action(rule, &action)) || action != NET_FW_ACTION_BLOCK ||
        FAILED(of->get_Enabled(rule, &enabled)) || !enabled || FAILED(of->get_Profiles(rule, &profiles)) ||
        (profiles & 7) != 7 || FAILED(of->get_Protocol(rule, &protocol)) || protocol != ANY_PROTOCOL ||
        FAILED(of->get_SecureFlags(rule, &secure)) || secure || !is_unset(rule, of->get_ApplicationName, NULL) ||
        !is_unset(rule, of->get_ServiceName, NULL) || /* here "*" is any service, and no program */
        !is_unset(rule, of->get_LocalAddresses, L"*") || !is_unset(rule, of->get_RemoteAddresses, L"*") ||
        !is_unset(rule, of->get_InterfaceTypes, L"All") || !is_unset(rule, of->get_LocalAppPackageId, NULL) ||
        !is_unset(rule, of->get_RemoteUserAuthorizedList, NULL) ||
        !is_unset(rule, of->get_RemoteMachineAuthorizedList, NULL))
        return 0;
    right = SUCCEEDED(of->get_Grouping(rule, &text)) && text && !wcscmp(text, L"sbx");
    automation.SysFreeString(text);
    text = NULL;
    right = right && SUCCEEDED(of->get_LocalUserAuthorizedList(rule, &text)) && text && same_users(text, list_w);
    automation.SysFreeString(text);
    return right;
}

sbx_status sbx_rules_look(const sbx_rules *rules, const sbx_machine_user *user, uint32_t *state, sbx_error *err)
{
    INetFwRule3 *rule;
    WCHAR name_w[NAME_MAX];
    uint16_t *list_w = NULL;
    uint32_t i, there = 0, right = 0;
    sbx_status st = users_of(user, &list_w, err);

    for (i = 0; i < 2 && st == SBX_OK; i++) {
        name_of(user->number, directions[i], name_w);
        if ((st = find(rules, name_w, &rule, err)) != SBX_OK || !rule)
            continue;
        there++;
        right += (uint32_t)is_right(rule, directions[i], list_w);
        INetFwRule3_Release(rule);
    }
    *state = !there ? 0 : right == 2 ? 1 : 2;
    sbx_free(list_w);
    return st;
}

static sbx_status add(const sbx_rules *rules, uint32_t user, NET_FW_RULE_DIRECTION direction, const WCHAR *list_w,
                      sbx_error *err)
{
    INetFwRule3 *rule = NULL;
    WCHAR name_w[NAME_MAX];
    const char *op = "CoCreateInstance";
    HRESULT hr = ole.CoCreateInstance(&class_rule, NULL, CLSCTX_INPROC_SERVER, &is_rule, (void **)&rule);

    if (FAILED(hr))
        return failed(hr, op, err);
    name_of(user, direction, name_w);
    op = "INetFwRule3";
    if (SUCCEEDED(hr = put(rule, rule->lpVtbl->put_Name, name_w)) &&
        SUCCEEDED(
            hr = put(rule, rule->lpVtbl->put_Description, L"Made by sbx setup; sbx setup --remove takes it away.")) &&
        SUCCEEDED(hr = put(rule, rule->lpVtbl->put_Grouping, L"sbx")) &&
        SUCCEEDED(hr = put(rule, rule->lpVtbl->put_LocalUserAuthorizedList, list_w)) &&
        SUCCEEDED(hr = INetFwRule3_put_Direction(rule, direction)) &&
        SUCCEEDED(hr = INetFwRule3_put_Action(rule, NET_FW_ACTION_BLOCK)) &&
        SUCCEEDED(hr = INetFwRule3_put_Profiles(rule, NET_FW_PROFILE2_ALL)) &&
        SUCCEEDED(hr = INetFwRule3_put_Enabled(rule, VARIANT_TRUE))) {
        op = "INetFwRules::Add";
        hr = INetFwRules_Add(rules->rules, (INetFwRule *)rule);
    }
    INetFwRule3_Release(rule);
    return FAILED(hr) ? failed(hr, op, err) : SBX_OK;
}

sbx_status sbx_rules_replace(const sbx_rules *rules, const sbx_machine_user *user, sbx_error *err)
{
    uint16_t *list_w = NULL;
    uint32_t i;
    sbx_status st = users_of(user, &list_w, err);

    if (st == SBX_OK)
        st = sbx_rules_remove(rules, user->number, err);
    for (i = 0; i < 2 && st == SBX_OK; i++)
        st = add(rules, user->number, directions[i], list_w, err);
    sbx_free(list_w);
    return st;
}

sbx_status sbx_rules_remove(const sbx_rules *rules, uint32_t user, sbx_error *err)
{
    INetFwRule3 *rule;
    WCHAR name_w[NAME_MAX];
    BSTR name;
    uint32_t i;
    HRESULT hr;
    sbx_status st = SBX_OK;

    for (i = 0; i < 2 && st == SBX_OK; i++) {
        name_of(user, directions[i], name_w);
        while ((st = find(rules, name_w, &rule, err)) == SBX_OK && rule) {
            INetFwRule3_Release(rule);
            name = automation.SysAllocString(name_w);
            hr = name ? INetFwRules_Remove(rules->rules, name) : E_OUTOFMEMORY;
            automation.SysFreeString(name);
            if (FAILED(hr)) {
                st = failed(hr, "INetFwRules::Remove", err);
                break;
            }
        }
    }
    return st;
}

int sbx_rules_kept(uint32_t user)
{
    WCHAR *text_w = sbx_alloc(TEXT_MAX * sizeof(*text_w)), name_w[NAME_MAX], part_w[NAME_MAX + 8], id_w[256];
    DWORD id, size, i;
    LONG code;
    HKEY key;
    int kept = 0, k;

    if (!text_w || RegOpenKeyExW(HKEY_LOCAL_MACHINE, STORE, 0, KEY_QUERY_VALUE, &key)) {
        sbx_free(text_w);
        return 0;
    }
    for (i = 0; !kept; i++) {
        id = 256;
        size = (TEXT_MAX - 1) * sizeof(*text_w);
        code = RegEnumValueW(key, i, id_w, &id, NULL, NULL, (BYTE *)text_w, &size);
        if (code == ERROR_MORE_DATA)
            continue;
        if (code)
            break;
        text_w[size / sizeof(*text_w)] = 0;
        for (k = 0; k < 2 && !kept; k++) {
            name_of(user, directions[k], name_w);
            swprintf(part_w, NAME_MAX + 8, L"|Name=%ls|", name_w);
            kept = wcsstr(text_w, part_w) != NULL;
        }
    }
    RegCloseKey(key);
    sbx_free(text_w);
    return kept;
}
