#include <string.h>

#include "config/setting.h"

#define INHERIT_DEPTH 32u

/* Each the least with which such a command works.  A package manager that downloads wants `--network on` as well, which
 * a test does not; an agent does nothing without its model. */
const char sbx_profiles[] = "[profiles.npm]\n"
                            "tools.presets = [\"node\"]\n"
                            "[profiles.cargo]\n"
                            "tools.presets = [\"cargo\"]\n"
                            "[profiles.python]\n"
                            "tools.presets = [\"python\"]\n"
                            "[profiles.go]\n"
                            "tools.presets = [\"go\"]\n"
                            "[profiles.dotnet]\n"
                            "tools.presets = [\"dotnet\"]\n"
                            "[profiles.agent]\n"
                            "network = \"on\"\n"
                            "tools.presets = [\"git\", \"node\", \"python\"]\n";

struct visit {
    const char *name;
    int state; /* 1: on the way, 2: done */
};

struct walk {
    const sbx_layer *layers;
    sbx_diag *diag;
    struct visit *visits;
    uint32_t count;
    const char **order; /* of the visits that ended */
    uint32_t ordered;
};

static struct visit *find_visit(const struct walk *walk, const char *name)
{
    uint32_t i;

    for (i = 0; i < walk->count; i++)
        if (!strcmp(walk->visits[i].name, name))
            return &walk->visits[i];
    return NULL;
}

static sbx_status unknown_profile(const struct walk *walk, const char *name, const sbx_item *from)
{
    const char *names[SBX_PROFILES_MAX], *nearest;
    sbx_problem problem;
    uint32_t i;

    for (i = 0; i < walk->count && i < SBX_PROFILES_MAX; i++)
        names[i] = walk->visits[i].name;
    nearest = sbx_suggest(name, names, i);
    sbx_problem_set(&problem, 0, 0, "there is no profile \"%.100s\"", name);
    if (nearest)
        sbx_problem_hint(&problem, "did you mean \"%s\"?", nearest);
    else
        sbx_problem_hint(&problem, "`sbx config show` lists them");
    return sbx_item_fail(from, &problem, walk->diag);
}

const sbx_profile *sbx_profile_in(const sbx_layer *layer, const char *name)
{
    const sbx_profile *profile;

    for (profile = layer->profiles; profile; profile = profile->next)
        if (!strcmp(profile->name, name))
            return profile;
    return NULL;
}

/* A name that a person gave before one of that name was built in goes on to mean what it did. */
int sbx_profile_is_replaced(const sbx_layer *layer, const char *name)
{
    const sbx_layer *later = layer->source.rank ? NULL : layer->next;

    while (later && !sbx_profile_in(later, name))
        later = later->next;
    return later != NULL;
}

/* What it inherits, then itself; each once, so that a common base does not undo a nearer one. */
static sbx_status visit_profile(struct walk *walk, const char *name, const sbx_item *from, uint32_t depth)
{
    struct visit *visit = find_visit(walk, name);
    const sbx_setting *inherits = NULL;
    const sbx_layer *layer;
    const sbx_profile *profile;
    sbx_problem problem;
    sbx_status st = SBX_OK;
    uint32_t i;

    if (!visit)
        return unknown_profile(walk, name, from);
    if (visit->state == 2)
        return SBX_OK;
    if (visit->state == 1 || depth > INHERIT_DEPTH) {
        sbx_problem_set(&problem, 0, 0,
                        visit->state ? "the profile \"%s\" inherits from itself" : "\"%s\" is inherited too deeply",
                        name);
        return sbx_item_fail(from, &problem, walk->diag);
    }
    visit->state = 1;
    for (layer = walk->layers; layer; layer = layer->next)
        if ((profile = sbx_profile_in(layer, name)) && profile->inherits.source)
            inherits = &profile->inherits;
    for (i = 0; inherits && i < inherits->count && st == SBX_OK; i++)
        st = visit_profile(walk, inherits->items[i].text, &inherits->items[i], depth + 1);
    if (st == SBX_OK)
        walk->order[walk->ordered++] = visit->name;
    visit->state = 2;
    return st;
}

sbx_status sbx_profile_order(const sbx_layer *layers, const char *chosen, sbx_arena *arena, const char *const **names,
                             uint32_t *count, sbx_diag *diag)
{
    static const sbx_source flag = {"--profile", NULL, 0, SBX_FLAG_RANK, 1};
    struct walk walk = {layers, diag, NULL, 0, NULL, 0};
    sbx_item from = {0};
    const sbx_layer *layer;
    const sbx_profile *profile;
    sbx_status st = SBX_OK;
    uint32_t i;

    for (layer = layers; layer; layer = layer->next)
        for (profile = layer->profiles; profile; profile = profile->next)
            walk.count++;
    walk.visits = sbx_arena_alloc(arena, (walk.count + 1) * sizeof(*walk.visits));
    walk.order = sbx_arena_alloc(arena, (walk.count + 1) * sizeof(*walk.order));
    if (!walk.visits || !walk.order)
        return sbx_diag_memory(diag);
    walk.count = 0;
    for (layer = layers; layer; layer = layer->next)
        for (profile = layer->profiles; profile; profile = profile->next)
            if (!find_visit(&walk, profile->name))
                walk.visits[walk.count++].name = profile->name;
    from.source = &flag;
    from.text = "";
    for (i = 0; i < walk.count && st == SBX_OK; i++)
        st = visit_profile(&walk, walk.visits[i].name, &from, 0);
    for (i = 0; i < walk.count; i++)
        walk.visits[i].state = 0;
    walk.ordered = 0;
    if (st == SBX_OK && chosen)
        st = visit_profile(&walk, chosen, &from, 0);
    *names = walk.order;
    *count = walk.ordered;
    return st;
}
