/* The user's configuration file, %APPDATA%\sbx\sbx.toml, as something to be written. */
#ifndef SBX_CLI_USER_FILE_H
#define SBX_CLI_USER_FILE_H

#include "cli/cli.h"

/* What is in it: "" where there is none (*there 0).  sbx_free it. */
sbx_status sbx_user_file_read(sbx_cli *cli, char **text, size_t *length, int *there, sbx_error *err);

/* The whole of it anew, in one step; makes the folder.  A file that is a link stays one: what it leads to is written.
 * Nothing is written that no run could be made with: then cli->diag, or err, says why. */
sbx_status sbx_user_file_write(sbx_cli *cli, const char *text, size_t length, sbx_error *err);

#endif
