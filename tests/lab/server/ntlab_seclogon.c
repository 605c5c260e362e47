/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: secondary logon (MSDN "CreateProcessWithLogonW", "CreateProcessWithTokenW")
 *
 * Included at the end of Wine's server/process.c.  On Windows a service makes the process and hands over
 * its handles.  Here the caller's thread makes it, with a ticket in place of a token: good for one process,
 * and for acting as the account meanwhile, which is how image and directory are opened.  What the service
 * decides is decided here.
 */

struct ntlab_ticket
{
    struct object  obj;
    struct token  *token;     /* of the process; NULL once that is made */
    struct job    *job;       /* for the process, or NULL */
    struct thread *thread;    /* that acts as the account, or NULL */
    struct token  *own;       /* what it impersonated before, or NULL */
};

static void ticket_dump( struct object *obj, int verbose )
{
    fprintf( stderr, "Ticket of secondary logon\n" );
}

static void stop_acting( struct ntlab_ticket *ticket )
{
    if (!ticket->thread) return;
    if (ticket->thread->token) release_object( ticket->thread->token );
    ticket->thread->token = ticket->own;
    ticket->own = NULL;
    release_object( ticket->thread );
    ticket->thread = NULL;
}

static void ticket_destroy( struct object *obj )
{
    struct ntlab_ticket *ticket = (struct ntlab_ticket *)obj;

    stop_acting( ticket );
    if (ticket->token) release_object( ticket->token );
    if (ticket->job) release_object( ticket->job );
}

static const struct object_ops ticket_ops =
{
    sizeof(struct ntlab_ticket),   /* size */
    &no_type,                      /* type */
    ticket_dump,                   /* dump */
    no_add_queue,                  /* add_queue */
    NULL,                          /* remove_queue */
    NULL,                          /* signaled */
    NULL,                          /* satisfied */
    no_signal,                     /* signal */
    no_get_fd,                     /* get_fd */
    default_map_access,            /* map_access */
    default_get_sd,                /* get_sd */
    default_set_sd,                /* set_sd */
    no_get_full_name,              /* get_full_name */
    no_lookup_name,                /* lookup_name */
    no_link_name,                  /* link_name */
    NULL,                          /* unlink_name */
    no_open_file,                  /* open_file */
    no_kernel_obj_list,            /* get_kernel_obj_list */
    no_close_handle,               /* close_handle */
    ticket_destroy                 /* destroy */
};

/***********************************************************************
 *  who may
 */

#define WIN32_STATUS( err ) (0xc0010000 | (err))  /* RtlNtStatusToDosError() gives back the error */

static int is_served( struct token *caller )
{
    if (!ntlab_require_level( caller )) return 0;
    if (ntlab_second( NTLAB_SECLOGON )) set_error( WIN32_STATUS( ERROR_SERVICE_DISABLED ));
    else if (ntlab_token_is_restricted( caller ) && ntlab_second( NTLAB_SECLOGON_RESTRICTED )) set_error( STATUS_ACCESS_DENIED );
    else return 1;
    return 0;
}

/* the service puts the caller's logon SID into the new token, and refuses those that have none, such as LocalSystem */
static struct token *log_on( struct token *caller, struct ntlab_logon *logon, unsigned int flags, unsigned int *substatus )
{
    const struct sid *logon_sid = ntlab_token_logon_sid( caller );

    if (!logon_sid || !ntlab_token_has_sid( caller, logon_sid, 0 ))
    {
        set_error( STATUS_ACCESS_DENIED );
        return NULL;
    }
    if (flags & LOGON_NETCREDENTIALS_ONLY) logon->type = LOGON32_LOGON_NEW_CREDENTIALS;
    else
    {
        logon->type = LOGON32_LOGON_INTERACTIVE;
        if (!ntlab_second( NTLAB_LOGON_SID )) logon->logon_sid = logon_sid;
    }
    return ntlab_logon_user( logon, substatus );
}

/* MSDN "CreateProcessWithTokenW" */
static struct token *copy_token( struct token *caller, obj_handle_t handle )
{
    struct token *source, *token;

    if (!ntlab_token_has_privilege( caller, SeImpersonatePrivilege ))
    {
        set_error( STATUS_PRIVILEGE_NOT_HELD );
        return NULL;
    }
    if (!(source = get_token_obj( current->process, handle, TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY ))) return NULL;
    token = token_duplicate( source, TRUE, 0, NULL, NULL, 0, NULL, 0 );
    release_object( source );
    return token;
}

/***********************************************************************
 *  the new process
 */

/* each process gets a job of its own, which is none of the caller's */
static struct job *make_runner_job(void)
{
    static const struct unicode_str no_name;
    struct job *job;

    if (ntlab_second( NTLAB_RUNNER_JOB )) return NULL;
    if ((job = create_job_object( NULL, &no_name, 0, NULL ))) job->limit_flags = JOB_OBJECT_LIMIT_BREAKAWAY_OK;
    return job;
}

/* returns NULL without an error for a handle to something else */
static struct ntlab_ticket *ntlab_get_ticket( obj_handle_t handle )
{
    struct object *obj = ntlab_enabled && handle ? get_handle_obj( current->process, handle, 0, NULL ) : NULL;

    if (obj && obj->ops == &ticket_ops) return (struct ntlab_ticket *)obj;
    if (obj) release_object( obj );
    clear_error();
    return NULL;
}

static struct job *ntlab_ticket_job( const struct ntlab_ticket *ticket )
{
    return ticket->job;
}

/* takes the token out of the ticket */
static struct token *ntlab_use_ticket( struct ntlab_ticket *ticket, const struct new_process_request *req )
{
    struct token *token = ticket->token;

    if (!token || req->parent_process || req->debug || req->handles_size || req->jobs_size ||
        (req->flags & (PROCESS_CREATE_FLAGS_INHERIT_HANDLES | PROCESS_CREATE_FLAGS_BREAKAWAY)))
    {
        set_error( STATUS_INVALID_PARAMETER );
        return NULL;
    }
    ticket->token = NULL;
    return token;
}

static obj_handle_t passed_on( obj_handle_t handle )
{
    return ntlab_second( NTLAB_STD_HANDLES ) || ntlab_handle_is_inherited( current->process, handle ) ? handle : 0;
}

/* A new console, and of the caller's handles the three that it names, no other.  Windows of consoles are not judged
 * here, so it has none. */
static void set_streams( startup_info_t *info )
{
    const int given = info->flags & STARTF_USESTDHANDLES;

    info->console = (obj_handle_t)-2;  /* CONSOLE_HANDLE_ALLOC_NO_WINDOW */
    info->hstdin  = given ? passed_on( info->hstdin ) : 0;
    info->hstdout = given ? passed_on( info->hstdout ) : 0;
    info->hstderr = given ? passed_on( info->hstderr ) : 0;
}

/* the token of the process is not for the caller, whose logon SID is in the default DACL */
static int close_token( struct token *token )
{
    const struct ntlab_ace aces[] =
    {
        { token_get_owner( token ), 0, GENERIC_ALL },
        { &local_system_sid,        0, GENERIC_ALL },
    };
    struct object *obj = (struct object *)token;

    free( obj->sd );
    obj->sd = ntlab_sd_build( 0, token_get_owner( token ), token_get_primary_group( token ), NULL, aces, ARRAY_SIZE(aces) );
    return obj->sd && ntlab_token_assign_label( token );
}

/* the process is connected to the caller's window station, which the caller's own account may use as far as that goes */
static int ntlab_complete_runner( struct process *process, startup_info_t *info )
{
    const int own = equal_sid( ntlab_token_user( process->token ), ntlab_token_user( current->process->token ));

    set_streams( info );
    if (!info->desktop_len && !own) ntlab_admit_account( process );
    return close_token( process->token );
}

struct token *ntlab_ticket_token( obj_handle_t handle )
{
    struct ntlab_ticket *ticket = (struct ntlab_ticket *)get_handle_obj( current->process, handle, 0, &ticket_ops );
    struct token *token = NULL;

    if (!ticket) return NULL;
    if (ticket->token) token = (struct token *)grab_object( ticket->token );
    else set_error( STATUS_INVALID_PARAMETER );
    release_object( ticket );
    return token;
}

/***********************************************************************
 *  requests
 */

DECL_HANDLER(ntlab_seclogon)
{
    struct token *caller = thread_get_impersonation_token( current );
    const WCHAR *text = get_req_data();
    const data_size_t size = get_req_data_size();
    struct ntlab_logon logon = { { 0 } };
    struct ntlab_ticket *ticket;
    struct token *token;

    if (!ntlab_enabled || ((req->name_len | req->domain_len | size) & 1) || req->name_len > size ||
        req->domain_len > size - req->name_len)
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    if (!is_served( caller )) return;
    logon.name.str     = text;
    logon.name.len     = req->name_len;
    logon.domain.str   = logon.name.str + req->name_len / sizeof(WCHAR);
    logon.domain.len   = req->domain_len;
    logon.password.str = logon.domain.str + req->domain_len / sizeof(WCHAR);
    logon.password.len = size - req->name_len - req->domain_len;
    token = req->token ? copy_token( caller, req->token ) : log_on( caller, &logon, req->flags, &reply->substatus );
    if (!token) return;

    if ((ticket = alloc_object( &ticket_ops )))
    {
        ticket->token  = (struct token *)grab_object( token );
        ticket->job    = make_runner_job();
        ticket->thread = NULL;
        ticket->own    = NULL;
        reply->handle = alloc_handle_no_access_check( current->process, ticket, 0, 0 );
        release_object( ticket );
    }
    release_object( token );
}

DECL_HANDLER(ntlab_act_as)
{
    struct ntlab_ticket *ticket = (struct ntlab_ticket *)get_handle_obj( current->process, req->handle, 0, &ticket_ops );
    struct token *token;

    if (!ticket) return;
    if (req->stop)
    {
        if (ticket->thread == current) stop_acting( ticket );
        else set_error( STATUS_INVALID_PARAMETER );
    }
    else if (ticket->thread || !ticket->token) set_error( STATUS_INVALID_PARAMETER );
    else if ((token = token_duplicate( ticket->token, FALSE, SecurityImpersonation, NULL, NULL, 0, NULL, 0 )))
    {
        if (close_token( token ))
        {
            ticket->thread = (struct thread *)grab_object( current );
            ticket->own    = current->token;
            current->token = token;
        }
        else release_object( token );
    }
    release_object( ticket );
}
