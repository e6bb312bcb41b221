/* The reader that all binary parsers stand on: any reads of any bytes stay within them. The first byte says how many reads there are,
 * then come these, then the bytes they read. */
#include "tests/fuzz/fuzz.h"

#include "base/bytes.h"

static size_t
read_one(struct bytes_reader *r, uint8_t op, struct bytes *copy)
{
    size_t n = op >> 3;
    const uint8_t *p;
    switch (op & 7) {
    case 0: bytes_put_u8(copy, reader_u8(r)); return 1;
    case 1: bytes_put_be16(copy, reader_be16(r)); return 2;
    case 2: bytes_put_be32(copy, reader_be32(r)); return 4;
    case 3: bytes_put_be64(copy, reader_be64(r)); return 8;
    default:
        p = reader_take(r, n);
        if (p)
            bytes_put(copy, p, n);
        return n;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t n_ops = fuzz_take_byte(&data, &n);
    n_ops = n_ops < n ? n_ops : n;
    size_t n_bytes = n - n_ops, at = 0;
    uint8_t *bytes = n_bytes ? mem_dup(data + n_ops, n_bytes) : NULL;
    struct bytes copy = BYTES_INIT;
    struct bytes_reader r;
    reader_init(&r, bytes, n_bytes);
    for (size_t i = 0; i < n_ops; i++) {
        size_t left = reader_left(&r), used = read_one(&r, data[i], &copy);
        FUZZ_CLAIM(r.bad ? !reader_left(&r) : reader_left(&r) == left - used);
        at += r.bad ? 0 : used;
    }
    FUZZ_CLAIM(copy.n >= at && (!at || !memcmp(copy.data, bytes, at)));
    bytes_done(&copy);
    free(bytes);
    return 0;
}
