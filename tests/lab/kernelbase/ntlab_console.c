/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: consoles that a restricted process makes
 *
 * Included in Wine's dlls/kernelbase/console.c.  On Windows a program with a restricted token that has
 * to make its console ends with 0xC0000142 before its first instruction, while one that inherits a
 * console runs.
 */

static BOOL ntlab_may_make_console(void)
{
    NTSTATUS status;

    SERVER_START_REQ( ntlab_make_console )
    {
        status = wine_server_call( req );
    }
    SERVER_END_REQ;
    return set_ntstatus( status );
}

/* may the process start with the console that it was created with? */
BOOL ntlab_console_is_allowed(void)
{
    const HANDLE console = RtlGetCurrentPeb()->ProcessParameters->ConsoleHandle;

    if (console != CONSOLE_HANDLE_ALLOC && console != CONSOLE_HANDLE_ALLOC_NO_WINDOW) return TRUE;
    if (RtlImageNtHeader( GetModuleHandleW( NULL ))->OptionalHeader.Subsystem != IMAGE_SUBSYSTEM_WINDOWS_CUI) return TRUE;
    return ntlab_may_make_console();
}

/* set for a process that was created with a pseudo console (process.c) */
#define NTLAB_PSEUDO_CONSOLE 0x80000000

/* Such a process is given the handles of that console for those that it was not given any for.  github.com/microsoft/terminal/issues/9492:
 * "These slots are only filled if they were otherwise empty." */
static void ntlab_fill_std_handles(void)
{
    RtlGetCurrentPeb()->ProcessParameters->dwFlags &= ~NTLAB_PSEUDO_CONSOLE;
    init_console_std_handles( FALSE );
}
