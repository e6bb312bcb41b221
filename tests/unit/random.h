/* Repeatable randomness for tests against a model. The seed is new at each run and printed; TEST_SEED=N repeats one. */
#ifndef TESTS_UNIT_RANDOM_H
#define TESTS_UNIT_RANDOM_H 1

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct random {
    uint64_t state;
};

static inline uint64_t
random_u64(struct random *r)
{
    uint64_t x = r->state += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* 0 <= result < n */
static inline uint32_t
random_below(struct random *r, uint32_t n)
{
    return random_u64(r) % n;
}

static inline struct random
random_seeded(void)
{
    struct timespec now;
    const char *given = getenv("TEST_SEED");
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t) now.tv_sec * 1000000000 + now.tv_nsec;
    printf("TEST_SEED=%llu\n", (unsigned long long) seed);
    fflush(stdout);
    return (struct random){ seed };
}

#endif
