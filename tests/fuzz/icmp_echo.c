/* Echoes whose identifier is disguised: twice is not at all. The first byte chooses the side. */
#include "tests/fuzz/fuzz.h"

#include "vnet/packet/icmp_echo.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    enum icmp_echo_side side = fuzz_take_byte(&data, &n) & 1 ? ICMP_ECHO_SRC : ICMP_ECHO_DST;
    struct bytes out = BYTES_INIT, back = BYTES_INIT;
    if (icmp_echo_disguise(side, data, n, &out)) {
        FUZZ_CLAIM(out.n == n && icmp_echo_disguise(side, out.data, out.n, &back) && back.n == n);
        for (size_t b = 0, differing = 0; b < n; b++) {
            differing += back.data[b] != data[b];
            FUZZ_CLAIM(differing <= 2); /* the checksum has two zeros */
        }
    } else {
        FUZZ_CLAIM(!out.n);
    }
    bytes_done(&out);
    bytes_done(&back);
    return 0;
}
