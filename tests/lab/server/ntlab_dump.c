/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: what the server knows, for those who look from outside of Windows
 *
 * Compiled as part of Wine's server/process.c.  SIGUSR2 writes the file "dump" of the prefix, a line for each
 * thing, with a word at its start that says what it is; hashes of passwords are not in it.
 */

#include "unicode.h"
#include "ntlab_sam.h"

#define DUMP_FILE "dump"

static data_size_t text_size( const WCHAR *text )
{
    data_size_t len = 0;

    while (text[len]) len++;
    return len * sizeof(WCHAR);
}

/* quotes around names, which may have spaces */
static void print_text( FILE *file, const WCHAR *text, data_size_t size )
{
    fputc( '"', file );
    dump_strW( text, size, file, "\"\"" );
    fputc( '"', file );
}

void ntlab_print_sid( FILE *file, const struct sid *sid )
{
    unsigned int i;

    fprintf( file, "S-%u-%u", sid->revision, sid->id_auth[5] );
    for (i = 0; i < sid->sub_count; i++) fprintf( file, "-%u", sid->sub_auth[i] );
}

static void dump_accounts( FILE *file )
{
    unsigned int i, member;

    fprintf( file, "policy min-length=%u max-age=%u min-age=%u history=%u lockout=%u/%u/%u\n", sam.policy.min_length,
             sam.policy.max_age, sam.policy.min_age, sam.policy.history, sam.policy.lockout_threshold,
             sam.policy.lockout_duration, sam.policy.lockout_window );
    for (i = 0; i < sam.user_count; i++)
    {
        const struct account *user = &sam.users[i];

        fprintf( file, "user %u ", user->info.rid );
        print_text( file, user->info.name, text_size( user->info.name ));
        fprintf( file, " flags=%#x password=%d set=%u expires=%u bad=%u locked=%d logons=%u comment=", user->info.flags,
                 user->has_password, user->info.password_set, user->info.expires, user->info.bad_passwords,
                 ntlab_is_locked( user ), user->info.logons );
        print_text( file, user->info.comment, text_size( user->info.comment ));
        fputc( '\n', file );
    }
    for (i = 0; i < sam.alias_count; i++)
    {
        const struct alias *alias = &sam.aliases[i];

        fprintf( file, "group %u ", alias->info.rid );
        print_text( file, alias->info.name, text_size( alias->info.name ));
        for (member = 0; member < alias->info.member_count; member++)
        {
            fputc( ' ', file );
            ntlab_print_sid( file, sid_of( &alias->members[member] ));
        }
        fputc( '\n', file );
    }
    for (i = 0; i < sam.holder_count; i++)
    {
        const unsigned long long rights = ntlab_rights_of( &sam.holders[i] );
        unsigned int right;

        fprintf( file, "rights " );
        ntlab_print_sid( file, sid_of( &sam.holders[i].sid ));
        for (right = 0; ntlab_right_name( right ); right++)
            if (rights >> right & 1) fprintf( file, " %s", ntlab_right_name( right ));
        fputc( '\n', file );
    }
}

static void dump_sessions( FILE *file )
{
    const struct ntlab_session *session;

    LIST_FOR_EACH_ENTRY( session, ntlab_sessions(), const struct ntlab_session, entry )
    {
        fprintf( file, "session %u-%u type=%u tokens=%u user=", session->id.high_part, session->id.low_part,
                 session->info.type, session->refs );
        ntlab_print_sid( file, sid_of( &session->info.user ));
        fputc( ' ', file );
        print_text( file, session->info.name, text_size( session->info.name ));
        fputc( '\n', file );
    }
}

static void dump_processes( FILE *file )
{
    struct process *process;
    struct thread *thread;

    LIST_FOR_EACH_ENTRY( process, &process_list, struct process, entry )
    {
        fprintf( file, "process %u parent=%u unix=%d ", process->id, process->parent_id, process->unix_pid );
        print_text( file, process->image, process->image ? process->imagelen : 0 );
        fputc( '\n', file );
        fprintf( file, "token process=%u ", process->id );
        ntlab_print_token( file, process->token );
        LIST_FOR_EACH_ENTRY( thread, &process->thread_list, struct thread, proc_entry )
        {
            if (!thread->token) continue;
            fprintf( file, "token process=%u thread=%u ", process->id, thread->id );
            ntlab_print_token( file, thread->token );
        }
    }
}

void ntlab_dump(void)
{
    int fd = openat( config_dir_fd, DUMP_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600 );
    FILE *file = fd == -1 ? NULL : fdopen( fd, "w" );

    if (!file)
    {
        if (fd != -1) close( fd );
        return;
    }
    dump_accounts( file );
    dump_sessions( file );
    ntlab_dump_profiles( file );
    dump_processes( file );
    if (!fclose( file )) renameat( config_dir_fd, DUMP_FILE ".new", config_dir_fd, DUMP_FILE );
}
