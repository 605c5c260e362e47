/*
 * sbx-runner.exe: the part of a launch that runs as the sandbox account.
 *
 *   sbx-runner BACKEND < ticket
 *
 * Loads the backend, reads the ticket that sbx.exe got from it (its length in four bytes, little-endian, then
 * the bytes), and makes the token of the command.  Prints one line and exits 0 when the token was made, else 125.
 */
#include <windows.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/quote.h"
#include "win/out.h"
#include "plugin/plugin.h"
#include "plugin/start.h"
#include "win/error.h"
#include "win/handle.h"

#define TICKET_MAX (1u << 20)

int wmain(void);

static void on_log(void *context, uint32_t level, const char *text)
{
    (void)context;
    if (level <= SBX_LOG_WARN)
        sbx_out_line(text);
}

static sbx_status read_bytes(void *buffer, uint32_t length, sbx_error *err)
{
    HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
    char *at = buffer;
    DWORD done;

    while (length) {
        done = 0;
        if (!ReadFile(input, at, length, &done, NULL) && GetLastError() != ERROR_BROKEN_PIPE)
            return sbx_fail_last(err, SBX_E_SYSTEM, "ReadFile", "ticket");
        if (!done)
            return sbx_fail(err, SBX_E_REFUSED, "it ends too early", "ticket");
        at += done;
        length -= done;
    }
    return SBX_OK;
}

static sbx_status read_ticket(sbx_ticket *ticket, void **bytes, sbx_error *err)
{
    unsigned char head[4];
    uint32_t length;
    sbx_status st = read_bytes(head, sizeof(head), err);

    if (st != SBX_OK)
        return st;
    length = head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 | (uint32_t)head[3] << 24;
    if (length > TICKET_MAX)
        return sbx_fail(err, SBX_E_REFUSED, "it is too long", "ticket");
    *bytes = sbx_alloc(length);
    if (!*bytes)
        return sbx_fail_memory(err);
    ticket->size = sizeof(*ticket);
    ticket->length = length;
    ticket->bytes = *bytes;
    return read_bytes(*bytes, length, err);
}

static sbx_status make_token(const sbx_backend *backend, sbx_error *err)
{
    sbx_ticket ticket = {0};
    sbx_spawn spawn = {0};
    void *bytes = NULL;
    char text[128];
    sbx_status st = read_ticket(&ticket, &bytes, err);

    if (st == SBX_OK && (st = backend->token(&ticket, &spawn, err)) == SBX_OK) {
        snprintf(text, sizeof(text), "backend \"%.32s\" made %s\n", backend->name,
                 spawn.token ? "a token" : "no token: the account's own");
        sbx_out_write(SBX_OUT_STDOUT, text, strlen(text));
        sbx_handle_close(&spawn.token);
        backend->spawn_end(&spawn);
    }
    sbx_free(bytes);
    return st;
}

static sbx_status run(sbx_arena *arena, sbx_error *err)
{
    const sbx_plugin_sink sink = {NULL, on_log, NULL, NULL};
    const sbx_backend *backend;
    sbx_arguments arguments;
    sbx_plugin *plugin = NULL;
    char object[64];
    sbx_status st = sbx_quote_split(arena, (const uint16_t *)GetCommandLineW(), &arguments, err);

    if (st != SBX_OK)
        return st;
    if (arguments.count != 2 || arguments.items[1][0] == '-') {
        sbx_fail(err, SBX_E_USAGE, "no backend", NULL);
        return sbx_hint(err, "this program is started by sbx: sbx-runner BACKEND, the ticket on standard input");
    }
    if ((st = sbx_plugin_init(SBX_PROGRAM_RUNNER, "", &sink, err)) != SBX_OK ||
        (st = sbx_plugin_load(arguments.items[1], &plugin, err)) != SBX_OK)
        return st;
    backend = sbx_plugin_backend(plugin);
    if (backend->flags & SBX_BACKEND_ACCOUNT) {
        st = make_token(backend, err);
    } else {
        snprintf(object, sizeof(object), "backend \"%.32s\"", backend->name);
        st = sbx_fail(err, SBX_E_UNSUPPORTED, "it has no account to run as", object);
        sbx_hint(err, "its commands run as you; sbx starts them itself");
    }
    sbx_plugin_free(plugin);
    return st;
}

int wmain(void)
{
    sbx_arena arena = {NULL};
    sbx_error err = {0};
    char message[2048];
    sbx_status st;

    sbx_start("sbx-runner");
    sbx_out_program("sbx-runner");
    st = run(&arena, &err);
    if (st != SBX_OK) {
        sbx_error_describe(&err, message, sizeof(message));
        sbx_out_error(message, err.hint);
    }
    sbx_arena_fini(&arena);
    return sbx_exit_code(st);
}
