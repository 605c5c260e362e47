/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the base filtering engine's sessions and transactions
 *
 * MSDN "Object Management".  A transaction works on a table of its own, which replaces the one in force
 * when it is committed.  A call outside of one is a transaction by itself.
 *
 * A session that has to wait for the transaction of another is told so (FWP_E_TIMEOUT) and asks again
 * until its time is over: fwpuclnt.dll.
 */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winternl.h"

#include "handle.h"
#include "process.h"
#include "request.h"
#include "security.h"
#include "thread.h"
#include "ntlab.h"
#include "ntlab_wfp.h"

struct session
{
    struct object      obj;
    struct list        entry;
    struct wfp_session info;
    GUID               key;
    enum { NO_TXN, READ_TXN, WRITE_TXN } txn;
};

static void session_dump( struct object *obj, int verbose );
static void session_destroy( struct object *obj );

static const struct object_ops session_ops =
{
    sizeof(struct session),        /* size */
    &no_type,                      /* type */
    session_dump,                  /* dump */
    no_add_queue,                  /* add_queue */
    NULL,                          /* remove_queue */
    NULL,                          /* signaled */
    NULL,                          /* satisfied */
    no_signal,                     /* signal */
    no_get_fd,                     /* get_fd */
    default_map_access,            /* map_access */
    default_get_sd,                /* get_sd */
    default_set_sd,                /* set_sd */
    no_get_full_name,              /* get_full_name */
    no_lookup_name,                /* lookup_name */
    no_link_name,                  /* link_name */
    NULL,                          /* unlink_name */
    no_open_file,                  /* open_file */
    no_kernel_obj_list,            /* get_kernel_obj_list */
    no_close_handle,               /* close_handle */
    session_destroy                /* destroy */
};

static const GUID no_guid;
static struct list sessions = LIST_INIT( sessions );
static struct wfp_table pending_table;           /* of the transaction that writes */
static struct session *writer;

static void session_dump( struct object *obj, int verbose )
{
    fprintf( stderr, "Filtering engine session\n" );
}

static void remove_dynamic( struct wfp_table *table, const struct session *session )
{
    unsigned int i = table->count;

    while (i--) if (table->objects[i]->session == &session->info) ntlab_table_remove( table, i );
}

static void end_txn( struct session *session )
{
    if (session == writer)
    {
        ntlab_table_clear( &pending_table );
        writer = NULL;
    }
    session->txn = NO_TXN;
}

static void session_destroy( struct object *obj )
{
    struct session *session = (struct session *)obj;

    end_txn( session );
    remove_dynamic( ntlab_wfp_table(), session );
    remove_dynamic( &pending_table, session );
    list_remove( &session->entry );
    release_object( session->info.token );
}

/* is there a transaction of another session in the way? */
static int must_wait( const struct session *session, int write )
{
    const struct session *other;

    LIST_FOR_EACH_ENTRY( other, &sessions, const struct session, entry )
        if (other != session && (other->txn == WRITE_TXN || (write && other->txn == READ_TXN))) return 1;
    return 0;
}

static unsigned int begin_txn( struct session *session, int write )
{
    unsigned int i;

    if (must_wait( session, write )) return FWP_E_TIMEOUT;
    session->txn = write ? WRITE_TXN : READ_TXN;
    if (!write) return 0;
    writer = session;
    for (i = 0; i < ntlab_wfp_table()->count; i++) ntlab_table_add( &pending_table, ntlab_wfp_table()->objects[i] );
    if (pending_table.count == ntlab_wfp_table()->count) return 0;
    end_txn( session );
    return ERROR_NOT_ENOUGH_MEMORY;
}

static int is_kept( const struct wfp_table *table, const struct wfp_object *object )
{
    unsigned int i;

    for (i = 0; i < table->count; i++) if (table->objects[i] == object) return 1;
    return 0;
}

static int persistent_differ( const struct wfp_table *one, const struct wfp_table *other )
{
    unsigned int i;

    for (i = 0; i < one->count; i++)
        if (one->objects[i]->lifetime == WFP_PERSISTENT && !is_kept( other, one->objects[i] )) return 1;
    return 0;
}

static unsigned int commit_txn( struct session *session )
{
    unsigned int err = 0;

    if (session == writer)
    {
        if ((persistent_differ( ntlab_wfp_table(), &pending_table ) || persistent_differ( &pending_table, ntlab_wfp_table() )) &&
            !ntlab_wfp_save( &pending_table )) err = ERROR_WRITE_FAULT;
        else
        {
            ntlab_table_clear( ntlab_wfp_table() );
            *ntlab_wfp_table() = pending_table;
            memset( &pending_table, 0, sizeof(pending_table) );
        }
    }
    end_txn( session );
    return err;
}

/***********************************************************************
 *  requests
 */

static unsigned int not_found( enum ntlab_fwp_kind kind )
{
    return kind == NTLAB_FWP_PROVIDER ? FWP_E_PROVIDER_NOT_FOUND :
           kind == NTLAB_FWP_SUBLAYER ? FWP_E_SUBLAYER_NOT_FOUND : FWP_E_FILTER_NOT_FOUND;
}

static struct wfp_object *find_wanted( const struct wfp_table *table, enum ntlab_fwp_kind kind, file_pos_t id )
{
    unsigned int i;

    if (get_req_data_size() == sizeof(GUID)) return ntlab_wfp_find( table, kind, get_req_data() );
    for (i = 0; kind == NTLAB_FWP_FILTER && i < table->count; i++)
        if (table->objects[i]->data->kind == kind && table->objects[i]->data->id == id) return table->objects[i];
    return NULL;
}

/* one object, or all of a kind that may be read */
static unsigned int reply_objects( const struct wfp_table *table, struct token *token, enum ntlab_fwp_kind kind,
                                   const struct wfp_object *only, data_size_t *needed )
{
    data_size_t size = 0;
    unsigned int i;
    char *reply;

    for (i = 0; i < table->count; i++)
    {
        const struct wfp_object *object = table->objects[i];

        if (only ? object == only : object->data->kind == kind && ntlab_wfp_access( token, object->sd, FWPM_ACTRL_READ ))
            size += object->data->size;
    }
    *needed = size;
    if (size > get_reply_max_size()) return ERROR_MORE_DATA;
    if (!size) return 0;
    if (!(reply = set_reply_data_size( size ))) return ERROR_NOT_ENOUGH_MEMORY;
    for (i = 0; i < table->count; i++)
    {
        const struct wfp_object *object = table->objects[i];

        if (!(only ? object == only : object->data->kind == kind && ntlab_wfp_access( token, object->sd, FWPM_ACTRL_READ ))) continue;
        memcpy( reply, object->data, object->data->size );
        reply += object->data->size;
    }
    return 0;
}

static unsigned int call_add( struct wfp_table *table, struct session *session, file_pos_t *id )
{
    const data_size_t size = get_req_data_size();
    struct ntlab_fwp_object *data;
    unsigned int err;

    if (!ntlab_wfp_access( session->info.token, NULL, FWPM_ACTRL_ADD )) return ERROR_ACCESS_DENIED;
    if (!ntlab_wfp_complete( get_req_data(), size )) return FWP_E_INVALID_PARAMETER;
    if (!(data = memdup( get_req_data(), size ))) return ERROR_NOT_ENOUGH_MEMORY;
    if (!(err = ntlab_wfp_add( table, &session->info, data ))) *id = table->objects[table->count - 1]->data->id;
    return err;
}

/* a call that reads or writes objects, in the transaction of the session or one of its own */
static unsigned int call_object( struct session *session, enum ntlab_fwp_call call, enum ntlab_fwp_kind kind,
                                 file_pos_t *arg, data_size_t *size )
{
    const int write = call == NTLAB_FWP_ADD || call == NTLAB_FWP_DELETE, implicit = session->txn == NO_TXN;
    struct wfp_table *table;
    struct wfp_object *object;
    unsigned int err;

    if (session->txn == READ_TXN && write) return FWP_E_INCOMPATIBLE_TXN;
    if (implicit && (err = begin_txn( session, write ))) return err;
    table = session == writer ? &pending_table : ntlab_wfp_table();
    switch (call)
    {
    case NTLAB_FWP_ADD:
        err = call_add( table, session, arg );
        break;
    case NTLAB_FWP_DELETE:
        if (!(object = find_wanted( table, kind, *arg ))) err = not_found( kind );
        else err = ntlab_wfp_delete( table, &session->info, object );
        break;
    case NTLAB_FWP_GET:
        if (!(object = find_wanted( table, kind, *arg ))) err = not_found( kind );
        else if (!ntlab_wfp_access( session->info.token, object->sd, FWPM_ACTRL_READ )) err = ERROR_ACCESS_DENIED;
        else err = reply_objects( table, session->info.token, kind, object, size );
        break;
    default:
        if (!ntlab_wfp_access( session->info.token, NULL, FWPM_ACTRL_ENUM )) err = ERROR_ACCESS_DENIED;
        else err = reply_objects( table, session->info.token, kind, NULL, size );
        break;
    }
    if (implicit && !err) err = commit_txn( session );
    else if (implicit) end_txn( session );
    return err;
}

static unsigned int call_begin( struct session *session, int write )
{
    if (session->txn != NO_TXN) return FWP_E_TXN_IN_PROGRESS;
    if (!ntlab_wfp_access( session->info.token, NULL, write ? FWPM_ACTRL_BEGIN_WRITE_TXN : FWPM_ACTRL_BEGIN_READ_TXN )) return ERROR_ACCESS_DENIED;
    return begin_txn( session, write );
}

DECL_HANDLER(ntlab_wfp_open)
{
    struct token *token = thread_get_impersonation_token( current );
    struct session *session, *other;
    GUID key = { 0 };

    if (get_req_data_size() == sizeof(key)) memcpy( &key, get_req_data(), sizeof(key) );
    if (ntlab_second( NTLAB_BFE )) reply->error = EPT_S_NOT_REGISTERED;
    else if (!ntlab_wfp_access( token, NULL, FWPM_ACTRL_OPEN )) reply->error = ERROR_ACCESS_DENIED;
    if (reply->error || req->probe) return;
    LIST_FOR_EACH_ENTRY( other, &sessions, struct session, entry )
    {
        if (ntlab_same_guid( &key, &no_guid ) || !ntlab_same_guid( &key, &other->key )) continue;
        reply->error = FWP_E_ALREADY_EXISTS;
        return;
    }
    ntlab_wfp_table();
    if (!(session = alloc_object( &session_ops ))) return;
    session->info.token   = (struct token *)grab_object( token );
    session->key     = key;
    session->info.dynamic = req->dynamic;
    session->txn     = NO_TXN;
    list_add_tail( &sessions, &session->entry );
    reply->handle = alloc_handle_no_access_check( current->process, session, GENERIC_ALL, 0 );
    release_object( session );
}

DECL_HANDLER(ntlab_wfp_call)
{
    struct session *session;

    reply->arg = req->arg;
    if (req->call == NTLAB_FWP_FIREWALL)
    {
        reply->arg = req->arg ? ntlab_second( NTLAB_FIREWALL ) : ntlab_second( NTLAB_FIREWALL_RULES );
        return;
    }
    if (req->kind >= NTLAB_FWP_KINDS)
    {
        reply->error = FWP_E_INVALID_PARAMETER;
        return;
    }
    if (!(session = (struct session *)get_handle_obj( current->process, req->handle, 0, &session_ops ))) return;
    switch (req->call)
    {
    case NTLAB_FWP_BEGIN:
        reply->error = call_begin( session, !(req->arg & FWPM_TXN_READ_ONLY) );
        break;
    case NTLAB_FWP_COMMIT:
        reply->error = session->txn == NO_TXN ? FWP_E_NO_TXN_IN_PROGRESS : commit_txn( session );
        break;
    case NTLAB_FWP_ABORT:
        if (session->txn == NO_TXN) reply->error = FWP_E_NO_TXN_IN_PROGRESS;
        else end_txn( session );
        break;
    default:
        reply->error = call_object( session, req->call, req->kind, &reply->arg, &reply->size );
        break;
    }
    release_object( session );
}
