/* A growing run of bytes for messages that go out, and a reader that cannot run past the end of those that come in.
 * All integers are in network order. Called by everything that speaks a binary protocol. */
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define FIRST_BYTES 64

void
bytes_done(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes) BYTES_INIT;
}

void *
bytes_extend(struct bytes *b, size_t n)
{
    if (!b->data || n > b->cap - b->n)
        b->data = mem_grow(b->data, &b->cap, b->n + n > FIRST_BYTES ? b->n + n : FIRST_BYTES, 1);

    void *start = b->data + b->n;
    b->n += n;
    return start;
}

void *
bytes_extend_zero(struct bytes *b, size_t n)
{
    return memset(bytes_extend(b, n), 0, n);
}

void
bytes_put(struct bytes *b, const void *data, size_t n)
{
    if (n)
        memcpy(bytes_extend(b, n), data, n);
}

static void
put_be(struct bytes *b, uint64_t value, size_t n)
{
    uint8_t *p = bytes_extend(b, n);
    for (size_t i = n; i-- > 0; value >>= 8)
        p[i] = value & 0xff;
}

void
bytes_put_u8(struct bytes *b, uint8_t value)
{
    put_be(b, value, 1);
}

void
bytes_put_be16(struct bytes *b, uint16_t value)
{
    put_be(b, value, 2);
}

void
bytes_put_be32(struct bytes *b, uint32_t value)
{
    put_be(b, value, 4);
}

void
bytes_put_be64(struct bytes *b, uint64_t value)
{
    put_be(b, value, 8);
}

void
reader_init(struct bytes_reader *r, const void *data, size_t n)
{
    r->p = data;
    r->end = n ? r->p + n : r->p;
    r->bad = 0;
}

size_t
reader_left(const struct bytes_reader *r)
{
    return r->p ? (size_t) (r->end - r->p) : 0;
}

/* Once bad, a reader has nothing left: no later read can find itself inside the bytes again. */
const uint8_t *
reader_take(struct bytes_reader *r, size_t n)
{
    if (r->bad || n > reader_left(r)) {
        r->bad = 1;
        r->p = r->end;
        return NULL;
    }
    const uint8_t *start = r->p;
    if (n)
        r->p += n;
    return start;
}

static uint64_t
take_be(struct bytes_reader *r, size_t n)
{
    const uint8_t *p = reader_take(r, n);
    uint64_t value = 0;
    for (size_t i = 0; p && i < n; i++)
        value = value << 8 | p[i];
    return value;
}

uint8_t
reader_u8(struct bytes_reader *r)
{
    return (uint8_t) take_be(r, 1);
}

uint16_t
reader_be16(struct bytes_reader *r)
{
    return (uint16_t) take_be(r, 2);
}

uint32_t
reader_be32(struct bytes_reader *r)
{
    return (uint32_t) take_be(r, 4);
}

uint64_t
reader_be64(struct bytes_reader *r)
{
    return take_be(r, 8);
}
