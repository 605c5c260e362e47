#include "win/process.h"

#include <windows.h>
#include <string.h>
#include <wchar.h>

#include "base/memory.h"
#include "win/console.h"
#include "win/error.h"
#include "win/handle.h"

/* Windows 10; older SDKs do not name it: ProcThreadAttributeValue(13, FALSE, TRUE, FALSE). */
#define ATTRIBUTE_JOB_LIST ((DWORD_PTR)0x0002000D)

#define ATTRIBUTE_PSEUDOCONSOLE ((DWORD_PTR)0x00020016) /* 1809; 22, likewise */

#define ATTRIBUTES 3u

/* Not in every SDK's winerror.h. */
#define CODE_VIRUS_INFECTED 225u
#define CODE_VIRUS_DELETED 226u
#define CODE_ELEVATION_REQUIRED 740u
#define CODE_POLICY_VIOLATION 4551u /* App Control, Smart App Control */
#define CODE_NO_ACTIVATION_CONTEXT 14001u

/* A handle value that a parent left behind may since mean something else: only files, pipes and consoles count, and no
 * directory, such as the current one. */
static int is_usable(HANDLE handle)
{
    FILE_STANDARD_INFO info;

    if (!handle || handle == INVALID_HANDLE_VALUE)
        return 0;
    switch (GetFileType(handle)) {
    case FILE_TYPE_CHAR:
    case FILE_TYPE_PIPE:
        return 1;
    case FILE_TYPE_DISK:
        return !GetFileInformationByHandleEx(handle, FileStandardInfo, &info, sizeof(info)) || !info.Directory;
    default:
        return 0;
    }
}

static HANDLE open_null(int output)
{
    SECURITY_ATTRIBUTES inherit = {sizeof(inherit), NULL, TRUE};

    return sbx_handle_from(CreateFileW(L"\\\\.\\NUL", output ? GENERIC_WRITE | FILE_READ_ATTRIBUTES : GENERIC_READ,
                                       FILE_SHARE_READ | FILE_SHARE_WRITE, &inherit, OPEN_EXISTING, 0, NULL));
}

sbx_status sbx_stdio_open(sbx_stdio *stdio, sbx_error *err)
{
    static const DWORD which[3] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE};
    HANDLE own;
    int i;

    for (i = 0; i < 3; i++) {
        own = GetStdHandle(which[i]);
        if (is_usable(own)) {
            /* copies, so that two equal ones are two entries of the list and ours stay as they are */
            if (!DuplicateHandle(GetCurrentProcess(), own, GetCurrentProcess(), &stdio->handles[i], 0, TRUE,
                                 DUPLICATE_SAME_ACCESS)) {
                stdio->handles[i] = NULL;
                sbx_fail_last(err, SBX_E_SYSTEM, "DuplicateHandle", "standard handle");
                sbx_stdio_close(stdio);
                return SBX_E_SYSTEM;
            }
        } else if (!(stdio->handles[i] = open_null(i > 0))) {
            sbx_fail_last(err, SBX_E_SYSTEM, "CreateFileW", "NUL");
            sbx_stdio_close(stdio);
            return SBX_E_SYSTEM;
        }
    }
    return SBX_OK;
}

void sbx_stdio_close(sbx_stdio *stdio)
{
    int i;

    for (i = 0; i < 3; i++)
        sbx_handle_close(&stdio->handles[i]);
}

sbx_status sbx_process_check_cwd(const uint16_t *cwd_w, sbx_error *err)
{
    DWORD attributes = GetFileAttributesW(cwd_w);

    if (attributes == INVALID_FILE_ATTRIBUTES)
        return sbx_fail_last_w(err, SBX_E_SYSTEM, "start directory", cwd_w);
    if (!(attributes & FILE_ATTRIBUTE_DIRECTORY)) {
        SetLastError(ERROR_DIRECTORY);
        return sbx_fail_last_w(err, SBX_E_SYSTEM, "start directory", cwd_w);
    }
    if (wcslen(cwd_w) > MAX_PATH - 2) {
        SetLastError(ERROR_FILENAME_EXCED_RANGE);
        sbx_fail_last_w(err, SBX_E_SYSTEM, "start directory", cwd_w);
        sbx_hint(err, "Windows starts no process in a directory whose path is longer than 258 characters");
        return SBX_E_SYSTEM;
    }
    return SBX_OK;
}

/* The identity of a file, for two spellings of one path. */
static int file_id(const uint16_t *path_w, BY_HANDLE_FILE_INFORMATION *info)
{
    HANDLE file = sbx_handle_from(CreateFileW(path_w, FILE_READ_ATTRIBUTES,
                                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                                              OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL));
    int ok = file && GetFileInformationByHandle(file, info);

    sbx_handle_close(&file);
    return ok;
}

sbx_status sbx_process_check_image(const sbx_process *process, const uint16_t *program_w, const char *op,
                                   sbx_error *err)
{
    BY_HANDLE_FILE_INFORMATION a, b;
    DWORD units = 32768;
    WCHAR *image_w = sbx_alloc(units * sizeof(*image_w));
    sbx_status st = SBX_OK;

    if (!image_w)
        return sbx_fail_memory(err);
    if (!QueryFullProcessImageNameW(process->handle, 0, image_w, &units))
        st = sbx_fail_last(err, SBX_E_UNENFORCED, "QueryFullProcessImageNameW", op);
    else if (CompareStringOrdinal(image_w, -1, program_w, -1, TRUE) != CSTR_EQUAL &&
             (!file_id(image_w, &a) || !file_id(program_w, &b) || a.dwVolumeSerialNumber != b.dwVolumeSerialNumber ||
              a.nFileIndexHigh != b.nFileIndexHigh || a.nFileIndexLow != b.nFileIndexLow))
        st = sbx_fail(err, SBX_E_UNENFORCED, op, "it is another program than the one that was found");
    sbx_free(image_w);
    return st;
}

/* What the Store installs: the system gives it a token of its own making, and no other. */
static int is_packaged(const uint16_t *program_w)
{
    return wcsstr(program_w, L"\\WindowsApps\\") != NULL;
}

static sbx_status failed(const sbx_process_start *start, const char *op, sbx_error *err)
{
    switch (GetLastError()) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return sbx_fail_last_w(err, SBX_E_NOT_FOUND, op, start->program_w);
    case ERROR_ACCESS_DENIED:
        sbx_fail_last_w(err, SBX_E_NOT_RUNNABLE, op, start->program_w);
        if (start->token && is_packaged(start->program_w))
            sbx_hint(err, "a packaged program starts only as you, not confined; install it outside of the Store");
        return SBX_E_NOT_RUNNABLE;
    case ERROR_BAD_EXE_FORMAT:
    case ERROR_INVALID_EXE_SIGNATURE:
    case ERROR_EXE_MARKED_INVALID:
    case ERROR_EXE_MACHINE_TYPE_MISMATCH:
    case CODE_ELEVATION_REQUIRED:
    case ERROR_CHILD_NOT_COMPLETE:
    case CODE_VIRUS_INFECTED:
    case CODE_VIRUS_DELETED:
    case ERROR_ACCESS_DISABLED_BY_POLICY:
    case CODE_POLICY_VIOLATION:
    case CODE_NO_ACTIVATION_CONTEXT:
        return sbx_fail_last_w(err, SBX_E_NOT_RUNNABLE, op, start->program_w);
    default:
        return sbx_fail_last_w(err, SBX_E_SYSTEM, op, start->program_w);
    }
}

static int limits_interface(HANDLE job)
{
    JOBOBJECT_BASIC_UI_RESTRICTIONS ui = {0};

    return QueryInformationJobObject(job, JobObjectBasicUIRestrictions, &ui, sizeof(ui), NULL) &&
           ui.UIRestrictionsClass;
}

sbx_status sbx_process_enter(const sbx_process *process, void *job, sbx_error *err)
{
    BOOL inside = FALSE;

    if (!IsProcessInJob(process->handle, job, &inside))
        return sbx_fail_last(err, SBX_E_SYSTEM, "IsProcessInJob", NULL);
    if (inside)
        return SBX_OK;
    if (AssignProcessToJobObject(job, process->handle))
        return SBX_OK;
    sbx_fail_last(err, SBX_E_UNENFORCED, "AssignProcessToJobObject", "the command's job");
    if (IsProcessInJob(GetCurrentProcess(), NULL, &inside) && inside)
        sbx_hint(err,
                 "sbx itself runs in a job, and Windows does not put this one inside it; start sbx outside of it%s",
                 limits_interface(job) ? ", or without --no-clipboard" : "");
    return SBX_E_UNENFORCED;
}

/* What the child is given; none is in the list that is a pseudo console's. */
typedef struct given {
    HANDLE handles[3];
    DWORD count;
} given;

static given to_give(const sbx_stdio *stdio)
{
    given list = {{NULL}, 0};
    int i;

    for (i = 0; i < 3; i++)
        if (stdio->handles[i])
            list.handles[list.count++] = stdio->handles[i];
    return list;
}

/* jobs NULL: the job is entered after the start, still before the first instruction. */
static sbx_status fill_list(LPPROC_THREAD_ATTRIBUTE_LIST list, SIZE_T size, given *handles, void *console, HANDLE *jobs,
                            sbx_error *err)
{
    if (!InitializeProcThreadAttributeList(list, ATTRIBUTES, 0, &size))
        return sbx_fail_last(err, SBX_E_SYSTEM, "InitializeProcThreadAttributeList", NULL);
    if ((handles->count && !UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles->handles,
                                                      handles->count * sizeof(*handles->handles), NULL, NULL)) ||
        (console &&
         !UpdateProcThreadAttribute(list, 0, ATTRIBUTE_PSEUDOCONSOLE, console, sizeof(console), NULL, NULL))) {
        sbx_fail_last(err, SBX_E_SYSTEM, "UpdateProcThreadAttribute", "standard handles");
        DeleteProcThreadAttributeList(list);
        return SBX_E_SYSTEM;
    }
    if (jobs)
        UpdateProcThreadAttribute(list, 0, ATTRIBUTE_JOB_LIST, jobs, sizeof(*jobs), NULL, NULL);
    return SBX_OK;
}

/* What the child is to be protected with: as what it makes itself.  Said, for others found that process and first thread get
 * the default DACL of who starts them, and then a program could not open its own thread (profilers do). */
typedef struct protection {
    SECURITY_DESCRIPTOR descriptor;
    SECURITY_ATTRIBUTES attributes;
    TOKEN_DEFAULT_DACL *dacl;
} protection;

static sbx_status protect(void *token, protection *child, sbx_error *err)
{
    DWORD size = 0;

    GetTokenInformation(token, TokenDefaultDacl, NULL, 0, &size);
    child->dacl = sbx_alloc_zero(1, size + sizeof(*child->dacl));
    if (!child->dacl)
        return sbx_fail_memory(err);
    if (!GetTokenInformation(token, TokenDefaultDacl, child->dacl, size, &size) ||
        !InitializeSecurityDescriptor(&child->descriptor, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&child->descriptor, TRUE, child->dacl->DefaultDacl, FALSE))
        return sbx_fail_last(err, SBX_E_SYSTEM, "GetTokenInformation", "default DACL");
    child->attributes.nLength = sizeof(child->attributes);
    /* none at all would admit everybody */
    child->attributes.lpSecurityDescriptor = child->dacl->DefaultDacl ? &child->descriptor : NULL;
    return SBX_OK;
}

static BOOL create(const sbx_process_start *start, protection *child, BOOL inherit, WCHAR *command_w, DWORD flags,
                   STARTUPINFOEXW *si, PROCESS_INFORMATION *pi)
{
    void *environment = (void *)(uintptr_t)start->environment_w;

    if (start->token)
        return CreateProcessAsUserW(start->token, start->program_w, command_w, &child->attributes, &child->attributes,
                                    inherit, flags, environment, start->cwd_w, &si->StartupInfo, pi);
    return CreateProcessW(start->program_w, command_w, NULL, NULL, inherit, flags, environment, start->cwd_w,
                          &si->StartupInfo, pi);
}

sbx_status sbx_process_spawn(sbx_process *process, const sbx_process_start *start, sbx_error *err)
{
    STARTUPINFOEXW si;
    PROCESS_INFORMATION pi = {0};
    HANDLE jobs[1];
    SIZE_T size = 0;
    DWORD flags = CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT;
    WCHAR *command_w = NULL, *desktop_w = NULL;
    protection child = {0};
    given handles = to_give(start->stdio);
    size_t units = wcslen(start->command_w) + 1;
    int have_list = 0;
    BOOL ok;
    sbx_status st = SBX_OK;

    memset(&si, 0, sizeof(si));
    if (start->cwd_w && (st = sbx_process_check_cwd(start->cwd_w, err)) != SBX_OK)
        return st;
    InitializeProcThreadAttributeList(NULL, ATTRIBUTES, 0, &size);
    si.lpAttributeList = sbx_alloc(size);
    command_w = sbx_alloc(units * sizeof(*command_w)); /* CreateProcessW writes into it */
    if (start->desktop_w)
        desktop_w = sbx_alloc((wcslen(start->desktop_w) + 1) * sizeof(*desktop_w));
    if (!si.lpAttributeList || !command_w || (start->desktop_w && !desktop_w)) {
        st = sbx_fail_memory(err);
        goto out;
    }
    memcpy(command_w, start->command_w, units * sizeof(*command_w));
    if (desktop_w)
        memcpy(desktop_w, start->desktop_w, (wcslen(start->desktop_w) + 1) * sizeof(*desktop_w));
    jobs[0] = start->job;
    if (start->token && (st = protect(start->token, &child, err)) != SBX_OK)
        goto out;
    st = fill_list(si.lpAttributeList, size, &handles, start->console, jobs, err);
    if (st != SBX_OK)
        goto out;
    have_list = 1;

    si.StartupInfo.cb = sizeof(si);
    si.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    si.StartupInfo.hStdInput = start->stdio->handles[0];
    si.StartupInfo.hStdOutput = start->stdio->handles[1];
    si.StartupInfo.hStdError = start->stdio->handles[2];
    si.StartupInfo.lpDesktop = desktop_w;
    si.StartupInfo.lpTitle = (WCHAR *)(uintptr_t)start->title_w;
    /* none to share; with none at all, each program that cmd starts would open a window of its own */
    if (!start->console && !sbx_console_exists())
        flags |= CREATE_NO_WINDOW;
    ok = create(start, &child, handles.count != 0, command_w, flags, &si, &pi);
    if (!ok && (GetLastError() == ERROR_ACCESS_DENIED || GetLastError() == ERROR_NOT_SUPPORTED)) {
        /* the program or the job?  Without the job only the program is left to blame.  MSDN "Nested Jobs": not every job
         * that sbx may be in takes another one inside. */
        DeleteProcThreadAttributeList(si.lpAttributeList);
        have_list = 0;
        if ((st = fill_list(si.lpAttributeList, size, &handles, start->console, NULL, err)) != SBX_OK)
            goto out;
        have_list = 1;
        memcpy(command_w, start->command_w, units * sizeof(*command_w));
        ok = create(start, &child, handles.count != 0, command_w, flags, &si, &pi);
    }
    if (!ok) {
        st = failed(start, start->token ? "CreateProcessAsUserW" : "CreateProcessW", err);
        goto out;
    }
    process->handle = pi.hProcess;
    process->thread = pi.hThread;
    process->id = pi.dwProcessId;
    st = sbx_process_enter(process, start->job, err);
    if (st != SBX_OK)
        sbx_process_discard(process);
out:
    if (have_list)
        DeleteProcThreadAttributeList(si.lpAttributeList);
    sbx_free(si.lpAttributeList);
    sbx_free(child.dacl);
    sbx_free(desktop_w);
    sbx_free(command_w);
    return st;
}

sbx_status sbx_process_resume(sbx_process *process, sbx_error *err)
{
    if (ResumeThread(process->thread) == (DWORD)-1)
        return sbx_fail_last(err, SBX_E_SYSTEM, "ResumeThread", NULL);
    sbx_handle_close(&process->thread);
    return SBX_OK;
}

void sbx_process_discard(sbx_process *process)
{
    if (process->handle) {
        TerminateProcess(process->handle, 125);
        WaitForSingleObject(process->handle, 5000);
    }
    sbx_process_close(process);
}

void sbx_process_close(sbx_process *process)
{
    sbx_handle_close(&process->thread);
    sbx_handle_close(&process->handle);
    process->id = 0;
}
