/*
 * Handles: "none" is NULL, closing twice is harmless.
 *
 * Calls that answer INVALID_HANDLE_VALUE go through sbx_handle_from at once.
 */
#ifndef SBX_WIN_HANDLE_H
#define SBX_WIN_HANDLE_H

/* NULL for INVALID_HANDLE_VALUE; GetLastError stays as it was. */
void *sbx_handle_from(void *handle);

/* Closes *handle unless it is NULL, and sets it to NULL.  GetLastError stays as it was, so that an
 * error can be captured after it. */
void sbx_handle_close(void **handle);

#endif
