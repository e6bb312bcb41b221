/* vnet/packet/icmp_echo: an identifier is disguised by the private address, and only that undoes it. */
#include "vnet/packet/icmp_echo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vnet/packet/checksum.h"
#include "vnet/packet/ipv4.h"
#include "vnet/packet/userdata.h"

#define HEADER 8
#define PRIVATE 0x0a000105u
#define FAR 0xc6336401u
#define ID 0x1234
#define REQUEST 8
#define REPLY 0

static void
build(struct bytes *frame, uint8_t type, uint32_t src, uint32_t dst)
{
    struct ipv4_answer a = { { { 2 } }, { { 4 } }, ip4(src), ip4(dst), IPV4_PROTO_ICMP };
    bytes_clear(frame);
    uint8_t *icmp = ipv4_put(frame, &a, HEADER + 21);
    icmp[0] = type;
    put_be16(icmp + 4, ID);
    for (size_t i = HEADER; i < HEADER + 21; i++)
        icmp[i] = (uint8_t) (i * 11);
    put_be16(icmp + 2, checksum_finish(checksum_add(0, icmp, HEADER + 21)));
}

/* The identifier that it has afterwards; the rest is as it was, and its checksum right. */
static uint16_t
disguised(enum icmp_echo_side side, const struct bytes *frame)
{
    struct bytes out = BYTES_INIT;
    assert_true(icmp_echo_disguise(side, frame->data, frame->n, &out));
    assert_int_equal(out.n, frame->n);
    uint8_t *icmp = out.data + ETHERNET_HEADER + IPV4_HEADER;
    uint16_t id = get_be16(icmp + 4);
    assert_int_equal(checksum_finish(checksum_add(0, icmp, HEADER + 21)), 0);
    memcpy(icmp + 2, frame->data + ETHERNET_HEADER + IPV4_HEADER + 2, 4);
    assert_memory_equal(out.data, frame->data, frame->n);
    bytes_done(&out);
    return id;
}

static void
an_answer_undoes_what_the_request_did(void **unused)
{
    struct bytes frame = BYTES_INIT;
    build(&frame, REQUEST, PRIVATE, FAR);
    uint16_t outside = disguised(ICMP_ECHO_SRC, &frame);
    assert_int_not_equal(outside, ID);
    build(&frame, REPLY, FAR, PRIVATE);
    uint16_t mask = ID ^ disguised(ICMP_ECHO_DST, &frame);
    assert_int_equal(outside ^ mask, ID);
    bytes_done(&frame);
}

static void
neighbours_are_disguised_differently(void **unused)
{
    struct bytes frame = BYTES_INIT;
    bool is_used[65536] = { false };
    for (uint32_t i = 0; i < 256; i++) {
        build(&frame, REQUEST, 0x0a000100u + i, FAR);
        uint16_t id = disguised(ICMP_ECHO_SRC, &frame);
        assert_false(is_used[id]);
        is_used[id] = true;
    }
    bytes_done(&frame);
}

static bool
is_taken(enum icmp_echo_side side, const struct bytes *frame, size_t n)
{
    struct bytes out = BYTES_INIT;
    bool ok = icmp_echo_disguise(side, frame->data, n, &out);
    assert_true(ok || !out.n);
    bytes_done(&out);
    return ok;
}

static void
only_whole_echoes_of_the_right_way_are_taken(void **unused)
{
    struct bytes frame = BYTES_INIT;
    build(&frame, REQUEST, PRIVATE, FAR);
    assert_true(is_taken(ICMP_ECHO_SRC, &frame, frame.n));
    assert_false(is_taken(ICMP_ECHO_DST, &frame, frame.n));
    assert_true(is_taken(ICMP_ECHO_SRC, &frame, ETHERNET_HEADER + IPV4_HEADER + HEADER));
    assert_false(is_taken(ICMP_ECHO_SRC, &frame, ETHERNET_HEADER + IPV4_HEADER + HEADER - 1));
    put_be16(frame.data + ETHERNET_HEADER + 6, 0x2000);
    assert_false(is_taken(ICMP_ECHO_SRC, &frame, frame.n));
    build(&frame, 3, PRIVATE, FAR);
    assert_false(is_taken(ICMP_ECHO_SRC, &frame, frame.n));
    build(&frame, REQUEST, PRIVATE, FAR);
    frame.data[ETHERNET_HEADER + 9] = IPV4_PROTO_UDP;
    assert_false(is_taken(ICMP_ECHO_SRC, &frame, frame.n));
    bytes_done(&frame);
}

static void
userdata_carries_the_side(void **unused)
{
    struct bytes b = BYTES_INIT;
    enum icmp_echo_side side;
    userdata_put_echo(&b, ICMP_ECHO_DST);
    assert_true(userdata_get_echo(b.data, b.n, &side));
    assert_int_equal(side, ICMP_ECHO_DST);
    assert_false(userdata_get_echo(b.data, b.n - 1, &side));
    b.data[2] = 3;
    assert_false(userdata_get_echo(b.data, b.n, &side));
    bytes_done(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_undoes_what_the_request_did),
        cmocka_unit_test(neighbours_are_disguised_differently),
        cmocka_unit_test(only_whole_echoes_of_the_right_way_are_taken),
        cmocka_unit_test(userdata_carries_the_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
