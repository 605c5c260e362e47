/* One command for sbx, from HELLO to the end of the pipe. */
#ifndef SBX_RUNNER_SERVE_H
#define SBX_RUNNER_SERVE_H

#include "win/channel.h"

/* SBX_OK when the pipe ended after the command was handed over.  Else nothing is left running. */
sbx_status sbx_serve(sbx_channel *channel, sbx_error *err);

#endif
