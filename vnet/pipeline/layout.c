#include "vnet/pipeline/layout.h"

#include <stdbool.h>

const char *
reason_word(enum reason reason)
{
    static const char *const words[] = {
#define X(ID, NUMBER, WORD) [NUMBER] = WORD,
        REASON_LIST(X)
#undef X
    };
    return (unsigned) reason < REASON_MAX ? words[reason] : "";
}

/* Bits below the highest in which both differ, and that one. */
static uint32_t
differing(uint32_t first, uint32_t last)
{
    uint32_t bits = first ^ last;
    for (int shift = 1; shift < 32; shift *= 2)
        bits |= bits >> shift;
    return bits;
}

static struct cookie_block
cookie_block(uint64_t base, uint32_t first, uint32_t last)
{
    uint64_t mask = ~(uint64_t) differing(first, last);
    return (struct cookie_block){ (base | first) & mask, mask, first, last };
}

size_t
cookie_blocks(uint8_t feature, uint8_t type, uint32_t first, uint32_t last, struct cookie_block blocks[COOKIE_BLOCKS])
{
    uint64_t base = cookie_make(feature, type, 0);
    uint32_t bits = differing(first, last), middle = last & ~(bits >> 1); /* the first number that has the highest of them */
    bool is_whole = !(first & bits) && (last & bits) == bits;
    if (is_whole) {
        blocks[0] = cookie_block(base, first, last);
        return 1;
    }
    blocks[0] = cookie_block(base, first, middle - 1);
    blocks[1] = cookie_block(base, middle, last);
    return 2;
}
