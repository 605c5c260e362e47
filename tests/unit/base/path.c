/* Windows paths as text. */
#include "unit/support/unit.h"

#include <string.h>

#include "base/path.h"

static void kinds_and_roots(void **state)
{
    static const struct {
        const char *path;
        uint32_t kind;
        size_t root;
    } rows[] = {
        {"", SBX_PATH_EMPTY, 0},
        {"a\\b", SBX_PATH_RELATIVE, 0},
        {"..", SBX_PATH_RELATIVE, 0},
        {"\\a", SBX_PATH_ROOTED, 1},
        {"/a", SBX_PATH_ROOTED, 1},
        {"C:", SBX_PATH_DRIVE_RELATIVE, 2},
        {"c:a", SBX_PATH_DRIVE_RELATIVE, 2},
        {"C:\\", SBX_PATH_DRIVE, 3},
        {"c:/a", SBX_PATH_DRIVE, 3},
        {"1:\\a", SBX_PATH_RELATIVE, 0},
        {"\\\\server\\share", SBX_PATH_UNC, 14},
        {"\\\\server\\share\\a", SBX_PATH_UNC, 15},
        {"//server/share/a", SBX_PATH_UNC, 15},
        {"\\\\", SBX_PATH_UNC, 2},
        {"\\\\?\\C:\\a", SBX_PATH_VERBATIM, 7},
        {"\\??\\C:\\a", SBX_PATH_VERBATIM, 7},
        {"\\\\?\\C:/a", SBX_PATH_DEVICE, 8},
        {"\\\\?\\UNC\\s\\h\\a", SBX_PATH_VERBATIM_UNC, 12},
        {"\\\\?\\unc\\s\\h\\a", SBX_PATH_VERBATIM_UNC, 12},
        {"\\\\?\\Volume{0}\\a", SBX_PATH_VOLUME, 14},
        {"\\\\?\\GLOBALROOT\\Device", SBX_PATH_GLOBALROOT, 15},
        {"\\\\.\\globalroot\\Device", SBX_PATH_GLOBALROOT, 4},
        {"\\\\.\\C:\\a", SBX_PATH_DEVICE, 4},
        {"//?/C:/a", SBX_PATH_DEVICE, 4},
        {"\\\\.\\PhysicalDrive0", SBX_PATH_DEVICE, 4},
        {"\\\\.", SBX_PATH_DEVICE, 3},
    };
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(rows); i++) {
        if (sbx_path_kind(rows[i].path) != rows[i].kind || sbx_path_root_length(rows[i].path) != rows[i].root)
            fail_msg("%s: kind %u, root %u", rows[i].path, (unsigned)sbx_path_kind(rows[i].path),
                     (unsigned)sbx_path_root_length(rows[i].path));
        assert_int_equal(sbx_path_is_absolute(rows[i].path), rows[i].kind >= SBX_PATH_DRIVE);
    }
}

static void normalised(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {".", "."},
        {"a/../b/./c/", "b\\c"},
        {"a\\..", "."},
        {"..\\a\\..\\..\\b", "..\\..\\b"},
        {"c:/a//b\\\\c/", "C:\\a\\b\\c"},
        {"C:\\..\\..\\a", "C:\\a"},
        {"c:\\", "C:\\"},
        {"c:", "C:"},
        {"c:a\\..\\..\\b", "C:..\\b"},
        {"\\a\\..\\..", "\\"},
        {"C:\\a. . .", "C:\\a"},
        {"C:\\a.\\b", "C:\\a\\b"},
        {"C:\\a \\b", "C:\\a \\b"},
        {"C:\\a\\...", "C:\\a"},
        {"C:\\...\\a", "C:\\...\\a"},
        {"C:\\...\\", "C:\\...\\"},
        {"C:\\a \\b\\..", "C:\\a \\"},
        {"C:\\a.\\", "C:\\a"},
        {"C:\\.git\\..x", "C:\\.git\\..x"},
        {"//server/share", "\\\\server\\share\\"},
        {"//server//share//a", "\\\\server\\share\\a"},
        {".\\c:b/..\\x", "x"},
        {".\\c:b", ".\\c:b"},
        {"\\.\\??\\a", "\\.\\??\\a"},
        {"//?/C:/a/../b", "\\\\.\\C:\\b"},
        {"///x.", "\\\\\\x.\\"},
        {"\\\\server\\share\\a\\..\\..\\b", "\\\\server\\share\\b"},
        {"\\\\?\\c:\\a\\b", "C:\\a\\b"},
        {"\\\\?\\C:\\a\\..\\b", "\\\\?\\C:\\a\\..\\b"},
        {"\\\\?\\C:\\a.", "\\\\?\\C:\\a."},
        {"\\\\?\\C:\\a/b", "\\\\?\\C:\\a/b"},
        {"\\\\?\\C:\\nul", "\\\\?\\C:\\nul"},
        {"\\\\?\\UNC\\server\\share\\a", "\\\\server\\share\\a"},
        {"\\\\?\\UNC\\?\\share\\a", "\\\\?\\UNC\\?\\share\\a"},
        {"\\\\?\\Volume{0}\\a\\..", "\\\\?\\Volume{0}\\a\\.."},
        {"\\\\.\\C:\\a\\..\\..\\..\\b", "\\\\.\\b"},
        {"C:\\\xC3\xA4\\\xED\xA0\x80", "C:\\\xC3\xA4\\\xED\xA0\x80"},
    };
    sbx_arena arena = {NULL};
    size_t i;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < SBX_COUNT(rows); i++) {
        char *once = sbx_path_normalise(&arena, rows[i][0]);

        assert_string_equal(once, rows[i][1]);
        assert_string_equal(sbx_path_normalise(&arena, once), once);
    }
    sbx_arena_fini(&arena);
}

static void joined(void **state)
{
    static const char *const rows[][3] = {
        {"C:\\a", "b\\c", "C:\\a\\b\\c"},
        {"C:\\a\\", "..\\b", "C:\\b"},
        {"C:\\a", "", "C:\\a"},
        {"C:\\a\\b", "\\c", "C:\\c"},
        {"\\\\s\\h\\a", "/c", "\\\\s\\h\\c"},
        {"C:\\a", "c:b", "C:\\a\\b"},
        {"C:\\a", "D:b", "D:\\b"},
        {"C:\\a", "D:/b", "D:\\b"},
        {"C:\\a", "\\\\s\\h\\x", "\\\\s\\h\\x"},
        {"C:\\a", "\\\\?\\D:\\x", "D:\\x"},
    };
    sbx_arena arena = {NULL};
    size_t i;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < SBX_COUNT(rows); i++)
        assert_string_equal(sbx_path_join(&arena, rows[i][0], rows[i][1]), rows[i][2]);
    sbx_arena_fini(&arena);
    assert_int_equal(sbx_fault_live(), 0);
}

static void without_memory(void **state)
{
    char name[5001];

    (void)state;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0; /* longer than a block of the arena, so that each call allocates */
    SBX_FAULT_EACH(n)
    {
        sbx_arena arena = {NULL};
        char *joined = sbx_path_join(&arena, "C:\\", name);
        char *again = joined ? sbx_path_normalise(&arena, joined) : NULL;

        if (again)
            assert_int_equal(strlen(again), strlen(name) + 3);
        else
            assert_true(sbx_fault_hit());
        sbx_arena_fini(&arena);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

static void below(void **state)
{
    static const struct {
        const char *path, *root, *below;
    } rows[] = {
        {"C:\\a", "C:\\a", ""},
        {"c:\\A\\b", "C:\\a", "b"},
        {"C:\\ab", "C:\\a", NULL},
        {"C:\\a", "C:\\a\\b", NULL},
        {"C:\\a", "C:\\", "a"},
        {"D:\\a", "C:\\", NULL},
        {"C:\\\xC3\xA4\\x", "C:\\\xC3\x84", "x"},
        {"C:\\\xC3\xA4", "C:\\\xC3\xB6", NULL},
        {"\\\\s\\h\\a", "\\\\S\\H\\", "a"},
        {"\\\\s\\hh\\a", "\\\\s\\h\\", NULL},
        {"C:/a/b", "C:\\a", "b"},
        {"C:\\a", "", NULL},
        {"", "", NULL},
    };
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(rows); i++)
        if (rows[i].below) {
            assert_true(sbx_path_is_below(rows[i].path, rows[i].root));
            assert_string_equal(sbx_path_below(rows[i].path, rows[i].root), rows[i].below);
        } else if (sbx_path_is_below(rows[i].path, rows[i].root)) {
            fail_msg("%s below %s", rows[i].path, rows[i].root);
        }
    assert_true(sbx_path_equal("C:\\A", "c:\\a"));
    assert_false(sbx_path_equal("C:\\A", "C:\\a\\b"));
    assert_false(sbx_path_equal("C:\\A\\b", "C:\\a"));
}

static void names(void **state)
{
    static const struct {
        const char *path, *name, *extension;
        size_t parent;
    } rows[] = {
        {"C:\\a\\b.txt", "b.txt", ".txt", 4},
        {"C:\\a", "a", "", 3},
        {"C:\\", "", "", 3},
        {"a", "a", "", 0},
        {"a.b/c", "c", "", 3},
        {"C:x.y.z", "x.y.z", ".z", 2},
        {"\\\\s\\h.h\\a", "a", "", 8},
        {"\\\\s\\h.h\\", "", "", 8},
        {".git", ".git", ".git", 0},
        {"C:\\a\\b\\", "", "", 4},
    };
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(rows); i++) {
        assert_string_equal(sbx_path_name(rows[i].path), rows[i].name);
        assert_string_equal(sbx_path_extension(rows[i].path), rows[i].extension);
        assert_int_equal(sbx_path_parent_length(rows[i].path), rows[i].parent);
    }
    assert_string_equal(sbx_path_stream("C:\\a.b\\c.txt:s:$DATA"), ":s:$DATA");
    assert_null(sbx_path_stream("C:\\a\\b"));
}

static void problems(void **state)
{
    static const char *const reserved[] = {"CON",      "nul",       "Aux.txt",      "prn .x", "COM1",
                                           "lpt9.log", "CONIN$",    "conout$",      "NUL:",   "COM\xC2\xB9",
                                           "nul ",     "CON.a.b.c", "LPT\xC2\xB3.x"};
    static const char *const free_names[] = {"",     "COM",  "COM0",  "COM10",      "CONX",
                                             "NULL", "xNUL", "a.nul", "LPT\xC2\xB4"};
    static const struct {
        const char *path, *part;
        size_t where;
    } rows[] = {
        {"", "empty", 0},
        {"C:\\a\tb", "control", 4},
        {"C:\\a\\b?", "< > \" | ? *", 6},
        {"C:\\a:s", "stream", 4},
        {"C:\\a.\\b", "dot or a space", 4},
        {"C:\\b ", "dot or a space", 4},
        {"C:\\a\\NUL.txt\\c", "device", 5},
        {"\\\\.\\C:\\a", "device path", 0},
        {"\\\\?\\GLOBALROOT\\x", "device path", 0},
    };
    size_t i, where;

    (void)state;
    for (i = 0; i < SBX_COUNT(reserved); i++)
        assert_true(sbx_path_is_reserved(reserved[i], strlen(reserved[i])));
    for (i = 0; i < SBX_COUNT(free_names); i++)
        assert_false(sbx_path_is_reserved(free_names[i], strlen(free_names[i])));
    for (i = 0; i < SBX_COUNT(rows); i++) {
        assert_non_null(sbx_path_problem(rows[i].path, &where));
        assert_non_null(strstr(sbx_path_problem(rows[i].path, NULL), rows[i].part));
        assert_int_equal(where, rows[i].where);
    }
    assert_null(sbx_path_problem("C:\\a\\.git\\..\\b c.d", NULL));
    assert_null(sbx_path_problem("\\\\s\\h\\a", NULL));
    assert_null(sbx_path_problem("..\\a", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_and_roots), cmocka_unit_test(normalised), cmocka_unit_test(joined),
        cmocka_unit_test(without_memory),  cmocka_unit_test(below),      cmocka_unit_test(names),
        cmocka_unit_test(problems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
