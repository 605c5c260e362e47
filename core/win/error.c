#include "win/error.h"

#include <windows.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/utf.h"

sbx_status sbx_fail_last(sbx_error *err, sbx_status status, const char *op, const char *object)
{
    DWORD code = GetLastError();

    sbx_fail_code(err, status, SBX_CODE_WIN32, code, op, object);
    SetLastError(code);
    return status;
}

sbx_status sbx_fail_last_w(sbx_error *err, sbx_status status, const char *op, const uint16_t *object_w)
{
    DWORD code = GetLastError();
    char *object = object_w ? sbx_utf16_to_utf8(object_w, wcslen(object_w), NULL) : NULL;

    sbx_fail_code(err, status, SBX_CODE_WIN32, code, op, object);
    sbx_free(object);
    SetLastError(code);
    return status;
}

sbx_status sbx_fail_nt(sbx_error *err, sbx_status status, int32_t ntstatus, const char *op, const char *object)
{
    return sbx_fail_code(err, status, SBX_CODE_NTSTATUS, (uint32_t)ntstatus, op, object);
}

/* The messages have %1, %2, ...: where there is no name for it, the blank behind it goes, too. */
static void fill_in(const char *text, const char *name, char *buffer, size_t size)
{
    size_t i, used = 0;

    for (i = 0; text[i] && used + 1 < size; i++) {
        if (text[i] != '%' || text[i + 1] < '1' || text[i + 1] > '9') {
            buffer[used++] = text[i] == '\r' || text[i] == '\n' ? ' ' : text[i];
        } else if (text[i + 1] == '1' && name) {
            sbx_utf8_copy(buffer + used, size - used, name);
            used += strlen(buffer + used);
            i++;
        } else {
            i += text[i + 2] == ' ' ? 2 : 1;
        }
    }
    buffer[used] = 0;
    buffer[sbx_utf8_cut(buffer, used)] = 0;
}

void sbx_system_message(uint32_t code_kind, uint32_t code, const char *object, char *buffer, size_t size)
{
    DWORD flags = FORMAT_MESSAGE_IGNORE_INSERTS, length = 0;
    HMODULE source = NULL;
    WCHAR text_w[512];
    char *text;

    buffer[0] = 0;
    if (code_kind == SBX_CODE_NTSTATUS) {
        source = GetModuleHandleW(L"ntdll.dll");
        flags |= FORMAT_MESSAGE_FROM_HMODULE;
    } else {
        flags |= FORMAT_MESSAGE_FROM_SYSTEM;
    }
    if (code_kind != SBX_CODE_NONE)
        length = FormatMessageW(flags, source, code, 0, text_w, sizeof(text_w) / sizeof(text_w[0]), NULL);
    while (length && (text_w[length - 1] <= L' ' || text_w[length - 1] == L'.'))
        length--;
    text = length ? sbx_utf16_to_utf8(text_w, length, NULL) : NULL;
    if (text)
        fill_in(text, object && strrchr(object, '\\') ? strrchr(object, '\\') + 1 : object, buffer, size);
    sbx_free(text);
}

size_t sbx_error_describe(const sbx_error *err, char *buffer, size_t size)
{
    char message[512];

    sbx_system_message(err->code_kind, err->code, err->object[0] ? err->object : NULL, message, sizeof(message));
    return sbx_error_text(err, message[0] ? message : NULL, buffer, size);
}
