/*
 * The loader against backends that break the rules, each refused with the words that a person
 * sees; then the same folder through sbx.exe, sbx-runner.exe and sbx-setup.exe.
 *
 * Crashes are seen from outside: this program starts itself with "--call NAME".
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <windows.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

#include <cJSON.h>

#include "base/mimalloc.h"
#include "base/talk.h"
#include "base/text.h"
#include "plugin/plugin.h"
#include "plugin/start.h"
#include "run.h"
#include "win/error.h"
#include "win/file.h"
#include "win/user.h"
#include "win/wide.h"

static char notes[512];

static void on_log(void *context, uint32_t level, const char *text)
{
    (void)context;
    if (level == SBX_LOG_WARN)
        snprintf(notes, sizeof(notes), "%s", text);
}

static const char *dir_of(const char *rest)
{
    static char text[1200];

    snprintf(text, sizeof(text), "%s\\%s", sbx_plugin_program_dir(), rest);
    return text;
}

/* The status, and the message without the folder before the file's name. */
static sbx_status refusal(const char *name, char *words, size_t size)
{
    sbx_plugin *plugin = NULL;
    sbx_error err = {0};
    char text[2048];
    const char *folder = dir_of("backends\\");
    sbx_status st = sbx_plugin_load(name, &plugin, &err);

    sbx_plugin_free(plugin);
    words[0] = 0;
    if (st == SBX_OK)
        return st;
    sbx_error_describe(&err, text, sizeof(text));
    snprintf(words, size, "%s", strncmp(text, folder, strlen(folder)) ? text : text + strlen(folder));
    return st;
}

static void assert_refused(const char *name, sbx_status status, const char *expected)
{
    char words[2048];

    assert_int_equal(refusal(name, words, sizeof(words)), status);
    assert_string_equal(words, expected);
}

#define BROKE "the backend broke the rules of its interface"

static void test_broken(void **state)
{
    (void)state;
    assert_refused("broken-export", SBX_E_BACKEND, "broken-export.dll: it does not export sbx_backend_entry: " BROKE);
    assert_refused("broken-null", SBX_E_BACKEND, "broken-null.dll: it gave no table: " BROKE);
    assert_refused("broken-abi", SBX_E_BACKEND, "broken-abi.dll: built for interface 3.3, this sbx has 2.1: " BROKE);
    assert_refused("broken-short", SBX_E_BACKEND, "broken-short.dll: its table is too short (24 of 136 bytes): " BROKE);
    assert_refused("broken-function", SBX_E_BACKEND, "broken-function.dll: it has no function \"verify\": " BROKE);
    assert_refused("broken-claims", SBX_E_BACKEND, "broken-claims.dll: its claims contradict each other: " BROKE);
    assert_refused("broken-name", SBX_E_BACKEND, "broken-name.dll: it calls itself \"trusted\": " BROKE);
}

static void test_attach(void **state)
{
    char words[2048];

    (void)state;
    assert_int_equal(refusal("broken-attach", words, sizeof(words)), SBX_E_BACKEND);
    assert_non_null(strstr(words, "broken-attach.dll: LoadLibraryExW: "));
    assert_non_null(strstr(words, "(win32 1114)"));
}

static void test_names(void **state)
{
    static const char *const wrong[] = {
        "", "..\\none", "none.dll", "C:\\none", "a b", "\xC3\xA4", "con", "com1", "abcdefghijklmnopqrstuvwxyz0123456"};
    sbx_plugin *plugin = NULL;
    sbx_error err;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(sbx_plugin_load(wrong[i], &plugin, &err), SBX_E_USAGE);
        assert_null(plugin);
        assert_string_equal(err.op, "not the name of a backend");
    }
    assert_int_equal(sbx_plugin_load("nowhere", &plugin, &err), SBX_E_UNAVAILABLE);
    assert_string_equal(err.op, "there is no such backend");
    assert_non_null(strstr(err.hint, "there are: broken-abi, broken-attach"));
    assert_int_equal(sbx_plugin_load("NONE", &plugin, &err), SBX_OK);
    assert_string_equal(sbx_plugin_backend(plugin)->name, "none");
    sbx_plugin_free(plugin);
}

static void test_one_at_a_time(void **state)
{
    sbx_plugin *plugin = NULL, *other = NULL;
    sbx_error err;

    (void)state;
    assert_int_equal(sbx_plugin_load("none", &plugin, &err), SBX_OK);
    assert_int_equal(sbx_plugin_load("template", &other, &err), SBX_E_REFUSED);
    sbx_plugin_free(plugin);
    assert_int_equal(sbx_plugin_load("template", &other, &err), SBX_OK);
    sbx_plugin_free(other);
}

/* ---- answers that break the rules ---- */

static sbx_policy policy_with(uint32_t require)
{
    sbx_policy policy = {0};

    policy.size = sizeof(policy);
    policy.workspace = policy.cwd = "C:\\";
    policy.require = require;
    policy.run_id = "0123456789abcdef0123456789abcdef";
    return policy;
}

static sbx_status open_of(const char *name, uint32_t require, sbx_error *err)
{
    const sbx_policy policy = policy_with(require);
    sbx_guarantees guarantees = {0};
    sbx_session *session = NULL;
    sbx_plugin *plugin = NULL;
    sbx_env_edits edits = {0};
    sbx_status st;

    assert_int_equal(sbx_plugin_load(name, &plugin, err), SBX_OK);
    st = sbx_plugin_backend(plugin)->open(&policy, 0, &session, &guarantees, err);
    if (st == SBX_OK) {
        assert_non_null(session);
        assert_int_equal(guarantees.enforced, SBX_AREA_PROCESS_TREE);
        st = sbx_plugin_backend(plugin)->environment(session, &edits, err);
        sbx_plugin_backend(plugin)->close(session);
    } else {
        assert_null(session);
    }
    sbx_plugin_free(plugin);
    return st;
}

static void test_answers(void **state)
{
    sbx_plugin *plugin = NULL;
    sbx_error err = {0};

    (void)state;
    assert_int_equal(open_of("broken-sound", 0, &err), SBX_OK);
    assert_int_equal(open_of("broken-session", 0, &err), SBX_E_BACKEND);
    assert_string_equal(err.op, "open: gave no session");
    assert_int_equal(open_of("broken-boast", 0, &err), SBX_E_BACKEND);
    assert_string_equal(err.op, "open: guarantees more than it claims");
    assert_int_equal(open_of("broken-edits", 0, &err), SBX_E_BACKEND);
    assert_string_equal(err.op, "environment: an edit that is none");
    assert_int_equal(sbx_plugin_load("broken-status", &plugin, &err), SBX_OK);
    assert_int_equal(sbx_plugin_backend(plugin)->probe(&err), SBX_E_BACKEND);
    assert_string_equal(err.op, "probe: gave a status that there is not");
    sbx_plugin_free(plugin);
}

/* A backend that forgets policy->require does not get through. */
static void test_require(void **state)
{
    sbx_error err = {0};

    (void)state;
    assert_int_equal(open_of("broken-sound", SBX_AREA_NETWORK, &err), SBX_E_REFUSED);
    assert_string_equal(err.object, "network");
    assert_int_equal(open_of("none", SBX_AREA_PROCESS_TREE, &err), SBX_OK);
    assert_string_equal(notes, "nothing is confined: files, network and desktop are as open as for you");
    assert_int_equal(open_of("none", SBX_AREA_FILE_WRITE, &err), SBX_E_REFUSED);
}

/* ---- the file ---- */

static void read_file(const char *file, char **data, size_t *length)
{
    assert_int_equal(sbx_file_read(dir_of(file), 16u << 20, data, length, NULL), SBX_OK);
}

static void write_backend(const char *file, const void *data, size_t length, const WCHAR *sddl)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    uint16_t *path_w = NULL;
    HANDLE handle;
    DWORD done = 0;

    assert_int_equal(sbx_wide(dir_of(file), "path", &path_w, NULL), SBX_OK);
    handle = CreateFileW((LPCWSTR)path_w, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    assert_true(handle != INVALID_HANDLE_VALUE);
    assert_true(WriteFile(handle, data, (DWORD)length, &done, NULL));
    CloseHandle(handle);
    if (sddl) {
        assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1, &descriptor, NULL));
        assert_true(SetFileSecurityW((LPCWSTR)path_w, DACL_SECURITY_INFORMATION, descriptor));
        LocalFree(descriptor);
    }
    sbx_free(path_w);
}

static void remove_backend(const char *file)
{
    uint16_t *path_w = NULL;

    assert_int_equal(sbx_wide(dir_of(file), "path", &path_w, NULL), SBX_OK);
    assert_true(DeleteFileW((LPCWSTR)path_w));
    sbx_free(path_w);
}

#if defined(__aarch64__)
#define OWN "ARM64"
#else
#define OWN "x64"
#endif

static void test_machine(void **state)
{
    IMAGE_DOS_HEADER dos;
    char *data = NULL;
    size_t length = 0;
    WORD machine = IMAGE_FILE_MACHINE_I386;

    (void)state;
    read_file("backends\\none.dll", &data, &length);
    memcpy(&dos, data, sizeof(dos));
    memcpy(data + dos.e_lfanew + 4, &machine, sizeof(machine));
    write_backend("backends\\crafted.dll", data, length, NULL);
    assert_refused("crafted", SBX_E_BACKEND, "crafted.dll: built for x86, this sbx is " OWN ": " BROKE);
    machine = 0x5032;
    memcpy(data + dos.e_lfanew + 4, &machine, sizeof(machine));
    write_backend("backends\\crafted.dll", data, length, NULL);
    assert_refused("crafted", SBX_E_BACKEND, "crafted.dll: built for machine 5032, this sbx is " OWN ": " BROKE);
    write_backend("backends\\crafted.dll", data, (size_t)dos.e_lfanew + 10, NULL);
    assert_refused("crafted", SBX_E_BACKEND, "crafted.dll: not a DLL: " BROKE);
    write_backend("backends\\crafted.dll", "text", 4, NULL);
    assert_refused("crafted", SBX_E_BACKEND, "crafted.dll: not a DLL: " BROKE);
    write_backend("backends\\crafted.dll", "", 0, NULL);
    assert_refused("crafted", SBX_E_BACKEND, "crafted.dll: not a DLL: " BROKE);
    remove_backend("backends\\crafted.dll");
    sbx_free(data);
}

static void test_writable_file(void **state)
{
    char *data = NULL;
    size_t length = 0;
    sbx_plugin *plugin = NULL;
    sbx_error err = {0};

    (void)state;
    read_file("backends\\none.dll", &data, &length);
    write_backend("backends\\open.dll", data, length, L"D:P(A;;FA;;;WD)");
    assert_int_equal(sbx_plugin_load("open", &plugin, &err), SBX_E_REFUSED);
    assert_string_equal(err.op, "others can change it");
    assert_non_null(strstr(err.object, "\\backends\\open.dll"));
    assert_non_null(strstr(err.hint, "Everyone can write there"));
    remove_backend("backends\\open.dll");
    sbx_free(data);
}

static void test_writable_folder(void **state)
{
    const SECURITY_INFORMATION what = DACL_SECURITY_INFORMATION;
    PSECURITY_DESCRIPTOR open = NULL;
    union {
        max_align_t align;
        char bytes[1024];
    } before;
    DWORD need = 0;
    sbx_plugin *plugin = NULL;
    sbx_error err = {0};
    uint16_t *path_w = NULL;
    sbx_status st;

    (void)state;
    assert_int_equal(sbx_wide(dir_of("backends"), "path", &path_w, NULL), SBX_OK);
    assert_true(GetFileSecurityW((LPCWSTR)path_w, what, before.bytes, sizeof(before), &need));
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(L"D:P(A;;FA;;;WD)", SDDL_REVISION_1, &open, NULL));
    assert_true(SetFileSecurityW((LPCWSTR)path_w, what, open));
    st = sbx_plugin_load("none", &plugin, &err);
    assert_true(SetFileSecurityW((LPCWSTR)path_w, what, before.bytes));
    assert_int_equal(st, SBX_E_REFUSED);
    assert_null(plugin);
    assert_string_equal(err.op, "others can change it");
    assert_string_equal(err.object, dir_of("backends"));
    assert_int_equal(sbx_plugin_load("none", &plugin, &err), SBX_OK);
    sbx_plugin_free(plugin);
    LocalFree(open);
    sbx_free(path_w);
}

/* ---- from outside ---- */

static void test_crash(void **state)
{
    (void)state;
    sbx_assert_run("plugin.exe\" --call broken-crash", 125,
                   "plugin: backend \"broken-crash\": crashed in sbx_backend_entry (exception 0xC0000005)\n");
    sbx_assert_run("plugin.exe\" --call broken-open", 125,
                   "plugin: backend \"broken-open\": crashed in open (exception 0xC0000005)\n");
}

/* Each ends sbx after its ten seconds, and the command has not run.  All at once: the time is the same for all. */
static void test_hang(void **state)
{
    static const struct {
        const char *name, *function;
    } hangs[] = {
        {"broken-hang", "sbx_backend_entry"}, {"broken-attach-hang", "DllMain"}, {"broken-probe-hang", "probe"}};
    char line[2048], expected[256], *data = NULL;
    sbx_running running[3];
    sbx_text output;
    size_t length = 0, i;

    (void)state;
    for (i = 1; i < 3; i++) {
        snprintf(line, sizeof(line), "slow\\%s.dll", hangs[i].name);
        read_file(line, &data, &length);
        snprintf(line, sizeof(line), "backends\\%s.dll", hangs[i].name);
        write_backend(line, data, length, NULL);
        sbx_free(data);
    }
    for (i = 0; i < 3; i++) {
        snprintf(line, sizeof(line), "sbx.exe\" --backend %s --report \"%s\\hang-%u.json\" -- cmd /c echo it ran",
                 hangs[i].name, sbx_plugin_program_dir(), (unsigned)i);
        sbx_run_begin(line, NULL, 0, &running[i]);
    }
    for (i = 0; i < 3; i++) {
        output = (sbx_text){0};
        assert_int_equal(sbx_run_end(&running[i], &output), 125);
        snprintf(line, sizeof(line), "backends\\%s.dll", hangs[i].name);
        if (i)
            remove_backend(line);
        snprintf(expected, sizeof(expected), "sbx: backend \"%s\": does not answer in %s (10 s)\n", hangs[i].name,
                 hangs[i].function);
        assert_string_equal(output.data, expected);
        sbx_text_fini(&output);
        snprintf(line, sizeof(line), "hang-%u.json", (unsigned)i);
        read_file(line, &data, &length);
        snprintf(expected, sizeof(expected), "\"message\": \"%s: does not answer in %s\"", hangs[i].name,
                 hangs[i].function);
        assert_non_null(strstr(data, expected));
        sbx_free(data);
    }
}

/* The messages of sbx-runner.exe in what it wrote: their types, and the last body's first text. */
static uint32_t next_frame(const sbx_text *output, size_t *at, sbx_frame_body *body)
{
    sbx_frame_head head;

    assert_true(*at + SBX_FRAME_HEAD <= output->length);
    assert_int_equal(sbx_frame_head_read((const uint8_t *)output->data + *at, SBX_FRAME_MAX, NULL, &head, NULL),
                     SBX_OK);
    assert_true(*at + SBX_FRAME_HEAD + head.length <= output->length);
    body->bytes = (const uint8_t *)output->data + *at + SBX_FRAME_HEAD;
    body->length = head.length;
    body->at = 0;
    *at += SBX_FRAME_HEAD + head.length;
    return head.type;
}

/* Says who it is, hears `input`, and refuses it. */
static void check_runner(const char *input, size_t length, sbx_status status, const char *op, const char *object)
{
    sbx_arena arena = {NULL};
    sbx_frame_body body = {.arena = &arena};
    sbx_talk_hello hello;
    sbx_error said;
    sbx_text output = {0};
    size_t at = 0;

    assert_int_equal(sbx_run("sbx-runner.exe\"", input, length, &output), 125);
    assert_int_equal(next_frame(&output, &at, &body), SBX_TALK_HELLO);
    assert_int_equal(sbx_talk_hello_get(&body, &hello, NULL), SBX_OK);
    assert_string_equal(hello.version, SBX_VERSION);
    assert_int_equal(next_frame(&output, &at, &body), SBX_TALK_FAILED);
    assert_int_equal(sbx_talk_failed_get(&body, &said, NULL), SBX_OK);
    assert_int_equal(said.status, status);
    assert_string_equal(said.op, op);
    assert_string_equal(said.object, object);
    assert_int_equal(at, output.length);
    sbx_text_fini(&output);
    sbx_arena_fini(&arena);
}

static void test_runner(void **state)
{
    static const uint16_t text_w[] = {'x', 0}, block_w[] = {0, 0};
    sbx_talk_request request = {.account_sid = "S-1-5-18",
                                .program_w = text_w,
                                .command_w = text_w,
                                .cwd_w = text_w,
                                .environment_w = block_w,
                                .environment_units = 2,
                                .handles = {0x70000, 0x70004, 0x70008},
                                .job = 0x7000C};
    sbx_user_sid user;
    char own[192];
    sbx_text frame = {0};

    (void)state;
    sbx_user_get(&user, NULL);
    sbx_user_sid_text(user.u.bytes, own, sizeof(own));
    check_runner("", 0, SBX_E_UNAVAILABLE, "it ended", "sbx");
    check_runner("these are twelve bytes", 22, SBX_E_REFUSED, "what it says is no message of sbx", "sbx");
    sbx_talk_signal_put(&frame, 0);
    check_runner(frame.data, frame.length, SBX_E_REFUSED, "it said what it was not asked for", "sbx"); /* early */
    frame.data[6] = 99;
    check_runner(frame.data, frame.length, SBX_E_REFUSED, "its message is too long",
                 "sbx"); /* of no type that there is */
    sbx_text_fini(&frame);
    request.backend = "template";
    sbx_talk_request_put(&frame, &request);
    check_runner(frame.data, frame.length - 1, SBX_E_UNAVAILABLE, "it ended", "sbx");
    check_runner(frame.data, SBX_FRAME_HEAD / 2, SBX_E_UNAVAILABLE, "it ended", "sbx");
    frame.data[4]++;
    check_runner(frame.data, frame.length, SBX_E_REFUSED, "it is of a version that this one cannot talk to", "sbx");
    frame.data[4]--;
    frame.data[11] = 1; /* more than any message may have; who believed it would wait for that */
    check_runner(frame.data, frame.length, SBX_E_REFUSED, "its message is too long", "sbx");
    frame.data[11] = 0;
    frame.data[frame.length - 12]++; /* the width of a terminal that is not there */
    check_runner(frame.data, frame.length, SBX_E_REFUSED, "a field is malformed", "sbx: size");
    frame.data[frame.length - 12]--;
    check_runner(frame.data, frame.length, SBX_E_REFUSED, "this is not the account that was meant", own);
    sbx_text_fini(&frame);
    request.account_sid = own;
    sbx_talk_request_put(&frame, &request);
    check_runner(frame.data, frame.length, SBX_E_REFUSED, "token", "ticket");
    sbx_text_fini(&frame);
    request.backend = "none";
    sbx_talk_request_put(&frame, &request);
    check_runner(frame.data, frame.length, SBX_E_UNSUPPORTED, "its commands run as the user", "none");
    sbx_text_fini(&frame);
}

static void set_fail(int on)
{
    DWORD one = 1;

    if (on)
        RegSetKeyValueW(HKEY_CURRENT_USER, L"Software\\sbx-template", L"fail", REG_DWORD, &one, sizeof(one));
    else
        RegDeleteKeyValueW(HKEY_CURRENT_USER, L"Software\\sbx-template", L"fail");
}

/* A folder of that owner and exactly those rights, as somebody may have made it before. */
static int make_folder(const WCHAR *path_w, const WCHAR *sddl)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    BOOL made;

    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1,
                                                                     &attributes.lpSecurityDescriptor, NULL));
    made = CreateDirectoryW(path_w, &attributes) &&
           SetFileSecurityW(path_w, DACL_SECURITY_INFORMATION, attributes.lpSecurityDescriptor);
    LocalFree(attributes.lpSecurityDescriptor);
    return made;
}

/* Whether what this program makes can belong to Administrators: it is elevated, and the system keeps owners. */
static int keeps_owners(void)
{
    static const BYTE administrators[] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 32, 2, 0, 0};
    union {
        SECURITY_DESCRIPTOR descriptor;
        BYTE bytes[1024];
    } sd;
    WCHAR path_w[MAX_PATH + 16];
    DWORD need = 0;
    PSID owner = NULL;
    BOOL defaulted = FALSE;
    int keeps;

    assert_true(GetTempPathW(MAX_PATH, path_w));
    wcscat_s(path_w, MAX_PATH + 16, L"sbx-owner");
    if (!make_folder(path_w, L"O:BAD:P(A;;FA;;;BA)(A;;FA;;;WD)"))
        return 0;
    assert_true(GetFileSecurityW(path_w, OWNER_SECURITY_INFORMATION, &sd, sizeof(sd), &need));
    assert_true(GetSecurityDescriptorOwner(&sd, &owner, &defaulted));
    keeps = EqualSid(owner, (PSID)(uintptr_t)administrators) != 0;
    assert_true(RemoveDirectoryW(path_w));
    return keeps;
}

/* One that somebody made before is not taken over, and says who could change it. */
static void refuses_folder(const WCHAR *path_w, const WCHAR *sddl, const char *part)
{
    sbx_text output = {0};
    uint32_t code;

    if (!make_folder(path_w, sddl))
        fail_msg("CreateDirectoryW: %lu", GetLastError());
    code = sbx_run("sbx-setup.exe\" --apply template", NULL, 0, &output);
    assert_true(RemoveDirectoryW(path_w)); /* nothing was put there */
    if (code != 125 || !strstr(output.data, part))
        print_message("%ls: %u\n%s", sddl, code, output.data);
    assert_int_equal(code, 125);
    assert_non_null(strstr(output.data, "\\sbx: others can change it: refused\n"));
    assert_non_null(strstr(output.data, part));
    sbx_text_fini(&output);
    sbx_assert_run_has("sbx-setup.exe\" --status template", 0, "template: absent   one");
}

static void test_setup_folder(void **state)
{
    WCHAR path_w[MAX_PATH + 16], mine[512];
    WCHAR *sid = NULL;
    union {
        TOKEN_USER user;
        BYTE bytes[256];
    } u;
    HANDLE token = NULL;
    DWORD need = 0;

    (void)state;
    assert_true(GetEnvironmentVariableW(L"ProgramData", path_w, MAX_PATH));
    wcscat_s(path_w, MAX_PATH + 16, L"\\sbx");
    swprintf(mine, 512, L"%ls\\setup-template.journal", path_w);
    DeleteFileW(mine); /* whatever a test that failed has left */
    RemoveDirectoryW(path_w);
    if (!keeps_owners()) {
        print_message("not judged here: nothing belongs to Administrators, so setup refuses\n");
        sbx_assert_run_has("sbx-setup.exe\" --apply template", 125, "");
        RemoveDirectoryW(path_w);
        skip();
    }
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    assert_true(GetTokenInformation(token, TokenUser, &u, sizeof(u), &need));
    assert_true(ConvertSidToStringSidW(u.user.User.Sid, &sid));
    CloseHandle(token);
    /* the user's own, made without rights: a program of theirs can always change its access list */
    swprintf(mine, 512, L"O:%lsD:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)", sid);
    refuses_folder(path_w, mine, " owns it; let only administrators do that; remove it, and setup makes it anew\n");
    swprintf(mine, 512, L"O:BAD:P(A;OICI;FA;;;BA)(A;;0x2;;;%ls)", sid);
    refuses_folder(path_w, mine, " can write there; let only administrators do that; remove it,");
    LocalFree(sid);
    /* what setup makes in it would be others' */
    refuses_folder(path_w, L"O:BAD:P(A;OICI;FA;;;BA)(A;OICIIO;FA;;;BU)", "Users can write there;");
    refuses_folder(path_w, L"O:BAD:(A;OICI;FA;;;BA)", "it takes access rights from the folder above; give it its own;");
    /* and one that is right is used, and goes with what is undone */
    assert_true(make_folder(path_w, L"O:BAD:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)"));
    sbx_assert_run_has("sbx-setup.exe\" --apply template", 0, "template: done     three");
    assert_false(RemoveDirectoryW(path_w));
    sbx_assert_run_has("sbx-setup.exe\" --remove template", 0, "template: undone   one");
    assert_int_equal(GetFileAttributesW(path_w), INVALID_FILE_ATTRIBUTES);
}

#define PROGRAMS "what runs with other rights is copied to where only administrators write\n"

/* Exactly this, behind the line about the copy where one is made. */
static void assert_setup(const char *line, uint32_t code, int copied, const char *expected)
{
    static const char head[] = "setup: copied to C:\\Program Files\\sbx\\setup\\" SBX_VERSION "-";
    sbx_text output = {0};
    const char *text;
    uint32_t got;

    got = sbx_run(line, NULL, 0, &output);
    text = output.data;
    if (copied && !strncmp(text, head, sizeof(head) - 1))
        text += sizeof(head) - 1 + 16 + 1;
    if (got != code || strcmp(text, expected) || (copied && text == output.data))
        fail_msg("%s: %u\n%s", line, (unsigned)got, output.data);
    sbx_text_fini(&output);
}

/* What is in the folder of the copies, by its name; 0: it is not there. */
static int copies(WCHAR name_w[64])
{
    WIN32_FIND_DATAW entry;
    HANDLE find = FindFirstFileW(L"C:\\Program Files\\sbx\\setup\\*", &entry);
    int count = 0;

    if (find == INVALID_HANDLE_VALUE)
        return 0;
    do
        if (entry.cFileName[0] != L'.') {
            count++;
            wcsncpy_s(name_w, 64, entry.cFileName, 63);
        }
    while (FindNextFileW(find, &entry));
    FindClose(find);
    return count;
}

static void test_setup(void **state)
{
    static const char absent[] = "template: absent   programs                 " PROGRAMS
                                 "template: absent   one                      the first value\n"
                                 "template: absent   two                      the second value\n"
                                 "template: absent   three                    the third value\n";
    static const char present[] = "template: present  programs                 " PROGRAMS
                                  "template: present  one                      the first value\n"
                                  "template: present  two                      the second value\n"
                                  "template: present  three                    the third value\n";
    static const char to_do[] = "template: to do    programs                 " PROGRAMS
                                "template: to do    one                      the first value\n"
                                "template: to do    two                      the second value\n"
                                "template: to do    three                    the third value\n";
    static const char done[] = "template: present  programs                 " PROGRAMS
                               "template: done     one                      the first value\n"
                               "template: done     two                      the second value\n"
                               "template: done     three                    the third value\n";
    static const char undone[] = "template: undone   three                    the third value\n"
                                 "template: undone   two                      the second value\n"
                                 "template: undone   one                      the first value\n";
    sbx_text output = {0};
    WCHAR name_w[64];

    (void)state;
    set_fail(0);
    assert_setup("sbx-setup.exe\" --check template", 3, 0, "");
    if (!keeps_owners())
        skip();                                                     /* test_setup_folder says why */
    sbx_run("sbx-setup.exe\" --remove template", NULL, 0, &output); /* whatever an earlier test left */
    sbx_text_fini(&output);
    assert_int_equal(copies(name_w), 0);
    assert_setup("sbx-setup.exe\" --apply none", 0, 1, "backend \"none\" needs no setup\n");
    assert_int_equal(copies(name_w), 0); /* nothing is set up: nothing is needed */
    assert_setup("sbx-setup.exe\" --status template", 0, 0, absent);
    assert_setup("sbx-setup.exe\" --apply --dry-run template", 0, 0, to_do);
    assert_setup("sbx-setup.exe\" --check --list template", 3, 0, to_do);
    assert_setup("sbx-setup.exe\" --status template", 0, 0, absent);
    assert_int_equal(copies(name_w), 0);
    assert_setup("sbx-setup.exe\" --apply template", 0, 1, done);
    assert_int_equal(copies(name_w), 1);
    assert_setup("sbx-setup.exe\" --apply template", 0, 0, present);
    assert_setup("sbx-setup.exe\" --check template", 0, 0, "backend \"template\" is set up\n");
    assert_setup("sbx-setup.exe\" --status template", 0, 0, present);
    assert_setup("sbx-setup.exe\" --remove template", 0, 0, undone);
    assert_setup("sbx-setup.exe\" --check-remove template", 0, 0, "backend \"template\" has nothing to remove\n");
    assert_int_equal(copies(name_w), 0);
    /* the third step fails: it and the two before are undone, and nothing is left */
    set_fail(1);
    assert_int_equal(sbx_run("sbx-setup.exe\" --apply template", NULL, 0, &output), 125);
    assert_non_null(strstr(output.data, "template: done     two "));
    assert_non_null(strstr(output.data, "template: failed   three "));
    assert_non_null(strstr(output.data, undone));
    assert_non_null(strstr(output.data, "sbx-setup: three: apply: "));
    sbx_text_fini(&output);
    set_fail(0);
    assert_int_equal(copies(name_w), 0);
    assert_setup("sbx-setup.exe\" --status template", 0, 0, absent);
    assert_setup("sbx-setup.exe\" --remove template", 0, 1, "");
    assert_int_equal(copies(name_w), 0);
}

static const cJSON *find_backend(const cJSON *root, const char *name)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(root, "backends");

    cJSON_ArrayForEach(item, list)
    {
        if (!strcmp(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "name")), name))
            return item;
    }
    return NULL;
}

static void assert_listed(const cJSON *root, const char *name, const char *expected_state, const char *operation)
{
    const cJSON *item = find_backend(root, name);
    const cJSON *error;

    assert_non_null(item);
    assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "state")), expected_state);
    error = cJSON_GetObjectItemCaseSensitive(item, "error");
    if (operation)
        assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(error, "operation")), operation);
    else
        assert_true(cJSON_IsNull(error));
}

/* All are listed, although one crashes and one never answers. */
static void test_listing(void **state)
{
    sbx_text output = {0};
    cJSON *root;

    (void)state;
    assert_int_equal(sbx_run("sbx.exe\" backends --json", NULL, 0, &output), 0);
    root = cJSON_Parse(output.data);
    if (!root)
        print_message("%s", output.data);
    assert_non_null(root);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(root, "backends")), 22);
    assert_listed(root, "none", "available", NULL);
    assert_listed(root, "template", "unavailable", "not set up");
    assert_listed(root, "broken-abi", "refused", "built for interface 3.3, this sbx has 2.1");
    assert_listed(root, "broken-crash", "refused", "crashed in sbx_backend_entry (exception 0xC0000005)");
    assert_listed(root, "broken-hang", "refused", "it did not answer within 5 seconds");
    assert_listed(root, "broken-unavailable", "unavailable", "service");
    assert_listed(root, "broken-status", "refused", "probe: gave a status that there is not");
    cJSON_Delete(root);
    sbx_text_fini(&output);
}

/* Files of a test that was broken off. */
static int begin(void **state)
{
    static const char *const files[] = {"backends\\crafted.dll", "backends\\open.dll",
                                        "backends\\broken-attach-hang.dll", "backends\\broken-probe-hang.dll"};
    uint16_t *path_w = NULL;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (sbx_wide(dir_of(files[i]), "path", &path_w, NULL) != SBX_OK)
            return 1;
        DeleteFileW((LPCWSTR)path_w);
        sbx_free(path_w);
    }
    return 0;
}

/* The child of test_crash. */
static int call(const char *name)
{
    const sbx_policy policy = policy_with(0);
    sbx_guarantees guarantees = {0};
    sbx_session *session = NULL;
    sbx_plugin *plugin = NULL;

    if (sbx_plugin_load(name, &plugin, NULL) == SBX_OK)
        sbx_plugin_backend(plugin)->open(&policy, 0, &session, &guarantees, NULL);
    return 1;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_attach),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_require),
        cmocka_unit_test(test_machine),
        cmocka_unit_test(test_writable_file),
        cmocka_unit_test(test_writable_folder),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_runner),
        cmocka_unit_test(test_setup),
        cmocka_unit_test(test_setup_folder),
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_hang),
    };
    const sbx_plugin_sink sink = {NULL, on_log, NULL, NULL};
    sbx_error err = {0};

    sbx_start("plugin");
    if (sbx_plugin_init(SBX_PROGRAM_SBX, "C:\\state", &sink, &err) != SBX_OK)
        return 2;
    if (argc == 3 && !strcmp(argv[1], "--call"))
        return call(argv[2]);
    sbx_run_folder(sbx_plugin_program_dir());
    /* cmocka catches exceptions of its own tests */
    return cmocka_run_group_tests_name("plugin", tests, begin, NULL);
}
