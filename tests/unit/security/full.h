/* A disk without room: needs a small one in the folder that SBX_SMALL_DISK names. */
#ifndef SBX_TESTS_FULL_H
#define SBX_TESTS_FULL_H

int full_setup(void **context);

void test_full_tree(void **context);
void test_full_ledger(void **context);
void test_full_rewrite(void **context);
void test_full_end(void **context);
void test_full_again(void **context);
void test_full_shield(void **context);

#endif
