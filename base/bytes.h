/* A growing run of bytes. Plain value: 'struct bytes b = BYTES_INIT'. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H 1

#include <stddef.h>
#include <stdint.h>

struct bytes {
    uint8_t *data;
    size_t n, cap;
};
#define BYTES_INIT \
    {              \
        NULL, 0, 0 \
    }

void bytes_done(struct bytes *); /* frees; the value is BYTES_INIT again */
static inline void
bytes_clear(struct bytes *b)
{
    b->n = 0;
}
void bytes_put(struct bytes *, const void *, size_t);
void *bytes_extend(struct bytes *, size_t); /* n more bytes, not set; valid until the next call */
void *bytes_extend_zero(struct bytes *, size_t);
void bytes_put_u8(struct bytes *, uint8_t); /* integers go in network order */
void bytes_put_be16(struct bytes *, uint16_t);
void bytes_put_be32(struct bytes *, uint32_t);
void bytes_put_be64(struct bytes *, uint64_t);

/* A reader over hostile bytes: running past the end sets 'bad' and yields zeros. */
struct bytes_reader {
    const uint8_t *p, *end;
    int bad;
};
void reader_init(struct bytes_reader *, const void *, size_t);
size_t reader_left(const struct bytes_reader *);
uint8_t reader_u8(struct bytes_reader *);
uint16_t reader_be16(struct bytes_reader *);
uint32_t reader_be32(struct bytes_reader *);
uint64_t reader_be64(struct bytes_reader *);
const uint8_t *reader_take(struct bytes_reader *, size_t); /* NULL, and bad, if fewer are left */

#endif
