/*
 * The command line of sbx.exe from outside: which word is what, and the words of every mistake.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <windows.h>
#include <stdio.h>
#include <string.h>

#include <cJSON.h>

#include "base/memory.h"
#include "plugin/plugin.h"
#include "plugin/start.h"
#include "run.h"
#include "win/dirs.h"
#include "win/error.h"
#include "win/file.h"

#define NOT_OPTION "\n  hint: see `sbx help run`; the command's own options go behind \"--\"\n"
#define NONE_SAYS "sbx: nothing is confined: files, network and desktop are as open as for you\n"

static void test_help(void **state)
{
    (void)state;
    sbx_assert_run_has("sbx.exe\"", 0, "\nVerbs:\n");
    sbx_assert_run_has("sbx.exe\" --help", 0, "\nVerbs:\n");
    sbx_assert_run_has("sbx.exe\" -h run", 0, "--report FILE");
    sbx_assert_run_has("sbx.exe\" run --help", 0, "--network");
    sbx_assert_run_has("sbx.exe\" clean -h", 0, "--stale");
    sbx_assert_run_has("sbx.exe\" /?", 0, "\nVerbs:\n");
    sbx_assert_run_has("sbx.exe\" clean /?", 0, "--stale");
    sbx_assert_run_has("sbx.exe\" help config", 0, "sbx config show --profile ci");
    /* each state that there is, and what the exit code of undoing says */
    sbx_assert_run_has("sbx.exe\" help status", 0, "\n  active ");
    sbx_assert_run_has("sbx.exe\" help status", 0, "\n  kept ");
    sbx_assert_run_has("sbx.exe\" help status", 0, "\n  stale ");
    sbx_assert_run_has("sbx.exe\" help clean", 0, "Exit code: 0 ");
    sbx_assert_run("sbx.exe\" --version", 0, "sbx " SBX_VERSION " (backend interface 2.1)\n");
    sbx_assert_run("sbx.exe\" version", 0, "sbx " SBX_VERSION " (backend interface 2.1)\n");
    sbx_assert_run("sbx.exe\" help runn", 125, "sbx: runn: unknown verb\n  hint: did you mean `sbx run`?\n");
}

/* An option of a list adds to what a file or the default has; who reads only the help has to know. */
static void test_help_of_lists(void **state)
{
    static const char *const lists[] = {"--require AREA,...", "--loopback PORTS,...", "--writable DIR",
                                        "--protect PATH",     "--deny-read PATH",     "--pass NAME,...",
                                        "--env NAME=VALUE",   "--unset NAME,...",     "--tools NAME,..."};
    static const char *const others[] = {"--read-only", "--network off|on", "--time DURATION"};
    sbx_text output = {0};
    const char *at, *end;
    char *told, copy[1024];
    size_t i;

    (void)state;
    assert_int_equal(sbx_run("sbx.exe\" help run", NULL, 0, &output), 0);
    for (i = 0; i < sizeof(lists) / sizeof(lists[0]) + sizeof(others) / sizeof(others[0]); i++) {
        const int list = i < sizeof(lists) / sizeof(lists[0]);
        const char *name = list ? lists[i] : others[i - sizeof(lists) / sizeof(lists[0])];

        at = strstr(output.data, name);
        assert_non_null(at);
        end = strstr(at, "\n  -"); /* the next option */
        end = end && (!strstr(at, "\n      -") || end < strstr(at, "\n      -")) ? end : strstr(at, "\n      -");
        assert_non_null(end);
        snprintf(copy, sizeof(copy), "%.*s", (int)(end - at), at);
        told = strstr(copy, "adds to what");
        if (list != (told != NULL))
            fail_msg("%s", copy);
    }
    assert_non_null(strstr(output.data, "--pass= --pass NAME"));
    /* in groups, with what is taken otherwise */
    assert_non_null(strstr(output.data, "off, on [off]\n"));
    assert_non_null(strstr(output.data, "\n\nlimits: what it may use up"));
    assert_non_null(strstr(output.data, " [10m]\n"));
    sbx_text_fini(&output);
}

/* Nothing that sbx prints about itself needs a window wider than this. */
static void test_width(void **state)
{
    static const char *const lines[] = {
        "sbx.exe\" help",         "sbx.exe\" help run",      "sbx.exe\" help plan",
        "sbx.exe\" help config",  "sbx.exe\" help clean",    "sbx.exe\" help setup",
        "sbx.exe\" help status",  "sbx.exe\" help backends", "sbx.exe\" config reference",
        "sbx.exe\" plan -b none", "sbx.exe\" help explain"};
    sbx_text output = {0};
    const char *line;
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(sbx_run(lines[i], NULL, 0, &output), 0);
        for (line = output.data; *line; line += strcspn(line, "\n") + 1)
            if (strcspn(line, "\r\n") > 100)
                fail_msg("%s: %.*s", lines[i], (int)strcspn(line, "\r\n"), line);
        sbx_text_fini(&output);
    }
}

static void test_mistakes(void **state)
{
    (void)state;
    sbx_assert_run("sbx.exe\" run", 125, "sbx: no command\n  hint: sbx [OPTIONS] -- COMMAND; see `sbx help run`\n");
    sbx_assert_run("sbx.exe\" --nettwork off -- cmd", 125,
                   "sbx: --nettwork: unknown option\n  hint: did you mean \"--network\"?\n");
    /* the begin of one alone is that one, however far the rest of it is */
    sbx_assert_run("sbx.exe\" --net on -- cmd", 125,
                   "sbx: --net: unknown option\n  hint: did you mean \"--network\"?\n");
    sbx_assert_run("sbx.exe\" --read -- cmd", 125,
                   "sbx: --read: unknown option\n  hint: did you mean \"--read-only\"?\n");
    sbx_assert_run_has("sbx.exe\" --pr lab -- cmd", 125, "sbx: --pr: unknown option\n");
    sbx_assert_run("sbx.exe\" --zzz -- cmd", 125, "sbx: --zzz: unknown option" NOT_OPTION);
    sbx_assert_run("sbx.exe\" --backend", 125, "sbx: --backend: an argument is missing" NOT_OPTION);
    sbx_assert_run("sbx.exe\" --backend -- cmd", 125, "sbx: --backend: an argument is missing" NOT_OPTION);
    sbx_assert_run("sbx.exe\" -w \"\" -- cmd", 125,
                   "sbx: -w: its argument is empty\n  hint: to drop what is configured write --writable=\n");
    sbx_assert_run("sbx.exe\" -b none -q --writable= -- cmd /d /c exit 3", 3, "");
    sbx_assert_run("sbx.exe\" -b none -W ~ -- cmd", 125,
                   "sbx: --workspace: \"~\" is not replaced here\n  hint: write ${USERPROFILE}\n");
    sbx_assert_run("sbx.exe\" -b none -w %TEMP%\\x -- cmd", 125,
                   "sbx: --writable: \"%TEMP%\" is not replaced here\n  hint: write ${env:TEMP}\n");
    sbx_assert_run("sbx.exe\" --quiet=1 -- cmd", 125, "sbx: --quiet: it takes no argument" NOT_OPTION);
    sbx_assert_run("sbx.exe\" --config a --config b -- cmd", 125, "sbx: --config: given twice" NOT_OPTION);
    sbx_assert_run("sbx.exe\" --json -- cmd", 125, "sbx: --json: run does not take it" NOT_OPTION);
    sbx_assert_run("sbx.exe\" backends --network on", 125,
                   "sbx: --network: backends does not take it\n  hint: see `sbx help backends`\n");
    sbx_assert_run("sbx.exe\" status -- cmd", 125,
                   "sbx: -- COMMAND: status does not take it\n  hint: see `sbx help status`\n");
    sbx_assert_run("sbx.exe\" clean --all --stale", 125,
                   "sbx: clean: more than one of ROOT, --all, --stale, --homes\n  hint: see `sbx help clean`\n");
    sbx_assert_run("sbx.exe\" clean \"\"", 125,
                   "sbx: clean: the name of ROOT is empty\n"
                   "  hint: `sbx clean .` is the current folder; see `sbx help clean`\n");
    sbx_assert_run("sbx.exe\" completion bash", 125,
                   "sbx: bash: for which shell?\n  hint: sbx completion powershell\n");
    sbx_assert_run("sbx.exe\" serve", 125,
                   "sbx: serve: unknown verb\n"
                   "  hint: `sbx help` lists the verbs; a program of that name: sbx -- serve\n");
}

#define SWALLOWED(object, dir)                                                                                         \
    "sbx: " object ": a quote is part of its argument\n  hint: a backslash before a closing quote makes it part of "   \
    "the text; write \"" dir "\" or \"" dir "\\\\\"\n"

/* As cmd and PowerShell pass it on: the rest of the line is in the argument. */
static void test_quotes(void **state)
{
    (void)state;
    sbx_assert_run("sbx.exe\" -b none -w \"C:\\sub dir\\\" -- cmd /c ver", 125, SWALLOWED("-w", "C:\\sub dir"));
    sbx_assert_run("sbx.exe\" --workspace=\"C:\\d\\\" -- cmd /c ver", 125, SWALLOWED("--workspace", "C:\\d"));
    sbx_assert_run("sbx.exe\" --report \"C:\\d\\\" -- cmd /c ver", 125, SWALLOWED("--report", "C:\\d"));
    sbx_assert_run("sbx.exe\" clean \"C:\\d\\\"", 125, SWALLOWED("clean", "C:\\d"));
    sbx_assert_run("sbx.exe\" -e \"A=C:\\d\\\" -- cmd /c ver", 125, SWALLOWED("--env", "A=C:\\d"));
    sbx_assert_run("sbx.exe\" -b none -q -e A=\\\"x -- cmd /d /c exit 4", 4, ""); /* with a command it is a text */
}

/* A folder inside the workspace has to be there as any other, whatever the backend. */
static void test_parts(void **state)
{
    sbx_text output = {0};

    (void)state;
    assert_int_equal(sbx_run("sbx.exe\" -b none -w no-such -- cmd /d /c exit 0", NULL, 0, &output), 125);
    assert_non_null(strstr(output.data, "no-such: there is no such directory"));
    assert_non_null(strstr(output.data, "hint: --writable names it; make it first"));
    sbx_text_fini(&output);
    assert_int_equal(sbx_file_write("sbx-part-file", "x", 1, NULL), SBX_OK);
    assert_int_equal(sbx_run("sbx.exe\" plan -b none -w sbx-part-file", NULL, 0, &output), 125);
    assert_non_null(strstr(output.data, "sbx-part-file: a file cannot be a writable root"));
    sbx_text_fini(&output);
    assert_true(DeleteFileA("sbx-part-file") && CreateDirectoryA("sbx-part", NULL));
    assert_int_equal(sbx_run("sbx.exe\" -b none -q -w sbx-part -- cmd /d /c exit 5", NULL, 0, &output), 5);
    sbx_text_fini(&output);
    assert_true(RemoveDirectoryA("sbx-part"));
}

/* A word that is no verb is the command; behind "--" a verb's name is, too. */
static void test_words(void **state)
{
    (void)state;
    sbx_assert_run("sbx.exe\" -q -b none cmd /c exit 37", 37, "");
    sbx_assert_run("sbx.exe\" -q --backend=none -- cmd /c exit 38", 38, "");
    sbx_assert_run("sbx.exe\" run -q -b none cmd /c exit 39", 39, "");
    sbx_assert_run("sbx.exe\" -q -b none run -- cmd /c exit 40", 40, "");
    sbx_assert_run("sbx.exe\" -b none -- cmd /c exit 41", 41, NONE_SAYS);
    sbx_assert_run_has("sbx.exe\" -q -b none -- plan", 127, "plan");
    sbx_assert_run_has("sbx.exe\" -q -b none stauts", 127, "hint: did you mean `sbx status`?");
    /* who looks for a variable that is gone asks for more */
    assert_true(SetEnvironmentVariableA("UNIT_TOKEN", "x"));
    sbx_assert_run_has("sbx.exe\" -v -b none -- cmd /c exit 42", 42, "UNIT_TOKEN");
    sbx_assert_run("sbx.exe\" -b none -- cmd /c exit 43", 43, NONE_SAYS);
    assert_true(SetEnvironmentVariableA("UNIT_TOKEN", NULL));
    /* what stands behind the command is the command's: untouched, options and all */
    sbx_assert_run("sbx.exe\" -q -b none -- cmd /c echo --help  \"a  b\" -q", 0, "--help  \"a  b\" -q\r\n");
}

/* A shell as any command, with a mark. */
static void test_shell(void **state)
{
    sbx_text output = {0};

    (void)state;
    assert_int_equal(sbx_run("sbx.exe\" shell cmd -q -b none", "exit 7\r\n", 8, &output), 7);
    assert_non_null(strstr(output.data, "(sbx) "));
    sbx_text_fini(&output);
    sbx_assert_run_has("sbx.exe\" shell bash", 125, "hint: pwsh, powershell or cmd; another one: sbx -- bash\n");
    sbx_assert_run_has("sbx.exe\" shell cmd pwsh", 125, "one shell at a time");
}

static void test_backend_errors(void **state)
{
    (void)state;
    sbx_assert_run("sbx.exe\" -b ..\\none -- cmd", 125,
                   "sbx: --backend: a name has only letters, digits, '-' and '_'\n");
    sbx_assert_run_has("sbx.exe\" -b nowhere -- cmd", 125,
                       "sbx: nowhere: there is no such backend: not available here\n  hint: choose one with --backend; "
                       "there are: broken-abi");
    sbx_assert_run_has("sbx.exe\" -b broken-abi --fallback broken-sound -- cmd", 125,
                       "built for interface 3.3, this sbx has 2.1");
    sbx_assert_run("sbx.exe\" -q -b broken-open -- cmd", 125,
                   "sbx: backend \"broken-open\": crashed in open (exception 0xC0000005)\n");
}

static cJSON *read_report(const char *path)
{
    char *text = NULL;
    size_t length = 0;
    cJSON *json;

    assert_int_equal(sbx_file_read(path, 1u << 20, &text, &length, NULL), SBX_OK);
    json = cJSON_Parse(text);
    assert_non_null(json);
    sbx_free(text);
    return json;
}

static const char *report_string(const cJSON *json, const char *group, const char *key)
{
    const char *text;

    if (group)
        json = cJSON_GetObjectItemCaseSensitive(json, group);
    text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, key));
    return text ? text : "(none)";
}

static double report_number(const cJSON *json, const char *group, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, group), key);

    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

/* It tells of a wrong use too, and never stays the one of an earlier call; asking for help is no run. */
static void test_report_of_mistakes(void **state)
{
    char line[2048], path[1100];
    cJSON *json;

    (void)state;
    snprintf(path, sizeof(path), "%s\\wrong.json", sbx_plugin_program_dir());
    snprintf(line, sizeof(line), "sbx.exe\" --report \"%s\" --zzz", path);
    sbx_assert_run(line, 125, "sbx: --zzz: unknown option" NOT_OPTION);
    json = read_report(path);
    assert_string_equal(report_string(json, NULL, "end"), "failed");
    assert_string_equal(report_string(json, "error", "message"), "--zzz: unknown option");
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(json, "exit_code")->valueint, 125);
    cJSON_Delete(json);
    snprintf(line, sizeof(line), "sbx.exe\" --report \"%s\"", path);
    sbx_assert_run_has(line, 125, "sbx: no command\n");
    json = read_report(path);
    assert_string_equal(report_string(json, "error", "message"), "no command");
    cJSON_Delete(json);
    assert_true(DeleteFileA(path));
    snprintf(line, sizeof(line), "sbx.exe\" --report \"%s\" --help", path);
    sbx_assert_run_has(line, 0, "\nVerbs:\n");
    assert_int_equal(GetFileAttributesA(path), INVALID_FILE_ATTRIBUTES);
    /* what the command did would be lost: it is not run */
    snprintf(line, sizeof(line), "sbx.exe\" -q -b none --report \"%s\" -- cmd /c echo ran", sbx_plugin_program_dir());
    snprintf(path, sizeof(path), "sbx: %s: write: refused\n  hint: the path is that of a folder\n",
             sbx_plugin_program_dir());
    sbx_assert_run(line, 125, path);
}

/* A backend that is not available gives way, aloud, also with --quiet; the report says which ran. */
static void test_fallback(void **state)
{
    char line[2048], path[1100];
    sbx_text output = {0};
    cJSON *json, *peak;

    (void)state;
    snprintf(path, sizeof(path), "%s\\report.json", sbx_plugin_program_dir());
    snprintf(line, sizeof(line),
             "sbx.exe\" -q -b broken-unavailable --fallback broken-sound --report \"%s\" -- cmd /c exit 5", path);
    assert_int_equal(sbx_run(line, NULL, 0, &output), 5);
    assert_string_equal(output.data, "sbx: backend \"broken-unavailable\" is not available (sbxd: service): "
                                     "\"broken-sound\" runs, which enforces the same; to get it: start the service\n");
    sbx_text_fini(&output);
    json = read_report(path);
    assert_string_equal(report_string(json, "backend", "requested"), "broken-unavailable");
    assert_string_equal(report_string(json, "backend", "used"), "broken-sound");
    assert_string_equal(report_string(json, "backend", "fallback_reason"), "sbxd: service: not available here");
    assert_string_equal(report_string(json, NULL, "end"), "exited");
    assert_true(report_number(json, "timings_us", "open") > 0);
    assert_true(report_number(json, "timings_us", "total") >=
                report_number(json, "timings_us", "open") + report_number(json, "timings_us", "run"));
    assert_true(cJSON_IsNumber(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "usage"), "processes_started")));
    /* never a number that nobody counted */
    peak = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "usage"), "peak_memory_bytes");
    assert_true(cJSON_IsNull(peak) || peak->valuedouble > 0);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(json, "exit_code")->valueint, 5);
    cJSON_Delete(json);
    /* one that is not there has claimed nothing: all that the other does not enforce is told */
    sbx_assert_run("sbx.exe\" -b nowhere --fallback broken-sound -- cmd /c exit 4", 4,
                   "sbx: backend \"nowhere\" is not available (nowhere: there is no such backend): "
                   "\"broken-sound\" runs, which does not enforce write, delete, read, network, ui\n");
    /* one that refuses what is asked for does not hide why it was asked */
    snprintf(line, sizeof(line),
             "sbx.exe\" -b nowhere --fallback broken-sound --require network --report \"%s\" -- cmd", path);
    sbx_assert_run_has(
        line, 125,
        "backend \"nowhere\" is not available (nowhere: there is no such backend): \"broken-sound\" is tried\n");
    json = read_report(path);
    assert_non_null(strstr(report_string(json, "backend", "fallback_reason"), "no such backend"));
    cJSON_Delete(json);
    /* a launch that fails writes one, too */
    snprintf(line, sizeof(line), "sbx.exe\" -q -b none --report \"%s\" -- no-such-program", path);
    sbx_assert_run_has(line, 127, "no-such-program");
    json = read_report(path);
    assert_string_equal(report_string(json, NULL, "end"), "failed");
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(json, "exit_code")->valueint, 127);
    assert_true(cJSON_IsObject(cJSON_GetObjectItemCaseSensitive(json, "error")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, "child_exit_code")));
    cJSON_Delete(json);
    /* and so does a mistake in a value */
    snprintf(line, sizeof(line), "sbx.exe\" --time 1x --report \"%s\" -- cmd", path);
    sbx_assert_run_has(line, 125, "hint: units are");
    json = read_report(path);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(json, "exit_code")->valueint, 125);
    assert_string_equal(report_string(json, "error", "object"), "--time");
    assert_string_equal(report_string(json, "error", "message"), "--time: \"x\" is not a unit of time");
    cJSON_Delete(json);
    /* one that cannot be written is told before anything has happened, in the words of the system */
    sbx_system_message(SBX_CODE_WIN32, ERROR_PATH_NOT_FOUND, NULL, path, sizeof(path));
    snprintf(line, sizeof(line),
             "sbx: C:\\no\\such\\folder: CreateFileW: %s (win32 3)\n"
             "  hint: the report cannot be written there; nothing was run\n",
             path);
    sbx_assert_run("sbx.exe\" -q -b none --report C:\\no\\such\\folder\\r.json -- cmd /c echo it ran", 125, line);
    snprintf(path, sizeof(path), "%s\\report.json", sbx_plugin_program_dir());
    sbx_assert_run_has("sbx.exe\" -q -b none --report nul -- cmd /c echo it ran", 125,
                       "hint: the path has the name of a device");
    /* a backend that takes sbx with it leaves one as well */
    snprintf(line, sizeof(line), "sbx.exe\" -q -b broken-open --report \"%s\" -- cmd", path);
    sbx_assert_run(line, 125, "sbx: backend \"broken-open\": crashed in open (exception 0xC0000005)\n");
    json = read_report(path);
    assert_string_equal(report_string(json, "error", "message"), "broken-open: crashed in open (ntstatus 0xC0000005)");
    assert_string_equal(report_string(json, NULL, "end"), "failed");
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(json, "exit_code")->valueint, 125);
    cJSON_Delete(json);
}

/* The report claims the process tree only where the job's flags can be read back; required, it has to be. */
static void test_unverified(void **state)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION info = {0};
    HANDLE job = CreateJobObjectW(NULL, NULL);
    char line[2048], path[1100];
    const cJSON *note;
    cJSON *json;
    int told, gaps = 0;

    (void)state;
    info.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
    assert_true(SetInformationJobObject(job, JobObjectExtendedLimitInformation, &info, sizeof(info)));
    memset(&info, 0, sizeof(info));
    assert_true(QueryInformationJobObject(job, JobObjectExtendedLimitInformation, &info, sizeof(info), NULL));
    CloseHandle(job);
    told = info.BasicLimitInformation.LimitFlags != 0;
    snprintf(path, sizeof(path), "%s\\report.json", sbx_plugin_program_dir());
    snprintf(line, sizeof(line), "sbx.exe\" -q -b none --report \"%s\" -- cmd /c exit 5", path);
    sbx_assert_run(line, 5, "");
    json = read_report(path);
    note = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(json, "guarantees"), "enforced");
    assert_int_equal(cJSON_GetArraySize(note), told);
    cJSON_ArrayForEach(note, cJSON_GetObjectItemCaseSensitive(json, "notes")) gaps +=
        !strcmp(report_string(note, NULL, "kind"), "gap") &&
        !strcmp(report_string(note, NULL, "object"), "process tree");
    assert_int_equal(gaps, !told);
    cJSON_Delete(json);
    if (told)
        sbx_assert_run("sbx.exe\" -q -b none --require processes -- cmd /c exit 6", 6, "");
    else
        sbx_assert_run("sbx.exe\" -q -b none --require processes -- cmd /c exit 6", 125,
                       "sbx: process tree: read the job back: the system does not enforce what was asked\n"
                       "  hint: this system does not tell whether it ends the tree with sbx, so nothing was run\n");
}

static void test_time_limit(void **state)
{
    (void)state;
    sbx_assert_run_has("sbx.exe\" -b none --time 500ms -- cmd /c ping -n 30 127.0.0.1", 124,
                       "sbx: the time limit ended the command after 500ms (limits.time, --time)\n");
}

static void test_require(void **state)
{
    (void)state;
    sbx_assert_run("sbx.exe\" -b none --require write -- cmd", 125,
                   "sbx: backend \"none\": require more than processes: refused\n"
                   "  hint: it enforces nothing but the process tree; `sbx backends` shows what others do\n");
    /* what contradicts itself is no matter of a backend */
    sbx_assert_run("sbx.exe\" -b nowhere --require network --network on -- cmd", 125,
                   "sbx: --require: \"network\" cannot be required while the network is on (--network)\n"
                   "  hint: take back one of the two\n");
    sbx_assert_run("sbx.exe\" -b nowhere --read-only -w x -- cmd", 125,
                   "sbx: --read-only: it contradicts --writable\n"
                   "  hint: for that alone write: --writable= --writable DIR\n");
    sbx_assert_run("sbx.exe\" -b broken-sound --require network -- cmd", 125,
                   "sbx: network: require: refused\n"
                   "  hint: the backend \"broken-sound\" does not enforce it here; `sbx backends` shows who does\n");
    sbx_assert_run_has("sbx.exe\" -b broken-unavailable --fallback broken-sound --require write -- cmd", 125,
                       "sbx: file writes: require: refused\n");
    sbx_assert_run("sbx.exe\" -q -b broken-sound --require processes --keep-children -- cmd", 125,
                   "sbx: process tree: require: refused\n  hint: children that are kept outlive the command\n");
}

/* What makes another backend run, and what does not: a row for each. */
static void test_no_fallback(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } rows[] = {
        /* it is built in, and there is none here */
        {"-b broken-unavailable", 125,
         "sbx: sbxd: service: not available here\n  hint: the fallback \"unelevated\" is not available either "
         "(unelevated: there is no such backend: not available here); `sbx backends` lists what works here\n"},
        {"-b broken-unavailable --fallback refuse", 125,
         "sbx: sbxd: service: not available here\n  hint: start the service\n"},
        /* a name that nobody has is a mistake, unless one is named for it */
        {"-b nowhere", 125, "hint: choose one with --backend; there are: broken-abi"},
        /* what is damaged, busy or wrong does not give way */
        {"-b broken-refused --fallback broken-sound", 125, "it is damaged: refused\n  hint: repair it\n"},
        {"-b broken-busy --fallback broken-sound", 125, "all are at work: not available here\n"},
        {"-b broken-open --fallback broken-sound", 125, "backend \"broken-open\": crashed in open"},
        {"-b broken-status --fallback broken-sound", 125, "broken-status"},
        {"-b broken-abi --fallback broken-sound", 125, "built for interface 3.3"},
        /* what somebody wrote is kept, or nothing runs */
        {"-b broken-unavailable --fallback broken-sound --network off", 125,
         "sbx: network = \"off\" (--network): the fallback does not enforce it: refused\n"
         "  hint: backend \"broken-unavailable\" was chosen and cannot run: start the service\n"},
        {"-b broken-unavailable --fallback broken-sound --deny-read x", 125,
         "sbx: deny_read (--deny-read): the fallback does not enforce it: refused\n"},
        {"--config fallback.toml", 125, "fallback.toml:2): the fallback does not enforce it: refused\n"},
        {"--config fallback.toml --network on", 6, "\"broken-sound\" runs, which enforces the same"},
        {"-b broken-unavailable --fallback broken-sound --require network", 125, "network: require: refused"},
        {"-q -b broken-unavailable --fallback broken-sound", 6, "\"broken-sound\" runs"},
        {"-q -b broken-sound --fallback broken-none", 6, ""},
    };
    static const char file[] = "backend = \"broken-unavailable\"\nnetwork = \"off\"\nfallback = \"broken-sound\"\n";
    char line[512];
    size_t i;

    (void)state;
    assert_int_equal(sbx_file_write("fallback.toml", file, sizeof(file) - 1, NULL), SBX_OK);
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(line, sizeof(line), "sbx.exe\" %s -- cmd /d /c exit 6", rows[i].line);
        sbx_assert_run_has(line, rows[i].code, rows[i].says);
    }
    assert_true(DeleteFileA("fallback.toml"));
}

/* A wrong file is told with its place; it is not the workspace's own that is read. */
static void test_config_file(void **state)
{
    static const char wrong[] = "backend = \"none\"\n[filesystem]\nwriteable = [\"src\"]\n";
    char line[2048], path[1100], expected[4096];

    (void)state;
    snprintf(path, sizeof(path), "%s\\wrong.toml", sbx_plugin_program_dir());
    assert_int_equal(sbx_file_write(path, wrong, sizeof(wrong) - 1, NULL), SBX_OK);
    snprintf(line, sizeof(line), "sbx.exe\" --config \"%s\" -- cmd", path);
    snprintf(expected, sizeof(expected), "sbx: %s:3:1: unknown key \"filesystem.writeable\"\n", path);
    sbx_assert_run_has(line, 125, expected);
    sbx_assert_run_has(line, 125, "hint: did you mean \"writable\"?");
    sbx_assert_run("sbx.exe\" --config C:\\no\\such.toml -- cmd", 125,
                   "sbx: C:\\no\\such.toml: there is no such file\n  hint: --config names it\n");
    sbx_assert_run("sbx.exe\" config show foo", 125,
                   "sbx: foo: config show takes no word\n  hint: see `sbx help config`\n");
    sbx_assert_run("sbx.exe\" config reference foo", 125,
                   "sbx: foo: config reference takes no word\n  hint: see `sbx help config`\n");
    sbx_assert_run("sbx.exe\" config foo bar", 125,
                   "sbx: foo: config has no such part\n  hint: show, set, path, reference or schema\n");
    sbx_assert_run_has("sbx.exe\" -b none --profile nowhere -- cmd", 125, "nowhere");
}

/* The user's own file.  Other tests read it at the same time, so that it says what is built in. */
static void test_config_set(void **state)
{
    static const char key[] = "sbx.exe\" config set elevated.wait 10m";
    char folder[1024], path[1100], expected[2400];
    sbx_text output = {0};
    char *dir = NULL, *text = NULL, *at;
    size_t length = 0;
    HANDLE file;

    (void)state;
    assert_int_equal(sbx_dirs_get(SBX_DIR_ROAMING_DATA, &dir, NULL), SBX_OK);
    snprintf(folder, sizeof(folder), "%s\\sbx", dir);
    snprintf(path, sizeof(path), "%s\\sbx.toml", folder);
    sbx_free(dir);
    DeleteFileA(path);
    RemoveDirectoryA(folder);
    snprintf(expected, sizeof(expected), "user      missing  %s\n", path);
    sbx_assert_run_has("sbx.exe\" config path", 0, expected);
    /* what is refused makes nothing */
    sbx_assert_run_has("sbx.exe\" config set limits.time 10", 125, "sbx: limits.time: a duration needs a unit");
    sbx_assert_run_has("sbx.exe\" config set fallback none", 125, "\"none\" confines nothing and cannot be a fallback");
    sbx_assert_run_has("sbx.exe\" config set time 10m", 125, "hint: did you mean limits.time?\n");
    sbx_assert_run_has("sbx.exe\" config set network", 125, "sbx: network: a value is missing\n");
    sbx_assert_run_has("sbx.exe\" config set", 125, "hint: sbx config set KEY VALUE");
    sbx_assert_run_has("sbx.exe\" init", 125, "there is no such backend"); /* of those that confine, here */
    sbx_assert_run_has("sbx.exe\" config set network on -b none", 125, "sbx: --backend: config set does not take it\n");
    assert_int_equal(GetFileAttributesA(folder), INVALID_FILE_ATTRIBUTES);
    /* folder and file are made; the next run reads it */
    snprintf(expected, sizeof(expected), "elevated.wait is set in %s\n", path);
    sbx_assert_run(key, 0, expected);
    snprintf(expected, sizeof(expected), "# %s:2\n", path);
    sbx_assert_run_has("sbx.exe\" config show", 0, expected);
    snprintf(expected, sizeof(expected), "user      read     %s\n", path);
    sbx_assert_run_has("sbx.exe\" config path", 0, expected);
    assert_int_equal(sbx_run("sbx.exe\" config path --json --config x", NULL, 0, &output), 0);
    at = strstr(output.data, "\"option\"");
    assert_true(at && strstr(at, "\"missing\"") && strstr(at, "\\\\x\""));
    sbx_text_fini(&output);
    sbx_assert_run_has("sbx.exe\" init", 0,
                       "is there already and stays as it is; it sets\n  elevated.wait = 10m (line 2)\n");
    /* neither what may not be written nor what another program holds loses anything */
    assert_int_equal(sbx_file_write(path, "# mine\n[elevated]\nwait = '600s' # c\n", 36, NULL), SBX_OK);
    assert_true(SetFileAttributesA(path, FILE_ATTRIBUTE_READONLY));
    sbx_assert_run_has(key, 125, "hint: the file is read-only; attrib -r takes that away\n");
    assert_true(SetFileAttributesA(path, FILE_ATTRIBUTE_NORMAL));
    file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    sbx_assert_run_has(key, 125, "MoveFileExW: ");
    CloseHandle(file);
    assert_int_equal(sbx_file_read(path, 4096, &text, &length, NULL), SBX_OK);
    assert_string_equal(text, "# mine\n[elevated]\nwait = '600s' # c\n");
    sbx_free(text);
    sbx_assert_run_has(key, 0, "is set in");
    assert_int_equal(sbx_file_read(path, 4096, &text, &length, NULL), SBX_OK);
    assert_string_equal(text, "# mine\n[elevated]\nwait = \"10m\" # c\n");
    sbx_free(text);
    assert_true(DeleteFileA(path) && RemoveDirectoryA(folder)); /* and nothing else is left in it */
}

static void test_plan(void **state)
{
    sbx_text output = {0};
    const cJSON *used;
    cJSON *json;

    (void)state;
    assert_int_equal(
        sbx_run("sbx.exe\" plan --json -b broken-unavailable --fallback broken-sound -q -- cmd", NULL, 0, &output), 0);
    json = cJSON_Parse(strchr(output.data, '{'));
    assert_non_null(json);
    used = cJSON_GetObjectItemCaseSensitive(json, "backend_used");
    assert_string_equal(report_string(json, NULL, "backend"), "broken-unavailable");
    assert_string_equal(report_string(used, NULL, "name"), "broken-sound");
    assert_string_equal(report_string(used, NULL, "fallback_reason"), "sbxd: service: not available here");
    used = cJSON_GetObjectItemCaseSensitive(used, "guarantees");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(used, "enforced")), 1);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(used, "none")), 5);
    cJSON_Delete(json);
    sbx_text_fini(&output);
    sbx_assert_run_has("sbx.exe\" plan -b none", 0,
                       "Backend that would run: none " SBX_VERSION "\n  enforced: processes\n  advisory: nothing\n");
    /* what that one does not do is not told as if it held */
    assert_int_equal(sbx_run("sbx.exe\" plan -b none --network on --no-clipboard", NULL, 0, &output), 0);
    assert_null(strstr(output.data, "removed afterwards"));
    assert_null(strstr(output.data, "\nclipboard"));
    assert_non_null(strstr(output.data, "\nnetwork       on"));
    assert_non_null(strstr(output.data, "\nnot done      writable, protected, git, temp, desktop, clipboard\n"));
    sbx_text_fini(&output);
    assert_int_equal(sbx_run("sbx.exe\" plan -b none --network on --no-clipboard --json", NULL, 0, &output), 0);
    json = cJSON_Parse(output.data);
    assert_non_null(json);
    used = cJSON_GetObjectItemCaseSensitive(json, "backend_used");
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(used, "not_done")), 6);
    cJSON_Delete(json);
    sbx_text_fini(&output);
    sbx_assert_run_has("sbx.exe\" plan", 125, "hint: choose one with --backend; there are: ");
    /* what a run would fail with stands below the plan */
    sbx_assert_run_has("sbx.exe\" plan -b broken-abi", 125, "built for interface 3.3, this sbx has 2.1");
}

/* What a run would fail with before the command starts, a plan fails with, in the same words. */
static void test_plan_command(void **state)
{
    static const struct {
        const char *words;
        uint32_t code;
    } rows[] = {
        {"-- kargo build", 127},         {"-- .\\no\\such.exe", 127},
        {"-- C:\\windows", 126},         {"-C nope", 125},
        {"-C C:\\no\\such -- cmd", 125}, {"-C C:\\no\\such -- kargo", 127},
        {"-- plan-batch a\\\"b", 125},
    };
    char line[256], path[1100], search[8192], before[7000];
    sbx_text planned = {0}, run = {0};
    cJSON *json;
    size_t i;

    (void)state;
    snprintf(path, sizeof(path), "%s\\plan-batch.cmd", sbx_plugin_program_dir());
    assert_int_equal(sbx_file_write(path, "@exit 3\r\n", 9, NULL), SBX_OK);
    assert_true(GetEnvironmentVariableA("PATH", before, sizeof(before)));
    snprintf(search, sizeof(search), "%s;%s", sbx_plugin_program_dir(), before);
    assert_true(SetEnvironmentVariableA("PATH", search));
    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(line, sizeof(line), "sbx.exe\" run -q -b none %s%s", rows[i].words,
                 strstr(rows[i].words, "--") ? "" : " -- plan-batch");
        assert_int_equal(sbx_run(line, NULL, 0, &run), rows[i].code);
        snprintf(line, sizeof(line), "sbx.exe\" plan --json -q -b none %s", rows[i].words);
        if (sbx_run(line, NULL, 0, &planned) != rows[i].code || !strstr(planned.data, run.data))
            fail_msg("%s\nplan: %s\nrun: %s", rows[i].words, planned.data, run.data);
        sbx_text_fini(&planned);
        sbx_text_fini(&run);
    }
    sbx_assert_run_has("sbx.exe\" plan -b none -- plan-batch 1", 0, "command       plan-batch\nprogram       ");
    sbx_assert_run_has("sbx.exe\" plan -b none -- plan-batch 1", 0, "\\plan-batch.cmd\n");
    assert_int_equal(sbx_run("sbx.exe\" plan --json -b none -- plan-batch 1", NULL, 0, &planned), 0);
    json = cJSON_Parse(planned.data);
    assert_non_null(json);
    assert_string_equal(report_string(json, NULL, "command"), "plan-batch");
    assert_non_null(strstr(report_string(json, NULL, "program"), "\\plan-batch.cmd"));
    cJSON_Delete(json);
    sbx_text_fini(&planned);
    /* without one it is a plan for any */
    assert_int_equal(sbx_run("sbx.exe\" plan --json -b none", NULL, 0, &planned), 0);
    json = cJSON_Parse(planned.data);
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, "command")));
    assert_true(cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(json, "program")));
    cJSON_Delete(json);
    sbx_text_fini(&planned);
    assert_true(DeleteFileA(path));
    assert_true(SetEnvironmentVariableA("PATH", before));
}

/* The words that may follow an option: those of the schema, and the backends that are there. */
static void test_completion(void **state)
{
    static const char *const parts[] = {"        '--network' = @('off', 'on')\n",
                                        "        '--block-secrets' = @('true', 'false')\n",
                                        "        '--all' = '",
                                        "        '--stale' = '",
                                        "        '--status' = '",
                                        "        '--remove' = '"};
    sbx_text output = {0};
    const char *all, *fallback, *brief;
    size_t i;

    (void)state;
    assert_int_equal(sbx_run("sbx.exe\" completion powershell", NULL, 0, &output), 0);
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (!strstr(output.data, parts[i]))
            fail_msg("%s", parts[i]);
    all = strstr(output.data, "        '--backend' = @('broken-abi', ");
    brief = strstr(output.data, "        '-b' = @('broken-abi', ");
    fallback = strstr(output.data, "        '--fallback' = @('refuse', 'broken-abi', ");
    assert_true(all && brief && fallback);
    assert_true(strstr(all, "'none'") && strstr(all, "'none'") < strchr(all, '\n'));
    /* what no file may say either */
    assert_true(!strstr(fallback, "'none'") || strstr(fallback, "'none'") > strchr(fallback, '\n'));
    sbx_text_fini(&output);
}

static void test_other_verbs(void **state)
{
    sbx_text output = {0};

    (void)state;
    sbx_assert_run_has("sbx.exe\" completion powershell", 0, "        '--network' = ");
    sbx_assert_run_has("sbx.exe\" completion powershell", 0, "Register-ArgumentCompleter -Native -CommandName sbx");
    sbx_assert_run("sbx.exe\" setup --check none", 0, "backend \"none\" needs no setup\n");
    sbx_assert_run_has("sbx.exe\" setup --status template", 0, "template: absent   one");
    sbx_assert_run_has("sbx.exe\" setup --status nowhere", 125, "sbx-setup: nowhere: there is no such backend");
    sbx_assert_run_has("sbx.exe\" config reference", 0, "backend = \"elevated\"");
    sbx_assert_run_has("sbx.exe\" clean --all", 0, "nothing to undo\n");
    sbx_assert_run_has("sbx.exe\" status --json", 0, "\"items\":\t[]");
    /* one that crashes is left out, the others are asked */
    assert_int_equal(sbx_run("sbx.exe\" status", NULL, 0, &output), 0);
    assert_non_null(strstr(output.data, "sbx: backend \"broken-crash\" is left out: "));
    assert_non_null(strstr(output.data, "sbx has changed nothing on this machine\n"));
    sbx_text_fini(&output);
}

/* What lies in the current folder, or in a `backends` there, is never loaded or read. */
static void test_planted(void **state)
{
    static const char *const names[] = {"bcrypt.dll",
                                        "bcryptprimitives.dll",
                                        "api-ms-win-security-base-l1-1-0.dll",
                                        "advapi32.dll",
                                        "shell32.dll",
                                        "cryptbase.dll",
                                        "userenv.dll",
                                        "sbx.toml",
                                        "cmd.exe",
                                        "backends\\planted.dll",
                                        "backends\\none.dll"};
    WCHAR before[1024], folder_w[1024];
    char path[1200];
    size_t i;

    (void)state;
    assert_true(GetCurrentDirectoryW(1024, before));
    assert_true(GetTempPathW(900, folder_w));
    wcscat_s(folder_w, 1024, L"sbx-planted");
    assert_true(CreateDirectoryW(folder_w, NULL) || GetLastError() == ERROR_ALREADY_EXISTS);
    assert_true(SetCurrentDirectoryW(folder_w));
    assert_true(CreateDirectoryW(L"backends", NULL) || GetLastError() == ERROR_ALREADY_EXISTS);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s", names[i]);
        assert_int_equal(sbx_file_write(path, "not what it says", 16, NULL), SBX_OK);
    }
    sbx_assert_run("sbx.exe\" -q -b none -- cmd /c exit 33", 33, "");
    sbx_assert_run_has("sbx.exe\" -q -b planted -- cmd", 125, "sbx: planted: there is no such backend");
    sbx_assert_run_has("sbx.exe\" config show", 0, "backend = \"elevated\"");
    sbx_assert_run("sbx-setup.exe\" --check none", 0, "backend \"none\" needs no setup\n");
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_true(DeleteFileA(names[i]));
    assert_true(RemoveDirectoryW(L"backends"));
    assert_true(SetCurrentDirectoryW(before));
    assert_true(RemoveDirectoryW(folder_w));
}

/* What lies beside the program is not taken for a part of Windows: programs are started in Downloads, too.  The few
 * that are linked are on the system's list of known DLLs, which come from System32 alone. */
static void test_planted_beside(void **state)
{
    static const char *const names[] = {"bcrypt.dll",  "bcryptprimitives.dll", "cryptbase.dll",
                                        "userenv.dll", "shell32.dll",          "ole32.dll",
                                        "psapi.dll",   "version.dll"};
    char folder[1100], path[1300], line[64];
    char *bytes = NULL;
    size_t length = 0, i;

    (void)state;
    snprintf(path, sizeof(path), "%s\\sbx.exe", sbx_plugin_program_dir());
    assert_int_equal(sbx_file_read(path, 16u << 20, &bytes, &length, NULL), SBX_OK);
    snprintf(folder, sizeof(folder), "%s\\beside", sbx_plugin_program_dir());
    assert_true(CreateDirectoryA(folder, NULL) || GetLastError() == ERROR_ALREADY_EXISTS);
    snprintf(path, sizeof(path), "%s\\sbx.exe", folder);
    assert_int_equal(sbx_file_write(path, bytes, length, NULL), SBX_OK);
    sbx_free(bytes);
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s\\%s", folder, names[i]);
        assert_int_equal(sbx_file_write(path, "not what it says", 16, NULL), SBX_OK);
    }
    snprintf(line, sizeof(line), "beside\\sbx.exe\" --version");
    sbx_assert_run(line, 0, "sbx " SBX_VERSION " (backend interface 2.1)\n");
    sbx_assert_run_has("beside\\sbx.exe\" plan", 125, "the folder with the backends belongs beside the program");
    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s\\%s", folder, names[i]);
        assert_true(DeleteFileA(path));
    }
    snprintf(path, sizeof(path), "%s\\sbx.exe", folder);
    assert_true(DeleteFileA(path) && RemoveDirectoryA(folder));
}

/* Nothing asks the CryptoAPI while the C runtime starts: that looks for cryptsp.dll beside the program. */
static void test_no_crypto_at_start(void **state)
{
    static const char *const files[] = {"sbx.exe", "sbx-setup.exe", "sbx-runner.exe", "backends\\none.dll"};
    static const char name[] = "CryptAcquireContext";
    char path[1200];
    char *bytes = NULL;
    size_t length = 0, i, k;

    (void)state;
    for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s\\%s", sbx_plugin_program_dir(), files[i]);
        assert_int_equal(sbx_file_read(path, 16u << 20, &bytes, &length, NULL), SBX_OK);
        for (k = 0; k + sizeof(name) - 1 < length; k++)
            if (!memcmp(bytes + k, name, sizeof(name) - 1))
                fail_msg("%s", path);
        sbx_free(bytes);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help),           cmocka_unit_test(test_help_of_lists),
        cmocka_unit_test(test_width),          cmocka_unit_test(test_report_of_mistakes),
        cmocka_unit_test(test_mistakes),       cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_parts),          cmocka_unit_test(test_words),
        cmocka_unit_test(test_backend_errors), cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_no_fallback),    cmocka_unit_test(test_config_file),
        cmocka_unit_test(test_config_set),     cmocka_unit_test(test_shell),
        cmocka_unit_test(test_planted),        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_plan_command),   cmocka_unit_test(test_unverified),
        cmocka_unit_test(test_time_limit),     cmocka_unit_test(test_completion),
        cmocka_unit_test(test_other_verbs),    cmocka_unit_test(test_require),
        cmocka_unit_test(test_planted_beside), cmocka_unit_test(test_no_crypto_at_start),
    };

    sbx_start("cli");
    if (sbx_plugin_init(SBX_PROGRAM_SBX, "", NULL, NULL) != SBX_OK)
        return 2;
    sbx_run_folder(sbx_plugin_program_dir());
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
