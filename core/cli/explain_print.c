/* An explanation for people: made from the JSON. */
#include <windows.h>
#include <stdlib.h>
#include <string.h>

#include "cli/examine.h"
#include "cli/explain.h"
#include "win/out.h"

#define INDENT 10u

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static void line(sbx_text *out, const char *head, const char *text)
{
    if (!text[0])
        return;
    sbx_text_printf(out, "%-*s", (int)INDENT, head);
    sbx_out_wrap(out, INDENT, text);
}

static void lines(sbx_text *out, const char *head, const cJSON *list)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, list)
    {
        line(out, head, cJSON_GetStringValue(item));
    }
}

static void print_object(const cJSON *root, sbx_text *out)
{
    const cJSON *object = member(root, "object"), *volume = member(object, "volume");
    const char *missing = sbx_examine_string(object, "missing");
    sbx_text text = {0};

    sbx_text_printf(&text, "%s%s%s", sbx_examine_string(object, "path"), missing[0] ? ", in which is no " : "",
                    missing);
    line(out, missing[0] ? "nearest" : sbx_examine_string(object, "kind"), text.data ? text.data : "");
    sbx_text_fini(&text);
    lines(out, "link", member(object, "links"));
    lines(out, "short", member(object, "short_name"));
    lines(out, "name", member(object, "names"));
    lines(out, "stream", member(object, "streams"));
    line(out, "owner", sbx_examine_string(object, "owner"));
    if (volume) {
        sbx_text_printf(&text, "%s %s%s", sbx_examine_string(volume, "root"), sbx_examine_string(volume, "file_system"),
                        cJSON_IsTrue(member(volume, "keeps_rights")) ? "" : ", keeps no access rights");
        line(out, "volume", text.data ? text.data : "");
        sbx_text_fini(&text);
    }
}

/* Those of files, of which some are called otherwise in a folder; what goes with every open is not told. */
static void add_rights(sbx_text *out, const char *rights)
{
    static const struct {
        uint32_t right;
        const char *words;
    } names[] = {{FILE_READ_DATA, "read or list"},
                 {FILE_WRITE_DATA, "write or add a file"},
                 {FILE_APPEND_DATA, "append or add a folder"},
                 {FILE_EXECUTE, "run or traverse"},
                 {FILE_DELETE_CHILD, "delete what is in it"},
                 {DELETE, "delete"},
                 {FILE_WRITE_ATTRIBUTES, "set attributes"},
                 {READ_CONTROL, "read its access rights"}};
    const uint32_t set = (uint32_t)strtoul(rights, NULL, 16);
    const char *between = "";
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!(set & names[i].right))
            continue;
        sbx_text_printf(out, "%s%s", between, names[i].words);
        between = ", ";
    }
    if (!between[0])
        sbx_text_add(out, rights);
}

/* "restricting SIDs of the file: refused, as entry 2 denies HOST\name: delete" */
static void print_pass(const cJSON *pass, sbx_text *out)
{
    const cJSON *ace = member(pass, "ace");
    const char *by = sbx_examine_string(pass, "by"), *of = sbx_examine_string(pass, "of");
    const int allowed = cJSON_IsTrue(member(pass, "allowed"));
    sbx_text text = {0};

    sbx_text_printf(&text, "%s %s%s, ",
                    strcmp(sbx_examine_string(pass, "pass"), "groups") ? "the restricting SIDs are"
                                                                       : "its user and groups are",
                    allowed ? "allowed" : "refused", !strcmp(of, "folder") ? " in the folder that it is in" : "");
    if (ace)
        sbx_text_printf(&text, "as entry %d%s %s %s: ", (int)cJSON_GetNumberValue(member(ace, "index")) + 1,
                        cJSON_IsTrue(member(ace, "inherited")) ? " (inherited)" : "",
                        !strcmp(sbx_examine_string(ace, "type"), "deny") ? "denies" : "allows",
                        sbx_examine_string(ace, "name"));
    else if (!strcmp(by, "nobody"))
        sbx_text_add(&text, "as no entry allows them: ");
    else
        sbx_text_add(&text, !strcmp(by, "owner") ? "as the owner may: " : "as it has no access rights: ");
    add_rights(&text, sbx_examine_string(pass, allowed ? "rights" : "missing"));
    line(out, "decides", text.data ? text.data : "");
    sbx_text_fini(&text);
}

static void print_answer(const cJSON *root, sbx_text *out)
{
    const char *answer = sbx_examine_string(root, "answer");
    const int is_missing = sbx_examine_string(member(root, "object"), "missing")[0] != 0;
    sbx_text text = {0};

    sbx_text_printf(&text, "%s:%s a command under \"%s\" %s %s it", answer, strcmp(answer, "unknown") ? "" : " whether",
                    sbx_examine_string(root, "backend"), strcmp(answer, "refused") ? "can" : "cannot",
                    is_missing ? "make" : sbx_examine_string(root, "op"));
    line(out, "answer", text.data ? text.data : "");
    sbx_text_fini(&text);
}

void sbx_explain_print(const cJSON *root, sbx_text *out)
{
    const cJSON *policy = member(root, "policy"), *passes = member(root, "passes"), *pass;
    const char *rule = sbx_examine_string(policy, "rule");
    sbx_text text = {0};

    print_answer(root, out);
    print_object(root, out);
    line(out, "token", sbx_examine_string(root, "token"));
    cJSON_ArrayForEach(pass, passes)
    {
        print_pass(pass, out);
    }
    if (strcmp(rule, "outside") != 0)
        sbx_text_printf(&text, "%s: %s (%s)", rule, sbx_examine_string(policy, "path"),
                        sbx_examine_string(policy, "origin"));
    else
        sbx_text_add(&text, "outside of every writable folder");
    line(out, "policy", text.data ? text.data : "");
    sbx_text_fini(&text);
    lines(out, "note", member(root, "notes"));
    lines(out, "change", member(root, "change"));
}
