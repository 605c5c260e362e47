/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: what the host of consoles does on Windows and Wine's does not
 *
 * Included in Wine's programs/conhost/conhost.c.  A pseudo console takes the character 3 for Ctrl-C, and with
 * PSEUDOCONSOLE_INHERIT_CURSOR asks where the cursor is and waits for the answer, however long it takes (MSDN
 * "CreatePseudoConsole").  A console on a Unix terminal, with ENABLE_VIRTUAL_TERMINAL_PROCESSING or
 * ENABLE_VIRTUAL_TERMINAL_INPUT, leaves sequences to that terminal (MSDN "SetConsoleMode").
 */

/* the key for a character, with the modifiers in the high byte; of those that have no key of their own, 0 */
static SHORT ntlab_scan( WCHAR ch )
{
    if (ch == VK_BACK || ch == VK_TAB || ch == VK_RETURN || ch == VK_ESCAPE || ch == VK_SPACE) return ch;
    if (ch >= '0' && ch <= '9') return ch;
    if (ch >= 'a' && ch <= 'z') return ch - 'a' + 'A';
    if (ch >= 'A' && ch <= 'Z') return 0x100 + ch;
    if (ch >= 1 && ch <= 26) return 0x200 + 'A' + ch - 1;
    return 0;
}

static HANDLE ntlab_cursor_event;  /* somebody waits for the answer */

static void ntlab_cursor_is_at( struct console *console, unsigned int y, unsigned int x )
{
    struct screen_buffer *active = console->active;

    if (x) x--;
    if (y) y--;
    active->cursor_x = console->tty_cursor_x = min( x, active->width - 1 );
    active->cursor_y = console->tty_cursor_y = min( y, active->height - 1 );
    SetEvent( ntlab_cursor_event );
    ntlab_cursor_event = NULL;
}

/* ESC [ row ; column R */
static BOOL ntlab_take_cursor( struct console *console, WCHAR ch )
{
    static unsigned int state, numbers[2];

    if (state == 0 && ch == 0x1b) state = 1;
    else if (state == 1 && ch == '[') state = 2;
    else if (state >= 2 && ch >= '0' && ch <= '9') numbers[state - 2] = numbers[state - 2] * 10 + ch - '0';
    else if (state == 2 && ch == ';') state = 3;
    else if (state == 3 && ch == 'R') ntlab_cursor_is_at( console, numbers[0], numbers[1] );
    else return FALSE;
    return TRUE;
}

/* a character that is not for Wine's own reading of a terminal */
static BOOL ntlab_take_input( struct console *console, WCHAR ch )
{
    if (console->is_unix)
    {
        if (!(console->mode & ENABLE_VIRTUAL_TERMINAL_INPUT)) return FALSE;
        key_press( console, ch, 0, 0 );
        return TRUE;
    }
    if (ntlab_cursor_event && ntlab_take_cursor( console, ch )) return TRUE;
    if (ch != 3) return FALSE;
    key_press( console, ch, 'C', LEFT_CTRL_PRESSED );
    return TRUE;
}

static void ntlab_ask_cursor( struct console *console )
{
    HANDLE handles[2] = { CreateEventW( NULL, TRUE, FALSE, NULL ), console->input_thread };

    if (!ntlab_inherit_cursor) return;
    EnterCriticalSection( &console_section );
    ntlab_cursor_event = handles[0];
    tty_write( console, "\x1b[6n", 4 );
    tty_flush( console );
    LeaveCriticalSection( &console_section );
    WaitForMultipleObjects( 2, handles, FALSE, INFINITE );
}

static BOOL ntlab_write_sequences( struct screen_buffer *screen_buffer, const WCHAR *buffer, size_t len )
{
    struct console *console = screen_buffer->console;
    size_t size;
    char *text;

    if (!console->is_unix || !console->tty_output || !is_active( screen_buffer )) return FALSE;
    if (!(screen_buffer->mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING)) return FALSE;
    size = WideCharToMultiByte( get_tty_cp( console ), 0, buffer, len, NULL, 0, NULL, NULL );
    if (!(text = malloc( size + 1 ))) return FALSE;
    WideCharToMultiByte( get_tty_cp( console ), 0, buffer, len, text, size, NULL, NULL );
    tty_write( console, text, size );
    tty_flush( console );
    free( text );
    return TRUE;
}
