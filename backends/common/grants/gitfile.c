#include "common/grants/gitfile.h"

#include <ctype.h>
#include <string.h>

#include "base/path.h"
#include "base/text.h"
#include "win/error.h"
#include "win/handle.h"

#define FILE_MAX 4096u
#define CONFIG_MAX 16384u
#define BLANKS " \t\r\n\v\f"

/* The bytes of a small file, NULL where there is none. */
static char *read_all(const sbx_places *p, const char *place, uint32_t most, DWORD *got, sbx_status *st)
{
    void *handle = NULL;
    sbx_nt_info info = {0};
    char *text = NULL;

    *got = 0;
    *st = sbx_place_open(p, place, FILE_READ_DATA, &handle, &info);
    if (*st == SBX_OK && handle && !(info.attributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT))) {
        if (info.size > most)
            *st = sbx_fail(p->err, SBX_E_REFUSED, "protect what it points to: it is too long for a path", place);
        else if (!(text = sbx_arena_alloc(p->arena, most + 1)))
            *st = sbx_fail_memory(p->err);
        else if (!ReadFile(handle, text, most, got, NULL))
            *st = sbx_fail_last(p->err, SBX_E_SYSTEM, "ReadFile", place);
        else
            text[*got] = 0;
    }
    sbx_handle_close(&handle);
    return *st == SBX_OK ? text : NULL;
}

static void take(sbx_gitfile *file, const char *text)
{
    if (text && *text && (!file->count || strcmp(file->says[file->count - 1], text) != 0))
        file->says[file->count++] = text;
}

/* "/c/a", "/mnt/c/a" and "/cygdrive/c/a" on the drive that they name elsewhere. */
static void take_mounted(const sbx_places *p, sbx_gitfile *file, const char *text)
{
    static const char *const before[] = {"/mnt/", "/cygdrive/", "/"};
    size_t i, length;

    for (i = 0; text && i < sizeof(before) / sizeof(before[0]); i++) {
        length = strlen(before[i]);
        if (!strncmp(text, before[i], length) && isalpha((unsigned char)text[length]) && text[length + 1] == '/') {
            take(file, sbx_arena_printf(p->arena, "%c:%s", text[length], text + length + 1));
            return;
        }
    }
}

sbx_status sbx_gitfile_read(const sbx_places *p, const char *place, const char *prefix, sbx_gitfile *file)
{
    const size_t length = strlen(prefix);
    DWORD got;
    sbx_status st;
    const char *text = read_all(p, place, FILE_MAX, &got, &st), *from;
    size_t end;

    file->count = 0;
    if (!text || strncmp(text, prefix, length) != 0)
        return st;
    for (end = got; end && (text[end - 1] == '\n' || text[end - 1] == '\r'); end--)
        ;
    if (!length || text[length] == ' ') {
        from = text + length + (length != 0);
        if (from < text + end)
            take(file, sbx_arena_strndup(p->arena, from, (size_t)(text + end - from)));
    }
    from = text + length + strspn(text + length, BLANKS);
    end = strcspn(from, "\r\n");
    while (end && strchr(BLANKS, from[end - 1]))
        end--;
    from = sbx_arena_strndup(p->arena, from, end);
    take(file, from);
    take_mounted(p, file, from);
    return SBX_OK;
}

static int is_key(const char *line, const char *key)
{
    const size_t length = strlen(key);

    return !_strnicmp(line, key, length) && strchr(" \t=", line[length]) && line[length];
}

/* The value of core.worktree in the config at a place, or NULL. */
static const char *worktree_of(const sbx_places *p, const char *place)
{
    DWORD got;
    sbx_status st;
    char *line = read_all(p, place, CONFIG_MAX, &got, &st), *next, *value = NULL;
    size_t length;
    int in_core = 0;

    for (; line && *line; line = next) {
        length = strcspn(line, "\r\n");
        next = line + length + strspn(line + length, "\r\n");
        line[length] = 0;
        line += strspn(line, " \t");
        if (*line == '[')
            in_core = !_strnicmp(line, "[core]", 6);
        else if (in_core && is_key(line, "worktree") && (value = strchr(line, '='))) {
            value += 1 + strspn(value + 1, " \t\"");
            value[strcspn(value, "\"")] = 0;
        }
    }
    return value;
}

static int is_same(const sbx_places *p, const char *a, const char *b)
{
    const char *both[] = {a, b};
    FILE_ID_INFO ids[2];
    size_t i;
    int known = 1;

    memset(ids, 0, sizeof(ids));
    for (i = 0; i < 2 && known; i++) {
        void *handle = NULL;
        sbx_nt_info info;

        known = sbx_place_open(p, both[i], 0, &handle, &info) == SBX_OK && handle &&
                GetFileInformationByHandleEx(handle, FileIdInfo, &ids[i], sizeof(ids[i]));
        sbx_handle_close(&handle);
    }
    return known && !memcmp(&ids[0], &ids[1], sizeof(ids[0]));
}

sbx_status sbx_gitfile_names_back(const sbx_places *p, const char *git, const char *file, uint32_t *names)
{
    const char *gitdir = sbx_arena_printf(p->arena, "%s\\gitdir", git), *named = file, *place;
    const char *config = sbx_arena_printf(p->arena, "%s\\config", git);
    sbx_gitfile back = {.count = 0};
    uint32_t i;
    sbx_status st = gitdir && config ? SBX_OK : sbx_fail_memory(p->err);

    if (st == SBX_OK)
        st = sbx_gitfile_read(p, gitdir, "", &back);
    if (st == SBX_OK && !back.count) {
        named = sbx_arena_strndup(p->arena, file, sbx_path_parent_length(file));
        back.says[0] = worktree_of(p, config);
        back.count = back.says[0] != NULL;
        if (!named)
            st = sbx_fail_memory(p->err);
    }
    *names = st == SBX_OK && back.count ? SBX_GITFILE_NAMES_ANOTHER : SBX_GITFILE_NAMES_NONE;
    for (i = 0; st == SBX_OK && i < back.count; i++)
        if (sbx_place_find(p, git, back.says[i], &place) == SBX_PLACE_IN && is_same(p, place, named))
            *names = SBX_GITFILE_NAMES_IT;
    return st;
}
