/* Memory that is freed whole. An arena is a list of chunks, newest first; allocation moves a mark in the newest.
 * What is too big to share a chunk gets one of its own, put behind the newest, so that the space there is not lost.
 *
 * Under AddressSanitizer what is not handed out is poisoned, with a gap after each allocation, so that overruns
 * and uses after arena_reset() are found as on the heap. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define GAP 16
#define POISON(P, N) ASAN_POISON_MEMORY_REGION(P, N)
#define UNPOISON(P, N) ASAN_UNPOISON_MEMORY_REGION(P, N)
#else
#define GAP 0
#define POISON(P, N) ((void) (P), (void) (N))
#define UNPOISON(P, N) ((void) (P), (void) (N))
#endif

#define ALIGNMENT 16
#define FIRST_CHUNK_BYTES 4096
#define LARGEST_CHUNK_BYTES (256 << 10)

struct chunk {
    struct chunk *next;
    size_t size, used; /* of bytes[] */
    _Alignas(ALIGNMENT) char bytes[];
};

struct arena {
    struct chunk *newest;
};

static struct chunk *
chunk_new(size_t size)
{
    struct chunk *c = mem_alloc(sizeof *c + size);
    c->next = NULL;
    c->size = size;
    c->used = 0;
    POISON(c->bytes, size);
    return c;
}

static void
chunk_free(struct chunk *c)
{
    UNPOISON(c->bytes, c->size);
    free(c);
}

static void *
chunk_take(struct chunk *c, size_t bytes, size_t room)
{
    char *p = c->bytes + c->used;
    c->used += room;
    UNPOISON(p, bytes);
    return p;
}

struct arena *
arena_new(void)
{
    struct arena *a = mem_alloc(sizeof *a);
    a->newest = chunk_new(FIRST_CHUNK_BYTES);
    return a;
}

void
arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct chunk *c = a->newest, *next; c; c = next) {
        next = c->next;
        chunk_free(c);
    }
    free(a);
}

void
arena_reset(struct arena *a)
{
    struct chunk *kept = a->newest;
    for (struct chunk *c = kept->next, *next; c; c = next) {
        next = c->next;
        chunk_free(c);
    }
    kept->next = NULL;
    kept->used = 0;
    POISON(kept->bytes, kept->size);
}

/* Chunks double, so that n bytes cost O(log n) of them. */
static size_t
chunk_size_next(const struct arena *a)
{
    size_t size = a->newest->size * 2;
    return size < LARGEST_CHUNK_BYTES ? size : LARGEST_CHUNK_BYTES;
}

static void *
alloc_in_new_chunk(struct arena *a, size_t bytes, size_t room)
{
    size_t size = chunk_size_next(a);
    struct chunk *c;
    if (room > size / 4) {
        c = chunk_new(room);
        c->next = a->newest->next;
        a->newest->next = c;
    } else {
        c = chunk_new(size);
        c->next = a->newest;
        a->newest = c;
    }
    return chunk_take(c, bytes, room);
}

void *
arena_alloc(struct arena *a, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) {
        fputs("out of memory\n", stderr);
        abort();
    }

    size_t room = ((bytes ? bytes : 1) + GAP + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct chunk *c = a->newest;
    return room <= c->size - c->used ? chunk_take(c, bytes, room) : alloc_in_new_chunk(a, bytes, room);
}

void *
arena_zalloc(struct arena *a, size_t bytes)
{
    return memset(arena_alloc(a, bytes), 0, bytes);
}

void *
arena_memdup(struct arena *a, const void *p, size_t bytes)
{
    void *copy = arena_alloc(a, bytes);
    if (bytes)
        memcpy(copy, p, bytes);
    return copy;
}

char *
arena_strdup(struct arena *a, const char *s)
{
    return arena_memdup(a, s, strlen(s) + 1);
}

char *
arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);

    size_t size = (n < 0 ? 0 : (size_t) n) + 1;
    char *text = arena_alloc(a, size);
    text[0] = '\0';
    vsnprintf(text, size, format, again);
    va_end(again);
    return text;
}
