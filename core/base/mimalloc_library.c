/*
 * All of mimalloc in one file.
 *
 * It asks bcrypt.dll for random bytes when the C runtime starts, before main() can say where DLLs come from, and by
 * bare name, which begins to look beside the program.  So here every such name means the one in System32.
 */
#include <windows.h>

#undef LoadLibraryA
#define LoadLibraryA(name) LoadLibraryExA(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32)
#undef LoadLibraryW
#define LoadLibraryW(name) LoadLibraryExW(name, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32)

/* Large pages of the system are never asked for, and this name alone would bring advapi32.dll into every process. */
#undef LookupPrivilegeValue
#define LookupPrivilegeValue(system, name, luid) (SetLastError(ERROR_NOT_SUPPORTED), FALSE)

#include <static.c>
