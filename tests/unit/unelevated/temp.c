/* The private TEMP: created once, listed, held while the run lives, removed with whatever is in it and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <sddl.h>
#include <cmocka.h>

#include "base/memory.h"
#include "common/host.h"
#include "common/environment/temp.h"
#include "common/environment/temp_area.h"
#include "common/token/token.h"

static char base_dir[MAX_PATH], state_dir[MAX_PATH];
static const char run_id[] = "0123456789abcdef0123456789abcdef";
static uint8_t run_sid[SBX_RUN_SID_BYTES];
static char warned[512];

static void *SBX_CALL host_alloc(uint64_t bytes)
{
    return malloc((size_t)bytes);
}

static void *SBX_CALL host_realloc(void *old, uint64_t bytes)
{
    return realloc(old, (size_t)bytes);
}

static void SBX_CALL host_free(void *memory)
{
    free(memory);
}

static void SBX_CALL host_line(uint32_t level, const char *text)
{
    (void)level;
    snprintf(warned, sizeof(warned), "%s", text);
}

static sbx_ext_children children = {.size = sizeof(children)};

static const void *SBX_CALL host_extension(const char *id)
{
    return strcmp(id, SBX_EXT_CHILDREN) ? NULL : &children;
}

static sbx_host host = {.size = sizeof(sbx_host),
                        .abi = SBX_ABI_VERSION,
                        .program_dir = "C:\\",
                        .state_dir = state_dir,
                        .alloc = host_alloc,
                        .realloc = host_realloc,
                        .free = host_free,
                        .log = host_line,
                        .extension = host_extension};

static void make_file(const char *dir, const char *name, SECURITY_ATTRIBUTES *attributes)
{
    char path[MAX_PATH * 2];
    HANDLE file;

    snprintf(path, sizeof(path), "%s\\%s", dir, name);
    file = CreateFileA(path, GENERIC_WRITE, 0, attributes, CREATE_NEW, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    CloseHandle(file);
}

static int is_there(const char *path)
{
    return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

typedef struct seen {
    uint32_t count, state, failed;
    char hint[256];
} seen;

static int32_t SBX_CALL see(void *context, const sbx_state_item *item, const sbx_error *error)
{
    seen *now = context;

    now->count++;
    now->state = item->state;
    now->failed += error != NULL;
    if (error)
        snprintf(now->hint, sizeof(now->hint), "%s", error->hint);
    return 0;
}

/* Deep, long, read-only, closed to everybody: all goes. */
static void everything_goes(void **state)
{
    SECURITY_ATTRIBUTES closed = {sizeof(closed), NULL, FALSE};
    sbx_temp temp = {0};
    char path[MAX_PATH * 4], top[MAX_PATH];
    int i;

    (void)state;
    assert_int_equal(sbx_temp_open(&temp, run_id, 0, run_sid, NULL), SBX_OK);
    snprintf(top, sizeof(top), "%s", temp.path);
    snprintf(path, sizeof(path), "\\\\?\\%s", temp.path);
    for (i = 0; i < 40; i++) {
        strcat(path, "\\d");
        assert_true(CreateDirectoryA(path, NULL));
    }
    for (i = 0; i < 300; i++) { /* more than one buffer of names */
        char name[64];

        snprintf(name, sizeof(name), "a file with a rather long name %d", i);
        make_file(top, name, NULL);
    }
    make_file(top, "readonly", NULL);
    snprintf(path, sizeof(path), "%s\\readonly", top);
    assert_true(SetFileAttributesA(path, FILE_ATTRIBUTE_READONLY));
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA("D:P", SDDL_REVISION_1,
                                                                     &closed.lpSecurityDescriptor, NULL));
    make_file(top, "closed", &closed);
    snprintf(path, sizeof(path), "%s\\closed-dir", top);
    assert_true(CreateDirectoryA(path, NULL));
    make_file(path, "inside", NULL);
    assert_true(SetFileSecurityA(path, DACL_SECURITY_INFORMATION, closed.lpSecurityDescriptor));
    LocalFree(closed.lpSecurityDescriptor);
    /* to the owner, too: the folder that it is in admits its deletion */
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA("D:P(A;;RC;;;OW)", SDDL_REVISION_1,
                                                                     &closed.lpSecurityDescriptor, NULL));
    make_file(top, "closed to its owner", &closed);
    snprintf(path, sizeof(path), "%s\\closed-dir to its owner", top);
    assert_true(CreateDirectoryA(path, &closed));
    LocalFree(closed.lpSecurityDescriptor);
    warned[0] = 0;
    sbx_temp_close(&temp);
    assert_string_equal(warned, "");
    assert_false(is_there(top));
}

/* As a process that just ends, or a scanner: it has one file open until others have gone. */
static DWORD WINAPI let_go_late(void *argument)
{
    HANDLE *file = argument;
    const ULONGLONG begin = GetTickCount64();
    char path[MAX_PATH];

    snprintf(path, sizeof(path), "%s\\temp\\%.12s\\other", state_dir, run_id);
    while (is_there(path) && GetTickCount64() - begin < 30000)
        SwitchToThread();
    CloseHandle(*file);
    return 0;
}

static void in_use_for_a_moment(void **state)
{
    sbx_temp temp = {0};
    char path[MAX_PATH], top[MAX_PATH];
    HANDLE file, thread;

    (void)state;
    assert_int_equal(sbx_temp_open(&temp, run_id, 0, run_sid, NULL), SBX_OK);
    snprintf(top, sizeof(top), "%s", temp.path);
    make_file(top, "other", NULL);
    snprintf(path, sizeof(path), "%s\\held", top);
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    thread = CreateThread(NULL, 0, let_go_late, &file, 0, NULL);
    assert_non_null(thread);
    warned[0] = 0;
    sbx_temp_close(&temp);
    assert_string_equal(warned, "");
    assert_false(is_there(top));
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

/* In a directory that its owner can list and not change, one goes that admits him, and one stays that does not. */
static void closed_to_the_owner(void **state)
{
    static const char *const sddl[] = {"D:P(A;;RC;;;OW)", "D:P(A;;FRFX;;;OW)"};
    SECURITY_ATTRIBUTES closed = {sizeof(closed), NULL, FALSE};
    SECURITY_DESCRIPTOR open;
    sbx_temp temp = {0};
    seen now = {0};
    char path[MAX_PATH * 2], top[MAX_PATH];
    HANDLE dir, denied;
    int i;

    (void)state;
    assert_int_equal(sbx_temp_open(&temp, run_id, 0, run_sid, NULL), SBX_OK);
    snprintf(top, sizeof(top), "%s\\listed", temp.path);
    assert_true(CreateDirectoryA(top, NULL));
    make_file(top, "goes", NULL);
    dir = CreateFileA(top, WRITE_DAC, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    assert_true(dir != INVALID_HANDLE_VALUE);
    snprintf(path, sizeof(path), "%s\\stays", top);
    for (i = 0; i < 2; i++) {
        assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl[i], SDDL_REVISION_1,
                                                                         &closed.lpSecurityDescriptor, NULL));
        if (!i)
            make_file(top, "stays", &closed);
        else
            assert_true(SetFileSecurityA(top, DACL_SECURITY_INFORMATION, closed.lpSecurityDescriptor));
        LocalFree(closed.lpSecurityDescriptor);
    }
    denied = CreateFileA(path, GENERIC_WRITE, 7, NULL, OPEN_EXISTING, 0, NULL);
    if (denied != INVALID_HANDLE_VALUE) {
        CloseHandle(denied);
        CloseHandle(dir);
        sbx_temp_close(&temp);
        print_message("not judged here: the owner keeps his rights\n");
        skip();
        return;
    }
    sbx_temp_close(&temp);
    snprintf(path, sizeof(path), "%s\\goes", top);
    assert_false(is_there(path));
    assert_non_null(strstr(warned, "0xC0000022"));
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_STALE, NULL, see, &now, NULL), SBX_E_SYSTEM);
    assert_int_equal(now.failed, 1);
    assert_non_null(strstr(now.hint, "takeown"));
    assert_true(InitializeSecurityDescriptor(&open, SECURITY_DESCRIPTOR_REVISION));
    assert_true(SetSecurityDescriptorDacl(&open, TRUE, NULL, FALSE));
    assert_true(SetKernelObjectSecurity(dir, DACL_SECURITY_INFORMATION, &open)); /* as an administrator would */
    CloseHandle(dir);
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_STALE, NULL, see, &now, NULL), SBX_OK);
    assert_false(is_there(top));
}

static void states(void **state)
{
    sbx_temp temp = {0};
    seen now = {0};
    char path[MAX_PATH];

    (void)state;
    assert_int_equal(sbx_temp_list(see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 0);
    assert_int_equal(sbx_temp_open(&temp, run_id, 0, run_sid, NULL), SBX_OK);
    assert_int_equal(sbx_temp_list(see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 1);
    assert_int_equal(now.state, SBX_STATE_ACTIVE);
    memset(&now, 0, sizeof(now));
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_STALE, NULL, see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 0);
    /* told, and left */
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_ALL, NULL, see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 1);
    assert_int_equal(now.state, SBX_STATE_ACTIVE);
    assert_int_equal(now.failed, 0);
    assert_true(is_there(temp.path));

    /* a run that died: its handles are gone, its folder is not */
    snprintf(path, sizeof(path), "%s", temp.path);
    temp.keep = 1;
    sbx_temp_close(&temp);
    assert_int_equal(sbx_temp_list(see, &now, NULL), SBX_OK);
    assert_int_equal(now.state, SBX_STATE_STALE);
    memset(&now, 0, sizeof(now));
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_STALE, NULL, see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 1);
    assert_int_equal(now.failed, 0);
    assert_false(is_there(path));

    /* kept on purpose: not stale */
    memset(&now, 0, sizeof(now));
    assert_int_equal(sbx_temp_open(&temp, run_id, 1, run_sid, NULL), SBX_OK);
    snprintf(path, sizeof(path), "%s", temp.path);
    sbx_temp_close(&temp);
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_STALE, NULL, see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 0);
    assert_true(is_there(path));
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_ALL, NULL, see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 1);
    assert_false(is_there(path));
}

static void ends_with(const char *path, const char *name)
{
    assert_true(strlen(path) > strlen(name));
    assert_string_equal(path + strlen(path) - strlen(name), name);
}

/* Short, for the paths in it; never a folder that exists. */
static void names(void **state)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_temp temp = {0}, other = {0}, third = {0}, kept = {0};
    char *planned = sbx_temp_path(run_id);

    (void)state;
    assert_int_equal(sbx_temp_open(&temp, run_id, 0, run_sid, NULL), SBX_OK);
    ends_with(temp.path, "\\0123456789ab");
    assert_string_equal(planned, temp.path);
    assert_int_equal(sbx_temp_open(&other, run_id, 0, run_sid, NULL), SBX_OK);
    ends_with(other.path, "\\0123456789abcdef0123456789abcdef");
    assert_int_equal(sbx_temp_open(&third, run_id, 0, run_sid, &err), SBX_E_SYSTEM);
    assert_null(third.path);
    assert_string_equal(err.object, other.path);
    assert_int_equal(err.code, 0xC0000035u);
    assert_int_equal(sbx_temp_open(&kept, run_id, 1, run_sid, NULL), SBX_OK);
    ends_with(kept.path, "\\0123456789ab-kept");
    kept.keep = 0;
    sbx_temp_close(&kept);
    sbx_temp_close(&other);
    sbx_temp_close(&temp);
    sbx_free(planned);
}

static uint32_t state_of_one(void)
{
    seen now = {0};

    assert_int_equal(sbx_temp_list(see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 1);
    return now.state;
}

/* It stays for processes that are left, and is of no use when they have ended: told by number and time of creation. */
static void kept_for_children(void **state)
{
    STARTUPINFOA si = {.cb = sizeof(si)};
    PROCESS_INFORMATION pi;
    sbx_child items[2] = {{0, 0, 0}, {0, 0, 0}};
    FILETIME times[4];
    sbx_temp temp = {0};
    seen now = {0};
    char path[MAX_PATH], exe[MAX_PATH], command[MAX_PATH + 32];
    int i;

    (void)state;
    GetModuleFileNameA(NULL, exe, sizeof(exe));
    snprintf(command, sizeof(command), "\"%s\" wait", exe);
    assert_true(CreateProcessA(exe, command, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &si, &pi));
    assert_true(GetProcessTimes(pi.hProcess, &times[0], &times[1], &times[2], &times[3]));
    items[1].process_id = pi.dwProcessId;
    items[1].created = (uint64_t)times[0].dwHighDateTime << 32 | times[0].dwLowDateTime;
    items[0].process_id = GetCurrentProcessId(); /* the number of one that lives, of another time */
    items[0].created = 1;
    children.items = items;
    for (i = 0; i < 2; i++) {
        children.known = 1;
        children.count = 2;
        assert_int_equal(sbx_temp_open(&temp, run_id, 1, run_sid, NULL), SBX_OK);
        snprintf(path, sizeof(path), "%s", temp.path);
        assert_int_equal(state_of_one(), SBX_STATE_ACTIVE);
        sbx_temp_close(&temp);
        assert_true(is_there(path));
        if (!i)
            assert_int_equal(state_of_one(), SBX_STATE_KEPT);
        memset(&now, 0, sizeof(now));
        assert_int_equal(sbx_temp_clean(SBX_CLEAN_STALE, NULL, see, &now, NULL), SBX_OK);
        assert_int_equal(now.count, i);
        TerminateProcess(pi.hProcess, 0);
        assert_int_equal(WaitForSingleObject(pi.hProcess, 60000), WAIT_OBJECT_0);
        if (!i)
            assert_int_equal(state_of_one(), SBX_STATE_STALE);
        assert_int_equal(sbx_temp_clean(SBX_CLEAN_STALE, NULL, see, &now, NULL), SBX_OK);
        assert_false(is_there(path));
    }
    CloseHandle(pi.hThread);
    CloseHandle(pi.hProcess);

    /* nothing is left: it goes as any other */
    children.count = 0;
    assert_int_equal(sbx_temp_open(&temp, run_id, 1, run_sid, NULL), SBX_OK);
    snprintf(path, sizeof(path), "%s", temp.path);
    sbx_temp_close(&temp);
    assert_false(is_there(path));
    memset(&children, 0, sizeof(children));
    memset(&now, 0, sizeof(now));
    assert_int_equal(sbx_temp_list(see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 0);
}

/* By where it is, however it is spelled. */
static void of_the_user(void **state)
{
    const char *roots[1] = {base_dir};
    const sbx_env_edit set[] = {{SBX_ENV_SET, "TEMP", state_dir}};
    sbx_policy policy = {.writable = roots};
    char before[MAX_PATH], other[MAX_PATH], spelled[MAX_PATH * 2];

    (void)state;
    GetEnvironmentVariableA("TEMP", before, sizeof(before));
    GetWindowsDirectoryA(other, sizeof(other));
    assert_true(CreateDirectoryA(state_dir, NULL) || GetLastError() == ERROR_ALREADY_EXISTS);
    if (!GetShortPathNameA(state_dir, spelled, sizeof(spelled)) || !_stricmp(spelled, state_dir))
        snprintf(spelled, sizeof(spelled), "%s\\..\\STATE\\", state_dir);
    SetEnvironmentVariableA("TEMP", spelled);
    assert_false(sbx_temp_user_is_in(&policy));
    policy.writable_count = 1;
    assert_true(sbx_temp_user_is_in(&policy));
    SetEnvironmentVariableA("TEMP", other);
    assert_false(sbx_temp_user_is_in(&policy));
    policy.env = set;
    policy.env_count = 1;
    assert_true(sbx_temp_user_is_in(&policy));
    policy.env_count = 0;
    SetEnvironmentVariableA("TEMP", NULL);
    assert_false(sbx_temp_user_is_in(&policy));
    SetEnvironmentVariableA("TEMP", before);
}

/* What an earlier version left, with the whole id for a name. */
static void old_names(void **state)
{
    static const char *const ends[] = {"", "-kept"};
    static const uint32_t states[] = {SBX_STATE_STALE, SBX_STATE_KEPT};
    sbx_temp area = {0};
    seen now = {0};
    char path[MAX_PATH * 2];
    int i;

    (void)state;
    assert_int_equal(sbx_temp_open(&area, run_id, 0, run_sid, NULL), SBX_OK);
    sbx_temp_close(&area);
    for (i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s\\temp\\%s%s", state_dir, run_id, ends[i]);
        assert_true(CreateDirectoryA(path, NULL));
        memset(&now, 0, sizeof(now));
        assert_int_equal(sbx_temp_list(see, &now, NULL), SBX_OK);
        assert_int_equal(now.count, 1);
        assert_int_equal(now.state, states[i]);
        assert_int_equal(sbx_temp_clean(i ? SBX_CLEAN_ALL : SBX_CLEAN_STALE, NULL, see, &now, NULL), SBX_OK);
        assert_false(is_there(path));
    }
}

/* What cannot be removed is the error, not the folder that all are in. */
static void names_what_stays(void **state)
{
    sbx_error err = {.size = sizeof(err)};
    sbx_temp temp = {0};
    seen now = {0};
    char path[MAX_PATH], top[MAX_PATH];
    sbx_remove_count count;
    WCHAR name_w[MAX_PATH];
    HANDLE file, area;

    (void)state;
    assert_int_equal(sbx_temp_open(&temp, run_id, 1, run_sid, NULL), SBX_OK);
    snprintf(top, sizeof(top), "%s", temp.path);
    snprintf(path, sizeof(path), "%s\\in", top);
    sbx_temp_close(&temp);
    assert_true(CreateDirectoryA(path, NULL));
    strcat(path, "\\held");
    file = CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_ALL, NULL, see, &now, &err), SBX_E_SYSTEM);
    /* nor is a folder in which something is left said to be gone */
    assert_int_equal(sbx_temp_area_open(SBX_TEMP_AREA_TEMP, 0, &area, NULL), SBX_OK);
    MultiByteToWideChar(CP_ACP, 0, strrchr(top, '\\') + 1, -1, name_w, ARRAYSIZE(name_w));
    assert_int_equal(sbx_temp_area_remove(area, name_w, wcslen(name_w), &count), SBX_NT_NOT_EMPTY);
    assert_int_equal(count.left, 3);
    assert_true(is_there(top));
    CloseHandle(area);
    CloseHandle(file);
    assert_int_equal(now.failed, 1);
    assert_string_equal(err.object, top);
    assert_string_equal(err.op, "delete");
    assert_true(err.code != 0);
    memset(&now, 0, sizeof(now));
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_ALL, NULL, see, &now, &err), SBX_OK);
    assert_int_equal(now.count, 1);
    assert_false(is_there(top));
}

static void cache(void **state)
{
    sbx_temp first = {0}, second = {0};
    seen now = {0};
    char path[MAX_PATH];

    (void)state;
    assert_int_equal(sbx_temp_open_cache(&first, base_dir, run_sid, NULL), SBX_OK);
    assert_int_equal(sbx_temp_open_cache(&second, base_dir, run_sid, NULL), SBX_OK); /* two runs on one root */
    assert_string_equal(first.path, second.path);
    snprintf(path, sizeof(path), "%s", first.path);
    sbx_temp_close(&first);
    sbx_temp_close(&second);
    assert_true(is_there(path));
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_STALE, NULL, see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 0);
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_ROOT, "C:\\other", see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 0);
    assert_int_equal(sbx_temp_clean(SBX_CLEAN_ROOT, base_dir, see, &now, NULL), SBX_OK);
    assert_int_equal(now.count, 1);
    assert_false(is_there(path));
}

static int setup(void **state)
{
    char local[MAX_PATH];

    (void)state;
    GetEnvironmentVariableA("LOCALAPPDATA", local, sizeof(local));
    snprintf(base_dir, sizeof(base_dir), "%s\\sbx-temp-%lu-%llu", local, GetCurrentProcessId(),
             (unsigned long long)GetTickCount64());
    snprintf(state_dir, sizeof(state_dir), "%s\\state", base_dir);
    return CreateDirectoryA(base_dir, NULL) && sbx_host_init(&host) && sbx_run_sid(run_id, run_sid, NULL) == SBX_OK ? 0
                                                                                                                    : 1;
}

static int teardown(void **state)
{
    char path[MAX_PATH * 2];

    (void)state;
    snprintf(path, sizeof(path), "%s\\temp", state_dir);
    RemoveDirectoryA(path);
    snprintf(path, sizeof(path), "%s\\cache", state_dir);
    RemoveDirectoryA(path);
    RemoveDirectoryA(state_dir);
    return RemoveDirectoryA(base_dir) ? 0 : 1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_goes), cmocka_unit_test(in_use_for_a_moment), cmocka_unit_test(closed_to_the_owner),
        cmocka_unit_test(states),          cmocka_unit_test(names_what_stays),    cmocka_unit_test(cache),
        cmocka_unit_test(names),           cmocka_unit_test(old_names),           cmocka_unit_test(kept_for_children),
        cmocka_unit_test(of_the_user),
    };
    return cmocka_run_group_tests_name("unelevated-temp", tests, setup, teardown);
}
