/*
 * The end of everything at a write: what a loss of power, or a kill, leaves of it.
 *
 * From the nth change of the system on none takes place: files, folders, values, accounts, groups, rights.  Of a WriteFile that is
 * the nth the first half does.  What the program reads goes on, so that its own way back runs, in vain, and one process can try all n.
 * Calls are taken from the import table of the program that was linked from the code under test (MSDN "PE Format", Import
 * Address Table); libraries are left alone.
 */
#ifndef SBX_TESTS_CUT_H
#define SBX_TESTS_CUT_H

#include <stdint.h>

/* n 0: no end; the changes are counted. */
void sbx_cut_at(uint32_t n);
uint32_t sbx_cut_count(void); /* since then */
int sbx_cut_hit(void);
const char *sbx_cut_what(void); /* the function that was the nth */

#endif
