/* The comparison of tests/page/sample.json. */
#ifndef SBX_TESTS_SAMPLE_H
#define SBX_TESTS_SAMPLE_H

#include "unit/support/unit.h"

#include <cJSON.h>

#include "base/text.h"

cJSON *sample(void); /* freed by the caller */

#endif
