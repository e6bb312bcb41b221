/* ICMP errors from outside and from guests, whose quote is to be translated. The first byte chooses the side; the address looked for is the
 * one that is there, unless the second byte says another. */
#include "tests/fuzz/fuzz.h"

#include "vnet/packet/icmp_inner.h"
#include "vnet/packet/ipv4.h"

#define BECOMES 0x0a000105u

/* Where the quoted address is in an untagged frame. */
static size_t
address_at(const uint8_t *data, size_t n, enum icmp_inner_side side)
{
    size_t at = ETHERNET_HEADER + (n > ETHERNET_HEADER ? (data[ETHERNET_HEADER] & 0xfu) * 4 : 0) + 8 + (side == ICMP_INNER_SRC ? 12 : 16);
    return at + 4 <= n ? at : 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t choice = fuzz_take_byte(&data, &n), other = fuzz_take_byte(&data, &n);
    struct icmp_inner i = { choice & 1 ? ICMP_INNER_SRC : ICMP_INNER_DST, ip4(0xcb007105), ip4(BECOMES) };
    size_t at = address_at(data, n, i.side);
    if (at && !other)
        i.was = ip4(get_be32(data + at));
    struct bytes out = BYTES_INIT, back = BYTES_INIT;
    struct icmp_inner undo = { i.side, i.becomes, i.was };
    if (icmp_inner_rewrite(&i, data, n, &out)) {
        FUZZ_CLAIM(out.n == n && !memcmp(out.data, data, ETHERNET_HEADER + IPV4_HEADER));
        FUZZ_CLAIM(icmp_inner_rewrite(&undo, out.data, out.n, &back) && back.n == n);
        for (size_t b = 0, differing = 0; b < n; b++) {
            differing += back.data[b] != data[b];
            FUZZ_CLAIM(differing <= 6); /* checksums have two zeros */
        }
    } else {
        FUZZ_CLAIM(!out.n);
    }
    bytes_done(&out);
    bytes_done(&back);
    return 0;
}
