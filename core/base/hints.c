/*
 * Hints: what a person should do about a failure, by operation and code.  A row is
 * only added for something that is certain; each row has a test.
 */
#include <string.h>

#include "base/error.h"

/* ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION; whoever may read a file may keep others from it. */
#define HELD                                                                                                           \
    "another program keeps it open; close that one (Resource Monitor, \"Associated Handles\", tells which), and try "  \
    "again"

static const struct {
    const char *op;
    uint32_t code_kind, code;
    const char *hint;
} hints[] = {
    {"CreateProcessW", SBX_CODE_WIN32, 193, "the file is no program, or one for another kind of Windows"},
    {"CreateProcessW", SBX_CODE_WIN32, 740, "the program asks for administrator rights; sbx does not elevate"},
    {"CreateProcessAsUserW", SBX_CODE_WIN32, 193, "the file is no program, or one for another kind of Windows"},
    {"CreateProcessAsUserW", SBX_CODE_WIN32, 740, "the program asks for administrator rights; sbx does not elevate"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1326,
     "it was deleted, or its password is another one now; put it right with: sbx setup --repair"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1328,
     "it may not log on at this time of the day; put it right with: sbx setup --repair"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1329,
     "it may log on at other machines only; put it right with: sbx setup --repair"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1330,
     "its password has expired; put it right with: sbx setup --repair"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1793, "the account has expired; put it right with: sbx setup --repair"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1907,
     "its password is to be changed; put it right with: sbx setup --repair"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1331,
     "the account was disabled; put it right with: sbx setup --repair"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1909,
     "the account was locked after wrong passwords; put it right with: sbx setup --repair"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1385,
     "a policy of this machine does not let the account log on locally; ask whoever manages it"},
    {"CreateProcessWithLogonW", SBX_CODE_WIN32, 1058,
     "the service \"Secondary Logon\" (seclogon) is disabled; enable it, or use --backend unelevated"},
    {"CreateFileW", SBX_CODE_WIN32, 32, HELD},
    {"DeleteFileW", SBX_CODE_WIN32, 32, HELD},
    {"MoveFileExW", SBX_CODE_WIN32, 32, HELD},
    {"ReadFile", SBX_CODE_WIN32, 33, HELD},
    {"GetUserProfileDirectoryW", SBX_CODE_WIN32, 2,
     "this account has no profile, in which sbx keeps its settings and records; those that it runs commands as have "
     "none: "
     "run it outside of the sandbox"},
    {"LoadLibraryExW", SBX_CODE_WIN32, 4551,
     "a policy of this machine (Smart App Control, App Control) blocks the file; allow it there"},
};

const char *sbx_hint_for(const char *op, uint32_t code_kind, uint32_t code)
{
    size_t i;

    if (!op || code_kind == SBX_CODE_NONE)
        return NULL;
    for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
        if (hints[i].code_kind == code_kind && hints[i].code == code && !strcmp(hints[i].op, op))
            return hints[i].hint;
    return NULL;
}

size_t sbx_hint_count(void)
{
    return sizeof(hints) / sizeof(hints[0]);
}
