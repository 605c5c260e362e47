/* In a directory of its own: root\cwd is the child's current directory, root\a and root\b are in PATH. */
#include <windows.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <cmocka.h>

#include "base/memory.h"
#include "base/mimalloc.h"
#include "win/resolve.h"
#include "win/wide.h"

static WCHAR root_w[MAX_PATH];
static char root[MAX_PATH * 3], cwd[MAX_PATH * 3 + 8];
static WCHAR env_w[MAX_PATH * 4];
static sbx_arena arena;

static const wchar_t *const files[] = {
    L"cwd\\planted.exe", L"cwd\\own.exe",  L"cwd\\sub\\tool.cmd", L"cwd\\sub\\tool",
    L"a\\both.cmd",      L"a\\both.exe",   L"b\\both.exe",        L"a\\late.py",
    L"b\\late.exe",      L"a\\script.ps1", L"a\\v3.11.exe",       L"a\\plain",
    L"b\\sp ace.exe",    L"cwd\\odd.scr2", L"cwd\\x.py",          L"cwd\\node_modules\\.bin\\tsc.cmd",
};

static int setup(void **state)
{
    static const wchar_t *const dirs[] = {
        L"",    L"\\cwd", L"\\cwd\\sub",     L"\\cwd\\node_modules", L"\\cwd\\node_modules\\.bin",
        L"\\a", L"\\b",   L"\\a\\folder.exe"};
    WCHAR path_w[MAX_PATH * 2];
    char *text = NULL;
    size_t i, at;

    (void)state;
    GetTempPathW(MAX_PATH, path_w);
    swprintf(root_w, MAX_PATH, L"%lssbx-resolve-%lu", path_w, GetCurrentProcessId());
    for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        swprintf(path_w, MAX_PATH * 2, L"%ls%ls", root_w, dirs[i]);
        if (!CreateDirectoryW(path_w, NULL))
            return 1;
    }
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        HANDLE file;

        swprintf(path_w, MAX_PATH * 2, L"%ls\\%ls", root_w, files[i]);
        file = CreateFileW(path_w, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
        if (file == INVALID_HANDLE_VALUE)
            return 1;
        CloseHandle(file);
    }
    if (sbx_narrow(root_w, &text, NULL) != SBX_OK)
        return 1;
    snprintf(root, sizeof(root), "%s", text);
    sbx_free(text);
    snprintf(cwd, sizeof(cwd), "%s\\cwd", root);
    /* this process is in the same place, so that a relative entry would be found */
    swprintf(path_w, MAX_PATH * 2, L"%ls\\cwd", root_w);
    SetCurrentDirectoryW(path_w);
    at = (size_t)swprintf(env_w, MAX_PATH * 4, L"PATH=.;;sub;\"%ls\\a\";%ls\\missing;%ls\\b", root_w, root_w, root_w);
    wcscpy(env_w + at + 1, L"PATHEXT=.COM;.EXE;.BAT;.CMD;.PY");
    return 0;
}

static int teardown(void **state)
{
    static const wchar_t *const dirs[] = {L"\\a\\folder.exe",     L"\\b",        L"\\a",   L"\\cwd\\node_modules\\.bin",
                                          L"\\cwd\\node_modules", L"\\cwd\\sub", L"\\cwd", L""};
    WCHAR path_w[MAX_PATH * 2];
    size_t i;

    (void)state;
    GetSystemDirectoryW(path_w, MAX_PATH);
    SetCurrentDirectoryW(path_w);
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        swprintf(path_w, MAX_PATH * 2, L"%ls\\%ls", root_w, files[i]);
        DeleteFileW(path_w);
    }
    for (i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        swprintf(path_w, MAX_PATH * 2, L"%ls%ls", root_w, dirs[i]);
        RemoveDirectoryW(path_w);
    }
    sbx_arena_fini(&arena);
    return 0;
}

static void finds(const char *name, const char *below_root, int batch)
{
    sbx_program program = {0};
    sbx_error err = {0};

    assert_int_equal(sbx_resolve(&arena, name, cwd, env_w, &program, &err), SBX_OK);
    assert_int_equal(strncmp(program.path, root, strlen(root)), 0);
    assert_int_equal(_stricmp(program.path + strlen(root) + 1, below_root), 0);
    assert_int_equal(program.batch, batch);
}

static void refuses(const char *name, sbx_status want, const char *hint)
{
    sbx_program program = {0};
    sbx_error err = {0};

    assert_int_equal(sbx_resolve(&arena, name, cwd, env_w, &program, &err), want);
    assert_null(program.path);
    if (hint)
        assert_non_null(strstr(err.hint, hint));
    else
        assert_string_equal(err.hint, "");
}

static void path_is_searched(void **state)
{
    (void)state;
    finds("both", "a\\both.exe", 0);
    finds("both.cmd", "a\\both.cmd", 1);
    finds("late", "b\\late.exe", 0);
    finds("v3.11", "a\\v3.11.exe", 0);
    finds("sp ace", "b\\sp ace.exe", 0);
}

static void current_directory_is_not(void **state)
{
    (void)state;
    refuses("planted", SBX_E_NOT_FOUND, ".\\planted");
    refuses("planted.exe", SBX_E_NOT_FOUND, ".\\planted.exe");
    refuses("tsc", SBX_E_NOT_FOUND, "node_modules\\.bin is not searched; type: node_modules\\.bin\\tsc");
    finds("node_modules\\.bin\\tsc", "cwd\\node_modules\\.bin\\tsc.cmd", 1);
    refuses("tool", SBX_E_NOT_FOUND, NULL); /* "sub" in PATH is not absolute */
    finds(".\\planted", "cwd\\planted.exe", 0);
    finds("./own.exe", "cwd\\own.exe", 0);
}

static void named_in_full(void **state)
{
    char path[sizeof(root) + 32];

    (void)state;
    finds("sub\\tool", "cwd\\sub\\tool.cmd", 1); /* as cmd does, not the file without extension */
    finds("..\\b\\late", "b\\late.exe", 0);
    finds(".\\odd.scr2", "cwd\\odd.scr2", 0);
    snprintf(path, sizeof(path), "%s\\a\\plain", root);
    finds(path, "a\\plain", 0);
}

static void others_are_explained(void **state)
{
    (void)state;
    refuses("script.ps1", SBX_E_NOT_RUNNABLE, "powershell");
    refuses("late.py", SBX_E_NOT_RUNNABLE, "python");
    refuses(".\\x.py", SBX_E_NOT_RUNNABLE, "python");
    refuses(".\\sub", SBX_E_NOT_RUNNABLE, "directory");
    refuses("folder", SBX_E_NOT_FOUND, NULL);
    refuses("late one.js", SBX_E_NOT_FOUND, "quote each argument by itself");
    refuses("C:\\Program Files\\none\\late.exe", SBX_E_NOT_FOUND, NULL);
    refuses(" late", SBX_E_NOT_FOUND, "did you mean \"late\"?");
    refuses("dir", SBX_E_NOT_FOUND, "cmd /d /c dir");
    refuses("no-such-thing", SBX_E_NOT_FOUND, NULL);
    refuses("", SBX_E_NOT_FOUND, NULL);
    refuses("con", SBX_E_NOT_FOUND, NULL); /* a device in every directory, says Win32 */
    refuses(".\\nul.exe", SBX_E_NOT_FOUND, NULL);
}

/* A typing error: a program in PATH, and nothing that does not start by itself or stands elsewhere. */
static void the_name_that_was_meant(void **state)
{
    (void)state;
    refuses("ltae", SBX_E_NOT_FOUND, "did you mean \"late\"?");
    refuses("LATTE", SBX_E_NOT_FOUND, "did you mean \"late\"?");
    refuses("boht.exe", SBX_E_NOT_FOUND, "did you mean \"both.exe\"?");
    refuses("bot", SBX_E_NOT_FOUND, NULL);
    refuses("plian", SBX_E_NOT_FOUND, NULL);
    refuses("scirpt", SBX_E_NOT_FOUND, NULL);
    refuses("palnted", SBX_E_NOT_FOUND, NULL);
    refuses("b", SBX_E_NOT_FOUND, NULL);
    refuses(".\\onw.exe", SBX_E_NOT_FOUND, NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_is_searched),        cmocka_unit_test(current_directory_is_not),
        cmocka_unit_test(named_in_full),           cmocka_unit_test(others_are_explained),
        cmocka_unit_test(the_name_that_was_meant),
    };

    sbx_memory_use(&sbx_mimalloc);
    return cmocka_run_group_tests(tests, setup, teardown);
}
