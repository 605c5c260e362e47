/* Filters read, compared and replaced. */
#include "elevated/filters_part.h"

#include <string.h>

#include "elevated/fwpm_ids.h"
#include "win/error.h"

static const WCHAR sublayer_name_w[] = L"sbx: commands without a network";
static const WCHAR provider_name_w[] = L"sbx";

static int same(const GUID *one, const GUID *other)
{
    return !memcmp(one, other, sizeof(*one));
}

static WCHAR *as_text(const WCHAR *text_w)
{
    return (WCHAR *)(uintptr_t)text_w;
}

static int is_trial(const sbx_filters *f)
{
    return (f->flags & SBX_FILTERS_TRIAL) != 0;
}

/* ---- is it what it should be? ---- */

/* The entries of two access lists; who owns a descriptor of a filter says nothing. */
static int same_users(const FWP_BYTE_BLOB *one, const FWP_BYTE_BLOB *other)
{
    const FWP_BYTE_BLOB *const blobs[2] = {one, other};
    ACL *lists[2] = {NULL, NULL};
    ACE_HEADER *entries[2];
    BOOL there, defaulted;
    DWORD i, k;

    for (i = 0; i < 2; i++)
        if (!blobs[i] || !IsValidSecurityDescriptor(blobs[i]->data) ||
            !GetSecurityDescriptorDacl(blobs[i]->data, &there, &lists[i], &defaulted) || !there || !lists[i])
            return 0;
    if (lists[0]->AceCount != lists[1]->AceCount)
        return 0;
    for (i = 0; i < lists[0]->AceCount; i++) {
        for (k = 0; k < 2; k++)
            if (!GetAce(lists[k], i, (void **)&entries[k]))
                return 0;
        if (entries[0]->AceSize != entries[1]->AceSize || memcmp(entries[0], entries[1], entries[0]->AceSize))
            return 0;
    }
    return 1;
}

static int same_value(const FWP_CONDITION_VALUE0 *one, const FWP_CONDITION_VALUE0 *other)
{
    if (one->type != other->type)
        return 0;
    switch (one->type) {
    case FWP_UINT8:
        return one->uint8 == other->uint8;
    case FWP_UINT16:
        return one->uint16 == other->uint16;
    case FWP_UINT32:
        return one->uint32 == other->uint32;
    case FWP_SECURITY_DESCRIPTOR_TYPE:
        return same_users(one->sd, other->sd);
    case FWP_RANGE_TYPE:
        return one->rangeValue && other->rangeValue && one->rangeValue->valueLow.type == FWP_UINT16 &&
               other->rangeValue->valueLow.type == FWP_UINT16 &&
               one->rangeValue->valueLow.uint16 == other->rangeValue->valueLow.uint16 &&
               one->rangeValue->valueHigh.uint16 == other->rangeValue->valueHigh.uint16;
    default:
        return 0;
    }
}

static int has_condition(const FWPM_FILTER0 *filter, const FWPM_FILTER_CONDITION0 *wanted)
{
    uint32_t i;

    for (i = 0; i < filter->numFilterConditions; i++)
        if (same(&filter->filterCondition[i].fieldKey, &wanted->fieldKey) &&
            filter->filterCondition[i].matchType == wanted->matchType &&
            same_value(&filter->filterCondition[i].conditionValue, &wanted->conditionValue))
            return 1;
    return 0;
}

static int same_filter(const FWPM_FILTER0 *found, const FWPM_FILTER0 *wanted)
{
    uint32_t i;

    if (!same(&found->filterKey, &wanted->filterKey) || !same(&found->layerKey, &wanted->layerKey) ||
        !same(&found->subLayerKey, &wanted->subLayerKey) || !found->providerKey ||
        !same(found->providerKey, wanted->providerKey) || found->action.type != wanted->action.type ||
        (found->flags & ~FWPM_FILTER_FLAG_INDEXED) != wanted->flags || found->weight.type != FWP_UINT64 ||
        !found->weight.uint64 || *found->weight.uint64 != *wanted->weight.uint64 ||
        found->numFilterConditions != wanted->numFilterConditions)
        return 0;
    for (i = 0; i < wanted->numFilterConditions; i++) /* no two of ours are alike */
        if (!has_condition(found, &wanted->filterCondition[i]))
            return 0;
    return 1;
}

/* ---- what is there ---- */

/* Called for each filter in the sublayer, or of the provider. */
typedef sbx_status (*on_filter)(const sbx_engine *engine, const sbx_filters *f, const FWPM_FILTER0 *found,
                                uint32_t *count, sbx_error *err);

static sbx_status count_right(const sbx_engine *engine, const sbx_filters *f, const FWPM_FILTER0 *found,
                              uint32_t *count, sbx_error *err)
{
    uint32_t i;

    (void)engine;
    (void)err;
    count[0]++;
    for (i = 0; i < f->count; i++)
        count[1] += (uint32_t)same_filter(found, &f->items[i]);
    return SBX_OK;
}

static sbx_status delete_it(const sbx_engine *engine, const sbx_filters *f, const FWPM_FILTER0 *found, uint32_t *count,
                            sbx_error *err)
{
    const uint32_t code = sbx_fwpm_table.FilterDeleteById0(engine->handle, found->filterId);

    (void)f;
    count[0]++;
    return code ? sbx_engine_failed(code, "FwpmFilterDeleteById0", err) : SBX_OK;
}

static sbx_status each_filter(const sbx_engine *engine, const sbx_filters *f, on_filter on, uint32_t *count,
                              sbx_error *err)
{
    FWPM_FILTER0 **found = NULL;
    HANDLE walk = NULL;
    UINT32 got, i;
    uint32_t code = sbx_fwpm_table.FilterCreateEnumHandle0(engine->handle, NULL, &walk);
    sbx_status st = SBX_OK;

    if (code)
        return sbx_engine_failed(code, "FwpmFilterCreateEnumHandle0", err);
    do {
        got = 0;
        code = sbx_fwpm_table.FilterEnum0(engine->handle, walk, 256, &found, &got);
        if (code)
            st = sbx_engine_failed(code, "FwpmFilterEnum0", err);
        for (i = 0; i < got && st == SBX_OK; i++)
            if (same(&found[i]->subLayerKey, &f->sublayer) ||
                (found[i]->providerKey && same(found[i]->providerKey, &f->provider)))
                st = on(engine, f, found[i], count, err);
        if (found)
            sbx_fwpm_table.FreeMemory0((void **)&found);
    } while (got == 256 && st == SBX_OK);
    sbx_fwpm_table.FilterDestroyEnumHandle0(engine->handle, walk);
    return st;
}

/* *right: provider and sublayer that are as they should be; *there: that there are. */
static sbx_status look_above(const sbx_engine *engine, const sbx_filters *f, uint32_t *there, uint32_t *right,
                             sbx_error *err)
{
    const UINT32 persistent = is_trial(f) ? 0 : 1;
    FWPM_PROVIDER0 *provider = NULL;
    FWPM_SUBLAYER0 *sublayer = NULL;
    uint32_t code = sbx_fwpm_table.ProviderGetByKey0(engine->handle, &f->provider, &provider);

    *there = *right = 0;
    if (code && code != (uint32_t)FWP_E_PROVIDER_NOT_FOUND)
        return sbx_engine_failed(code, "FwpmProviderGetByKey0", err);
    if (provider) {
        ++*there;
        *right += (provider->flags & 1u) == persistent && !provider->serviceName;
        sbx_fwpm_table.FreeMemory0((void **)&provider);
    }
    code = sbx_fwpm_table.SubLayerGetByKey0(engine->handle, &f->sublayer, &sublayer);
    if (code && code != (uint32_t)FWP_E_SUBLAYER_NOT_FOUND)
        return sbx_engine_failed(code, "FwpmSubLayerGetByKey0", err);
    if (sublayer) {
        ++*there;
        *right += (sublayer->flags & 1u) == persistent && sublayer->weight == 0xffff && sublayer->providerKey &&
                  same(sublayer->providerKey, &f->provider);
        sbx_fwpm_table.FreeMemory0((void **)&sublayer);
    }
    return SBX_OK;
}

sbx_status sbx_filters_look(const sbx_engine *engine, const sbx_filters *filters, uint32_t *state, sbx_error *err)
{
    uint32_t count[2] = {0, 0}, there, right;
    const uint32_t above = filters->count ? 2 : 0;
    sbx_status st = look_above(engine, filters, &there, &right, err);

    if (st == SBX_OK)
        st = each_filter(engine, filters, count_right, count, err);
    if (st == SBX_OK)
        *state = !there && !count[0]                                                                            ? 0
                 : there == above && right == above && count[0] == filters->count && count[1] == filters->count ? 1
                                                                                                                : 2;
    return st;
}

/* ---- in place of it ---- */

static sbx_status delete_all(const sbx_engine *engine, const sbx_filters *f, sbx_error *err)
{
    uint32_t count = 0, code;
    sbx_status st = each_filter(engine, f, delete_it, &count, err);

    if (st != SBX_OK)
        return st;
    code = sbx_fwpm_table.SubLayerDeleteByKey0(engine->handle, &f->sublayer);
    if (code && code != (uint32_t)FWP_E_SUBLAYER_NOT_FOUND)
        return sbx_engine_failed(code, "FwpmSubLayerDeleteByKey0", err);
    code = sbx_fwpm_table.ProviderDeleteByKey0(engine->handle, &f->provider);
    if (code && code != (uint32_t)FWP_E_PROVIDER_NOT_FOUND)
        return sbx_engine_failed(code, "FwpmProviderDeleteByKey0", err);
    return SBX_OK;
}

/* A PERMIT that nobody may overrule would open every firewall below, for everybody. */
static sbx_status check_permits(const sbx_filters *f, sbx_error *err)
{
    uint32_t i;

    for (i = 0; i < f->count; i++)
        if (f->items[i].action.type != FWP_ACTION_BLOCK && (f->items[i].flags & FWPM_FILTER_FLAG_CLEAR_ACTION_RIGHT))
            return sbx_fail(err, SBX_E_BACKEND, "a filter that permits may not overrule others",
                            "filters of the network");
    return SBX_OK;
}

sbx_status sbx_filters_write(const sbx_engine *engine, const sbx_filters *filters, sbx_error *err)
{
    FWPM_PROVIDER0 provider = {.providerKey = filters->provider,
                               .displayData = {as_text(provider_name_w), NULL},
                               .flags = is_trial(filters) ? 0 : FWPM_PROVIDER_FLAG_PERSISTENT};
    FWPM_SUBLAYER0 sublayer = {.subLayerKey = filters->sublayer,
                               .displayData = {as_text(sublayer_name_w), NULL},
                               .flags = is_trial(filters) ? 0 : FWPM_SUBLAYER_FLAG_PERSISTENT,
                               .providerKey = &provider.providerKey,
                               .weight = 0xffff};
    uint32_t code = 0, i;
    sbx_status st = check_permits(filters, err);

    if (st == SBX_OK)
        st = delete_all(engine, filters, err);
    if (st != SBX_OK || !filters->count)
        return st;
    if ((code = sbx_fwpm_table.ProviderAdd0(engine->handle, &provider, NULL)))
        return sbx_engine_failed(code, "FwpmProviderAdd0", err);
    if ((code = sbx_fwpm_table.SubLayerAdd0(engine->handle, &sublayer, NULL)))
        return sbx_engine_failed(code, "FwpmSubLayerAdd0", err);
    for (i = 0; i < filters->count && !code; i++)
        code = sbx_fwpm_table.FilterAdd0(engine->handle, &filters->items[i], NULL, NULL);
    return code ? sbx_engine_failed(code, "FwpmFilterAdd0", err) : SBX_OK;
}

sbx_status sbx_filters_replace(const sbx_engine *engine, const sbx_filters *filters, sbx_error *err)
{
    uint32_t code = sbx_fwpm_table.TransactionBegin0(engine->handle, 0), state = 0;
    sbx_status st;

    if (code)
        return sbx_engine_failed(code, "FwpmTransactionBegin0", err);
    st = sbx_filters_write(engine, filters, err);
    if (st == SBX_OK && (st = sbx_filters_look(engine, filters, &state, err)) == SBX_OK && state != !!filters->count)
        st = sbx_fail(err, SBX_E_UNENFORCED, "they are not what was written", "filters of the network");
    if (st == SBX_OK && (code = sbx_fwpm_table.TransactionCommit0(engine->handle)))
        st = sbx_engine_failed(code, "FwpmTransactionCommit0", err);
    if (st != SBX_OK)
        sbx_fwpm_table.TransactionAbort0(engine->handle);
    return st;
}
