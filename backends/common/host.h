/*
 * The host of the backend: the table that the loading program gave to the entry function.
 */
#ifndef SBX_COMMON_HOST_H
#define SBX_COMMON_HOST_H

#include "sbx/backend.h"

/* NULL before the entry function ran.  Set once, before any other call of the backend. */
extern const sbx_host *sbx_host_table;

#endif
