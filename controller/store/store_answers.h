/* Answers to requests that had an idempotency key, in memory: the newest ones, bounded in number and bytes. */
#ifndef CONTROLLER_STORE_STORE_ANSWERS_H
#define CONTROLLER_STORE_STORE_ANSWERS_H 1

#include <stddef.h>

#include "base/map.h"

struct store_answer {
    struct map_node node;
    struct store_answer *newer;
    char *scope, *key, *digest, *answer;
    size_t bytes;
};

struct store_answers {
    struct map map;
    struct store_answer *oldest, *newest;
    size_t bytes;
};

void store_answers_init(struct store_answers *);
void store_answers_done(struct store_answers *);
void store_answers_add(struct store_answers *, const char *scope, const char *key, const char *digest, const char *answer);
const struct store_answer *store_answers_find(const struct store_answers *, const char *scope, const char *key);

#endif
