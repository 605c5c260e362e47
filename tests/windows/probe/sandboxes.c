/* sbx itself, tried from outside; what became of the files is looked at from here. */
#include "first_hour.h"
#include <aclapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static const wchar_t *sbx_w;

/* SBX --quiet --backend BACKEND --workspace WORKSPACE OPTIONS -- SELF ARGUMENTS; good until the next call */
static const wchar_t *command(const wchar_t *backend_w, const wchar_t *workspace_w, const wchar_t *options_w,
                              const wchar_t *arguments_w)
{
    static wchar_t line_w[8 * LONGEST];

    swprintf(line_w, 8 * LONGEST, L"\"%ls\" --quiet --backend %ls --workspace \"%ls\" %ls -- \"%ls\" %ls", sbx_w,
             backend_w, workspace_w, options_w, self(), arguments_w);
    return line_w;
}

static DWORD clean(const wchar_t *workspace_w)
{
    wchar_t line_w[2 * LONGEST + 16];

    swprintf(line_w, 2 * LONGEST + 16, L"\"%ls\" --quiet clean \"%ls\"", sbx_w, workspace_w);
    return run_silent(line_w, 0);
}

static wchar_t *make_folder(const wchar_t *dir_w, const wchar_t *name_w)
{
    wchar_t *path_w = below(dir_w, name_w);

    CreateDirectoryW(path_w, NULL);
    return path_w;
}

/* The entries of a folder: "NAME NAME", with each one's descriptor if wanted. */
static const char *entries(const wchar_t *dir_w, BOOL in_full)
{
    static char list[3000];
    WIN32_FIND_DATAW entry;
    HANDLE find = FindFirstFileW(below(dir_w, L"*"), &entry), file;
    size_t used = 0;
    int add;

    list[0] = 0;
    if (find == INVALID_HANDLE_VALUE)
        return outcome(FALSE);
    do {
        if (wcscmp(entry.cFileName, L".") == 0 || wcscmp(entry.cFileName, L"..") == 0)
            continue;
        file = in_full ? open_for(below(dir_w, entry.cFileName), READ_CONTROL, OPEN_EXISTING, 0) : NULL;
        add = snprintf(list + used, sizeof(list) - used, "%s%ls%s%s", used != 0 ? " " : "", entry.cFileName,
                       in_full ? " " : "", in_full ? file != NULL ? get_sddl(file) : outcome(FALSE) : "");
        close(file);
        used += add > 0 && (size_t)add < sizeof(list) - used ? (size_t)add : 0;
    } while (FindNextFileW(find, &entry));
    FindClose(find);
    return used != 0 ? list : "nothing";
}

/* Placeholders: what the next run makes of those that the last one left. */
static void placeholders(const wchar_t *dir_w)
{
    const wchar_t *ws_w = make_folder(dir_w, L"empty");
    DWORD first, second, code;
    const char *left;
    running third;

    world = "unelevated";
    first = run(command(L"unelevated", ws_w, L"", L"exit 7"), 0);
    tell("U0", "a run in an empty folder, and what is left there", "", "exit %lu, %s", first, entries(ws_w, FALSE));
    second = run(command(L"unelevated", ws_w, L"", L"exit 7"), 0);
    left = entries(ws_w, FALSE);
    tell("U0", "the same again", first == 7 && second == 7 && strcmp(left, "nothing") == 0 ? "works" : "BROKEN",
         "exit %lu, %s", second, left);
    if (start(command(L"unelevated", ws_w, L"", L"hold"), &third)) {
        tell("U0", "while a third one runs", "", "%s", entries(ws_w, TRUE));
        finish(&third);
    } else {
        tell("U0", "a third run", "BROKEN", "did not start");
    }
    code = clean(ws_w);
    left = entries(ws_w, FALSE);
    tell("U0", "sbx clean", code == 0 && strcmp(left, "nothing") == 0 ? "works" : "BROKEN", "exit %lu, %s", code, left);
}

/* One sandbox against another, and against this process. */
static void take_over(const wchar_t *dir_w)
{
    const wchar_t *a_w = make_folder(dir_w, L"a"), *b_w = make_folder(dir_w, L"b");
    wchar_t arguments_w[2 * LONGEST];
    running other;

    world = "here";
    take(GetCurrentProcessId(), b_w); /* control: with the rights of this process */
    world = "unelevated";
    if (!start(command(L"unelevated", a_w, L"", L"hold"), &other)) {
        tell("U1", "a sandbox that stays", "BROKEN", "did not start");
        return;
    }
    swprintf(arguments_w, 2 * LONGEST, L"take unelevated %lu \"%ls\"", other.id, a_w);
    run(command(L"unelevated", b_w, L"", arguments_w), 0);
    finish(&other);
    swprintf(arguments_w, 2 * LONGEST, L"take unelevated %lu \"%ls\"", GetCurrentProcessId(), below(dir_w, L"outside"));
    run(command(L"unelevated", b_w, L"", arguments_w), 0);
    clean(a_w);
    clean(b_w);
}

static void fill(const wchar_t *dir_w)
{
    static const wchar_t *const files_w[] = {L"outside\\keep", L"outside\\delete", L"outside\\move", L"outside\\rename",
                                             L"outside\\over", L"outside\\linked", L"ws\\over"};
    size_t i;

    remove_tree(below(dir_w, L"outside"));
    remove_tree(below(dir_w, L"ws"));
    make_folder(dir_w, L"outside");
    make_folder(dir_w, L"ws");
    make_folder(dir_w, L"outside\\folder");
    for (i = 0; i < sizeof(files_w) / sizeof(files_w[0]); i++)
        make_file(below(dir_w, files_w[i]));
}

/* What a command does, under one backend; L"" is no sandbox. */
static void inside_of(const wchar_t *dir_w, const wchar_t *backend_w, int argc, wchar_t **argv)
{
    wchar_t inside_w[2 * LONGEST], volumes_w[16 * LONGEST], line_w[20 * LONGEST];
    const wchar_t *name_w = backend_w[0] != 0 ? backend_w : L"here";
    const wchar_t *const ask_w[] = {inside_w, volumes_w};
    static char name[32];
    DWORD code;
    int i;

    fill(dir_w);
    snprintf(name, sizeof(name), "%ls", name_w);
    world = name;
    swprintf(inside_w, 2 * LONGEST, L"inside %ls \"%ls\"", name_w, dir_w);
    swprintf(volumes_w, 2 * LONGEST, L"volumes %ls \"%ls\"", name_w, below(dir_w, L"outside"));
    for (i = 0; i < argc && i < 12 && wcslen(argv[i]) < LONGEST - 8; i++) {
        const size_t length = wcslen(argv[i]);

        /* a backslash at the end would take the quote with it */
        swprintf(volumes_w + wcslen(volumes_w), LONGEST, L" \"%ls%ls\"", argv[i],
                 length != 0 && argv[i][length - 1] == L'\\' ? L"\\" : L"");
    }
    for (i = 0; i < 2; i++) {
        if (backend_w[0] != 0) {
            code = run(command(backend_w, below(dir_w, L"ws"), L"", ask_w[i]), 0);
        } else {
            swprintf(line_w, 20 * LONGEST, L"\"%ls\" %ls", self(), ask_w[i]);
            code = run(line_w, 0);
        }
        if (code != 0)
            tell(i == 0 ? "inside" : "U2", "run the probes", "BROKEN", "exit 0x%lx", code);
    }
    tell("delete", "seen from outside: what is left of keep delete move rename over linked folder", "", "%s",
         entries(below(dir_w, L"outside"), FALSE));
}

/* A link that the command made in its root; somebody passes the root's access rights on; the command writes again. */
static void links(const wchar_t *dir_w)
{
    wchar_t link_w[LONGEST], arguments_w[LONGEST + 16];
    ACL none;
    DWORD error, code;

    wcscpy(link_w, below(below(dir_w, L"ws"), L"link"));
    if (!exists(link_w))
        tell("U10", "a hard link in the root", "", "the command could not make it; made from outside: %s",
             outcome(CreateHardLinkW(link_w, below(dir_w, L"outside\\linked"), NULL)));
    swprintf(arguments_w, LONGEST + 16, L"write \"%ls\"", link_w);
    code = run(command(L"unelevated", below(dir_w, L"ws"), L"", arguments_w), 0);
    tell("U10", "write through the link", "", "exit %lu, the file outside is %s", code,
         is_mine(below(dir_w, L"outside\\linked")) ? "as it was" : "CHANGED");
    InitializeAcl(&none, sizeof(none), ACL_REVISION);
    error =
        SetNamedSecurityInfoW(link_w, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION | UNPROTECTED_DACL_SECURITY_INFORMATION,
                              NULL, NULL, &none, NULL);
    code = run(command(L"unelevated", below(dir_w, L"ws"), L"", arguments_w), 0);
    tell("U10", "the same after the link got the root's rights, as by icacls /reset", "",
         "reset %lu, exit %lu, the file outside is %s", error, code,
         is_mine(below(dir_w, L"outside\\linked")) ? "as it was" : "CHANGED");
}

/* Descriptors as old programs left them, in a root. */
static void odd_descriptors(const wchar_t *dir_w)
{
    const wchar_t *ws_w = make_folder(dir_w, L"odd");
    union {
        ACL acl;
        unsigned char bytes[1024];
    } slack;
    PSECURITY_DESCRIPTOR from = descriptor("D:(A;OICI;FA;;;%s)(A;OICI;FA;;;%s)");
    SECURITY_DESCRIPTOR sd;
    BOOL present, defaulted, ok;
    HANDLE file;
    PACL acl;
    DWORD code;

    memset(&slack, 0, sizeof(slack));
    make_folder(ws_w, L"slack");
    make_file(below(ws_w, L"slack\\file"));
    make_folder(ws_w, L"not-inherited");
    make_file(below(ws_w, L"duplicates"));
    ok = GetSecurityDescriptorDacl(from, &present, &acl, &defaulted) &&
         InitializeSecurityDescriptor(&sd, SECURITY_DESCRIPTOR_REVISION);
    if (ok) {
        memcpy(&slack, acl, acl->AclSize);
        slack.acl.AclSize = sizeof(slack);
        ok = SetSecurityDescriptorDacl(&sd, TRUE, &slack.acl, TRUE) &&
             (file = open_for(below(ws_w, L"slack"), WRITE_DAC, OPEN_EXISTING, 0)) != NULL &&
             SetKernelObjectSecurity(file, DACL_SECURITY_INFORMATION, &sd) && close(file);
    }
    ok = ok && set_dacl(below(ws_w, L"duplicates"), "D:(A;;FA;;;%s)(A;;FA;;;%s)") &&
         set_dacl(below(ws_w, L"not-inherited"), "D:(A;OICI;FA;;;%s)");
    world = "unelevated";
    code = run(command(L"unelevated", ws_w, L"", L"exit 7"), 0);
    tell("U8", "a root with slack and DEFAULTED, duplicates, a folder without AUTO_INHERITED",
         ok && code == 7 ? "works" : "BROKEN", "made: %s, exit %lu", outcome(ok), code);
    code = run(command(L"unelevated", ws_w, L"", L"exit 7"), 0);
    tell("U8", "the same again", code == 7 ? "works" : "BROKEN", "exit %lu", code);
    clean(ws_w);
}

static void memory_and_consoles(const wchar_t *dir_w)
{
    const wchar_t *ws_w = make_folder(dir_w, L"measured");
    wchar_t report_w[LONGEST], option_w[LONGEST + 16];
    static char bytes[65536];
    const char *found;
    HANDLE file;
    DWORD got = 0, code;

    world = "unelevated";
    wcscpy(report_w, below(dir_w, L"report.json"));
    swprintf(option_w, LONGEST + 16, L"--report \"%ls\"", report_w);
    code = run(command(L"unelevated", ws_w, option_w, L"memory 64"), 0);
    file = open_for(report_w, GENERIC_READ, OPEN_EXISTING, 0);
    if (file != NULL)
        ReadFile(file, bytes, sizeof(bytes) - 1, &got, NULL);
    close(file);
    found = strstr(bytes, "\"peak_memory_bytes\"");
    tell("U9", "a command that uses 64 MiB, without --memory", "", "exit %lu, %.40s", code,
         found != NULL ? text("%.*s", (int)strcspn(found, ",\r\n}"), found) : "not reported");
    code = run(command(L"unelevated", ws_w, L"--processes 2", L"child none"), 0);
    tell("U9", "--processes 2, and a child without a console", "", "exit 0x%lx", code);
    code = run(command(L"unelevated", ws_w, L"--processes 2", L"child new"), 0);
    tell("U9", "--processes 2, and a child with a console of its own", "", "exit 0x%lx", code);
    code = run(command(L"unelevated", ws_w, L"--desktop user", L"exit 7"), 0);
    tell("U6", "--desktop user", "", "exit 0x%lx", code);
    code = run(command(L"unelevated", ws_w, L"--desktop private", L"exit 7"), 0);
    tell("U6", "--desktop private", "", "exit 0x%lx", code);
    clean(ws_w);
}

int try_sandboxes(const wchar_t *program_w, const wchar_t *dir_w, int argc, wchar_t **argv)
{
    sbx_w = program_w;
    placeholders(dir_w);
    inside_of(dir_w, L"", argc, argv);
    inside_of(dir_w, L"none", argc, argv);
    inside_of(dir_w, L"unelevated", argc, argv);
    links(dir_w);
    take_over(dir_w);
    odd_descriptors(dir_w);
    memory_and_consoles(dir_w);
    clean(below(dir_w, L"ws"));
    world = "here";
    return 0;
}
