#include "win/wide.h"

#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/utf.h"

/* CreateDirectoryW wants room for an 8.3 name below it: MAX_PATH - 12. */
#define LONG_PATH 248

sbx_status sbx_wide(const char *text, const char *what, uint16_t **text_w, sbx_error *err)
{
    size_t length = strlen(text);

    *text_w = sbx_utf8_to_utf16(text, length, NULL);
    if (*text_w)
        return SBX_OK;
    /* WTF-8 differs from UTF-8 in surrogates only: ask again for the reason */
    if (sbx_utf8_check(text, length) == length)
        return sbx_fail_memory(err);
    sbx_fail(err, SBX_E_REFUSED, "convert to UTF-16", what ? what : text);
    sbx_hint(err, "the text is not valid UTF-8");
    return SBX_E_REFUSED;
}

sbx_status sbx_wide_path(const char *path, uint16_t **path_w, sbx_error *err)
{
    size_t length = strlen(path), i;
    sbx_text full = {0};
    sbx_status st;
    char *text;

    if (length < LONG_PATH || (path[0] == '\\' && path[1] == '\\' && (path[2] == '?' || path[2] == '.')))
        return sbx_wide(path, path, path_w, err);
    if (path[0] == '\\' && path[1] == '\\') {
        sbx_text_add(&full, "\\\\?\\UNC\\");
        sbx_text_add(&full, path + 2);
    } else if (path[0] && path[1] == ':' && (path[2] == '\\' || path[2] == '/')) {
        sbx_text_add(&full, "\\\\?\\");
        sbx_text_add(&full, path);
    } else {
        return sbx_wide(path, path, path_w, err);
    }
    for (i = 0; i < full.length; i++)
        if (full.data[i] == '/')
            full.data[i] = '\\';
    text = sbx_text_take(&full);
    if (!text)
        return sbx_fail_memory(err);
    st = sbx_wide(text, path, path_w, err);
    sbx_free(text);
    return st;
}

sbx_status sbx_narrow(const uint16_t *text_w, char **text, sbx_error *err)
{
    *text = sbx_utf16_to_utf8(text_w, wcslen(text_w), NULL);
    return *text ? SBX_OK : sbx_fail_memory(err);
}
