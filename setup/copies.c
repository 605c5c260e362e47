/* The copies that there are: which one is whole, and which ones go. */
#include "setup/programs.h"

#include <windows.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "setup/folder.h"
#include "win/handle.h"
#include "win/wide.h"

/* Each entry of a folder; a status other than SBX_OK ends it. */
typedef sbx_status (*each_fn)(const char *path, const WIN32_FIND_DATAW *entry, void *context);

static sbx_status each(const char *folder, each_fn visit, void *context)
{
    WIN32_FIND_DATAW entry;
    sbx_text pattern = {0};
    uint16_t *pattern_w = NULL;
    char *name = NULL;
    HANDLE find = NULL;
    sbx_status st = SBX_OK;

    sbx_text_printf(&pattern, "%s\\*", folder);
    if (!pattern.failed && sbx_wide_path(pattern.data, &pattern_w, NULL) == SBX_OK)
        find = sbx_handle_from(FindFirstFileW(pattern_w, &entry));
    while (find && st == SBX_OK) {
        sbx_text path = {0};

        if (wcscmp(entry.cFileName, L".") && wcscmp(entry.cFileName, L"..") &&
            sbx_narrow(entry.cFileName, &name, NULL) == SBX_OK) {
            sbx_text_printf(&path, "%s\\%s", folder, name);
            if (!path.failed)
                st = visit(path.data, &entry, context);
        }
        sbx_free(name);
        name = NULL;
        sbx_text_fini(&path);
        if (!FindNextFileW(find, &entry))
            break;
    }
    if (find)
        FindClose(find);
    sbx_free(pattern_w);
    sbx_text_fini(&pattern);
    return st;
}

static int is_folder(const WIN32_FIND_DATAW *entry)
{
    return (entry->dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) ==
           FILE_ATTRIBUTE_DIRECTORY;
}

static int delete_file(const char *path)
{
    uint16_t *path_w = NULL;
    int ok = sbx_wide_path(path, &path_w, NULL) == SBX_OK &&
             (DeleteFileW(path_w) || GetLastError() == ERROR_FILE_NOT_FOUND || GetLastError() == ERROR_PATH_NOT_FOUND);

    sbx_free(path_w);
    return ok;
}

/* A file, or a folder with what is in it; what is still in use, or a link to a folder, stays. */
static sbx_status delete_entry(const char *path, const WIN32_FIND_DATAW *entry, void *context)
{
    (void)context;
    if (!(entry->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)) {
        delete_file(path);
    } else if (is_folder(entry)) {
        each(path, delete_entry, NULL);
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
    if (!runner.failed && delete_file(runner.data))
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
    each(p->place, tidy_one, &t);
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

    each(p->place, find_whole, &found);
    return found;
}
