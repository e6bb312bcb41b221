/* vnet/packet/ipv4: packets that are too big are taken apart so that whoever puts them together has what was sent. */
#include "vnet/packet/ipv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"
#include "vnet/packet/checksum.h"
#include "vnet/packet/userdata.h"

#define ID 0x1234
#define MORE 0x2000
#define DONT 0x4000

static const struct mac here = { { 2, 0, 0, 0, 0, 5 } }, there = { { 2, 0, 0, 0, 0, 6 } };

struct sample {
    size_t n_options, len;
    uint16_t fragment; /* flags and offset */
};

/* Options: record route (stays in the first piece), a security option (is copied), end. */
static const uint8_t options[12] = { 7, 4, 4, 9, 0x82, 3, 7, 1, 7, 2, 0, 0 };
static const uint8_t later_options[12] = { 1, 1, 1, 1, 0x82, 3, 7, 1, 1, 1, 0, 0 };

static void
header_finish(uint8_t *ip, size_t header_len)
{
    put_be16(ip + 10, 0);
    put_be16(ip + 10, checksum_finish(checksum_add(0, ip, header_len)));
}

static void
build(const struct sample *s, struct bytes *frame)
{
    struct ipv4_answer a = { here, there, ip4(0xc0000201), ip4(0xcb007105), IPV4_PROTO_UDP };
    bytes_clear(frame);
    uint8_t *ip = ipv4_put(frame, &a, s->n_options + s->len) - IPV4_HEADER;
    size_t header_len = IPV4_HEADER + s->n_options;
    ip[0] = (uint8_t) (4 << 4 | header_len / 4);
    memcpy(ip + IPV4_HEADER, options, s->n_options);
    put_be16(ip + 4, ID);
    put_be16(ip + 6, s->fragment);
    for (size_t i = 0; i < s->len; i++)
        ip[header_len + i] = (uint8_t) (i * 13 + i / 251);
    header_finish(ip, header_len);
}

/* All pieces in order, checked one by one: what they carry is the packet's payload. */
static unsigned
assert_pieces(const struct sample *s, uint16_t mtu)
{
    struct bytes frame = BYTES_INIT, piece = BYTES_INIT, whole = BYTES_INIT;
    struct ipv4_packet was, p;
    unsigned n = 0;
    build(s, &frame);
    assert_true(ipv4_parse(frame.data, frame.n, &was));
    for (; ipv4_put_piece(&piece, frame.data, frame.n, mtu, n); n++, bytes_clear(&piece)) {
        assert_true(ipv4_parse(piece.data, piece.n, &p));
        assert_true(p.total_len <= mtu && p.header_len + p.payload_len == p.total_len && p.total_len + ETHERNET_HEADER == piece.n);
        assert_int_equal(p.fragment_offset, was.fragment_offset + whole.n / 8);
        assert_memory_equal(piece.data, frame.data, ETHERNET_HEADER + 2);
        assert_int_equal(get_be16(p.header + 4), ID);
        assert_true(mac_equal(p.eth_dst, here) && ip_equal(p.src, was.src) && ip_equal(p.dst, was.dst) && p.ttl == was.ttl);
        assert_int_equal(checksum_finish(checksum_add(0, p.header, p.header_len)), 0);
        assert_memory_equal(p.header + IPV4_HEADER, n ? later_options : options, s->n_options);
        bytes_put(&whole, p.payload, p.payload_len);
        assert_int_equal(p.more_fragments, whole.n < s->len || was.more_fragments);
        assert_int_equal(p.dont_fragment, was.dont_fragment);
    }
    assert_int_equal(piece.n, 0);
    assert_int_equal(whole.n, s->len);
    assert_memory_equal(whole.data, was.payload, s->len);
    bytes_done(&frame);
    bytes_done(&piece);
    bytes_done(&whole);
    return n;
}

static void
what_fits_stays_whole(void **unused)
{
    assert_int_equal(assert_pieces(&(struct sample){ .len = 1480 }, 1500), 1);
    assert_int_equal(assert_pieces(&(struct sample){ .len = 0 }, 28), 1);
    assert_int_equal(assert_pieces(&(struct sample){ .len = 1000, .fragment = MORE | 7 }, 1450), 1);
}

static void
what_does_not_fit_is_taken_apart(void **unused)
{
    assert_int_equal(assert_pieces(&(struct sample){ .len = 1480 }, 1499), 2);
    assert_int_equal(assert_pieces(&(struct sample){ .len = 3008 }, 1450), 3);
    assert_int_equal(assert_pieces(&(struct sample){ .len = 3008, .n_options = sizeof options }, 1450), 3);
    assert_int_equal(assert_pieces(&(struct sample){ .len = 16 }, 28), 2);
}

/* The last piece of a fragment is not the packet's end. */
static void
a_fragment_is_taken_apart_further(void **unused)
{
    assert_int_equal(assert_pieces(&(struct sample){ .len = 1480, .fragment = MORE | 185 }, 1450), 2);
    assert_int_equal(assert_pieces(&(struct sample){ .len = 1475, .fragment = 185 }, 1450), 2);
    assert_int_equal(assert_pieces(&(struct sample){ .len = 1480, .fragment = DONT | MORE }, 1450), 2);
}

static void
any_packet_and_mtu(void **unused)
{
    struct random random = random_seeded();
    for (int i = 0; i < 2000; i++) {
        struct sample s = { .n_options = random_u64(&random) % 2 ? sizeof options : 0, .len = random_u64(&random) % 5000 };
        s.fragment = (uint16_t) (random_u64(&random) % 2 ? MORE | random_u64(&random) % 0x1000 : 0);
        assert_pieces(&s, (uint16_t) (40 + random_u64(&random) % 2000));
    }
}

static bool
has_piece(const struct bytes *frame, size_t n, uint16_t mtu, unsigned i)
{
    struct bytes out = BYTES_INIT;
    bool has = ipv4_put_piece(&out, frame->data, n, mtu, i);
    assert_true(has || !out.n);
    bytes_done(&out);
    return has;
}

static void
what_cannot_be_taken_apart_is_refused(void **unused)
{
    struct bytes frame = BYTES_INIT;
    build(&(struct sample){ .len = 1480 }, &frame);
    assert_true(has_piece(&frame, frame.n, 28, 0));
    assert_false(has_piece(&frame, frame.n, 27, 0));       /* no room for a unit of 8 bytes */
    assert_false(has_piece(&frame, frame.n - 1, 1450, 0)); /* cut short */
    assert_false(has_piece(&frame, frame.n, 1450, 2));
    assert_false(has_piece(&frame, frame.n, 1450, UINT32_MAX));
    frame.data[12] = 0x86;
    assert_false(has_piece(&frame, frame.n, 1450, 0));

    /* A piece that would begin beyond what the header can say. */
    build(&(struct sample){ .len = 1480, .fragment = 0x1fff }, &frame);
    assert_true(has_piece(&frame, frame.n, 1450, 0));
    assert_false(has_piece(&frame, frame.n, 1450, 1));
    bytes_done(&frame);
}

static void
options_that_lie_about_their_length_are_left(void **unused)
{
    static const uint8_t lies[][4] = { { 7, 0, 0, 0 }, { 7, 1, 0, 0 }, { 7, 5, 0, 0 }, { 1, 1, 1, 7 } };
    struct bytes frame = BYTES_INIT, out = BYTES_INIT;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        build(&(struct sample){ .len = 64, .n_options = 4 }, &frame);
        memcpy(frame.data + ETHERNET_HEADER + IPV4_HEADER, lies[i], 4);
        bytes_clear(&out);
        assert_true(ipv4_put_piece(&out, frame.data, frame.n, 60, 1));
        assert_memory_equal(out.data + ETHERNET_HEADER + IPV4_HEADER, lies[i], 4);
    }
    bytes_done(&frame);
    bytes_done(&out);
}

static void
userdata_carries_the_mtu(void **unused)
{
    struct bytes b = BYTES_INIT;
    uint16_t mtu;
    userdata_put_split(&b, 1450);
    assert_true(userdata_get_split(b.data, b.n, &mtu));
    assert_int_equal(mtu, 1450);
    assert_false(userdata_get_split(b.data, b.n - 1, &mtu));
    bytes_put_u8(&b, 0);
    assert_false(userdata_get_split(b.data, b.n, &mtu));
    bytes_done(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays_whole),
        cmocka_unit_test(what_does_not_fit_is_taken_apart),
        cmocka_unit_test(a_fragment_is_taken_apart_further),
        cmocka_unit_test(any_packet_and_mtu),
        cmocka_unit_test(what_cannot_be_taken_apart_is_refused),
        cmocka_unit_test(options_that_lie_about_their_length_are_left),
        cmocka_unit_test(userdata_carries_the_mtu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
