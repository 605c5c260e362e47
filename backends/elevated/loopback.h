/*
 * Ports of this machine that commands reach although their network is off: what setup opened for a user.
 *
 * Ranges in order, none touching another, so that a set has one form.  Pure functions: any thread.
 */
#ifndef SBX_ELEVATED_LOOPBACK_H
#define SBX_ELEVATED_LOOPBACK_H

#include "base/text.h"
#include "sbx/backend.h"

#define SBX_LOOPBACK_MAX 256u

typedef struct sbx_loopback {
    sbx_port_range ranges[SBX_LOOPBACK_MAX];
    uint32_t count;
} sbx_loopback;

/* 0: it is no range, or there is no room. */
int sbx_loopback_add(sbx_loopback *set, uint16_t first, uint16_t last);
/* Is all of the range in it? */
int sbx_loopback_has(const sbx_loopback *set, uint16_t first, uint16_t last);
int sbx_loopback_same(const sbx_loopback *one, const sbx_loopback *other);
/* Some port from `from` on, round the end, that is not in it; 0: all are. */
uint16_t sbx_loopback_outside(const sbx_loopback *set, uint16_t from);
/* "8080,3000-3999", "all", "none". */
void sbx_loopback_text(const sbx_loopback *set, sbx_text *out);

#endif
