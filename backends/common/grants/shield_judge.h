/*
 * What a shield leaves alone.
 *
 * Any thread, but for init and fini.
 */
#ifndef SBX_GRANTS_SHIELD_JUDGE_H
#define SBX_GRANTS_SHIELD_JUDGE_H

#include "base/error.h"
#include "common/grants/sd.h"

#define SBX_SHIELD_APART 10u

typedef struct sbx_shield_id {
    uint64_t volume;
    uint8_t file[16];
} sbx_shield_id;

typedef struct sbx_shield_judge {
    void *token;                           /* the user without administrator rights, to ask with */
    sbx_shield_id apart[SBX_SHIELD_APART]; /* folders that have to be named */
    uint32_t count;
    int takes_cloud; /* the folder that was named is kept by a cloud service itself */
    int is_roaming;  /* it is in a profile that follows its user */
} sbx_shield_judge;

/* For the folder that was named and is open; path: where it is. */
sbx_status sbx_shield_judge_init(sbx_shield_judge *judge, void *handle, const char *path, sbx_error *err);
void sbx_shield_judge_fini(sbx_shield_judge *judge);

/* Whether the user would have to name this directory itself. */
int sbx_shield_is_apart(const sbx_shield_judge *judge, void *handle, uint32_t attributes);

/* Whether the directory holds something that its own DACL does not let the user delete, or that he cannot ask.  handle:
 * FILE_LIST_DIRECTORY; what was read into `sd` stays. */
sbx_status sbx_shield_holds_closed(const sbx_shield_judge *judge, void *handle, sbx_sd *sd, int *closed,
                                   sbx_error *err);

#endif
