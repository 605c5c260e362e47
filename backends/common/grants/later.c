#include "common/grants/later.h"

#include <string.h>

#include "base/memory.h"
#include "base/path.h"
#include "base/utf.h"
#include "common/grants/link_target.h"
#include "common/grants/names.h"
#include "common/host.h"
#include "win/handle.h"

#define LIST_BYTES 16384u
#define ENTRIES_MAX 4096u /* of one directory */
#define CONFIG_MAX 65536u
#define NAMED 3u /* in the warning */
#define DEPTH_MAX 8u
#define NEW "%s\t\n" /* a protected name that was missing is the command's; one that was there is closed to it */
#define CUT "more entries than are looked at, so that a shortcut or a link may be among them"

/* Typed as `sbx`, cmd.exe takes the one in its current directory. */
static const char *const by_name[] = {".envrc",  ".husky",  "desktop.ini", "sbx.exe",
                                      "sbx.com", "sbx.bat", "sbx.cmd",     "sbx.ps1"};

typedef struct looker {
    const sbx_root *root;
    sbx_text *found;
    const char *prefix;    /* of names */
    uint32_t depth, *left; /* of a search for links */
    int *has_vscode;
} looker;

typedef void (*visit_fn)(const looker *l, HANDLE dir, const FILE_FULL_DIR_INFORMATION *entry, const char *name);

/* 0: there were more. */
static int list(const looker *l, HANDLE dir, visit_fn visit)
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
    return count < ENTRIES_MAX;
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
        sbx_text_printf(l->found, "the link %s%s to %s\t\n", l->prefix, name, target);
    sbx_handle_close(&link);
    sbx_arena_fini(&arena);
}

static void at_top(const looker *l, HANDLE dir, const FILE_FULL_DIR_INFORMATION *entry, const char *name)
{
    size_t i;

    *l->has_vscode |= sbx_path_equal(name, ".vscode");
    if (sbx_name_is_built_in(name))
        sbx_text_printf(l->found, NEW, name);
    if (entry->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) {
        add_link(l, dir, entry, name);
        return;
    }
    for (i = 0; i < ARRAYSIZE(by_name) && !sbx_path_equal(name, by_name[i]); i++)
        ;
    if (i < ARRAYSIZE(by_name) || ends_with(name, ".lnk") ||
        (strlen(name) > 4 && !_strnicmp(name, "sbx.", 4) && !sbx_name_is_built_in(name)))
        add(l, "", entry, name);
}

/* A commit writes there: what leads elsewhere takes what the user's git writes with it. */
static void link_below(const looker *l, HANDLE dir, const FILE_FULL_DIR_INFORMATION *entry, const char *name)
{
    looker inner = *l;
    HANDLE handle = NULL;
    sbx_text prefix = {0};

    if (!*l->left)
        return;
    --*l->left;
    if (entry->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
        add_link(l, dir, entry, name);
    if ((entry->FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) || !(entry->FileAttributes & FILE_ATTRIBUTE_DIRECTORY) ||
        !l->depth)
        return;
    sbx_text_printf(&prefix, "%s%s\\", l->prefix, name);
    inner.depth--;
    inner.prefix = prefix.data;
    if (!prefix.failed && SBX_NT_OK(sbx_nt_child(dir, entry->FileName, entry->FileNameLength / sizeof(WCHAR),
                                                 FILE_LIST_DIRECTORY | SYNCHRONIZE, FILE_OPEN,
                                                 FILE_SYNCHRONOUS_IO_NONALERT | FILE_DIRECTORY_FILE, NULL, &handle)))
        list(&inner, handle, link_below);
    sbx_handle_close(&handle);
    sbx_text_fini(&prefix);
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
    else if ((info.attributes & FILE_ATTRIBUTE_DIRECTORY) && !(info.attributes & FILE_ATTRIBUTE_REPARSE_POINT) &&
             !list(l, handle, visit))
        sbx_text_printf(l->found, "%s: " CUT "\t\n", name);
    sbx_handle_close(&handle);
}

/* As a listing tells it. */
static void look_by_name(const looker *l, const char *name)
{
    FILE_NETWORK_OPEN_INFORMATION size = {0};
    sbx_nt_info info = {0};
    void *handle = NULL;
    IO_STATUS_BLOCK io;

    if (sbx_root_below(l->root, name, FILE_READ_ATTRIBUTES, &handle, &info, NULL) == SBX_OK && handle &&
        SBX_NT_OK(NtQueryInformationFile(handle, &io, &size, sizeof(size), FileNetworkOpenInformation)))
        sbx_text_printf(l->found, "%s\t%lld %lld\n", name, (long long)size.EndOfFile.QuadPart,
                        (long long)size.LastWriteTime.QuadPart);
    sbx_handle_close(&handle);
}

static void look_if_there(const looker *l, const char *name)
{
    sbx_nt_info info = {0};
    void *handle = NULL;

    if (sbx_root_below(l->root, name, 0, &handle, &info, NULL) == SBX_OK && handle)
        sbx_text_printf(l->found, NEW, name);
    sbx_handle_close(&handle);
}

/* In a directory that is open to commits, which may be the root. */
static void look_for_links(const looker *all, const char *name)
{
    const int is_objects = sbx_path_equal(sbx_path_name(*name ? name : all->root->path), "objects");
    uint32_t left = ENTRIES_MAX;
    sbx_text prefix = {0};
    looker l = *all;
    HANDLE top = NULL;

    sbx_text_printf(&prefix, "%s%s", name, *name ? "\\" : "");
    l.prefix = prefix.data;
    l.left = &left;
    l.depth = is_objects ? 0 : DEPTH_MAX; /* those are many */
    if (!prefix.failed && *name)
        look_below(&l, name, FILE_LIST_DIRECTORY, link_below);
    else if (!prefix.failed &&
             SBX_NT_OK(sbx_nt_reopen(l.root->handle, FILE_LIST_DIRECTORY | SYNCHRONIZE, FILE_SHARE_DELETE, &top)))
        list(&l, top, link_below);
    if (!left)
        sbx_text_printf(l.found, "%s: " CUT "\t\n", *name ? name : l.root->path);
    sbx_handle_close(&top);
    sbx_text_fini(&prefix);
}

/* One folder, a part of a repository (outside.h) or one of the user. */
static void look_at_top(const looker *all)
{
    HANDLE top = NULL; /* one that has not been listed: a system may remember what a handle has told */
    int has_vscode = 0, is_whole;
    looker l = *all;
    size_t i;

    l.has_vscode = &has_vscode;
    is_whole = SBX_NT_OK(sbx_nt_reopen(l.root->handle, FILE_LIST_DIRECTORY | SYNCHRONIZE, FILE_SHARE_DELETE, &top)) &&
               list(&l, top, at_top);
    if (top && !is_whole) {
        sbx_text_printf(l.found, CUT "\t\n");
        for (i = 0; i < ARRAYSIZE(by_name); i++)
            look_by_name(&l, by_name[i]);
        for (i = 0; sbx_name_built_in(i); i++)
            look_if_there(&l, sbx_name_built_in(i));
    }
    sbx_handle_close(&top);
    if (has_vscode || !is_whole)
        look_by_name(&l, ".vscode\\tasks.json");
}

void sbx_later_look(const sbx_root *root, const sbx_rule *rules, int with_git, sbx_text *found)
{
    const looker l = {.root = root, .found = found, .prefix = ""};

    if (!sbx_sid_is_git(&root->sid))
        look_at_top(&l);
    else if (root->kind != SBX_RECORD_ENCLOSE)
        look_for_links(&l, "");
    for (; rules; rules = rules->next)
        if (rules->kind == SBX_RECORD_HOLD && rules->git == SBX_RULE_OPEN)
            look_for_links(&l, rules->path);
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

static int is_cut(const char *line)
{
    const size_t length = strcspn(line, "\t"), tail = sizeof(CUT) - 1;

    return length >= tail && !strncmp(line + length - tail, CUT, tail);
}

/* Whether the line was there earlier in the same text: found by its name, and in the listing. */
static int has_before(const sbx_text *text, const char *line)
{
    const size_t length = strcspn(line, "\n");
    const char *at;

    for (at = text->data; at < line; at += strcspn(at, "\n") + 1)
        if (!strncmp(at, line, length + 1))
            return 1;
    return 0;
}

void sbx_later_tell(const sbx_root *root, const sbx_rule *rules, int with_git, const sbx_text *before)
{
    sbx_text now = {0}, names = {0};
    uint32_t count = 0;
    const char *at;

    sbx_later_look(root, rules, with_git, &now);
    for (at = now.data && !now.failed ? now.data : ""; *at; at += strcspn(at, "\n") + 1) {
        const int is_old = !before->failed && has_line(before, at, strcspn(at, "\n"));

        if (is_old && is_cut(at))
            sbx_host_note(SBX_NOTE_GAP, root->path, "%.*s", (int)strcspn(at, "\t"), at);
        if (is_old || has_before(&now, at))
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
