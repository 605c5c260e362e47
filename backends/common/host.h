/*
 * The host of a backend, for all code that backends share.
 *
 * Set once, by the DLL's entry, before anything else runs; after that any thread may call.
 */
#ifndef SBX_COMMON_HOST_H
#define SBX_COMMON_HOST_H

#include "base/error.h"

extern const sbx_host *sbx_host_table; /* NULL before sbx_host_init */

/* Take the host and its memory.  0: its interface is not one that this backend can work with. */
int sbx_host_init(const sbx_host *host);

/* One line, cut at 1023 bytes; level is SBX_LOG_*. */
void sbx_host_log(uint32_t level, const char *format, ...) SBX_PRINTF(2, 3);

/* A fact for the report; kind is SBX_NOTE_*.  object may be NULL. */
void sbx_host_note(uint32_t kind, const char *object, const char *format, ...) SBX_PRINTF(3, 4);

/* Two functions of the table, for a backend whose commands run as the user and that needs no setup. */
sbx_status SBX_CALL sbx_host_identity_self(sbx_session *session, sbx_identity *identity, sbx_error *err);
sbx_status SBX_CALL sbx_host_no_setup(const sbx_setup_options *options, const sbx_setup_step **steps, uint32_t *count,
                                      sbx_error *err);

/* Says only that there is progress; done == total ends it. */
void sbx_host_progress(const char *what, uint64_t done, uint64_t total);

#endif
