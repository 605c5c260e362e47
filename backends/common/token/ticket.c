#include "common/token/ticket.h"

#include <string.h>

#include "base/text.h"

#define MAGIC 0x54585253u /* "SRXT" */
#define VERSION 8u
#define TEXTS 9u
#define TEXT_MAX 65536u

static void put32(sbx_text *text, uint32_t value)
{
    char bytes[4] = {(char)(value & 0xff), (char)(value >> 8 & 0xff), (char)(value >> 16 & 0xff),
                     (char)(value >> 24 & 0xff)};

    sbx_text_add_n(text, bytes, sizeof(bytes));
}

static void put_bytes(sbx_text *text, const void *bytes, size_t length)
{
    put32(text, (uint32_t)length);
    sbx_text_add_n(text, bytes, length);
}

sbx_status sbx_ticket_write(const sbx_ticket_data *data, void **bytes, uint32_t *length, sbx_error *err)
{
    const char *texts[TEXTS];
    sbx_text text = {0};
    uint32_t i;

    texts[0] = data->run_id;
    texts[1] = data->closed;
    texts[2] = data->opened;
    texts[3] = data->root;
    texts[4] = data->desktop;
    texts[5] = data->proof;
    texts[6] = data->owed;
    texts[7] = data->made;
    texts[8] = data->hidden;
    put32(&text, MAGIC);
    put32(&text, VERSION);
    put32(&text, data->flags);
    put32(&text, data->spec.root_count);
    sbx_text_add_n(&text, (const char *)data->spec.run_sid, SBX_RUN_SID_BYTES);
    put_bytes(&text, data->spec.set_sid, data->spec.set_sid ? sbx_sid_length(data->spec.set_sid, SBX_SID_MAX) : 0);
    for (i = 0; i < data->spec.root_count; i++)
        put_bytes(&text, data->spec.roots[i], sbx_sid_length(data->spec.roots[i], SBX_SID_MAX));
    put_bytes(&text, data->spec.launcher, data->spec.launcher ? sbx_sid_length(data->spec.launcher, SBX_SID_MAX) : 0);
    put_bytes(&text, data->spec.deny_only,
              data->spec.deny_only ? sbx_sid_length(data->spec.deny_only, SBX_SID_MAX) : 0);
    for (i = 0; i < TEXTS; i++)
        put_bytes(&text, texts[i] ? texts[i] : "", texts[i] ? strlen(texts[i]) : 0);
    *length = (uint32_t)text.length;
    *bytes = sbx_text_take(&text);
    return *bytes ? SBX_OK : sbx_fail_memory(err);
}

typedef struct reader {
    const uint8_t *at;
    size_t left;
    int bad;
} reader;

static const uint8_t *take(reader *in, size_t length)
{
    const uint8_t *at = in->at;

    if (in->bad || length > in->left) {
        in->bad = 1;
        return NULL;
    }
    in->at += length;
    in->left -= length;
    return at;
}

static uint32_t get32(reader *in)
{
    const uint8_t *p = take(in, 4);

    return p ? p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24 : 0;
}

static const char *get_text(reader *in, sbx_ticket_data *data, int *memory)
{
    uint32_t length = get32(in);
    const uint8_t *at = length <= TEXT_MAX ? take(in, length) : NULL;
    const char *text;

    if (!at || memchr(at, 0, length)) {
        in->bad = 1;
        return NULL;
    }
    text = sbx_arena_strndup(&data->arena, (const char *)at, length);
    *memory |= !text;
    return text;
}

/* may_lack: an empty one is NULL. */
static const void *get_sid(reader *in, sbx_ticket_data *data, int may_lack, int *memory)
{
    uint32_t length = get32(in);
    const uint8_t *at = length <= SBX_SID_MAX ? take(in, length) : NULL;
    void *copy;

    if (at && !length && may_lack)
        return NULL;
    if (!at || !length || sbx_sid_length(at, length) != length) {
        in->bad = 1;
        return NULL;
    }
    copy = sbx_arena_alloc(&data->arena, length);
    if (copy)
        memcpy(copy, at, length);
    *memory |= !copy;
    return copy;
}

sbx_status sbx_ticket_read(const void *bytes, uint32_t length, sbx_ticket_data *data, sbx_error *err)
{
    reader in = {bytes, length, bytes == NULL};
    const void **roots = NULL;
    const uint8_t *run;
    uint32_t magic, version, i;
    int memory = 0;

    memset(data, 0, sizeof(*data));
    magic = get32(&in);
    version = get32(&in);
    data->flags = get32(&in);
    data->spec.root_count = get32(&in);
    run = take(&in, SBX_RUN_SID_BYTES);
    if (!run || magic != MAGIC || version != VERSION || (data->flags & ~SBX_TICKET_FLAGS) ||
        data->spec.root_count > SBX_TOKEN_ROOTS || sbx_sid_length(run, SBX_RUN_SID_BYTES) != SBX_RUN_SID_BYTES)
        goto bad;
    memcpy(data->spec.run_sid, run, SBX_RUN_SID_BYTES);
    roots = sbx_arena_alloc(&data->arena, (data->spec.root_count + 1) * sizeof(*roots));
    memory = !roots;
    data->spec.set_sid = get_sid(&in, data, 1, &memory);
    for (i = 0; i < data->spec.root_count && !in.bad && !memory; i++)
        roots[i] = get_sid(&in, data, 0, &memory);
    data->spec.roots = roots;
    data->spec.launcher = get_sid(&in, data, 1, &memory);
    data->spec.deny_only = get_sid(&in, data, 1, &memory);
    data->spec.is_whole = (data->flags & SBX_TICKET_WHOLE) != 0;
    in.bad |= data->spec.is_whole && !data->spec.launcher; /* of an account only */
    data->run_id = get_text(&in, data, &memory);
    data->closed = get_text(&in, data, &memory);
    data->opened = get_text(&in, data, &memory);
    data->root = get_text(&in, data, &memory);
    data->desktop = get_text(&in, data, &memory);
    data->proof = get_text(&in, data, &memory);
    data->owed = get_text(&in, data, &memory);
    data->made = get_text(&in, data, &memory);
    data->hidden = get_text(&in, data, &memory);
    if (memory) {
        sbx_ticket_fini(data);
        return sbx_fail_memory(err);
    }
    if (!in.bad && !in.left)
        return SBX_OK;
bad:
    sbx_ticket_fini(data);
    return sbx_fail(err, SBX_E_REFUSED, "read the ticket", "its bytes are not those of this backend");
}

void sbx_ticket_fini(sbx_ticket_data *data)
{
    sbx_arena_fini(&data->arena);
    memset(data, 0, sizeof(*data));
}
