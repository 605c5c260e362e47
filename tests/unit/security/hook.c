#include "hook.h"

#include "common/grants/ledger.h"
#include "fixture.h"

static const char *wanted;
static int wanted_nth;
static volatile LONG seen;
static void (*action)(void);

static void on_step(const char *step)
{
    if (!strcmp(step, wanted) && InterlockedIncrement(&seen) == wanted_nth)
        action();
}

void hook_at(const char *step, int nth, void (*act)(void))
{
    wanted = step;
    wanted_nth = nth;
    action = act;
    seen = 0;
    sbx_step_hook = on_step;
}

void hook_done(void)
{
    sbx_step_hook = NULL;
    assert_true(seen >= wanted_nth);
}
