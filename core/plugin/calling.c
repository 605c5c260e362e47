#include "plugin/calling.h"

#include <windows.h>

static const char *volatile calling_name, *volatile calling_function;
static const char *volatile module_name;
static void *volatile loaded_module;

void sbx_calling_mark(const char *name, const char *function)
{
    calling_name = function ? name : NULL;
    calling_function = function;
}

void sbx_calling_module(const char *name, void *module)
{
    module_name = name;
    loaded_module = module;
}

const char *sbx_calling(const char **function, const void *address)
{
    HMODULE module = NULL;

    *function = calling_function;
    if (calling_name)
        return calling_name;
    if (loaded_module &&
        GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                           address, &module) &&
        module == loaded_module) {
        *function = "a thread of its own";
        return module_name;
    }
    return NULL;
}
