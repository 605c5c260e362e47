#include "compare/markup.h"

#include <string.h>

#include "compare/shown.h"

static const char *entity_of(char c)
{
    switch (c) {
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '&':
        return "&amp;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void sbx_markup_text(sbx_text *out, const char *text)
{
    sbx_text shown = {0};
    const char *at, *entity;

    sbx_shown_add(&shown, text, strlen(text));
    for (at = shown.data; at && *at; at++) {
        entity = entity_of(*at);
        if (entity)
            sbx_text_add(out, entity);
        else
            sbx_text_add_char(out, *at);
    }
    out->failed |= shown.failed;
    sbx_text_fini(&shown);
}

void sbx_markup_element(sbx_text *out, const char *name, const char *class_name, const char *text)
{
    sbx_text_printf(out, "<%s", name);
    if (class_name)
        sbx_text_printf(out, " class=\"%s\"", class_name);
    sbx_text_add_char(out, '>');
    sbx_markup_text(out, text);
    sbx_text_printf(out, "</%s>", name);
}
