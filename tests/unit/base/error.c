/* Errors: what is kept, how it is cut, exit codes, the text, the hints. */
#include "unit/support/unit.h"

#include <string.h>

#include "base/error.h"

static void kept(void **state)
{
    char long_text[1200];
    sbx_error err = {0};
    size_t i;

    (void)state;
    assert_int_equal(sbx_fail(&err, SBX_E_REFUSED, "grant", "C:\\"), SBX_E_REFUSED);
    assert_int_equal(err.size, sizeof(err));
    assert_int_equal(err.status, SBX_E_REFUSED);
    assert_int_equal(err.code_kind, SBX_CODE_NONE);
    assert_string_equal(err.op, "grant");
    assert_string_equal(err.object, "C:\\");
    assert_string_equal(err.hint, "");

    for (i = 0; i + 2 < sizeof(long_text); i += 2)
        memcpy(long_text + i, "\xC3\xA4", 2);
    long_text[i] = 0;
    sbx_fail_code(&err, SBX_E_SYSTEM, SBX_CODE_WIN32, 5, long_text, long_text);
    assert_int_equal(strlen(err.op), 62);
    assert_int_equal(strlen(err.object), 510);
    assert_int_equal(sbx_hint(&err, "%s", long_text), SBX_E_SYSTEM);
    assert_int_equal(strlen(err.hint), 254);

    assert_int_equal(sbx_fail(NULL, SBX_E_USAGE, NULL, NULL), SBX_E_USAGE);
    assert_int_equal(sbx_hint(NULL, "x"), SBX_OK);
    assert_int_equal(sbx_fail_memory(&err), SBX_E_MEMORY);
    assert_string_equal(err.object, "");
    assert_string_equal(err.hint, "");
}

static void exit_codes(void **state)
{
    static const int codes[] = {0, 125, 125, 125, 125, 125, 125, 125, 125, 127, 126, 124, 125};
    sbx_status st;

    (void)state;
    for (st = SBX_OK; st <= SBX_E_UNSUPPORTED; st++)
        assert_int_equal(sbx_exit_code(st), codes[st]);
    assert_int_equal(sbx_exit_code(999), 125);
    assert_int_equal(sbx_exit_code(-1), 125);
}

static void text(void **state)
{
    char buffer[128], small[8];
    sbx_error err = {0};
    size_t length;

    (void)state;
    sbx_fail_code(&err, SBX_E_SYSTEM, SBX_CODE_WIN32, 5, "CreateProcessW", "C:\\x.exe");
    length = sbx_error_text(&err, "Access is denied", buffer, sizeof(buffer));
    assert_string_equal(buffer, "C:\\x.exe: CreateProcessW: Access is denied (win32 5)");
    assert_int_equal(length, strlen(buffer));
    assert_int_equal(sbx_error_text(&err, "Access is denied", small, sizeof(small)), length);
    assert_string_equal(small, "C:\\x.ex");
    sbx_fail_code(&err, SBX_E_SYSTEM, SBX_CODE_NTSTATUS, 0xC0000022u, "NtX", NULL);
    sbx_error_text(&err, NULL, buffer, sizeof(buffer));
    assert_string_equal(buffer, "NtX: the system refused (ntstatus 0xC0000022)");
    sbx_fail(&err, SBX_E_NOT_FOUND, NULL, "cargo");
    sbx_error_text(&err, NULL, buffer, sizeof(buffer));
    assert_string_equal(buffer, "cargo: not found");
    sbx_fail(&err, SBX_E_USAGE, "unknown option", "--zzz");
    sbx_error_text(&err, NULL, buffer, sizeof(buffer));
    assert_string_equal(buffer, "--zzz: unknown option");
}

/* One row a row of the table. */
static void hints(void **state)
{
    static const struct {
        const char *op;
        uint32_t kind, code;
        const char *part;
    } rows[] = {
        {"CreateProcessW", SBX_CODE_WIN32, 193, "no program, or one for another kind of Windows"},
        {"CreateProcessW", SBX_CODE_WIN32, 740, "administrator rights"},
        {"CreateProcessAsUserW", SBX_CODE_WIN32, 193, "no program, or one for another kind of Windows"},
        {"CreateProcessAsUserW", SBX_CODE_WIN32, 740, "administrator rights"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1326, "deleted, or its password"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1328, "time of the day"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1329, "other machines"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1330, "password has expired"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1793, "account has expired"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1907, "to be changed"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1331, "disabled"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1909, "locked"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1385, "policy"},
        {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1058, "seclogon"},
        {"CreateFileW", SBX_CODE_WIN32, 32, "another program keeps it open"},
        {"DeleteFileW", SBX_CODE_WIN32, 32, "another program keeps it open"},
        {"MoveFileExW", SBX_CODE_WIN32, 32, "another program keeps it open"},
        {"ReadFile", SBX_CODE_WIN32, 33, "another program keeps it open"},
        {"GetUserProfileDirectoryW", SBX_CODE_WIN32, 2, "outside of the sandbox"},
        {"LoadLibraryExW", SBX_CODE_WIN32, 4551, "Smart App Control"},
    };
    sbx_error err = {0};
    size_t i;

    (void)state;
    for (i = 0; i < SBX_COUNT(rows); i++) {
        sbx_fail_code(&err, SBX_E_SYSTEM, rows[i].kind, rows[i].code, rows[i].op, "x");
        assert_non_null(strstr(err.hint, rows[i].part));
        assert_int_equal(strlen(err.hint), strlen(sbx_hint_for(rows[i].op, rows[i].kind, rows[i].code)));
        assert_null(sbx_hint_for(rows[i].op, SBX_CODE_HRESULT, rows[i].code));
        assert_null(sbx_hint_for(rows[i].op, rows[i].kind, 0xFFFFFFu));
        assert_null(sbx_hint_for("no such operation", rows[i].kind, rows[i].code));
    }
    assert_null(sbx_hint_for(NULL, SBX_CODE_WIN32, 193));
    assert_null(sbx_hint_for("CreateProcessW", SBX_CODE_NONE, 193));
    assert_int_equal(sbx_hint_count(), SBX_COUNT(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kept), cmocka_unit_test(exit_codes), cmocka_unit_test(text),
                                       cmocka_unit_test(hints)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
