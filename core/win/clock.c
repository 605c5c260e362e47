#include "win/clock.h"

#include <windows.h>

uint64_t sbx_clock_us(void)
{
    LARGE_INTEGER now, frequency;
    uint64_t ticks, second;

    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&now);
    ticks = (uint64_t)now.QuadPart;
    second = (uint64_t)frequency.QuadPart;
    /* in two parts, for ticks * 1000000 overflows after weeks at 10 MHz */
    return ticks / second * 1000000u + ticks % second * 1000000u / second;
}
