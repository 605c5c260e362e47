/* What makes the rules of one root (rules.h): the parts of it that the rules of git (repository.h) need. */
#ifndef SBX_GRANTS_MAKER_H
#define SBX_GRANTS_MAKER_H

#include "common/grants/place.h"
#include "common/grants/rules.h"

typedef struct sbx_rule_place {
    struct sbx_rule_place *next;
    const char *place;
} sbx_rule_place;

typedef struct sbx_rule_maker {
    sbx_places places;
    const sbx_policy *policy;
    const sbx_root *root; /* whose rules are made */
    int is_repository;    /* it looks like a git directory */
    sbx_rule *first;
    uint32_t git;              /* of the rules that are added now */
    int missing, is_directory; /* as they will stand in the rule */
    int looking;               /* nothing is added: what is own is gathered */
    sbx_rule_place *own;       /* git directories of linked worktrees and submodules that name what names them */
    sbx_rule_place *done;      /* repositories that were looked at */
} sbx_rule_maker;

/* A rule for what is at a place, if that is in the root, and a HOLD for each directory on the way. */
sbx_status sbx_rule_add(sbx_rule_maker *m, const char *place, uint32_t kind);

/* What a place leads to at last: itself where no link is there.  Each link on the way gets a DENY, since each decides.
 * *end NULL: that is in no root. */
sbx_status sbx_rule_follow(sbx_rule_maker *m, const char *place, sbx_object *what, const char **end);

/* The same, and a DENY for what it leads to. */
sbx_status sbx_rule_protect(sbx_rule_maker *m, const char *place);

#endif
