/* Time for measuring, not for dates.  Source: MSDN "QueryPerformanceCounter".  Any thread. */
#ifndef SBX_WIN_CLOCK_H
#define SBX_WIN_CLOCK_H

#include <stdint.h>

uint64_t sbx_clock_us(void); /* microseconds since some moment before; never goes back */

#endif
