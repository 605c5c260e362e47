/*
 * `sbx explain PATH`: whether a command may, and what decides that.
 *
 * The backend gives a token like the command's (SBX_EXT_TOKEN), and the system is asked with it twice: by an access check against the
 * descriptor of the object, and by opening the object as a thread with that token, for just the rights of the deed and no longer.  Nothing
 * is read, written or deleted.  What it says is the answer; decide.h finds the ACE that it comes from, in each of the two passes that a
 * token with restricting SIDs is asked.
 *
 * All of it is one JSON object (explain.schema.json), which --json prints and from which the text for people is made.
 *
 * Source: MSDN "AccessCheck", "SetThreadToken", "Restricted Tokens", "File Security and Access Rights", "GetFinalPathNameByHandleW",
 * "FindFirstStreamW", "FindFirstFileNameW", "Reparse Point Tags".
 */
#ifndef SBX_CLI_EXPLAIN_H
#define SBX_CLI_EXPLAIN_H

#include "base/memory.h"
#include "cli/json.h"

/* ---- explain_object.c: the object behind a spelling ---- */

typedef struct sbx_explain_object {
    const char *path;             /* links followed; of the nearest folder that is there, where it is missing itself */
    const char *below;            /* what is missing below that; NULL: nothing is */
    int is_directory, is_several; /* several names */
    uint32_t attributes;
    int keeps_rights;   /* its volume */
    uint8_t *sd;        /* its descriptor, and that of the folder that it is in; NULL: not to be read */
    uint8_t *folder_sd; /* only with is_itself */
    const char *folder;
} sbx_explain_object;

/* is_itself: of a link the link, not what it leads to.  Adds members to `json`.  `object` begins as { 0 }.  SBX_E_REFUSED: that is no
 * path of a file on this machine, or its links lead nowhere. */
sbx_status sbx_explain_look(sbx_arena *arena, const char *path, int is_itself, sbx_explain_object *object, cJSON *json,
                            sbx_error *err);
void sbx_explain_forget(sbx_explain_object *object);

/* The descriptor of a file or folder: owner, group, DACL and label; freed with sbx_free.  NULL: it is not to be read. */
uint8_t *sbx_explain_descriptor(const char *path);

/* ---- explain_ask.c: the token ---- */

typedef struct sbx_explain_token {
    void *copy;                /* HANDLE, see SBX_EXT_TOKEN */
    void *groups, *restricted; /* TOKEN_GROUPS; of `groups` the first is the user */
    void *user, *rest;         /* that it points into */
    uint32_t twice;            /* rights that are asked of the restricting SIDs as well */
} sbx_explain_token;

/* copy: the token's from then on.  `token` begins as { 0 }. */
sbx_status sbx_explain_token_open(sbx_explain_token *token, void *copy, sbx_error *err);
void sbx_explain_token_close(sbx_explain_token *token);

#define SBX_EXPLAIN_REFUSED 0
#define SBX_EXPLAIN_ALLOWED 1
#define SBX_EXPLAIN_UNKNOWN 2

/* By an access check.  Adds the passes, of what `of` says, to the array. */
int sbx_explain_check(const sbx_explain_token *token, const uint8_t *sd, uint32_t mask, const char *of, cJSON *passes);

/* Does the restricting list alone admit it? */
int sbx_explain_is_open(const sbx_explain_token *token, const uint8_t *sd, uint32_t mask);

/* By opening it.  *code: of Win32. */
int sbx_explain_try(const sbx_explain_token *token, const char *path, int is_itself, uint32_t mask, uint32_t *code);

/* ---- explain_print.c ---- */

void sbx_explain_print(const cJSON *root, sbx_text *out);

#endif
