#include "common/grants/names.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/text.h"
#include "win/handle.h"
#include "win/wide.h"

static int is_there(const char *folder, size_t length, const char *name)
{
    sbx_text path = {0};
    uint16_t *path_w = NULL;
    int found = 0;

    sbx_text_printf(&path, "%.*s\\%s", (int)(length - (folder[length - 1] == '\\')), folder, name);
    if (!path.failed && sbx_wide_path(path.data, &path_w, NULL) == SBX_OK)
        found = GetFileAttributesW((const WCHAR *)path_w) != INVALID_FILE_ATTRIBUTES;
    sbx_free(path_w);
    sbx_text_fini(&path);
    return found;
}

/* The nearest folder above with a `.git`; NULL: none. */
static char *above_with_git(const char *path)
{
    const size_t top = sbx_path_root_length(path);
    char *folder = sbx_strdup(path);
    size_t length = folder ? strlen(folder) : top;

    while (length > top) {
        length = sbx_path_parent_length(folder);
        folder[length] = 0;
        if (is_there(folder, length, ".git"))
            return folder;
    }
    sbx_free(folder);
    return NULL;
}

char *sbx_name_repository(const char *path)
{
    return is_there(path, strlen(path), ".git") ? NULL : above_with_git(path);
}

static int is_in_repository(const sbx_root *root)
{
    char *folder = above_with_git(root->path);
    const int found = folder != NULL;

    sbx_free(folder);
    return found;
}

/* .gitignore, .ignore, .rgignore, .fdignore and the like. */
static int has_ignore_file(const sbx_root *root)
{
    WCHAR pattern_w[] = L".*ignore";
    UNICODE_STRING pattern = {sizeof(pattern_w) - sizeof(WCHAR), sizeof(pattern_w), pattern_w};
    union {
        FILE_FULL_DIR_INFORMATION first; /* for its alignment */
        uint8_t bytes[sizeof(FILE_FULL_DIR_INFORMATION) + MAX_PATH * sizeof(WCHAR)];
    } entry;
    IO_STATUS_BLOCK io;
    HANDLE listed = NULL; /* one of its own: a handle keeps its first pattern */
    int found = 0;

    if (SBX_NT_OK(sbx_nt_reopen(root->handle, FILE_LIST_DIRECTORY | SYNCHRONIZE, FILE_SHARE_DELETE, &listed)))
        found = SBX_NT_OK(NtQueryDirectoryFile(listed, NULL, NULL, NULL, &io, &entry, sizeof(entry),
                                               FileFullDirectoryInformation, TRUE, &pattern, TRUE));
    sbx_handle_close(&listed);
    return found;
}

static int always(const sbx_root *root)
{
    (void)root;
    return 1;
}

static int never(const sbx_root *root)
{
    (void)root;
    return 0;
}

static int where_none_is_seen(const sbx_root *root)
{
    return !is_in_repository(root) && !has_ignore_file(root);
}

static const struct {
    const char *name;
    int (*wants)(const sbx_root *root);
} names[] = {{".git", where_none_is_seen}, {".codex", always}, {".agents", always}, {"sbx.toml", never}};

const char *sbx_name_built_in(size_t i)
{
    return i < ARRAYSIZE(names) ? names[i].name : NULL;
}

int sbx_name_is_built_in(const char *path)
{
    size_t i;

    for (i = 0; i < ARRAYSIZE(names); i++)
        if (sbx_path_is_below(path, names[i].name))
            return 1;
    return 0;
}

static int is_at(const sbx_root *root, const char *full, const char *path)
{
    const char *below = sbx_path_below(full, root->spelled);

    if (!below)
        below = sbx_path_below(full, root->path);
    return below && sbx_path_equal(below, path);
}

uint32_t sbx_names_asked(const sbx_policy *policy)
{
    return policy->size >= offsetof(sbx_policy, protected_asked) + sizeof(policy->protected_asked) &&
                   policy->protected_asked < policy->protected_count
               ? policy->protected_asked
               : policy->protected_count;
}

int sbx_name_wants_guard(const sbx_policy *policy, const sbx_root *root, int is_repository, const char *path)
{
    uint32_t i;
    size_t k;

    for (k = 0; k < ARRAYSIZE(names) && !sbx_path_equal(path, names[k].name); k++)
        ;
    if (k == ARRAYSIZE(names))
        return 1;
    for (i = 0; i < sbx_names_asked(policy); i++)
        if (is_at(root, policy->protected_paths[i], path))
            return 1;
    return (is_repository || sbx_path_is_below(policy->workspace, root->spelled) ||
            sbx_path_is_below(policy->workspace, root->path)) &&
           names[k].wants(root);
}
