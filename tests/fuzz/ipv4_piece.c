/* Packets from outside that are taken apart because they are too big. The first two bytes are the MTU. */
#include "tests/fuzz/fuzz.h"

#include "vnet/packet/ipv4.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint16_t mtu = fuzz_take_byte(&data, &n);
    mtu = (uint16_t) (mtu << 8 | fuzz_take_byte(&data, &n));
    struct bytes piece = BYTES_INIT;
    struct ipv4_packet was, p;
    size_t payload = 0;
    unsigned i = 0;
    for (; ipv4_put_piece(&piece, data, n, mtu, i); i++, bytes_clear(&piece)) {
        FUZZ_CLAIM(ipv4_parse(data, n, &was) && ipv4_parse(piece.data, piece.n, &p));
        FUZZ_CLAIM(p.header_len + p.payload_len == p.total_len && p.total_len <= mtu && p.total_len + ETHERNET_HEADER == piece.n);
        FUZZ_CLAIM(p.fragment_offset == was.fragment_offset + payload / 8 && payload + p.payload_len <= was.payload_len);
        FUZZ_CLAIM(!memcmp(p.payload, was.payload + payload, p.payload_len));
        payload += p.payload_len;
    }
    FUZZ_CLAIM(!piece.n && i <= 8192);
    bytes_done(&piece);
    return 0;
}
