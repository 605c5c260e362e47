/* What of the user's settings of git a command gets. */
#include "unit/support/unit.h"

#include <string.h>

#include "base/memory.h"
#include "elevated/gitconfig.h"

static void gives(const char *text, const char *wanted, const char *left_wanted)
{
    sbx_text out = {0}, left = {0};

    sbx_gitconfig_filter(text, strlen(text), &out, &left);
    assert_string_equal(out.data ? out.data : "", wanted);
    assert_string_equal(left.data ? left.data : "", left_wanted);
    sbx_text_fini(&out);
    sbx_text_fini(&left);
}

static void let_through(void **state)
{
    (void)state;
    sbx_fault_use(0);
    gives(
        "[user]\n\tname = Grace\n\temail = g@example.org\n[credential]\n\thelper = manager\n[core]\n\tautocrlf=true\n",
        "[user]\n\tname = Grace\n\temail = g@example.org\n[core]\n\tautocrlf=true\n", "credential.helper");
    gives("\xEF\xBB\xBF[USER] Name = x ; c \\\n[core]\r\n\tEOL = lf\r\n",
          "[user]\n\tname = x ; c \\\n[core]\n\teol = lf\r\n", "");
    gives("[alias]\n\tst = status\n\tx = !calc\n\ty = \"!calc\"\n", "[alias]\n\tst = status\n", "alias.x, alias.y");
    gives("[push]\n\tdefault = simple\n[diff]\n\texternal = x\n\talgorithm = histogram\n[user]\n\tsigningkey = k\n",
          "[push]\n\tdefault = simple\n[diff]\n\talgorithm = histogram\n", "diff.external, user.signingkey");
    gives("", "", "");
}

/* Nothing gets through behind something else. */
static void hostile(void **state)
{
    char name[400];

    (void)state;
    sbx_fault_use(0);
    /* as git reads it: the section's name is part of the value */
    gives("[user]\n\tname = a \\\n[credential]\n\thelper = x\n", "[user]\n\tname = a \\\n[credential]\n\thelper = x\n",
          "");
    gives("[user]\n\tname = a # c \\\n[credential]\n\thelper = x\n", "[user]\n\tname = a # c \\\n",
          "credential.helper");
    gives("[user]\n\tname = \"a # \\\n b\"\n\thelper = x\n", "[user]\n\tname = \"a # \\\n b\"\n\thelper = x\n", "");
    gives("[diff \"x\"]\n\tcommand = y\n[user \"]\"]\n\tname = z\n", "", "command, name");
    gives("[diff \"x\n[user]\n\tname = z\n", "[user]\n\tname = z\n", "");
    gives("[user\n\tname = z\n", "", "name");
    gives("[include] path = c\n[includeIf \"gitdir:x\"]\n\tpath = d\n[safe]\n\tdirectory = *\n", "",
          "include.path, path, safe.directory");
    gives("name = x\n]\n= y\n", "", "name");
    memset(name, 'u', sizeof(name));
    memcpy(name, "[user]\n", 7);
    memcpy(name + sizeof(name) - 6, " = 1\n", 6);
    gives(name, "", "");
}

static void safe(void **state)
{
    sbx_text out = {0};

    (void)state;
    sbx_fault_use(0);
    sbx_gitconfig_safe(&out, "C:\\a b\\c;#");
    assert_string_equal(out.data, "\tdirectory = \"C:/a b/c;#\"\n");
    sbx_text_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(let_through), cmocka_unit_test(hostile),
                                       cmocka_unit_test(safe)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
