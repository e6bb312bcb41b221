/* Packet-ins: the properties of the message, given as they are, behind a header that fits (unless the first byte says otherwise). */
#include "tests/fuzz/fuzz.h"

#include "ofproto/flow/packet_in.h"

static bool
is_within(const uint8_t *p, size_t n, const struct bytes *b)
{
    return !n || (p >= b->data && p + n <= b->data + b->n);
}

static void
header_put(struct bytes *b, size_t n)
{
    bytes_put_u8(b, 6);
    bytes_put_u8(b, 4);
    bytes_put_be16(b, (uint16_t) (16 + n));
    bytes_put_be32(b, 0);
    bytes_put_be32(b, 0x2320);
    bytes_put_be32(b, 30);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t choice = fuzz_take_byte(&data, &n);
    struct bytes b = BYTES_INIT, answer = BYTES_INIT;
    struct packet_in in;
    struct error err;
    if (!(choice & 1) && n <= UINT16_MAX - 16)
        header_put(&b, n);
    bytes_put(&b, data, n);
    uint8_t *exact = b.n ? mem_dup(b.data, b.n) : NULL;
    bytes_done(&b);
    b = (struct bytes){ exact, choice & 1 ? n : n + 16, choice & 1 ? n : n + 16 };
    if (n <= UINT16_MAX - 16 && packet_in_decode(b.data, b.n, &in, &err)) {
        FUZZ_CLAIM(is_within(in.packet, in.packet_len, &b) && is_within(in.userdata, in.userdata_len, &b));
        FUZZ_CLAIM(in.total_len >= in.packet_len);
        packet_out_encode(&answer, in.in_port, in.packet, in.packet_len < 2000 ? in.packet_len : 2000, 1);
        bytes_done(&answer);
        size_t length = choice & 2 ? in.packet_len / 2 : in.packet_len;
        FUZZ_CLAIM(!in.continuation || is_within(in.continuation, in.continuation_len, &b));
        if (packet_resume_fits(&in, length)) {
            packet_resume_encode(&answer, &in, in.packet, length, 1);
            FUZZ_CLAIM(answer.n >= 16 && answer.n <= UINT16_MAX && answer.n % 8 == 0);
        }
        bytes_done(&answer);
    }
    free(exact);
    return 0;
}
