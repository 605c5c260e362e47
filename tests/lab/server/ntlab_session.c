/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: logon sessions
 *
 * A session lives as long as a token of it does (MSDN "LSA Logon Sessions").
 */

#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"

#include "file.h"
#include "handle.h"
#include "process.h"
#include "request.h"
#include "security.h"
#include "thread.h"
#include "ntlab.h"
#include "ntlab_sam.h"

static struct list sessions = LIST_INIT( sessions );

struct list *ntlab_sessions(void)
{
    return &sessions;
}

struct ntlab_session *ntlab_session_new( unsigned int type, const struct sid *user, const WCHAR *name )
{
    static unsigned int last;
    struct ntlab_session *session = mem_alloc( sizeof(*session) );
    unsigned int i;

    if (!session) return NULL;
    if (!last) last = 0x10000 + (time( NULL ) & 0xffffff);
    memset( session, 0, sizeof(*session) );
    session->refs        = 1;
    session->id.low_part = last += 0x11;
    session->info.id.low_part = session->id.low_part;
    session->info.type   = type;
    session->info.terminal_session = current ? current->process->session_id : 1;
    session->info.logon_time = current_time;
    copy_sid( (struct sid *)session->info.user.bytes, user );
    for (i = 0; name && name[i] && i < ARRAY_SIZE(session->info.name) - 1; i++) session->info.name[i] = name[i];
    list_add_tail( &sessions, &session->entry );
    return session;
}

struct ntlab_session *ntlab_session_grab( struct ntlab_session *session )
{
    if (session) session->refs++;
    return session;
}

void ntlab_session_release( struct ntlab_session *session )
{
    if (!session || --session->refs) return;
    if (session->first) release_object( session->first );
    if (session->linked) release_object( session->linked );
    session->first = session->linked = NULL;
    if (session->leaked) return;
    list_remove( &session->entry );
    free( session );
}

struct ntlab_session *ntlab_session_find( struct luid id )
{
    struct ntlab_session *session;

    LIST_FOR_EACH_ENTRY( session, &sessions, struct ntlab_session, entry )
        if (session->id.low_part == id.low_part && session->id.high_part == id.high_part) return session;
    return NULL;
}

/* anybody learns which there are */
DECL_HANDLER(ntlab_enum_sessions)
{
    struct ntlab_session *session;
    struct luid *ids;
    unsigned int i = 0;

    reply->count = list_count( &sessions );
    if (reply->count * sizeof(*ids) > get_reply_max_size()) set_error( STATUS_BUFFER_TOO_SMALL );
    else if ((ids = set_reply_data_size( reply->count * sizeof(*ids) )))
        LIST_FOR_EACH_ENTRY( session, &sessions, struct ntlab_session, entry ) ids[i++] = session->id;
}

/* MSDN "LsaGetLogonSessionData": the caller is the owner of the session or an administrator */
DECL_HANDLER(ntlab_get_session)
{
    struct token *token = thread_get_impersonation_token( current );
    struct ntlab_session *session = ntlab_session_find( req->id );

    if (!session) set_error( STATUS_NO_SUCH_LOGON_SESSION );
    else if (!equal_sid( ntlab_token_user( token ), sid_of( &session->info.user )) &&
             !ntlab_token_has_sid( token, &builtin_admins_sid, 0 )) set_error( STATUS_ACCESS_DENIED );
    else set_reply_data( &session->info, min( sizeof(session->info), get_reply_max_size() ));
}
