#include "common/grants/later.h"

#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/utf.h"
#include "common/grants/link_target.h"
#include "common/host.h"
#include "win/handle.h"

#define LIST_BYTES 16384u
#define ENTRIES_MAX 4096u /* of one directory */
#define CONFIG_MAX 65536u
#define NAMED 3u /* in the warning */

typedef struct looker {
    const sbx_root *root;
    sbx_text *found;
} looker;

typedef void (*visit_fn)(const looker *l, HANDLE dir, const FILE_FULL_DIR_INFORMATION *entry, const char *name);

static void list(const looker *l, HANDLE dir, visit_fn visit)
{
    union {
        FILE_FULL_DIR_INFORMATION first; /* for its alignment */
        uint8_t bytes[LIST_BYTES];
    } *list = sbx_alloc(sizeof(*list));
    const FILE_FULL_DIR_INFORMATION *entry;
    IO_STATUS_BLOCK io;
    BOOLEAN restart = TRUE;
    uint32_t count = 0;
    size_t at;

    for (; list && count < ENTRIES_MAX; restart = FALSE) {
        if (!SBX_NT_OK(NtQueryDirectoryFile(dir, NULL, NULL, NULL, &io, list->bytes, LIST_BYTES,
                                            FileFullDirectoryInformation, FALSE, NULL, restart)) ||
            !io.Information)
            break;
        for (at = 0;; at += entry->NextEntryOffset) {
            char *name;

            entry = (const void *)(list->bytes + at);
            name = sbx_utf16_to_utf8((const uint16_t *)entry->FileName, entry->FileNameLength / sizeof(WCHAR), NULL);
            if (name && strcmp(name, ".") && strcmp(name, ".."))
                visit(l, dir, entry, name);
            sbx_free(name);
            count++;
            if (!entry->NextEntryOffset)
                break;
        }
    }
    sbx_free(list);
}

/* A line: what it is called, and behind a tab what changes with it. */
static void add(const looker *l, const char *prefix, const FILE_FULL_DIR_INFORMATION *entry, const char *name)
{
    sbx_text_printf(l->found, "%s%s\t%lld %lld\n", prefix, name, (long long)entry->EndOfFile.QuadPart,
                    (long long)entry->LastWriteTime.QuadPart);
}

static int ends_with(const char *name, const char *end)
{
    const size_t length = strlen(name), tail = strlen(end);

    return length > tail && sbx_path_equal(name + length - tail, end);
}

static void add_link(const looker *l, HANDLE dir, const FILE_FULL_DIR_INFORMATION *entry, const char *name)
{
    sbx_arena arena = {NULL};
    HANDLE link = NULL;
    const char *target = NULL;

    sbx_nt_child(dir, entry->FileName, entry->FileNameLength / sizeof(WCHAR), FILE_READ_ATTRIBUTES | SYNCHRONIZE,
                 FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NULL, &link);
    if (link)
        target = sbx_link_target(&arena, link, l->root->path);
    if (target && !sbx_path_is_below(target, l->root->path) && !sbx_path_is_below(target, l->root->spelled))
        sbx_text_printf(l->found, "the link %s to %s\t\n", name, target);
    sbx_handle_close(&link);
    sbx_arena_fini(&arena);
}

static void at_top(const looker *l, HANDLE dir, const FILE_FULL_DIR_INFORMATION *entry, const char *name)
{
    static const char *const names[] = {".envrc", ".husky", "desktop.ini"};
    size_t i;

    if (entry->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) {
        add_link(l, dir, entry, name);
        return;
    }
    for (i = 0; i < ARRAYSIZE(names) && !sbx_path_equal(name, names[i]); i++)
        ;
    /* typed as `sbx`, cmd.exe takes the one in its current directory */
    if (i < ARRAYSIZE(names) || ends_with(name, ".lnk") ||
        (strlen(name) > 4 && !_strnicmp(name, "sbx.", 4) && !sbx_path_equal(name, "sbx.toml")))
        add(l, "", entry, name);
}

static void in_vscode(const looker *l, HANDLE dir, const FILE_FULL_DIR_INFORMATION *entry, const char *name)
{
    (void)dir;
    if (sbx_path_equal(name, "tasks.json"))
        add(l, ".vscode\\", entry, name);
}

static void in_hooks(const looker *l, HANDLE dir, const FILE_FULL_DIR_INFORMATION *entry, const char *name)
{
    (void)dir;
    if (!ends_with(name, ".sample") || (entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY))
        add(l, ".git\\hooks\\", entry, name);
}

/* Source: git-config(1): what names a program, or another file of settings. */
static int names_program(const char *line, size_t length)
{
    static const char *const keys[] = {"path",   "fsmonitor", "hookspath", "sshcommand", "clean",
                                       "smudge", "process",   "textconv",  "external",   "command",
                                       "editor", "askpass",   "pager",     "helper",     "program",
                                       "cmd",    "driver",    "gitproxy",  "tool"};
    size_t i, key = strcspn(line, "=");

    while (key && (line[key - 1] == ' ' || line[key - 1] == '\t'))
        key--;
    if (key > length)
        return 0;
    for (i = 0; i < ARRAYSIZE(keys); i++)
        if (strlen(keys[i]) == key && !_strnicmp(line, keys[i], key))
            return 1;
    return 0;
}

static void add_settings(const looker *l, HANDLE config)
{
    char *text = sbx_alloc(CONFIG_MAX + 1), *line;
    DWORD got = 0;

    if (text && ReadFile(config, text, CONFIG_MAX, &got, NULL)) {
        text[got] = 0;
        for (line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
            size_t length;

            line += strspn(line, " \t");
            length = strcspn(line, "\r\n");
            if (*line == '[') { /* a section may be followed by its first setting */
                const size_t section = strcspn(line, "]\r\n");

                if (line[section] != ']')
                    continue;
                line += section + 1 + strspn(line + section + 1, " \t");
                length = strcspn(line, "\r\n");
            }
            if (names_program(line, length))
                sbx_text_printf(l->found, ".git\\config: %.*s\t\n", (int)length, line);
        }
    }
    sbx_free(text);
}

static void look_below(const looker *l, const char *name, ACCESS_MASK access, visit_fn visit)
{
    sbx_nt_info info = {0};
    void *handle = NULL;

    if (sbx_root_below(l->root, name, access | SYNCHRONIZE, &handle, &info, NULL) != SBX_OK || !handle)
        return;
    if (!visit)
        add_settings(l, handle);
    else if ((info.attributes & FILE_ATTRIBUTE_DIRECTORY) && !(info.attributes & FILE_ATTRIBUTE_REPARSE_POINT))
        list(l, handle, visit);
    sbx_handle_close(&handle);
}

void sbx_later_look(const sbx_root *root, int with_git, sbx_text *found)
{
    const looker l = {root, found};
    HANDLE top = NULL; /* one that has not been listed: a system may remember what a handle has told */

    if (SBX_NT_OK(sbx_nt_reopen(root->handle, FILE_LIST_DIRECTORY | SYNCHRONIZE, FILE_SHARE_DELETE, &top)))
        list(&l, top, at_top);
    sbx_handle_close(&top);
    look_below(&l, ".vscode", FILE_LIST_DIRECTORY, in_vscode);
    if (!with_git)
        return;
    look_below(&l, ".git\\hooks", FILE_LIST_DIRECTORY, in_hooks);
    look_below(&l, ".git\\config", FILE_READ_DATA, NULL);
}

/* Whether the text has the line that begins here. */
static int has_line(const sbx_text *text, const char *line, size_t length)
{
    const char *at = text->data ? text->data : "";

    for (; *at; at += strcspn(at, "\n") + 1)
        if (!strncmp(at, line, length) && at[length] == '\n')
            return 1;
    return 0;
}

void sbx_later_tell(const sbx_root *root, int with_git, const sbx_text *before)
{
    sbx_text now = {0}, names = {0};
    uint32_t count = 0;
    const char *at;

    sbx_later_look(root, with_git, &now);
    for (at = now.data && !now.failed ? now.data : ""; *at; at += strcspn(at, "\n") + 1) {
        if (before->failed || has_line(before, at, strcspn(at, "\n")))
            continue;
        if (count++ < NAMED)
            sbx_text_printf(&names, "%s%.*s", count > 1 ? ", " : "", (int)strcspn(at, "\t"), at);
    }
    if (count && !names.failed)
        sbx_host_note(SBX_NOTE_WARN, root->path,
                      "the command left %lu thing%s that your programs may run or follow later: %s%s",
                      (unsigned long)count, count == 1 ? "" : "s", names.data, count > NAMED ? ", ..." : "");
    sbx_text_fini(&names);
    sbx_text_fini(&now);
}
