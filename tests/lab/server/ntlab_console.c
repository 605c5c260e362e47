/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the process that a console lives in
 *
 * Included at the end of Wine's server/console.c.
 */

struct host
{
    const struct console_server *server;
    process_id_t                 pid;
};

/* the host has inherited the server of the console, and nobody else keeps that */
static int is_host( struct process *process, void *arg )
{
    const obj_handle_t handle = find_inherited_handle( process, &console_server_ops );
    struct object *obj = handle ? get_handle_obj( process, handle, 0, &console_server_ops ) : NULL;
    struct host *host = arg;

    if (!obj) return 0;
    if ((struct console_server *)obj == host->server) host->pid = get_process_id( process );
    release_object( obj );
    return host->pid != 0;
}

int ntlab_is_console_host( struct process *process )
{
    return find_inherited_handle( process, &console_server_ops ) != 0;
}

DECL_HANDLER(ntlab_get_console_host)
{
    struct process *process = get_process_from_handle( req->handle, PROCESS_QUERY_LIMITED_INFORMATION );
    struct host host = { NULL };

    if (!process) return;
    if (process->console && (host.server = process->console->server))
    {
        enum_processes( is_host, &host );
        reply->pid = host.pid;
    }
    release_object( process );
}
