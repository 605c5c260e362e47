#include "config/variables.h"

#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "base/utf.h"

static const char *const names[SBX_VARIABLES] = {
    "WORKSPACE", "CWD", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "PROGRAMDATA", "WINDIR", "SYSTEMROOT",
};

#define ENVIRONMENT SBX_VARIABLES /* ${env:NAME} */
#define ENVIRONMENT_PREFIX 4u     /* "env:" */

struct reference {
    size_t at, length; /* of all of it, "${" and "}" included */
    uint32_t variable; /* SBX_VARIABLE_* or ENVIRONMENT */
    const char *name;  /* what stands between the braces */
    size_t name_length;
};

static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

int sbx_environment_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t i;

    if (a_length != b_length)
        return 0;
    for (i = 0; i < a_length; i++)
        if (upper(a[i]) != upper(b[i]))
            return 0;
    return 1;
}

/* "=C:=C:\x" is the variable "=C:": the first character is never the divider. */
static size_t name_length(const char *entry)
{
    const char *divider = entry[0] ? strchr(entry + 1, '=') : NULL;

    return divider ? (size_t)(divider - entry) : strlen(entry);
}

const char *sbx_environment_get(const char *const *environment, uint32_t count, const char *name, size_t length)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        size_t entry = name_length(environment[i]);

        if (environment[i][entry] == '=' && sbx_environment_same(environment[i], entry, name, length))
            return environment[i] + entry + 1;
    }
    return NULL;
}

int sbx_variables_check_name(const char *text, size_t length, sbx_problem *problem)
{
    size_t i;

    if (!length)
        return sbx_problem_set(problem, 0, 0, "the name of the variable is empty");
    for (i = 0; i < length; i++) {
        if (text[i] == '=')
            return sbx_problem_set(problem, i, 1, "the name of a variable has no '='");
        if ((unsigned char)text[i] < 0x20)
            return sbx_problem_set(problem, i, 1, "the name of a variable has no control characters");
    }
    return 1;
}

static int unknown(const struct reference *found, sbx_problem *problem)
{
    char word[64];
    const char *near_name;
    int shown = (int)(found->name_length > 100 ? sbx_utf8_cut(found->name, 100) : found->name_length);

    sbx_problem_set(problem, found->at, found->length, "unknown variable \"${%.*s}\"", shown, found->name);
    if (found->name_length >= sizeof(word))
        return 0;
    memcpy(word, found->name, found->name_length);
    word[found->name_length] = 0;
    near_name = sbx_suggest(word, names, SBX_VARIABLES);
    if (near_name)
        return sbx_problem_hint(problem, "did you mean \"${%s}\"?", near_name);
    return sbx_problem_hint(problem, "one from the environment is written \"${env:%s}\"", word);
}

/* The next reference behind `from`: 1; none: 2; 0 and the problem.  *plain gets where it begins, or
 * that of a "$${", which has length 3 and no name. */
static int next(const char *text, size_t length, size_t from, struct reference *found, sbx_problem *problem)
{
    size_t at;
    const char *end;
    uint32_t i;

    for (at = from; at + 1 < length; at++) {
        if (text[at] != '$')
            continue;
        if (at + 2 < length && text[at + 1] == '$' && text[at + 2] == '{') {
            *found = (struct reference){at, 3, 0, NULL, 0};
            return 1;
        }
        if (text[at + 1] == '{')
            break;
    }
    if (at + 1 >= length)
        return 2;
    end = memchr(text + at, '}', length - at);
    if (!end) {
        sbx_problem_set(problem, at, length - at, "\"${\" without \"}\"");
        return sbx_problem_hint(problem, "for a \"${\" as it stands write \"$${\"");
    }
    *found = (struct reference){at, (size_t)(end - text) + 1 - at, 0, text + at + 2, (size_t)(end - text) - at - 2};
    if (found->name_length >= ENVIRONMENT_PREFIX && !memcmp(found->name, "env:", ENVIRONMENT_PREFIX)) {
        found->variable = ENVIRONMENT;
        if (!sbx_variables_check_name(found->name + ENVIRONMENT_PREFIX, found->name_length - ENVIRONMENT_PREFIX,
                                      problem)) {
            problem->at = found->at;
            problem->length = found->length;
            return 0;
        }
        return 1;
    }
    for (i = 0; i < SBX_VARIABLES; i++)
        if (strlen(names[i]) == found->name_length && !memcmp(names[i], found->name, found->name_length)) {
            found->variable = i;
            return 1;
        }
    return unknown(found, problem);
}

int sbx_variables_check(const char *text, size_t length, sbx_problem *problem)
{
    struct reference found;
    size_t at = 0;
    int more;

    while ((more = next(text, length, at, &found, problem)) == 1)
        at = found.at + found.length;
    return more == 2;
}

static int not_set(const sbx_scope *scope, const struct reference *found, sbx_problem *problem)
{
    size_t length = found->name_length - ENVIRONMENT_PREFIX, entry;
    const char *name = found->name + ENVIRONMENT_PREFIX, *near_name;
    const char *candidate;
    char word[64], copy[64];
    uint32_t i;

    sbx_problem_set(problem, found->at, found->length, "the environment has no variable \"%.*s\"",
                    (int)(length > 100 ? sbx_utf8_cut(name, 100) : length), name);
    if (length >= sizeof(word))
        return 0;
    memcpy(word, name, length);
    word[length] = 0;
    for (i = 0; i < scope->environment_count; i++) {
        entry = name_length(scope->environment[i]);
        if (entry >= sizeof(copy))
            continue;
        memcpy(copy, scope->environment[i], entry);
        copy[entry] = 0;
        candidate = copy;
        near_name = sbx_suggest(word, &candidate, 1);
        if (near_name)
            return sbx_problem_hint(problem, "did you mean \"${env:%s}\"?", near_name);
    }
    return 0;
}

sbx_status sbx_variables_expand(sbx_arena *arena, const sbx_scope *scope, const char *text, const char **result,
                                sbx_problem *problem)
{
    struct reference found;
    size_t length = strlen(text), at = 0;
    sbx_text out = {0};
    const char *value;
    sbx_status st = SBX_OK;
    int more;

    while ((more = next(text, length, at, &found, problem)) == 1) {
        sbx_text_add_n(&out, text + at, found.at - at);
        at = found.at + found.length;
        if (!found.name) {
            sbx_text_add(&out, "${");
            continue;
        }
        if (found.variable == ENVIRONMENT)
            value = sbx_environment_get(scope->environment, scope->environment_count, found.name + ENVIRONMENT_PREFIX,
                                        found.name_length - ENVIRONMENT_PREFIX);
        else
            value = scope->values[found.variable];
        if (!value) {
            if (found.variable == ENVIRONMENT)
                not_set(scope, &found, problem);
            else
                sbx_problem_set(problem, found.at, found.length, "${%.*s} is not known here", (int)found.name_length,
                                found.name);
            st = SBX_E_CONFIG;
            goto out;
        }
        sbx_text_add(&out, value);
    }
    if (!more) {
        st = SBX_E_CONFIG;
        goto out;
    }
    sbx_text_add_n(&out, text + at, length - at);
    *result = out.failed ? NULL : sbx_arena_strndup(arena, out.data ? out.data : "", out.length);
    if (!*result)
        st = SBX_E_MEMORY;

out:
    if (out.failed) /* before anything that is wrong with the text */
        st = SBX_E_MEMORY;
    sbx_text_fini(&out);
    return st;
}
