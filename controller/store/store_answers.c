/* Remembered answers: a map for finding, a list by age for forgetting. */
#include "controller/store/store_answers.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

#define BYTES_MAX ((size_t) 64 << 20)

void
store_answers_init(struct store_answers *a)
{
    memset(a, 0, sizeof *a);
    map_init(&a->map);
}

static uint32_t
answer_hash(const char *scope, const char *key)
{
    return hash_bytes(key, strlen(key), hash_string(scope));
}

static struct store_answer *
answer_find(const struct store_answers *a, const char *scope, const char *key)
{
    MAP_FOR_EACH_HASH (n, &a->map, answer_hash(scope, key)) {
        struct store_answer *answer = CONTAINER_OF(n, struct store_answer, node);
        if (!strcmp(answer->scope, scope) && !strcmp(answer->key, key))
            return answer;
    }
    return NULL;
}

const struct store_answer *
store_answers_find(const struct store_answers *a, const char *scope, const char *key)
{
    return answer_find(a, scope, key);
}

static void
forget_oldest(struct store_answers *a)
{
    struct store_answer *answer = a->oldest;
    a->oldest = answer->newer;
    if (!a->oldest)
        a->newest = NULL;
    a->bytes -= answer->bytes;
    map_remove(&a->map, &answer->node);
    free(answer->scope);
    free(answer->key);
    free(answer->digest);
    free(answer->answer);
    free(answer);
}

void
store_answers_done(struct store_answers *a)
{
    while (a->oldest)
        forget_oldest(a);
    map_done(&a->map);
}

void
store_answers_add(struct store_answers *a, const char *scope, const char *key, const char *digest, const char *answer)
{
    if (answer_find(a, scope, key))
        return;         /* the first answer is the one */
    struct store_answer *new = mem_zalloc(sizeof *new);
    *new = (struct store_answer) {
        .scope = mem_strdup(scope),
        .key = mem_strdup(key),
        .digest = mem_strdup(digest),
        .answer = mem_strdup(answer),
        .bytes = sizeof *new + strlen(scope) + strlen(key) + strlen(digest) + strlen(answer),
    };
    map_insert(&a->map, &new->node, answer_hash(scope, key));
    if (a->newest)
        a->newest->newer = new;
    else
        a->oldest = new;
    a->newest = new;
    a->bytes += new->bytes;
    while (map_count(&a->map) > LIMIT_IDEMPOTENCY_KEYS || (a->bytes > BYTES_MAX && a->oldest != a->newest))
        forget_oldest(a);
}
