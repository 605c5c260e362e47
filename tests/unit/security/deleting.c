/* Deleting, moving and replacing in a root, by every call, whatever a write-restricted token is asked for FILE_DELETE_CHILD;
 * and what the denies for the user leave him, and leave behind. */
#include "fixture.h"

#include <stdlib.h>
#include <sddl.h>

#include "base/memory.h"
#include "common/grants/acl.h"
#include "common/grants/ledger.h"
#include "common/grants/root.h"
#include "common/grants/sd.h"
#include "common/nt.h"
#include "win/user.h"

#ifndef FileDispositionInfoEx
#define FileDispositionInfoEx ((FILE_INFO_BY_HANDLE_CLASS)21)
#endif

/* ---- Calls; 0 or the Win32 error -------------------------------------------------------- */

typedef struct rename_info {
    union {
        BOOLEAN replace;
        DWORD flags;
    } u;
    HANDLE directory;
    DWORD length;
    WCHAR name[600];
} rename_info;

static HANDLE open_to_delete(const char *name, DWORD flags)
{
    HANDLE file = CreateFileA(tree_path(name), DELETE, 7, NULL, OPEN_EXISTING,
                              FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT | flags, NULL);

    return file == INVALID_HANDLE_VALUE ? NULL : file;
}

static uint32_t end(HANDLE file, BOOL done)
{
    const uint32_t error = done ? 0 : GetLastError();

    CloseHandle(file);
    return error;
}

static uint32_t by_path(const char *name)
{
    const DWORD attributes = GetFileAttributesA(tree_path(name));

    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) ? act_rmdir(name)
                                                                                            : act_delete(name);
}

static uint32_t by_disposition(const char *name)
{
    FILE_DISPOSITION_INFO info = {TRUE};
    HANDLE file = open_to_delete(name, 0);

    return file ? end(file, SetFileInformationByHandle(file, FileDispositionInfo, &info, sizeof(info)))
                : GetLastError();
}

static uint32_t by_posix_delete(const char *name)
{
    DWORD flags = 3; /* FILE_DISPOSITION_FLAG_DELETE, _POSIX_SEMANTICS */
    HANDLE file = open_to_delete(name, 0);

    return file ? end(file, SetFileInformationByHandle(file, FileDispositionInfoEx, &flags, sizeof(flags)))
                : GetLastError();
}

static uint32_t by_delete_on_close(const char *name)
{
    HANDLE file = open_to_delete(name, FILE_FLAG_DELETE_ON_CLOSE);

    return file ? end(file, TRUE) : GetLastError();
}

/* is_simple: by a name without a directory, which only the native call takes. */
static uint32_t rename_by_handle(const char *name, const char *to, int is_simple)
{
    rename_info info = {.u = {.replace = TRUE}};
    HANDLE file = open_to_delete(name, 0);
    IO_STATUS_BLOCK io;
    NTSTATUS status;

    if (!file)
        return GetLastError();
    info.length = (DWORD)swprintf(info.name, 600, L"%hs", is_simple ? to : tree_path(to)) * 2;
    if (!is_simple)
        return end(file, SetFileInformationByHandle(file, FileRenameInfo, &info, sizeof(info)));
    status = NtSetInformationFile(file, &io, &info, sizeof(info), (FILE_INFORMATION_CLASS)10);
    CloseHandle(file);
    return status < 0 ? RtlNtStatusToDosError(status) : 0;
}

static uint32_t by_rename_in_place(const char *name)
{
    return rename_by_handle(name, "other-name", 1);
}

static uint32_t by_rename_elsewhere(const char *name)
{
    return rename_by_handle(name, "ws\\taken", 0);
}

static uint32_t by_move(const char *name)
{
    return MoveFileExA(tree_path(name), tree_path("ws\\taken"), MOVEFILE_REPLACE_EXISTING) ? 0 : GetLastError();
}

/* One of the command's own takes the name. */
static uint32_t by_move_over(const char *name)
{
    tree_file("ws\\own", "own");
    return MoveFileExA(tree_path("ws\\own"), tree_path(name), MOVEFILE_REPLACE_EXISTING) ? 0 : GetLastError();
}

static uint32_t by_replace(const char *name)
{
    tree_file("ws\\own", "own");
    return ReplaceFileA(tree_path(name), tree_path("ws\\own"), NULL, 0, NULL, NULL) ? 0 : GetLastError();
}

static const struct call {
    const char *name;
    uint32_t (*act)(const char *name);
    int of_files; /* no directory can be replaced */
} calls[] = {
    {"path", by_path, 0},
    {"disposition", by_disposition, 0},
    {"POSIX delete", by_posix_delete, 0},
    {"delete on close", by_delete_on_close, 0},
    {"rename in place", by_rename_in_place, 0},
    {"rename elsewhere", by_rename_elsewhere, 0},
    {"MoveFileEx", by_move, 0},
    {"MoveFileEx over it", by_move_over, 1},
    {"ReplaceFile", by_replace, 1},
};

static int is_directory(const char *name)
{
    return (GetFileAttributesA(tree_path(name)) & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

static void stays(const sbx_grants *grants, const char *name)
{
    const int was_directory = is_directory(name);
    size_t i;

    for (i = 0; i < ARRAYSIZE(calls); i++) {
        uint32_t error;

        if (calls[i].of_files && was_directory)
            continue;
        tree_enter(grants);
        error = calls[i].act(name);
        tree_leave();
        if (!error || !tree_exists(name))
            print_error("%s, %s: %lu\n", name, calls[i].name, (unsigned long)error);
        assert_true(error == DENIED || error == ERROR_SHARING_VIOLATION || error == ERROR_UNABLE_TO_REMOVE_REPLACED);
        assert_true(tree_exists(name) && is_directory(name) == was_directory);
    }
}

/* The same calls, in reach of whoever acts: a new object each time. */
static void goes(const sbx_grants *as, const char *name, int as_directory)
{
    size_t i;

    for (i = 0; i < ARRAYSIZE(calls); i++) {
        uint32_t error;

        if (calls[i].of_files && as_directory)
            continue;
        if (as && calls[i].act == by_replace)
            continue; /* it takes WRITE_DAC on what comes, which no command has */
        tree_remove("ws\\taken");
        act_delete("ws\\taken");
        if (as_directory)
            tree_dir(name);
        else
            tree_file(name, "n");
        if (as)
            tree_enter(as);
        error = calls[i].act(name);
        tree_leave();
        if (error == ERROR_INVALID_PARAMETER && calls[i].act == by_posix_delete) {
            print_message("not judged here: %s: the system does not know it\n", calls[i].name);
            continue;
        }
        if (error)
            print_error("%s, %s: %lu\n", name, calls[i].name, (unsigned long)error);
        assert_int_equal(error, 0);
        if (calls[i].of_files)
            assert_int_equal(act_delete(name), 0);
        assert_false(tree_exists(name));
        act_delete("ws\\own");
        act_delete("ws\\other-name");
        act_rmdir("ws\\other-name");
        act_delete("ws\\src\\other-name");
        act_delete("ws\\.git\\hooks\\other-name");
        act_rmdir("ws\\.git\\hooks\\other-name");
    }
}

/* ---- The command ---------------------------------------------------------------------- */

static void test_every_call(void **context)
{
    static const char *const kept[] = {"ws\\.git",
                                       "ws\\.git\\config",
                                       "ws\\.git\\hooks",
                                       "ws\\.git\\hooks\\pre-commit",
                                       "ws\\.git\\hooks\\sub",
                                       "ws\\.git\\hooks\\sub\\f",
                                       "ws\\.agents",
                                       "ws\\sbx.toml",
                                       "ws\\pkg",
                                       "ws\\pkg\\inner",
                                       "ws\\pkg\\inner\\.codex",
                                       "ws\\pkg\\inner\\.codex\\rules",
                                       "ws"};
    char *before, *inside;
    sbx_grants *grants;
    size_t i;

    JUDGED
    tree_dir("ws\\.git\\hooks\\sub");
    tree_file("ws\\.git\\hooks\\sub\\f", "f");
    before = tree_snapshot("ws");
    grants = open_grants();
    inside = tree_snapshot("ws\\.git");
    for (i = 0; i < ARRAYSIZE(kept); i++)
        stays(grants, kept[i]);
    tree_same("ws\\.git", inside);
    act_delete("ws\\own");
    goes(grants, "ws\\mine.txt", 0);
    goes(grants, "ws\\mine", 1);
    goes(grants, "ws\\src\\mine.txt", 0);
    sbx_grants_close(grants);
    tree_remove("ws\\taken");
    act_delete("ws\\taken");
    clean_all();
    tree_same("ws", before);
}

/* The user goes on as ever, also in what is protected. */
static void test_user_goes_on(void **context)
{
    sbx_grants *grants;

    JUDGED
    grants = open_grants();
    goes(NULL, "ws\\mine.txt", 0);
    goes(NULL, "ws\\mine", 1);
    goes(NULL, "ws\\.git\\hooks\\mine", 0);
    goes(NULL, "ws\\.git\\hooks\\mine", 1);
    tree_file("ws\\.git\\config.lock", "[core]"); /* git config */
    assert_true(
        MoveFileExA(tree_path("ws\\.git\\config.lock"), tree_path("ws\\.git\\config"), MOVEFILE_REPLACE_EXISTING));
    tree_dir("ws\\.git\\objects\\ab"); /* git gc */
    tree_file("ws\\.git\\objects\\ab\\cd", "o");
    assert_int_equal(act_delete("ws\\.git\\objects\\ab\\cd"), 0);
    assert_int_equal(act_rmdir("ws\\.git\\objects\\ab"), 0);
    assert_int_equal(act_rename("ws\\pkg\\inner", "ws\\pkg\\i2"), 0);
    assert_int_equal(act_rename("ws\\pkg\\i2", "ws\\pkg\\inner"), 0);
    assert_int_equal(act_rmdir("ws\\.agents"), 0);
    sbx_grants_close(grants);
    clean_all();
}

/* A protected file onto another one, as `hooks\x.sample` would become a hook. */
static void test_swap_in_place(void **context)
{
    sbx_grants *grants;

    JUDGED
    tree_file("ws\\.git\\hooks\\x.sample", "#!");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(rename_by_handle("ws\\.git\\hooks\\x.sample", "x", 1), DENIED);
    assert_int_equal(rename_by_handle("ws\\.git\\hooks\\x.sample", "pre-commit", 1), DENIED);
    assert_int_equal(rename_by_handle("ws\\a.txt", "sbx.toml", 1), DENIED);
    tree_leave();
    assert_int_equal(rename_by_handle("ws\\.git\\hooks\\x.sample", "x", 1), 0); /* the user may */
    sbx_grants_close(grants);
    clean_all();
}

/* Where what is inherited would come too late: allows of its own, or a closed DACL. */
static void test_own_rights_inside(void **context)
{
    static const char *const dirs[] = {"ws\\.git\\hooks\\a", "ws\\.git\\hooks\\b", "ws\\.git\\hooks\\c"};
    sbx_user_sid user;
    char sid[200], sddl[600], name[100], *before;
    sbx_grants *grants;
    size_t i;

    JUDGED
    expect_ok(sbx_user_get(&user, NULL), NULL);
    sbx_user_sid_text(user.u.bytes, sid, sizeof(sid));
    for (i = 0; i < ARRAYSIZE(dirs); i++) {
        tree_dir(dirs[i]);
        snprintf(sddl, sizeof(sddl),
                 i == 0   ? "D:AI(A;OICI;FA;;;%s)"
                 : i == 1 ? "D:PAI(A;OICI;FA;;;%s)"
                          : "D:PAI(A;;FA;;;%s)(A;OICIIO;GA;;;CO)",
                 sid);
        tree_set(dirs[i], sddl);
        snprintf(name, sizeof(name), "%s\\f", dirs[i]);
        tree_file(name, "f");
        snprintf(name, sizeof(name), "%s\\d", dirs[i]);
        tree_dir(name);
        snprintf(name, sizeof(name), "%s\\d\\f", dirs[i]);
        tree_file(name, "f");
    }
    before = tree_snapshot("ws");
    grants = open_grants();
    for (i = 0; i < ARRAYSIZE(dirs); i++) {
        stays(grants, dirs[i]);
        snprintf(name, sizeof(name), "%s\\f", dirs[i]);
        stays(grants, name);
        snprintf(name, sizeof(name), "%s\\d", dirs[i]);
        stays(grants, name);
        snprintf(name, sizeof(name), "%s\\d\\f", dirs[i]);
        stays(grants, name);
    }
    sbx_grants_close(grants);
    act_delete("ws\\own");
    policy.protected_count = 2;
    tree_grant_notes = 0;
    sbx_grants_close(open_grants()); /* finds what it left */
    assert_int_equal(tree_grant_notes, 0);
    clean_all();
    tree_same("ws", before);
}

/* ---- What is left behind -------------------------------------------------------------- */

/* The user's deny on a directory, explicit and (below) for what is in it, as text. */
static const char *with_deny(int below)
{
    static char sddl[700];
    sbx_user_sid user;
    char sid[200];

    expect_ok(sbx_user_get(&user, NULL), NULL);
    sbx_user_sid_text(user.u.bytes, sid, sizeof(sid));
    snprintf(sddl, sizeof(sddl), "D:ARAI(D;%s;0x40;;;%s)(A;OICI;FA;;;%s)(A;OICI;FA;;;SY)", below ? "CI" : "", sid, sid);
    return sddl;
}

static int has_deny(const char *name)
{
    union {
        SECURITY_DESCRIPTOR_RELATIVE head;
        BYTE bytes[65536];
    } sd;
    sbx_user_sid user;
    sbx_ace found[16];
    DWORD needed;
    uint32_t i, count;

    expect_ok(sbx_user_get(&user, NULL), NULL);
    assert_true(GetFileSecurityA(tree_path(name), DACL_SECURITY_INFORMATION, &sd, sizeof(sd), &needed));
    count = sbx_acl_find(sd.bytes + sd.head.Dacl, user.u.bytes, found, 16);
    for (i = 0; i < count; i++)
        if (found[i].type == SBX_ACE_DENY)
            return 1;
    return 0;
}

/* Who had the deny before keeps it. */
static void test_own_deny_stays(void **context)
{
    char *before;

    JUDGED
    tree_set("ws", with_deny(0));
    tree_remove("ws\\.git");
    tree_dir("ws\\.git");
    tree_set("ws\\.git", with_deny(1));
    tree_dir("ws\\.git\\hooks");
    assert_true(has_deny("ws\\.git\\hooks"));
    tree_set("ws\\pkg", with_deny(1));
    before = tree_snapshot("ws");
    sbx_grants_close(open_grants());
    policy.protected_count = 1;
    sbx_grants_close(open_grants()); /* pkg is no pin any more */
    assert_true(has_deny("ws\\pkg"));
    clean_all();
    tree_same("ws", before);
}

/* A root without a ledger: all goes, also from what was moved. */
static void test_no_ledger(void **context)
{
    char *before, *after;

    JUDGED
    before = tree_snapshot("ws\\pkg\\inner");
    sbx_grants_close(open_grants());
    assert_true(has_deny("ws") && has_deny("ws\\.git\\hooks") && has_deny("ws\\pkg\\inner"));
    assert_int_equal(act_rename("ws\\pkg", "ws\\p2"), 0);
    assert_int_equal(act_rename("ws\\.git\\hooks", "ws\\src\\hooks"), 0);
    tree_forget_state();
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), NULL);
    assert_false(has_deny("ws") || has_deny("ws\\.git") || has_deny("ws\\src\\hooks") || has_deny("ws\\p2\\inner"));
    assert_int_equal(act_rename("ws\\p2", "ws\\pkg"), 0);
    after = tree_snapshot("ws\\pkg\\inner");
    assert_string_equal(before, after);
    sbx_free(before);
    sbx_free(after);
}

/* What comes from above a root stays, whatever goes in it. */
static void test_deny_from_above(void **context)
{
    char *before;

    JUDGED
    tree_set("", with_deny(1));
    tree_dir("up");
    assert_true(has_deny("up"));
    tree_dir("up\\.git");
    tree_dir("up\\.git\\hooks");
    writable[0] = tree_path("up");
    protected_paths[0] = tree_path("up\\.git");
    policy.protected_count = 1;
    before = tree_snapshot("up");
    sbx_grants_close(open_grants());
    clean_all();
    tree_same("up", before);
}

/* A root in a root needs what both have. */
static void test_nested_roots(void **context)
{
    char *before;
    sbx_grants *grants;

    JUDGED
    before = tree_snapshot("ws");
    writable[1] = tree_path("ws\\src");
    policy.writable_count = 2;
    sbx_grants_close(open_grants());
    expect_ok(sbx_grants_clean(SBX_CLEAN_ROOT, tree_path("ws"), NULL, NULL, NULL), NULL);
    assert_true(has_deny("ws\\src"));
    assert_false(has_deny("ws"));
    writable[0] = writable[1];
    policy.writable_count = 1;
    policy.protected_count = 0;
    tree_grant_notes = 0;
    grants = open_grants();
    assert_int_equal(tree_grant_notes, 0);
    sbx_grants_close(grants);
    clean_all();
    tree_same("ws", before);
}

static void take_deny(const char *name)
{
    union {
        SECURITY_DESCRIPTOR_RELATIVE head;
        BYTE bytes[65536];
    } sd;
    const sbx_ace denies[] = {{SBX_ACE_DENY, 0, 0x40},
                              {SBX_ACE_DENY, SBX_ACE_DIRS, 0x40},
                              {SBX_ACE_DENY, SBX_ACE_DIRS | SBX_ACE_INHERITED, 0x40}};
    sbx_user_sid user;
    DWORD needed;
    size_t i;
    uint32_t taken = 0;

    expect_ok(sbx_user_get(&user, NULL), NULL);
    assert_true(GetFileSecurityA(tree_path(name), DACL_SECURITY_INFORMATION, &sd, sizeof(sd), &needed));
    for (i = 0; i < ARRAYSIZE(denies); i++)
        taken += sbx_acl_remove_one(sd.bytes + sd.head.Dacl, user.u.bytes, &denies[i]);
    assert_int_equal(taken, 1);
    sd.head.Control |= SE_DACL_AUTO_INHERIT_REQ; /* or the bit that goes with it would be lost */
    assert_true(SetFileSecurityA(tree_path(name), DACL_SECURITY_INFORMATION, &sd));
}

/* A root that sbx granted before it denied the user anything: the next launch makes up for it, without a new walk. */
static void test_upgrade(void **context)
{
    static const char *const dirs[] = {"ws\\.git\\hooks", "ws\\.git\\objects",      "ws\\.git", "ws\\pkg",
                                       "ws\\pkg\\inner",  "ws\\pkg\\inner\\.codex", "ws"};
    char *before;
    sbx_grants *grants;
    size_t i;

    JUDGED
    before = tree_snapshot("ws");
    policy.protected_count = 2;
    sbx_grants_close(open_grants());
    for (i = 0; i < ARRAYSIZE(dirs); i++)
        take_deny(dirs[i]);
    grants = open_grants();
    stays(grants, "ws\\.git\\hooks\\pre-commit");
    stays(grants, "ws\\pkg\\inner");
    sbx_grants_close(grants);
    act_delete("ws\\own");
    for (i = 0; i < ARRAYSIZE(dirs); i++)
        assert_true(has_deny(dirs[i]));
    tree_grant_notes = 0;
    sbx_grants_close(open_grants());
    assert_int_equal(tree_grant_notes, 0);
    clean_all();
    tree_same("ws", before);
}

/* ---- Guards ------------------------------------------------------------------------- */

/* As sbx made one before: nothing but denies. */
static void old_guard(const char *name, int as_directory, const sbx_sid *sid)
{
    char text[SBX_SID_TEXT], sddl[600];
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof(attributes)};
    HANDLE file;

    sbx_sid_text(sid, text);
    snprintf(sddl, sizeof(sddl), as_directory ? "D:(D;OICIIO;0xd0156;;;%s)(D;;0xd0156;;;%s)" : "D:(D;;0xd0156;;;%s)",
             text, text);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, 1, &attributes.lpSecurityDescriptor, NULL));
    if (as_directory) {
        assert_true(CreateDirectoryA(tree_path(name), &attributes));
    } else {
        file = CreateFileA(tree_path(name), GENERIC_READ, 7, &attributes, CREATE_NEW, 0, NULL);
        assert_true(file != INVALID_HANDLE_VALUE);
        CloseHandle(file);
    }
    LocalFree(attributes.lpSecurityDescriptor);
}

static void with_old_guards(int recorded, int by_clean)
{
    static const sbx_ledger_entry entries[] = {{SBX_RECORD_GUARD, 0, ".agents"},
                                               {SBX_RECORD_DENY, 0, ".agents"},
                                               {SBX_RECORD_GUARD, 0, "sbx.toml"},
                                               {SBX_RECORD_DENY, 0, "sbx.toml"}};
    sbx_ledger ledger = {0};
    sbx_root root = {0};
    sbx_error err = {.size = sizeof(err)};
    sbx_grants *grants = NULL;

    policy.protected_count = 2;
    sbx_grants_close(open_grants());
    expect_ok(sbx_root_look(tree_path("ws"), &root, NULL), NULL);
    if (recorded) {
        expect_ok(sbx_ledger_load(&ledger, NULL), NULL);
        expect_ok(sbx_ledger_add(&ledger, &root.sid, entries, 4, 0, NULL), NULL);
        sbx_ledger_fini(&ledger);
    }
    old_guard("ws\\.agents", 1, &root.sid);
    old_guard("ws\\sbx.toml", 0, &root.sid);
    sbx_root_close(&root);
    policy.protected_count = 4;
    expect_ok(sbx_grants_open(&policy, SBX_OPEN_DRY_RUN, NULL, &grants, &err), &err);
    sbx_grants_close(grants);
    if (!by_clean) {
        grants = open_grants();
        stays(grants, "ws\\.agents");
        stays(grants, "ws\\sbx.toml");
        assert_int_equal(act_open("ws\\.agents", GENERIC_READ), 0);
        assert_int_equal(act_open("ws\\sbx.toml", GENERIC_READ), 0);
        sbx_grants_close(grants);
        act_delete("ws\\own");
        if (recorded)
            assert_false(tree_exists("ws\\.agents") || tree_exists("ws\\sbx.toml"));
    }
    clean_all();
    if (!recorded) { /* nobody's but the user's now */
        assert_int_equal(act_rmdir("ws\\.agents"), 0);
        assert_int_equal(act_delete("ws\\sbx.toml"), 0);
    }
    assert_false(tree_exists("ws\\.agents") || tree_exists("ws\\sbx.toml"));
}

static void test_old_guards(void **context)
{
    char *before;
    int i;

    JUDGED
    before = tree_snapshot("ws");
    for (i = 0; i < 4; i++)
        with_old_guards(i & 1, i >> 1);
    tree_same("ws", before);
}

/* Everybody who could look at a name can look at the guard, the command too. */
static void test_guard_admits(void **context)
{
    static char codex[600];
    sbx_grants *grants;

    JUDGED
    snprintf(codex, sizeof(codex), "%s", tree_path("ws\\new\\way\\.codex"));
    protected_paths[1] = codex;
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_open("ws\\.agents", GENERIC_READ), 0);
    assert_int_equal(act_open("ws\\sbx.toml", GENERIC_READ), 0);
    assert_int_equal(act_open("ws\\new\\way\\.codex", GENERIC_READ), 0);
    assert_int_equal(act_create("ws\\new\\way\\mine"), 0); /* only the last is closed */
    assert_int_equal(act_delete("ws\\new\\way\\mine"), 0);
    tree_leave();
    stays(grants, "ws\\new\\way");
    assert_int_equal(act_create("ws\\new\\way\\.codex\\users"), 0);
    assert_int_equal(act_delete("ws\\new\\way\\.codex\\users"), 0);
    act_delete("ws\\own");
    sbx_grants_close(grants);
    assert_false(tree_exists("ws\\new") || tree_exists("ws\\.agents"));
    clean_all();
}

/* ---- What a file system makes of a DACL ------------------------------------------------------ */

static void set_bytes(const char *name, uint32_t slack, uint32_t control)
{
    union {
        uint64_t align;
        uint8_t bytes[4096];
    } acl;
    SECURITY_DESCRIPTOR sd;
    const sbx_ace allow = {SBX_ACE_ALLOW, is_directory(name) ? 3 : 0, FILE_ALL_ACCESS};
    static const uint8_t empty[8] = {2, 0, 8, 0, 0, 0, 0, 0},
                         administrators[16] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0};
    sbx_ace twice[] = {allow, allow};
    uint8_t first[4096];
    sbx_user_sid user;
    size_t size;

    expect_ok(sbx_user_get(&user, NULL), NULL);
    memset(&acl, 0xAB, sizeof(acl));
    sbx_acl_add(empty, administrators, twice, 2, first);
    size = sbx_acl_add(first, user.u.bytes, twice, 2, acl.bytes) + slack;
    acl.bytes[2] = (uint8_t)size;
    acl.bytes[3] = (uint8_t)(size >> 8);
    InitializeSecurityDescriptor(&sd, SECURITY_DESCRIPTOR_REVISION);
    SetSecurityDescriptorDacl(&sd, TRUE, (PACL)(void *)acl.bytes, FALSE);
    sd.Control |= (SECURITY_DESCRIPTOR_CONTROL)control;
    assert_true(SetFileSecurityA(tree_path(name), DACL_SECURITY_INFORMATION, &sd));
}

static void test_normalised(void **context)
{
    char *before;
    sbx_grants *grants;

    JUDGED
    set_bytes("ws", 1024, 0);
    set_bytes("ws\\src", 1024, SE_DACL_DEFAULTED);
    set_bytes("ws\\.git", 4, SE_DACL_DEFAULTED | SE_DACL_AUTO_INHERIT_REQ | SE_DACL_AUTO_INHERITED);
    set_bytes("ws\\.git\\hooks", 1024, 0);
    set_bytes("ws\\pkg", 0, SE_DACL_DEFAULTED);
    tree_set("ws\\src\\deep", "D:P(A;OICI;GA;;;BU)(A;OICI;GA;;;BU)(A;OICI;FA;;;WD)");
    before = tree_snapshot("ws");
    grants = open_grants();
    tree_enter(grants);
    assert_int_equal(act_write("ws\\src\\b.txt"), 0);
    assert_int_equal(act_write("ws\\.git\\hooks\\pre-commit"), DENIED);
    tree_leave();
    sbx_grants_close(grants);
    clean_all();
    tree_same("ws", before);
}

/* Whoever is about to delete the root is told of, and nothing is changed. */
static void test_root_in_use(void **context)
{
    char *before;
    sbx_error err;
    HANDLE file;

    JUDGED
    before = tree_snapshot("ws");
    file = open_to_delete("ws", 0);
    assert_non_null(file);
    assert_int_equal(open_error(&err), SBX_E_REFUSED);
    assert_string_equal(err.object, tree_path("ws"));
    assert_true(err.hint[0]);
    CloseHandle(file);
    tree_same("ws", before);
    expect_works();
}

/* A volume that the mount manager does not know. */
static void test_no_volume(void **context)
{
    sbx_error err = {.size = sizeof(err)};
    HANDLE file =
        CreateFileA("\\\\?\\unix\\usr", FILE_READ_ATTRIBUTES, 7, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    WCHAR name[600];
    sbx_sid sid;

    JUDGED
    if (file == INVALID_HANDLE_VALUE || GetFinalPathNameByHandleW(file, name, 600, VOLUME_NAME_GUID)) {
        print_message("not judged here: every volume has a name\n");
        skip();
        return;
    }
    assert_int_equal(sbx_sid_of(file, "C:\\ws", &sid, &err), SBX_E_REFUSED);
    assert_int_equal(sbx_sid_of(file, "C:\\ws", &sid, NULL), SBX_E_REFUSED);
    assert_non_null(strstr(err.op, "volume"));
    assert_true(err.hint[0]);
    CloseHandle(file);
}

/* What the file system says of a name behind a link, or behind a driver that redirects, is told as that. */
static void test_redirected(void **context)
{
    sbx_error err = {.size = sizeof(err)};

    (void)context;
    assert_int_equal(sbx_sd_result((int32_t)0xC000050B, 0, "C:\\ws\\x", &err), SBX_E_SYSTEM);
    assert_non_null(strstr(err.op, "link"));
    assert_non_null(strstr(err.op, "filter driver"));
    assert_int_equal(err.code, 0xC000050B);
    assert_int_equal(sbx_sd_result((int32_t)0xC000050B, 0, "C:\\ws\\x", NULL), SBX_E_SYSTEM);
    assert_true(err.hint[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_call, setup, teardown),
        cmocka_unit_test_setup_teardown(test_user_goes_on, setup, teardown),
        cmocka_unit_test_setup_teardown(test_swap_in_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_rights_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_deny_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_ledger, setup, teardown),
        cmocka_unit_test_setup_teardown(test_deny_from_above, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nested_roots, setup, teardown),
        cmocka_unit_test_setup_teardown(test_upgrade, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_guards, setup, teardown),
        cmocka_unit_test_setup_teardown(test_guard_admits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_normalised, setup, teardown),
        cmocka_unit_test_setup_teardown(test_root_in_use, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_volume, setup, teardown),
        cmocka_unit_test(test_redirected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
