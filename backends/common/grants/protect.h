/*
 * The rules of one root (rules.h) made so on the disk, and held against what is there when the run ends.
 */
#ifndef SBX_GRANTS_PROTECT_H
#define SBX_GRANTS_PROTECT_H

#include "base/memory.h"
#include "common/grants/ledger.h"
#include "common/grants/root.h"
#include "common/grants/rules.h"

typedef struct sbx_protection {
    sbx_root *root;
    sbx_ledger *ledger;
    sbx_arena *arena;
    int dry;       /* touch nothing */
    int no_guards; /* what is not there stays so */
    sbx_rule *rules;
    const sbx_rule **absent; /* those whose object was not there */
    uint32_t absent_count;
} sbx_protection;

/* Make what the rules ask for, with guards for what is not there. */
sbx_status sbx_protect(sbx_protection *p, sbx_error *err);

/* Denies of an earlier policy that this one does not want are taken away.  SBX_E_REFUSED: another run than `hold` wants them. */
sbx_status sbx_protect_free(sbx_protection *p, const sbx_hold *hold, sbx_error *err);

/* When the run ends.  look: what a program of the user has put in the place of a protected object has the rights of where it
 * was made, so that the command could write to it: protected, and told.  is_last: no other run holds the root, whose guards go. */
void sbx_protect_end(sbx_protection *p, int look, int is_last);

/* "N TEXT" as a gap of `object`, for N > 0. */
void sbx_protect_note_count(const char *object, uint64_t count, const char *text);

#define SBX_PROTECT_OTHERS "objects whose other access rights the file system keeps in another form than they had"

#endif
