/* What the test program does when it is started as a child: "child VERB ARGUMENT..." */
#ifndef SBX_TESTS_CHILD_H
#define SBX_TESTS_CHILD_H

#include <stdint.h>
#include <wchar.h>

int child_main(int argc, wchar_t **argv);

/* A number that grows by at least one with every handle that this process loses. */
uint32_t child_handles(void);

#endif
