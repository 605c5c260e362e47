/*
 * An allocator that fails on demand, for all tests of portable code.
 *
 *   SBX_FAULT_EACH(n) {                     n = 1, 2, ... until nothing failed any more
 *       thing *t = thing_new();
 *       if (!t)
 *           assert_true(sbx_fault_hit());   the only reason not to get one
 *       thing_free(t);
 *       assert_int_equal(sbx_fault_live(), 0);
 *   }
 *
 * One thread only.
 */
#ifndef SBX_TESTS_FAULT_H
#define SBX_TESTS_FAULT_H

#include <stdint.h>

/* Install the counting allocator; the nth allocation from now on fails once (0: none does). */
void sbx_fault_use(uint64_t n);

int sbx_fault_hit(void);        /* whether that allocation was reached */
uint64_t sbx_fault_count(void); /* allocations since sbx_fault_use */
int64_t sbx_fault_live(void);   /* blocks allocated and not freed since the program began */

int sbx_fault_next(uint64_t *n);

#define SBX_FAULT_EACH(n) for (uint64_t n = 0; sbx_fault_next(&(n));)

#endif
