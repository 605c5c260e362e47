#include "base/path.h"

#include <string.h>

#include "base/utf.h"

static int is_divider(char c)
{
    return c == '\\' || c == '/';
}

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether `text` goes on with `word`, ASCII letters in either case. */
static int begins(const char *text, const char *word)
{
    for (; *word; text++, word++)
        if (*text != *word && !(is_letter(*word) && (*text ^ *word) == 0x20))
            return 0;
    return 1;
}

/* Bytes up to a divider.  `strict`: only a backslash divides. */
static size_t component(const char *path, int strict)
{
    size_t length = 0;

    while (path[length] && path[length] != '\\' && (strict || path[length] != '/'))
        length++;
    return length;
}

static size_t dividers(const char *path, int strict)
{
    size_t length = 0;

    while (path[length] == '\\' || (!strict && path[length] == '/'))
        length++;
    return length;
}

/* The two names of \\server\share and the divider behind them. */
static size_t share_length(const char *path, int strict)
{
    size_t length = dividers(path, strict);

    length += component(path + length, strict);
    length += dividers(path + length, strict);
    length += component(path + length, strict);
    return path[length] ? length + 1 : length;
}

/* Behind \\?\, \\.\ or \??\: kind and length of the root. */
static uint32_t device_kind(const char *path, size_t prefix, int verbatim, size_t *root)
{
    const char *rest = path + prefix;
    size_t name = component(rest, verbatim);

    /* ".." goes up to the prefix */
    *root = verbatim ? prefix + name + (rest[name] != 0) : prefix;
    if (verbatim && is_letter(rest[0]) && rest[1] == ':' && (!rest[2] || rest[2] == '\\'))
        return SBX_PATH_VERBATIM;
    if (verbatim && name == 3 && begins(rest, "UNC") && rest[name]) {
        *root = prefix + 4 + share_length(rest + 4, verbatim);
        return SBX_PATH_VERBATIM_UNC;
    }
    if (begins(rest, "Volume{"))
        return SBX_PATH_VOLUME;
    return name == 10 && begins(rest, "GLOBALROOT") ? SBX_PATH_GLOBALROOT : SBX_PATH_DEVICE;
}

static uint32_t kind_and_root(const char *path, size_t *root)
{
    *root = 0;
    if (!path[0])
        return SBX_PATH_EMPTY;
    if (!strncmp(path, "\\\\?\\", 4) || !strncmp(path, "\\??\\", 4))
        return device_kind(path, 4, 1, root);
    if (is_divider(path[0]) && is_divider(path[1])) {
        if ((path[2] == '.' || path[2] == '?') && (is_divider(path[3]) || !path[3]))
            return device_kind(path, path[3] ? 4 : 3, 0, root);
        *root = 2 + share_length(path + 2, 0);
        return SBX_PATH_UNC;
    }
    if (is_divider(path[0])) {
        *root = 1;
        return SBX_PATH_ROOTED;
    }
    if (is_letter(path[0]) && path[1] == ':') {
        *root = is_divider(path[2]) ? 3 : 2;
        return is_divider(path[2]) ? SBX_PATH_DRIVE : SBX_PATH_DRIVE_RELATIVE;
    }
    return SBX_PATH_RELATIVE;
}

uint32_t sbx_path_kind(const char *path)
{
    size_t root;

    return kind_and_root(path, &root);
}

int sbx_path_is_absolute(const char *path)
{
    return sbx_path_kind(path) >= SBX_PATH_DRIVE;
}

size_t sbx_path_root_length(const char *path)
{
    size_t root;

    kind_and_root(path, &root);
    return root;
}

/* Bytes of a component that Win32 keeps: of the last one it drops all dots and spaces at the
 * end, of another a single dot. */
static size_t kept(const char *name, size_t length, int last)
{
    if (last)
        while (length && (name[length - 1] == '.' || name[length - 1] == ' '))
            length--;
    else if (length > 1 && name[length - 1] == '.' && name[length - 2] != '.')
        length--;
    return length;
}

static int is_dots(const char *name, size_t length, size_t count)
{
    return length == count && !memcmp(name, "..", count);
}

static int ends_with_parent(const char *path, size_t length, size_t root)
{
    return length - root >= 2 && is_dots(path + length - 2, 2, 2) && (length - root == 2 || path[length - 3] == '\\');
}

/* Append the components of `from` to `to`, which begins with `root` bytes that ".." cannot leave. */
static size_t add_components(char *to, size_t length, size_t root, int relative, const char *from)
{
    size_t bytes, keep, start;

    for (; *from; from += bytes + (from[bytes] != 0)) {
        bytes = component(from, 0);
        if (!bytes || is_dots(from, bytes, 1))
            continue;
        if (is_dots(from, bytes, 2)) {
            for (start = length; start > root && to[start - 1] != '\\';)
                start--;
            if (length > root && !is_dots(to + start, length - start, 2))
                length = start > root ? start - 1 : root;
            else if (relative) {
                if (length > root)
                    to[length++] = '\\';
                to[length++] = '.';
                to[length++] = '.';
            }
            continue;
        }
        keep = kept(from, bytes, !from[bytes]);
        if (!keep)
            continue;
        if (length > root)
            to[length++] = '\\';
        memcpy(to + length, from, keep);
        length += keep;
    }
    /* without the separator Win32 would drop what this name ends with */
    if (length > root && (to[length - 1] == ' ' || (to[length - 1] == '.' && !ends_with_parent(to, length, root))))
        to[length++] = '\\';
    to[length] = 0;
    return length;
}

/* Whether Win32 would leave the components behind \\?\ as they are. */
static int same_word(const char *name, size_t length, const char *word)
{
    size_t i;

    for (i = 0; i < length; i++)
        if (!word[i] || (name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]) != word[i])
            return 0;
    return !word[length];
}

int sbx_path_is_reserved(const char *name, size_t length)
{
    static const char *const words[] = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"};
    static const char *const numbers[] = {"COM", "LPT"};
    size_t base = 0, i;

    while (base < length && name[base] != '.' && name[base] != ':')
        base++;
    while (base && name[base - 1] == ' ')
        base--;
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (same_word(name, base, words[i]))
            return 1;
    for (i = 0; i < 2; i++) {
        if (base < 4 || !same_word(name, 3, numbers[i]))
            continue;
        if (base == 4 && name[3] >= '1' && name[3] <= '9')
            return 1;
        /* the superscript digits 1 to 3 count as digits here */
        if (base == 5 && name[3] == '\xC2' && (name[4] == '\xB9' || name[4] == '\xB2' || name[4] == '\xB3'))
            return 1;
    }
    return 0;
}

static int is_plain(const char *path)
{
    size_t length;

    for (; *path; path += length + (path[length] != 0)) {
        length = component(path, 1);
        if (!length || memchr(path, '/', length) || kept(path, length, 1) != length ||
            sbx_path_is_reserved(path, length))
            return 0;
    }
    return 1;
}

/* The root in its one spelling; returns its length in `to`. */
static size_t put_root(char *to, const char *path, size_t root, uint32_t kind)
{
    size_t leading = dividers(path, 0), i, length = 0;

    for (i = 0; i < root; i++) {
        to[length] = is_divider(path[i]) ? '\\' : path[i];
        if (i < leading || to[length] != '\\' || to[length - 1] != '\\')
            length++;
    }
    if (kind >= SBX_PATH_VOLUME)
        to[2] = '.'; /* "//?/" is no \\?\ */
    if ((kind == SBX_PATH_DRIVE || kind == SBX_PATH_DRIVE_RELATIVE) && to[0] >= 'a')
        to[0] = (char)(to[0] - 'a' + 'A');
    return length;
}

char *sbx_path_normalise(sbx_arena *arena, const char *path)
{
    size_t length = strlen(path), root;
    uint32_t kind = kind_and_root(path, &root);
    char *result = sbx_arena_alloc(arena, length + 8);
    int verbatim = !strncmp(path, "\\\\?\\", 4) || !strncmp(path, "\\??\\", 4);

    if (!result)
        return NULL;
    if (kind == SBX_PATH_VERBATIM && path[6] == '\\' && is_plain(path + 7)) {
        path += 4;
        kind = kind_and_root(path, &root);
    } else if (kind == SBX_PATH_VERBATIM_UNC && path[8] != '?' && path[8] != '.' && is_plain(path + 8)) {
        result[0] = '\\'; /* and the backslash before the server's name */
        memcpy(result + 1, path + 7, length - 6);
        return sbx_path_normalise(arena, result);
    } else if (verbatim) {
        return memcpy(result, path, length + 1);
    }
    length = put_root(result, path, root, kind);
    if (kind == SBX_PATH_UNC && result[length - 1] != '\\')
        result[length++] = '\\';
    length = add_components(result, length, length, kind == SBX_PATH_RELATIVE || kind == SBX_PATH_DRIVE_RELATIVE,
                            path + root);
    if (kind == SBX_PATH_RELATIVE && !length)
        memcpy(result, ".", 2);
    /* ".\c:a" is the stream a of a file c, and "\.\??\a" no path of the kernel */
    root = kind == SBX_PATH_ROOTED;
    if (kind <= SBX_PATH_ROOTED && sbx_path_kind(result) != kind && kind != SBX_PATH_EMPTY) {
        memmove(result + root + 2, result + root, length - root + 1);
        memcpy(result + root, ".\\", 2);
    }
    return result;
}

char *sbx_path_join(sbx_arena *arena, const char *base, const char *path)
{
    size_t base_root, path_root, keep = strlen(base), length = strlen(path);
    uint32_t kind = kind_and_root(path, &path_root), base_kind = kind_and_root(base, &base_root);
    const char *rest = path;
    char drive[4] = "";
    char *joined;

    if (kind >= SBX_PATH_DRIVE)
        return sbx_path_normalise(arena, path);
    if (kind == SBX_PATH_ROOTED)
        keep = base_root;
    if (kind == SBX_PATH_DRIVE_RELATIVE) {
        rest = path + 2;
        length -= 2;
        if (base_kind != SBX_PATH_DRIVE || (base[0] ^ path[0]) & ~0x20) {
            drive[0] = path[0];
            drive[1] = ':';
            drive[2] = '\\';
            base = drive;
            keep = 3;
        }
    }
    joined = sbx_arena_alloc(arena, keep + length + 2);
    if (!joined)
        return NULL;
    memcpy(joined, base, keep);
    if (!keep || !is_divider(joined[keep - 1]))
        joined[keep++] = '\\';
    memcpy(joined + keep, rest, length + 1);
    return sbx_path_normalise(arena, joined);
}

/* Bytes of `path` that `root` matches, SIZE_MAX when it does not begin with it. */
static size_t match(const char *path, const char *root)
{
    size_t path_length = strlen(path), root_length = strlen(root), at = 0, root_at = 0;
    uint32_t a, b;

    while (root_at < root_length) {
        if (at >= path_length)
            return SIZE_MAX;
        a = sbx_utf8_next(path, path_length, &at);
        b = sbx_utf8_next(root, root_length, &root_at);
        if (a != b && sbx_utf_upper(a) != sbx_utf_upper(b) && !((a == '/' || a == '\\') && (b == '/' || b == '\\')))
            return SIZE_MAX;
    }
    return at;
}

int sbx_path_equal(const char *a, const char *b)
{
    size_t at = match(a, b);

    return at != SIZE_MAX && !a[at];
}

const char *sbx_path_below(const char *path, const char *root)
{
    size_t at = match(path, root);

    if (at == SIZE_MAX || !at || (path[at] && !is_divider(path[at]) && !is_divider(path[at - 1])))
        return NULL;
    return path + at + (path[at] && is_divider(path[at]));
}

int sbx_path_is_below(const char *path, const char *root)
{
    return sbx_path_below(path, root) != NULL;
}

size_t sbx_path_parent_length(const char *path)
{
    size_t root = sbx_path_root_length(path), length = strlen(path);

    while (length > root && is_divider(path[length - 1]))
        length--;
    while (length > root && !is_divider(path[length - 1]))
        length--;
    while (length > root && is_divider(path[length - 1]))
        length--;
    return length;
}
