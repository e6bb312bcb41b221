/* vnet/packet/icmp_inner: what an ICMP error quotes is translated with all its checksums, and forged quotes are refused. */
#include "vnet/packet/icmp_inner.h"

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
#define PRIVATE 0x0a000105u
#define PUBLIC 0xcb007105u
#define FAR 0xc6336401u
#define ROUTER 0xc0000201u
#define TCP 6

static const struct mac here = { { 2, 0, 0, 0, 0, 5 } }, there = { { 2, 0, 0, 0, 0, 6 } };

/* The error about a packet with 'len' bytes of payload, of which 'quoted' are in the quote. */
struct sample {
    uint8_t type, proto;
    uint32_t src, dst;
    size_t len, quoted;
    bool has_no_checksum;
};

static size_t
checksum_at(uint8_t proto)
{
    return proto == TCP ? 16 : 6;
}

/* Over pseudo header and payload. */
static uint16_t
transport_checksum(const uint8_t *ip)
{
    size_t len = get_be16(ip + 2) - IPV4_HEADER;
    uint32_t sum = checksum_add(0, ip + 12, 8);
    return checksum_finish(checksum_add(sum + ip[9] + (uint32_t) len, ip + IPV4_HEADER, len));
}

static void
original(const struct sample *s, struct bytes *frame)
{
    struct ipv4_answer a = { here, there, ip4(s->src), ip4(s->dst), s->proto };
    uint8_t *payload = ipv4_put(frame, &a, s->len);
    for (size_t i = 0; i < s->len; i++)
        payload[i] = (uint8_t) (i * 7 + 1);
    size_t at = checksum_at(s->proto);
    if ((s->proto != TCP && s->proto != IPV4_PROTO_UDP) || s->len < at + 2)
        return;
    put_be16(payload + at, 0);
    uint16_t sum = transport_checksum(payload - IPV4_HEADER);
    if (!s->has_no_checksum)
        put_be16(payload + at, s->proto == IPV4_PROTO_UDP && !sum ? UINT16_MAX : sum);
}

static void
build(const struct sample *s, struct bytes *frame)
{
    struct bytes about = BYTES_INIT;
    original(s, &about);
    struct ipv4_answer a = { here, there, ip4(ROUTER), ip4(PUBLIC), IPV4_PROTO_ICMP };
    size_t n = IPV4_HEADER + s->quoted;
    bytes_clear(frame);
    uint8_t *icmp = ipv4_put(frame, &a, ICMP_HEADER + n);
    icmp[0] = s->type;
    icmp[1] = 4;
    memcpy(icmp + ICMP_HEADER, about.data + ETHERNET_HEADER, n);
    put_be16(icmp + 2, checksum_finish(checksum_add(0, icmp, ICMP_HEADER + n)));
    bytes_done(&about);
}

static struct sample
plain(void)
{
    return (struct sample){ 3, IPV4_PROTO_UDP, PUBLIC, FAR, 100, 100, false };
}

static struct icmp_inner
to_private(void)
{
    return (struct icmp_inner){ ICMP_INNER_SRC, ip4(PUBLIC), ip4(PRIVATE) };
}

/* Rewritten, it is what it would have been had the packet had the other address from the start. */
static void
assert_rewritten(const struct sample *s, const struct icmp_inner *i)
{
    struct bytes frame = BYTES_INIT, out = BYTES_INIT, want = BYTES_INIT;
    struct sample other = *s;
    *(i->side == ICMP_INNER_SRC ? &other.src : &other.dst) = ip4_u32(i->becomes);
    build(s, &frame);
    build(&other, &want);
    assert_true(icmp_inner_rewrite(i, frame.data, frame.n, &out));
    assert_int_equal(out.n, want.n);
    assert_memory_equal(out.data, want.data, want.n);
    bytes_done(&frame);
    bytes_done(&out);
    bytes_done(&want);
}

static bool
is_taken(const struct icmp_inner *i, const struct bytes *frame)
{
    struct bytes out = BYTES_INIT;
    bool is_ok = icmp_inner_rewrite(i, frame->data, frame->n, &out);
    assert_int_equal(out.n, is_ok ? frame->n : 0);
    bytes_done(&out);
    return is_ok;
}

static void
each_error_about_each_protocol_is_as_if_never_translated(void **unused)
{
    static const uint8_t types[] = { 3, 11, 12 }, protos[] = { TCP, IPV4_PROTO_UDP, IPV4_PROTO_ICMP, 132 };
    struct icmp_inner i = to_private();
    for (size_t t = 0; t < sizeof types; t++)
        for (size_t p = 0; p < sizeof protos; p++)
            for (size_t quoted = 8; quoted <= 100; quoted += 23) {
                struct sample s = plain();
                s.type = types[t];
                s.proto = protos[p];
                s.quoted = quoted;
                if (s.proto != TCP || s.quoted >= 18)
                    assert_rewritten(&s, &i);
            }
}

static void
a_guests_error_has_its_address_as_the_destination(void **unused)
{
    struct icmp_inner i = { ICMP_INNER_DST, ip4(PRIVATE), ip4(PUBLIC) };
    struct sample s = plain();
    s.src = FAR;
    s.dst = PRIVATE;
    assert_rewritten(&s, &i);
    s.proto = TCP;
    assert_rewritten(&s, &i);
}

/* Eight bytes of TCP have no checksum; those of the quote are as they were but for the address. */
static void
a_short_quote_of_tcp_is_changed_in_its_header_only(void **unused)
{
    struct bytes frame = BYTES_INIT, out = BYTES_INIT;
    struct icmp_inner i = to_private();
    struct sample s = plain();
    s.proto = TCP;
    s.quoted = 8;
    build(&s, &frame);
    assert_true(icmp_inner_rewrite(&i, frame.data, frame.n, &out));
    const uint8_t *icmp = out.data + ETHERNET_HEADER + IPV4_HEADER, *inner = icmp + ICMP_HEADER;
    assert_int_equal(get_be32(inner + 12), PRIVATE);
    assert_int_equal(checksum_finish(checksum_add(0, inner, IPV4_HEADER)), 0);
    assert_int_equal(checksum_finish(checksum_add(0, icmp, out.n - ETHERNET_HEADER - IPV4_HEADER)), 0);
    assert_memory_equal(inner + IPV4_HEADER, frame.data + frame.n - 8, 8);
    bytes_done(&frame);
    bytes_done(&out);
}

static void
udp_without_checksum_stays_without(void **unused)
{
    struct icmp_inner i = to_private();
    struct sample s = plain();
    s.has_no_checksum = true;
    assert_rewritten(&s, &i);
}

static void
any_address_becomes_any_other(void **unused)
{
    struct random random = random_seeded();
    for (unsigned n = 0; n < 5000; n++) {
        struct sample s = plain();
        s.proto = random_below(&random, 2) ? TCP : IPV4_PROTO_UDP;
        s.src = (uint32_t) random_u64(&random);
        struct icmp_inner i = { ICMP_INNER_SRC, ip4(s.src), ip4((uint32_t) random_u64(&random)) };
        assert_rewritten(&s, &i);
    }
}

static void
a_tag_is_stepped_over(void **unused)
{
    struct bytes frame = BYTES_INIT, tagged = BYTES_INIT;
    struct icmp_inner i = to_private();
    struct sample s = plain();
    build(&s, &frame);
    bytes_put(&tagged, frame.data, 12);
    bytes_put_be32(&tagged, 0x81000007);
    bytes_put(&tagged, frame.data + 12, frame.n - 12);
    assert_true(is_taken(&i, &tagged));
    bytes_done(&frame);
    bytes_done(&tagged);
}

static void
a_forged_quote_is_refused(void **unused)
{
    struct bytes frame = BYTES_INIT;
    struct icmp_inner i = to_private();
    struct sample s = plain();
    s.src = PUBLIC + 1;
    build(&s, &frame);
    assert_false(is_taken(&i, &frame));
    s = plain();
    s.src = FAR;
    s.dst = PUBLIC;
    build(&s, &frame);
    assert_false(is_taken(&i, &frame));
    bytes_done(&frame);
}

static void
what_is_no_whole_error_is_refused(void **unused)
{
    struct bytes frame = BYTES_INIT;
    struct icmp_inner i = to_private();
    struct sample s = plain();
    static const uint8_t others[] = { 0, 4, 5, 8, 13, 30 };
    for (size_t t = 0; t < sizeof others; t++) {
        s.type = others[t];
        build(&s, &frame);
        assert_false(is_taken(&i, &frame));
    }
    static const struct {
        size_t at;
        uint8_t value;
    } harm[] = {
        { ETHERNET_HEADER + 6, 0x20 },
        { ETHERNET_HEADER + 7, 1 },
        { ETHERNET_HEADER + 9, 17 },
        { ETHERNET_HEADER + 3, 255 },
        { 42, 0x55 },
        { 42, 0x44 },
        { 42, 0x4f },
        { 45, 19 },
    };
    for (size_t h = 0; h < sizeof harm / sizeof *harm; h++) {
        s = plain();
        s.quoted = 20;
        build(&s, &frame);
        assert_true(is_taken(&i, &frame));
        frame.data[harm[h].at] = harm[h].value;
        frame.data[44] = harm[h].at == 45 ? 0 : frame.data[44];
        assert_false(is_taken(&i, &frame));
    }
    build(&s, &frame);
    for (size_t n = frame.n; n--;) {
        uint8_t *exact = malloc(n + 1);
        memcpy(exact, frame.data, n);
        assert_false(is_taken(&i, &(struct bytes){ exact, n, n }));
        free(exact);
    }
    bytes_done(&frame);
}

/* A quoted later fragment has no transport header where one is looked for. */
static void
a_quoted_fragment_keeps_its_payload(void **unused)
{
    struct bytes frame = BYTES_INIT, out = BYTES_INIT;
    struct icmp_inner i = to_private();
    struct sample s = plain();
    build(&s, &frame);
    size_t inner = ETHERNET_HEADER + IPV4_HEADER + ICMP_HEADER;
    put_be16(frame.data + inner + 6, 0x2003);
    assert_true(icmp_inner_rewrite(&i, frame.data, frame.n, &out));
    assert_memory_equal(out.data + inner + IPV4_HEADER, frame.data + inner + IPV4_HEADER, 100);
    bytes_done(&frame);
    bytes_done(&out);
}

static void
userdata_carries_it_whole(void **unused)
{
    struct bytes b = BYTES_INIT;
    struct icmp_inner i = to_private(), got;
    uint32_t pool;
    userdata_put_inner(&b, &i);
    assert_true(userdata_get_inner(b.data, b.n, &got));
    assert_true(got.side == i.side && ip_equal(got.was, i.was) && ip_equal(got.becomes, i.becomes));
    assert_false(userdata_get_pool(b.data, b.n, &pool));
    for (size_t n = 0; n < b.n; n++)
        assert_false(userdata_get_inner(b.data, n, &got));
    b.data[2] = 3;
    assert_false(userdata_get_inner(b.data, b.n, &got));

    bytes_clear(&b);
    userdata_put_pool(&b, 0x01020304);
    assert_int_equal(b.n, 6);
    assert_true(userdata_get_pool(b.data, b.n, &pool));
    assert_int_equal(pool, 0x01020304);
    assert_false(userdata_get_pool(b.data, b.n - 1, &pool));
    bytes_put_u8(&b, 0);
    assert_false(userdata_get_pool(b.data, b.n, &pool));
    bytes_done(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_error_about_each_protocol_is_as_if_never_translated),
        cmocka_unit_test(a_guests_error_has_its_address_as_the_destination),
        cmocka_unit_test(a_short_quote_of_tcp_is_changed_in_its_header_only),
        cmocka_unit_test(udp_without_checksum_stays_without),
        cmocka_unit_test(any_address_becomes_any_other),
        cmocka_unit_test(a_tag_is_stepped_over),
        cmocka_unit_test(a_forged_quote_is_refused),
        cmocka_unit_test(what_is_no_whole_error_is_refused),
        cmocka_unit_test(a_quoted_fragment_keeps_its_payload),
        cmocka_unit_test(userdata_carries_it_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
