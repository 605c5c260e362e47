/*
 * The window station of this process, opened to a run where it is closed to it.
 *
 * Whatever imports user32 opens station and desktop when it starts, and ends with 0xC0000142 where it may not.  The station of
 * an interactive logon admits the logon SID.  That of any other one (service, scheduled task, OpenSSH, CI agent) admits the user, and
 * with that nothing that restricts the command's token: there an ACE for the run's SID is added, to what is the user's own, and
 * removed when the run ends.  One that a killed run leaves admits nobody, for no other run has its SID, and goes with the logon session.
 *
 * The one for an account outlives its run, as other runs of the user have that account: it is on record (elevated/lease.h), and
 * undone by the next one or by `clean`.  It comes with one on \Sessions\N\BaseNamedObjects, without which programs of another account
 * make no named objects: MSYS2 and Cygwin end there, others found.
 *
 * Source: MSDN "Process Connection to a Window Station", "Window Station Security and Access Rights", "Desktop Security and
 * Access Rights", "USEROBJECTFLAGS"; WDK "ZwOpenDirectoryObject"; Win32 "Termsv: Kernel object namespaces".
 */
#ifndef SBX_TOKEN_STATION_H
#define SBX_TOKEN_STATION_H

#include "common/token/token.h"
#include "win/user.h"

typedef struct sbx_station {
    void *station, *desktop; /* HWINSTA, HDESK that got an ACE; NULL: not needed */
    void *names;             /* HANDLE of the directory of named objects that got one; NULL: none */
    sbx_user_sid sids[2];    /* whose ACEs */
    uint32_t count;
} sbx_station;

/* Let processes with that token open the station and, if desktop_too, the desktop of this thread.  `station` begins as { 0 }.
 * SBX_E_UNAVAILABLE: they cannot, and that cannot be changed. */
sbx_status sbx_station_open(sbx_station *station, void *token, const void *run_sid, int desktop_too, sbx_error *err);
/* Let processes of an account open the station and make named objects: one ACE for the account, and one for the run, as their tokens
 * are asked twice.  What an interactive logon has of these admits the logon SID, which they have for deny only.
 * SBX_E_UNAVAILABLE: the station stays closed; that the names do is told. */
sbx_status sbx_station_admit(sbx_station *station, const void *account_sid, const void *run_sid, sbx_error *err);
void sbx_station_close(sbx_station *station);

#define SBX_STATION_RECORD 512u

/* What has to be kept before sbx_station_admit, for the case that the run is killed: one line. */
void sbx_station_record(const void *account_sid, const void *run_sid, char record[SBX_STATION_RECORD]);
/* Remove what such a run has left in this session; what it left in another logon goes with that.  The caller knows that the account is
 * nobody's. */
void sbx_station_undo(const char *record);

#endif
