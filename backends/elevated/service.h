/* Services of the system.  Source: MSDN "QueryServiceStatusEx", "Service Security and Access Rights".  Any thread, any user. */
#ifndef SBX_ELEVATED_SERVICE_H
#define SBX_ELEVATED_SERVICE_H

#include <stdint.h>
#include <wchar.h>

/* *process: in which one, unless NULL.  0: it does not run, or may not be asked. */
int sbx_service_runs(const wchar_t *name_w, uint32_t *process);

#endif
