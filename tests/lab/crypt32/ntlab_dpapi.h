/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: what Wine's CryptProtectData and CryptUnprotectData leave to ntlab_dpapi.c
 */

extern BOOL ntlab_protect( const DATA_BLOB *in, const WCHAR *description, const DATA_BLOB *entropy,
                           const CRYPTPROTECT_PROMPTSTRUCT *prompt, DWORD flags, DATA_BLOB *out );
extern BOOL ntlab_unprotect( const DATA_BLOB *in, WCHAR **description, const DATA_BLOB *entropy,
                             const CRYPTPROTECT_PROMPTSTRUCT *prompt, DATA_BLOB *out );
