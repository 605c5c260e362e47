/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: attributes of handles
 *
 * Included at the end of Wine's server/handle.c.
 */

int ntlab_handle_is_inherited( struct process *process, obj_handle_t handle )
{
    const struct handle_entry *entry = get_handle( process, handle );

    if (!entry) clear_error();
    return entry && (entry->access & RESERVED_INHERIT);
}
