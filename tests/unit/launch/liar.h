/* Runners that lie: copies of the test program, which find what to do in their own name. */
#ifndef SBX_TESTS_LIAR_H
#define SBX_TESTS_LIAR_H

#include <wchar.h>

/* An event that one which waits for good has. */
#define HELD L"sbx-test-account-held"

/* Makes `runner` (other.h) one that lies so; its path. */
const wchar_t *lie(const char *mode);

/* Waits until all processes of the program have ended. */
void remove_lie(const wchar_t *copy_w);

/* What such a runner does. */
int liar_main(const wchar_t *mode);

#endif
