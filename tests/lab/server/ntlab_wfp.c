/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the objects of the filtering platform
 *
 * Providers, sublayers and filters by MSDN "Object Management" (lifetimes, associations), "Access Control"
 * (the descriptor of the engine) and the pages of Fwpm*Add0 and Fwpm*DeleteByKey0.
 */

#include "config.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winbase.h"
#include "winternl.h"

#include "request.h"
#include "security.h"
#include "ntlab.h"
#include "ntlab_wfp.h"

static const GUID no_guid;
static unsigned long long last_id = 0x10000;

int ntlab_same_guid( const GUID *one, const GUID *other )
{
    return !memcmp( one, other, sizeof(*one) );
}

/***********************************************************************
 *  security descriptors
 */

static const generic_map_t engine_mapping =
{
    STANDARD_RIGHTS_READ | FWPM_ACTRL_BEGIN_READ_TXN | FWPM_ACTRL_CLASSIFY | FWPM_ACTRL_OPEN | FWPM_ACTRL_READ | FWPM_ACTRL_READ_STATS,
    STANDARD_RIGHTS_WRITE | DELETE | FWPM_ACTRL_ADD | FWPM_ACTRL_ADD_LINK | FWPM_ACTRL_BEGIN_WRITE_TXN | FWPM_ACTRL_WRITE,
    STANDARD_RIGHTS_EXECUTE | FWPM_ACTRL_ENUM | FWPM_ACTRL_SUBSCRIBE,
    STANDARD_RIGHTS_REQUIRED | 0x7ff
};

static const struct sid everyone_sid = { SID_REVISION, 1, SECURITY_WORLD_SID_AUTHORITY, { SECURITY_WORLD_RID } };
static const struct sid net_config_sid = { SID_REVISION, 2, SECURITY_NT_AUTHORITY,
                                           { SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_NETWORK_CONFIGURATION_OPS } };

/* the engine, or an object that was added without a descriptor: it inherits all but what everybody has */
static struct security_descriptor *default_sd( int engine )
{
    const struct ntlab_ace aces[] =
    {
        { &builtin_admins_sid, 0, GENERIC_ALL },
        { &net_config_sid,     0, GENERIC_READ | GENERIC_WRITE | GENERIC_EXECUTE },
        { &everyone_sid,       0, FWPM_ACTRL_OPEN | FWPM_ACTRL_CLASSIFY },
    };

    return ntlab_sd_build( 0, &builtin_admins_sid, &local_system_sid, NULL, aces, engine ? 3 : 2 );
}

int ntlab_wfp_access( struct token *token, const struct security_descriptor *sd, unsigned int access )
{
    struct security_descriptor *engine = sd ? NULL : default_sd( TRUE );
    unsigned int granted, status;

    if (!sd && !engine) return 0;
    status = ntlab_check_sd( token, sd ? sd : engine, &engine_mapping, access, &granted );
    free( engine );
    return !status;
}

static int valid_acl( const unsigned char *data, data_size_t size )
{
    const struct acl *acl = (const struct acl *)data;
    const struct ace *ace;
    data_size_t pos = sizeof(*acl);
    unsigned int i;

    if (size < sizeof(*acl) || acl->size < sizeof(*acl) || acl->size > size) return 0;
    for (i = 0; i < acl->count; i++, pos += ace->size)
    {
        ace = (const struct ace *)(data + pos);
        if (acl->size - pos < sizeof(*ace) || ace->size > acl->size - pos || ace->size < sizeof(*ace) + sizeof(int)) return 0;
        if (!sid_valid_size( (const struct sid *)(ace + 1), ace->size - sizeof(*ace) )) return 0;
    }
    return 1;
}

/* MSDN "SECURITY_DESCRIPTOR"; one without owner or group has the system's, which matters to nobody */
struct security_descriptor *ntlab_wfp_read_sd( const void *data, data_size_t size )
{
    const SECURITY_DESCRIPTOR_RELATIVE *rel = data;
    const struct sid *owner = &local_system_sid, *group = &local_system_sid;
    const unsigned char *base = data;
    struct security_descriptor *sd;
    data_size_t dacl_len = 0;

    if (size < sizeof(*rel) || rel->Revision != SECURITY_DESCRIPTOR_REVISION || !(rel->Control & SE_SELF_RELATIVE)) return NULL;
    if (rel->Owner > size || rel->Group > size || rel->Dacl > size) return NULL;
    if (rel->Owner && !sid_valid_size( owner = (const struct sid *)(base + rel->Owner), size - rel->Owner )) return NULL;
    if (rel->Group && !sid_valid_size( group = (const struct sid *)(base + rel->Group), size - rel->Group )) return NULL;
    if ((rel->Control & SE_DACL_PRESENT) && rel->Dacl)
    {
        if (!valid_acl( base + rel->Dacl, size - rel->Dacl )) return NULL;
        dacl_len = ((const struct acl *)(base + rel->Dacl))->size;
    }
    if (!(sd = mem_alloc( sizeof(*sd) + sid_len( owner ) + sid_len( group ) + dacl_len ))) return NULL;
    sd->control   = rel->Control & ~(SE_SELF_RELATIVE | SE_SACL_PRESENT);
    sd->owner_len = sid_len( owner );
    sd->group_len = sid_len( group );
    sd->sacl_len  = 0;
    sd->dacl_len  = dacl_len;
    memcpy( sd + 1, owner, sd->owner_len );
    memcpy( (char *)(sd + 1) + sd->owner_len, group, sd->group_len );
    memcpy( (char *)(sd + 1) + sd->owner_len + sd->group_len, base + rel->Dacl, dacl_len );
    return sd;
}

/***********************************************************************
 *  objects
 */

const void *ntlab_wfp_part( const struct ntlab_fwp_object *data, int part )
{
    const unsigned int *sizes = &data->name_size;
    const char *pos = (const char *)(data + 1);
    int i;

    for (i = 0; i < part; i++) pos += NTLAB_FWP_PADDED( sizes[i] );
    return pos;
}

/* is the data of a client complete? */
int ntlab_wfp_complete( const struct ntlab_fwp_object *data, data_size_t size )
{
    const unsigned int *sizes = &data->name_size;
    unsigned int i;
    data_size_t pos = sizeof(*data);

    if (size < sizeof(*data) || data->size != size || data->kind >= NTLAB_FWP_KINDS) return 0;
    for (i = 0; i < WFP_CONDITIONS; i++)
    {
        if (sizes[i] > size - pos) return 0;
        pos += NTLAB_FWP_PADDED( sizes[i] );
        if (pos > size) return 0;
    }
    for (i = 0; i < data->condition_count; i++)
    {
        const struct ntlab_fwp_condition *condition = (const struct ntlab_fwp_condition *)((const char *)data + pos);

        if (size - pos < sizeof(*condition) || condition->size > size - pos - sizeof(*condition)) return 0;
        pos += sizeof(*condition) + NTLAB_FWP_PADDED( condition->size );
        if (pos > size) return 0;
    }
    return pos == size;
}

static void release( struct wfp_object *object )
{
    unsigned int i;

    if (--object->refcount) return;
    for (i = 0; object->conditions && i < object->data->condition_count; i++) free( object->conditions[i].sd );
    free( object->conditions );
    free( object->sd );
    free( object->data );
    free( object );
}

int ntlab_table_add( struct wfp_table *table, struct wfp_object *object )
{
    if (table->count == table->capacity)
    {
        unsigned int capacity = max( 16, table->capacity * 2 );
        struct wfp_object **objects = realloc( table->objects, capacity * sizeof(*objects) );

        if (!objects) return 0;
        table->objects  = objects;
        table->capacity = capacity;
    }
    object->refcount++;
    table->objects[table->count++] = object;
    return 1;
}

void ntlab_table_remove( struct wfp_table *table, unsigned int pos )
{
    release( table->objects[pos] );
    memmove( &table->objects[pos], &table->objects[pos + 1], (--table->count - pos) * sizeof(*table->objects) );
}

void ntlab_table_clear( struct wfp_table *table )
{
    while (table->count) ntlab_table_remove( table, table->count - 1 );
    free( table->objects );
    memset( table, 0, sizeof(*table) );
}

struct wfp_object *ntlab_wfp_find( const struct wfp_table *table, enum ntlab_fwp_kind kind, const GUID *key )
{
    unsigned int i;

    for (i = 0; i < table->count; i++)
        if (table->objects[i]->data->kind == kind && ntlab_same_guid( &table->objects[i]->data->key, key )) return table->objects[i];
    return NULL;
}

static int refers_to( const struct ntlab_fwp_object *data, const struct ntlab_fwp_object *target )
{
    if (target->kind == NTLAB_FWP_PROVIDER) return ntlab_same_guid( &data->provider, &target->key );
    return target->kind == NTLAB_FWP_SUBLAYER && data->kind == NTLAB_FWP_FILTER && ntlab_same_guid( &data->sublayer, &target->key );
}

static unsigned int check_reference( const struct wfp_table *table, const struct wfp_session *session, const struct wfp_object *object,
                                     enum ntlab_fwp_kind kind, const GUID *key, unsigned int missing )
{
    const struct wfp_object *target = ntlab_wfp_find( table, kind, key );

    if (!target) return missing;
    if (target->lifetime == WFP_DYNAMIC && object->lifetime == WFP_DYNAMIC && target->session != session) return FWP_E_WRONG_SESSION;
    if (target->lifetime < object->lifetime) return FWP_E_LIFETIME_MISMATCH;
    if (object->lifetime == WFP_PERSISTENT && target->lifetime == WFP_PERSISTENT &&
        !ntlab_same_guid( &target->data->provider, &no_guid ) && !ntlab_same_guid( &target->data->provider, &object->data->provider ))
        return FWP_E_LIFETIME_MISMATCH;
    if (session && !ntlab_wfp_access( session->token, target->sd, FWPM_ACTRL_ADD_LINK )) return ERROR_ACCESS_DENIED;
    return 0;
}

static unsigned int known_flags( enum ntlab_fwp_kind kind )
{
    if (kind != NTLAB_FWP_FILTER) return FWPM_SUBLAYER_FLAG_PERSISTENT;
    return FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_BOOTTIME | FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT | FWPM_FILTER_FLAG_INDEXED;
}

/* lifetime and references; session is NULL for what is read from the file */
static unsigned int check_object( const struct wfp_table *table, const struct wfp_session *session, struct wfp_object *object )
{
    const struct ntlab_fwp_object *data = object->data;
    const unsigned int kept = FWPM_FILTER_FLAG_PERSISTENT | (data->kind == NTLAB_FWP_FILTER ? FWPM_FILTER_FLAG_BOOTTIME : 0);
    unsigned int err;

    if (!data->name_size) return FWP_E_NULL_DISPLAY_NAME;
    if (data->flags & FWPM_FILTER_FLAG_HAS_PROVIDER_CONTEXT && data->kind == NTLAB_FWP_FILTER) return FWP_E_PROVIDER_CONTEXT_NOT_FOUND;
    if ((data->flags & ~known_flags( data->kind )) || (data->flags & kept) == (FWPM_FILTER_FLAG_PERSISTENT | FWPM_FILTER_FLAG_BOOTTIME))
        return FWP_E_INVALID_FLAGS;
    if (session && session->dynamic)
    {
        if (data->flags & kept) return FWP_E_DYNAMIC_SESSION_IN_PROGRESS;
        object->session = session;
    }
    object->lifetime = data->flags & kept ? WFP_PERSISTENT : session && session->dynamic ? WFP_DYNAMIC : WFP_STATIC;
    if (!ntlab_same_guid( &data->provider, &no_guid ) &&
        (err = check_reference( table, session, object, NTLAB_FWP_PROVIDER, &data->provider, FWP_E_PROVIDER_NOT_FOUND ))) return err;
    if (data->kind != NTLAB_FWP_FILTER) return 0;
    if ((err = check_reference( table, session, object, NTLAB_FWP_SUBLAYER, &data->sublayer, FWP_E_SUBLAYER_NOT_FOUND ))) return err;
    return ntlab_filter_parse( object );
}

/* data belongs to the object that is made, or is freed */
unsigned int ntlab_wfp_add( struct wfp_table *table, const struct wfp_session *session, struct ntlab_fwp_object *data )
{
    struct wfp_object *object = calloc( 1, sizeof(*object) );
    unsigned int err = 0;

    if (!object)
    {
        free( data );
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    object->refcount = 1;
    object->data = data;
    if (data->kind == NTLAB_FWP_FILTER && ntlab_same_guid( &data->sublayer, &no_guid )) data->sublayer = FWPM_SUBLAYER_UNIVERSAL;
    if (ntlab_same_guid( &data->key, &no_guid ))
    {
        int fd = open( "/dev/urandom", O_RDONLY );

        if (fd == -1 || read( fd, &data->key, sizeof(data->key) ) != sizeof(data->key)) err = ERROR_GEN_FAILURE;
        if (fd != -1) close( fd );
    }
    object->sd = data->sd_size ? ntlab_wfp_read_sd( ntlab_wfp_part( data, WFP_SD ), data->sd_size ) : default_sd( FALSE );
    if (!err && !object->sd) err = ERROR_INVALID_SECURITY_DESCR;
    if (!err && ntlab_wfp_find( table, data->kind, &data->key )) err = FWP_E_ALREADY_EXISTS;
    if (!err) err = check_object( table, session, object );
    if (!err && data->kind == NTLAB_FWP_FILTER) data->id = ++last_id;
    if (!err && !ntlab_table_add( table, object )) err = ERROR_NOT_ENOUGH_MEMORY;
    release( object );
    return err;
}

unsigned int ntlab_wfp_delete( struct wfp_table *table, const struct wfp_session *session, struct wfp_object *object )
{
    unsigned int i, pos = 0;

    if (object->lifetime == WFP_BUILTIN) return FWP_E_BUILTIN_OBJECT;
    if (object->lifetime == WFP_DYNAMIC && object->session != session) return FWP_E_WRONG_SESSION;
    if (object->lifetime != WFP_DYNAMIC && session->dynamic) return FWP_E_DYNAMIC_SESSION_IN_PROGRESS;
    if (!ntlab_wfp_access( session->token, object->sd, DELETE )) return ERROR_ACCESS_DENIED;
    for (i = 0; i < table->count; i++)
    {
        if (table->objects[i] == object) pos = i;
        else if (refers_to( table->objects[i]->data, object->data )) return FWP_E_IN_USE;
    }
    ntlab_table_remove( table, pos );
    return 0;
}
