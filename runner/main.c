/*
 * sbx-runner.exe: the part of a launch that runs as the sandbox account.
 *
 * sbx.exe starts it through the secondary logon service, with the control pipes as standard input and output, and talks
 * to it (base/talk.h, core/launch/account.h).  It makes the token of the command from its own, filtered once, starts the
 * command suspended in the job that it was given, lets the backend check it, and hands it over.  Then it passes Ctrl-C on
 * until the pipe ends.
 */
#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "base/quote.h"
#include "base/talk.h"
#include "plugin/plugin.h"
#include "plugin/start.h"
#include "runner/harden.h"
#include "runner/serve.h"
#include "win/error.h"
#include "win/handle.h"
#include "win/out.h"
#include "win/weaker.h"

int wmain(void);

/* Asked to try the network, and for nothing else: with arguments, which sbx never gives it for a launch. */
static int is_trial(int *exit_code)
{
    sbx_arena arena = {NULL};
    sbx_arguments arguments = {0};
    const int is = sbx_quote_split(&arena, (const uint16_t *)GetCommandLineW(), &arguments, NULL) == SBX_OK &&
                   sbx_weaker_main(arguments.count, arguments.items, exit_code);

    sbx_arena_fini(&arena);
    return is;
}

/* The control pipes are this program's alone: the command gets others, and what is printed goes nowhere. */
static sbx_status take_pipes(sbx_channel *channel, sbx_error *err)
{
    static const DWORD names[2] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE};
    void **const ends[2] = {&channel->input, &channel->output};
    HANDLE given, null;
    int i;

    channel->peer = "sbx";
    for (i = 0; i < 2; i++) {
        given = GetStdHandle(names[i]);
        if (!given || GetFileType(given) != FILE_TYPE_PIPE) {
            sbx_fail(err, SBX_E_USAGE, "nothing asked for", NULL);
            return sbx_hint(err, "this program is started by sbx");
        }
        null = sbx_handle_from(CreateFileW(L"\\\\.\\NUL", i ? GENERIC_WRITE : GENERIC_READ,
                                           FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL));
        if (!null || !SetHandleInformation(given, HANDLE_FLAG_INHERIT, 0) || !SetStdHandle(names[i], null))
            return sbx_fail_last(err, SBX_E_SYSTEM, "SetStdHandle", NULL);
        *ends[i] = given;
    }
    return SBX_OK;
}

int wmain(void)
{
    sbx_channel channel = {0};
    sbx_error err = {0}, ignored;
    char message[2048];
    sbx_text frame = {0};
    int exit_code;
    sbx_status st;

    sbx_start("sbx-runner");
    sbx_out_program("sbx-runner");
    if (is_trial(&exit_code))
        return exit_code;
    st = take_pipes(&channel, &err);
    if (st != SBX_OK) {
        sbx_error_describe(&err, message, sizeof(message));
        sbx_out_error(message, err.hint);
        return sbx_exit_code(st);
    }
    if ((st = sbx_harden(&err)) == SBX_OK)
        st = sbx_serve(&channel, &err);
    if (st != SBX_OK) {
        sbx_talk_failed_put(&frame, &err);
        sbx_channel_send(&channel, &frame, &ignored);
    }
    sbx_channel_close(&channel);
    return sbx_exit_code(st);
}
