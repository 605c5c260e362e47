/*
 * Setup and its removal, cut at each of their writes: what is there then never counts as set up, the next setup comes to its
 * end, and the removal leaves the machine as it was.  Filters are made in one transaction, and not here.
 *
 * All cuts with SBX_ALL_CUTS=1; otherwise every STRIDE-th, from another one each time that the clock gives.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elevated/state.h"
#include "setup/folder.h"
#include "setup/setup.h"
#include "unit/support/cut.h"

#define FOLDER "C:\\ProgramData\\sbx"
#define STRIDE 29u

static sbx_setup_step here[64];

/* One call of sbx-setup.exe. */
static sbx_status call(sbx_action what, sbx_error *err)
{
    sbx_setup s = {.what = what, .folder = (char *)(uintptr_t)FOLDER, .tell = {.backend = "elevated", .quiet = 1}};
    sbx_steps all = {.items = here};
    uint32_t i;

    strcpy(s.user_text, own_sid);
    options(1);
    for (i = 0; i < count; i++)
        if (!is_elsewhere(i))
            here[all.count++] = steps[i];
    return sbx_setup_change(&s, &all, err);
}

static void call_whole(sbx_action what, const char *after)
{
    sbx_error err = {0};
    char why[64];

    sbx_cut_at(0);
    snprintf(why, sizeof(why), "after a cut at write %s", after);
    check(call(what, &err), &err, why);
}

/* Whoever starts a command now: is what the record calls ready? */
static void not_half(const char *at)
{
    sbx_machine machine = {0};
    sbx_machine_user *user;
    sbx_error err = {0};

    sbx_cut_at(0);
    check(sbx_state_load(&machine, &err), &err, at);
    user = sbx_machine_find(&machine, own_sid);
    if (user && user->ready && !logs_on(L"sbx1-off01", derived("sbx1-off01"), LOGON32_LOGON_INTERACTIVE))
        fail_msg("ready after a cut at write %s, but the account does not log on", at);
    sbx_machine_fini(&machine);
}

/* Cut at that write of a setup, or of a removal.  0: it has fewer. */
static int cut(sbx_action what, uint32_t n, const char **at)
{
    static char text[64];
    sbx_error err = {0};
    sbx_status st;

    if (what == SBX_ACTION_REMOVE)
        call_whole(SBX_ACTION_APPLY, *at);
    sbx_cut_at(n);
    st = call(what, &err);
    if (!sbx_cut_hit()) {
        check(st, &err, "not cut");
        return 0;
    }
    snprintf(text, sizeof(text), "%u (%s)", (unsigned)n, sbx_cut_what());
    *at = text;
    not_half(text);
    return 1;
}

static void gone(uint32_t before, const char *at)
{
    if (snapshot() != before || sbx_setup_folder_look(FOLDER) != SBX_FOLDER_NONE)
        fail_msg("something is left after a cut at write %s", at);
}

void test_cut_anywhere(void **state)
{
    const uint32_t step = getenv("SBX_ALL_CUTS") ? 1 : STRIDE;
    const uint32_t first = 1 + (step > 1 ? GetTickCount() % step : 0);
    const char *at = "nothing";
    uint32_t before, n, writes;

    (void)state;
    call_whole(SBX_ACTION_REMOVE, at); /* what the tests before left: a folder */
    before = snapshot();
    for (n = first; cut(SBX_ACTION_APPLY, n, &at); n += step) {
        if (n / step % 2)
            call_whole(SBX_ACTION_APPLY, at);
        call_whole(SBX_ACTION_REMOVE, at);
        gone(before, at);
    }
    assert_true(logs_on(L"sbx1-off01", derived("sbx1-off01"), LOGON32_LOGON_INTERACTIVE));
    writes = sbx_cut_count();
    assert_true(writes > 100); /* control: they are taken */
    call_whole(SBX_ACTION_REMOVE, at);
    for (n = first; cut(SBX_ACTION_REMOVE, n, &at); n += step) {
        if (n / step % 2)
            call_whole(SBX_ACTION_APPLY, at);
        call_whole(SBX_ACTION_REMOVE, at);
        gone(before, at);
    }
    assert_true(sbx_cut_count() > 50);
    print_message("%u writes of a setup, %u of its removal\n", (unsigned)writes, (unsigned)sbx_cut_count());
    sbx_cut_at(0);
    assert_int_equal(sbx_setup_folder_make(FOLDER, SBX_FOLDER_STATE, NULL), SBX_OK);
}
