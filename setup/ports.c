#include "setup/ports.h"

#include <string.h>

#include "config/value.h"

static sbx_status add(int64_t ports, sbx_port_range ranges[SBX_SETUP_PORTS], uint32_t *count, sbx_error *err)
{
    if (*count == SBX_SETUP_PORTS)
        return sbx_fail(err, SBX_E_USAGE, "more than 256 ranges", "--loopback");
    ranges[*count].first = SBX_PORTS_FIRST(ports);
    ranges[(*count)++].last = SBX_PORTS_LAST(ports);
    return SBX_OK;
}

sbx_status sbx_setup_ports(const char *text, sbx_port_range ranges[SBX_SETUP_PORTS], uint32_t *count, sbx_error *err)
{
    sbx_problem problem = {0};
    int64_t ports;
    size_t length;
    sbx_status st = SBX_OK;

    *count = 0;
    if (!strcmp(text, "none"))
        return SBX_OK;
    if (!strcmp(text, "dev") && (st = add(SBX_PORTS(3000, 9999), ranges, count, err)) == SBX_OK)
        return add(SBX_PORTS(49152, 65535), ranges, count, err);
    for (;; text += length + 1) {
        length = strcspn(text, ",");
        if (!sbx_value_ports(text, length, &ports, &problem)) {
            sbx_fail(err, SBX_E_USAGE, problem.message, "--loopback");
            return sbx_hint(err, "see `sbx help setup`");
        }
        if ((st = add(ports, ranges, count, err)) != SBX_OK || !text[length])
            return st;
    }
}
