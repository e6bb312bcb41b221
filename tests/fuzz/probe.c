/* What a guest answers to a health check: any bytes. The first says which kind of probe it was. An answer that is believed comes from the
 * target, and a reset goes to it and to nobody else. */
#include "tests/fuzz/fuzz.h"

#include "vnet/packet/ipv4.h"
#include "vnet/packet/probe.h"
#include "vnet/packet/tcp.h"

/* What a segment to a target that is gone is answered with: a reset, to its sender, and none to a reset. */
static void
expect_reset_of_segment(const uint8_t *data, size_t n)
{
    struct bytes b = BYTES_INIT;
    struct ipv4_packet ip, back;
    struct tcp_segment s, reset;
    if (tcp_put_reset(&b, data, n)) {
        FUZZ_CLAIM(ipv4_parse(data, n, &ip) && tcp_parse(&ip, &s) && !(s.flags & TCP_FLAG_RST));
        FUZZ_CLAIM(ipv4_parse(b.data, b.n, &back) && tcp_parse(&back, &reset) && reset.flags & TCP_FLAG_RST);
        FUZZ_CLAIM(mac_equal(back.eth_dst, ip.eth_src) && ip_equal(back.dst, ip.src) && reset.dst_port == s.src_port);
        bytes_clear(&b);
    }
    bytes_done(&b);
}

/* A question is no answer to itself. */
static void
expect_no_echo(const struct probe *p)
{
    struct bytes question = BYTES_INIT, reset = BYTES_INIT;
    probe_put(&question, p);
    FUZZ_CLAIM(probe_judge(p, question.data, question.n, &reset) == PROBE_NONE && !reset.n);
    bytes_done(&question);
    bytes_done(&reset);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct bytes reset = BYTES_INIT;
    struct ipv4_packet ip;
    struct probe p = {
        .mac = { { 2, 0, 0, 0, 0, 5 } },
        .router = { { 2, 0x76, 0x6e, 0, 0, 1 } },
        .ip = ip4(0x0a000105),
        .gateway = ip4(0x0a000101),
        .port = 80,
        .cookie = 0x12345678,
    };
    p.kind = fuzz_take_byte(&data, &n) & 1 ? PROBE_ICMP : PROBE_TCP;
    uint32_t cookie;
    bool is_answer = probe_cookie(data, n, &cookie);
    enum probe_answer answer = probe_judge(&p, data, n, &reset);
    if (answer != PROBE_NONE)
        FUZZ_CLAIM(is_answer && cookie == p.cookie);
    if (answer != PROBE_NONE)
        FUZZ_CLAIM(ipv4_parse(data, n, &ip) && ip_equal(ip.src, p.ip) && ip_equal(ip.dst, p.gateway));
    if (reset.n)
        FUZZ_CLAIM(p.kind == PROBE_TCP && answer != PROBE_REFUSED && reset.n == ETHERNET_HEADER + IPV4_HEADER + 20
                   && ipv4_parse(reset.data, reset.n, &ip) && ip_equal(ip.dst, p.ip) && mac_equal(ip.eth_dst, p.mac));
    bool was_reset = reset.n;
    bytes_clear(&reset);
    FUZZ_CLAIM(probe_reset(&p, data, n, &reset) || !was_reset);
    bytes_done(&reset);
    expect_reset_of_segment(data, n);
    expect_no_echo(&p);
    return 0;
}
