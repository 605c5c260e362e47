/*
 * Rules of the firewall on a machine that has one: whom they stop, what others may have made of them, and what is said where
 * they do not count.  Takes an administrator; the oracles are the store of the rules and programs of the accounts.
 */
#define COBJMACROS
#include "world.h"

#include <netfw.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "elevated/rules.h"
#include "elevated/steps.h"

#define OUTBOUND L"sbx1: commands without a network, outbound"
#define INBOUND L"sbx1: commands without a network, inbound"
#define STORE L"SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy\\FirewallRules"

static INetFwRules *store;

/* LAB_STATE, which only the lab heeds. */
static int is_machine(const char *state)
{
    const char *all = getenv("LAB_STATE");

    return all && strstr(all, state) != NULL;
}

/* Rules of the machine with that in their text; NULL: all. */
static uint32_t kept(const WCHAR *part_w)
{
    WCHAR id_w[256], text_w[8192];
    DWORD id = 256, size = sizeof(text_w) - sizeof(*text_w), i;
    uint32_t found = 0;
    HKEY key;

    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, STORE, 0, KEY_READ, &key))
        return 0;
    for (i = 0; !RegEnumValueW(key, i, id_w, &id, NULL, NULL, (BYTE *)text_w, &size); i++) {
        text_w[size / sizeof(*text_w)] = 0;
        found += !part_w || wcsstr(text_w, part_w);
        id = 256;
        size = sizeof(text_w) - sizeof(*text_w);
    }
    RegCloseKey(key);
    return found;
}

static INetFwRule3 *item(const WCHAR *name_w)
{
    static const IID is_rule = {0xb21563ff, 0xd696, 0x4222, {0xab, 0x46, 0x4e, 0x89, 0xb7, 0x3a, 0xb3, 0x4a}};
    INetFwRule *rule = NULL;
    INetFwRule3 *found = NULL;

    assert_int_equal(INetFwRules_Item(store, SysAllocString(name_w), &rule), S_OK);
    assert_int_equal(INetFwRule_QueryInterface(rule, &is_rule, (void **)&found), S_OK);
    INetFwRule_Release(rule);
    return found;
}

/* Without filters, so that what is refused is refused by rules. */
static void set_up_rules(const char *sid)
{
    uint32_t i;

    options_for(sid, 1, 0, 0);
    for (i = 0; i < count; i++)
        if (strcmp(steps[i].name, "filters") != 0 && strcmp(steps[i].name, "ready") != 0)
            apply(i);
}

static void test_second_layer(void **state)
{
    const uint32_t before = kept(NULL);
    uint32_t got;

    (void)state;
    set_up_rules(own_sid);
    assert_int_equal(kept(NULL), before + 2);
    assert_int_equal(kept(L"|Name=" OUTBOUND L"|"), 1);
    assert_int_equal(kept(L"|Name=" INBOUND L"|"), 1);
    got = reached_by(own_sid, 0);
    assert_int_equal(OUTSIDE(got), REFUSED_OUTSIDE);
    assert_int_equal(HERE(got), OPEN_HERE); /* which no rule is about */
    assert_int_not_equal(OUTSIDE(reached_by(own_sid, 1)), REFUSED_OUTSIDE);
    assert_int_not_equal(OUTSIDE(reached(SECOND, PASSWORD)), REFUSED_OUTSIDE);
    assert_string_equal(logged, "");
    undo_all();
    assert_int_equal(kept(NULL), before);
    assert_int_equal(state_named("rules"), 0);
}

static void put(INetFwRule3 *rule, HRESULT(STDMETHODCALLTYPE *function)(INetFwRule3 *, BSTR), const WCHAR *value_w)
{
    assert_int_equal(function(rule, SysAllocString(value_w)), S_OK);
}

/* The two users of a rule by another text; `turned`: the second one first. */
static void put_users(INetFwRule3 *rule, int turned, const WCHAR *format_w)
{
    WCHAR sids_w[2][128], list_w[1024];
    BSTR list = NULL;

    assert_int_equal(rule->lpVtbl->get_LocalUserAuthorizedList(rule, &list), S_OK);
    assert_int_equal(swscanf(list, L"O:LSD:(A;;CC;;;%127l[^)])(A;;CC;;;%127l[^)])", sids_w[0], sids_w[1]), 2);
    SysFreeString(list);
    swprintf(list_w, 1024, format_w, sids_w[turned], sids_w[!turned], sids_w[turned]);
    put(rule, rule->lpVtbl->put_LocalUserAuthorizedList, list_w);
}

#define SPOILED 15u

static void spoil(INetFwRule3 *rule, uint32_t way)
{
    switch (way) {
    case 0:
        assert_int_equal(INetFwRule3_put_Enabled(rule, VARIANT_FALSE), S_OK);
        break;
    case 1:
        assert_int_equal(INetFwRule3_put_Action(rule, NET_FW_ACTION_ALLOW), S_OK);
        break;
    case 2:
        assert_int_equal(INetFwRule3_put_Profiles(rule, NET_FW_PROFILE2_PRIVATE | NET_FW_PROFILE2_DOMAIN), S_OK);
        break;
    case 3:
        assert_int_equal(INetFwRule3_put_Protocol(rule, 6), S_OK);
        break;
    case 4:
        put(rule, rule->lpVtbl->put_RemoteAddresses, L"198.51.100.0/24");
        break;
    case 5:
        put(rule, rule->lpVtbl->put_LocalAddresses, L"198.51.100.1");
        break;
    case 6:
        put(rule, rule->lpVtbl->put_LocalUserAuthorizedList, L"O:LSD:(A;;CC;;;BA)");
        break;
    case 7: /* one of two accounts, by another's list */
        put(rule, rule->lpVtbl->put_LocalUserAuthorizedList, L"O:LSD:");
        break;
    case 8:
        put(rule, rule->lpVtbl->put_Grouping, L"theirs");
        break;
    case 9:
        put(rule, rule->lpVtbl->put_Name, L"theirs");
        break;
    case 10: /* one of them twice, and the other not */
        put_users(rule, 0, L"O:LSD:(A;;CC;;;%ls)(A;;CC;;;%.0ls%ls)");
        break;
    case 11:
        put_users(rule, 0, L"O:LSD:(D;;CC;;;%ls)(A;;CC;;;%ls)(A;;CC;;;%ls)");
        break;
    case 12:
        put_users(rule, 0, L"O:LSD:(A;OICIIO;CC;;;%ls)(A;;CC;;;%ls)");
        break;
    case 13: /* a right that no filter asks for */
        put_users(rule, 0, L"O:LSD:(A;;RC;;;%ls)(A;;CC;;;%ls)");
        break;
    default:
        assert_int_equal(INetFwRule3_put_Direction(rule, NET_FW_RULE_DIR_IN), S_OK);
        break;
    }
}

/* Words in the text of a rule that narrow it, which the lab keeps and does not act on. */
static void test_narrowed(void **state)
{
    static const WCHAR *const words_w[] = {L"Svc=*|", /* what services send, and nothing else */
                                           L"RUAuth=O:LSD:(A;;CC;;;BU)|", L"RMauth=O:LSD:(A;;CC;;;BU)|", L"Security=1|",
                                           L"App=*|"};
    WCHAR id_w[256], text_w[8192];
    DWORD id, size, i, word;
    HKEY key;

    (void)state;
    set_up_rules(own_sid);
    assert_int_equal(RegOpenKeyExW(HKEY_LOCAL_MACHINE, STORE, 0, KEY_READ | KEY_SET_VALUE, &key), 0);
    for (word = 0; word < sizeof(words_w) / sizeof(words_w[0]); word++) {
        for (i = 0, *text_w = 0; !wcsstr(text_w, OUTBOUND); i++) {
            id = 256;
            size = sizeof(text_w) - sizeof(*text_w);
            assert_int_equal(RegEnumValueW(key, i, id_w, &id, NULL, NULL, (BYTE *)text_w, &size), 0);
            text_w[size / sizeof(*text_w)] = 0;
        }
        wcscat(text_w, words_w[word]);
        size = (DWORD)((wcslen(text_w) + 1) * sizeof(*text_w));
        assert_int_equal(RegSetValueExW(key, id_w, 0, REG_SZ, (const BYTE *)text_w, size), 0);
        if (state_named("rules") != 2)
            fail_msg("%ls is not seen", words_w[word]);
        apply_named("rules");
        assert_int_equal(state_named("rules"), 1);
    }
    RegCloseKey(key);
    undo_all();
}

/* As the service may write it: that is still what setup made. */
static void test_other_forms(void **state)
{
    static const WCHAR *const lists_w[] = {
        L"O:LSD:(A;;0x1;;;%ls)(A;;CC;;;%ls)", L"D:(A;;CC;;;%ls)(A;;CC;;;%ls)(A;;CC;;;%ls)",
        L"O:SYG:SYD:PAI(A;;CCRC;;;%ls)(A;;CC;;;%ls)", L"O:LSD:(A;ID;CC;;;%ls)(A;OICI;CC;;;%ls)"};
    const INetFwRule3Vtbl *of;
    INetFwRule3 *rule;
    uint32_t i;

    (void)state;
    set_up_rules(own_sid);
    for (i = 0; i < 2 * sizeof(lists_w) / sizeof(lists_w[0]); i++) {
        rule = item(OUTBOUND);
        put_users(rule, i % 2, lists_w[i / 2]);
        INetFwRule3_Release(rule);
        if (state_named("rules") != 1)
            fail_msg("list %u is another one", (unsigned)i);
        apply_named("rules");
    }
    rule = item(OUTBOUND);
    of = rule->lpVtbl;
    assert_int_equal(
        INetFwRule3_put_Profiles(rule, NET_FW_PROFILE2_DOMAIN | NET_FW_PROFILE2_PRIVATE | NET_FW_PROFILE2_PUBLIC),
        S_OK);
    put(rule, of->put_LocalAddresses, L"*");
    put(rule, of->put_RemoteAddresses, L"*");
    put(rule, of->put_InterfaceTypes, L"all");
    put(rule, of->put_ServiceName, L"");
    INetFwRule3_Release(rule);
    assert_int_equal(state_named("rules"), 1);
    undo_all();
}

static void test_changed_by_others(void **state)
{
    INetFwRule3 *rule;
    uint32_t way;

    (void)state;
    set_up_rules(own_sid);
    for (way = 0; way < SPOILED; way++) {
        rule = item(OUTBOUND);
        spoil(rule, way);
        if (state_named("rules") != 2)
            fail_msg("way %u is not seen", (unsigned)way);
        apply_named("rules");
        if (way == 9) /* it has a name of others now */
            assert_int_equal(INetFwRules_Remove(store, SysAllocString(L"theirs")), S_OK);
        assert_int_equal(kept(L"|Name=sbx"), 2);
        INetFwRule3_Release(rule);
    }
    for (way = 0; way < 2; way++) { /* one of them, both */
        assert_int_equal(INetFwRules_Remove(store, SysAllocString(way ? OUTBOUND : INBOUND)), S_OK);
        assert_int_equal(state_named("rules"), way ? 0 : 2);
    }
    apply_named("rules");
    rule = item(OUTBOUND); /* several of one name: none is left */
    assert_int_equal(INetFwRules_Add(store, (INetFwRule *)rule), S_OK);
    INetFwRule3_Release(rule);
    assert_int_equal(kept(L"|Name=sbx"), 3);
    undo_all();
    assert_int_equal(kept(L"|Name=sbx"), 0);
}

static void test_users_apart(void **state)
{
    (void)state;
    set_up_rules(own_sid);
    set_up_rules(second_sid);
    assert_int_equal(kept(L"|Name=sbx"), 4);
    assert_int_equal(OUTSIDE(reached_by(second_sid, 0)), REFUSED_OUTSIDE);
    options_for(own_sid, 1, 0, 0);
    undo_all();
    assert_int_equal(kept(L"|Name=sbx1: "), 0);
    assert_int_equal(kept(L"|Name=sbx2: "), 2);
    assert_int_equal(OUTSIDE(reached_by(second_sid, 0)), REFUSED_OUTSIDE);
    options_for(second_sid, 1, 0, 0);
    undo_all();
    assert_int_equal(kept(L"|Name=sbx"), 0);
}

/* Where they do not count setup goes on, and says so, once. */
static void test_without_effect(void **state)
{
    const char *why = is_machine("firewall=stopped") ? "the firewall of Windows does not run"
                      : is_machine("firewall=off")   ? "the firewall is turned off"
                                                     : "a group policy overrides local rules";

    (void)state;
    set_up_rules(own_sid);
    assert_int_equal(kept(L"|Name=sbx"), is_machine("firewall=stopped") ? 0 : 2);
    assert_non_null(strstr(logged, why));
    assert_non_null(strstr(logged, "the filters hold without them"));
    *logged = 0;
    assert_int_equal(state_named("rules"), 1);
    assert_string_equal(logged, "");
    undo_all();
    assert_int_equal(kept(L"|Name=sbx"), 0);
}

/* Without the service nobody takes them away: what is kept is told, not forgotten. */
static void test_kept(void **state)
{
    static const WCHAR theirs_w[] =
        L"v2.30|Action=Block|Active=TRUE|Dir=Out|Name=sbx11: commands without a network, outbound|";
    static const WCHAR ours_w[] = L"v2.30|Action=Block|Active=TRUE|Dir=In|Name=" INBOUND L"|EmbedCtxt=sbx|";
    const sbx_setup_step *step;
    sbx_error err = {0};
    HKEY key;

    (void)state;
    set_up_rules(own_sid);
    step = &steps[step_of("rules")];
    assert_int_equal(RegCreateKeyExW(HKEY_LOCAL_MACHINE, STORE, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL), 0);
    assert_int_equal(RegSetValueExW(key, L"{sbx-test-1}", 0, REG_SZ, (const BYTE *)theirs_w, sizeof(theirs_w)), 0);
    assert_int_equal(step->undo(step, &err), SBX_OK);
    assert_int_equal(RegSetValueExW(key, L"{sbx-test-2}", 0, REG_SZ, (const BYTE *)ours_w, sizeof(ours_w)), 0);
    assert_int_equal(step->undo(step, &err), SBX_E_UNAVAILABLE);
    assert_string_equal(err.op, "its service (MpsSvc) does not run");
    assert_non_null(strstr(err.hint, "start it, and remove again"));
    assert_int_equal(RegDeleteValueW(key, L"{sbx-test-1}") | RegDeleteValueW(key, L"{sbx-test-2}"), 0);
    RegCloseKey(key);
    undo_all();
}

static int begin(void **state)
{
    static const CLSID class_policy = {0xe2b3c97f, 0x6ae1, 0x41ac, {0x81, 0x7a, 0xf6, 0xf9, 0x21, 0x66, 0xd7, 0xdd}};
    static const IID is_policy = {0x98325047, 0xc671, 0x4174, {0x8d, 0x81, 0xde, 0xfc, 0xd3, 0xf0, 0x31, 0x86}};
    INetFwPolicy2 *policy = NULL;

    if (world_begin(state) || FAILED(CoInitializeEx(NULL, COINIT_APARTMENTTHREADED)) ||
        FAILED(CoCreateInstance(&class_policy, NULL, CLSCTX_INPROC_SERVER, &is_policy, (void **)&policy)))
        return 1;
    return FAILED(INetFwPolicy2_get_Rules(policy, &store)) && !is_machine("firewall=stopped");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_second_layer), cmocka_unit_test(test_changed_by_others),
                                       cmocka_unit_test(test_other_forms), cmocka_unit_test(test_narrowed),
                                       cmocka_unit_test(test_users_apart)};
    const struct CMUnitTest without[] = {cmocka_unit_test(test_without_effect)};
    const struct CMUnitTest stopped[] = {cmocka_unit_test(test_without_effect), cmocka_unit_test(test_kept)};

    if (is_machine("firewall=stopped"))
        return cmocka_run_group_tests(stopped, begin, world_end);
    if (is_machine("firewall"))
        return cmocka_run_group_tests(without, begin, world_end);
    return cmocka_run_group_tests(tests, begin, world_end);
}
