/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: from one process to others
 *
 * Included at the end of Wine's server/process.c.
 */

/* NtGetNextProcess passes over what the caller may not open (ntdoc.m417z.com/ntgetnextprocess) */
DECL_HANDLER(ntlab_get_next_process)
{
    struct process *process;
    struct list *ptr;

    if (req->flags > 1)
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    ptr = req->flags ? list_tail( &process_list ) : list_head( &process_list );
    if (req->last)
    {
        if (!(process = get_process_from_handle( req->last, 0 ))) return;
        /* one that has ended is in no list any more: from the start again, rather than miss one */
        if (process->running_threads)
            ptr = req->flags ? list_prev( &process_list, &process->entry ) : list_next( &process_list, &process->entry );
        release_object( process );
    }

    for (; ptr; ptr = req->flags ? list_prev( &process_list, ptr ) : list_next( &process_list, ptr ))
    {
        if ((reply->handle = alloc_handle( current->process, LIST_ENTRY( ptr, struct process, entry ),
                                           req->access, req->attributes ))) return;
        if (get_error() != STATUS_ACCESS_DENIED) return;
        clear_error();
    }
    set_error( STATUS_NO_MORE_ENTRIES );
}
