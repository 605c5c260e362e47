/* The last component of a path: name, extension, stream, and what is wrong with it. */
#include "base/path.h"

#include <string.h>

const char *sbx_path_name(const char *path)
{
    const char *name = path + sbx_path_root_length(path), *c;

    for (c = name; *c; c++)
        if (*c == '\\' || *c == '/')
            name = c + 1;
    return name;
}

const char *sbx_path_extension(const char *path)
{
    const char *dot = strrchr(sbx_path_name(path), '.');

    return dot ? dot : path + strlen(path);
}

const char *sbx_path_stream(const char *path)
{
    return strchr(sbx_path_name(path), ':');
}

static const char *component_problem(const char *name, size_t length, size_t *at)
{
    size_t i;

    *at = 0;
    for (i = 0; i < length; i++) {
        *at = i;
        if ((unsigned char)name[i] < 0x20)
            return "contains a control character";
        if (strchr("<>\"|?*", name[i]))
            return "contains one of < > \" | ? *";
        if (name[i] == ':')
            return "names a stream of a file";
    }
    if (length && (name[length - 1] == '.' || name[length - 1] == ' '))
        return "has a name that ends with a dot or a space, which Windows drops";
    *at = 0;
    return sbx_path_is_reserved(name, length) ? "has the name of a device" : NULL;
}

const char *sbx_path_problem(const char *path, size_t *where)
{
    size_t at = sbx_path_root_length(path), length, inner;
    uint32_t kind = sbx_path_kind(path);
    const char *problem = NULL;

    if (where)
        *where = 0;
    if (kind == SBX_PATH_EMPTY)
        return "is empty";
    if (kind == SBX_PATH_GLOBALROOT || kind == SBX_PATH_DEVICE)
        return "is a device path";
    while (path[at] && !problem) {
        for (length = 0; path[at + length] && path[at + length] != '\\' && path[at + length] != '/';)
            length++;
        if (length && !(path[at] == '.' && (length == 1 || (length == 2 && path[at + 1] == '.'))))
            problem = component_problem(path + at, length, &inner);
        if (problem && where)
            *where = at + inner;
        at += length + (path[at + length] != 0);
    }
    return problem;
}
