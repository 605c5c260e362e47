/*
 * The programs of setup in a folder that only administrators can change: %ProgramFiles%\sbx\setup\VERSION-HASH.
 *
 * sbx may lie anywhere, in a profile too, where the user's own programs without rights change it at will.  What runs with
 * administrator rights, and what runs as an account, comes from a copy: sbx-setup.exe, sbx-runner.exe, sbx-probe.exe where it is, and the
 * backends.  The folder is called after what is in it (SHA-256 of names and contents, 16 digits), so that a copy is never changed,
 * only made or removed: another version, or the same one built anew, lies beside it, whoever runs from the old one goes on,
 * and whether a copy is whole is seen from its name.
 *
 * Each file is opened once, without letting anybody write or rename it, checked (trust.h), hashed, and copied from that handle.
 *
 * Source: MSDN "CreateFileW" (dwShareMode), "File Security and Access Rights", "MoveFileExW".
 */
#ifndef SBX_SETUP_PROGRAMS_H
#define SBX_SETUP_PROGRAMS_H

#include "base/error.h"

#define SBX_PROGRAMS_MAX 40u

typedef struct sbx_programs {
    char *own;    /* the folder of this program */
    char *base;   /* %ProgramFiles%\sbx: setup's, or the installer's */
    char *place;  /* base\setup */
    char *folder; /* place\VERSION-HASH: where the files of `own` belong */
    int here;     /* own is such a folder, and then `folder` */
    struct {
        char name[48]; /* "backends\none.dll" */
        void *handle;
        uint8_t digest[32];
    } files[SBX_PROGRAMS_MAX]; /* none where `here` */
    uint32_t count;
} sbx_programs;

/* `programs` begins as { 0 }; sbx_plugin_init has been called.  SBX_E_REFUSED: others can change what is to be copied. */
sbx_status sbx_programs_open(sbx_programs *programs, sbx_error *err);
void sbx_programs_close(sbx_programs *programs);

/* Is the copy there and whole? */
sbx_status sbx_programs_look(const sbx_programs *programs, int *whole, sbx_error *err);

/* The folder that the copies lie in; checked where it is there. */
sbx_status sbx_programs_make_place(const sbx_programs *programs, sbx_error *err);

/* Makes it, in that folder, or what is missing of it.  *made: something was. */
sbx_status sbx_programs_copy(const sbx_programs *programs, int *made, sbx_error *err);

/* Is a folder of that kind what its name says? */
sbx_status sbx_programs_is_whole(const char *folder, int *whole, sbx_error *err);

/* A copy that is there and whole, whatever its version, or NULL; the caller frees it. */
char *sbx_programs_other(const sbx_programs *programs);

/* Removes all copies but `keep` (NULL: those too, and what is empty then); one that somebody runs from stays, *left counts
 * it. */
void sbx_programs_tidy(const sbx_programs *programs, const char *keep, uint32_t *left);

#endif
