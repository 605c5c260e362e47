#include <string.h>
#include <windows.h>

#include "base/memory.h"
#include "base/path.h"
#include "common/grants/located.h"
#include "common/grants/sd.h"
#include "common/grants/shield.h"
#include "common/grants/shield_judge.h"
#include "common/grants/shield_record.h"
#include "win/dirs.h"

/* Below the profile, and on the system's drive. */
static const char *const sources[] = {"source\\repos", "src", "repos", "projects", "dev", "code", "git", "work"};

static int is_shut(const sbx_root *folder, const sbx_user_sid *user)
{
    sbx_sd *sd = NULL;
    int shut = 0;

    if (sbx_sd_new(&sd, NULL) == SBX_OK && sbx_sd_read(sd, folder->handle) >= 0 && sd->acl)
        shut = sbx_acl_shuts(sd->acl, user->u.bytes, FILE_DELETE_CHILD, 0) &&
               sbx_acl_shuts(sd->acl, user->u.bytes, FILE_DELETE_CHILD, 1);
    sbx_free(sd);
    return shut;
}

/* 1: the visitor wants no more.  What is not there, or is a cloud service's or a roaming profile's, is no suggestion. */
static int suggest(const char *path, sbx_shield_visitor visit, void *context)
{
    sbx_shield_judge judge;
    sbx_root folder = {0};
    sbx_user_sid user;
    int enough = 0;

    if (sbx_root_look(path, &folder, NULL) != SBX_OK)
        return 0;
    if (sbx_user_get(&user, NULL) == SBX_OK &&
        sbx_shield_judge_init(&judge, folder.handle, folder.path, NULL) == SBX_OK) {
        if (!judge.takes_cloud && !judge.is_roaming)
            enough = visit(context, folder.path,
                           is_shut(&folder, &user) ? SBX_SHIELD_STATE_SHIELDED : SBX_SHIELD_STATE_OPEN);
        sbx_shield_judge_fini(&judge);
    }
    sbx_root_close(&folder);
    return enough;
}

/* Desktop and Documents. */
static int suggest_known(sbx_shield_visitor visit, void *context)
{
    static const uint32_t known[] = {SBX_DIR_DESKTOP, SBX_DIR_DOCUMENTS};
    size_t i;
    int enough = 0;

    for (i = 0; i < ARRAYSIZE(known) && !enough; i++) {
        char *path = NULL;

        if (sbx_dirs_get(known[i], &path, NULL) == SBX_OK)
            enough = suggest(path, visit, context);
        sbx_free(path);
    }
    return enough;
}

static int suggest_sources(const char *base, sbx_shield_visitor visit, void *context)
{
    sbx_arena arena = {NULL};
    size_t i;
    int enough = 0;

    for (i = 0; i < ARRAYSIZE(sources) && !enough; i++) {
        const char *path = sbx_path_join(&arena, base, sources[i]);

        enough = path && suggest(path, visit, context);
    }
    sbx_arena_fini(&arena);
    return enough;
}

static sbx_status made(sbx_shield_visitor visit, void *context, sbx_error *err)
{
    sbx_ledger ledger = {.file = SBX_SHIELD_FILE};
    const sbx_ledger_root *entry;
    int enough = 0;
    sbx_status st = sbx_ledger_load(&ledger, err);

    for (entry = st == SBX_OK ? ledger.roots : NULL; entry && !enough; entry = entry->next) {
        sbx_located known = {0};

        if (sbx_located_find(entry, &known, NULL) == SBX_OK)
            enough = visit(context, sbx_located_path(&known), SBX_SHIELD_STATE_SHIELDED);
        sbx_located_close(&known);
    }
    sbx_ledger_fini(&ledger);
    return st;
}

sbx_status sbx_shield_folders(uint32_t which, sbx_shield_visitor visit, void *context, sbx_error *err)
{
    char *profile = NULL, drive[4];
    sbx_status st;

    if (which == SBX_SHIELD_MADE)
        return made(visit, context, err);
    st = sbx_dirs_get(SBX_DIR_PROFILE, &profile, err);
    if (st == SBX_OK && !suggest_known(visit, context) && !suggest_sources(profile, visit, context)) {
        memcpy(drive, profile, 3);
        drive[3] = 0;
        if (sbx_path_kind(drive) == SBX_PATH_DRIVE)
            suggest_sources(drive, visit, context);
    }
    sbx_free(profile);
    return st;
}

typedef struct finder {
    uint32_t shielded;
    char *open;
} finder;

static int32_t SBX_CALL find_open(void *context, const char *folder, uint32_t state)
{
    finder *f = context;

    if (state == SBX_SHIELD_STATE_SHIELDED)
        f->shielded++;
    else if (!f->open)
        f->open = sbx_strdup(folder);
    return 0;
}

uint32_t sbx_shield_first_open(char **path)
{
    finder f = {0, NULL};

    suggest_known(find_open, &f);
    *path = f.open;
    return f.shielded;
}
