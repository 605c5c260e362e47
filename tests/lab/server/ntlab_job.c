/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: limits of jobs
 *
 * Compiled as part of Wine's server/process.c.  Every limit reads back as it
 * was set; the number of processes is enforced here.
 */

/* MSDN "JOBOBJECT_BASIC_LIMIT_INFORMATION": limits of all jobs in a chain hold */
static int ntlab_job_has_room( const struct job *job )
{
    for (; job; job = job->parent)
        if (ntlab_enabled && (job->limit_flags & JOB_OBJECT_LIMIT_ACTIVE_PROCESS) &&
            job->num_processes >= job->ntlab.active_limit) return 0;
    return 1;
}

/* may a process create one more? */
static int ntlab_job_may_grow( struct process *parent, unsigned int flags )
{
    const struct job *job = parent->job;

    while (job && ((job->limit_flags & JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK) ||
                   ((flags & PROCESS_CREATE_FLAGS_BREAKAWAY) && (job->limit_flags & JOB_OBJECT_LIMIT_BREAKAWAY_OK))))
        job = job->parent;
    if (ntlab_job_has_room( job )) return 1;
    set_error( STATUS_QUOTA_EXCEEDED );
    return 0;
}

static int ntlab_job_limits_ui( const struct job *job )
{
    unsigned int limits;

    memcpy( &limits, job->ntlab.data[NTLAB_JOB_UI], sizeof(limits) );
    return ntlab_enabled && limits;
}

/* MSDN "Nested Jobs": jobs nest if neither limits the user interface.  The status is what Windows 11 gives. */
static int ntlab_job_may_nest( const struct job *job, const struct job *inside )
{
    int limited = ntlab_job_limits_ui( job );

    for (; inside && !limited; inside = inside->parent) limited = ntlab_job_limits_ui( inside );
    if (limited) set_error( STATUS_NOT_SUPPORTED );
    return !limited;
}

/* a process that does not fit into the job ends */
static void ntlab_job_reject( struct process *process )
{
    terminate_process( process, NULL, STATUS_QUOTA_EXCEEDED );
    set_error( STATUS_QUOTA_EXCEEDED );
}

DECL_HANDLER(ntlab_set_job_info)
{
    struct job *job = get_job_obj( current->process, req->handle, JOB_OBJECT_SET_ATTRIBUTES );
    const data_size_t size = get_req_data_size();

    if (!job) return;
    if (req->slot < 0 || req->slot >= NTLAB_JOB_SLOTS || size > sizeof(job->ntlab.data[0])) set_error( STATUS_INVALID_PARAMETER );
    else
    {
        memset( job->ntlab.data[req->slot], 0, sizeof(job->ntlab.data[0]) );
        memcpy( job->ntlab.data[req->slot], get_req_data(), size );
        if (!req->slot) job->ntlab.active_limit = req->active_limit;
    }
    release_object( job );
}

/* a null handle stands for the job of the calling process */
DECL_HANDLER(ntlab_get_job_info)
{
    struct job *job;

    if (req->handle) job = get_job_obj( current->process, req->handle, JOB_OBJECT_QUERY );
    else if ((job = current->process->job)) grab_object( job );
    else set_error( STATUS_ACCESS_DENIED );
    if (!job) return;
    if (req->slot < 0 || req->slot >= NTLAB_JOB_SLOTS) set_error( STATUS_INVALID_PARAMETER );
    else set_reply_data( job->ntlab.data[req->slot], min( sizeof(job->ntlab.data[0]), get_reply_max_size() ));
    release_object( job );
}
