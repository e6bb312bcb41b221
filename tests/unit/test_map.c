/* base/map: random operations against a plain array; the promise of spread growth; quality of the hashes. */
#include "base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"

#define N_THINGS 5000

struct thing {
    struct map_node node;
    uint32_t number;
    bool is_in, was_seen;
};

/* The model: things[i].is_in says what the map must hold. */
struct world {
    struct map map;
    struct thing *things;
    uint32_t n_things, n_in, hash_mask;
};

static struct thing *
thing_of(struct map_node *n)
{
    return CONTAINER_OF(n, struct thing, node);
}

static uint32_t
thing_hash(const struct world *w, uint32_t number)
{
    return hash_u32(number) & w->hash_mask;
}

static void
world_init(struct world *w, uint32_t n_things, uint32_t hash_mask)
{
    map_init(&w->map);
    w->things = calloc(n_things, sizeof *w->things);
    w->n_things = n_things;
    w->n_in = 0;
    w->hash_mask = hash_mask;
    for (uint32_t i = 0; i < n_things; i++)
        w->things[i].number = i;
}

static void
world_done(struct world *w)
{
    map_done(&w->map);
    free(w->things);
}

static void
thing_toggle(struct world *w, struct thing *t)
{
    if (t->is_in)
        map_remove(&w->map, &t->node);
    else
        map_insert(&w->map, &t->node, thing_hash(w, t->number));
    w->n_in += t->is_in ? -1 : 1;
    t->is_in = !t->is_in;
}

static bool
is_found(const struct world *w, uint32_t number)
{
    int found = 0;
    MAP_FOR_EACH_HASH (n, &w->map, thing_hash(w, number))
        found += thing_of(n)->number == number;
    assert_in_range(found, 0, 1);
    return found;
}

static void
world_check(struct world *w)
{
    uint32_t seen = 0;
    MAP_FOR_EACH (n, &w->map) {
        assert_true(thing_of(n)->is_in);
        assert_false(thing_of(n)->was_seen);
        thing_of(n)->was_seen = true;
        seen++;
    }
    assert_int_equal(seen, w->n_in);
    assert_int_equal(map_count(&w->map), w->n_in);
    for (uint32_t i = 0; i < w->n_things; i++) {
        assert_int_equal(is_found(w, i), w->things[i].is_in);
        w->things[i].was_seen = false;
    }
}

static void
play_random(uint32_t hash_mask, uint32_t n_things, int n_steps)
{
    struct random r = random_seeded();
    struct world w;
    world_init(&w, n_things, hash_mask);
    uint32_t window = 1;
    for (int i = 0; i < n_steps; i++) {
        if (!random_below(&r, 200))
            window = 1 + random_below(&r, n_things);
        struct thing *t = &w.things[random_below(&r, window)];
        assert_int_equal(is_found(&w, t->number), t->is_in);
        thing_toggle(&w, t);
        assert_int_equal(is_found(&w, t->number), t->is_in);
        if (!random_below(&r, n_steps / 50))
            world_check(&w);
    }
    world_check(&w);
    world_done(&w);
}

static void
random_operations_agree_with_an_array(void **unused)
{
    play_random(UINT32_MAX, N_THINGS, 100000);
}

static void
random_operations_agree_when_hashes_collide(void **unused)
{
    play_random(0x8000000f, 300, 20000);
}

static void
an_empty_map_holds_nothing_and_may_be_all_zero(void **unused)
{
    struct map m;
    memset(&m, 0, sizeof m);
    assert_null(map_first(&m));
    assert_null(map_first_hash(&m, 0));
    assert_int_equal(map_count(&m), 0);
    map_done(&m);
}

static void
elements_may_be_removed_on_the_way_in_every_stage_of_growth(void **unused)
{
    for (uint32_t n = 0; n < 600; n++) {
        struct world w;
        world_init(&w, n + 1, UINT32_MAX);
        for (uint32_t i = 0; i < n; i++)
            thing_toggle(&w, &w.things[i]);
        uint32_t seen = 0;
        MAP_FOR_EACH_SAFE (node, next, &w.map) {
            seen++;
            if (thing_of(node)->number % 3)
                thing_toggle(&w, thing_of(node));
        }
        assert_int_equal(seen, n);
        world_check(&w);
        world_done(&w);
    }
}

/* Inserts things[n]; returns how many of those before it have another successor in their chain than before. */
static uint32_t
insertion_moves(struct map *m, struct thing *things, uint32_t n)
{
    struct map_node **before = malloc((n + 1) * sizeof *before);
    for (uint32_t i = 0; i < n; i++)
        before[i] = things[i].node.next;
    map_insert(m, &things[n].node, hash_u32(n));
    uint32_t moved = 0;
    for (uint32_t i = 0; i < n; i++)
        moved += before[i] != things[i].node.next;
    free(before);
    return moved;
}

static void
no_insertion_moves_more_than_a_few_elements(void **unused)
{
    uint32_t n = 1 << 16, near = 20;
    struct thing *things = calloc(n, sizeof *things);
    struct map m;
    map_init(&m);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t above = i + near, power = UINT32_C(1) << (31 - __builtin_clz(above));
        if (above - power < 2 * near || i % 1024 == 0)
            assert_in_range(insertion_moves(&m, things, i), 0, 50);
        else
            map_insert(&m, &things[i].node, hash_u32(i));
        assert_true(m.mask >= i / 2); /* it does grow */
    }
    map_done(&m);
    free(things);
}

/* Share of the hash's bits that change when one bit of the input does; over every bit, and many inputs. */
static void
avalanche_check(uint64_t (*hash)(uint64_t), int in_bits, int out_bits)
{
    struct random r = random_seeded();
    for (int in = 0; in < in_bits; in++) {
        uint64_t flips = 0;
        for (int i = 0; i < 2000; i++) {
            uint64_t x = random_u64(&r);
            flips += __builtin_popcountll(hash(x) ^ hash(x ^ UINT64_C(1) << in));
        }
        assert_in_range(flips * 1000 / 2000 / out_bits, 480, 520);
    }
}

static uint64_t
by_u32(uint64_t x)
{
    return hash_u32(x);
}

static uint64_t
by_u64(uint64_t x)
{
    return hash_u64(x);
}

static uint64_t
by_bytes(uint64_t x)
{
    return hash_bytes(&x, sizeof x, 0);
}

static uint64_t
by_bytes64(uint64_t x)
{
    unsigned char bytes[21] = { 0 };
    memcpy(bytes + 9, &x, sizeof x);
    return hash_bytes64(bytes, sizeof bytes, 5);
}

static uint64_t
by_basis(uint64_t x)
{
    return hash_bytes64("abc", 3, x);
}

static void
each_bit_of_the_input_flips_half_of_the_hash(void **unused)
{
    avalanche_check(by_u32, 32, 32);
    avalanche_check(by_u64, 64, 32);
    avalanche_check(by_bytes, 64, 32);
    avalanche_check(by_bytes64, 64, 64);
    avalanche_check(by_basis, 64, 64);
}

static void
consecutive_numbers_spread_evenly_over_the_low_bits(void **unused)
{
    static uint32_t buckets[1 << 12];
    for (uint32_t i = 0; i < 1 << 16; i++)
        buckets[hash_u32(i << 8) & 0xfff]++;
    for (int i = 0; i < 1 << 12; i++)
        assert_in_range(buckets[i], 0, 48); /* 16 on average */
}

static void
numbers_in_a_row_have_buckets_of_their_own(void **unused)
{
    static bool is_taken[1 << 12];
    const uint64_t cookie = UINT64_C(0x0503000000000000);
    for (uint64_t i = 0; i < 1 << 12; i++) {
        uint32_t bucket = hash_number(cookie + 77000 + i) & 0xfff;
        assert_false(is_taken[bucket]);
        is_taken[bucket] = true;
    }
    assert_int_not_equal(hash_number(1), hash_number(1 | UINT64_C(1) << 32));
}

static void
the_length_of_bytes_is_part_of_their_hash(void **unused)
{
    static const unsigned char zeros[40];
    for (size_t i = 0; i <= sizeof zeros; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(hash_bytes64(zeros, i, 0), hash_bytes64(zeros, j, 0));
    assert_int_equal(hash_string("abc"), hash_bytes("abc", 3, 0));
    assert_int_not_equal(hash_string("abc"), hash_string("abd"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations_agree_with_an_array),
        cmocka_unit_test(random_operations_agree_when_hashes_collide),
        cmocka_unit_test(an_empty_map_holds_nothing_and_may_be_all_zero),
        cmocka_unit_test(elements_may_be_removed_on_the_way_in_every_stage_of_growth),
        cmocka_unit_test(no_insertion_moves_more_than_a_few_elements),
        cmocka_unit_test(each_bit_of_the_input_flips_half_of_the_hash),
        cmocka_unit_test(consecutive_numbers_spread_evenly_over_the_low_bits),
        cmocka_unit_test(numbers_in_a_row_have_buckets_of_their_own),
        cmocka_unit_test(the_length_of_bytes_is_part_of_their_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
