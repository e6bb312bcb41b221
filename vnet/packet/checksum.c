#include "vnet/packet/checksum.h"

uint32_t
checksum_add(uint32_t sum, const void *data, size_t n)
{
    const uint8_t *p = data;
    uint64_t wide = sum;
    for (; n > 1; n -= 2, p += 2)
        wide += (uint32_t) p[0] << 8 | p[1];
    if (n)
        wide += (uint32_t) p[0] << 8;
    while (wide >> 32)
        wide = (wide & UINT32_MAX) + (wide >> 32);
    return wide;
}

uint16_t
checksum_finish(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}
