/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the filtering platform inside of the server
 *
 * ntlab_wfp.c knows the objects, ntlab_wfp_store.c keeps them, ntlab_bfe.c changes them for its sessions in transactions, ntlab_filter.c
 * understands filters and decides about a flow, ntlab_sock.c asks for the flows of sockets.
 */

#ifndef NTLAB_WFP_H
#define NTLAB_WFP_H

#include "guiddef.h"
#include "ntlab_fwp.h"

/* fwptypes.h */
enum
{
    FWP_EMPTY, FWP_UINT8, FWP_UINT16, FWP_UINT32, FWP_UINT64,
    FWP_BYTE_ARRAY16_TYPE = 11, FWP_BYTE_BLOB_TYPE, FWP_SID, FWP_SECURITY_DESCRIPTOR_TYPE,
    FWP_UNICODE_STRING_TYPE = 17, FWP_V4_ADDR_MASK = 0x100, FWP_V6_ADDR_MASK, FWP_RANGE_TYPE
};

enum
{
    FWP_MATCH_EQUAL, FWP_MATCH_GREATER, FWP_MATCH_LESS, FWP_MATCH_GREATER_OR_EQUAL, FWP_MATCH_LESS_OR_EQUAL,
    FWP_MATCH_RANGE, FWP_MATCH_FLAGS_ALL_SET, FWP_MATCH_FLAGS_ANY_SET, FWP_MATCH_FLAGS_NONE_SET,
    FWP_MATCH_EQUAL_CASE_INSENSITIVE, FWP_MATCH_NOT_EQUAL, FWP_MATCH_PREFIX, FWP_MATCH_NOT_PREFIX, FWP_MATCH_TYPE_MAX
};

#define FWP_ACTION_BLOCK   0x1001
#define FWP_ACTION_PERMIT  0x1002
#define FWP_ACTION_CALLOUT 0x4000  /* flag of the three that call one */

#define FWP_CONDITION_FLAG_IS_LOOPBACK      0x00000001
#define FWP_CONDITION_FLAG_IS_WILDCARD_BIND 0x00000008
#define FWP_CONDITION_FLAG_IS_RAW_ENDPOINT  0x00000010
#define FWP_CONDITION_FLAGS_KNOWN           0x03ffc7ff  /* fwptypes.h */

enum wfp_layer { WFP_CONNECT, WFP_LISTEN, WFP_ACCEPT, WFP_BIND, WFP_LAYERS };

enum wfp_field
{
    WFP_USER, WFP_APP, WFP_FLAGS, WFP_PROTOCOL, WFP_LOCAL_PORT, WFP_REMOTE_PORT, WFP_LOCAL_ADDRESS, WFP_REMOTE_ADDRESS, WFP_FIELDS
};

/* a value of a condition or of a flow */
struct wfp_value
{
    int                present;
    unsigned long long number;       /* an IPv4 address is one, in host order */
    unsigned char      bytes[16];    /* IPv6 address */
};

struct wfp_condition
{
    enum wfp_field   field;
    unsigned int     match;
    int              is_mask;        /* EQUAL, but for the bits that the mask leaves out */
    struct wfp_value low, high;      /* the value, or the ends of a range, or address and mask */
    struct security_descriptor *sd;
    const void      *id;             /* of an application; lies in the filter's data */
    data_size_t      id_size;
};

/* an object of the engine; never changed once it is in a table */
struct wfp_object
{
    unsigned int             refcount;
    enum { WFP_DYNAMIC, WFP_STATIC, WFP_PERSISTENT, WFP_BUILTIN } lifetime;
    const struct wfp_session *session;     /* that a dynamic object belongs to */
    struct security_descriptor *sd;
    enum wfp_layer           layer;        /* of a filter */
    int                      v6;
    struct wfp_condition    *conditions;
    struct ntlab_fwp_object *data;         /* as it was added, with what the engine sets */
};

struct wfp_table
{
    unsigned int        count;
    unsigned int        capacity;
    struct wfp_object **objects;
};

/* an application, by its path with the null */
struct wfp_app
{
    unsigned int len;    /* in characters */
    WCHAR        name[1];
};

/* what is to be decided */
struct wfp_flow
{
    enum wfp_layer   layer;
    int              v6;
    struct token    *token;
    const struct wfp_app *app;             /* or NULL */
    struct wfp_value values[WFP_FIELDS];   /* of all fields but user and application */
};

/* who asks for a change */
struct wfp_session
{
    struct token *token;
    int           dynamic;
};

/* ntlab_wfp_store.c: the table that is in force, and keeping what is persistent in one */
extern struct wfp_table *ntlab_wfp_table(void);
extern int ntlab_wfp_save( const struct wfp_table *table );

/* ntlab_wfp.c; errors are Win32 ones or FWP_E_* */
extern int ntlab_table_add( struct wfp_table *table, struct wfp_object *object );
extern void ntlab_table_remove( struct wfp_table *table, unsigned int pos );
extern void ntlab_table_clear( struct wfp_table *table );
extern struct wfp_object *ntlab_wfp_find( const struct wfp_table *table, enum ntlab_fwp_kind kind, const GUID *key );
/* data belongs to the object that is made, or is freed */
extern unsigned int ntlab_wfp_add( struct wfp_table *table, const struct wfp_session *session, struct ntlab_fwp_object *data );
extern unsigned int ntlab_wfp_delete( struct wfp_table *table, const struct wfp_session *session, struct wfp_object *object );
/* of an object, or with NULL of the engine */
extern int ntlab_wfp_access( struct token *token, const struct security_descriptor *sd, unsigned int access );
/* a self-relative descriptor as the server keeps them, for the caller to free; NULL if it is none */
extern struct security_descriptor *ntlab_wfp_read_sd( const void *data, data_size_t size );
/* is what a client sent an object?  And the parts that lie behind one: */
extern int ntlab_wfp_complete( const struct ntlab_fwp_object *data, data_size_t size );
extern const void *ntlab_wfp_part( const struct ntlab_fwp_object *data, int part );
enum { WFP_NAME, WFP_DESCRIPTION, WFP_DATA, WFP_SERVICE, WFP_SD, WFP_CONDITIONS };
extern int ntlab_same_guid( const GUID *one, const GUID *other );

/* ntlab_app.c; for the caller to free, NULL for none */
extern struct wfp_app *ntlab_app_of_process( const struct process *process );
extern int ntlab_is_app( const struct wfp_app *app, const void *id, data_size_t size );

/* ntlab_filter.c */
extern unsigned int ntlab_filter_parse( struct wfp_object *filter );
extern int ntlab_wfp_permits( const struct wfp_flow *flow );

#endif /* NTLAB_WFP_H */
