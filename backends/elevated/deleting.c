#include "elevated/deleting.h"

#include <windows.h>

#include "common/host.h"
#include "common/token/token.h"
#include "win/error.h"
#include "win/handle.h"

/* Of this system, with a token of this user.  Where none can be made nothing is known. */
static int asks_twice(void)
{
    sbx_token_spec spec = {.launcher = NULL};
    HANDLE token = NULL, copy = NULL;
    int may = 1;

    if (sbx_run_sid("00000000000000000000000000000000", spec.run_sid, NULL) != SBX_OK ||
        sbx_token_restrict(&spec, &token, NULL) != SBX_OK || sbx_token_copy(token, &copy, NULL) != SBX_OK ||
        sbx_token_measure_delete(copy, NULL, &may, NULL) != SBX_OK)
        may = 1;
    sbx_handle_close(&copy);
    sbx_handle_close(&token);
    return !may;
}

sbx_status sbx_deleting_claim(const sbx_policy *policy, const sbx_grants *grants, int is_whole,
                              sbx_guarantees *guarantees, int *twice, sbx_error *err)
{
    const char *every = sbx_grants_every(grants);

    *twice = !is_whole && asks_twice();
    if (*twice || (!is_whole && !every)) {
        guarantees->enforced |= SBX_AREA_FILE_DELETE;
        return SBX_OK;
    }
    guarantees->advisory |= SBX_AREA_FILE_DELETE;
    if (!is_whole)
        sbx_host_note(SBX_NOTE_WARN, "delete",
                      "on this system the command can delete, rename and move away what lies in folders of which every "
                      "user of the machine has full control, such as %s; it cannot change it",
                      every);
    if (!(policy->require & SBX_AREA_FILE_DELETE))
        return SBX_OK;
    if (is_whole) {
        sbx_fail(err, SBX_E_REFUSED, "it does not enforce deletes with the token \"account\"", "backend \"elevated\"");
        return sbx_hint(err, "leave out --elevated-token account");
    }
    sbx_fail(err, SBX_E_REFUSED, "require delete: every user has full control of it", every);
    return sbx_hint(err, "take from Users, or INTERACTIVE, what they do not need there: icacls \"%s\"", every);
}

sbx_status sbx_deleting_check(void *copy, sbx_error *err)
{
    static const uint8_t users[16] = {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x21, 2, 0, 0}; /* S-1-5-32-545 */
    int may = 1;
    sbx_status st = sbx_token_measure_delete(copy, users, &may, err);

    return st == SBX_OK && may ? sbx_fail(err, SBX_E_UNENFORCED, "access check: what lies outside can be deleted",
                                          "the command's token")
                               : st;
}
