/* What is claimed against lines of a probe, without a probe. */
#include "unit/support/unit.h"

#include <stdio.h>
#include <string.h>

#include "cli/doctor.h"
#include "cli/examine.h"

const char *sbx_examine_string(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

static const char *const rows[][2] = {
    {"file-write", "write"}, {"tcp4", "network"}, {"listen4", "network"}, {"ping4", "network"}, {"own", ""}};

static cJSON *lines(const char *answer)
{
    char text[2048] = "{\"port\": 20011}\nno line\n", line[256];
    size_t i;

    for (i = 0; i < SBX_COUNT(rows); i++) {
        snprintf(line, sizeof(line), "{\"row\": \"%s\", \"area\": \"%s\", \"expects\": \"%s\", \"answer\": \"%s\"}\n",
                 rows[i][0], rows[i][1], rows[i][1][0] ? "held" : "works", answer);
        strcat(text, line);
    }
    strcat(text, "{\"ended\": 0, \"connections\": ");
    strcat(text, strcmp(answer, "open") ? "0" : "1");
    strcat(text, ", \"datagrams\": 0, \"changed\": false, \"missing\": false}\n");
    return sbx_doctor_lines(text);
}

/* The verdicts of the rows, a letter each, and behind a blank that of the backend. */
static const char *judge(const char *answer, const char *notes)
{
    static char text[64];
    cJSON *control = lines("open"), *inside = lines(answer), *findings = cJSON_CreateArray(), *row;
    cJSON *backend =
        cJSON_Parse("{\"name\": \"b\", \"guarantees\": {\"enforced\": [\"write\", \"network\"], \"advisory\": []}}");
    size_t n = 0;

    cJSON_AddItemToObject(backend, "notes", cJSON_Parse(notes));
    sbx_doctor_judge(backend, control, inside, findings);
    cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(backend, "rows"))
    {
        text[n++] = sbx_examine_string(row, "verdict")[0];
    }
    snprintf(text + n, sizeof(text) - n, " %s %d", sbx_examine_string(backend, "verdict"),
             cJSON_GetArraySize(findings));
    cJSON_Delete(control);
    cJSON_Delete(inside);
    cJSON_Delete(findings);
    cJSON_Delete(backend);
    return text;
}

static void held_or_not(void **state)
{
    (void)state;
    assert_string_equal(judge("refused", "[]"), "hhhhl as claimed 0");
    assert_string_equal(judge("open", "[]"), "GGGGw gaps 5");
}

#define NOTE(object, text) "[{\"kind\": \"gap\", \"object\": \"" object "\", \"text\": \"" text "\"}]"

/* Ports that setup opened excuse what goes to one of them, and nothing else. */
static void open_ports(void **state)
{
    (void)state;
    assert_string_equal(judge("open", NOTE("open ports", "8080,20000-20011: of this machine")), "GooGw gaps 2");
    assert_string_equal(judge("open", NOTE("open ports", "20011: of this machine")), "GooGw gaps 2");
    assert_string_equal(judge("open", NOTE("open ports", "1-20010,20012-65535: of this machine")), "GGoGw gaps 4");
    assert_string_equal(judge("open", NOTE("network", "20011: setup opened it")), "GGGGw gaps 5");
    assert_string_equal(judge("open", NOTE("open ports", "none")), "GGGGw gaps 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_or_not),
        cmocka_unit_test(open_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
