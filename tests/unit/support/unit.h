/* What every unit test includes: cmocka with what it needs before it. */
#ifndef SBX_TESTS_UNIT_H
#define SBX_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/support/fault.h"

#define SBX_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
