/*
 * A root of the kind GROW: a command makes files anywhere in it, and changes or deletes nothing that was there: git's objects.
 *
 * What is made in it inherits an allow with DELETE, since git moves a temporary file to its name.  So what is there when a
 * run begins is closed then, each time, whoever made it: directories are kept in place, and no file keeps an ACE for a SID of
 * the run.  While another run lives in it, files are left as they are: it may be about to move one.
 */
#ifndef SBX_GRANTS_GROW_H
#define SBX_GRANTS_GROW_H

#include "common/grants/spread.h"

/* roots: of this run.  files: no other run lives. */
sbx_status sbx_grow_close(const sbx_root *root, const sbx_root *roots, uint32_t count, int files, sbx_ledger *ledger,
                          sbx_spread_count *seen, sbx_error *err);

#endif
