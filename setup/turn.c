#include "setup/turn.h"

#include <windows.h>
#include <sddl.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/user.h"
#include "win/wide.h"

#define TURN_SDDL L"O:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)"
#define WAIT_MS 5000u
#define AGAIN_MS 100u

/* "DOMAIN\name, process 123" */
static void sign(HANDLE file)
{
    char text[256], name[160];
    sbx_user_sid user;
    DWORD done = 0;

    if (sbx_user_get(&user, NULL) != SBX_OK)
        return;
    sbx_user_name(user.u.bytes, name, sizeof(name));
    snprintf(text, sizeof(text), "%s, process %lu", name, (unsigned long)GetCurrentProcessId());
    WriteFile(file, text, (DWORD)strlen(text), &done, NULL);
}

static sbx_status say_who(const uint16_t *path_w, const char *path, sbx_error *err)
{
    const DWORD code = GetLastError();
    HANDLE file =
        sbx_handle_from(CreateFileW(path_w, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                    OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, NULL));
    char text[256];
    DWORD done = 0;

    if (file)
        ReadFile(file, text, sizeof(text) - 1, &done, NULL);
    text[done] = 0;
    sbx_handle_close(&file);
    if (!done) { /* no setup: its own is signed as soon as it is there */
        SetLastError(code);
        return sbx_fail_last(err, SBX_E_UNAVAILABLE, "CreateFileW", path);
    }
    sbx_fail(err, SBX_E_UNAVAILABLE, "another one is at work", "setup");
    return sbx_hint(err, "%s: wait for it to end, and run this again", text);
}

sbx_status sbx_turn_take(const char *folder, void **turn, sbx_error *err)
{
    SECURITY_ATTRIBUTES attributes = {sizeof(attributes), NULL, FALSE};
    sbx_text path = {0};
    uint16_t *path_w = NULL;
    uint32_t waited = 0;
    sbx_status st;

    sbx_text_printf(&path, "%s\\turn", folder);
    st = path.failed ? sbx_fail_memory(err) : sbx_wide_path(path.data, &path_w, err);
    if (st == SBX_OK && !ConvertStringSecurityDescriptorToSecurityDescriptorW(TURN_SDDL, SDDL_REVISION_1,
                                                                              &attributes.lpSecurityDescriptor, NULL))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSecurityDescriptorToSecurityDescriptorW", path.data);
    while (st == SBX_OK) {
        *turn = sbx_handle_from(CreateFileW(path_w, GENERIC_WRITE | DELETE, FILE_SHARE_READ, &attributes, OPEN_ALWAYS,
                                            FILE_FLAG_DELETE_ON_CLOSE | FILE_FLAG_OPEN_REPARSE_POINT, NULL));
        if (*turn)
            break;
        /* denied: the one who had it is closing it this moment */
        if (GetLastError() != ERROR_SHARING_VIOLATION && GetLastError() != ERROR_ACCESS_DENIED)
            st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", path.data);
        else if (waited >= WAIT_MS)
            st = say_who(path_w, path.data, err);
        else
            Sleep(AGAIN_MS);
        waited += AGAIN_MS;
    }
    if (*turn)
        sign(*turn);
    LocalFree(attributes.lpSecurityDescriptor);
    sbx_free(path_w);
    sbx_text_fini(&path);
    return st;
}
