/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: what LAB_READING and LAB_STATE choose
 *
 * LAB_READING=NAME=VALUE,NAME=VALUE... chooses between readings of what Windows does, LAB_STATE
 * between states of the machine.  "harsh" stands for the first value of every reading, "mild" for
 * the second.  They hold for as long as the server runs.
 */

#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ntstatus.h"
#define WIN32_NO_STATUS
#include "windef.h"
#include "winternl.h"

#include "process.h"
#include "request.h"
#include "thread.h"
#include "ntlab.h"

struct setting
{
    const char *name;
    const char *values[3];  /* the third may be missing */
};

#define READING( id, name, first, second, what ) { name, { first, second } },
#define STATE( id, name, first, second, what )   { name, { first, second } },
#define READING3( id, name, first, second, third, what ) { name, { first, second, third } },
#define STATE3 READING3
static const struct setting settings[] =
{
#include "ntlab_reading.def"
#include "ntlab_state.def"
    { NULL }
};
#undef READING
#undef STATE
#undef READING3
#undef STATE3

struct choice
{
    unsigned char value[NTLAB_SETTING_COUNT + 1];
};

static struct choice current_choice;

int ntlab_second( enum ntlab_setting setting )
{
    return current_choice.value[setting];
}

/* the settings from first up to end; the text is cut rather than too long */
static void list_settings( const struct choice *choice, unsigned int first, unsigned int end, char *text, size_t size )
{
    unsigned int i;
    size_t len = 0;

    *text = 0;
    for (i = first; i < end && len < size; i++)
    {
        if (choice)
            len += snprintf( text + len, size - len, "%s%s=%s", i == first ? "" : ",", settings[i].name,
                             settings[i].values[choice->value[i]] );
        else
            len += snprintf( text + len, size - len, "%s%s=%s|%s%s%s", i == first ? "" : ", ", settings[i].name,
                             settings[i].values[0], settings[i].values[1],
                             settings[i].values[2] ? "|" : "", settings[i].values[2] ? settings[i].values[2] : "" );
    }
}

static int is_word( const char *word, const char *text, size_t len )
{
    return strlen( word ) == len && !strncmp( word, text, len );
}

static int choose_one( struct choice *choice, unsigned int first, unsigned int end, const char *text, size_t len )
{
    const char *equals = memchr( text, '=', len );
    unsigned int i, value;

    if (first == 0 && (is_word( "harsh", text, len ) || is_word( "mild", text, len )))
    {
        for (i = first; i < end; i++) choice->value[i] = text[0] == 'm';
        return 1;
    }
    for (i = first; equals && i < end; i++)
    {
        if (!is_word( settings[i].name, text, equals - text )) continue;
        for (value = 0; value < ARRAY_SIZE(settings[i].values) && settings[i].values[value]; value++)
        {
            if (!is_word( settings[i].values[value], equals + 1, text + len - equals - 1 )) continue;
            choice->value[i] = value;
            return 1;
        }
    }
    return 0;
}

/* one variable; on failure error says why */
static int choose( struct choice *choice, unsigned int first, unsigned int end, const char *variable,
                   const char *text, char *error, size_t size )
{
    char known[1024];
    size_t len;

    for (; *text; text += len + (text[len] == ','))
    {
        len = strcspn( text, "," );
        if (choose_one( choice, first, end, text, len )) continue;
        list_settings( NULL, first, end, known, sizeof(known) );
        snprintf( error, size, "%s: %.*s: unknown; there is %s%s", variable, (int)len, text,
                  first ? "" : "harsh, mild, ", known[0] ? known : "nothing yet" );
        return 0;
    }
    return 1;
}

static int choose_all( struct choice *choice, const char *readings, const char *states, char *error, size_t size )
{
    memset( choice, 0, sizeof(*choice) );
    return choose( choice, 0, NTLAB_READING_COUNT, "LAB_READING", readings, error, size ) &&
           choose( choice, NTLAB_READING_COUNT, NTLAB_SETTING_COUNT, "LAB_STATE", states, error, size );
}

void ntlab_init_settings(void)
{
    const char *readings = getenv( "LAB_READING" ), *states = getenv( "LAB_STATE" );
    char error[2048];

    if (choose_all( &current_choice, readings ? readings : "", states ? states : "", error, sizeof(error) )) return;
    fprintf( stderr, "lab: %s\n", error );
    exit( 1 );
}

/* a program that comes in from Unix wants these */
DECL_HANDLER(ntlab_check_settings)
{
    char text[2048], known[1024];
    const char *readings = text, *states;
    data_size_t size = get_req_data_size();
    struct choice wanted;

    if (!ntlab_enabled) return;
    if (!size || size > sizeof(text) || ((const char *)get_req_data())[size - 1])
    {
        set_error( STATUS_INVALID_PARAMETER );
        return;
    }
    memcpy( text, get_req_data(), size );
    states = readings + strlen( readings ) + 1;
    if (states >= text + size) states = "";
    if (choose_all( &wanted, readings, states, known, sizeof(known) ))
    {
        if (!memcmp( &wanted, &current_choice, sizeof(wanted) )) return;
        list_settings( &current_choice, 0, NTLAB_SETTING_COUNT, known, sizeof(known) );
        snprintf( text, sizeof(text), "the server of this prefix runs with %s; end it first: lab --stop", known );
    }
    else strcpy( text, known );
    set_error( STATUS_INVALID_PARAMETER );
    set_reply_data( text, min( get_reply_max_size(), strlen( text ) ));
}
