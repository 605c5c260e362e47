#include "compare/plot.h"

#include <string.h>

#include "compare/markup.h"
#include "compare/matrix.h"
#include "compare/spread.h"

/* Units of the drawing; the page scales it. */
#define LEFT 150.0 /* names */
#define RIGHT 90.0 /* values */
#define WIDTH 640.0
#define LINE 34.0
#define BAR 16.0
#define NAME_CHARACTERS 18

typedef struct bar {
    const char *name;
    double median, low, high;
} bar;

static int bar_of(const cJSON *root, uint32_t column, const char *what, bar *b)
{
    const cJSON *at = sbx_matrix_column(root, column), *times = cJSON_GetObjectItemCaseSensitive(at, what);

    if (strcmp(what, "launch") != 0)
        times = cJSON_GetObjectItemCaseSensitive(times, "times");
    b->name = column ? sbx_matrix_string(at, "name") : "without sbx";
    return sbx_matrix_number(times, "median_us", &b->median) && sbx_matrix_number(times, "low_us", &b->low) &&
           sbx_matrix_number(times, "high_us", &b->high);
}

static void take(sbx_text *text, sbx_text *out)
{
    sbx_markup_text(out, text->data ? text->data : "");
    out->failed |= text->failed;
    sbx_text_fini(text);
}

static void print_bar(const bar *b, unsigned line, double scale, sbx_text *out)
{
    const double top = line * LINE, middle = top + LINE / 2;
    sbx_text value = {0};

    sbx_text_printf(out, "<text class=\"name\" x=\"%.0f\" y=\"%.0f\">", LEFT - 10, middle + 5);
    if (strlen(b->name) > NAME_CHARACTERS) { /* letters, digits and dashes */
        sbx_text_printf(&value, "%.*s...", NAME_CHARACTERS - 3, b->name);
        take(&value, out);
    } else {
        sbx_markup_text(out, b->name);
    }
    sbx_text_printf(out, "</text><rect class=\"bar\" x=\"%.0f\" y=\"%.1f\" width=\"%.1f\" height=\"%.0f\"/>", LEFT,
                    middle - BAR / 2, b->median * scale, BAR);
    if (b->high > b->low)
        sbx_text_printf(out, "<path class=\"spread\" d=\"M%.1f %.1fv8m0 -4H%.1fm0 -4v8\"/>", LEFT + b->low * scale,
                        middle - 4, LEFT + b->high * scale);
    sbx_spread_print_us(b->median, &value);
    sbx_text_printf(out, "<text class=\"value\" x=\"%.1f\" y=\"%.0f\">", LEFT + b->high * scale + 8, middle + 5);
    take(&value, out);
    sbx_text_add(out, "</text>\n");
}

void sbx_plot_print(const cJSON *root, const char *what, const char *title, sbx_text *out)
{
    const uint32_t count = 1 + (uint32_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(root, "backends"));
    double most = 0;
    unsigned lines = 0;
    sbx_text words = {0};
    bar b;
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (!bar_of(root, i, what, &b))
            continue;
        lines++;
        most = b.high > most ? b.high : most;
        sbx_text_printf(&words, "%s%s ", words.length ? "; " : "", b.name);
        sbx_spread_print_us(b.median, &words);
    }
    if (lines && most > 0) {
        sbx_text_add(out, "<figure>\n");
        sbx_markup_element(out, "figcaption", NULL, title);
        sbx_text_printf(out, "\n<svg role=\"img\" viewBox=\"0 0 %.0f %.0f\" aria-label=\"", WIDTH, lines * LINE);
        sbx_markup_text(out, title);
        sbx_text_add(out, ": ");
        take(&words, out);
        sbx_text_add(out, "\">\n");
        for (lines = 0, i = 0; i < count; i++)
            if (bar_of(root, i, what, &b))
                print_bar(&b, lines++, (WIDTH - LEFT - RIGHT) / most, out);
        sbx_text_add(out, "</svg>\n</figure>\n");
    }
    out->failed |= words.failed;
    sbx_text_fini(&words);
}
