#include "layouts.h"

void repository(const char *path)
{
    static const char *const dirs[] = {"", "\\hooks", "\\objects", "\\refs", "\\info", "\\logs"};
    static const char *const files[] = {"\\HEAD", "\\config", "\\hooks\\pre-commit", "\\index"};
    char name[300];
    size_t i;

    for (i = 0; i < ARRAYSIZE(dirs); i++) {
        snprintf(name, sizeof(name), "%s%s", path, dirs[i]);
        tree_dir(name);
    }
    for (i = 0; i < ARRAYSIZE(files); i++) {
        snprintf(name, sizeof(name), "%s%s", path, files[i]);
        tree_file(name, i ? "x" : "ref: refs/heads/main\n");
    }
}

const char *in(const char *directory, const char *name)
{
    static char paths[8][400];
    static unsigned at;
    char *path = paths[at++ % 8];

    snprintf(path, sizeof(paths[0]), "%s\\%s", directory, name);
    return path;
}

void no_repository(void)
{
    tree_remove("ws\\.git");
    assert_false(tree_exists("ws\\.git"));
}

void all_acts(const sbx_grants *grants, const char *base, const act *acts, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        const char *name = *base ? in(base, acts[i].name) : acts[i].name;
        const int is_there = tree_exists(name);
        uint32_t got;

        tree_enter(grants);
        got = is_there ? act_write(name) : act_create(name);
        tree_leave();
        if (got != acts[i].wanted)
            print_error("%s: %u\n", name, (unsigned)got);
        assert_int_equal(got, acts[i].wanted);
        if (!is_there && !got)
            assert_int_equal(act_delete(name), 0);
    }
}

void linked(const char *name, const char *back)
{
    char path[300], text[600];

    snprintf(path, sizeof(path), "main\\.git\\worktrees\\%s", name);
    tree_dir("main\\.git\\worktrees");
    tree_dir(path);
    tree_file(in(path, "HEAD"), "ref: refs/heads/wt\n");
    tree_file(in(path, "commondir"), "../..\n");
    snprintf(text, sizeof(text), "%s\n", tree_path(back));
    tree_file(in(path, "gitdir"), text);
}

void worktree(const char *back)
{
    tree_dir("main");
    repository("main\\.git");
    tree_file("main\\.git\\config", "[core]\n");
    linked("wt", back);
    linked("other", "out\\.git");
    no_repository();
    tree_file("ws\\.git", "gitdir: ../main/.git/worktrees/wt\n");
}
