/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: what the functions on users, groups and the policy share
 */

#ifndef NTLAB_NETAPI_H
#define NTLAB_NETAPI_H

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winternl.h"
#include "sddl.h"
#include "lm.h"
#include "ntlab_sam.h"

#define MAX_ENTRY_DATA 4096  /* room for all strings and SIDs of one returned structure */

/* variable part of a returned buffer */
struct packer
{
    BYTE *pos;
};

extern WCHAR *net_pack_string( struct packer *packer, const WCHAR *string );
extern BYTE *net_pack_bytes( struct packer *packer, const void *bytes, size_t size );
extern PSID net_pack_sid( struct packer *packer, const SID *sid );

extern BOOL net_is_local_server( const WCHAR *server );
extern BOOL net_is_valid_name( const WCHAR *name, size_t max_len );
/* what SAM says, as these functions say it */
extern NET_API_STATUS net_status( NTSTATUS status );

extern BOOL ntlab_is_domain_controller(void);
extern DWORD ntlab_server_type(void);

#endif /* NTLAB_NETAPI_H */
