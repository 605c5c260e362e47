/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Local users of the NT lab's test programs. */

#ifndef LAB_USER_H
#define LAB_USER_H

#include "lab_test.h"

#define LAB_PASSWORD L"Correct-Horse-7"

/* ok() of an error code, which it prints */
void expect( DWORD error, DWORD expected, const char *name );

/* these return an error code */
DWORD add_user( const WCHAR *name );
DWORD log_on( const WCHAR *name, DWORD type, HANDLE *token );

/* SID of an account; the result lives as long as the program */
PSID account_sid( const WCHAR *name );
WCHAR *account_sid_string( const WCHAR *name );

/* a process of this program in the account of a user, by CreateProcessWithLogonW */
DWORD start_as( const WCHAR *name, DWORD logon_flags, const WCHAR *arguments, PROCESS_INFORMATION *info );
/* and wait: the exit code, or ~error where it did not start */
DWORD run_as( const WCHAR *name, DWORD logon_flags, const WCHAR *arguments );
DWORD end_of( PROCESS_INFORMATION *info );

/* delete the user, and the profile if there is one */
void remove_user( const WCHAR *name );

/* a named event that a process of any user signals or waits for */
HANDLE shared_event( const WCHAR *name );

#endif
