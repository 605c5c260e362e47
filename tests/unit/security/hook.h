/* Something happens at a certain step of the code under test, on the thread that takes it. */
#ifndef SBX_TESTS_HOOK_H
#define SBX_TESTS_HOOK_H

/* At the `nth` step (from 1) of that name (see sbx_step_hook) `act` is called, once. */
void hook_at(const char *step, int nth, void (*act)(void));

/* No more of it; fails the test when the step was not reached. */
void hook_done(void);

#endif
