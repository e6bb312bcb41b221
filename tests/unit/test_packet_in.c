/* Packets from a switch, whole and damaged; packets to it, as Open vSwitch's own printer reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <openvswitch/ofp-print.h>

#include "base/alloc.h"
#include "ofproto/flow/field.h"
#include "ofproto/flow/packet_in.h"
#include "tests/unit/random.h"

static const uint8_t packet[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x06, 1, 2, 3 };

static void
put_property(struct bytes *b, uint16_t type, const void *value, size_t n)
{
    bytes_put_be16(b, type);
    bytes_put_be16(b, 4 + n);
    bytes_put(b, value, n);
    bytes_extend_zero(b, -(4 + n) & 7);
}

static void
set_length(struct bytes *b)
{
    b->data[2] = b->n >> 8;
    b->data[3] = b->n;
}

static struct bytes
message_start(void)
{
    static const uint8_t head[] = { 6, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x23, 0x20, 0, 0, 0, 30 };
    struct bytes b = BYTES_INIT;
    bytes_put(&b, head, sizeof head);
    return b;
}

static struct bytes
message(void)
{
    static const uint8_t total[] = { 0, 0, 5, 0xdc }, table[] = { 12 };
    static const uint8_t cookie[] = { 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8 };
    static const uint8_t metadata[] = {
        0x80, 0x00, 0 << 1,     4,  0, 0, 0,    7,                                                           /* in_port */
        0x80, 0x00, 2 << 1,     8,  0, 0, 0,    0,    0, 0, 0x12, 0x34,                                      /* metadata */
        0x80, 0x01, 0 << 1 | 1, 16, 0, 0, 0,    0,    0, 0, 0,    1,    0, 0, 0, 0,  0xff, 0xff, 0xff, 0xff, /* xreg0, masked: reg1 */
        0x80, 0x01, 7 << 1,     8,  0, 0, 0,    14,   0, 0, 0,    15,                                        /* xreg7: reg14, reg15 */
        0x00, 0x01, 5 << 1,     4,  0, 0, 0,    5,                                                           /* reg5 */
        0x00, 0x01, 113 << 1,   16, 0, 0, 0,    8,    0, 0, 0,    9,    0, 0, 0, 10, 0,    0,    0,    11,   /* xxreg2: reg8 to reg11 */
        0x00, 0x01, 105 << 1,   4,  0, 0, 0,    0x21,                                                        /* ct_state: passed over */
        0xff, 0xff, 0,          6,  0, 0, 0x23, 0x20, 1, 2,                                                  /* an experimenter's */
    };
    struct bytes b = message_start();
    put_property(&b, 0, packet, sizeof packet);
    put_property(&b, 1, total, sizeof total);
    put_property(&b, 3, table, sizeof table);
    put_property(&b, 4, cookie, sizeof cookie);
    put_property(&b, 6, metadata, sizeof metadata);
    put_property(&b, 7, "userdata", 8);
    put_property(&b, 99, "?", 1);
    set_length(&b);
    return b;
}

static void
a_packet_in_is_read_whole(void **state)
{
    (void) state;
    struct bytes b = message();
    struct packet_in pi;
    struct error err;
    if (!packet_in_decode(b.data, b.n, &pi, &err))
        fail_msg("%s", err.text);
    assert_int_equal(pi.packet_len, sizeof packet);
    assert_memory_equal(pi.packet, packet, sizeof packet);
    assert_int_equal(pi.total_len, 1500);
    assert_int_equal(pi.table, 12);
    assert_int_equal(pi.cookie, 0x0102030405060708);
    assert_int_equal(pi.userdata_len, 8);
    assert_memory_equal(pi.userdata, "userdata", 8);
    assert_int_equal(pi.in_port, 7);
    assert_int_equal(pi.metadata, 0x1234);
    static const uint32_t regs[16] = { [1] = 1, [5] = 5, [8] = 8, 9, 10, 11, [14] = 14, 15 };
    assert_memory_equal(pi.reg, regs, sizeof regs);
    bytes_done(&b);
}

static void
what_is_missing_is_empty(void **state)
{
    (void) state;
    struct bytes b = message_start();
    struct packet_in pi;
    struct error err;
    put_property(&b, 0, packet, sizeof packet);
    set_length(&b);
    assert_true(packet_in_decode(b.data, b.n, &pi, &err));
    assert_int_equal(pi.total_len, sizeof packet);
    assert_int_equal(pi.userdata_len, 0);
    assert_int_equal(pi.in_port, 0);
    bytes_done(&b);
}

static void
bad_messages_are_refused_with_a_reason(void **state)
{
    (void) state;
    struct bytes b = message_start();
    struct packet_in pi;
    struct error err;
    set_length(&b);
    assert_false(packet_in_decode(b.data, b.n, &pi, &err));
    assert_string_equal(err.text, "packet-in of 16 bytes carries no packet");
    bytes_put_be32(&b, 0x00000003); /* a property shorter than its header */
    set_length(&b);
    assert_false(packet_in_decode(b.data, b.n, &pi, &err));
    assert_int_equal(err.code, ERROR_PROTOCOL);
    assert_false(packet_in_decode(b.data, b.n - 1, &pi, &err));
    assert_false(packet_in_decode(NULL, 0, &pi, &err));
    b.data[15] = 17;
    assert_false(packet_in_decode(b.data, b.n, &pi, &err));
    assert_non_null(strstr(err.text, "NXT_PACKET_IN2"));
    bytes_done(&b);

    static const uint8_t reg16[] = { 0x80, 0x01, 8 << 1, 8, 0, 0, 0, 0, 0, 0, 0, 1 };
    b = message_start();
    put_property(&b, 0, packet, sizeof packet);
    put_property(&b, 6, reg16, sizeof reg16);
    set_length(&b);
    assert_false(packet_in_decode(b.data, b.n, &pi, &err));
    bytes_done(&b);
}

/* ---- waiting ---- */

/* message() as of a packet that waits; its reason, and what Open vSwitch nests in a continuation. */
static struct bytes
waiting_message(void)
{
    static const uint8_t reason[] = { 1 }, continuation[] = { 0, 0, 0, 0, 0, 1, 0, 20, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
    struct bytes b = message();
    put_property(&b, 5, reason, sizeof reason);
    put_property(&b, 8, continuation, sizeof continuation);
    set_length(&b);
    return b;
}

static struct packet_in
decoded(const struct bytes *b)
{
    struct packet_in pi;
    struct error err;
    if (!packet_in_decode(b->data, b->n, &pi, &err))
        fail_msg("%s", err.text);
    return pi;
}

static void
a_packet_that_waits_goes_on_as_another_with_all_else_as_it_was(void **state)
{
    (void) state;
    static const uint8_t other[] = { 2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 1, 0x08, 0x06, 9, 8, 7, 6, 5, 4, 3, 2, 1 };
    struct bytes b = message(), answer = BYTES_INIT, expected = BYTES_INIT;
    assert_null(decoded(&b).continuation);
    bytes_done(&b);

    b = waiting_message();
    struct packet_in pi = decoded(&b);
    assert_non_null(pi.continuation);
    bytes_put(&answer, "before", 6);
    packet_resume_encode(&answer, &pi, other, sizeof other, 0x01020304);

    static const uint8_t head[] = { 6, 4, 0, 0, 1, 2, 3, 4, 0, 0, 0x23, 0x20, 0, 0, 0, 28 };
    bytes_put(&expected, head, sizeof head);
    put_property(&expected, 0, other, sizeof other);
    size_t start = 16 + 24 + 8;                                     /* after the header, the packet and its length on the wire */
    size_t userdata = 16, unknown = 8, rest = b.n - start - 8 - 32; /* the reason and the continuation come last */
    bytes_put(&expected, b.data + start, rest - userdata - unknown);
    bytes_put(&expected, b.data + start + rest, b.n - start - rest);
    set_length(&expected);
    assert_int_equal(answer.n - 6, expected.n);
    assert_memory_equal(answer.data + 6, expected.data, expected.n);
    bytes_done(&b);
    bytes_done(&answer);
    bytes_done(&expected);
}

static void
a_resume_that_would_not_fit_is_told_beforehand(void **state)
{
    (void) state;
    struct bytes b = waiting_message(), answer = BYTES_INIT;
    struct packet_in pi = decoded(&b), not_waiting = pi;
    uint8_t *large = mem_zalloc(65535);
    not_waiting.continuation = NULL;
    assert_false(packet_resume_fits(&not_waiting, 60));
    assert_false(packet_resume_fits(&pi, SIZE_MAX));
    size_t n = 65535;
    while (!packet_resume_fits(&pi, n))
        n--;
    assert_in_range(n, 65000, 65500);
    packet_resume_encode(&answer, &pi, large, n, 1);
    assert_true(answer.n <= 65535);
    assert_int_equal(answer.data[2] << 8 | answer.data[3], answer.n);
    free(large);
    bytes_done(&b);
    bytes_done(&answer);
}

static void
use(const struct packet_in *pi)
{
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < pi->packet_len; i++)
        sum += pi->packet[i];
    for (size_t i = 0; i < pi->userdata_len; i++)
        sum += pi->userdata[i];
    if (!packet_resume_fits(pi, pi->packet_len))
        return;
    struct bytes answer = BYTES_INIT;
    packet_resume_encode(&answer, pi, pi->packet, pi->packet_len, 1);
    bytes_done(&answer);
}

static void
no_bytes_make_it_crash(void **state)
{
    (void) state;
    struct random random = random_seeded();
    struct bytes b = waiting_message();
    for (int run = 0; run < 200000; run++) {
        size_t n = random_below(&random, 2) ? b.n : random_below(&random, b.n + 1);
        uint8_t *copy = mem_dup(b.data, n);
        for (unsigned i = random_below(&random, 5); i && n; i--)
            copy[random_below(&random, n)] = random_u64(&random);
        if (n >= 4 && random_below(&random, 8)) {
            copy[2] = n >> 8;
            copy[3] = n;
        }
        struct packet_in pi;
        struct error err;
        if (packet_in_decode(copy, n, &pi, &err))
            use(&pi);
        free(copy);
    }
    bytes_done(&b);
}

static void
a_packet_out_sends_one_packet_to_one_port(void **state)
{
    (void) state;
    struct bytes b = BYTES_INIT;
    packet_out_encode(&b, OF_PORT_LOCAL, packet, sizeof packet, 9);
    char *text = ofp_to_string(b.data, b.n, NULL, NULL, 1);
    assert_non_null(strstr(text, "OFPT_PACKET_OUT (OF1.5) (xid=0x9): in_port=CONTROLLER actions=LOCAL data_len=17\n"));
    assert_memory_equal(b.data + b.n - sizeof packet, packet, sizeof packet);
    free(text);
    bytes_done(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_in_is_read_whole),
        cmocka_unit_test(what_is_missing_is_empty),
        cmocka_unit_test(bad_messages_are_refused_with_a_reason),
        cmocka_unit_test(a_packet_that_waits_goes_on_as_another_with_all_else_as_it_was),
        cmocka_unit_test(a_resume_that_would_not_fit_is_told_beforehand),
        cmocka_unit_test(no_bytes_make_it_crash),
        cmocka_unit_test(a_packet_out_sends_one_packet_to_one_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
