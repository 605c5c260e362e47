/* What filters there are to be; filters_apply.c puts them there. */
#include "elevated/filters_part.h"

#include <lm.h>
#include <sddl.h>
#include <stdlib.h>
#include <string.h>

#include "elevated/filter_users.h"
#include "elevated/fwpm_ids.h"
#include "elevated/principal.h"
#include "win/error.h"
#include "win/wide.h"

#define CONNECT 0u
#define LISTEN 1u
#define ACCEPT 2u
#define BIND 3u

static const struct {
    const GUID *key;
    uint32_t what, v6;
} layers[] = {{&layer_connect_v4, CONNECT, 0}, {&layer_connect_v6, CONNECT, 1}, {&layer_listen_v4, LISTEN, 0},
              {&layer_listen_v6, LISTEN, 1},   {&layer_accept_v4, ACCEPT, 0},   {&layer_accept_v6, ACCEPT, 1},
              {&layer_bind_v4, BIND, 0},       {&layer_bind_v6, BIND, 1}};

#define LAYERS (sizeof(layers) / sizeof(layers[0]))

static const UINT64 weight_block = 1, weight_all = 2, weight_loopback = 3;

/* kind: 0 provider, 1 sublayer, 2 pairs, 3 echo requests, 4 loopback of a user */
static GUID key_of(uint32_t flags, uint32_t kind, uint32_t user, uint32_t layer)
{
    GUID key = {0x5b5d1e5a, 0x2f40, 0x4e5f, {0x9a, 0x53, 0, 0, 0, 0x62, 0x78, 0x00}};

    key.Data2 = (USHORT)(key.Data2 + (flags & SBX_FILTERS_TRIAL));
    key.Data4[2] = (BYTE)kind;
    key.Data4[3] = (BYTE)user;
    key.Data4[4] = (BYTE)layer;
    return key;
}

/* ---- conditions ---- */

typedef struct conditions {
    FWPM_FILTER_CONDITION0 *items;
    uint32_t count;
} conditions;

static FWPM_FILTER_CONDITION0 *add_condition(conditions *c, const GUID *field, FWP_MATCH_TYPE match, FWP_DATA_TYPE type)
{
    FWPM_FILTER_CONDITION0 *item = &c->items[c->count++];

    item->fieldKey = *field;
    item->matchType = match;
    item->conditionValue.type = type;
    return item;
}

static void when_is_user(conditions *c, FWP_BYTE_BLOB *descriptor)
{
    add_condition(c, &when_user, FWP_MATCH_EQUAL, FWP_SECURITY_DESCRIPTOR_TYPE)->conditionValue.sd = descriptor;
}

static void when_is_protocol(conditions *c, UINT8 protocol)
{
    add_condition(c, &when_protocol, FWP_MATCH_EQUAL, FWP_UINT8)->conditionValue.uint8 = protocol;
}

static void when_has_flag(conditions *c, UINT32 flag)
{
    add_condition(c, &when_flags, FWP_MATCH_FLAGS_ALL_SET, FWP_UINT32)->conditionValue.uint32 = flag;
}

static void when_tcp_or_udp(conditions *c)
{
    when_is_protocol(c, 6);
    when_is_protocol(c, 17);
}

/* ---- the filters ---- */

/* With room for so many conditions; NULL: no memory. */
static conditions add_filter(sbx_filters *f, GUID key, uint32_t layer, uint32_t action, const UINT64 *weight,
                             uint32_t room)
{
    static const WCHAR name_w[] = L"sbx: commands without a network";
    conditions c = {sbx_arena_alloc(&f->arena, room * sizeof(*c.items)), 0};
    FWPM_FILTER0 *filter = &f->items[f->count];

    if (!c.items) {
        f->failed = 1;
        return c;
    }
    f->count++;
    filter->filterKey = key;
    filter->displayData.name = (WCHAR *)(uintptr_t)name_w;
    filter->flags = (f->flags & SBX_FILTERS_TRIAL ? 0 : FWPM_FILTER_FLAG_PERSISTENT) |
                    (action == FWP_ACTION_BLOCK ? FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT : 0);
    filter->providerKey = &f->provider;
    filter->layerKey = *layers[layer].key;
    filter->subLayerKey = f->sublayer;
    filter->weight.type = FWP_UINT64;
    filter->weight.uint64 = (UINT64 *)(uintptr_t)weight;
    filter->action.type = action;
    filter->filterCondition = c.items;
    return c;
}

static void end_filter(sbx_filters *f, const conditions *c)
{
    if (c->items)
        f->items[f->count - 1].numFilterConditions = c->count;
}

/* The PERMIT for everybody else, and the BLOCKs below it. */
static void add_pair(sbx_filters *f, uint32_t layer, FWP_BYTE_BLOB *permit, FWP_BYTE_BLOB *block)
{
    const uint32_t what = layers[layer].what;
    conditions c = add_filter(f, key_of(f->flags, 2, 0, layer), layer, FWP_ACTION_PERMIT, &weight_all, 1);

    if (c.items)
        when_is_user(&c, permit);
    end_filter(f, &c);
    c = add_filter(f, key_of(f->flags, 2, 1, layer), layer, FWP_ACTION_BLOCK, &weight_block, 3);
    if (c.items) {
        when_is_user(&c, block);
        if (what == BIND)
            when_has_flag(&c, FWP_CONDITION_FLAG_IS_RAW_ENDPOINT);
        else if (what != LISTEN) /* which is of TCP alone, and knows no protocol */
            when_tcp_or_udp(&c);
    }
    end_filter(f, &c);
    if (what != CONNECT)
        return;
    c = add_filter(f, key_of(f->flags, 3, 0, layer), layer, FWP_ACTION_BLOCK, &weight_block, 3);
    if (c.items) { /* an echo request */
        when_is_user(&c, block);
        when_is_protocol(&c, layers[layer].v6 ? 58 : 1);
        add_condition(&c, &when_local_port, FWP_MATCH_EQUAL, FWP_UINT16)->conditionValue.uint16 =
            layers[layer].v6 ? 128 : 8;
    }
    end_filter(f, &c);
}

static void add_loopback(sbx_filters *f, uint32_t layer, const sbx_machine_user *user, FWP_BYTE_BLOB *offline)
{
    const uint32_t what = layers[layer].what;
    conditions c;
    FWP_RANGE0 *range;
    uint32_t i;

    if (what == BIND)
        return;
    c = add_filter(f, key_of(f->flags, 4, user->number, layer), layer, FWP_ACTION_PERMIT, &weight_loopback,
                   4 + user->loopback.count);
    range = sbx_arena_alloc(&f->arena, user->loopback.count * sizeof(*range));
    if (!c.items || !range) {
        f->failed = 1;
        return;
    }
    when_is_user(&c, offline);
    if (what != LISTEN) { /* a listener gets what comes from this machine alone: ACCEPT */
        when_has_flag(&c, FWP_CONDITION_FLAG_IS_LOOPBACK);
        when_tcp_or_udp(&c);
    }
    for (i = 0; i < user->loopback.count; i++, range++) {
        range->valueLow.type = range->valueHigh.type = FWP_UINT16;
        range->valueLow.uint16 = user->loopback.ranges[i].first;
        range->valueHigh.uint16 = user->loopback.ranges[i].last;
        add_condition(&c, what == CONNECT ? &when_remote_port : &when_local_port, FWP_MATCH_RANGE, FWP_RANGE_TYPE)
            ->conditionValue.rangeValue = range;
    }
    end_filter(f, &c);
}

/* ---- descriptors ---- */

/* Self-relative, as the platform wants it; `sddl` is used up. */
static sbx_status descriptor(sbx_filters *f, sbx_text *sddl, FWP_BYTE_BLOB **blob, sbx_error *err)
{
    uint16_t *sddl_w = NULL;
    void *made = NULL;
    ULONG length = 0;
    sbx_status st = sddl->failed ? sbx_fail_memory(err) : sbx_wide(sddl->data, "users of a filter", &sddl_w, err);

    if (st == SBX_OK && !ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl_w, SDDL_REVISION_1, &made, &length))
        st = sbx_fail_last(err, SBX_E_SYSTEM, "ConvertStringSecurityDescriptorToSecurityDescriptorW",
                           "users of a filter");
    if (st == SBX_OK) {
        *blob = sbx_arena_alloc(&f->arena, sizeof(**blob));
        if (*blob && ((*blob)->data = sbx_arena_alloc(&f->arena, length)) != NULL) {
            (*blob)->size = length;
            memcpy((*blob)->data, made, length);
        } else {
            st = sbx_fail_memory(err);
        }
    }
    LocalFree(made);
    sbx_free(sddl_w);
    sbx_text_fini(sddl);
    return st;
}

static int by_text(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* Users of this machine that are no accounts of ours, in the order of their SIDs. */
static sbx_status other_users(sbx_filters *f, const sbx_machine *machine, const char ***sids, uint32_t *count,
                              sbx_error *err)
{
    USER_INFO_0 *users = NULL;
    DWORD got = 0, all = 0, i;
    char *name = NULL, text[SBX_MACHINE_SID];
    sbx_user_sid sid;
    uint32_t kind = SBX_PRINCIPAL_NONE;
    sbx_status st = SBX_OK;
    const NET_API_STATUS code =
        NetUserEnum(NULL, 0, FILTER_NORMAL_ACCOUNT, (BYTE **)&users, MAX_PREFERRED_LENGTH, &got, &all, NULL);

    *count = 0;
    if (code)
        return sbx_fail_code(err, SBX_E_SYSTEM, SBX_CODE_WIN32, code, "NetUserEnum", "users of this machine");
    *sids = sbx_arena_alloc(&f->arena, (got + 1) * sizeof(**sids));
    if (!*sids)
        st = sbx_fail_memory(err);
    for (i = 0; i < got && st == SBX_OK; i++) {
        if ((st = sbx_narrow(users[i].usri0_name, &name, err)) == SBX_OK)
            st = sbx_principal_find(name, &kind, &sid, err);
        sbx_free(name);
        name = NULL;
        if (st != SBX_OK || kind != SBX_PRINCIPAL_USER)
            continue;
        sbx_user_sid_text(sid.u.bytes, text, sizeof(text));
        if (sbx_machine_is_account(machine, text))
            continue;
        (*sids)[*count] = sbx_arena_strdup(&f->arena, text);
        st = (*sids)[(*count)++] ? SBX_OK : sbx_fail_memory(err);
    }
    if (st == SBX_OK)
        qsort(*sids, *count, sizeof(**sids), by_text);
    NetApiBufferFree(users);
    return st;
}

/* ---- all of them ---- */

/* machine: for whom; all: whose accounts are not others, either. */
static sbx_status add_all(sbx_filters *f, const sbx_machine *machine, const sbx_machine *all, sbx_error *err)
{
    FWP_BYTE_BLOB *permit = NULL, *block = NULL, *offline = NULL;
    const char **others = NULL;
    sbx_text permit_text = {0}, block_text = {0}, offline_text = {0};
    uint32_t count = 0, i, layer;
    sbx_status st = other_users(f, all, &others, &count, err);

    if (st != SBX_OK)
        return st;
    sbx_filter_users_permit(machine, &permit_text);
    sbx_filter_users_block(machine, others, count, &block_text);
    st = descriptor(f, &permit_text, &permit, err);
    if (st == SBX_OK)
        st = descriptor(f, &block_text, &block, err);
    sbx_text_fini(&block_text);
    for (layer = 0; layer < LAYERS && st == SBX_OK; layer++)
        add_pair(f, layer, permit, block);
    for (i = 0; i < machine->count && st == SBX_OK; i++) {
        if (!machine->users[i].loopback.count)
            continue;
        if (!sbx_filter_users_offline(&machine->users[i], &offline_text)) {
            sbx_text_fini(&offline_text);
            continue;
        }
        st = descriptor(f, &offline_text, &offline, err);
        for (layer = 0; layer < LAYERS && st == SBX_OK; layer++)
            add_loopback(f, layer, &machine->users[i], offline);
    }
    return st == SBX_OK && f->failed ? sbx_fail_memory(err) : st;
}

sbx_status sbx_filters_new(const sbx_machine *machine, const char *without, uint32_t flags, sbx_filters **filters,
                           sbx_error *err)
{
    sbx_filters *f = sbx_alloc_zero(1, sizeof(*f));
    sbx_machine whose = {0};
    sbx_status st = SBX_OK;

    if (!f)
        return sbx_fail_memory(err);
    f->flags = flags;
    f->provider = key_of(flags, 0, 0, 0);
    f->sublayer = key_of(flags, 1, 0, 0);
    f->items = sbx_arena_alloc(&f->arena, (3 * LAYERS + machine->count * LAYERS) * sizeof(*f->items));
    whose.users = sbx_arena_alloc(&f->arena, machine->count * sizeof(*whose.users));
    if (!f->items || !whose.users) {
        st = sbx_fail_memory(err);
    } else if (machine->count) {
        memcpy(whose.users, machine->users, machine->count * sizeof(*whose.users));
        whose.count = machine->count;
        if (without)
            sbx_machine_forget(&whose, without);
        if (whose.count)
            st = add_all(f, &whose, machine, err);
    }
    if (st == SBX_OK) {
        *filters = f;
        f = NULL;
    }
    sbx_filters_free(f);
    return st;
}

void sbx_filters_free(sbx_filters *filters)
{
    if (!filters)
        return;
    sbx_arena_fini(&filters->arena);
    sbx_free(filters);
}
