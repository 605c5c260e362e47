/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * NT lab: the judge of inheritance, Samba's create_security_descriptor()
 *
 * Reads the inheritance cases of cases.py from standard input and writes the DACL that
 * Samba gives the new object: the same wire format as harness.c.  Samba's function is
 * an implementation of MS-DTYP 2.5.3.4 that shares nothing with the lab.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include <core/ntstatus.h>
#include <util/data_blob.h>
#include <gen_ndr/security.h>

/* libcli/security, which has no public header */
extern struct security_descriptor *create_security_descriptor(
    TALLOC_CTX *mem_ctx, struct security_descriptor *parent_sd, struct security_descriptor *creator_sd, bool is_container,
    struct GUID *object_list, uint32_t inherit_flags, struct security_token *token, struct dom_sid *default_owner,
    struct dom_sid *default_group, uint32_t (*generic_map)(uint32_t access_mask));
#define AUTO_INHERIT_DACL 0x01

static void need(void *data, size_t size)
{
    if (fread(data, 1, size, stdin) != size)
        exit(2);
}

static uint32_t need_int(void)
{
    uint32_t value;

    need(&value, sizeof(value));
    return value;
}

static char *need_block(void *ctx, uint32_t *length)
{
    char *data;

    *length = need_int();
    data = talloc_zero_size(ctx, *length + 1);
    need(data, *length);
    return data;
}

static void parse_sid(struct dom_sid *sid, const uint8_t *data)
{
    sid->sid_rev_num = data[0];
    sid->num_auths = (int8_t)data[1];
    memcpy(sid->id_auth, data + 2, 6);
    memcpy(sid->sub_auths, data + 8, 4u * data[1]);
}

static struct dom_sid *need_sid(void *ctx)
{
    struct dom_sid *sid = talloc_zero(ctx, struct dom_sid);
    uint32_t length;

    parse_sid(sid, (uint8_t *)need_block(ctx, &length));
    return sid;
}

static struct security_acl *parse_acl(void *ctx, const uint8_t *data)
{
    struct security_acl *acl = talloc_zero(ctx, struct security_acl);
    uint16_t count, size;
    uint32_t i;

    memcpy(&count, data + 4, 2);
    acl->revision = data[0];
    acl->num_aces = count;
    acl->aces = talloc_zero_array(acl, struct security_ace, count);
    for (i = 0, data += 8; i < count; i++, data += size) {
        acl->aces[i].type = data[0];
        acl->aces[i].flags = data[1];
        memcpy(&size, data + 2, 2);
        acl->aces[i].size = size;
        memcpy(&acl->aces[i].access_mask, data + 4, 4);
        parse_sid(&acl->aces[i].trustee, data + 8);
    }
    return acl;
}

static struct security_descriptor *need_sd(void *ctx)
{
    struct security_descriptor *sd = talloc_zero(ctx, struct security_descriptor);
    uint32_t length;
    char *dacl;

    sd->revision = 1;
    sd->type = (uint16_t)need_int() | SEC_DESC_SELF_RELATIVE;
    sd->owner_sid = need_sid(sd);
    sd->group_sid = need_sid(sd);
    dacl = need_block(sd, &length);
    if (length)
        sd->dacl = parse_acl(sd, (uint8_t *)dacl);
    return sd;
}

static struct dom_sid *skip_token(void *ctx)
{
    struct dom_sid *user;
    uint32_t i, count, length;

    need_int();
    need_int();
    user = need_sid(ctx);
    for (i = 0, count = need_int(); i < count; i++) {
        need_int();
        need_block(ctx, &length);
    }
    for (i = 0, count = need_int(); i < count; i++)
        need_block(ctx, &length);
    return user;
}

/* generic rights of files */
static uint32_t map(uint32_t mask)
{
    static const uint32_t mapping[4] = {0x1f01ff, 0x1200a0, 0x120116, 0x120089}; /* all, execute, write, read */
    uint32_t i, result = mask & 0x0fffffff;

    for (i = 0; i < 4; i++)
        if (mask & (0x10000000u << i))
            result |= mapping[i];
    return result;
}

static void write_acl(const struct security_acl *acl)
{
    uint8_t body[65536], *p = body;
    uint16_t count = 0, size;
    uint32_t i, length;

    for (i = 0; acl && i < acl->num_aces; i++, count++, p += size) {
        const struct security_ace *ace = &acl->aces[i];

        size = (uint16_t)(16 + 4 * ace->trustee.num_auths);
        p[0] = (uint8_t)ace->type;
        p[1] = ace->flags;
        memcpy(p + 2, &size, 2);
        memcpy(p + 4, &ace->access_mask, 4);
        p[8] = ace->trustee.sid_rev_num;
        p[9] = (uint8_t)ace->trustee.num_auths;
        memcpy(p + 10, ace->trustee.id_auth, 6);
        memcpy(p + 16, ace->trustee.sub_auths, 4u * (unsigned)ace->trustee.num_auths);
    }
    length = (uint32_t)(p - body) + 8;
    size = (uint16_t)length;
    fwrite(&length, 4, 1, stdout);
    fwrite("\2\0", 2, 1, stdout);
    fwrite(&size, 2, 1, stdout);
    fwrite(&count, 2, 1, stdout);
    fwrite("\0\0", 2, 1, stdout);
    fwrite(body, length - 8, 1, stdout);
}

int main(void)
{
    uint32_t op;

    while (fread(&op, 4, 1, stdin) == 1 && op == 2) {
        void *ctx = talloc_new(NULL);
        struct security_token *token = talloc_zero(ctx, struct security_token);
        struct dom_sid *user = skip_token(ctx);
        struct security_descriptor *parent = need_sd(ctx), *creator = need_int() ? need_sd(ctx) : NULL, *sd;
        bool is_dir = need_int();

        token->num_sids = 1;
        token->sids = user;
        sd = create_security_descriptor(ctx, parent, creator, is_dir, NULL, AUTO_INHERIT_DACL, token, user, user, map);
        write_acl(sd ? sd->dacl : NULL);
        talloc_free(ctx);
    }
    return 0;
}
