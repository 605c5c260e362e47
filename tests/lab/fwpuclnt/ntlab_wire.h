/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NT lab: the structures of fwpmtypes.h as they travel (ntlab_fwp.h), and back. */

#ifndef NTLAB_WIRE_H
#define NTLAB_WIRE_H

/* an object in the making; the caller frees data */
struct builder
{
    char *data;
    DWORD size;
    DWORD capacity;
    DWORD err;
};

extern struct ntlab_fwp_object ntlab_wire_object( int kind, const GUID *key, const FWPM_DISPLAY_DATA0 *display, UINT32 flags,
                                                  const GUID *provider, const FWP_BYTE_BLOB *data );
/* object, names, data and descriptor; conditions follow */
extern void ntlab_wire_start( struct builder *builder, struct ntlab_fwp_object *object, const FWPM_DISPLAY_DATA0 *display,
                              const FWP_BYTE_BLOB *data, const WCHAR *service, PSECURITY_DESCRIPTOR sd );
extern void ntlab_wire_condition( struct builder *builder, const FWPM_FILTER_CONDITION0 *condition );
/* where the bytes of an FWP_VALUE0 are, and how many; a small integer is put into number */
extern DWORD ntlab_wire_value( FWP_DATA_TYPE type, const void *value, UINT64 *number, const void **data );

/* memory that an object and all that it points to is put into */
struct writer
{
    char *pos;
};

extern DWORD ntlab_wire_room( const struct ntlab_fwp_object *object );
/* by kind */
extern void (* const ntlab_wire_put[])( struct writer *writer, void *memory, const struct ntlab_fwp_object *object );

#endif /* NTLAB_WIRE_H */
