/* The record of setup: what is written is read back, and nothing else is believed. */
#include "unit/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "elevated/machine.h"

#define USER_A "S-1-5-21-1-2-3-1000"
#define USER_B "S-1-5-21-1-2-3-1007"

static char *print(const sbx_machine *machine)
{
    sbx_text text = {0};

    assert_int_equal(sbx_machine_print(machine, &text, NULL), SBX_OK);
    return sbx_text_take(&text);
}

static void fill(sbx_machine *machine)
{
    sbx_machine_user *user = sbx_machine_enrol(machine, USER_A);

    assert_non_null(user);
    user->slots = 2;
    user->generation = 3;
    user->ready = 1;
    strcpy(user->groups[SBX_GROUP_READERS], "S-1-5-21-1-2-3-1001");
    strcpy(user->groups[SBX_GROUP_OFFLINE], SBX_MACHINE_PENDING);
    strcpy(user->accounts[0][1], "S-1-5-21-1-2-3-1002");
    strcpy(user->accounts[1][0], "S-1-5-21-1-2-3-1003");
    assert_true(sbx_loopback_add(&user->loopback, 3000, 3999));
    assert_true(sbx_loopback_add(&user->loopback, 8080, 8080));
    machine->network = SBX_MACHINE_NETWORK;
    assert_non_null(sbx_machine_enrol(machine, USER_B));
    machine->runner = sbx_strdup("C:\\Program Files\\sbx\\sbx-runner.exe");
}

static void round_trip(void **state)
{
    sbx_machine machine = {0}, again = {0};
    const sbx_machine_user *user;
    char *text, *second;

    (void)state;
    sbx_fault_use(0);
    fill(&machine);
    text = print(&machine);
    assert_int_equal(sbx_machine_parse(&again, text, strlen(text), NULL), SBX_OK);
    assert_string_equal(again.runner, machine.runner);
    assert_int_equal(again.count, 2);
    user = sbx_machine_find(&again, USER_A);
    assert_non_null(user);
    assert_memory_equal(user, sbx_machine_find(&machine, USER_A), sizeof(*user));
    assert_int_equal(sbx_machine_find(&again, USER_B)->number, 2);
    assert_null(sbx_machine_find(&again, "S-1-5-18"));
    second = print(&again);
    assert_string_equal(second, text);
    sbx_free(text);
    sbx_free(second);
    sbx_machine_fini(&machine);
    sbx_machine_fini(&again);
    assert_int_equal(sbx_fault_live(), 0);
}

static void numbers(void **state)
{
    sbx_machine machine = {0};
    char sid[64];
    unsigned i;

    (void)state;
    sbx_fault_use(0);
    for (i = 1; i <= SBX_USERS_MAX; i++) {
        snprintf(sid, sizeof(sid), "S-1-5-21-9-%u", i);
        assert_int_equal(sbx_machine_enrol(&machine, sid)->number, i);
    }
    assert_null(sbx_machine_enrol(&machine, USER_A)); /* no room */
    assert_int_equal(sbx_machine_enrol(&machine, "S-1-5-21-9-7")->number, 7);
    sbx_machine_forget(&machine, "S-1-5-21-9-7");
    assert_null(sbx_machine_find(&machine, "S-1-5-21-9-7"));
    assert_int_equal(machine.count, SBX_USERS_MAX - 1);
    assert_int_equal(sbx_machine_enrol(&machine, USER_A)->number, 7); /* the number that is free */
    sbx_machine_forget(&machine, "S-1-5-18");                         /* nobody */
    assert_int_equal(machine.count, SBX_USERS_MAX);
    sbx_machine_fini(&machine);
    assert_int_equal(sbx_fault_live(), 0);
}

static void names(void **state)
{
    char name[24];

    (void)state;
    sbx_machine_group_name(name, 12, SBX_GROUP_WRITERS);
    assert_string_equal(name, "sbx12-writers");
    sbx_machine_account_name(name, 1, 0, 0);
    assert_string_equal(name, "sbx1-off01");
    sbx_machine_account_name(name, 99, 1, SBX_SLOTS_MAX - 1);
    assert_string_equal(name, "sbx99-on16");
}

static void check_refused(const char *text, size_t length, const char *why)
{
    sbx_machine machine = {0};
    sbx_error err = {0};

    assert_int_equal(sbx_machine_parse(&machine, text, length, &err), SBX_E_UNAVAILABLE);
    if (why)
        assert_string_equal(err.op, why);
    assert_null(machine.users);
    assert_null(machine.runner);
}

/* The text with the line in it, and a checksum that is right. */
static void check_line(unsigned version, const char *line, const char *why)
{
    char text[1024], *end;
    uint32_t sum = 2166136261u;
    const char *c;

    snprintf(text, sizeof(text), "sbx-elevated %u\nuser 1 " USER_A " 2 1 1\n%s\n", version, line);
    for (c = text; *c; c++)
        sum = (sum ^ (uint8_t)*c) * 16777619u;
    end = text + strlen(text);
    snprintf(end, sizeof(text) - (size_t)(end - text), "end %08X\n", (unsigned)sum);
    check_refused(text, strlen(text), why);
}

static void damaged(void **state)
{
    static const char *const lines[] = {
        "user 1 " USER_B " 2 1 1",            /* a number twice */
        "user 2 " USER_A " 2 1 1",            /* a user twice */
        "user 2 pending 2 1 1",               /* no SID */
        "user 2 " USER_B " 17 1 1",           /* too many slots */
        "user 2 " USER_B " 2 1 1 x",          /* more than belongs there */
        "user 0 " USER_B " 2 1 1",            /* numbers begin at 1 */
        "principal 2 readers " USER_B,        /* nobody has that number */
        "principal 1 admins " USER_B,         /* no such principal */
        "principal 1 off17 " USER_B,          /* no such slot */
        "principal 1 off00 " USER_B,          /* nor that */
        "principal 1 readers Administrators", /* a name is no SID */
        "loopback 2 80 80",                   /* nobody has that number */
        "loopback 1 0 80",                    /* no port */
        "loopback 1 81 80",                   /* no range */
        "loopback 1 80 65536",                /* nor that */
        "loopback 1 80 80 x",                 /* more than belongs there */
        "network 0\nnetwork 1\nnetwork 1",    /* twice */
        "network x",                          /* no number */
        "",                                   /* nothing */
    };
    sbx_machine machine = {0};
    char *text;
    size_t length, i;

    (void)state;
    sbx_fault_use(0);
    for (i = 0; i < SBX_COUNT(lines); i++)
        check_line(2, lines[i], "a line is not understood");
    check_line(9, "network 1", "another version of sbx wrote it");
    fill(&machine);
    text = print(&machine);
    length = strlen(text);
    for (i = 0; i < length; i++) /* cut short */
        check_refused(text, i, NULL);
    for (i = 0; i < length; i++) { /* a byte is another one */
        text[i] ^= 4;
        check_refused(text, length, NULL);
        text[i] ^= 4;
    }
    memset(text, 0, length);
    check_refused(text, length, "it is damaged");
    sbx_free(text);
    sbx_machine_fini(&machine);
    assert_int_equal(sbx_fault_live(), 0);
}

static void no_memory(void **state)
{
    (void)state;
    SBX_FAULT_EACH(n)
    {
        static const char body[] = "sbx-elevated 1\nrunner C:\\r\nuser 1 " USER_A " 2 1 1\nuser 2 " USER_B " 1 0 0\n";
        sbx_machine machine = {0};
        uint32_t sum = 2166136261u;
        char text[256];
        const char *c;

        for (c = body; *c; c++)
            sum = (sum ^ (uint8_t)*c) * 16777619u;
        snprintf(text, sizeof(text), "%send %08X\n", body, (unsigned)sum);
        if (sbx_machine_parse(&machine, text, strlen(text), NULL) != SBX_OK)
            assert_true(sbx_fault_hit());
        sbx_machine_fini(&machine);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(round_trip), cmocka_unit_test(numbers), cmocka_unit_test(names),
                                       cmocka_unit_test(damaged), cmocka_unit_test(no_memory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
