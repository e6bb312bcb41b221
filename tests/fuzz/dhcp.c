/* Guests' frames to the DHCP responder. An answer is well formed and of a size that any link takes. The first byte chooses the lease. */
#include "tests/fuzz/fuzz.h"

#include "vnet/packet/checksum.h"
#include "vnet/packet/dhcp.h"
#include "vnet/packet/dhcp_request.h"
#include "vnet/packet/ipv4.h"

#define UDP_HEADER 8
#define HEADERS (ETHERNET_HEADER + IPV4_HEADER + UDP_HEADER)

static struct dhcp_lease
lease_choose(uint8_t choice)
{
    struct dhcp_lease l = {
        .mac = { { 2, 0, 0, 0, 0, 5 } },
        .router = { { 2, 0x76, 0x6e, 0, 0, 1 } },
        .ip = ip4(0x0a000105),
        .gateway = ip4(0x0a000101),
        .prefix_len = 24,
        .mtu = choice & 1 ? 1442 : 0,
        .lease_s = 3600,
        .n_dns = choice & 2   ? 3
                 : choice & 4 ? LIMIT_LIST
                              : 0,
    };
    for (size_t i = 0; i < l.n_dns; i++)
        l.dns[i] = ip4(0x08080800 + (uint32_t) i);
    memset(l.domain, 'd', choice & 8 ? 11 : choice & 16 ? DHCP_DOMAIN_MAX : 0);
    return l;
}

static void
answer_check(const struct dhcp_lease *l, const struct bytes *out)
{
    FUZZ_CLAIM(out->n >= HEADERS + 300 && out->n <= ETHERNET_HEADER + 1280);
    const uint8_t *ip = out->data + ETHERNET_HEADER, *udp = ip + IPV4_HEADER;
    size_t udp_len = out->n - ETHERNET_HEADER - IPV4_HEADER;
    FUZZ_CLAIM(get_be16(ip + 2) == IPV4_HEADER + udp_len && get_be16(udp + 4) == udp_len);
    FUZZ_CLAIM(!checksum_finish(checksum_add(0, ip, IPV4_HEADER)));
    uint32_t sum = checksum_add(IPV4_PROTO_UDP + (uint32_t) udp_len, ip + 12, 8);
    FUZZ_CLAIM(!checksum_finish(checksum_add(sum, udp, udp_len)));
    FUZZ_CLAIM(!memcmp(out->data + 6, l->router.b, 6));
    uint32_t yiaddr = get_be32(udp + UDP_HEADER + DHCP_YIADDR);
    FUZZ_CLAIM(!yiaddr || yiaddr == ip4_u32(l->ip));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t choice = fuzz_take_byte(&data, &n);
    struct dhcp_lease lease = lease_choose(choice);
    struct dhcp_request request;
    struct bytes out = BYTES_INIT;
    if (choice & 32 && dhcp_request_parse(data, n, &request))
        lease.mac = request.client;
    if (dhcp_answer(&lease, data, n, &out))
        answer_check(&lease, &out);
    else
        FUZZ_CLAIM(!out.n);
    bytes_done(&out);
    return 0;
}
