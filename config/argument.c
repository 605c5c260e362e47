/* Arguments that look like secrets. */
#include <string.h>

#include "config/policy.h"

/* "--api-key" as API_KEY. */
static int is_secret(const char *name, size_t length)
{
    char plain[64];
    size_t i;

    while (length && (*name == '-' || *name == '/')) {
        name++;
        length--;
    }
    if (!length || length >= sizeof(plain))
        return 0;
    for (i = 0; i < length; i++)
        plain[i] = name[i] == '-' ? '_' : name[i];
    return sbx_secret_name(plain, length);
}

/* Behind where a value begins that is a secret, the rest is withheld: of NAME=VALUE anywhere in it, and of what logs on to a server.
 * NULL: nothing is. */
static const char *secret_at(const char *argument)
{
    static const char *const words[] = {"Bearer ", "Basic "};
    const char *begin = argument, *at, *found = NULL;
    size_t i;

    for (at = argument; *at && !found; at++) {
        if (*at == '=' && is_secret(begin, (size_t)(at - begin)))
            found = at + 1;
        if (strchr(" \t&:;,?\"'", *at))
            begin = at + 1;
    }
    for (i = 0; i < sizeof(words) / sizeof(words[0]) && !found; i++)
        if ((at = strstr(argument, words[i])) != NULL)
            found = at + strlen(words[i]);
    return found;
}

const char *sbx_secret_argument(sbx_arena *arena, const char *argument, int *is_next)
{
    const char *secret = secret_at(argument), *at, *scheme = strstr(argument, "://");
    const int is_withheld = *is_next;

    *is_next = !secret && argument[0] == '-' && is_secret(argument, strlen(argument));
    if (is_withheld)
        return "(withheld)";
    if (secret)
        return sbx_arena_printf(arena, "%.*s(withheld)", (int)(secret - argument), argument);
    at = scheme ? strchr(scheme, '@') : NULL;
    if (at && at < scheme + 3 + strcspn(scheme + 3, "/?#"))
        return sbx_arena_printf(arena, "%.*s(withheld)%s", (int)(scheme + 3 - argument), argument, at);
    return argument;
}
