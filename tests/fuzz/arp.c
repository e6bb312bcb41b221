/* Frames that an upstream gateway may have sent. What is taken is written back with the same meaning. */
#include "tests/fuzz/fuzz.h"

#include "vnet/packet/arp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct arp_frame a, again;
    struct bytes b = BYTES_INIT;
    if (arp_parse(data, n, &a)) {
        arp_put(&b, &a);
        FUZZ_CLAIM(!memcmp(b.data, data, 12) && b.n <= n);
        FUZZ_CLAIM(arp_parse(b.data, b.n, &again));
        FUZZ_CLAIM(again.op == a.op && again.vlan == a.vlan && mac_equal(again.sha, a.sha) && ip_equal(again.spa, a.spa)
                   && mac_equal(again.tha, a.tha) && ip_equal(again.tpa, a.tpa));
    }
    bytes_done(&b);
    return 0;
}
