/* First inputs of what reads packets: of guests, and from outside. */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/seeds.h"
#include "vnet/packet/arp.h"
#include "vnet/packet/dhcp_request.h"
#include "vnet/packet/ipv4.h"
#include "vnet/packet/probe.h"
#include "vnet/packet/tcp.h"
#include "vnet/packet/userdata.h"

static const struct mac guest = { { 2, 0, 0, 0, 0, 5 } }, router = { { 2, 0x76, 0x6e, 0, 0, 1 } };
static const struct mac everyone = { { 255, 255, 255, 255, 255, 255 } };

static void
dhcp_put(struct bytes *b, const uint8_t *options, size_t n)
{
    struct ipv4_answer a = { everyone, guest, ip4(0), ip4(UINT32_MAX), IPV4_PROTO_UDP };
    size_t udp_len = 8 + DHCP_OPTIONS + n;
    uint8_t *udp = ipv4_put(b, &a, udp_len), *m = udp + 8;
    put_be16(udp, 68);
    put_be16(udp + 2, 67);
    put_be16(udp + 4, (uint16_t) udp_len);
    m[DHCP_OP] = m[DHCP_HTYPE] = 1;
    m[DHCP_HLEN] = 6;
    put_be32(m + DHCP_XID, 0xdeadbeef);
    memcpy(m + DHCP_CHADDR, guest.b, 6);
    put_be32(m + DHCP_COOKIE, DHCP_MAGIC);
    memcpy(m + DHCP_OPTIONS, options, n);
}

static void
dhcp_seeds(void)
{
    static const uint8_t discover[] = { 53, 1, 1, 61, 7, 1, 2, 0, 0, 0, 0, 5, 57, 2, 5, 0xdc, 55, 7, 1, 121, 3, 6, 15, 26, 51, 255 };
    static const uint8_t request[] = { 53, 1, 3, 50, 4, 10, 0, 1, 5, 54, 4, 10, 0, 1, 1, 0, 0, 12, 2, 'h', 'v', 255 };
    static const uint8_t wrong[] = { 53, 1, 3, 50, 4, 10, 0, 1, 9, 255 };
    static const uint8_t inform[] = { 53, 1, 8, 55, 2, 6, 15, 52, 1, 3, 255 };
    static const uint8_t release[] = { 53, 1, 7, 54, 4, 10, 0, 1, 1, 255 };
    static const struct {
        const char *name;
        const uint8_t *options;
        size_t n;
        uint8_t choice;
        uint32_t ciaddr;
    } seeds[] = {
        { "discover", discover, sizeof discover, 1 | 2 | 8, 0 },
        { "request", request, sizeof request, 1 | 4 | 16, 0 },
        { "other-address", wrong, sizeof wrong, 32, 0 },
        { "inform", inform, sizeof inform, 32 | 2, 0x0a000105 },
        { "renew", request, 3, 1, 0x0a000105 },
        { "release", release, sizeof release, 0, 0x0a000105 },
    };
    struct bytes b = BYTES_INIT;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        bytes_put_u8(&b, seeds[i].choice);
        dhcp_put(&b, seeds[i].options, seeds[i].n);
        put_be32(b.data + 1 + ETHERNET_HEADER + IPV4_HEADER + 8 + DHCP_CIADDR, seeds[i].ciaddr);
        seed_put("dhcp", seeds[i].name, &b);
    }
    bytes_done(&b);
}

static void
icmp_seeds(void)
{
    struct bytes b = BYTES_INIT;
    for (uint8_t i = 0; i < 6; i++) {
        struct ipv4_answer a = { router, i & 1 ? router : guest, ip4(0x0a000105), ip4(0xc6336401),
                                 i < 3 ? IPV4_PROTO_UDP : IPV4_PROTO_ICMP };
        bytes_put_u8(&b, i);
        bytes_put_u8(&b, 24);
        uint8_t *payload = ipv4_put(&b, &a, i == 2 ? 900 : 40);
        payload[0] = i == 3 ? 8 : 3;
        seed_put_numbered("icmp_error", "packet", i, &b);
    }
    bytes_done(&b);
}

/* Errors that quote UDP, TCP and ICMP, long and short. */
static void
icmp_inner_seeds(void)
{
    static const uint8_t types[] = { 3, 11, 12 }, protos[] = { IPV4_PROTO_UDP, 6, IPV4_PROTO_ICMP };
    struct bytes b = BYTES_INIT;
    for (uint8_t i = 0; i < 6; i++) {
        struct ipv4_answer a = { router, guest, ip4(0xc0000201), ip4(0xcb007105), IPV4_PROTO_ICMP };
        size_t quoted = i < 3 ? 40 : 8;
        bytes_put_u8(&b, i);
        bytes_put_u8(&b, 0);
        uint8_t *icmp = ipv4_put(&b, &a, 28 + quoted), *inner = icmp + 8;
        icmp[0] = types[i % 3];
        memset(inner, 0x5a, 20 + quoted);
        inner[0] = 0x45;
        put_be16(inner + 2, 1500);
        put_be16(inner + 6, 0x4000);
        inner[9] = protos[i % 3];
        seed_put_numbered("icmp_inner", "error", i, &b);
    }
    bytes_done(&b);
}

static void
icmp_echo_seeds(void)
{
    struct ipv4_answer a = { router, guest, ip4(0x0a000105), ip4(0xc0000201), IPV4_PROTO_ICMP };
    struct bytes b = BYTES_INIT;
    for (uint8_t side = 0; side < 2; side++) {
        bytes_put_u8(&b, side);
        uint8_t *icmp = ipv4_put(&b, &a, 40);
        icmp[0] = side ? 8 : 0;
        put_be16(icmp + 4, 77);
        seed_put_numbered("icmp_echo", "echo", side, &b);
    }
    bytes_done(&b);
}

/* Whole packets, fragments of them, and one with options. */
static void
ipv4_piece_seeds(void)
{
    static const uint16_t mtus[] = { 1450, 60, 60 }, fragments[] = { 0, 0x2007, 0x4000 };
    struct ipv4_answer a = { router, guest, ip4(0xc0000201), ip4(0xcb007105), IPV4_PROTO_UDP };
    struct bytes b = BYTES_INIT;
    for (uint8_t i = 0; i < 3; i++) {
        bytes_put_be16(&b, mtus[i]);
        uint8_t *ip = ipv4_put(&b, &a, i ? 100 : 1480) - IPV4_HEADER;
        put_be16(ip + 6, fragments[i]);
        if (i == 2) {
            ip[0] = 0x47;
            memcpy(ip + IPV4_HEADER, (uint8_t[8]){ 7, 4, 4, 0, 0x82, 3, 0, 0 }, 8);
        }
        seed_put_numbered("ipv4_piece", "packet", i, &b);
    }
    bytes_done(&b);
}

static void
arp_seeds(void)
{
    struct bytes b = BYTES_INIT;
    struct arp_frame a = { guest, router, 0, ARP_REPLY, router, guest, ip4(0xcb007101), ip4(0xcb007105) };
    arp_put(&b, &a);
    seed_put("arp", "reply", &b);
    a = arp_request(guest, ip4(0), ip4(0xcb007101), 7);
    arp_put(&b, &a);
    bytes_extend_zero(&b, 18);
    seed_put("arp", "tagged", &b);
    bytes_done(&b);
}

/* An answer to the probe of probe.c, behind the byte that says its kind. */
static void
probe_tcp_seed(const char *name, uint16_t port, uint32_t ack, uint8_t flags)
{
    struct bytes b = BYTES_INIT;
    struct ipv4_answer a = { router, guest, ip4(0x0a000105), ip4(0x0a000101), IPV4_PROTO_TCP };
    bytes_put_u8(&b, PROBE_TCP);
    tcp_put(&b, &a, &(struct tcp_segment){ .src_port = 80, .dst_port = port, .seq = 9, .ack = ack, .flags = flags });
    seed_put("probe", name, &b);
    bytes_done(&b);
}

static void
probe_icmp_seed(enum probe_kind kind, const char *name, uint8_t type, bool is_quoting)
{
    struct bytes b = BYTES_INIT, quote = BYTES_INIT;
    struct ipv4_answer a = { router, guest, ip4(0x0a000105), ip4(0x0a000101), IPV4_PROTO_ICMP };
    struct probe p = { .kind = kind, .ip = a.src, .gateway = a.dst, .port = 80, .cookie = 0x12345678 };
    probe_put(&quote, &p);
    size_t n = is_quoting ? quote.n - ETHERNET_HEADER : 0;
    bytes_put_u8(&b, kind);
    uint8_t *icmp = ipv4_put(&b, &a, 8 + n);
    icmp[0] = type;
    if (is_quoting)
        memcpy(icmp + 8, quote.data + ETHERNET_HEADER, n);
    else
        put_be32(icmp + 4, p.cookie);
    seed_put("probe", name, &b);
    bytes_done(&b);
    bytes_done(&quote);
}

static void
probe_seeds(void)
{
    probe_tcp_seed("open", 0xff78, 0x12345679, TCP_FLAG_SYN | TCP_FLAG_ACK);
    probe_tcp_seed("refused", 0xff78, 0x12345679, TCP_FLAG_RST | TCP_FLAG_ACK);
    probe_tcp_seed("late", 0xff77, 0x12345678, TCP_FLAG_SYN | TCP_FLAG_ACK);
    probe_tcp_seed("asks", 0xff78, 0, TCP_FLAG_SYN);
    probe_tcp_seed("goes-on", 0xff78, 0x12345679, TCP_FLAG_ACK);
    probe_icmp_seed(PROBE_ICMP, "echo", 0, false);
    probe_icmp_seed(PROBE_ICMP, "echo-unreachable", 3, true);
    probe_icmp_seed(PROBE_TCP, "unreachable", 3, true);
}

static void
userdata_seeds(void)
{
    struct bytes b = BYTES_INIT;
    struct dhcp_lease l = { .mac = guest,
                            .router = router,
                            .ip = ip4(0x0a000105),
                            .gateway = ip4(0x0a000101),
                            .prefix_len = 24,
                            .mtu = 1442,
                            .lease_s = 3600,
                            .n_dns = 2,
                            .dns = { ip4(0x08080808), ip4(0x01010101) },
                            .domain = "example.com" };
    struct icmp_error e = { .kind = ICMP_TIME_EXCEEDED, .mac = guest, .router = router, .gateway = ip4(0x0a000101), .prefix_len = 24 };
    userdata_put_lease(&b, &l);
    seed_put("userdata", "lease", &b);
    userdata_put_error(&b, &e);
    seed_put("userdata", "error", &b);
    userdata_put_inner(&b, &(struct icmp_inner){ ICMP_INNER_DST, ip4(0x0a000105), ip4(0xcb007105) });
    seed_put("userdata", "inner", &b);
    userdata_put_pool(&b, 77);
    seed_put("userdata", "pool", &b);
    userdata_put_split(&b, 1450);
    seed_put("userdata", "split", &b);
    userdata_put_checked(&b, 78);
    seed_put("userdata", "checked", &b);
    userdata_put_echo(&b, ICMP_ECHO_SRC);
    seed_put("userdata", "echo", &b);
    bytes_done(&b);
}

void
packet_seeds(void)
{
    dhcp_seeds();
    icmp_seeds();
    icmp_inner_seeds();
    icmp_echo_seeds();
    ipv4_piece_seeds();
    probe_seeds();
    arp_seeds();
    userdata_seeds();
}
