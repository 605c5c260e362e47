/* What the file system makes of descriptors that it is given, and of renames. */
#include "first_hour.h"
#include <aclapi.h>
#include <sddl.h>
#include <string.h>
#include <winternl.h>

#define RENAME 10 /* FileRenameInformation */

static const char *flags_of(HANDLE file)
{
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision;

    GetSecurityDescriptorControl(get_descriptor(file), &control, &revision);
    return text("0x%x", control);
}

static PACL dacl_of(HANDLE file)
{
    BOOL present, defaulted;
    PACL acl = NULL;

    GetSecurityDescriptorDacl(get_descriptor(file), &present, &acl, &defaulted);
    return acl;
}

/* The creator gives a DACL of one allow ACE, not protected, in a folder that passes an ACE of Everyone on. */
static void ask_new_object(const wchar_t *dir_w)
{
    wchar_t *parent_w = below(dir_w, L"passes-on");
    SECURITY_ATTRIBUTES given = {sizeof(given), descriptor("D:(A;;FA;;;%s)"), FALSE};
    HANDLE file;
    char *sddl;

    CreateDirectoryW(parent_w, NULL);
    set_dacl(parent_w, "D:PAI(A;OICI;FA;;;%s)(A;OICI;FR;;;WD)");
    file = CreateFileW(below(parent_w, L"file"), GENERIC_READ | READ_CONTROL, 0, &given, CREATE_NEW, 0, NULL);
    file = file == INVALID_HANDLE_VALUE ? NULL : file;
    sddl = get_sddl(file);
    tell("new-object", "a file with a DACL of its creator",
         strstr(sddl, ";WD)") ? "new-object-dacl=merge" : "new-object-dacl=exact", "%s",
         file != NULL ? sddl : outcome(FALSE));
    close(file);
    CreateDirectoryW(below(parent_w, L"folder"), &given);
    file = open_for(below(parent_w, L"folder"), READ_CONTROL, OPEN_EXISTING, 0);
    tell("new-object", "a folder with a DACL of its creator", "", "%s", get_sddl(file));
    close(file);
    make_file(below(parent_w, L"plain"));
    file = open_for(below(parent_w, L"plain"), READ_CONTROL, OPEN_EXISTING, 0);
    tell("new-object", "a file without one, parent auto-inherited", "", "%s", get_sddl(file));
    close(file);
    set_dacl(parent_w, "D:P(A;OICI;FA;;;%s)(A;OICI;FR;;;WD)");
    make_file(below(parent_w, L"plain2"));
    file = open_for(below(parent_w, L"plain2"), READ_CONTROL, OPEN_EXISTING, 0);
    tell("new-object", "a file without one, parent not auto-inherited", "", "%s", get_sddl(file));
    close(file);
}

/* Twice the same ACE, a generic right, and room behind the last ACE. */
static void ask_set_dacl(const wchar_t *dir_w)
{
    union {
        ACL acl;
        unsigned char bytes[1024];
    } given;
    PSID user = NULL, everyone = NULL;
    SECURITY_DESCRIPTOR sd;
    HANDLE file;
    PACL kept;
    BOOL ok;

    memset(&given, 0, sizeof(given));
    make_file(below(dir_w, L"normal"));
    file = open_for(below(dir_w, L"normal"), READ_CONTROL | WRITE_DAC, OPEN_EXISTING, 0);
    ok = file != NULL && ConvertStringSidToSidA(user_sid(), &user) && ConvertStringSidToSidA("S-1-1-0", &everyone) &&
         InitializeAcl(&given.acl, sizeof(given), ACL_REVISION) &&
         AddAccessAllowedAce(&given.acl, ACL_REVISION, FILE_ALL_ACCESS, user) &&
         AddAccessAllowedAce(&given.acl, ACL_REVISION, FILE_ALL_ACCESS, user) &&
         AddAccessAllowedAce(&given.acl, ACL_REVISION, GENERIC_READ, everyone) &&
         InitializeSecurityDescriptor(&sd, SECURITY_DESCRIPTOR_REVISION) &&
         SetSecurityDescriptorDacl(&sd, TRUE, &given.acl, TRUE) &&
         SetKernelObjectSecurity(file, DACL_SECURITY_INFORMATION, &sd);
    kept = dacl_of(file);
    if (!ok || kept == NULL)
        tell("set-dacl", "slack, a duplicate, a generic right, defaulted", "", "%s", outcome(FALSE));
    else
        tell("set-dacl", "3 ACEs in 1024 bytes: a duplicate, a generic right; defaulted",
             kept->AceCount == 3 ? "set-dacl=keep" : "set-dacl=normalise", "%u ACEs in %u bytes, control %s, %s",
             kept->AceCount, kept->AclSize, flags_of(file), get_sddl(file));
    close(file);
}

static const char *set_with(HANDLE file, SECURITY_DESCRIPTOR_CONTROL bits)
{
    PSECURITY_DESCRIPTOR from = descriptor("D:(A;;FA;;;%s)");
    SECURITY_DESCRIPTOR sd;
    BOOL present, defaulted;
    PACL acl = NULL;

    if (!GetSecurityDescriptorDacl(from, &present, &acl, &defaulted) ||
        !InitializeSecurityDescriptor(&sd, SECURITY_DESCRIPTOR_REVISION) ||
        !SetSecurityDescriptorDacl(&sd, TRUE, acl, FALSE) || !SetSecurityDescriptorControl(&sd, bits, bits) ||
        !SetKernelObjectSecurity(file, DACL_SECURITY_INFORMATION, &sd))
        return outcome(FALSE);
    return flags_of(file);
}

static void ask_control(const wchar_t *dir_w)
{
    HANDLE folder;
    const char *alone, *asked;

    CreateDirectoryW(below(dir_w, L"control"), NULL);
    folder = open_for(below(dir_w, L"control"), READ_CONTROL | WRITE_DAC, OPEN_EXISTING, 0);
    alone = set_with(folder, SE_DACL_AUTO_INHERITED);
    asked = set_with(folder, SE_DACL_AUTO_INHERITED | SE_DACL_AUTO_INHERIT_REQ);
    tell("control", "AUTO_INHERITED set without and with AUTO_INHERIT_REQ",
         strtoul(alone, NULL, 0) & SE_DACL_AUTO_INHERITED ? "tree-dacl=given" : "tree-dacl=request", "%s, %s", alone,
         asked);
    close(folder);
}

typedef struct rename_information {
    BOOLEAN replace;
    HANDLE root;
    ULONG name_bytes;
    WCHAR name_w[16];
} rename_information;

/* To a simple name: one in the file's own folder, or in that of `root`. */
static const char *rename_to(const wchar_t *path_w, HANDLE root, const wchar_t *name_w)
{
    rename_information info = {.replace = TRUE, .root = root};
    IO_STATUS_BLOCK io;
    HANDLE file = open_for(path_w, DELETE | SYNCHRONIZE, OPEN_EXISTING, 0);
    NTSTATUS status;

    if (file == NULL)
        return outcome(FALSE);
    wcscpy(info.name_w, name_w);
    info.name_bytes = (ULONG)(wcslen(name_w) * sizeof(WCHAR));
    status = NtSetInformationFile(file, &io, &info, sizeof(info), (FILE_INFORMATION_CLASS)RENAME);
    close(file);
    return status >= 0 ? "ok" : text("status 0x%08lx", status);
}

static const char *reading_of(const char *renamed)
{
    if (strcmp(renamed, "ok") == 0)
        return "rename-in-place=free";
    return strcmp(renamed, "status 0xc0000022") == 0 ? "rename-in-place=asked" : "";
}

/* In a folder where the user may list, and neither add nor delete, files that he may do everything with. */
static void ask_rename(const wchar_t *dir_w)
{
    static const wchar_t *const names_w[] = {L"a", L"b", L"c", L"over"};
    wchar_t folder_w[LONGEST];
    const char *renamed;
    HANDLE folder;
    BOOL added;
    size_t i;

    wcscpy(folder_w, below(dir_w, L"closed"));
    CreateDirectoryW(folder_w, NULL);
    for (i = 0; i < sizeof(names_w) / sizeof(names_w[0]); i++) {
        make_file(below(folder_w, names_w[i]));
        set_dacl(below(folder_w, names_w[i]), "D:P(A;;FA;;;%s)");
    }
    set_dacl(folder_w, "D:P(A;;0x1600a9;;;%s)"); /* list, traverse, attributes, synchronise, read and write the DACL */
    added = make_file(below(folder_w, L"new"));
    tell("rename", "control: a new file in a closed folder", "", "%s", outcome(added));
    renamed = rename_to(below(folder_w, L"a"), NULL, L"a2");
    tell("rename", "to a simple name, in a closed folder", added ? "" : reading_of(renamed), "%s", renamed);
    renamed = rename_to(below(folder_w, exists(below(folder_w, L"a")) ? L"a" : L"a2"), NULL, L"over");
    tell("rename", "to a simple name that is taken", "", "%s", renamed);
    folder = open_for(folder_w, FILE_TRAVERSE | SYNCHRONIZE, OPEN_EXISTING, 0);
    renamed = rename_to(below(folder_w, L"b"), folder, L"b2");
    close(folder);
    tell("rename", "to a name in the same folder, by its handle", "", "%s", renamed);
    added = MoveFileExW(below(folder_w, L"c"), below(folder_w, L"c2"), MOVEFILE_REPLACE_EXISTING);
    tell("rename", "by MoveFileEx, in a closed folder", "", "%s", outcome(added));
}

void ask_files(const wchar_t *dir_w)
{
    ask_new_object(dir_w);
    ask_set_dacl(dir_w);
    ask_control(dir_w);
    ask_rename(dir_w);
}
