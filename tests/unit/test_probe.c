/* vnet/packet/tcp and probe: health checks as they are on the wire, and which answers are believed. */
#include "vnet/packet/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"
#include "vnet/packet/checksum.h"
#include "vnet/packet/tcp.h"

static const struct probe tcp = {
    .kind = PROBE_TCP,
    .mac = { { 2, 0, 0, 0, 0, 5 } },
    .router = { { 2, 0x76, 0x6e, 0, 0, 1 } },
    .ip = { IP_V4, { 10, 0, 1, 5 } },
    .gateway = { IP_V4, { 10, 0, 1, 1 } },
    .port = 80,
    .cookie = 0x12345678,
};

static struct probe
icmp_probe(void)
{
    struct probe p = tcp;
    p.kind = PROBE_ICMP;
    return p;
}

static struct ipv4_answer
from_target(uint8_t proto)
{
    return (struct ipv4_answer){ tcp.router, tcp.mac, tcp.ip, tcp.gateway, proto };
}

static void
answer_tcp(struct bytes *b, struct tcp_segment s)
{
    struct ipv4_answer a = from_target(IPV4_PROTO_TCP);
    bytes_clear(b);
    tcp_put(b, &a, &s);
}

/* An ICMP message with a quote. */
static void
answer_icmp(struct bytes *b, uint8_t type, uint8_t code, uint32_t rest, const struct bytes *quoted)
{
    struct ipv4_answer a = from_target(IPV4_PROTO_ICMP);
    size_t n = quoted ? quoted->n - ETHERNET_HEADER : 0;
    bytes_clear(b);
    uint8_t *icmp = ipv4_put(b, &a, 8 + n);
    icmp[0] = type;
    icmp[1] = code;
    put_be32(icmp + 4, rest);
    if (quoted)
        memcpy(icmp + 8, quoted->data + ETHERNET_HEADER, n);
}

static enum probe_answer
judge(const struct probe *p, const struct bytes *frame, struct bytes *reset)
{
    bytes_clear(reset);
    return probe_judge(p, frame->data, frame->n, reset);
}

static void
a_probe_by_tcp_is_a_syn_with_right_checksums(void **unused)
{
    static const uint8_t want[] = {
        2, 0, 0, 0,  0, 5, 2, 0x76, 0x6e, 0, 0,  1,    8,    0,    0x45, 0, 0, 40, 0, 0,    0x40, 0,    64,   6,    0x24, 0xcb, 10,
        0, 1, 1, 10, 0, 1, 5, 0xff, 0x78, 0, 80, 0x12, 0x34, 0x56, 0x78, 0, 0, 0,  0, 0x50, 2,    0xff, 0xff, 0x31, 0x68, 0,    0,
    };
    struct bytes b = BYTES_INIT;
    probe_put(&b, &tcp);
    assert_int_equal(b.n, sizeof want);
    assert_memory_equal(b.data, want, sizeof want);

    uint8_t pseudo[12] = { 10, 0, 1, 1, 10, 0, 1, 5, 0, 6, 0, 20 };
    assert_int_equal(checksum_finish(checksum_add(checksum_add(0, pseudo, sizeof pseudo), b.data + 34, 20)), 0);
    bytes_done(&b);
}

static void
a_probe_by_icmp_is_an_echo_request(void **unused)
{
    static const uint8_t want[] = {
        0x45, 0, 0, 28, 0, 0, 0x40, 0, 64, 1, 0x24, 0xdc, 10, 0, 1, 1, 10, 0, 1, 5, 8, 0, 0x8f, 0x53, 0x12, 0x34, 0x56, 0x78,
    };
    struct bytes b = BYTES_INIT;
    struct probe p = icmp_probe();
    probe_put(&b, &p);
    assert_int_equal(b.n, ETHERNET_HEADER + sizeof want);
    assert_memory_equal(b.data + ETHERNET_HEADER, want, sizeof want);
    bytes_done(&b);
}

static void
a_segment_is_read_as_it_was_written(void **unused)
{
    struct bytes b = BYTES_INIT;
    struct ipv4_packet ip;
    struct tcp_segment got, s = { 1, 65535, UINT32_MAX, 7, TCP_FLAG_FIN | TCP_FLAG_ACK, 9 };
    answer_tcp(&b, s);
    assert_true(ipv4_parse(b.data, b.n, &ip) && tcp_parse(&ip, &got));
    assert_memory_equal(&got, &s, sizeof s);
    for (size_t n = 0; n < b.n; n++)
        assert_false(ipv4_parse(b.data, n, &ip) && tcp_parse(&ip, &got));
    b.data[46] = 4 << 4;
    assert_true(ipv4_parse(b.data, b.n, &ip));
    assert_false(tcp_parse(&ip, &got));
    bytes_done(&b);
}

static void
a_handshake_is_life_and_ends_by_a_reset(void **unused)
{
    struct bytes b = BYTES_INIT, reset = BYTES_INIT;
    struct ipv4_packet ip;
    struct tcp_segment s;
    uint32_t cookie;
    answer_tcp(&b, (struct tcp_segment){ 80, 0xff78, 99, 0x12345679, TCP_FLAG_SYN | TCP_FLAG_ACK, 1000 });
    assert_int_equal(judge(&tcp, &b, &reset), PROBE_ALIVE);
    assert_true(probe_cookie(b.data, b.n, &cookie));
    assert_int_equal(cookie, tcp.cookie);
    assert_true(ipv4_parse(reset.data, reset.n, &ip) && tcp_parse(&ip, &s));
    assert_true(mac_equal(ip.eth_dst, tcp.mac) && mac_equal(ip.eth_src, tcp.router));
    assert_true(ip_equal(ip.src, tcp.gateway) && ip_equal(ip.dst, tcp.ip));
    assert_int_equal(s.src_port, 0xff78);
    assert_int_equal(s.dst_port, 80);
    assert_int_equal(s.seq, 0x12345679);
    assert_int_equal(s.flags, TCP_FLAG_RST);
    bytes_done(&b);
    bytes_done(&reset);
}

static void
a_reset_that_fits_is_a_refusal(void **unused)
{
    struct bytes b = BYTES_INIT, reset = BYTES_INIT;
    answer_tcp(&b, (struct tcp_segment){ 80, 0xff78, 0, 0x12345679, TCP_FLAG_RST | TCP_FLAG_ACK, 0 });
    assert_int_equal(judge(&tcp, &b, &reset), PROBE_REFUSED);
    assert_int_equal(reset.n, 0);
    assert_false(probe_reset(&tcp, b.data, b.n, &reset));
    bytes_done(&b);
    bytes_done(&reset);
}

/* What else a target may send to the gateway means nothing; a connection that it waits for is reset all the same. */
static void
segments_that_do_not_fit_are_no_answers(void **unused)
{
    static const struct {
        struct tcp_segment s;
        bool is_reset;
    } rows[] = {
        { { 80, 0xff78, 0, 0x12345678, TCP_FLAG_SYN | TCP_FLAG_ACK, 0 }, true }, /* another probe's */
        { { 80, 0xff77, 0, 0x12345679, TCP_FLAG_SYN | TCP_FLAG_ACK, 0 }, true },
        { { 80, 0xff78, 0, 0x12345679, TCP_FLAG_ACK, 0 }, true }, /* what it takes for an open connection */
        { { 80, 0xff78, 0, 0x12345678, TCP_FLAG_RST | TCP_FLAG_ACK, 0 }, false },
        { { 80, 0xff77, 0, 0x12345679, TCP_FLAG_RST | TCP_FLAG_ACK, 0 }, false },
        { { 80, 0xff78, 0x12345679, 0, TCP_FLAG_RST, 0 }, false },
        { { 80, 0xff78, 0, 0x12345679, TCP_FLAG_SYN, 0 }, false },
        { { 81, 0xff78, 0, 0x12345679, TCP_FLAG_SYN | TCP_FLAG_ACK, 0 }, false },
        { { 80, 0xfe78, 0, 0x12345679, TCP_FLAG_SYN | TCP_FLAG_ACK, 0 }, false },
    };
    struct bytes b = BYTES_INIT, reset = BYTES_INIT;
    struct probe other = icmp_probe();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        answer_tcp(&b, rows[i].s);
        assert_int_equal(judge(&tcp, &b, &reset), PROBE_NONE);
        assert_int_equal(reset.n > 0, rows[i].is_reset);
        if (rows[i].is_reset)
            assert_true(probe_reset(&tcp, b.data, b.n, &reset));
        assert_int_equal(judge(&other, &b, &reset), PROBE_NONE);
        assert_int_equal(reset.n, 0);
    }
    bytes_done(&b);
    bytes_done(&reset);
}

static void
an_echo_reply_with_the_cookie_is_life(void **unused)
{
    struct bytes b = BYTES_INIT, reset = BYTES_INIT;
    struct probe p = icmp_probe();
    uint32_t cookie;
    answer_icmp(&b, 0, 0, 0x12345678, NULL);
    assert_int_equal(judge(&p, &b, &reset), PROBE_ALIVE);
    assert_true(probe_cookie(b.data, b.n, &cookie));
    assert_int_equal(cookie, p.cookie);
    assert_int_equal(judge(&tcp, &b, &reset), PROBE_NONE);
    answer_icmp(&b, 0, 0, 0x12345679, NULL);
    assert_int_equal(judge(&p, &b, &reset), PROBE_NONE);
    answer_icmp(&b, 0, 1, 0x12345678, NULL);
    assert_int_equal(judge(&p, &b, &reset), PROBE_NONE);
    answer_icmp(&b, 8, 0, 0x12345678, NULL);
    assert_int_equal(judge(&p, &b, &reset), PROBE_NONE);
    assert_false(probe_cookie(b.data, b.n, &cookie));
    assert_int_equal(reset.n, 0);
    bytes_done(&b);
    bytes_done(&reset);
}

static void
unreachable_is_a_refusal_if_it_quotes_the_probe(void **unused)
{
    struct bytes b = BYTES_INIT, quote = BYTES_INIT, reset = BYTES_INIT;
    uint32_t cookie;
    for (int kind = PROBE_TCP; kind <= PROBE_ICMP; kind++) {
        struct probe p = kind == PROBE_ICMP ? icmp_probe() : tcp, other = p;
        bytes_clear(&quote);
        probe_put(&quote, &p);
        for (uint8_t code = 0; code < 16; code++) {
            answer_icmp(&b, 3, code, 0, &quote);
            assert_int_equal(judge(&p, &b, &reset), PROBE_REFUSED);
        }
        other.cookie ^= 0x80000000;
        assert_int_equal(judge(&other, &b, &reset), PROBE_NONE);
        other = p;
        other.kind ^= 1;
        assert_int_equal(judge(&other, &b, &reset), PROBE_NONE);
        answer_icmp(&b, 11, 0, 0, &quote);
        assert_int_equal(judge(&p, &b, &reset), PROBE_NONE);

        size_t all = quote.n;
        for (quote.n = ETHERNET_HEADER; quote.n <= all; quote.n++) {
            answer_icmp(&b, 3, 3, 0, &quote);
            bool is_enough = quote.n >= ETHERNET_HEADER + IPV4_HEADER + 8;
            assert_int_equal(judge(&p, &b, &reset), is_enough ? PROBE_REFUSED : PROBE_NONE);
            assert_int_equal(probe_cookie(b.data, b.n, &cookie), is_enough);
            assert_true(!is_enough || cookie == p.cookie);
        }
    }
    assert_int_equal(reset.n, 0);
    bytes_done(&b);
    bytes_done(&quote);
    bytes_done(&reset);
}

/* Every byte of an answer matters where it says whose it is; the rest may be anything. */
static void
changed_answers_are_never_taken_for_another_state(void **unused)
{
    struct random random = random_seeded();
    struct bytes b = BYTES_INIT, reset = BYTES_INIT;
    for (int i = 0; i < 20000; i++) {
        answer_tcp(&b, (struct tcp_segment){ 80, 0xff78, 5, 0x12345679, TCP_FLAG_SYN | TCP_FLAG_ACK, 1000 });
        uint32_t at = random_below(&random, b.n);
        uint8_t bit = 1 << random_below(&random, 8);
        b.data[at] ^= bit;
        enum probe_answer answer = judge(&tcp, &b, &reset);
        bool is_addressed = (at >= 26 && at < 38) || (at >= 42 && at < 46);
        if (is_addressed)
            assert_int_equal(answer, PROBE_NONE);
        if (answer == PROBE_REFUSED)
            assert_true(at == 47 && bit == TCP_FLAG_RST);
    }
    bytes_done(&b);
    bytes_done(&reset);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_probe_by_tcp_is_a_syn_with_right_checksums),
        cmocka_unit_test(a_probe_by_icmp_is_an_echo_request),
        cmocka_unit_test(a_segment_is_read_as_it_was_written),
        cmocka_unit_test(a_handshake_is_life_and_ends_by_a_reset),
        cmocka_unit_test(a_reset_that_fits_is_a_refusal),
        cmocka_unit_test(segments_that_do_not_fit_are_no_answers),
        cmocka_unit_test(an_echo_reply_with_the_cookie_is_life),
        cmocka_unit_test(unreachable_is_a_refusal_if_it_quotes_the_probe),
        cmocka_unit_test(changed_answers_are_never_taken_for_another_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
