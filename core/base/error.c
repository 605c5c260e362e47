#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf.h"

sbx_status sbx_fail(sbx_error *err, sbx_status status, const char *op, const char *object)
{
    return sbx_fail_code(err, status, SBX_CODE_NONE, 0, op, object);
}

sbx_status sbx_fail_code(sbx_error *err, sbx_status status, uint32_t code_kind, uint32_t code, const char *op,
                         const char *object)
{
    if (!err)
        return status;
    err->size = sizeof(*err);
    err->status = status;
    err->code = code;
    err->code_kind = code_kind;
    sbx_utf8_copy(err->op, sizeof(err->op), op);
    sbx_utf8_copy(err->object, sizeof(err->object), object);
    sbx_utf8_copy(err->hint, sizeof(err->hint), sbx_hint_for(op, code_kind, code));
    return status;
}

sbx_status sbx_fail_memory(sbx_error *err)
{
    return sbx_fail(err, SBX_E_MEMORY, "allocate", NULL);
}

sbx_status sbx_hint(sbx_error *err, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (!err)
        return SBX_OK;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sbx_utf8_copy(err->hint, sizeof(err->hint), text);
    return err->status;
}

int sbx_exit_code(sbx_status status)
{
    switch (status) {
    case SBX_OK:
        return 0;
    case SBX_E_TIMEOUT:
        return 124;
    case SBX_E_NOT_RUNNABLE:
        return 126;
    case SBX_E_NOT_FOUND:
        return 127;
    default:
        return 125;
    }
}

static const char *status_text(sbx_status status)
{
    static const char *const texts[] = {
        "done",
        "wrong use",
        "wrong configuration",
        "refused",
        "the system refused",
        "out of memory",
        "not available here",
        "the system does not enforce what was asked",
        "the backend broke the rules of its interface",
        "not found",
        "found, but it cannot run",
        "the time limit was reached",
        "not supported by this backend",
    };
    return status >= 0 && (size_t)status < sizeof(texts) / sizeof(texts[0]) ? texts[status] : "unknown status";
}

size_t sbx_error_text(const sbx_error *err, const char *system_message, char *buffer, size_t size)
{
    static const char *const kinds[] = {"", "win32", "ntstatus", "hresult"};
    const char *kind = err->code_kind < 4 ? kinds[err->code_kind] : "code";
    const char *said = system_message ? system_message : err->status == SBX_E_USAGE ? "" : status_text(err->status);
    char code[48] = "";
    int length;

    if (err->code_kind)
        snprintf(code, sizeof(code), err->code_kind == SBX_CODE_WIN32 ? " (%s %u)" : " (%s 0x%08X)", kind,
                 (unsigned)err->code);
    /* the operation of a wrong use says all: "--zzz: unknown option" */
    length = snprintf(buffer, size, "%s%s%s%s%s%s", err->object, err->object[0] ? ": " : "", err->op,
                      err->op[0] && said[0] ? ": " : "", said, code);
    return length < 0 ? 0 : (size_t)length;
}
