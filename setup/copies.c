/* The copies that there are: which one is whole, and which ones go. */
#include "setup/programs.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "setup/folder.h"
#include "win/file.h"

static int is_folder(const WIN32_FIND_DATAW *entry)
{
    return (entry->dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) ==
           FILE_ATTRIBUTE_DIRECTORY;
}

/* A file, or a folder with what is in it; what is still in use, or a link to a folder, stays. */
static sbx_status delete_entry(const char *path, const WIN32_FIND_DATAW *entry, void *context)
{
    (void)context;
    if (!(entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)) {
        sbx_file_delete(path, NULL);
    } else if (is_folder(entry)) {
        sbx_setup_folder_each(path, delete_entry, NULL);
        sbx_setup_folder_remove(path);
    }
    return SBX_OK;
}

typedef struct tidying {
    const char *keep;
    uint32_t *left;
} tidying;

static sbx_status tidy_one(const char *path, const WIN32_FIND_DATAW *entry, void *context)
{
    const tidying *t = context;
    sbx_text runner = {0};

    if (!is_folder(entry) || (t->keep && !_stricmp(path, t->keep)))
        return SBX_OK;
    sbx_text_printf(&runner, "%s\\sbx-runner.exe", path);
    /* who runs from it runs this one; it goes first, so that the rest stays for them */
    if (!runner.failed && sbx_file_delete(runner.data, NULL) == SBX_OK)
        delete_entry(path, entry, NULL);
    else
        ++*t->left;
    sbx_text_fini(&runner);
    return SBX_OK;
}

void sbx_programs_tidy(const sbx_programs *p, const char *keep, uint32_t *left)
{
    tidying t = {keep, left};

    *left = 0;
    sbx_setup_folder_each(p->place, tidy_one, &t);
    if (!keep) {
        sbx_setup_folder_remove(p->place);
        sbx_setup_folder_remove(p->base);
    }
}

static sbx_status find_whole(const char *path, const WIN32_FIND_DATAW *entry, void *context)
{
    char **found = context;
    int whole = 0;

    if (is_folder(entry) && sbx_programs_is_whole(path, &whole, NULL) == SBX_OK && whole && !*found)
        *found = sbx_strdup(path);
    return SBX_OK;
}

char *sbx_programs_other(const sbx_programs *p)
{
    char *found = NULL;

    sbx_setup_folder_each(p->place, find_whole, &found);
    return found;
}
