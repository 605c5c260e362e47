/*
 * A workspace that a command only reads: of the user's accounts none may, where it is in his profile.
 *
 * Granted as a root is, with a SID of its own (SBX_SID_TAG_READ), which no token has, and a group that may read: found, listed and
 * undone like that.  What every user of the machine may read gets nothing.
 */
#ifndef SBX_GRANTS_READER_H
#define SBX_GRANTS_READER_H

#include "common/grants/ledger.h"
#include "common/grants/root.h"

typedef struct sbx_reader {
    sbx_root root;
    sbx_hold *hold;
} sbx_reader;

/* `reader` begins as { 0 }.  What cannot be granted stays as it is, and is no error: the command may need none of it.  run_id NULL:
 * no run holds it. */
sbx_status sbx_reader_open(const char *path, const char *run_id, const sbx_audience *audience, int dry,
                           sbx_reader *reader, sbx_error *err);
void sbx_reader_close(sbx_reader *reader);

/* Whether a folder can be read as it is: by every user of the machine, or (group, a PSID or NULL) by the members of that; as well
 * where that cannot be asked. */
int sbx_reader_is_open(const char *path, const void *group);

/* Whether a directory with this ACL gives a member of the group all of `mask`, as everybody's, every user's or the group's ACEs
 * say, and (below) what is in it as well. */
int sbx_reader_admits(const uint8_t *acl, const void *group, uint32_t mask, int below);

#endif
