#include "win/out.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/utf.h"

#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004
#endif

/* Of a message: less than the pipe takes at once. */
#define FRAME_BYTES 8192u

static const char *program = "sbx";
static int frames;

void sbx_out_frames(void)
{
    frames = 1;
}

void sbx_out_program(const char *name)
{
    program = name;
}

static HANDLE handle_of(unsigned where)
{
    HANDLE handle = GetStdHandle(where == SBX_OUT_STDOUT && !frames ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);

    return handle == INVALID_HANDLE_VALUE ? NULL : handle;
}

int sbx_out_is_console(unsigned where)
{
    HANDLE handle = handle_of(where);
    DWORD mode;

    return handle && GetConsoleMode(handle, &mode);
}

unsigned sbx_out_columns(unsigned where)
{
    HANDLE handle = handle_of(where);
    CONSOLE_SCREEN_BUFFER_INFO info;

    if (!handle || !GetConsoleScreenBufferInfo(handle, &info))
        return 0;
    return (unsigned)(info.srWindow.Right - info.srWindow.Left + 1);
}

int sbx_out_has_colour(unsigned where)
{
    HANDLE handle = handle_of(where);
    DWORD mode;

    if (!handle || !GetConsoleMode(handle, &mode) || GetEnvironmentVariableW(L"NO_COLOR", NULL, 0) > 1)
        return 0;
    /* asked for, not set: the console's mode belongs to everyone who writes there */
    return (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}

static void write_console(HANDLE handle, const char *text, size_t length)
{
    size_t units = 0, at = 0;
    uint16_t *text_w = sbx_utf8_to_utf16(text, length, &units);
    DWORD done;

    while (text_w && at < units) {
        /* a console took at most 64 KiB in one call before Windows 8 and is still slow with more */
        done = 0;
        if (!WriteConsoleW(handle, text_w + at, (DWORD)(units - at > 8192 ? 8192 : units - at), &done, NULL) || !done)
            break;
        at += done;
    }
    sbx_free(text_w);
}

static void write_frames(HANDLE handle, unsigned where, const char *text, size_t length)
{
    char frame[FRAME_BYTES];
    size_t part;
    DWORD done;

    for (; length; text += part, length -= part) {
        part = length < FRAME_BYTES ? length : sbx_utf8_cut(text, FRAME_BYTES - 1);
        frame[0] = (char)where;
        memcpy(frame + 1, text, part);
        if (!WriteFile(handle, frame, (DWORD)part + 1, &done, NULL))
            return;
    }
}

void sbx_out_frame(const char *text, size_t length)
{
    const unsigned where = length ? (unsigned char)text[0] : 0;

    if (where == SBX_OUT_STDOUT || where == SBX_OUT_STDERR)
        sbx_out_text(where, text + 1);
    else
        sbx_out_text(SBX_OUT_STDERR, text);
}

void sbx_out_write(unsigned where, const char *text, size_t length)
{
    HANDLE handle = handle_of(where);
    DWORD done;

    if (!handle || !length)
        return;
    if (frames) {
        write_frames(handle, where, text, length);
        return;
    }
    if (sbx_out_is_console(where)) {
        write_console(handle, text, length);
        return;
    }
    while (length) {
        done = 0;
        if (!WriteFile(handle, text, (DWORD)(length > 1u << 20 ? 1u << 20 : length), &done, NULL) || !done)
            break;
        text += done;
        length -= done;
    }
}

void sbx_out_wrap(sbx_text *to, unsigned indent, const char *text)
{
    sbx_text_wrap(to, "", indent, text);
}

static void write_text(sbx_text *text)
{
    if (!text->failed)
        sbx_out_write(SBX_OUT_STDERR, text->data, text->length);
    sbx_text_fini(text);
}

void sbx_out_text(unsigned where, const char *text)
{
    sbx_text shown = {0};

    sbx_text_add_shown(&shown, text, 1);
    if (!shown.failed)
        sbx_out_write(where, shown.data, shown.length);
    sbx_text_fini(&shown);
}

void sbx_out_line(const char *text)
{
    sbx_text line = {0};

    sbx_text_printf(&line, "%s: ", program);
    sbx_text_add_shown(&line, text, 0);
    sbx_text_add_char(&line, '\n');
    write_text(&line);
}

void sbx_out_error(const char *message, const char *hint)
{
    const int colour = sbx_out_has_colour(SBX_OUT_STDERR);
    sbx_text text = {0};

    sbx_text_printf(&text, "%s%s:%s ", colour ? "\x1b[31m" : "", program, colour ? "\x1b[0m" : "");
    sbx_text_add_shown(&text, message, 0);
    if (hint[0]) {
        sbx_text_add(&text, "\n  hint: ");
        sbx_text_add_shown(&text, hint, 0);
    }
    sbx_text_add_char(&text, '\n');
    write_text(&text);
}
