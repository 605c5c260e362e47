/*
 * One setup at a time on a machine: a file in the folder of the copies, held open, that says who has the turn.
 *
 * Only administrators may open it, so nobody else keeps setup from its turn; it goes when its holder ends, however that ends.
 *
 * Source: MSDN "CreateFileW" (FILE_FLAG_DELETE_ON_CLOSE, sharing).
 */
#ifndef SBX_SETUP_TURN_H
#define SBX_SETUP_TURN_H

#include "base/error.h"

/* Waits for it some seconds.  SBX_E_UNAVAILABLE names who has it.  *turn is a HANDLE. */
sbx_status sbx_turn_take(const char *folder, void **turn, sbx_error *err);

#endif
