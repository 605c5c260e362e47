/*
 * Text at the edge: UTF-8 (WTF-8) inside, UTF-16 in a call.
 *
 * Results are allocated; the caller frees them with sbx_free.
 */
#ifndef SBX_WIN_WIDE_H
#define SBX_WIN_WIDE_H

#include "base/error.h"

/* SBX_E_REFUSED for text that is not well-formed WTF-8; `what` names it in the error. */
sbx_status sbx_wide(const char *text, const char *what, uint16_t **text_w, sbx_error *err);

/* A path for a file call: an absolute one too long for MAX_PATH gets the \\?\ prefix, since the manifest
 * alone does not lift the limit where the machine has not opted in (MSDN "Maximum Path Length Limitation"). */
sbx_status sbx_wide_path(const char *path, uint16_t **path_w, sbx_error *err);

/* SBX_E_MEMORY is the only failure. */
sbx_status sbx_narrow(const uint16_t *text_w, char **text, sbx_error *err);

#endif
