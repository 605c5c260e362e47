/*
 * Jobs: one for each launch.  No breakaway; the last handle's end is the end of the tree.
 *
 * Source: MSDN "Job Objects", "Nested Jobs", "JOBOBJECT_EXTENDED_LIMIT_INFORMATION",
 * "JOBOBJECT_CPU_RATE_CONTROL_INFORMATION", "JOBOBJECT_ASSOCIATE_COMPLETION_PORT".
 */
#ifndef SBX_WIN_JOB_H
#define SBX_WIN_JOB_H

#include "base/error.h"

#define SBX_JOB_HIT_MEMORY 1u
#define SBX_JOB_HIT_PROCESSES 2u

typedef struct sbx_job {
    void *handle, *port; /* HANDLE; the port exists only where messages are needed */
    sbx_limits limits;
    uint32_t ui_limits;
    uint32_t hit; /* SBX_JOB_HIT_*, collected by sbx_job_drain */
} sbx_job;

typedef struct sbx_job_usage {
    uint32_t active;    /* alive now */
    uint32_t processes; /* all that there ever were */
    uint64_t
        peak_memory; /* bytes committed by all at one time; 0: not counted, as for a job without a memory limit may be */
    uint64_t cpu_us; /* user and kernel */
} sbx_job_usage;

/* `job` begins as { 0 }; limits may be NULL; ui_limits are JOB_OBJECT_UILIMIT_*.  A crash ends its process without a
 * dialog, which nobody could answer on a private desktop. */
sbx_status sbx_job_open(sbx_job *job, const sbx_limits *limits, uint32_t ui_limits, sbx_error *err);

/* Are the limits in force as they were set?  SBX_E_UNENFORCED names the first that is not.  *known = 0: the system
 * gives back no flag of a job that has some, so whether nobody breaks away and all end with the last handle is not
 * known. */
sbx_status sbx_job_verify(const sbx_job *job, int *known, sbx_error *err);

/* Collect the messages about limits that were hit; at least every few seconds, because the system queues one
 * for each process.  Does nothing for a job without limits. */
void sbx_job_drain(sbx_job *job);

sbx_status sbx_job_usage_get(const sbx_job *job, sbx_job_usage *usage, sbx_error *err);

/* End every process of the job with this exit code and wait until they are gone, timeout_ms at most.
 * SBX_E_SYSTEM with ERROR_TIMEOUT if some are not: processes end late when a driver holds them. */
sbx_status sbx_job_end(sbx_job *job, uint32_t exit_code, uint32_t timeout_ms, sbx_error *err);

/* Let the processes outlive the job's handles.  The other limits stay in force for them. */
sbx_status sbx_job_release(sbx_job *job, sbx_error *err);

/* Those that the last release let go; none before one. */
const sbx_ext_children *sbx_job_children(void);

/* Ends what still runs, unless released. */
void sbx_job_close(sbx_job *job);

#endif
