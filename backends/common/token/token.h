/*
 * The write-restricted token of a sandboxed command, and the proof that it is one.
 *
 * Made of the token of this process: no privilege but SeChangeNotify, Administrators for deny only, medium
 * integrity at most, and write access only where one of the restricting SIDs is admitted too: those of the writable
 * roots, those of this set of roots and of this run, the logon session's, Everyone.  Never the user's: what the user owns could be re-ACLed.
 *
 * The logon SID and Everyone are needed for the window station, \Device\Null, named objects of the session, the
 * console.  The default DACL, for the pipes, events and processes that the command makes, admits the user, SYSTEM and the run's
 * own SID, so that nested pipes work and another sandbox of the same logon session cannot write to them; the
 * logon SID would admit it.  The user's ACE lets his own tools (debugger, task manager) handle the processes.
 *
 * In an account of its own the account's SID is among the restricting ones, in place of the logon session's: the account owns
 * nothing but what its commands make, and pipes without a descriptor, consoles and their like admit their owner.  The logon SID
 * there is that of whoever launched it (the secondary logon stamps it on): the token has it for deny only, or the
 * user's processes, whose default DACL admits it, were open.  The default DACL admits the user as well.
 *
 * There it may also be unrestricted, for programs that fail with a restricted token: the account's own, with what an ordinary user
 * is let in by (Authenticated Users, INTERACTIVE, LOCAL and the like) for deny only, and with the groups that the spec names.
 *
 * Source: MSDN "CreateRestrictedToken", "Restricted Tokens", "TOKEN_ACCESS_INFORMATION", "How DACLs Control Access to an
 * Object", "AccessCheck"; MS-DTYP 2.5.3.  Any thread.
 */
#ifndef SBX_TOKEN_TOKEN_H
#define SBX_TOKEN_TOKEN_H

#include "base/error.h"

/* Restricting SIDs beyond the set's, the run's, the logon session's and Everyone.  Windows has room for some 150 in a token; every
 * one costs time at every check. */
#define SBX_TOKEN_ROOTS 16u

#define SBX_RUN_SID_BYTES 28u /* 5 sub-authorities: a tag and the 128 bits of the run's id */

typedef struct sbx_token_spec {
    _Alignas(4) uint8_t run_sid[SBX_RUN_SID_BYTES]; /* a PSID */
    const void *set_sid;                            /* the PSID of the set of roots and rules (set.h); NULL: none */
    const void *const *roots;                       /* PSIDs */
    uint32_t root_count;
    /* NULL: the command runs as the user.  Else PSID of the user whose command runs as this account: */
    const void *launcher;
    int is_whole;          /* no restricting SIDs; of an account only */
    const void *deny_only; /* is_whole: PSID of a group to have for deny only; NULL: none */
} sbx_token_spec;

/* The SID of a run: S-1-9-TAG-w0-..-w3.  run_id: 32 hexadecimal digits, or SBX_E_REFUSED. */
sbx_status sbx_run_sid(const char *run_id, uint8_t sid[SBX_RUN_SID_BYTES], sbx_error *err);

/* Can tokens be made of that of this process?  SBX_E_UNAVAILABLE when it is restricted already or an AppContainer's
 * (a second restriction could only intersect with the first). */
sbx_status sbx_token_own(sbx_error *err);

/* Has it a logon SID?  That of a network logon (OpenSSH with keys, WinRM) may have none; then neither has the command's,
 * and what admits only the logon session is closed to it. */
int sbx_token_has_logon(void);

/* *token: primary token with all access, the caller closes it. */
sbx_status sbx_token_restrict(const sbx_token_spec *spec, void **token, sbx_error *err);

/* *copy: as of sbx_token_copy, of such a token made of `base`, the token of an account that the command would run as; NULL: of this
 * process's.  base: TOKEN_QUERY, TOKEN_DUPLICATE. */
sbx_status sbx_token_like(const sbx_token_spec *spec, void *base, void **copy, sbx_error *err);

/* Give a process that was started with such a token, and the copy of the token that it has, the DACL of what it makes
 * itself.  MSDN "CreateProcessAsUserW" says that they have it; others found there that of the process that starts it, and then
 * the command could not open its own token to duplicate or adjust it.  Both: WRITE_DAC. */
sbx_status sbx_token_settle(const sbx_token_spec *spec, void *process, void *token, sbx_error *err);

/* A copy of a token for a thread, with which the functions below ask.  token: TOKEN_DUPLICATE.  The caller closes it. */
sbx_status sbx_token_copy(void *token, void **copy, sbx_error *err);

/* Is it exactly what sbx_token_restrict makes for this spec, and do access checks treat it so?  token: TOKEN_QUERY.
 * SBX_E_UNENFORCED names what is not. */
sbx_status sbx_token_verify(const sbx_token_spec *spec, void *token, void *copy, sbx_error *err);

/* May the command delete, move and replace what lies in folders that admit only the user, or (sid, a PSID) another one that the token has
 * and that does not restrict it?  It may where the system does not
 * count FILE_DELETE_CHILD among the rights that write: documents leave both open. */
sbx_status sbx_token_measure_delete(void *copy, const void *sid, int *may, sbx_error *err);

/*
 * Open objects as a thread with that token would.  closed: a directory of the user in which the command must not
 * create files; opened: one in which it must be able to; root: a writable root in which it must be able to, which sbx may
 * reach as an administrator and the command not.  Each may be NULL: not asked.  Nothing is created.
 * SBX_E_UNENFORCED when the first is not denied or the second is not allowed, SBX_E_REFUSED for the root.
 */
sbx_status sbx_token_try(void *copy, const char *closed, const char *opened, const char *root, sbx_error *err);

/* What the command must not read: paths, one a line.  SBX_E_UNENFORCED where one opens, or it is not known whether it would. */
sbx_status sbx_token_try_hidden(void *copy, const char *paths, sbx_error *err);

/* As sbx_token_try, with a kernel object made for the purpose and gone afterwards. */
sbx_status sbx_token_try_object(void *copy, sbx_error *err);

#endif
