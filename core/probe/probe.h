/*
 * sbx-probe.exe: tries, from where it is started, what a sandbox should refuse and what it should let be.
 *
 *   sbx-probe hold COMMAND...   make the objects that others try, and the folders "out" and "ws" (with .git) in the current directory; run COMMAND in "ws" with
 *                               " PID TID PORT" added; tell what was reached or changed
 *   sbx-probe clear NAME        delete a folder of the current directory
 *   sbx-probe try OUTSIDE PROFILE SID PID TID PORT    each row of the table, in the current directory, a writable one
 *   sbx-probe facts             what of this machine matters to a sandbox
 *
 * One line of JSON each on stdout, ASCII.  A row: {"row", "area", "expects", "tried", "answer", "code"}; answer: "open", "refused", or
 * "untried" where there is nothing to try, or the system fails otherwise.  Behind the last one {"rows": N}; {"stuck": ROW} or
 * {"crashed": ROW, "code": N} is the last line of a probe that did not get there.
 *
 * A row asks for a right and does no harm.  It changes only what was made for it: files of OUTSIDE and of the current directory, objects
 * of the process that holds them.  On the network only this machine's loopback addresses are tried.  Nothing outlives the program.
 * Nothing here uses a library of sbx: a fault there must not hide itself.
 *
 * Source: MSDN "File Security and Access Rights", "Process Security and Access Rights", "Thread Security and Access Rights",
 * "Access Rights for Access-Token Objects", "Registry Key Security and Access Rights", "Window Station Security and Access Rights",
 * "Desktop Security and Access Rights", "Service Security and Access Rights", "Windows Sockets Error Codes", "IcmpSendEcho".
 */
#ifndef SBX_PROBE_PROBE_H
#define SBX_PROBE_PROBE_H

#include <windows.h>

#define SBX_PROBE_UNTRIED 0xFFFFFFFFu /* as an error: there is no such thing here */

/* What `expects` says. */
#define SBX_PROBE_HELD "held"   /* refused where the area is enforced */
#define SBX_PROBE_TOLD "told"   /* open also there, as the documents say; no claim */
#define SBX_PROBE_WORKS "works" /* open in every sandbox */

typedef struct sbx_probe_row sbx_probe_row;

struct sbx_probe_row {
    const char *name;
    const char *area;                       /* as in `require`; "": no area */
    const char *expects;                    /* SBX_PROBE_* */
    const char *tried;                      /* for people */
    DWORD (*ask)(const sbx_probe_row *row); /* 0: open, SBX_PROBE_UNTRIED, or a Win32 error */
    const wchar_t *object_w;                /* what of, where the function serves several rows */
    DWORD access;
};

extern const sbx_probe_row sbx_probe_rows[]; /* table.c; ended by a NULL name */

/* Where `try` is, and who holds the objects that others made. */
typedef struct sbx_probe_place {
    const wchar_t *outside_w, *profile_w, *sid_w;
    DWORD process, thread;
    WORD port; /* TCP and UDP, IPv4 and IPv6 */
} sbx_probe_place;

extern sbx_probe_place sbx_probe_at;

#define SBX_PROBE_PATH 1024 /* units */

/* A format with a process's number, for the objects that `hold` makes. */
#define SBX_PROBE_EVENT L"Local\\sbx-probe-%lu-event"
#define SBX_PROBE_SECTION L"Local\\sbx-probe-%lu-section"
#define SBX_PROBE_NAME L"sbx-probe"
#define SBX_PROBE_PIPE L"\\\\.\\pipe\\" SBX_PROBE_NAME L"-%lu"

/* files.c.  object_w begins with what it is in: "outside\", "ws\" (the current directory), "profile\", "C:" (the system's drive). */
DWORD sbx_probe_open(const sbx_probe_row *row); /* with those rights and no others */
DWORD sbx_probe_make(const sbx_probe_row *row); /* a new file, or a stream of one */
DWORD sbx_probe_by_prefix(const sbx_probe_row *row);
DWORD sbx_probe_by_short_name(const sbx_probe_row *row);
DWORD sbx_probe_by_id(const sbx_probe_row *row);
DWORD sbx_probe_by_symlink(const sbx_probe_row *row);
DWORD sbx_probe_by_junction(const sbx_probe_row *row);
DWORD sbx_probe_hard_link(const sbx_probe_row *row);
DWORD sbx_probe_delete(const sbx_probe_row *row);
DWORD sbx_probe_rename(const sbx_probe_row *row);
DWORD sbx_probe_move_in(const sbx_probe_row *row);
DWORD sbx_probe_replace(const sbx_probe_row *row);
DWORD sbx_probe_remove_folder(const sbx_probe_row *row);
DWORD sbx_probe_volumes(const sbx_probe_row *row);
DWORD sbx_probe_own_file(const sbx_probe_row *row); /* made, renamed, written, deleted */
DWORD sbx_probe_temp(const sbx_probe_row *row);

/* objects.c */
DWORD sbx_probe_key(const sbx_probe_row *row); /* "HKLM\..." or "USER\..." */
DWORD sbx_probe_process(const sbx_probe_row *row);
DWORD sbx_probe_thread(const sbx_probe_row *row);
DWORD sbx_probe_token(const sbx_probe_row *row);
DWORD sbx_probe_event(const sbx_probe_row *row);
DWORD sbx_probe_section(const sbx_probe_row *row);
DWORD sbx_probe_pipe(const sbx_probe_row *row);
DWORD sbx_probe_pipe_by_name(const sbx_probe_row *row); /* of a service */
DWORD sbx_probe_own_pipe(const sbx_probe_row *row);     /* as libuv makes those of a child */
DWORD sbx_probe_own_anonymous_pipe(const sbx_probe_row *row);
DWORD sbx_probe_own_event(const sbx_probe_row *row);
DWORD sbx_probe_own_program(const sbx_probe_row *row);
DWORD sbx_probe_breakaway(const sbx_probe_row *row);
DWORD sbx_probe_manager(const sbx_probe_row *row);
DWORD sbx_probe_service(const sbx_probe_row *row);

/* token.c: with a token that the command makes of its own */
DWORD sbx_probe_restricted_write(const sbx_probe_row *row);
DWORD sbx_probe_restricted_tcp(const sbx_probe_row *row);
DWORD sbx_probe_anonymous_tcp(const sbx_probe_row *row);

/* remote.c: services that ask the network for others; in a thread, as they may not answer */
DWORD sbx_probe_redirector(const sbx_probe_row *row);
DWORD sbx_probe_dns(const sbx_probe_row *row);

/* desktop.c: user32.dll is loaded for it alone, as a process that may not reach its desktop would not start with it */
DWORD sbx_probe_user32(const sbx_probe_row *row);
DWORD sbx_probe_station(const sbx_probe_row *row);
DWORD sbx_probe_desktop(const sbx_probe_row *row);

/* net.c; object_w: "4" or "6" */
DWORD sbx_probe_tcp(const sbx_probe_row *row);
DWORD sbx_probe_udp(const sbx_probe_row *row);
DWORD sbx_probe_listen(const sbx_probe_row *row);
DWORD sbx_probe_ping(const sbx_probe_row *row);
DWORD sbx_probe_raw(const sbx_probe_row *row);
/* Sockets that hear at one port, as many of the four as there are; 0: none.  heard: how many connections and datagrams. */
WORD sbx_probe_hear(void);
void sbx_probe_heard(DWORD *connections, DWORD *datagrams);

/* hold.c */
int sbx_probe_hold(const wchar_t *command_w);
int sbx_probe_clear(const wchar_t *name_w);

/* facts.c */
int sbx_probe_facts(void);

/* main.c: one line, at once. */
void sbx_probe_print(const char *format, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 1, 2)))
#endif
    ;

/* 0, or the last error; closes what was opened. */
DWORD sbx_probe_done(HANDLE handle);

#endif
