/* What was asked for, for each user who has a journal: an installer's uninstalling and updating (core/cmake/packages). */
#include "setup/setup.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "setup/folder.h"
#include "win/error.h"
#include "win/out.h"

#define FIRST "setup-"
#define LAST ".journal"

/* The names as lines, "BACKEND-SID": journals go while they are read. */
static sbx_status add_name(const char *path, const WIN32_FIND_DATAW *entry, void *context)
{
    sbx_text *names = context;
    const char *name = strrchr(path, '\\') + 1;
    const size_t length = strlen(name);

    if ((entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) || length < sizeof(FIRST LAST) ||
        strncmp(name, FIRST, strlen(FIRST)) || strcmp(name + length - strlen(LAST), LAST) || !strstr(name, "-S-1-"))
        return SBX_OK;
    sbx_text_add_n(names, name + strlen(FIRST), length - strlen(FIRST) - strlen(LAST));
    sbx_text_add_char(names, '\n');
    return SBX_OK;
}

static sbx_status one(sbx_setup *s, char *name, uint32_t *exit_code, sbx_error *err)
{
    char *sid = strstr(name, "-S-1-");
    sbx_status st;

    *sid++ = 0;
    s->backend = name;
    s->user = sid;
    if ((st = sbx_setup_whom(s, err)) != SBX_OK || (st = sbx_programs_open(&s->programs, err)) != SBX_OK)
        goto out;
    st = sbx_setup_by_copy(s, exit_code, err);
out:
    sbx_programs_close(&s->programs);
    memset(&s->programs, 0, sizeof(s->programs));
    return st;
}

sbx_status sbx_setup_everyone(sbx_setup *s, uint32_t *exit_code, sbx_error *err)
{
    sbx_text names = {0};
    char *name, *end;
    uint32_t code;
    sbx_status st, first = sbx_setup_folder_each(s->folder, add_name, &names);

    if (names.failed)
        first = sbx_fail_memory(err);
    for (name = first == SBX_OK ? names.data : NULL; name && (end = strchr(name, '\n')) != NULL; name = end + 1) {
        sbx_error why = {0};

        *end = 0;
        code = 0;
        st = one(s, name, &code, &why); /* one that fails keeps nobody else's */
        if (first == SBX_OK && st != SBX_OK) {
            first = st;
            *err = why;
        }
        if (!*exit_code)
            *exit_code = code;
    }
    sbx_text_fini(&names);
    return first;
}
