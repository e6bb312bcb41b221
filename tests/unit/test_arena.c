/* base/arena and base/alloc: what is handed out is aligned, apart, and stays until the whole goes. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "tests/unit/random.h"

#define N_BLOCKS 3000

struct block {
    unsigned char *bytes, fill;
    size_t size;
};

static void
block_check(const struct block *b)
{
    for (size_t i = 0; i < b->size; i++)
        assert_int_equal(b->bytes[i], b->fill);
}

static size_t
random_size(struct random *r)
{
    static const uint32_t bounds[] = { 2, 40, 300, 5000, 400000 };
    uint32_t kind = random_below(r, 100);
    return random_below(r, bounds[kind < 10 ? 0 : kind < 70 ? 1 : kind < 95 ? 2 : kind < 99 ? 3 : 4]);
}

static void
blocks_of_any_size_do_not_overlap(void **unused)
{
    static struct block blocks[N_BLOCKS];
    struct random r = random_seeded();
    struct arena *a = arena_new();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N_BLOCKS; i++) {
            struct block *b = &blocks[i];
            b->size = random_size(&r);
            b->fill = random_u64(&r);
            b->bytes = arena_alloc(a, b->size);
            assert_int_equal((uintptr_t) b->bytes % 16, 0);
            memset(b->bytes, b->fill, b->size);
        }
        for (int i = 0; i < N_BLOCKS; i++)
            block_check(&blocks[i]);
        arena_reset(a);
    }
    arena_free(a);
}

static void
zeroed_memory_is_zero_even_when_it_was_used_before(void **unused)
{
    struct arena *a = arena_new();
    memset(arena_alloc(a, 1000), 0xff, 1000);
    arena_reset(a);
    const unsigned char *p = arena_zalloc(a, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    arena_free(a);
}

static void
a_reset_arena_hands_out_the_same_memory_again(void **unused)
{
    struct arena *a = arena_new();
    void *first = arena_alloc(a, 100);
    for (int i = 0; i < 1000; i++) {
        arena_reset(a);
        assert_ptr_equal(arena_alloc(a, 100), first);
    }
    arena_free(a);
}

static void
copies_are_copies(void **unused)
{
    struct arena *a = arena_new();
    char text[] = "abc";
    char *s = arena_strdup(a, text), *m = arena_memdup(a, text, 2), *empty = arena_strdup(a, "");
    text[0] = 'x';
    assert_string_equal(s, "abc");
    assert_memory_equal(m, "ab", 2);
    assert_string_equal(empty, "");
    assert_non_null(arena_memdup(a, NULL, 0));
    arena_free(a);
}

static void
printed_text_may_be_of_any_length(void **unused)
{
    struct arena *a = arena_new();
    char *s = arena_printf(a, "%d %s", 7, "seven"), *wide = arena_printf(a, "%*d", 300000, 1);
    assert_string_equal(s, "7 seven");
    assert_int_equal(strlen(wide), 300000);
    assert_string_equal(arena_printf(a, "%s", ""), "");
    arena_free(a);
}

static void
freeing_nothing_is_fine(void **unused)
{
    arena_free(NULL);
}

static void
an_array_grows_and_keeps_its_elements(void **unused)
{
    size_t cap = 0, growths = 0;
    int *numbers = NULL;
    for (int i = 0; i < 10000; i++) {
        size_t before = cap;
        numbers = mem_grow(numbers, &cap, i + 1, sizeof *numbers);
        growths += cap != before;
        assert_true(cap >= (size_t) i + 1);
        numbers[i] = i;
    }
    for (int i = 0; i < 10000; i++)
        assert_int_equal(numbers[i], i);
    assert_true(growths < 16);

    numbers = mem_grow(numbers, &cap, 1000000, sizeof *numbers);
    assert_true(cap >= 1000000);
    numbers[999999] = 1;
    free(numbers);
}

static void
heap_copies_and_printed_text_are_the_callers(void **unused)
{
    char *copy = mem_strdup("abc"), *bytes = mem_dup("xyz", 2), *text = mem_printf("%s-%d", copy, 5);
    assert_string_equal(copy, "abc");
    assert_memory_equal(bytes, "xy", 2);
    assert_string_equal(text, "abc-5");
    free(copy);
    free(bytes);
    free(text);

    char *zero = mem_zalloc(0);
    assert_non_null(zero);
    zero = mem_realloc(zero, 10);
    memset(zero, 1, 10);
    free(zero);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_of_any_size_do_not_overlap),
        cmocka_unit_test(zeroed_memory_is_zero_even_when_it_was_used_before),
        cmocka_unit_test(a_reset_arena_hands_out_the_same_memory_again),
        cmocka_unit_test(copies_are_copies),
        cmocka_unit_test(printed_text_may_be_of_any_length),
        cmocka_unit_test(freeing_nothing_is_fine),
        cmocka_unit_test(an_array_grows_and_keeps_its_elements),
        cmocka_unit_test(heap_copies_and_printed_text_are_the_callers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
