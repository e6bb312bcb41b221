/* An intrusive hash map: the element embeds a 'struct map_node' and stays where it is; the map stores no keys.
 * Grows by doubling, spread over later insertions, so that no single insertion moves a large table.
 *
 *     struct thing { struct map_node node; uint32_t number; };
 *     map_insert(&things, &t->node, hash_u32(t->number));
 *     MAP_FOR_EACH_HASH (n, &things, hash_u32(number)) {
 *         struct thing *t = CONTAINER_OF(n, struct thing, node);
 *         if (t->number == number) ...
 *     }
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H 1

#include <stddef.h>
#include <stdint.h>

#ifndef CONTAINER_OF
#define CONTAINER_OF(POINTER, TYPE, MEMBER) ((TYPE *) (void *) ((char *) (POINTER) -offsetof(TYPE, MEMBER)))
#endif

struct map_node {
    struct map_node *next;
    uint32_t hash;
};

struct map {
    struct map_node **buckets;
    uint32_t mask; /* number of buckets less one; a power of two less one */
    uint32_t count;
    struct map_node **old; /* while growing: buckets not moved yet */
    uint32_t old_mask, old_next;
};

void map_init(struct map *);
void map_done(struct map *); /* frees the buckets, not the elements */
void map_insert(struct map *, struct map_node *, uint32_t hash);
void map_remove(struct map *, struct map_node *);
static inline uint32_t
map_count(const struct map *m)
{
    return m->count;
}

/* The first node with 'hash', and the next one after a node with the same hash; NULL if none. */
struct map_node *map_first_hash(const struct map *, uint32_t hash);
struct map_node *map_next_hash(const struct map_node *);

/* In no order. The map must not grow meanwhile; the current node may be removed if the next was taken first. */
struct map_node *map_first(const struct map *);
struct map_node *map_next(const struct map *, const struct map_node *);

#define MAP_FOR_EACH_HASH(NODE, MAP, HASH) for (struct map_node *NODE = map_first_hash(MAP, HASH); NODE; NODE = map_next_hash(NODE))
#define MAP_FOR_EACH(NODE, MAP) for (struct map_node *NODE = map_first(MAP); NODE; NODE = map_next(MAP, NODE))
#define MAP_FOR_EACH_SAFE(NODE, NEXT, MAP)                                                        \
    for (struct map_node *NODE = map_first(MAP), *NEXT = NODE ? map_next(MAP, NODE) : NULL; NODE; \
         NODE = NEXT, NEXT = NODE ? map_next(MAP, NODE) : NULL)

uint32_t hash_u32(uint32_t);
uint32_t hash_u64(uint64_t);
/* For numbers that are dense, as ours are that are counted up: those of one million in a row all get buckets of their own, side by side. Not for what
 * others choose. */
uint32_t hash_number(uint64_t);
uint32_t hash_bytes(const void *, size_t, uint32_t basis);
uint64_t hash_bytes64(const void *, size_t, uint64_t basis);
uint32_t hash_string(const char *);

#endif
