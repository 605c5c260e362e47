#include "win/terminal.h"

#include <windows.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/tty.h"
#include "win/error.h"
#include "win/handle.h"

/* Not in every SDK. */
#ifndef ENABLE_VIRTUAL_TERMINAL_INPUT
#define ENABLE_VIRTUAL_TERMINAL_INPUT 0x0200u
#endif
#ifndef DISABLE_NEWLINE_AUTO_RETURN
#define DISABLE_NEWLINE_AUTO_RETURN 0x0008u
#endif

#define PIPE_BYTES 0x10000u
#define RECORDS 128u

/* A window that is made higher is no event of the console. */
#define SIZE_MS 500u
/* How long nothing may come of a pseudo console that is being closed. */
#define STALL_MS 5000u
#define STEP_MS 50u
#define SHARE_STEPS 20u /* for a thread that is to end */

/* What a pseudo console, or a command that was ended, may have left of the terminal: key events as sequences, reports of the
 * focus, colours, no cursor.  What is not known is ignored. */
#define AFTERWARDS L"\x1B[?9001l\x1B[?1004l\x1B[m\x1B[?25h"

struct sbx_terminal {
    HANDLE console[2]; /* input, output; of the caller */
    uint32_t modes[2];
    int shared; /* a standard stream is no console */
    sbx_terminal_ends ends;
    HANDLE typed, shown;      /* own ends */
    HANDLE stop, owed;        /* events: to end, a Ctrl-C to send */
    HANDLE threads[2];        /* typing, showing */
    volatile LONG size, told; /* width and height in 16 bits each */
    volatile LONG steps;      /* of the second thread; odd: writing to the console */
    int told_cursor;
    sbx_tty_keys keys;
    sbx_tty_text text;
    uint16_t units[SBX_TTY_BYTES];
};

static LONG measure(const sbx_terminal *t)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!GetConsoleScreenBufferInfo(t->console[1], &info))
        return 80 | 25 << 16;
    return (info.srWindow.Right - info.srWindow.Left + 1) | (info.srWindow.Bottom - info.srWindow.Top + 1) << 16;
}

static sbx_status open_pipes(sbx_terminal *t, sbx_error *err)
{
    if (!CreatePipe(&t->ends.typed, &t->typed, NULL, PIPE_BYTES)) {
        t->ends.typed = t->typed = NULL;
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreatePipe", "terminal");
    }
    if (!CreatePipe(&t->shown, &t->ends.shown, NULL, PIPE_BYTES)) {
        t->shown = t->ends.shown = NULL;
        return sbx_fail_last(err, SBX_E_SYSTEM, "CreatePipe", "terminal");
    }
    t->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    t->owed = CreateEventW(NULL, FALSE, FALSE, NULL);
    return t->stop && t->owed ? SBX_OK : sbx_fail_last(err, SBX_E_SYSTEM, "CreateEventW", "terminal");
}

sbx_status sbx_terminal_open(sbx_terminal **terminal, const sbx_console *console, sbx_stdio *stdio, sbx_error *err)
{
    sbx_terminal *t;
    int i, consoles = 0;
    sbx_status st;

    *terminal = NULL;
    for (i = 0; i < 3; i++)
        if (sbx_console_is(i)) {
            consoles++;
            sbx_handle_close(&stdio->handles[i]);
        }
    if (!consoles)
        return SBX_OK;
    if (!console->files[0] || !console->files[1]) {
        sbx_fail(err, SBX_E_UNAVAILABLE, "it cannot be opened to read and to write", "console");
        return sbx_hint(err, "give the command files or pipes as its standard streams");
    }
    t = sbx_alloc_zero(1, sizeof(*t));
    if (!t)
        return sbx_fail_memory(err);
    for (i = 0; i < 2; i++) {
        t->console[i] = console->files[i];
        t->modes[i] = console->modes[i];
    }
    t->shared = consoles < 3;
    t->size = t->told = measure(t);
    t->ends.width = (uint32_t)t->size & 0xFFFF;
    t->ends.height = (uint32_t)t->size >> 16;
    st = open_pipes(t, err);
    if (st != SBX_OK)
        sbx_terminal_close(&t, NULL, NULL);
    *terminal = t;
    return st;
}

const sbx_terminal_ends *sbx_terminal_ends_get(const sbx_terminal *terminal)
{
    return &terminal->ends;
}

void sbx_terminal_given(sbx_terminal *terminal)
{
    sbx_handle_close(&terminal->ends.typed);
    sbx_handle_close(&terminal->ends.shown);
}

static void send_bytes(sbx_terminal *t, const char *bytes, size_t count)
{
    DWORD done;

    while (count && WriteFile(t->typed, bytes, (DWORD)count, &done, NULL)) {
        bytes += done;
        count -= done;
    }
}

/* A character that goes down, or one that was typed by its number while Alt was held. */
static int is_character(const KEY_EVENT_RECORD *key)
{
    return key->uChar.UnicodeChar && (key->bKeyDown || key->wVirtualKeyCode == VK_MENU);
}

static void take(sbx_terminal *t, const INPUT_RECORD *records, DWORD count)
{
    char bytes[1024];
    size_t length = 0, more;
    const KEY_EVENT_RECORD *key;
    uint32_t what;
    DWORD i;
    WORD repeat;

    for (i = 0; i < count; i++) {
        key = &records[i].Event.KeyEvent;
        if (records[i].EventType != KEY_EVENT || !is_character(key))
            continue;
        for (repeat = 0; repeat < key->wRepeatCount || !repeat; repeat++) {
            if (length > sizeof(bytes) - 8) {
                send_bytes(t, bytes, length);
                length = 0;
            }
            what = sbx_tty_key(&t->keys, (uint16_t)key->uChar.UnicodeChar, bytes + length, &more);
            length += more;
            if (what != SBX_TTY_NOTHING)
                sbx_console_typed(what == SBX_TTY_INTERRUPT);
        }
    }
    send_bytes(t, bytes, length);
}

static DWORD WINAPI type(void *context)
{
    sbx_terminal *t = context;
    HANDLE handles[3] = {t->stop, t->owed, t->console[0]};
    INPUT_RECORD records[RECORDS];
    DWORD count;
    LONG size;

    for (;;) {
        switch (WaitForMultipleObjects(3, handles, FALSE, SIZE_MS)) {
        case WAIT_OBJECT_0:
            return 0;
        case WAIT_OBJECT_0 + 1:
            send_bytes(t, "\3", 1);
            break;
        case WAIT_OBJECT_0 + 2:
            /* another one may have taken it */
            if (!GetNumberOfConsoleInputEvents(t->console[0], &count) ||
                (count && !ReadConsoleInputW(t->console[0], records, RECORDS, &count)))
                return 0; /* it is gone, or this is the end */
            take(t, records, count);
            break;
        case WAIT_TIMEOUT:
            break;
        default:
            return 0;
        }
        size = measure(t);
        if (InterlockedExchange(&t->size, size) != size)
            sbx_console_wake();
    }
}

/* One that cannot show it any more does not stop the command. */
static void write_units(sbx_terminal *t, const uint16_t *units, size_t count)
{
    DWORD done;

    while (count && WriteConsoleW(t->console[1], units, (DWORD)count, &done, NULL) && done) {
        units += done;
        count -= done;
    }
}

/* Where the screen begins is asked once, by a question to the terminal.  Its answer would come as if it were typed, where others that
 * share the console may take it: the host would wait for ever, and the command with it. */
static void write_and_tell_cursor(sbx_terminal *t, size_t count)
{
    static const uint16_t question[4] = {0x1B, '[', '6', 'n'};
    CONSOLE_SCREEN_BUFFER_INFO info;
    char text[32];
    size_t at;

    for (at = 0; at + 4 <= count && memcmp(t->units + at, question, sizeof(question)); at++)
        continue;
    if (at + 4 > count) {
        write_units(t, t->units, count);
        return;
    }
    write_units(t, t->units, at);
    if (!GetConsoleScreenBufferInfo(t->console[1], &info))
        memset(&info, 0, sizeof(info));
    t->told_cursor = 1;
    send_bytes(t, text,
               (size_t)snprintf(text, sizeof(text), "\x1B[%d;%dR", info.dwCursorPosition.Y - info.srWindow.Top + 1,
                                info.dwCursorPosition.X - info.srWindow.Left + 1));
    write_units(t, t->units + at + 4, count - at - 4);
}

static DWORD WINAPI show(void *context)
{
    sbx_terminal *t = context;
    size_t count;
    DWORD done;

    while (ReadFile(t->shown, t->text.bytes + t->text.count, (DWORD)(sizeof(t->text.bytes) - t->text.count), &done,
                    NULL)) {
        t->text.count += done;
        InterlockedIncrement(&t->steps);
        count = sbx_tty_show(&t->text, t->units);
        if (t->told_cursor)
            write_units(t, t->units, count);
        else
            write_and_tell_cursor(t, count);
        InterlockedIncrement(&t->steps);
    }
    return 0;
}

static sbx_status make_raw(sbx_terminal *t, sbx_error *err)
{
    const DWORD kept = ENABLE_QUICK_EDIT_MODE | ENABLE_INSERT_MODE | ENABLE_EXTENDED_FLAGS;
    const DWORD input = (t->modes[0] & kept) | ENABLE_VIRTUAL_TERMINAL_INPUT | ENABLE_WINDOW_INPUT |
                        (t->shared ? ENABLE_PROCESSED_INPUT : 0);
    /* who shares it may end its lines with no more than a line feed */
    const DWORD output = ENABLE_PROCESSED_OUTPUT | ENABLE_WRAP_AT_EOL_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING |
                         (t->shared ? 0 : DISABLE_NEWLINE_AUTO_RETURN);

    if (SetConsoleMode(t->console[1], output) && SetConsoleMode(t->console[0], input))
        return SBX_OK;
    sbx_fail_last(err, SBX_E_UNAVAILABLE, "SetConsoleMode", "console");
    return sbx_hint(err, "turn its legacy mode off, or give the command files or pipes as its standard streams");
}

sbx_status sbx_terminal_begin(sbx_terminal *terminal, sbx_error *err)
{
    static const LPTHREAD_START_ROUTINE work[2] = {type, show};
    sbx_status st = make_raw(terminal, err);
    int i;

    for (i = 0; st == SBX_OK && i < 2; i++)
        if (!(terminal->threads[i] = CreateThread(NULL, 0, work[i], terminal, 0, NULL)))
            st = sbx_fail_last(err, SBX_E_SYSTEM, "CreateThread", "terminal");
    return st;
}

void sbx_terminal_interrupt(sbx_terminal *terminal)
{
    SetEvent(terminal->owed);
}

int sbx_terminal_resized(sbx_terminal *terminal, uint32_t *width, uint32_t *height)
{
    const LONG size = terminal->size;

    *width = (uint32_t)size & 0xFFFF;
    *height = (uint32_t)size >> 16;
    return InterlockedExchange(&terminal->told, size) != size;
}

/* 0: it has not. */
static int has_ended(HANDLE thread, DWORD ms)
{
    return !thread || WaitForSingleObject(thread, ms) == WAIT_OBJECT_0;
}

/* A console waits as long as its user marks text, and the command has waited for that as well; nobody waits for a pipe of
 * which nothing comes. */
static int shown_all(const sbx_terminal *t)
{
    LONG last = t->steps, now;
    DWORD quiet = 0;

    while (!has_ended(t->threads[1], STEP_MS)) {
        now = t->steps;
        quiet = now == last && !(now & 1) ? quiet + STEP_MS : 0;
        last = now;
        if (quiet >= STALL_MS)
            return 0;
    }
    return 1;
}

void sbx_terminal_close(sbx_terminal **terminal, void (*end)(void *context), void *context)
{
    sbx_terminal *t = *terminal;
    DWORD done;
    UINT i;

    *terminal = NULL;
    if (!t)
        return;
    sbx_terminal_given(t);
    if (t->stop)
        SetEvent(t->stop);
    for (i = 0; i < SHARE_STEPS && !has_ended(t->threads[0], STEP_MS); i++)
        CancelSynchronousIo(t->threads[0]); /* another one has taken what it was woken for */
    if (!shown_all(t)) {
        end(context);
        if (!shown_all(t))
            return; /* it is in use, for as long as this process lives */
    }
    if (i == SHARE_STEPS)
        return;
    if (t->threads[1])
        WriteConsoleW(t->console[1], AFTERWARDS, (DWORD)wcslen(AFTERWARDS), &done, NULL);
    sbx_handle_close(&t->typed); /* the end of it might end the other side before all is shown */
    sbx_handle_close(&t->shown);
    sbx_handle_close(&t->stop);
    sbx_handle_close(&t->owed);
    sbx_handle_close(&t->threads[0]);
    sbx_handle_close(&t->threads[1]);
    sbx_free(t);
}
