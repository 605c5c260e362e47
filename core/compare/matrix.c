#include "compare/matrix.h"

#include <string.h>

#include "base/area.h"
#include "compare/spread.h"

#define ENFORCEMENT "What is enforced"
#define LAUNCH "A launch"
#define COMMAND "The command"

const char *sbx_matrix_string(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

int sbx_matrix_number(const cJSON *object, const char *key, double *number)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (!cJSON_IsNumber(item))
        return 0;
    *number = item->valuedouble;
    return 1;
}

const cJSON *sbx_matrix_column(const cJSON *root, uint32_t column)
{
    return column ? cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(root, "backends"), (int)column - 1)
                  : cJSON_GetObjectItemCaseSensitive(root, "without");
}

/* ---- cells ---- */

/* Gives the text to the arena. */
static sbx_cell cell(sbx_matrix *m, sbx_text *text, uint32_t tone)
{
    sbx_cell made = {"", tone};
    const char *copy = text->data ? sbx_arena_strdup(&m->arena, text->data) : "";

    m->failed |= text->failed || !copy;
    if (copy)
        made.text = copy;
    sbx_text_fini(text);
    return made;
}

typedef sbx_cell (*maker)(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what);

static void add(sbx_matrix *m, const cJSON *root, const char *group, const char *label, maker make, const void *what)
{
    sbx_cell *cells = sbx_arena_alloc(&m->arena, m->column_count * sizeof(*cells));
    int said = 0;
    uint32_t i;

    if (!cells || m->row_count == SBX_MATRIX_ROWS) {
        m->failed = 1;
        return;
    }
    for (i = 0; i < m->column_count; i++) {
        cells[i] = make(m, root, sbx_matrix_column(root, i), what);
        said |= cells[i].text[0] != 0;
    }
    if (said)
        m->rows[m->row_count++] = (sbx_matrix_row){group, label, cells};
}

static sbx_cell verdict(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const char *said = sbx_matrix_string(column, "verdict");
    sbx_text text = {0};

    (void)root;
    (void)what;
    sbx_text_add(&text, said);
    return cell(m, &text,
                !strcmp(said, "as claimed")  ? SBX_TONE_GOOD
                : !strcmp(said, "not there") ? SBX_TONE_QUIET
                                             : SBX_TONE_BAD);
}

static int is_in(const cJSON *guarantees, const char *set, const char *area)
{
    const cJSON *item, *list = cJSON_GetObjectItemCaseSensitive(guarantees, set);

    cJSON_ArrayForEach(item, list)
    {
        if (cJSON_IsString(item) && !strcmp(item->valuestring, area))
            return 1;
    }
    return 0;
}

/* Of an area that is enforced only the rows count that it has to hold. */
static sbx_cell area(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const sbx_area *of = what;
    const cJSON *row, *rows = cJSON_GetObjectItemCaseSensitive(column, "rows");
    const cJSON *guarantees = cJSON_GetObjectItemCaseSensitive(column, "guarantees");
    const int enforced = is_in(guarantees, "enforced", of->name);
    unsigned tried = 0, closed = 0, gaps = 0, told = 0;
    sbx_text text = {0};

    (void)root;
    cJSON_ArrayForEach(row, rows)
    {
        const char *said = sbx_matrix_string(row, "verdict");

        if (strcmp(sbx_matrix_string(row, "area"), of->name) != 0 || !strcmp(said, "untried"))
            continue;
        gaps += !strcmp(said, "GAP");
        if (enforced && strcmp(said, "held") != 0 && strcmp(said, "GAP") != 0) {
            told += !strcmp(sbx_matrix_string(row, "within"), "open");
            continue;
        }
        tried++;
        closed += strcmp(sbx_matrix_string(row, "within"), "open") != 0;
    }
    if (!rows)
        return cell(m, &text, SBX_TONE_QUIET);
    if (enforced)
        sbx_text_printf(&text, "enforced: %u of %u held", closed, tried);
    else
        sbx_text_printf(&text, "%s: %u of %u closed", is_in(guarantees, "advisory", of->name) ? "advisory" : "none",
                        closed, tried);
    if (gaps)
        sbx_text_printf(&text, ", %u GAP%s", gaps, gaps > 1 ? "S" : "");
    if (told)
        sbx_text_printf(&text, ", %u more open, as told", told);
    return cell(m, &text, gaps ? SBX_TONE_BAD : enforced ? SBX_TONE_GOOD : SBX_TONE_QUIET);
}

static sbx_cell works(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const cJSON *row, *rows = cJSON_GetObjectItemCaseSensitive(column, "rows");
    unsigned all = 0, lost = 0;
    sbx_text text = {0}, names = {0};

    (void)root;
    (void)what;
    cJSON_ArrayForEach(row, rows)
    {
        const char *said = sbx_matrix_string(row, "verdict");

        all += !strcmp(said, "works") || !strcmp(said, "lost");
        if (!strcmp(said, "lost"))
            sbx_text_printf(&names, "%s %s", lost++ ? "," : ":", sbx_matrix_string(row, "row"));
    }
    if (rows)
        sbx_text_printf(&text, "%u of %u", all - lost, all);
    if (lost)
        sbx_text_printf(&text, ", not%s", names.data ? names.data : "");
    text.failed |= names.failed;
    sbx_text_fini(&names);
    return cell(m, &text, SBX_TONE_PLAIN);
}

/* ---- times ---- */

static const cJSON *times_of(const cJSON *column, const char *what)
{
    return strcmp(what, "launch")
               ? cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(column, what), "times")
               : cJSON_GetObjectItemCaseSensitive(column, what);
}

static sbx_cell median(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    sbx_text text = {0};
    double us;

    (void)root;
    if (sbx_matrix_number(times_of(column, what), "median_us", &us))
        sbx_spread_print_us(us, &text);
    return cell(m, &text, SBX_TONE_PLAIN);
}

static sbx_cell spread(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const cJSON *times = times_of(column, what);
    sbx_text text = {0};
    double low, high, runs;

    (void)root;
    if (sbx_matrix_number(times, "low_us", &low) && sbx_matrix_number(times, "high_us", &high) &&
        sbx_matrix_number(times, "runs", &runs)) {
        if (runs > 1) {
            sbx_spread_print_us(low, &text);
            sbx_text_add(&text, " to ");
            sbx_spread_print_us(high, &text);
        } else {
            sbx_text_add(&text, "one run");
        }
    }
    return cell(m, &text, SBX_TONE_QUIET);
}

/* "+51.3 ms, 3.20 times" */
static sbx_cell against(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const cJSON *without = sbx_matrix_column(root, 0);
    sbx_text text = {0};
    double us, base;

    if (column != without && sbx_matrix_number(times_of(column, what), "median_us", &us) &&
        sbx_matrix_number(times_of(without, what), "median_us", &base)) {
        sbx_text_add(&text, us < base ? "-" : "+");
        sbx_spread_print_us(us < base ? base - us : us - base, &text);
        if (base > 0)
            sbx_text_printf(&text, ", %.2f times", us / base);
    }
    return cell(m, &text, SBX_TONE_PLAIN);
}

/* ---- the command ---- */

static sbx_cell exit_code(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const cJSON *command = cJSON_GetObjectItemCaseSensitive(column, "command");
    const cJSON *without = cJSON_GetObjectItemCaseSensitive(sbx_matrix_column(root, 0), "command");
    sbx_text text = {0};
    double code, wanted = 0;
    uint32_t tone = SBX_TONE_PLAIN;

    (void)what;
    if (sbx_matrix_number(command, "exit_code", &code)) {
        sbx_text_printf(&text, "%.0f", code);
        if (sbx_matrix_number(without, "exit_code", &wanted) && wanted != code)
            tone = SBX_TONE_BAD;
    } else if (cJSON_IsObject(command)) {
        sbx_text_add(&text, "did not run");
        tone = SBX_TONE_BAD;
    }
    return cell(m, &text, tone);
}

static sbx_cell output(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const cJSON *command = cJSON_GetObjectItemCaseSensitive(column, "command");
    const char *said = sbx_matrix_string(command, "output");
    sbx_text text = {0};

    (void)root;
    (void)what;
    sbx_text_add(&text, said);
    return cell(m, &text,
                !strcmp(said, "equal")     ? SBX_TONE_GOOD
                : !strcmp(said, "differs") ? SBX_TONE_BAD
                                           : SBX_TONE_QUIET);
}

static sbx_cell files(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    static const char *const sets[] = {"created", "changed", "deleted"};
    const cJSON *lists = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(column, "command"), "files");
    sbx_text text = {0};
    size_t i;
    int count;

    (void)root;
    (void)what;
    for (i = 0; cJSON_IsObject(lists) && i < 3; i++) {
        count = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(lists, sets[i]));
        if (count)
            sbx_text_printf(&text, "%s%d %s", text.length ? ", " : "", count, sets[i]);
    }
    if (cJSON_IsObject(lists) && !text.length)
        sbx_text_add(&text, "as before");
    return cell(m, &text, SBX_TONE_PLAIN);
}

static sbx_cell unlike(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(column, "command"), "unlike");
    const int count = cJSON_GetArraySize(list);
    sbx_text text = {0};

    (void)root;
    (void)what;
    if (!cJSON_IsArray(list))
        return cell(m, &text, SBX_TONE_QUIET);
    if (count)
        sbx_text_printf(&text, "%d differ%s", count, count == 1 ? "s" : "");
    else
        sbx_text_add(&text, "equal");
    return cell(m, &text, count ? SBX_TONE_BAD : SBX_TONE_GOOD);
}

static sbx_cell first(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    sbx_text text = {0};
    double us;

    (void)root;
    if (sbx_matrix_number(cJSON_GetObjectItemCaseSensitive(column, "command"), what, &us))
        sbx_spread_print_us(us, &text);
    return cell(m, &text, SBX_TONE_PLAIN);
}

static sbx_cell memory(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const cJSON *command = cJSON_GetObjectItemCaseSensitive(column, "command");
    sbx_text text = {0};
    double bytes;

    (void)root;
    if (sbx_matrix_number(command, what, &bytes))
        sbx_spread_print_bytes(bytes, &text);
    else if (cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(command, "exit_code")))
        sbx_text_add(&text, "not counted");
    return cell(m, &text, SBX_TONE_PLAIN);
}

/* What the run itself says that it leaves open. */
static sbx_cell named(sbx_matrix *m, const cJSON *root, const cJSON *column, const void *what)
{
    const cJSON *note,
        *notes = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(column, "command"), "notes");
    unsigned gaps = 0;
    sbx_text text = {0};

    (void)root;
    (void)what;
    cJSON_ArrayForEach(note, notes)
    {
        gaps += !strcmp(sbx_matrix_string(note, "kind"), "gap");
    }
    if (cJSON_IsArray(notes))
        sbx_text_printf(&text, "%u", gaps);
    return cell(m, &text, SBX_TONE_QUIET);
}

/* ---- all of it ---- */

static int name_columns(sbx_matrix *m, const cJSON *root)
{
    const cJSON *backends = cJSON_GetObjectItemCaseSensitive(root, "backends"), *backend;
    uint32_t i = 1;

    m->column_count = 1 + (uint32_t)cJSON_GetArraySize(backends);
    m->columns = sbx_arena_alloc(&m->arena, m->column_count * sizeof(*m->columns));
    if (!m->columns)
        return 0;
    m->columns[0] = "without sbx";
    cJSON_ArrayForEach(backend, backends)
    {
        m->columns[i++] = sbx_matrix_string(backend, "name");
    }
    return 1;
}

void sbx_matrix_make(sbx_matrix *matrix, const cJSON *root)
{
    size_t i;

    if (!name_columns(matrix, root)) {
        matrix->failed = 1;
        matrix->column_count = 0;
        return;
    }
    add(matrix, root, ENFORCEMENT, "measured", verdict, NULL);
    for (i = 0; i < SBX_AREA_COUNT; i++)
        add(matrix, root, ENFORCEMENT, sbx_areas[i].words, area, &sbx_areas[i]);
    add(matrix, root, ENFORCEMENT, "what has to work", works, NULL);
    add(matrix, root, LAUNCH, "smallest program", median, "launch");
    add(matrix, root, LAUNCH, "spread", spread, "launch");
    add(matrix, root, LAUNCH, "overhead", against, "launch");
    add(matrix, root, COMMAND, "exit code", exit_code, NULL);
    add(matrix, root, COMMAND, "output", output, NULL);
    add(matrix, root, COMMAND, "files", files, NULL);
    add(matrix, root, COMMAND, "files left", unlike, NULL);
    add(matrix, root, COMMAND, "time", median, "command");
    add(matrix, root, COMMAND, "spread", spread, "command");
    add(matrix, root, COMMAND, "overhead", against, "command");
    add(matrix, root, COMMAND, "first grant", first, "first_us");
    add(matrix, root, COMMAND, "memory, peak", memory, "peak_memory_bytes");
    add(matrix, root, COMMAND, "gaps that it names", named, NULL);
}

void sbx_matrix_fini(sbx_matrix *matrix)
{
    sbx_arena_fini(&matrix->arena);
    memset(matrix, 0, sizeof(*matrix));
}
