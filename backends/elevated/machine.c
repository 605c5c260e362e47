#include "elevated/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf.h"

static const char *const group_names[SBX_GROUPS] = {"readers", "writers", "offline"};

static uint32_t checksum(const char *text, size_t length)
{
    uint32_t sum = 2166136261u;
    size_t i;

    for (i = 0; i < length; i++)
        sum = (sum ^ (uint8_t)text[i]) * 16777619u;
    return sum;
}

void sbx_machine_group_name(char name[24], uint32_t user, uint32_t group)
{
    snprintf(name, 24, "sbx%u-%s", (unsigned)(user % 100), group_names[group]);
}

void sbx_machine_account_name(char name[24], uint32_t user, int online, uint32_t slot)
{
    snprintf(name, 24, "sbx%u-%s%02u", (unsigned)(user % 100), online ? "on" : "off", (unsigned)(slot % 100 + 1));
}

sbx_machine_user *sbx_machine_find(const sbx_machine *machine, const char *sid)
{
    uint32_t i;

    for (i = 0; i < machine->count; i++)
        if (!strcmp(machine->users[i].sid, sid))
            return &machine->users[i];
    return NULL;
}

int sbx_machine_is_account(const sbx_machine *machine, const char *sid)
{
    uint32_t i, online, slot;

    for (i = 0; i < machine->count; i++)
        for (online = 0; online < 2; online++)
            for (slot = 0; slot < SBX_SLOTS_MAX; slot++)
                if (!strcmp(machine->users[i].accounts[online][slot], sid))
                    return 1;
    return 0;
}

static sbx_machine_user *by_number(const sbx_machine *machine, uint32_t number)
{
    uint32_t i;

    for (i = 0; i < machine->count; i++)
        if (machine->users[i].number == number)
            return &machine->users[i];
    return NULL;
}

static sbx_machine_user *add(sbx_machine *machine, uint32_t number, const char *sid)
{
    sbx_machine_user *more = sbx_realloc(machine->users, (machine->count + 1) * sizeof(*more));

    if (!more)
        return NULL;
    machine->users = more;
    more += machine->count++;
    memset(more, 0, sizeof(*more));
    more->number = number;
    sbx_utf8_copy(more->sid, sizeof(more->sid), sid);
    return more;
}

sbx_machine_user *sbx_machine_enrol(sbx_machine *machine, const char *sid)
{
    sbx_machine_user *user = sbx_machine_find(machine, sid);
    uint32_t number = 1;

    if (user)
        return user;
    while (by_number(machine, number))
        number++;
    return number > SBX_USERS_MAX ? NULL : add(machine, number, sid);
}

void sbx_machine_forget(sbx_machine *machine, const char *sid)
{
    sbx_machine_user *user = sbx_machine_find(machine, sid);

    if (user)
        *user = machine->users[--machine->count];
}

void sbx_machine_fini(sbx_machine *machine)
{
    sbx_free(machine->users);
    sbx_free(machine->runner);
    memset(machine, 0, sizeof(*machine));
}

static int is_sid(const char *text)
{
    return !strncmp(text, "S-1-", 4) && strspn(text + 4, "0123456789-xABCDEF") == strlen(text + 4);
}

/* Where the SID of "off01" and its like is kept, or NULL. */
static char *place_of(sbx_machine_user *user, const char *what)
{
    unsigned slot = 0;
    size_t i;
    char end = 0;

    for (i = 0; i < SBX_GROUPS; i++)
        if (!strcmp(what, group_names[i]))
            return user->groups[i];
    if ((sscanf(what, "off%2u%c", &slot, &end) == 1 || sscanf(what, "on%2u%c", &slot, &end) == 1) && slot &&
        slot <= SBX_SLOTS_MAX)
        return user->accounts[what[1] == 'n'][slot - 1];
    return NULL;
}

static sbx_status parse_line(sbx_machine *machine, char *line, sbx_error *err)
{
    unsigned number = 0, slots = 0, generation = 0, ready = 0, first = 0, last = 0;
    char sid[SBX_MACHINE_SID], what[16], end = 0, *place;
    sbx_machine_user *user;

    if (!strncmp(line, "runner ", 7) && !machine->runner) {
        machine->runner = sbx_strdup(line + 7);
        return machine->runner ? SBX_OK : sbx_fail_memory(err);
    }
    if (sscanf(line, "network %9u%c", &number, &end) == 1 && !machine->network) {
        machine->network = number;
        return SBX_OK;
    }
    if (sscanf(line, "loopback %2u %5u %5u%c", &number, &first, &last, &end) == 3 && first <= UINT16_MAX &&
        last <= UINT16_MAX && (user = by_number(machine, number)) != NULL &&
        sbx_loopback_add(&user->loopback, (uint16_t)first, (uint16_t)last))
        return SBX_OK;
    if (sscanf(line, "user %2u %191s %2u %9u %1u%c", &number, sid, &slots, &generation, &ready, &end) == 5 && number &&
        slots <= SBX_SLOTS_MAX && is_sid(sid) && !by_number(machine, number) && !sbx_machine_find(machine, sid)) {
        user = add(machine, number, sid);
        if (!user)
            return sbx_fail_memory(err);
        user->slots = slots;
        user->generation = generation;
        user->ready = ready;
        return SBX_OK;
    }
    if (sscanf(line, "principal %2u %15s %191s%c", &number, what, sid, &end) == 3 &&
        (is_sid(sid) || !strcmp(sid, SBX_MACHINE_PENDING)) && (user = by_number(machine, number)) != NULL &&
        (place = place_of(user, what)) != NULL && !*place) {
        sbx_utf8_copy(place, SBX_MACHINE_SID, sid);
        return SBX_OK;
    }
    return sbx_fail(err, SBX_E_UNAVAILABLE, "a line is not understood", line);
}

static sbx_status damaged(sbx_error *err, const char *what)
{
    return sbx_fail(err, SBX_E_UNAVAILABLE, what, "what setup made");
}

sbx_status sbx_machine_parse(sbx_machine *machine, const char *text, size_t length, sbx_error *err)
{
    static const char *const heads[] = {"sbx-elevated 1\n", "sbx-elevated 2\n"};
    const size_t head = strlen(heads[0]);
    char *copy, *line, *next;
    size_t body = length;
    unsigned sum = 0;
    char end = 0;
    sbx_status st = SBX_OK;

    /* the last line is the checksum of what stands before it */
    if (memchr(text, 0, length) || !length || text[length - 1] != '\n')
        return damaged(err, "it is damaged");
    while (body > 1 && text[body - 2] != '\n')
        body--;
    body--;
    copy = sbx_alloc(length + 1);
    if (!copy)
        return sbx_fail_memory(err);
    memcpy(copy, text, length);
    copy[length] = 0;
    if (sscanf(copy + body, "end %8X%c", &sum, &end) != 2 || end != '\n' || sum != checksum(copy, body)) {
        st = damaged(err, "it is damaged");
    } else if (strncmp(copy, heads[0], head) && strncmp(copy, heads[1], head)) {
        st = damaged(err, "another version of sbx wrote it");
        sbx_hint(err, "use that version, or remove with it what it set up: sbx setup --remove");
    } else {
        copy[body] = 0;
        for (line = copy + head; *line && st == SBX_OK; line = next) {
            next = strchr(line, '\n');
            if (!next)
                break;
            *next++ = 0;
            st = parse_line(machine, line, err);
        }
    }
    if (st != SBX_OK)
        sbx_machine_fini(machine);
    sbx_free(copy);
    return st;
}

sbx_status sbx_machine_print(const sbx_machine *machine, sbx_text *out, sbx_error *err)
{
    uint32_t i, k, online;

    sbx_text_add(out, "sbx-elevated 2\n");
    if (machine->runner)
        sbx_text_printf(out, "runner %s\n", machine->runner);
    if (machine->network)
        sbx_text_printf(out, "network %u\n", (unsigned)machine->network);
    for (i = 0; i < machine->count; i++) {
        const sbx_machine_user *user = &machine->users[i];

        sbx_text_printf(out, "user %u %s %u %u %u\n", (unsigned)user->number, user->sid, (unsigned)user->slots,
                        (unsigned)user->generation, (unsigned)user->ready);
        for (k = 0; k < SBX_GROUPS; k++)
            if (user->groups[k][0])
                sbx_text_printf(out, "principal %u %s %s\n", (unsigned)user->number, group_names[k], user->groups[k]);
        for (online = 0; online < 2; online++)
            for (k = 0; k < SBX_SLOTS_MAX; k++)
                if (user->accounts[online][k][0])
                    sbx_text_printf(out, "principal %u %s%02u %s\n", (unsigned)user->number, online ? "on" : "off",
                                    (unsigned)k + 1, user->accounts[online][k]);
        for (k = 0; k < user->loopback.count; k++)
            sbx_text_printf(out, "loopback %u %u %u\n", (unsigned)user->number,
                            (unsigned)user->loopback.ranges[k].first, (unsigned)user->loopback.ranges[k].last);
    }
    if (!out->failed)
        sbx_text_printf(out, "end %08X\n", (unsigned)checksum(out->data, out->length));
    return out->failed ? sbx_fail_memory(err) : SBX_OK;
}
