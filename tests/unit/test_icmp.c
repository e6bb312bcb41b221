/* vnet/packet/icmp: which packets deserve an error, and what it looks like. */
#include "vnet/packet/icmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"
#include "vnet/packet/checksum.h"
#include "vnet/packet/ipv4.h"
#include "vnet/packet/userdata.h"

#define ICMP_HEADER 8
#define GUEST_IP 0x0a000105u
#define GATEWAY 0x0a000101u
#define FAR 0xc6336401u

static const struct mac guest = { { 2, 0, 0, 0, 0, 5 } }, router = { { 2, 0x76, 0x6e, 0, 0, 1 } };

static struct icmp_error
error_of(enum icmp_error_kind kind)
{
    return (struct icmp_error){ .kind = kind, .mac = guest, .router = router, .gateway = ip4(GATEWAY), .prefix_len = 24, .mtu = 1400 };
}

struct packet {
    struct mac eth_dst, eth_src;
    uint32_t src, dst;
    uint8_t proto;
    size_t len;    /* of the payload */
    uint8_t first; /* its first byte */
};

static struct packet
plain(void)
{
    return (struct packet){ router, guest, GUEST_IP, FAR, IPV4_PROTO_UDP, 100, 0 };
}

static void
build(const struct packet *p, struct bytes *frame)
{
    struct ipv4_answer a = { p->eth_dst, p->eth_src, ip4(p->src), ip4(p->dst), p->proto };
    bytes_clear(frame);
    uint8_t *payload = ipv4_put(frame, &a, p->len);
    for (size_t i = 0; i < p->len; i++)
        payload[i] = i;
    if (p->len)
        payload[0] = p->first;
}

static bool
answers(enum icmp_error_kind kind, const struct packet *p, struct bytes *out)
{
    struct bytes frame = BYTES_INIT;
    struct icmp_error e = error_of(kind);
    build(p, &frame);
    bytes_clear(out);
    bool is_answered = icmp_error_answer(&e, frame.data, frame.n, out);
    bytes_done(&frame);
    return is_answered;
}

static void
assert_silent(const struct packet *p)
{
    struct bytes out = BYTES_INIT;
    assert_false(answers(ICMP_TIME_EXCEEDED, p, &out));
    assert_int_equal(out.n, 0);
    bytes_done(&out);
}

static const uint8_t *
answer_icmp(const struct bytes *out)
{
    const uint8_t *ip = out->data + ETHERNET_HEADER, *icmp = ip + IPV4_HEADER;
    assert_int_equal(out->n, ETHERNET_HEADER + get_be16(ip + 2));
    assert_int_equal(checksum_finish(checksum_add(0, ip, IPV4_HEADER)), 0);
    assert_int_equal(checksum_finish(checksum_add(0, icmp, out->n - ETHERNET_HEADER - IPV4_HEADER)), 0);
    assert_memory_equal(out->data, guest.b, 6);
    assert_memory_equal(out->data + 6, router.b, 6);
    assert_int_equal(get_be32(ip + 12), GATEWAY);
    assert_int_equal(ip[8], 64);
    return icmp;
}

static void
each_kind_has_its_type_and_code(void **unused)
{
    static const uint8_t want[][2] = { { 3, 0 }, { 11, 0 }, { 3, 4 } };
    struct bytes out = BYTES_INIT;
    struct packet p = plain();
    for (unsigned kind = ICMP_NET_UNREACHABLE; kind <= ICMP_FRAGMENTATION_NEEDED; kind++) {
        assert_true(answers(kind, &p, &out));
        const uint8_t *icmp = answer_icmp(&out);
        assert_memory_equal(icmp, want[kind - 1], 2);
        assert_int_equal(get_be16(icmp + 6), kind == ICMP_FRAGMENTATION_NEEDED ? 1400 : 0);
        assert_int_equal(get_be32(out.data + ETHERNET_HEADER + 16), GUEST_IP);
    }
    bytes_done(&out);
}

static void
the_packet_is_quoted_up_to_576_bytes_in_all(void **unused)
{
    struct bytes out = BYTES_INIT, frame = BYTES_INIT;
    struct packet p = plain();
    build(&p, &frame);
    assert_true(answers(ICMP_TIME_EXCEEDED, &p, &out));
    assert_memory_equal(answer_icmp(&out) + ICMP_HEADER, frame.data + ETHERNET_HEADER, frame.n - ETHERNET_HEADER);
    assert_int_equal(out.n, ETHERNET_HEADER + IPV4_HEADER + ICMP_HEADER + IPV4_HEADER + p.len);
    p.len = 1400;
    assert_true(answers(ICMP_TIME_EXCEEDED, &p, &out));
    answer_icmp(&out);
    assert_int_equal(out.n, ETHERNET_HEADER + 576);
    bytes_done(&frame);
    bytes_done(&out);
}

static void
what_routing_did_is_undone_in_the_quote(void **unused)
{
    struct bytes out = BYTES_INIT;
    struct packet p = plain();
    p.eth_src = router;
    assert_true(answers(ICMP_FRAGMENTATION_NEEDED, &p, &out));
    const uint8_t *quoted = answer_icmp(&out) + ICMP_HEADER;
    assert_int_equal(quoted[8], 65);
    assert_int_equal(checksum_finish(checksum_add(0, quoted, IPV4_HEADER)), 0);
    bytes_done(&out);
}

/* Of the quote's transport, with its pseudo header; 0 if it is right. */
static uint16_t
transport_sum(const uint8_t *ip, size_t len)
{
    uint32_t sum = checksum_add(0, ip + 12, 8);
    sum += ip[9] + (uint32_t) len;
    return checksum_finish(checksum_add(sum, ip + IPV4_HEADER, len));
}

static void
what_a_load_balancer_did_is_undone_in_the_quote(void **unused)
{
    static const struct {
        uint8_t proto;
        size_t sum_at;
    } kinds[] = { { IPV4_PROTO_TCP, 16 }, { IPV4_PROTO_UDP, 6 } };
    struct icmp_error e = error_of(ICMP_FRAGMENTATION_NEEDED);
    e.sent_to = 0x0a000164;
    e.sent_to_port = 80;
    for (size_t i = 0; i < 2; i++) {
        struct bytes out = BYTES_INIT, frame = BYTES_INIT;
        struct packet p = plain();
        p.proto = kinds[i].proto;
        build(&p, &frame);
        uint8_t *ip = frame.data + ETHERNET_HEADER, *sum = ip + IPV4_HEADER + kinds[i].sum_at;
        put_be16(sum, 0);
        put_be16(sum, transport_sum(ip, p.len));
        assert_true(icmp_error_answer(&e, frame.data, frame.n, &out));
        const uint8_t *quoted = answer_icmp(&out) + ICMP_HEADER;
        assert_int_equal(get_be32(quoted + 16), 0x0a000164);
        assert_int_equal(get_be16(quoted + IPV4_HEADER), get_be16(ip + IPV4_HEADER));
        assert_int_equal(get_be16(quoted + IPV4_HEADER + 2), 80);
        assert_int_equal(checksum_finish(checksum_add(0, quoted, IPV4_HEADER)), 0);
        assert_int_equal(transport_sum(quoted, p.len), 0);
        bytes_done(&frame);
        bytes_done(&out);
    }
}

static void
icmp_errors_are_not_answered_but_queries_are(void **unused)
{
    struct bytes out = BYTES_INIT;
    struct packet p = plain();
    p.proto = IPV4_PROTO_ICMP;
    static const uint8_t errors[] = { 3, 4, 5, 11, 12, 1, 200 };
    for (size_t i = 0; i < sizeof errors; i++) {
        p.first = errors[i];
        assert_silent(&p);
    }
    static const uint8_t queries[] = { 8, 0, 13, 17 };
    for (size_t i = 0; i < sizeof queries; i++) {
        p.first = queries[i];
        assert_true(answers(ICMP_TIME_EXCEEDED, &p, &out));
    }
    bytes_done(&out);
}

static void
broadcasts_and_multicasts_are_not_answered(void **unused)
{
    struct packet p = plain();
    p.eth_dst.b[0] |= 1;
    assert_silent(&p);
    static const uint32_t to[] = { UINT32_MAX, 0xe0000001, 0xefffffff, 0x0a0001ff };
    for (size_t i = 0; i < sizeof to / sizeof to[0]; i++) {
        p = plain();
        p.dst = to[i];
        assert_silent(&p);
    }
}

static void
a_source_that_is_not_one_host_is_not_answered(void **unused)
{
    static const uint32_t from[] = { 0, 5, 0x7f000001, 0xe0000001, 0xf0000001, UINT32_MAX, 0x0a0001ff };
    for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
        struct packet p = plain();
        p.src = from[i];
        assert_silent(&p);
    }
}

static void
only_first_fragments_are_answered(void **unused)
{
    struct bytes frame = BYTES_INIT, out = BYTES_INIT;
    struct icmp_error e = error_of(ICMP_TIME_EXCEEDED);
    struct packet p = plain();
    build(&p, &frame);
    put_be16(frame.data + ETHERNET_HEADER + 6, 0x2000);
    assert_true(icmp_error_answer(&e, frame.data, frame.n, &out));
    put_be16(frame.data + ETHERNET_HEADER + 6, 1);
    bytes_clear(&out);
    assert_false(icmp_error_answer(&e, frame.data, frame.n, &out));
    bytes_done(&frame);
    bytes_done(&out);
}

static void
too_little_to_quote_is_not_answered(void **unused)
{
    struct packet p = plain();
    p.len = 7;
    assert_silent(&p);
    p.len = 0;
    assert_silent(&p);
}

static void
no_bytes_make_it_stumble(void **unused)
{
    struct random random = random_seeded();
    struct bytes frame = BYTES_INIT, out = BYTES_INIT;
    for (unsigned i = 0; i < 20000; i++) {
        struct packet p = plain();
        struct icmp_error e = error_of(1 + random_below(&random, 3));
        p.len = random_below(&random, 700);
        build(&p, &frame);
        for (unsigned n = random_below(&random, 4); n; n--)
            frame.data[random_below(&random, ETHERNET_HEADER + IPV4_HEADER)] = random_u64(&random);
        size_t len = random_below(&random, 4) ? frame.n : random_below(&random, frame.n);
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, frame.data, len);
        bytes_clear(&out);
        if (icmp_error_answer(&e, exact, len, &out))
            assert_in_range(out.n, 1, ETHERNET_HEADER + 576);
        free(exact);
    }
    bytes_done(&frame);
    bytes_done(&out);
}

static void
userdata_carries_an_error_whole_but_for_the_mtu(void **unused)
{
    struct bytes b = BYTES_INIT;
    struct icmp_error e = error_of(ICMP_FRAGMENTATION_NEEDED), got;
    struct dhcp_lease lease;
    userdata_put_error(&b, &e);
    assert_true(userdata_get_error(b.data, b.n, &got));
    assert_true(got.kind == e.kind && mac_equal(got.mac, guest) && mac_equal(got.router, router) && ip_equal(got.gateway, e.gateway)
                && got.prefix_len == 24 && !got.mtu);
    assert_false(userdata_get_lease(b.data, b.n, &lease));
    for (size_t n = 0; n < b.n; n++)
        assert_false(userdata_get_error(b.data, n, &got));
    bytes_put_u8(&b, 0);
    assert_false(userdata_get_error(b.data, b.n, &got));
    bytes_done(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_has_its_type_and_code),
        cmocka_unit_test(the_packet_is_quoted_up_to_576_bytes_in_all),
        cmocka_unit_test(what_routing_did_is_undone_in_the_quote),
        cmocka_unit_test(what_a_load_balancer_did_is_undone_in_the_quote),
        cmocka_unit_test(icmp_errors_are_not_answered_but_queries_are),
        cmocka_unit_test(broadcasts_and_multicasts_are_not_answered),
        cmocka_unit_test(a_source_that_is_not_one_host_is_not_answered),
        cmocka_unit_test(only_first_fragments_are_answered),
        cmocka_unit_test(too_little_to_quote_is_not_answered),
        cmocka_unit_test(no_bytes_make_it_stumble),
        cmocka_unit_test(userdata_carries_an_error_whole_but_for_the_mtu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
