/*
 * The ticket: what the process that spawns needs to make the token, as bytes.
 *
 *   u32 magic, version, flags, count of SIDs;  run SID;  the set's (may be empty), per root, the launcher's and the group's for deny
 *   only (may be empty): u32 length, SID;
 *   nine texts: run id, folder that must be closed, folder that must be open, first root, desktop ("": none), proof of the
 *   network ("": none; the backend's own), what is to be put in order before and after (tidy.h), what must
 *   not be read (hidden.h), each u32 length, bytes
 *
 * Little endian, no padding.  The reader trusts nothing: every length, every SID and every text is checked.
 */
#ifndef SBX_TOKEN_TICKET_H
#define SBX_TOKEN_TICKET_H

#include "base/memory.h"
#include "common/grants/acl.h"
#include "common/token/token.h"

#define SBX_TICKET_DESKTOP 1u   /* a private desktop */
#define SBX_TICKET_UI_LIMITS 2u /* the job's limits of the user interface */
#define SBX_TICKET_WHOLE 4u     /* no restricting SIDs */
#define SBX_TICKET_DELETE 8u    /* deleting outside is refused: to be measured again */
#define SBX_TICKET_FLAGS 15u

typedef struct sbx_ticket_data {
    uint32_t flags;      /* SBX_TICKET_* */
    sbx_token_spec spec; /* SIDs are in the arena of a ticket that was read */
    const char *run_id, *closed, *opened, *root;
    const char *desktop;     /* one that there is already */
    const char *proof;       /* of the network: the backend's own; "": not asked for */
    const char *owed, *made; /* see tidy.h: of runs that were killed, of this one */
    const char *hidden;      /* see hidden.h: paths, one a line */
    sbx_arena arena;         /* of a ticket that was read */
} sbx_ticket_data;

/* *bytes is freed with sbx_free. */
sbx_status sbx_ticket_write(const sbx_ticket_data *data, void **bytes, uint32_t *length, sbx_error *err);

/* `data` is self-contained afterwards; sbx_ticket_fini frees it.  SBX_E_REFUSED for bytes that are no ticket. */
sbx_status sbx_ticket_read(const void *bytes, uint32_t length, sbx_ticket_data *data, sbx_error *err);
void sbx_ticket_fini(sbx_ticket_data *data);

#endif
