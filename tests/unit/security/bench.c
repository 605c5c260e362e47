/*
 * How long grants take: the first one of a tree against SetNamedSecurityInfo in the same run, and the check of one
 * that is there.   bench_grants FILES
 */
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <aclapi.h>

#include "tree.h"

static double seconds(void)
{
    LARGE_INTEGER now, per;

    QueryPerformanceCounter(&now);
    QueryPerformanceFrequency(&per);
    return (double)now.QuadPart / (double)per.QuadPart;
}

static void fill(const char *name, unsigned files)
{
    char path[128];
    unsigned i;

    tree_dir(name);
    for (i = 0; i < files; i++) {
        if (i % 100 == 0) {
            snprintf(path, sizeof(path), "%s\\d%u", name, i / 100);
            tree_dir(path);
        }
        snprintf(path, sizeof(path), "%s\\d%u\\f%u", name, i / 100, i);
        tree_file(path, "");
    }
}

static sbx_status launch(sbx_policy *policy)
{
    sbx_grants *grants = NULL;
    sbx_error err = {.size = sizeof(err)};
    sbx_status st = sbx_grants_open(policy, 0, NULL, &grants, &err);

    if (st)
        printf("failed: %s %s %lu\n", err.op, err.object, (unsigned long)err.code);
    sbx_grants_close(grants);
    return st;
}

/* What a launcher without a walk of its own would do. */
static DWORD named(char *path)
{
    SID_IDENTIFIER_AUTHORITY authority = {{0, 0, 0, 0, 0, 9}};
    PSID sid = NULL;
    EXPLICIT_ACCESSA access = {0};
    PSECURITY_DESCRIPTOR sd = NULL;
    PACL old = NULL, acl = NULL;
    DWORD error;

    AllocateAndInitializeSid(&authority, 8, 1, 2, 3, 4, 5, 6, 7, 8, &sid);
    GetNamedSecurityInfoA(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &old, NULL, &sd);
    access.grfAccessPermissions = FILE_ALL_ACCESS;
    access.grfAccessMode = GRANT_ACCESS;
    access.grfInheritance = SUB_CONTAINERS_AND_OBJECTS_INHERIT;
    access.Trustee.TrusteeForm = TRUSTEE_IS_SID;
    access.Trustee.ptstrName = sid;
    SetEntriesInAclA(1, &access, old, &acl);
    error = SetNamedSecurityInfoA(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, acl, NULL);
    LocalFree(acl);
    LocalFree(sd);
    FreeSid(sid);
    return error;
}

int main(int argc, char **argv)
{
    unsigned files = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000, i;
    const char *roots[1];
    sbx_policy policy = {.size = sizeof(policy), .writable = roots, .writable_count = 1, .git = SBX_GIT_PROTECT};
    double start;
    sbx_status st;

    if (!tree_begin())
        return 77;
    policy.run_id = "0123456789abcdef0123456789abcdef";
    fill("a", files);
    fill("b", files);
    roots[0] = tree_path("a");
    start = seconds();
    st = launch(&policy);
    printf("%u files: first grant %.3f s (status %d)\n", files, seconds() - start, (int)st);
    start = seconds();
    printf("%u files: SetNamedSecurityInfo, error %lu", files, named((char *)(uintptr_t)tree_path("b")));
    printf(" %.3f s\n", seconds() - start);
    launch(&policy);
    start = seconds();
    for (i = 0; i < 100; i++)
        launch(&policy);
    printf("%u files: warm check and close %.3f ms\n", files, (seconds() - start) * 10);
    start = seconds();
    st = sbx_grants_clean(SBX_CLEAN_ALL, NULL, NULL, NULL, NULL);
    printf("%u files: clean %.3f s (status %d)\n", files, seconds() - start, (int)st);
    tree_end();
    return 0;
}
