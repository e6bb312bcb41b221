/* Memory that is freed whole: one compile, one request, one parse. Allocation never fails (out of memory aborts). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H 1

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *);  /* NULL is fine */
void arena_reset(struct arena *); /* frees what was allocated, keeps one chunk */

void *arena_alloc(struct arena *, size_t bytes); /* aligned to 16, not zeroed */
void *arena_zalloc(struct arena *, size_t bytes);
void *arena_memdup(struct arena *, const void *, size_t bytes);
char *arena_strdup(struct arena *, const char *);
char *arena_printf(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
