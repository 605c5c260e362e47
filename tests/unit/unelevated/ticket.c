/* The ticket: what is written is read back, and nothing else is taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/memory.h"
#include "common/token/ticket.h"
#include "unit/support/fault.h"

static const uint8_t root_a[12] = {1, 1, 0, 0, 0, 0, 0, 9, 1, 2, 3, 4};
static const uint8_t root_b[16] = {1, 2, 0, 0, 0, 0, 0, 9, 5, 6, 7, 8, 9, 9, 9, 9};
static const void *const roots[] = {root_a, root_b};
static const char run_id[] = "00112233445566778899aabbccddeeff";

static void fill(sbx_ticket_data *data)
{
    memset(data, 0, sizeof(*data));
    data->flags = SBX_TICKET_DESKTOP | SBX_TICKET_WHOLE;
    assert_int_equal(sbx_run_sid(run_id, data->spec.run_sid, NULL), SBX_OK);
    data->spec.roots = roots;
    data->spec.root_count = 2;
    data->run_id = run_id;
    data->closed = "C:\\a";
    data->opened = NULL;
    data->root = "C:\\r";
    data->spec.launcher = root_b;
    data->spec.is_whole = 1;
    data->spec.deny_only = root_a;
    data->desktop = "s\\d";
}

static void round_trip(void **state)
{
    sbx_ticket_data in, out;
    void *bytes = NULL;
    uint32_t length = 0;

    (void)state;
    sbx_fault_use(0);
    fill(&in);
    assert_int_equal(sbx_ticket_write(&in, &bytes, &length, NULL), SBX_OK);
    assert_int_equal(sbx_ticket_read(bytes, length, &out, NULL), SBX_OK);
    sbx_free(bytes);
    assert_int_equal(out.flags, SBX_TICKET_DESKTOP | SBX_TICKET_WHOLE);
    assert_true(out.spec.is_whole);
    assert_memory_equal(out.spec.deny_only, root_a, sizeof(root_a));
    assert_memory_equal(out.spec.run_sid, in.spec.run_sid, SBX_RUN_SID_BYTES);
    assert_int_equal(out.spec.root_count, 2);
    assert_memory_equal(out.spec.roots[0], root_a, sizeof(root_a));
    assert_memory_equal(out.spec.roots[1], root_b, sizeof(root_b));
    assert_string_equal(out.run_id, run_id);
    assert_string_equal(out.closed, "C:\\a");
    assert_string_equal(out.opened, "");
    assert_string_equal(out.root, "C:\\r");
    assert_memory_equal(out.spec.launcher, root_b, sizeof(root_b));
    assert_string_equal(out.desktop, "s\\d");
    sbx_ticket_fini(&out);
    assert_int_equal(sbx_fault_live(), 0);
}

static void cut_and_bent(void **state)
{
    sbx_ticket_data in, out;
    void *bytes = NULL;
    uint8_t copy[512];
    uint32_t length = 0, i;

    (void)state;
    sbx_fault_use(0);
    fill(&in);
    assert_int_equal(sbx_ticket_write(&in, &bytes, &length, NULL), SBX_OK);
    assert_true(length < sizeof(copy));
    for (i = 0; i < length; i++)
        assert_int_equal(sbx_ticket_read(bytes, i, &out, NULL), SBX_E_REFUSED);
    memcpy(copy, bytes, length);
    copy[length] = 0;
    assert_int_equal(sbx_ticket_read(copy, length + 1, &out, NULL), SBX_E_REFUSED);
    for (i = 0; i < length; i++) { /* any byte: an answer, no crash, nothing left */
        copy[i] ^= 0xff;
        if (sbx_ticket_read(copy, length, &out, NULL) == SBX_OK)
            sbx_ticket_fini(&out);
        copy[i] ^= 0xff;
    }
    in.spec.launcher = NULL; /* unrestricted as the user: never */
    sbx_free(bytes);
    assert_int_equal(sbx_ticket_write(&in, &bytes, &i, NULL), SBX_OK);
    assert_int_equal(sbx_ticket_read(bytes, i, &out, NULL), SBX_E_REFUSED);
    for (i = 0; i < 16; i++) { /* the header: always refused */
        copy[i] ^= 0x80;
        assert_int_equal(sbx_ticket_read(copy, length, &out, NULL), SBX_E_REFUSED);
        copy[i] ^= 0x80;
    }
    assert_int_equal(sbx_ticket_read(NULL, 0, &out, NULL), SBX_E_REFUSED);
    sbx_free(bytes);
    assert_int_equal(sbx_fault_live(), 0);
}

static void out_of_memory(void **state)
{
    (void)state;
    SBX_FAULT_EACH(n)
    {
        sbx_ticket_data in, out;
        void *bytes = NULL;
        uint32_t length = 0;
        sbx_status st;

        fill(&in);
        st = sbx_ticket_write(&in, &bytes, &length, NULL);
        if (st == SBX_OK)
            st = sbx_ticket_read(bytes, length, &out, NULL);
        if (st == SBX_OK)
            sbx_ticket_fini(&out);
        else
            assert_true(sbx_fault_hit());
        assert_true(st == SBX_OK || st == SBX_E_MEMORY);
        sbx_free(bytes);
        assert_int_equal(sbx_fault_live(), 0);
    }
}

static void run_ids(void **state)
{
    static const uint8_t want[SBX_RUN_SID_BYTES] = {1,    5,    0,    0,    0,    0,    0,    9,    'R',  'X',
                                                    'B',  'S',  0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                                    0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    uint8_t sid[SBX_RUN_SID_BYTES];

    (void)state;
    assert_int_equal(sbx_run_sid(run_id, sid, NULL), SBX_OK);
    assert_memory_equal(sid, want, sizeof(want));
    assert_int_equal(sbx_run_sid("0011", sid, NULL), SBX_E_REFUSED);
    assert_int_equal(sbx_run_sid("g0112233445566778899aabbccddeeff", sid, NULL), SBX_E_REFUSED);
    assert_int_equal(sbx_run_sid(NULL, sid, NULL), SBX_E_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(cut_and_bent),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(run_ids),
    };
    return cmocka_run_group_tests_name("unelevated-ticket", tests, NULL, NULL);
}
