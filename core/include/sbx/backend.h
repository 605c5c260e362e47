/*
 * The sbx backend interface: what a backend DLL supplies and what it may ask
 * of the program that loads it.
 *
 * A backend is one DLL in the `backends` folder beside sbx.exe.  It exports one
 * function, SBX_BACKEND_ENTRY, and is loaded through the same table by three
 * programs:
 *
 *   sbx.exe         computes the policy, opens a session (grants are made or
 *                   checked), spawns the child suspended, verifies, resumes.
 *   sbx-runner.exe  only for backends whose child runs as another account: it is
 *                   started as that account, makes the token there, and spawns.
 *   sbx-setup.exe   started elevated once, applies the machine part of the backend's setup steps.
 *
 *          sbx.exe                         sbx-runner.exe
 *   probe -> open(policy) -> identity ----- SELF ------> token(ticket) -> verify
 *                       \-> ticket -------- LOGON -> in the account: token(ticket)
 *
 * Rules of the interface
 *   - Structures begin with `size` (bytes, set by whoever fills it) and grow only
 *     at the end; a reader takes no field that lies beyond `size`.  A structure that
 *     is a member of another by value (guarantees, limits) never grows.
 *   - Integers have a fixed width, text is UTF-8 with a NUL (lone surrogates as
 *     WTF-8), handles are void pointers (a Win32 HANDLE, "none" is NULL).  No
 *     enum, bool, FILE, or C runtime object crosses.
 *   - Memory that changes owner is allocated with host->alloc and freed with
 *     host->free.  Everything else belongs to whoever supplied it.
 *   - Calls for one session come from one thread at a time.  Host callbacks may be
 *     called from any thread.
 *   - Functions return an SBX_* status and fill the caller's sbx_error on failure.
 *     On failure nothing is left half done and out parameters are untouched.
 *   - No C++ exception or structured exception may leave a function.
 *
 * The header needs C99 or C++11 and <stdint.h>, and nothing of Windows.
 */
#ifndef SBX_BACKEND_H
#define SBX_BACKEND_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) && !defined(_WIN64)
#define SBX_CALL __cdecl
#else
#define SBX_CALL /* one calling convention on x64 and ARM64 */
#endif

/* A backend built for another major is refused; a newer minor only adds. */
#define SBX_ABI_MAJOR 2u
#define SBX_ABI_MINOR 1u
#define SBX_ABI_VERSION ((SBX_ABI_MAJOR << 16) | SBX_ABI_MINOR)

/* ---- Status and errors ------------------------------------------------- */

typedef int32_t sbx_status;

#define SBX_OK 0
#define SBX_E_USAGE 1         /* the command line is wrong */
#define SBX_E_CONFIG 2        /* a configuration file is wrong */
#define SBX_E_REFUSED 3       /* asked for something that must not or cannot be done */
#define SBX_E_SYSTEM 4        /* an operating system call failed */
#define SBX_E_MEMORY 5        /* out of memory */
#define SBX_E_UNAVAILABLE 6   /* the backend cannot work on this machine now */
#define SBX_E_UNENFORCED 7    /* the system did not do what was asked of it */
#define SBX_E_BACKEND 8       /* a backend broke the rules of this interface */
#define SBX_E_NOT_FOUND 9     /* the command does not exist: exit code 127 */
#define SBX_E_NOT_RUNNABLE 10 /* the command exists but cannot run: exit code 126 */
#define SBX_E_TIMEOUT 11      /* the time limit ended the command: exit code 124 */
#define SBX_E_UNSUPPORTED 12  /* this backend has no such function */

/* What the number in sbx_error.code is. */
#define SBX_CODE_NONE 0u
#define SBX_CODE_WIN32 1u
#define SBX_CODE_NTSTATUS 2u
#define SBX_CODE_HRESULT 3u

/* Owned by the caller, fixed size, no heap.  Text is cut at a character. */
typedef struct sbx_error {
    uint32_t size;
    int32_t status;     /* SBX_*; decides the exit code */
    uint32_t code;      /* number from the system, see code_kind */
    uint32_t code_kind; /* SBX_CODE_* */
    char op[64];        /* the operation that failed, "CreateRestrictedToken" */
    char object[512];   /* what it was done to: a path, an account, a key */
    char hint[256];     /* what to do next; empty when nothing certain is known */
} sbx_error;

/* ---- Guarantees --------------------------------------------------------- */

/* Contents and descriptors outside the writable roots are not changed, and nothing is made there. */
#define SBX_AREA_FILE_WRITE 0x01u
#define SBX_AREA_FILE_READ 0x02u    /* paths under deny_read cannot be read */
#define SBX_AREA_NETWORK 0x04u      /* no network but what the policy grants */
#define SBX_AREA_PROCESS_TREE 0x08u /* no descendant outlives or leaves the job */
#define SBX_AREA_UI 0x10u           /* no input, clipboard, hooks to the user's desktop */
/* Nothing outside the writable roots is deleted, moved, renamed or replaced. */
#define SBX_AREA_FILE_DELETE 0x20u
#define SBX_AREA_ALL 0x3Fu

/* An area in neither set has the guarantee "none".  No area is in both. */
typedef struct sbx_guarantees {
    uint32_t size;
    uint32_t enforced; /* SBX_AREA_*: the system refuses, whatever the command does */
    uint32_t advisory; /* SBX_AREA_*: well-behaved programs comply, others need not */
} sbx_guarantees;

/* ---- Policy: plain data, computed by portable code ---------------------- */

#define SBX_NETWORK_OFF 0u
#define SBX_NETWORK_ON 1u

#define SBX_GIT_PROTECT 0u /* .git is read-only for the command */
#define SBX_GIT_COMMIT 1u  /* objects, refs, index open; hooks and config protected */
#define SBX_GIT_WRITE 2u   /* .git is like any other directory */

#define SBX_TEMP_PRIVATE 0u /* an own directory per run, removed afterwards */
#define SBX_TEMP_USER 1u    /* the user's own TEMP, as it is */

#define SBX_ENV_SET 1u     /* name = value, whatever was there */
#define SBX_ENV_UNSET 2u   /* remove name */
#define SBX_ENV_PREPEND 3u /* value;old value, or value where there was none */
#define SBX_ENV_DEFAULT 4u /* name = value where there was none */

#define SBX_TOKEN_WRITE_RESTRICTED 0u /* asked twice for what writes */
#define SBX_TOKEN_ACCOUNT 1u /* that of an ordinary user, less some groups; only where commands have an account */

typedef struct sbx_env_edit {
    uint32_t op; /* SBX_ENV_* */
    const char *name;
    const char *value; /* NULL for SBX_ENV_UNSET */
} sbx_env_edit;

/* TCP and UDP ports of this machine, the last one included; 1 to 65535 are all. */
typedef struct sbx_port_range {
    uint16_t first, last;
} sbx_port_range;

/* Zero means "no limit" in every field. */
typedef struct sbx_limits {
    uint32_t size;
    uint32_t cpu_percent;  /* of the whole machine, 1..100 */
    uint64_t time_ms;      /* wall clock */
    uint64_t memory_bytes; /* committed, whole tree */
    uint32_t processes;    /* alive at one time, whole tree */
    uint32_t reserved;     /* 0 */
} sbx_limits;

#define SBX_POLICY_DESKTOP_PRIVATE 0x01u /* run on a desktop of its own */
#define SBX_POLICY_UI_LIMITS 0x02u       /* limit the user interface by the job, the clipboard above all */
#define SBX_POLICY_KEEP_CHILDREN 0x04u   /* background children outlive the command */

/* Paths are absolute, normalised (backslashes, no "." or "..", no trailing
 * separator but on a volume root), not resolved: links are the backend's to judge. */
#define SBX_READ_TOOLS 0u   /* the homes of tools in the profile, and the folders of PATH */
#define SBX_READ_PROFILE 1u /* these, and the folders of the profile that hold no credentials */
#define SBX_READ_LISTED 2u  /* none of them */

typedef struct sbx_policy {
    uint32_t size;
    uint32_t flags;              /* SBX_POLICY_* */
    const char *workspace;       /* the first writable root; cwd of the command unless set otherwise */
    const char *cwd;             /* where the command starts */
    const char *const *writable; /* roots, the workspace among them if it is writable */
    uint32_t writable_count;
    uint32_t protected_count;
    const char *const *protected_paths; /* absolute, each below a writable root; may not exist yet */
    const char *const *deny_read;       /* absolute */
    uint32_t deny_read_count;
    uint32_t network;               /* SBX_NETWORK_* */
    const sbx_port_range *loopback; /* reachable although the network is off */
    uint32_t loopback_count;
    uint32_t git;             /* SBX_GIT_* */
    uint32_t temp;            /* SBX_TEMP_* */
    uint32_t require;         /* SBX_AREA_* that must be enforced, or the launch is refused */
    const char *const *tools; /* tool presets by name: "git", "node", "cargo", ... */
    uint32_t tool_count;
    uint32_t env_count; /* edits are already applied by the caller; for information */
    const sbx_env_edit *env;
    sbx_limits limits;
    const char *run_id; /* 32 hexadecimal digits, new for every run */
    /* since 2.1 */
    uint32_t protected_asked;    /* so many of protected_paths, the first, somebody named; the others are built in */
    uint64_t account_wait_ms;    /* how long to wait for an account that is free; 0: not at all */
    uint32_t token;              /* SBX_TOKEN_* */
    uint32_t read;               /* SBX_READ_*: what a command in an account reads of the user's beside its folders */
    const char *const *readable; /* absolute: folders that it reads, too */
    uint32_t readable_count;
} sbx_policy;

/* ---- The host: what the loading program offers -------------------------- */

#define SBX_LOG_ERROR 1u
#define SBX_LOG_WARN 2u
#define SBX_LOG_INFO 3u /* shown with -v */

/* Kinds of note: facts for the report, plan and status, not for the screen but where it says so. */
#define SBX_NOTE_GAP 1u      /* something that the policy wants and this run does not have */
#define SBX_NOTE_GRANT 2u    /* a change made or, in a dry run, one that would be made */
#define SBX_NOTE_WITHHELD 3u /* something not passed on, such as a secret; by name, never by value */
#define SBX_NOTE_MEASURE 4u  /* something verified, and how */
#define SBX_NOTE_WARN 5u     /* a gap that matters to everybody: shown once a workspace, and when its text changes */

/* The object of a gap whose text begins with ports of this machine, "8080,3000-3999", that every command reaches, whatever its policy. */
#define SBX_NOTE_PORTS "open ports"

#define SBX_PROGRAM_SBX 1u
#define SBX_PROGRAM_RUNNER 2u
#define SBX_PROGRAM_SETUP 3u

typedef struct sbx_host {
    uint32_t size;
    uint32_t abi;                            /* SBX_ABI_VERSION of the host */
    uint32_t program;                        /* SBX_PROGRAM_*: who loads the backend */
    uint32_t reserved;                       /* 0 */
    const char *program_dir;                 /* folder of the exe, absolute; lives as long as the host */
    const char *state_dir;                   /* folder for per-user state, %LOCALAPPDATA%\sbx; may not exist yet */
    void *(SBX_CALL *alloc)(uint64_t bytes); /* NULL: out of memory; aligned to 16 */
    void *(SBX_CALL *realloc)(void *old, uint64_t bytes);  /* as C realloc; bytes > 0 */
    void(SBX_CALL *free)(void *memory);                    /* NULL is fine */
    void(SBX_CALL *log)(uint32_t level, const char *text); /* one line, no newline */
    void(SBX_CALL *note)(uint32_t kind, const char *object, const char *text);
    /* Shown on stderr when it is a console and the work takes longer than a moment. */
    void(SBX_CALL *progress)(const char *what, uint64_t done, uint64_t total);
    /* An optional feature of the host by id, or NULL.  Lives as long as the host. */
    const void *(SBX_CALL *extension)(const char *id);
} sbx_host;

/* Extension of the host: what is left of the command's tree when the session is closed, with SBX_POLICY_KEEP_CHILDREN. */
#define SBX_EXT_CHILDREN "sbx.children/1"

typedef struct sbx_child {
    uint64_t created; /* FILETIME: with it the number is that of one process */
    uint32_t process_id;
    uint32_t reserved; /* 0 */
} sbx_child;

typedef struct sbx_ext_children {
    uint32_t size;
    uint32_t known; /* 0: the system did not tell, `count` says nothing */
    uint32_t count;
    uint32_t reserved; /* 0 */
    const sbx_child *items;
} sbx_ext_children;

/* ---- The backend --------------------------------------------------------- */

/* State of one launch.  Defined by the backend. */
typedef struct sbx_session sbx_session;

#define SBX_IDENTITY_SELF 1u  /* the child runs as the user of sbx.exe */
#define SBX_IDENTITY_LOGON 2u /* the child runs as another account, through sbx-runner.exe */

typedef struct sbx_identity {
    uint32_t size;
    uint32_t kind;       /* SBX_IDENTITY_* */
    const char *account; /* LOGON: account name; owned by the session */
    const char *domain;  /* LOGON: "." for this machine */
    uint16_t *secret; /* LOGON: password, UTF-16 with a NUL; owned by the session; whoever used it wipes it at once */
    const char *account_sid; /* LOGON: "S-1-5-21-...": the process that is started must belong to it */
    const char *desktop;     /* LOGON: lpDesktop of sbx-runner.exe; NULL: that of sbx.exe */
    const char *runner;      /* LOGON: the sbx-runner.exe that setup installed; NULL: the one beside the program */
} sbx_identity;

/* What the process that spawns needs to make the token: bytes without pointers,
 * understood only by the backend.  For LOGON they travel to the runner by pipe. */
typedef struct sbx_ticket {
    uint32_t size;
    uint32_t length;
    const void *bytes; /* owned by the session */
} sbx_ticket;

/* What the spawning process needs to start the child.  Filled by `token`. */
typedef struct sbx_spawn {
    uint32_t size;
    uint32_t ui_limits;  /* JOB_OBJECT_UILIMIT_* for the job; with any, node and bun end where they start a program */
    void *token;         /* primary token, or NULL for the process's own; the caller closes it */
    const char *desktop; /* lpDesktop, or NULL to inherit; lives as long as `context` */
    void *context;       /* backend's own, given back to verify and spawn_end */
} sbx_spawn;

/* The edits that the backend adds to the child's environment, in order, after those
 * of the policy.  Owned by the session. */
typedef struct sbx_env_edits {
    uint32_t size;
    uint32_t count;
    const sbx_env_edit *edits;
} sbx_env_edits;

#define SBX_OPEN_DRY_RUN 1u /* touch nothing; tell by notes what a run would do */

/* Who applies the steps of a setup. */
#define SBX_SETUP_MACHINE 1u /* sbx-setup.exe, with administrator rights */
#define SBX_SETUP_USER 2u    /* sbx.exe, as the user, afterwards: what only he can grant */

#define SBX_SETUP_DRY_RUN 0x01u  /* look and tell, change nothing */
#define SBX_SETUP_LOOPBACK 0x02u /* `loopback` was given, also where it is empty; else what was set up stays */

typedef struct sbx_setup_options {
    uint32_t size;
    uint32_t part;  /* SBX_SETUP_MACHINE, SBX_SETUP_USER */
    uint32_t flags; /* SBX_SETUP_DRY_RUN, SBX_SETUP_LOOPBACK */
    uint32_t slots; /* accounts of each kind for the user; 0: what was set up, or the backend's choice */
    const sbx_port_range *loopback; /* ports of this machine that its commands may reach */
    uint32_t loopback_count;
    uint32_t reserved;    /* 0 */
    const char *user_sid; /* "S-1-5-21-...": who is to be enrolled; never NULL */
    const char *programs; /* the folder that sbx-runner.exe and the backends have been, or will be, copied to */
    /* of SBX_SETUP_USER, as in a policy */
    const char *const *readable;
    uint32_t readable_count;
    uint32_t read;
} sbx_setup_options;

/* A step of the installation.  Applied in order, undone in reverse; the setup program
 * records each in its journal before it applies it.  Idempotent, every one. */
typedef struct sbx_setup_step sbx_setup_step;

/* Not made by setup: `present` says that it is so, or fails with the reason why setup cannot be here.  Looked at before
 * anything is changed, never applied or undone. */
#define SBX_STEP_CONDITION 0x01u

struct sbx_setup_step {
    uint32_t size;
    uint32_t flags;      /* SBX_STEP_CONDITION */
    const char *name;    /* stable, also for one of many slots: it is written to the journal */
    const char *summary; /* one line for people */
    const void *context; /* the backend's own */
    /* *state: 0 absent, 1 present and right, 2 present but wrong (apply repairs it) */
    sbx_status(SBX_CALL *present)(const sbx_setup_step *step, uint32_t *state, sbx_error *error);
    sbx_status(SBX_CALL *apply)(const sbx_setup_step *step, sbx_error *error);
    sbx_status(SBX_CALL *undo)(const sbx_setup_step *step, sbx_error *error);
};

/* The child runs as another account: identity() gives SBX_IDENTITY_LOGON, and the token is made
 * in sbx-runner.exe.  Without it identity() gives SBX_IDENTITY_SELF. */
#define SBX_BACKEND_ACCOUNT 0x01u

typedef struct sbx_backend {
    uint32_t size;
    uint32_t abi;          /* SBX_ABI_VERSION the backend was built with */
    const char *name;      /* same as the file's stem: "none" for none.dll */
    const char *version;   /* "1.2.3" */
    const char *summary;   /* one line for people */
    sbx_guarantees claims; /* the best that this backend can promise anywhere */
    uint32_t flags;        /* SBX_BACKEND_* */

    /* Can it work on this machine, for this user, now?  Cheap, changes nothing.
     * SBX_E_UNAVAILABLE with op, object and hint says what is missing. */
    sbx_status(SBX_CALL *probe)(sbx_error *error);

    /* sbx.exe: check the policy, make or check the grants.  *guarantees: what holds for
     * this policy on this machine.  SBX_E_REFUSED where policy->require is not met. */
    sbx_status(SBX_CALL *open)(const sbx_policy *policy, uint32_t flags, sbx_session **session,
                               sbx_guarantees *guarantees, sbx_error *error);
    /* sbx.exe: the three things a session gives.  Filled by the backend. */
    sbx_status(SBX_CALL *identity)(sbx_session *session, sbx_identity *identity, sbx_error *error);
    sbx_status(SBX_CALL *ticket)(sbx_session *session, sbx_ticket *ticket, sbx_error *error);
    sbx_status(SBX_CALL *environment)(sbx_session *session, sbx_env_edits *edits, sbx_error *error);
    /* sbx.exe, last call: give back what the run held.  Always called after a successful
     * open.  NULL is fine. */
    void(SBX_CALL *close)(sbx_session *session);

    /* The process that spawns (sbx.exe for SELF, sbx-runner.exe for LOGON). */
    sbx_status(SBX_CALL *token)(const sbx_ticket *ticket, sbx_spawn *spawn, sbx_error *error);
    /* The child exists, is suspended and in its job: is its token what was asked for?
     * SBX_E_UNENFORCED: it is not, the caller ends the child.  process: PROCESS_ALL_ACCESS. */
    sbx_status(SBX_CALL *verify)(const sbx_spawn *spawn, void *process, sbx_error *error);
    /* After the child's end or after a failure; frees spawn->context, not the token. */
    void(SBX_CALL *spawn_end)(sbx_spawn *spawn);

    /* The steps of a part for these options; the table lives until the next call or as long as the DLL.  A backend
     * that has none for that part gives *count = 0. */
    sbx_status(SBX_CALL *setup_steps)(const sbx_setup_options *options, const sbx_setup_step **steps, uint32_t *count,
                                      sbx_error *error);

    /* An optional feature of the backend by id, or NULL. */
    const void *(SBX_CALL *extension)(const char *id);
} sbx_backend;

/* The one export.  Returns a table that lives as long as the DLL, or NULL if the
 * backend cannot work with this host (it may host->log why).  `host` outlives the DLL.
 * A program has one backend loaded at a time. */
#define SBX_BACKEND_ENTRY "sbx_backend_entry"
typedef const sbx_backend *(SBX_CALL *sbx_backend_entry_fn)(const sbx_host *host);

#if defined(_WIN32) && (defined(_MSC_VER) || defined(__GNUC__))
#define SBX_EXPORT __declspec(dllexport)
#else
#define SBX_EXPORT
#endif

/* Declared here so that a definition of it has the right form and C linkage in C++. */
SBX_EXPORT const sbx_backend *SBX_CALL sbx_backend_entry(const sbx_host *host);

/* ---- Extensions of backends ---------------------------------------------- */

/* What a backend has left on the machine, and how to undo it. */
#define SBX_EXT_STATE "sbx.state/1"

#define SBX_STATE_ACTIVE 1u /* held by a run that is alive */
#define SBX_STATE_KEPT 2u   /* kept on purpose, for the next run */
#define SBX_STATE_STALE 3u  /* left by a run that ended badly, or its root is gone or elsewhere */

typedef struct sbx_state_item {
    uint32_t size;
    uint32_t state;      /* SBX_STATE_* */
    const char *kind;    /* "grant", "read", "look", "guard", "temp", ...: one word */
    const char *root;    /* the writable root it belongs to, where that is now, or "" */
    const char *object;  /* the path or name that was changed, likewise */
    const char *text;    /* one line for people */
    uint64_t count;      /* objects changed, for a tree */
    uint32_t process_id; /* of the sbx.exe whose run holds it, or one that outlived that; 0 if none or not known */
    uint32_t reserved;
} sbx_state_item;

#define SBX_CLEAN_ROOT 1u  /* everything that belongs to `root` */
#define SBX_CLEAN_ALL 2u   /* everything of this user that no living run holds */
#define SBX_CLEAN_STALE 3u /* only what is stale */
#define SBX_CLEAN_HOMES                                                                                                \
    4u /* homes of commands, where root is not NULL those of it alone; nothing else deletes them; since 2.1 */

/* Called once an item: after it was listed (list) or dealt with (clean).  error is NULL when it was undone, and when it is
 * SBX_STATE_ACTIVE and was left to its run.  Return 0 to go on. */
typedef int32_t(SBX_CALL *sbx_state_visitor)(void *context, const sbx_state_item *item, const sbx_error *error);

typedef struct sbx_ext_state {
    uint32_t size;
    uint32_t reserved;
    sbx_status(SBX_CALL *list)(sbx_state_visitor visit, void *context, sbx_error *error);
    /* SBX_E_SYSTEM when at least one item could not be undone; each was reported. */
    sbx_status(SBX_CALL *clean)(uint32_t what, const char *root, sbx_state_visitor visit, void *context,
                                sbx_error *error);
} sbx_ext_state;

/* Folders outside of every writable root in which no command can delete, rename or move away. */
#define SBX_EXT_SHIELD "sbx.shield/1"

#define SBX_SHIELD_SUGGESTED 1u /* folders that exist and are worth it, the most important first */
#define SBX_SHIELD_MADE 2u      /* folders that were shielded, where they are now */

#define SBX_SHIELD_STATE_OPEN 0u
#define SBX_SHIELD_STATE_SHIELDED 1u

#define SBX_SHIELD_DRY_RUN 1u /* look and count, change nothing */
#define SBX_SHIELD_REMOVE 2u  /* undo it; needs no record */

#define SBX_SHIELD_FIRST 512u

/* Directories, the one that was named among them.  first_*: path of one of those, "" for none. */
typedef struct sbx_shield_count {
    uint32_t size;
    uint32_t is_known; /* REMOVE: there was a record, so that the user's own equal entries were told apart */
    uint64_t changed;  /* shielded or, with DRY_RUN, to be; REMOVE: as before now */
    uint64_t shielded; /* were already; REMOVE: kept, as the entry is the user's own */
    uint64_t left_out; /* hold something that the user could not delete then; REMOVE: could not be changed */
    /* that the user would have to name, not looked into; REMOVE: roots that still have it, to be cleaned first */
    uint64_t apart;
    uint64_t closed; /* that the user may not change */
    uint64_t links;  /* not followed */
    char first_left_out[SBX_SHIELD_FIRST];
    char first_apart[SBX_SHIELD_FIRST];
    char first_closed[SBX_SHIELD_FIRST];
} sbx_shield_count;

/* Called once a folder, state: SBX_SHIELD_STATE_*.  Return 0 to go on. */
typedef int32_t(SBX_CALL *sbx_shield_visitor)(void *context, const char *folder, uint32_t state);

typedef struct sbx_ext_shield {
    uint32_t size;
    uint32_t reserved;
    /* which: SBX_SHIELD_SUGGESTED, SBX_SHIELD_MADE */
    sbx_status(SBX_CALL *folders)(uint32_t which, sbx_shield_visitor visit, void *context, sbx_error *error);
    /* flags: SBX_SHIELD_DRY_RUN or SBX_SHIELD_REMOVE.  folder: absolute, normalised.  *count is filled on failure, too; what was
     * done is on record, and the next call goes on from there. */
    sbx_status(SBX_CALL *run)(uint32_t flags, const char *folder, sbx_shield_count *count, sbx_error *error);
} sbx_ext_shield;

/* Writable roots that were granted before, looked at again: what was moved into one, or lost its access rights, is opened. */
#define SBX_EXT_GRANT "sbx.grant/1"

#define SBX_GRANT_TEXT 1024u

typedef struct sbx_grant_count {
    uint32_t size;
    uint32_t reserved;
    uint64_t objects;           /* looked at */
    uint64_t opened;            /* of them, to commands, which had not been */
    uint64_t closed;            /* stay closed to commands */
    char root[SBX_GRANT_TEXT];  /* that was meant */
    char first[SBX_GRANT_TEXT]; /* of those that stay closed, below the root; "": none, or not known */
    char why[SBX_GRANT_TEXT];   /* in words, "2 files have names ..." */
} sbx_grant_count;

typedef struct sbx_ext_grant {
    uint32_t size;
    uint32_t reserved;
    /* path: absolute, normalised; a root, or a folder in one.  SBX_E_REFUSED where there is none.  *count is filled on
     * failure, too: the next call goes on from there, and so does the next run. */
    sbx_status(SBX_CALL *again)(const char *path, sbx_grant_count *count, sbx_error *error);
} sbx_ext_grant;

/* What a command may do is asked of the system with a token like its own, without a command. */
#define SBX_EXT_TOKEN "sbx.token/1"

typedef struct sbx_ext_token {
    uint32_t size;
    uint32_t reserved;
    /* *token: for a thread, with TOKEN_QUERY and TOKEN_IMPERSONATE, so that access checks answer as the command's would;
     * the caller closes it.  The session may be one of a dry run.  *how: one line for people on how it was made; lives as long as the
     * DLL. */
    sbx_status(SBX_CALL *like)(sbx_session *session, void **token, const char **how, sbx_error *error);
} sbx_ext_token;

#ifdef __cplusplus
}
#endif
#endif
