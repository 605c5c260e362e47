/* Where the backend keeps what, and the record of setup as a file. */
#ifndef SBX_ELEVATED_STATE_H
#define SBX_ELEVATED_STATE_H

#include "elevated/machine.h"

/* %ProgramData%\sbx\elevated.txt; the caller frees it. */
sbx_status sbx_state_machine_path(char **path, sbx_error *err);
/* %ProgramData%\sbx\elevated-U.secret. */
sbx_status sbx_state_secret_path(uint32_t user, char **path, sbx_error *err);

/* `machine` begins as { 0 }.  None yet: SBX_OK, and it is empty.  SBX_E_REFUSED: others than administrators can change it.
 * SBX_E_UNAVAILABLE: it is damaged. */
sbx_status sbx_state_load(sbx_machine *machine, sbx_error *err);
/* sbx-runner.exe of the record, held so that it stays what it is: commands run from it as accounts, so that only administrators may
 * be able to change it.  SBX_E_UNAVAILABLE, SBX_E_REFUSED. */
sbx_status sbx_state_runner(const sbx_machine *machine, void **held, sbx_error *err);
/* Is the record there twice, as it is written?  For one that is lost the other one stands. */
int sbx_state_is_twofold(void);
/* On the disk when it returns.  Takes an administrator. */
sbx_status sbx_state_save(const sbx_machine *machine, sbx_error *err);
/* It is gone. */
sbx_status sbx_state_remove(sbx_error *err);

#endif
