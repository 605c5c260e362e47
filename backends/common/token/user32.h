/*
 * The functions of user32 that have to do with window stations and desktops, loaded when they are needed.
 *
 * From System32; the module stays, user32 does not like to go.  What needs none of them starts without win32k.  Any thread.
 */
#ifndef SBX_TOKEN_USER32_H
#define SBX_TOKEN_USER32_H

#include <windows.h>

#include "base/error.h"

typedef struct sbx_user32 {
    HDESK(WINAPI *create_desktop)(LPCWSTR, LPCWSTR, DEVMODEW *, DWORD, ACCESS_MASK, SECURITY_ATTRIBUTES *);
    HDESK(WINAPI *open_desktop)(LPCWSTR, DWORD, BOOL, ACCESS_MASK);
    HDESK(WINAPI *thread_desktop)(DWORD);
    BOOL(WINAPI *close_desktop)(HDESK);
    HWINSTA(WINAPI *process_station)(void);
    HWINSTA(WINAPI *open_station)(LPCWSTR, BOOL, ACCESS_MASK);
    BOOL(WINAPI *close_station)(HWINSTA);
    BOOL(WINAPI *information)(HANDLE, int, PVOID, DWORD, DWORD *);
    BOOL(WINAPI *get_security)(HANDLE, SECURITY_INFORMATION *, PSECURITY_DESCRIPTOR, DWORD, DWORD *);
    BOOL(WINAPI *set_security)(HANDLE, SECURITY_INFORMATION *, PSECURITY_DESCRIPTOR);
} sbx_user32;

sbx_status sbx_user32_load(sbx_user32 *calls, sbx_error *err);

#endif
