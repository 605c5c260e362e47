#include "common/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

const sbx_host *sbx_host_table;

int sbx_host_init(const sbx_host *host)
{
    sbx_allocator allocator;

    if (!host || host->size < sizeof(*host) || host->abi >> 16 != SBX_ABI_MAJOR)
        return 0;
    allocator.alloc = host->alloc;
    allocator.realloc = host->realloc;
    allocator.free = host->free;
    sbx_memory_use(&allocator);
    sbx_host_table = host;
    return 1;
}

void sbx_host_log(uint32_t level, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (!sbx_host_table)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sbx_host_table->log(level, text);
}

void sbx_host_note(uint32_t kind, const char *object, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (!sbx_host_table)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sbx_host_table->note(kind, object ? object : "", text);
}

void sbx_host_progress(const char *what, uint64_t done, uint64_t total)
{
    if (sbx_host_table)
        sbx_host_table->progress(what, done, total);
}

sbx_status SBX_CALL sbx_host_identity_self(sbx_session *session, sbx_identity *identity, sbx_error *err)
{
    (void)session;
    (void)err;
    memset(identity, 0, sizeof(*identity));
    identity->size = sizeof(*identity);
    identity->kind = SBX_IDENTITY_SELF;
    return SBX_OK;
}

sbx_status SBX_CALL sbx_host_no_setup(const sbx_setup_options *options, const sbx_setup_step **steps, uint32_t *count,
                                      sbx_error *err)
{
    (void)options;
    (void)err;
    *steps = NULL;
    *count = 0;
    return SBX_OK;
}
