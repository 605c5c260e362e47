/*
 * sbx-first-hour: asks Windows what documents leave open, and tries sbx on it.
 *
 *   sbx-first-hour all SBX FOLDER [PATH...]     everything that needs nobody's hand, in a new FOLDER of the user's profile
 *   sbx-first-hour VERB...                      what `all` runs inside a sandbox; main.c has the list
 *
 * Each probe prints a line "NAME | WORLD | TRIED | RESULT | READING".  WORLD is "here" (no sandbox), or the backend.
 * U0-U10 have numbers, the others names.  A READING that is spelled NAME=VALUE is one of those in tests/lab/README.md.
 *
 * A probe asks for a right and does no harm: it changes only what it made in FOLDER, talks to nobody but this machine, and
 * ends all that it starts.  Nothing here uses a library of sbx: a fault there must not hide itself.
 *
 * Source: MSDN "How AccessCheck Works", "Restricted Tokens", "NtQueryObject", "ZwSetInformationFile",
 * "FILE_RENAME_INFORMATION", "CreateProcessAsUserW", "SECURITY_DESCRIPTOR_CONTROL"; MS-DTYP 2.5.3; MS-FSA 2.1.5.
 */
#ifndef SBX_FIRST_HOUR_H
#define SBX_FIRST_HOUR_H

#include <windows.h>

#if defined(__GNUC__)
#define LIKE_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define LIKE_PRINTF(at, first)
#endif

#define LONGEST 1024 /* units of a path */

/* ---- output.c ---- */

extern const char *world; /* where this process runs; the lines name it */

/* One line.  reading: "" where the result speaks for itself. */
void tell(const char *name, const char *tried, const char *reading, const char *result, ...) LIKE_PRINTF(4, 5);
/* "ok" or "error N"; what GetLastError says now if it is not ok.  Good until the fourth next call. */
const char *outcome(BOOL ok);
/* Text for a result; good until the fourth next call. */
const char *text(const char *format, ...) LIKE_PRINTF(1, 2);

/* ---- things.c: files, descriptors, tokens, programs ---- */

/* DIR\NAME; good until the eighth next call. */
wchar_t *below(const wchar_t *dir_w, const wchar_t *name_w);
HANDLE open_for(const wchar_t *path_w, DWORD access, DWORD disposition, DWORD flags); /* shares all; NULL on failure */
BOOL close(HANDLE handle);                                                            /* TRUE if it was one */
BOOL make_file(const wchar_t *path_w);                                                /* holds "mine" */
BOOL exists(const wchar_t *path_w);
BOOL is_mine(const wchar_t *path_w);     /* still holds "mine" */
void remove_tree(const wchar_t *path_w); /* whatever its DACLs say */

/* The DACL as SDDL with %s for the user's SID; NULL: failed.  Freed by nobody. */
PSECURITY_DESCRIPTOR descriptor(const char *sddl);
BOOL set_dacl(const wchar_t *path_w, const char *sddl); /* as it stands, no propagation */
char *get_sddl(HANDLE object);                          /* of files and kernel objects: owner, DACL; never NULL */
PSECURITY_DESCRIPTOR get_descriptor(HANDLE object);     /* never NULL */

void *token_info(HANDLE token, TOKEN_INFORMATION_CLASS what); /* NULL: failed */
char *user_sid(void);
/* A write-restricted token as a sandbox has, restricted to PROBE_SID, Everyone and the logon SID; its default DACL admits
 * the user and PROBE_SID. */
#define PROBE_SID "S-1-9-20-26-1-1"
HANDLE restricted_token(void);

/* Run a command line with the own standard handles; its exit code, or 0xE0000000 and the error if it did not start.  After
 * two minutes it is ended. */
DWORD run(const wchar_t *command_w, DWORD flags);
DWORD run_silent(const wchar_t *command_w, DWORD flags); /* what it prints is dropped */
typedef struct running {
    HANDLE process, input;
    DWORD id; /* that it told */
} running;
/* Start a command that says "pid N" and stays until a line comes. */
BOOL start(const wchar_t *command_w, running *it);
void finish(running *it);
const wchar_t *self(void); /* the path of this program */

/* ---- the probes ---- */

void ask_types(void);                        /* types.c */
void ask_files(const wchar_t *dir_w);        /* files.c: descriptors and renames without a sandbox */
void ask_tokens(void);                       /* tokens.c */
void tell_where(void);                       /* tokens.c: what this process is */
int take(DWORD process, const wchar_t *dir); /* tokens.c: act as another process */
void ask_network(const wchar_t *dir_w);      /* network.c: what filters do not see; makes and deletes a file there */
void ask_firewall(void);                     /* network.c: filters and rules, in full for administrators */
void try_inside(const wchar_t *dir_w);       /* inside.c */
void try_volumes(int argc, wchar_t **argv);  /* inside.c */
int try_sandboxes(const wchar_t *sbx_w, const wchar_t *dir_w, int argc, wchar_t **argv); /* sandboxes.c */

#endif
