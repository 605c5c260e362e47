/*
 * Which drive letters are disks of this machine, told without touching what is behind them.
 *
 * A network drive whose server is away answers an open after tens of seconds, and an empty or optical drive spins up first.
 * So whoever only looks around asks here before it opens anything.  Any thread.
 *
 * Source: MSDN "GetDriveTypeW", "Defining an MS-DOS Device Name".
 */
#ifndef SBX_WIN_DRIVE_H
#define SBX_WIN_DRIVE_H

#include <stdint.h>

/* DRIVE_* of winbase.h. */
uint32_t sbx_drive_type(char letter);

/* Whether a path that begins with a letter and a colon is on a fixed disk or a RAM disk. */
int sbx_drive_is_disk(char letter);

#endif
