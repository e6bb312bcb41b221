/* Guests' frames that an ICMP error may be due to. The first two bytes choose the error. */
#include "tests/fuzz/fuzz.h"

#include "vnet/packet/checksum.h"
#include "vnet/packet/icmp.h"
#include "vnet/packet/ipv4.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t kind = fuzz_take_byte(&data, &n), prefix_len = fuzz_take_byte(&data, &n);
    struct icmp_error e = {
        .kind = kind % 3 + 1,
        .mac = { { 2, 0, 0, 0, 0, 5 } },
        .router = { { 2, 0x76, 0x6e, 0, 0, 1 } },
        .gateway = ip4(0x0a000101),
        .prefix_len = prefix_len % 33,
        .mtu = 1400,
        .sent_to = kind & 0x80 ? 0x0a000164 : 0,
        .sent_to_port = 80,
    };
    struct bytes out = BYTES_INIT;
    if (icmp_error_answer(&e, data, n, &out)) {
        const uint8_t *ip = out.data + ETHERNET_HEADER, *icmp = ip + IPV4_HEADER;
        FUZZ_CLAIM(out.n <= ETHERNET_HEADER + 576 && get_be16(ip + 2) == out.n - ETHERNET_HEADER);
        FUZZ_CLAIM(!checksum_finish(checksum_add(0, ip, IPV4_HEADER)));
        FUZZ_CLAIM(!checksum_finish(checksum_add(0, icmp, out.n - ETHERNET_HEADER - IPV4_HEADER)));
        FUZZ_CLAIM(!memcmp(out.data, e.mac.b, 6) && !memcmp(out.data + 6, e.router.b, 6));
        FUZZ_CLAIM(get_be32(ip + 12) == ip4_u32(e.gateway));
    } else {
        FUZZ_CLAIM(!out.n);
    }
    bytes_done(&out);
    return 0;
}
