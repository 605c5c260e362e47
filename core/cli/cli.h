/*
 * One call of sbx.exe: what was typed, what it led to, and what main() has to print.
 *
 * A verb fills `out`, and `err` or `diag` when it fails; main() prints them.  Only what has to be
 * seen while the command runs is written at once (out.h).
 */
#ifndef SBX_CLI_CLI_H
#define SBX_CLI_CLI_H

#include "base/memory.h"
#include "base/quote.h"
#include "base/text.h"
#include "cli/report.h"
#include "config/config.h"
#include "config/policy.h"
#include "sbx/backend.h"

typedef struct sbx_cli sbx_cli;

typedef struct sbx_verb {
    const char *name;
    const char *summary; /* one line */
    const char *usage;   /* behind "sbx " */
    const char *text;    /* the rest of its help: options of its own, examples */
    uint32_t takes;      /* SBX_TAKES_* */
    sbx_status (*run)(sbx_cli *cli, sbx_error *err);
} sbx_verb;

#define SBX_TAKES_CONFIG 0x01u  /* --config, --profile, and the options that the schema gives */
#define SBX_TAKES_COMMAND 0x02u /* -- COMMAND */
#define SBX_TAKES_WORDS 0x04u   /* other words */
#define SBX_TAKES_JSON 0x08u    /* --json */
#define SBX_TAKES_REPORT 0x10u  /* --report FILE */
#define SBX_TAKES_CLEAN 0x20u   /* --all, --stale, --homes */
#define SBX_TAKES_SETUP                                                                                                \
    0x40u /* --status, --check, --remove, --repair, --dry-run, --tools, --slots N, --user NAME, --loopback PORTS */
#define SBX_TAKES_INTERNAL 0x80u  /* not listed */
#define SBX_TAKES_SHIELD 0x100u   /* --dry-run, --remove */
#define SBX_TAKES_EXPLAIN 0x800u  /* --op OP, --last */
#define SBX_TAKES_BACKEND 0x200u  /* --backend NAME, of which the other settings are no matter */
#define SBX_TAKES_COMPARE 0x1000u /* --backends NAMES, --runs N, --in-place, --json FILE, --html FILE */

typedef struct sbx_flag_value {
    const char *flag, *key, *value;
} sbx_flag_value;

struct sbx_cli {
    sbx_arena arena;
    const uint16_t *line_w; /* the whole command line, untouched */
    const sbx_verb *verb;
    int verb_named, help, version; /* typed */
    int quiet, verbosity, json, all, stale, homes, status, check, remove, repair, dry_run, tools, last, in_place;
    const char *config_file, *profile, *report_file, *slots, *user, *setup_loopback, *backend, *op;
    const char *compare_backends, *runs, *json_file, *html_file;
    const char *report_path;     /* absolute; NULL: none is asked for */
    struct sbx_pending *pending; /* of the report; closed: none is written */
    const sbx_flag_value *settings;
    uint32_t setting_count;
    const char *const *words; /* behind the verb */
    uint32_t word_count;
    const uint16_t *command_w; /* NULL: none */
    const char *command;       /* its first word, for messages */
    int command_marked;        /* "--" stood before it */

    sbx_config *config;
    sbx_plan plan;
    char run_id[33];
    char *dirs[12]; /* by SBX_DIR_* */
    sbx_report report;

    sbx_text out;
    sbx_diag diag; /* status != 0: printed instead of the error */
    int exit_code; /* for SBX_OK */
};

/* args.c: fills the first part from the command line. */
sbx_status sbx_cli_parse(sbx_cli *cli, sbx_error *err);
/* An argument swallowed what stands behind it: "C:\dir\" -- cmd is one text. */
sbx_status sbx_cli_fail_quote(const char *name, const char *value, sbx_error *err);

/* verbs.c */
const sbx_verb *sbx_cli_verb(const char *name); /* NULL: there is none of that name */
const sbx_verb *sbx_cli_verbs(uint32_t *count);
void sbx_cli_help(const sbx_verb *verb, sbx_text *out); /* NULL: of the program */
void sbx_cli_unknown_verb(const char *name, sbx_error *err);

/* layers.c: read the files, merge, and make the plan. */
#define SBX_CONFIG_MACHINE 0u
#define SBX_CONFIG_USER 1u
#define SBX_CONFIG_OPTION 2u /* --config */
sbx_status sbx_cli_config_path(sbx_cli *cli, uint32_t which, const char **path, sbx_error *err);
const char *sbx_cli_config_state(const char *path, uint32_t which); /* "read", "missing", or "refused" */
sbx_status sbx_cli_add_machine_file(sbx_cli *cli, sbx_config *config, sbx_error *err);
sbx_status sbx_cli_configure(sbx_cli *cli, sbx_error *err);
sbx_status sbx_cli_plan(sbx_cli *cli, sbx_error *err);
/* Put in front of the hint which file or option names the writable folder that an error is about. */
void sbx_cli_hint_origin(const sbx_cli *cli, sbx_error *err);
sbx_status sbx_cli_dir(sbx_cli *cli, uint32_t which, const char **path, sbx_error *err);
/* The folder that one of the words behind the verb names, absolute; as: what the help calls it, "ROOT". */
sbx_status sbx_cli_folder(sbx_cli *cli, uint32_t word, const char *as, const char **path, sbx_error *err);

/* The verbs. */
sbx_status sbx_verb_run(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_shell(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_init(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_plan(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_backends(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_examine(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_config(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_status(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_clean(sbx_cli *cli, sbx_error *err);
/* As `clean --all`, for a verb that goes on: nothing is said where there is nothing. */
sbx_status sbx_clean_all(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_setup(sbx_cli *cli, sbx_error *err);
/* setup_user.c: the part of setup that only the user can do, on what is his. */
sbx_status sbx_setup_user(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_grant(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_shield(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_doctor(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_explain(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_compare(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_completion(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_help(sbx_cli *cli, sbx_error *err);
sbx_status sbx_verb_version(sbx_cli *cli, sbx_error *err);

#endif
