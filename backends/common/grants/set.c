#include "common/grants/set.h"

#include <stdlib.h>
#include <string.h>

#include "base/path.h"
#include "common/grants/sha256.h"
#include "common/grants/words.h"

#define SETS_MAX 16u /* of a root that are known: enough to tell that there are others */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, with their number and the ends of each: no two lists look alike. */
static void add_texts(sbx_sha256 *hash, const char **texts, uint32_t count)
{
    uint8_t number[4];
    uint32_t i;

    sbx_put32(number, count);
    sbx_sha256_add(hash, number, sizeof(number));
    if (count)
        qsort(texts, count, sizeof(*texts), by_text);
    for (i = 0; i < count; i++)
        sbx_sha256_add(hash, texts[i], strlen(texts[i]) + 1);
}

/* By the root that it is in, which may be called otherwise tomorrow. */
static const char *place_of(sbx_arena *arena, const sbx_root *roots, uint32_t count, const char *path)
{
    char text[SBX_SID_TEXT];
    uint32_t i;

    for (i = 0; i < count; i++) {
        const char *rest = sbx_path_below(path, roots[i].spelled);

        if (!rest)
            rest = sbx_path_below(path, roots[i].path);
        if (rest) {
            sbx_sid_text(&roots[i].sid, text);
            return sbx_arena_printf(arena, "%s\\%s", text, rest);
        }
    }
    return path;
}

sbx_status sbx_set_sid(const sbx_policy *policy, const sbx_root *roots, uint32_t count, sbx_sid *sid, sbx_error *err)
{
    static const uint8_t head[12] = {1, 9, 0, 0, 0, 0, 0, 9, 'S', 'X', 'B', 'S'};
    const uint32_t most = count + policy->protected_count + policy->deny_read_count;
    sbx_arena arena = {NULL};
    const char **texts = sbx_arena_alloc(&arena, (most + 1) * sizeof(*texts));
    uint8_t git[4];
    sbx_sha256 hash;
    uint32_t i;
    int failed = !texts;

    sbx_sha256_begin(&hash);
    for (i = 0; i < count && !failed; i++) {
        char text[SBX_SID_TEXT];

        sbx_sid_text(&roots[i].sid, text);
        texts[i] = sbx_arena_strdup(&arena, text);
        failed = !texts[i];
    }
    if (!failed)
        add_texts(&hash, texts, count);
    sbx_put32(git, policy->git);
    sbx_sha256_add(&hash, git, sizeof(git));
    for (i = 0; i < policy->protected_count && !failed; i++) {
        texts[i] = place_of(&arena, roots, count, policy->protected_paths[i]);
        failed = !texts[i];
    }
    if (!failed)
        add_texts(&hash, texts, policy->protected_count);
    for (i = 0; i < policy->deny_read_count && !failed; i++)
        texts[i] = policy->deny_read[i];
    if (!failed)
        add_texts(&hash, texts, policy->deny_read_count);
    memcpy(sid->bytes, head, sizeof(head));
    sbx_sha256_end(&hash, sid->bytes + sizeof(head));
    sbx_arena_fini(&arena);
    return failed ? sbx_fail_memory(err) : SBX_OK;
}

sbx_status sbx_set_meet(const sbx_root *root, const sbx_sid *set, sbx_ledger *ledger, int dry, uint32_t *others,
                        sbx_error *err)
{
    const sbx_ledger_root *known = sbx_ledger_find(ledger, &root->sid);
    const sbx_ledger_path *path;
    char text[SBX_SID_TEXT];
    sbx_ledger_entry entry = {SBX_RECORD_SET, 0, text};
    int is_known = 0;

    *others = 0;
    sbx_sid_text(set, text);
    for (path = known ? known->paths : NULL; path; path = path->next) {
        if (path->kind != SBX_RECORD_SET)
            continue;
        if (!strcmp(path->path, text))
            is_known = 1;
        else
            ++*others;
    }
    return is_known || dry || *others >= SETS_MAX ? SBX_OK
                                                  : sbx_ledger_add(ledger, &root->sid, &entry, 1, SBX_LEDGER_LAZY, err);
}
