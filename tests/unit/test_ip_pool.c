/* vnet/model/ip_pool: random operations against a plain array, and the ends of the address space. */
#include "vnet/model/ip_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"

#define N 300
#define OWNERS 3
#define OPERATIONS 30000

static void
agrees_with_a_plain_array(void **unused)
{
    struct random random = random_seeded();
    static bool taken[OWNERS][N];
    struct ip_pool pool;
    ip_pool_init(&pool);
    memset(taken, 0, sizeof taken);
    for (int i = 0; i < OPERATIONS; i++) {
        uint32_t owner = random_below(&random, OWNERS), ip = random_below(&random, N), found = 0;
        uint32_t first = random_below(&random, N), last = first + random_below(&random, N - first);
        if (random_below(&random, 2))
            assert_int_equal(ip_pool_take(&pool, owner, ip), !taken[owner][ip]), taken[owner][ip] = true;
        else
            assert_int_equal(ip_pool_give(&pool, owner, ip), taken[owner][ip]), taken[owner][ip] = false;

        uint32_t lowest = first;
        while (lowest <= last && taken[owner][lowest])
            lowest++;
        assert_int_equal(ip_pool_find_free(&pool, owner, first, last, &found), lowest <= last);
        if (lowest <= last)
            assert_int_equal(found, lowest);
        ip = random_below(&random, N);
        assert_int_equal(ip_pool_is_taken(&pool, owner, ip), taken[owner][ip]);
    }

    /* As few runs as can be. */
    size_t runs = 0;
    for (int owner = 0; owner < OWNERS; owner++)
        for (int ip = 0; ip < N; ip++)
            runs += taken[owner][ip] && (!ip || !taken[owner][ip - 1]);
    assert_int_equal(pool.runs.count, runs);
    ip_pool_done(&pool);
}

static void
a_full_slash_8_is_one_run(void **unused)
{
    struct ip_pool pool;
    uint32_t ip, first = 10u << 24;
    ip_pool_init(&pool);
    for (uint32_t i = 0; i < 20000; i++) {
        assert_true(ip_pool_find_free(&pool, 1, first, first + 0xffffff, &ip));
        assert_int_equal(ip, first + i);
        assert_true(ip_pool_take(&pool, 1, ip));
    }
    assert_int_equal(pool.runs.count, 1);
    ip_pool_done(&pool);
}

static void
the_first_and_the_last_address_of_all_can_be_taken(void **unused)
{
    struct ip_pool pool;
    uint32_t ip;
    ip_pool_init(&pool);
    assert_true(ip_pool_take(&pool, 1, UINT32_MAX));
    assert_true(ip_pool_take(&pool, 1, 0));
    assert_false(ip_pool_take(&pool, 1, UINT32_MAX));
    assert_false(ip_pool_find_free(&pool, 1, UINT32_MAX, UINT32_MAX, &ip));
    assert_true(ip_pool_find_free(&pool, 2, UINT32_MAX, UINT32_MAX, &ip));
    assert_true(ip_pool_take(&pool, 1, UINT32_MAX - 1));
    assert_false(ip_pool_find_free(&pool, 1, UINT32_MAX - 1, UINT32_MAX, &ip));
    assert_true(ip_pool_give(&pool, 1, UINT32_MAX));
    assert_true(ip_pool_find_free(&pool, 1, UINT32_MAX - 1, UINT32_MAX, &ip));
    assert_int_equal(ip, UINT32_MAX);
    assert_true(ip_pool_give(&pool, 1, 0));
    assert_false(ip_pool_give(&pool, 1, 0));
    ip_pool_done(&pool);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_plain_array),
        cmocka_unit_test(a_full_slash_8_is_one_run),
        cmocka_unit_test(the_first_and_the_last_address_of_all_can_be_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
