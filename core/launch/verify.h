/*
 * The child before its first instruction: is it what was asked for?
 *
 * Checked on the suspended child: it is in our job and the job's limits are in force; its standard handles
 * are the three objects that were meant, and an inheritable handle that was not meant for it did not arrive;
 * it is the program that was resolved.  The token is the backend's to check.  Nothing is changed; the caller
 * ends the child on failure.
 *
 * Source: MSDN "IsProcessInJob", "NtQueryInformationProcess", "CompareObjectHandles",
 * "QueryFullProcessImageNameW".
 */
#ifndef SBX_LAUNCH_VERIFY_H
#define SBX_LAUNCH_VERIFY_H

#include "win/job.h"
#include "win/process.h"

/* An inheritable handle that no child is to receive: made before the start, compared after it. */
sbx_status sbx_verify_canary(void **canary, sbx_error *err);

/* SBX_E_UNENFORCED names what is not as it should be.  program_w: absolute path.  *unverified: SBX_AREA_* of which the
 * system does not tell whether they hold. */
sbx_status sbx_verify_child(const sbx_process *process, const sbx_job *job, const sbx_stdio *stdio, void *canary,
                            const uint16_t *program_w, uint32_t *unverified, sbx_error *err);

#endif
