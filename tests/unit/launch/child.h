/* What the test program does when it is started as a child: "child VERB ARGUMENT..." */
#ifndef SBX_TESTS_CHILD_H
#define SBX_TESTS_CHILD_H

#include <wchar.h>

int child_main(int argc, wchar_t **argv);

#endif
