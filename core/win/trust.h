/*
 * Who can change a file that sbx is about to believe: a backend, its folder, a machine-wide
 * configuration file.
 *
 * Windows lets every user create folders below C:\ and C:\ProgramData, and gives others
 * write access to what lies there.  So a file counts only when nobody but the trusted can
 * write, delete or re-own it.  Trusted are Administrators, SYSTEM, TrustedInstaller, and one of
 *
 *   SBX_TRUST_SELF   the user of this process (sbx.exe, sbx-setup.exe)
 *   SBX_TRUST_OWNER  the owner of the file (sbx-runner.exe: it runs as the account that is to be
 *                    confined; that the owner is the right one, sbx.exe has found before)
 *   SBX_TRUST_ADMIN  nobody else (what sbx-setup.exe keeps: the user who is an administrator has programs without
 *                    these rights, too).  Then what would be made in a folder counts as the folder itself, and nothing
 *                    may come from above
 *   SBX_TRUST_PLACE  the same, and rights may come from above: in %ProgramFiles% those are as good
 *
 * Deny entries are not counted in favour: an allow entry for somebody else is enough to refuse.
 * Source: MSDN "ACCESS_ALLOWED_ACE", "File Security and Access Rights", "Well-known SIDs".
 */
#ifndef SBX_WIN_TRUST_H
#define SBX_WIN_TRUST_H

#include "base/error.h"

#define SBX_TRUST_SELF 1u
#define SBX_TRUST_OWNER 2u
#define SBX_TRUST_ADMIN 3u
#define SBX_TRUST_PLACE 4u

/* One more user whom SBX_TRUST_SELF trusts from now on: who asked for this program and had somebody else's password typed
 * to let it run. */
sbx_status sbx_trust_caller(const void *sid, sbx_error *err);

/* file: a HANDLE with READ_CONTROL, opened with FILE_FLAG_OPEN_REPARSE_POINT; path: for the message.
 * SBX_E_REFUSED names who can change it. */
sbx_status sbx_trust_check(void *file, const char *path, uint32_t mode, sbx_error *err);

#endif
