#include "elevated/credentials.h"

#include "base/path.h"
#include "win/dirs.h"

#define PROFILE 0u
#define ROAMING 1u
#define LOCAL 2u

static const struct {
    uint32_t in;
    const char *name;
} places[] = {
    {PROFILE, ".ssh"},
    {PROFILE, ".gnupg"},
    {PROFILE, ".aws"},
    {PROFILE, ".azure"},
    {PROFILE, ".kube"},
    {PROFILE, ".docker\\config.json"},
    {PROFILE, ".npmrc"},
    {PROFILE, ".yarnrc.yml"},
    {PROFILE, ".pypirc"},
    {PROFILE, ".netrc"},
    {PROFILE, "_netrc"},
    {PROFILE, ".git-credentials"},
    {PROFILE, ".config\\git\\credentials"},
    {PROFILE, ".config\\gcloud"},
    {PROFILE, ".config\\gh"},
    {PROFILE, ".cargo\\credentials"},
    {PROFILE, ".cargo\\credentials.toml"},
    {PROFILE, ".m2\\settings.xml"},
    {PROFILE, ".m2\\settings-security.xml"},
    {PROFILE, ".gradle\\gradle.properties"},
    {PROFILE, ".nuget\\NuGet\\NuGet.Config"},
    {PROFILE, ".terraform.d\\credentials.tfrc.json"},
    {ROAMING, "NuGet\\NuGet.Config"},
    {ROAMING, "gnupg"},
    {ROAMING, "GitHub CLI"},
    {ROAMING, "gcloud"},
    {ROAMING, "gem\\credentials"},
    {ROAMING, "terraform.rc"},
    {ROAMING, "1Password"},
    {ROAMING, "Bitwarden"},
    {ROAMING, "Mozilla"},
    {ROAMING, "Thunderbird"},
    {ROAMING, "Opera Software"},
    {ROAMING, "Microsoft\\Credentials"},
    {ROAMING, "Microsoft\\Crypto"},
    {ROAMING, "Microsoft\\Protect"},
    {ROAMING, "Microsoft\\SystemCertificates"},
    {ROAMING, "Microsoft\\Vault"},
    {LOCAL, "1Password"},
    {LOCAL, "op"},
    {LOCAL, "Google\\Chrome"},
    {LOCAL, "Chromium"},
    {LOCAL, "BraveSoftware"},
    {LOCAL, "Vivaldi"},
    {LOCAL, "Mozilla"},
    {LOCAL, "Microsoft\\Edge"},
    {LOCAL, "Microsoft\\Credentials"},
    {LOCAL, "Microsoft\\TokenBroker"},
    {LOCAL, "Microsoft\\Vault"},
    {LOCAL, ".IdentityService"},
    {LOCAL, "sbx"},
};

static const char *dir(sbx_credentials *c, uint32_t which, sbx_status *st, sbx_error *err)
{
    char *path = NULL;
    const char *copy = NULL;

    if (*st == SBX_OK && (*st = sbx_dirs_get(which, &path, err)) == SBX_OK &&
        !(copy = sbx_arena_strdup(&c->arena, path)))
        *st = sbx_fail_memory(err);
    sbx_free(path);
    return copy;
}

sbx_status sbx_credentials_find(sbx_credentials *c, sbx_error *err)
{
    sbx_status st = SBX_OK;

    c->profile = dir(c, SBX_DIR_PROFILE, &st, err);
    c->roaming = dir(c, SBX_DIR_ROAMING_DATA, &st, err);
    c->local = dir(c, SBX_DIR_LOCAL_DATA, &st, err);
    return st;
}

void sbx_credentials_fini(sbx_credentials *c)
{
    sbx_arena_fini(&c->arena);
}

const char *sbx_credentials_place(sbx_credentials *c, size_t i)
{
    const char *const dirs[] = {c->profile, c->roaming, c->local};

    return i < sizeof(places) / sizeof(places[0])
               ? sbx_arena_printf(&c->arena, "%s\\%s", dirs[places[i].in], places[i].name)
               : NULL;
}

const char *sbx_credentials_at(sbx_credentials *c, const char *folder)
{
    size_t i;

    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        const char *place = sbx_credentials_place(c, i);

        if (!place) /* out of memory: as if it were one */
            return folder;
        if (sbx_path_is_below(place, folder) || sbx_path_is_below(folder, place))
            return place;
    }
    return NULL;
}
