/* Between the files of tests/fuzz/seeds, one for each kind of input. */
#ifndef TESTS_FUZZ_SEEDS_H
#define TESTS_FUZZ_SEEDS_H 1

#include "base/bytes.h"

/* Writes 'b' as an input of 'target' and empties it. */
void seed_put(const char *target, const char *name, struct bytes *b);
void seed_put_numbered(const char *target, const char *name, size_t i, struct bytes *b);

void packet_seeds(void); /* seeds_packets.c: what guests and the outside send */
void switch_seeds(void); /* seeds_switch.c: what switches say */

#endif
