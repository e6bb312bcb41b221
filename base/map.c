/* The intrusive hash map, and the hash functions. Chains of nodes hang from a power-of-two table.
 *
 * When a table of N buckets holds N nodes, one of 2N takes over. The old one stays beside it, and each later insertion
 * empties a few of its buckets. Invariant: a hash whose old bucket is not emptied yet (its index is at least
 * old_next) lives in the old table, any other in the new one; so all nodes of one hash are in one chain. Lookups
 * and removals move nothing, so they may happen while the map is walked.
 *
 * All bits zero is an empty map. */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define FIRST_BUCKETS 8
#define LARGEST_BUCKETS (UINT32_C(1) << 31)
#define MOVED_PER_INSERTION 4 /* at least 1, else the next doubling finds the last one unfinished */

void
map_init(struct map *m)
{
    memset(m, 0, sizeof *m);
}

void
map_done(struct map *m)
{
    free(m->buckets);
    free(m->old);
    map_init(m);
}

static struct map_node **
bucket_of(const struct map *m, uint32_t hash)
{
    uint32_t old_index = hash & m->old_mask;
    return m->old && old_index >= m->old_next ? &m->old[old_index] : &m->buckets[hash & m->mask];
}

static void
node_link(struct map_node **bucket, struct map_node *node)
{
    node->next = *bucket;
    *bucket = node;
}

static void
growth_start(struct map *m)
{
    if (!m->buckets) {
        m->buckets = mem_zalloc(FIRST_BUCKETS * sizeof *m->buckets);
        m->mask = FIRST_BUCKETS - 1;
        return;
    }

    size_t buckets = ((size_t) m->mask + 1) * 2;
    if (m->old || buckets > LARGEST_BUCKETS)
        return;
    m->old = m->buckets;
    m->old_mask = m->mask;
    m->old_next = 0;
    m->buckets = mem_zalloc(buckets * sizeof *m->buckets);
    m->mask = buckets - 1;
}

static void
growth_continue(struct map *m)
{
    for (int i = 0; m->old && i < MOVED_PER_INSERTION; i++) {
        struct map_node *next;
        for (struct map_node *n = m->old[m->old_next]; n; n = next) {
            next = n->next;
            node_link(&m->buckets[n->hash & m->mask], n);
        }
        if (m->old_next++ == m->old_mask) {
            free(m->old);
            m->old = NULL;
        }
    }
}

void
map_insert(struct map *m, struct map_node *node, uint32_t hash)
{
    if (!m->buckets || m->count > m->mask)
        growth_start(m);
    growth_continue(m);
    node->hash = hash;
    node_link(bucket_of(m, hash), node);
    m->count++;
}

void
map_remove(struct map *m, struct map_node *node)
{
    assert(m->count);
    struct map_node **link = bucket_of(m, node->hash);
    while (*link != node) {
        assert(*link); /* else the node is not in this map */
        link = &(*link)->next;
    }
    *link = node->next;
    node->next = NULL;
    m->count--;
}

static struct map_node *
chain_find(struct map_node *n, uint32_t hash)
{
    while (n && n->hash != hash)
        n = n->next;
    return n;
}

struct map_node *
map_first_hash(const struct map *m, uint32_t hash)
{
    return m->count ? chain_find(*bucket_of(m, hash), hash) : NULL;
}

struct map_node *
map_next_hash(const struct map_node *n)
{
    return chain_find(n->next, n->hash);
}

static struct map_node *
first_from(struct map_node **buckets, uint32_t from, uint32_t mask)
{
    for (uint64_t i = from; i <= mask; i++)
        if (buckets[i])
            return buckets[i];
    return NULL;
}

/* The walk: the old table's buckets that are left, then the new table's. */
struct map_node *
map_first(const struct map *m)
{
    if (!m->count)
        return NULL;
    struct map_node *n = m->old ? first_from(m->old, m->old_next, m->old_mask) : NULL;
    return n ? n : first_from(m->buckets, 0, m->mask);
}

struct map_node *
map_next(const struct map *m, const struct map_node *node)
{
    if (node->next)
        return node->next;

    uint32_t old_index = node->hash & m->old_mask, index = node->hash & m->mask;
    if (m->old && old_index >= m->old_next) {
        struct map_node *n = old_index == m->old_mask ? NULL : first_from(m->old, old_index + 1, m->old_mask);
        return n ? n : first_from(m->buckets, 0, m->mask);
    }
    return index == m->mask ? NULL : first_from(m->buckets, index + 1, m->mask);
}

/* Odd constants with about half of their bits set, taken from the fractions of square roots of small primes. */
#define K1 UINT64_C(0x6a09e667f3bcc909)
#define K2 UINT64_C(0xbb67ae8584caa73b)
#define K3 UINT64_C(0x3c6ef372fe94f82b)

/* Every bit of the input moves every bit of the result; no two inputs have the same result. */
static uint64_t
mix64(uint64_t x)
{
    x ^= x >> 32;
    x *= K1;
    x ^= x >> 29;
    x *= K2;
    x ^= x >> 32;
    return x;
}

uint64_t
hash_bytes64(const void *data, size_t n, uint64_t basis)
{
    const uint8_t *p = data;
    uint64_t h = basis ^ (n * K3), word;
    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        h = mix64(h ^ word) + K2;
    }
    if (n) {
        word = 0;
        memcpy(&word, p, n);
        h = mix64(h ^ word) + K2;
    }
    return mix64(h ^ K3);
}

uint32_t
hash_bytes(const void *data, size_t n, uint32_t basis)
{
    return hash_bytes64(data, n, basis);
}

uint32_t
hash_string(const char *s)
{
    return hash_bytes(s, strlen(s), 0);
}

uint32_t
hash_u64(uint64_t x)
{
    return mix64(x + K3);
}

uint32_t
hash_number(uint64_t x)
{
    return (uint32_t) x ^ hash_u64(x >> 20);
}

uint32_t
hash_u32(uint32_t x)
{
    return hash_u64(x);
}
