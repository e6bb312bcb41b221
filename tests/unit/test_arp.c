/* vnet/packet/arp: frames as they are on the wire. */
#include "vnet/packet/arp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PUBLIC 0xcb007105u
#define GATEWAY 0xcb007101u

static const struct mac ours = { { 0x0a, 0x76, 203, 0, 113, 5 } }, theirs = { { 2, 0, 0, 0, 0, 9 } };

static void
an_announcement_is_a_request_for_oneself_to_all(void **unused)
{
    static const uint8_t want[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0a, 0x76, 203, 0,   113, 5, 8, 6, 0, 1, 8, 0,   6, 4,   0,
        1,    0x0a, 0x76, 203,  0,    113,  5,    203,  0,   113, 5,   0, 0, 0, 0, 0, 0, 203, 0, 113, 5,
    };
    struct bytes b = BYTES_INIT;
    struct arp_frame a = arp_request(ours, ip4(PUBLIC), ip4(PUBLIC), 0);
    arp_put(&b, &a);
    assert_int_equal(b.n, sizeof want);
    assert_memory_equal(b.data, want, sizeof want);
    bytes_done(&b);
}

static void
a_frame_is_read_as_it_was_written(void **unused)
{
    struct bytes b = BYTES_INIT;
    struct arp_frame got, a = { ours, theirs, 0, ARP_REPLY, theirs, ours, ip4(GATEWAY), ip4(PUBLIC) };
    for (a.vlan = 0; a.vlan < 4095; a.vlan += 4094) {
        bytes_clear(&b);
        arp_put(&b, &a);
        assert_int_equal(b.n, a.vlan ? 46 : 42);
        bytes_extend_zero(&b, 18);
        assert_true(arp_parse(b.data, b.n, &got));
        assert_true(mac_equal(got.eth_dst, ours) && mac_equal(got.eth_src, theirs) && got.vlan == a.vlan && got.op == ARP_REPLY);
        assert_true(mac_equal(got.sha, theirs) && mac_equal(got.tha, ours));
        assert_true(ip_equal(got.spa, ip4(GATEWAY)) && ip_equal(got.tpa, ip4(PUBLIC)));
    }
    bytes_done(&b);
}

static void
what_is_no_arp_or_cut_short_is_none(void **unused)
{
    struct bytes b = BYTES_INIT;
    struct arp_frame got, a = arp_request(ours, ip4(0), ip4(GATEWAY), 7);
    arp_put(&b, &a);
    for (size_t n = 0; n < b.n; n++) {
        uint8_t *exact = malloc(n + 1);
        memcpy(exact, b.data, n);
        assert_false(arp_parse(exact, n, &got));
        free(exact);
    }
    for (size_t at = 16; at < 24; at++) { /* type, hardware, protocol, lengths */
        b.data[at] ^= 1;
        assert_false(arp_parse(b.data, b.n, &got));
        b.data[at] ^= 1;
    }
    assert_true(arp_parse(b.data, b.n, &got));
    bytes_done(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_announcement_is_a_request_for_oneself_to_all),
        cmocka_unit_test(a_frame_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_arp_or_cut_short_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
