/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: what Wine's userenv.dll leaves to ntlab_userenv.c
 */

extern BOOL ntlab_load_profile_w( HANDLE token, PROFILEINFOW *info );
extern BOOL ntlab_load_profile_a( HANDLE token, PROFILEINFOA *info );
extern BOOL ntlab_unload_profile( HANDLE token, HANDLE profile );
extern BOOL ntlab_get_profile_directory( HANDLE token, WCHAR *dir, DWORD *chars );
extern void ntlab_set_user_variables( WCHAR **env, PSID user, const WCHAR *sid );
