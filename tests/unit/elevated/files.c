/* What somebody did to the files of setup: told by name with what to do, nothing is lost by it, and put right where that can be. */
#include "fixture.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "elevated/secret.h"
#include "elevated/state.h"
#include "win/error.h"
#include "win/file.h"

#define FOLDER "C:\\ProgramData\\sbx\\"
#define RECORD FOLDER "elevated.txt"
#define COPY FOLDER "elevated.copy.txt"
#define SECRET FOLDER "elevated-1.secret"

#define SHORT 0
#define ZEROS 1
#define GONE 2
#define READ_ONLY 3
#define HARMS 4

static void harm(const char *path, int how)
{
    char zeros[64] = {0};
    sbx_error err = {0};

    if (how == GONE)
        assert_true(DeleteFileA(path));
    else if (how == READ_ONLY)
        assert_true(SetFileAttributesA(path, FILE_ATTRIBUTE_READONLY));
    else
        check(sbx_file_write(path, zeros, how == ZEROS ? sizeof(zeros) : 3, &err), &err, path);
}

/* As a program of any user of the machine may, who reads it. */
static HANDLE keep_open(const char *path)
{
    HANDLE file = CreateFileA(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);

    assert_ptr_not_equal(file, INVALID_HANDLE_VALUE);
    return file;
}

static void assert_told(const sbx_error *err, const char *path, const char *hint)
{
    char text[1024];

    sbx_error_describe(err, text, sizeof(text));
    if (strcmp(err->object, path) != 0 || !strstr(err->hint, hint))
        fail_msg("%s (%s)", text, err->hint);
}

/* As `--repair` does it. */
static void repair(void)
{
    sbx_error err = {0};
    uint32_t i;

    for (i = 0; i < count; i++)
        if (!is_elsewhere(i) && !(steps[i].flags & SBX_STEP_CONDITION))
            check(steps[i].apply(&steps[i], &err), &err, steps[i].name);
}

static void assert_whole(uint32_t with)
{
    sbx_error err = {0};
    sbx_machine machine;
    uint32_t i;

    for (i = 0; i < count; i++)
        assert_true(is_elsewhere(i) || state_of(i) == 1);
    load(&machine);
    assert_int_equal(machine.count, 1);
    sbx_machine_fini(&machine);
    assert_true(logs_on(L"sbx1-off01", derived("sbx1-off01"), LOGON32_LOGON_INTERACTIVE));
    assert_int_equal(snapshot(), with);
    check(sbx_file_delete(FOLDER "nothing", &err), &err, "control");
}

/* As a program of the user's that is not elevated; the error, or 0. */
static DWORD tried(const char *path, DWORD access)
{
    _Alignas(8) BYTE administrators[SECURITY_MAX_SID_SIZE];
    SID_AND_ATTRIBUTES disabled = {administrators, 0};
    DWORD size = sizeof(administrators), error;
    HANDLE own = NULL, plain = NULL, file;

    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own));
    assert_true(CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, administrators, &size));
    assert_true(CreateRestrictedToken(own, DISABLE_MAX_PRIVILEGE, 1, &disabled, 0, NULL, 0, NULL, &plain));
    assert_true(ImpersonateLoggedOnUser(plain));
    file = CreateFileA(path, access, 7, NULL, OPEN_EXISTING, 0, NULL);
    error = file == INVALID_HANDLE_VALUE ? GetLastError() : 0;
    assert_true(RevertToSelf());
    if (!error)
        CloseHandle(file);
    CloseHandle(plain);
    CloseHandle(own);
    return error;
}

/* Where a policy makes the user the owner of what he makes as an administrator, his other programs change it no more than others'. */
void test_owner(void **state)
{
    static const char *const names[] = {RECORD, COPY};
    PSECURITY_DESCRIPTOR own = NULL;
    char sddl[256];
    size_t i;

    (void)state;
    options(1);
    apply_named("enrol");
    snprintf(sddl, sizeof(sddl), "O:%s", own_sid);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1, &own, NULL));
    for (i = 0; i < SBX_COUNT(names); i++) {
        assert_true(SetFileSecurityA(names[i], OWNER_SECURITY_INFORMATION, own));
        assert_int_equal(tried(names[i], GENERIC_READ), 0);
        assert_int_equal(tried(names[i], WRITE_DAC), ERROR_ACCESS_DENIED);
        assert_int_equal(tried(names[i], FILE_WRITE_DATA), ERROR_ACCESS_DENIED);
        assert_int_equal(tried(names[i], DELETE), ERROR_ACCESS_DENIED);
    }
    LocalFree(own);
    undo_all();
}

/* One of the two stands for the other one, and the next setup makes it anew. */
void test_record_once(void **state)
{
    static const char *const paths[] = {RECORD, COPY};
    uint32_t before, with;
    HANDLE file;
    sbx_error err = {0};
    size_t i;
    int how;

    (void)state;
    before = snapshot();
    options(1);
    apply_all();
    with = snapshot();
    for (i = 0; i < SBX_COUNT(paths); i++) {
        for (how = 0; how < HARMS; how++) {
            harm(paths[i], how);
            assert_int_equal(state_named("enrol"), how == READ_ONLY ? 1 : 2);
            if (how == READ_ONLY)
                repair();
            else
                apply_all();
            assert_whole(with);
        }
        file = keep_open(paths[i]);
        assert_int_equal(state_named("ready"), 1); /* a launch goes on with the other one */
        assert_int_equal(steps[step_of("enrol")].apply(&steps[step_of("enrol")], &err), SBX_E_SYSTEM);
        assert_int_equal(err.code, ERROR_SHARING_VIOLATION);
        assert_told(&err, paths[i], "another program keeps it open");
        CloseHandle(file);
        apply_all();
        assert_whole(with);
    }
    undo_all();
    assert_int_equal(snapshot(), before);
}

static void assert_unread(const char *path, const char *hint)
{
    sbx_machine machine = {0};
    sbx_error err = {0};

    assert_int_not_equal(sbx_state_load(&machine, &err), SBX_OK);
    assert_int_equal(machine.count, 0);
    assert_told(&err, path, hint);
    assert_int_not_equal(steps[0].present(&steps[step_of("enrol")], &(uint32_t){0}, &err), SBX_OK);
}

/* Of neither can be told what is there: nothing is taken for none, and nothing is made. */
void test_record_lost(void **state)
{
    static const char *const remedies[] = {"remove both, the groups and the accounts", "another program keeps it open"};
    const uint32_t before = snapshot();
    char *text = NULL;
    size_t length = 0;
    HANDLE files[2];
    uint32_t with;
    sbx_error err = {0};
    int how;

    (void)state;
    options(1);
    apply_all();
    with = snapshot();
    check(sbx_file_read(RECORD, 1u << 20, &text, &length, &err), &err, RECORD);
    for (how = SHORT; how <= ZEROS; how++) {
        harm(RECORD, how);
        harm(COPY, how);
        assert_unread(RECORD, remedies[0]);
        check(sbx_file_write(COPY, text, length, &err), &err, COPY);
    }
    harm(RECORD, GONE);
    harm(COPY, ZEROS);
    assert_unread(COPY, remedies[0]);
    files[1] = keep_open(COPY); /* it may be whole: not to be removed */
    assert_unread(COPY, remedies[1]);
    CloseHandle(files[1]);
    check(sbx_file_write(RECORD, text, length, &err), &err, RECORD);
    files[0] = keep_open(RECORD);
    files[1] = keep_open(COPY);
    assert_unread(COPY, remedies[1]);
    CloseHandle(files[0]);
    CloseHandle(files[1]);
    apply_all();
    assert_whole(with);
    sbx_free(text);
    undo_all();
    assert_int_equal(snapshot(), before);
}

/* Kept by somebody, it is neither wrong nor to be made anew: the passwords that come from it stay right. */
void test_secret_kept(void **state)
{
    const uint32_t before = snapshot();
    const sbx_setup_step *step;
    uint32_t with, now = 0, generation;
    sbx_machine machine;
    sbx_secret secret;
    sbx_error err = {0};
    HANDLE file;

    (void)state;
    options(1);
    apply_all();
    with = snapshot();
    load(&machine);
    generation = machine.users[0].generation;
    sbx_machine_fini(&machine);
    file = keep_open(SECRET);
    assert_int_equal(sbx_secret_read(SECRET, own_sid, &secret, &err), SBX_E_UNAVAILABLE);
    assert_int_equal(err.code, ERROR_SHARING_VIOLATION);
    assert_told(&err, SECRET, "another program keeps it open");
    assert_null(strstr(err.hint, "--repair")); /* would not help */
    step = &steps[step_of("secret")];
    assert_int_equal(step->present(step, &now, &err), SBX_E_UNAVAILABLE);
    assert_told(&err, SECRET, "another program keeps it open");
    CloseHandle(file);
    load(&machine);
    assert_int_equal(machine.users[0].generation, generation);
    sbx_machine_fini(&machine);
    assert_whole(with);

    harm(SECRET, READ_ONLY);
    repair();
    assert_whole(with);
    harm(SECRET, READ_ONLY);
    undo_all();
    assert_int_equal(snapshot(), before);
}
