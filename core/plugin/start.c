#include "plugin/start.h"

#include <windows.h>
#include <stdio.h>

#include "base/mimalloc.h"
#include "plugin/calling.h"
#include "win/console.h"

static const char *program_name = "sbx";
static sbx_crash_fn crash_fn;
static volatile LONG crashed;

/* Runs with little stack and maybe a broken heap: no allocation, one write. */
static void end(const char *line, int length, const char *backend, const char *function, uint32_t exception)
{
    DWORD done;

    sbx_console_restore();
    if (length > 0)
        WriteFile(GetStdHandle(STD_ERROR_HANDLE), line, (DWORD)length, &done, NULL);
    if (crash_fn)
        crash_fn(backend, function, exception);
    TerminateProcess(GetCurrentProcess(), 125);
}

static LONG WINAPI on_exception(EXCEPTION_POINTERS *info)
{
    const EXCEPTION_RECORD *record = info->ExceptionRecord;
    const char *function = NULL;
    const char *backend = sbx_calling(&function, record->ExceptionAddress);
    char line[256];
    int length;

    if (InterlockedExchange(&crashed, 1)) /* another one on the way out */
        TerminateProcess(GetCurrentProcess(), 125);
    if (backend)
        length = snprintf(line, sizeof(line), "%s: backend \"%s\": crashed in %s (exception 0x%08lX)\n", program_name,
                          backend, function, record->ExceptionCode);
    else
        length = snprintf(line, sizeof(line), "%s: internal error (exception 0x%08lX at %p)\n", program_name,
                          record->ExceptionCode, record->ExceptionAddress);
    end(line, length, backend, function, record->ExceptionCode);
    return EXCEPTION_CONTINUE_SEARCH;
}

void sbx_start_no_answer(const char *backend, const char *function, uint32_t seconds)
{
    char line[256];
    int length = snprintf(line, sizeof(line), "%s: backend \"%s\": does not answer in %s (%u s)\n", program_name,
                          backend, function, (unsigned)seconds);

    if (InterlockedExchange(&crashed, 1))
        Sleep(INFINITE); /* it crashed meanwhile, and the process ends with that line */
    end(line, length, backend, function, 0);
}

void sbx_start_on_crash(sbx_crash_fn fn)
{
    crash_fn = fn;
}

static void disguise_placeholders(void)
{
    typedef CHAR(NTAPI * set_fn)(CHAR);
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    union {
        FARPROC found;
        set_fn set;
    } symbol = {ntdll ? GetProcAddress(ntdll, "RtlSetProcessPlaceholderCompatibilityMode") : NULL};

    if (symbol.found)
        symbol.set(1); /* PHCM_DISGUISE_PLACEHOLDER */
}

void sbx_start(const char *program)
{
    ULONG reserve = 32 * 1024;

    program_name = program;
    /* not SetDllDirectoryW: that one would be handed down to the command */
    SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32);
    disguise_placeholders();
    HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
    SetThreadStackGuarantee(&reserve); /* so that the handler runs after a stack overflow, too */
    SetUnhandledExceptionFilter(on_exception);
    sbx_memory_use(&sbx_mimalloc);
}
