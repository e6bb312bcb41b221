/* Heap allocation that aborts when memory is out: restart and reconcile is a tested recovery, a half-done
 * operation is not. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H 1

#include <stddef.h>

void *mem_alloc(size_t bytes);
void *mem_zalloc(size_t bytes);
void *mem_realloc(void *, size_t bytes);
void *mem_dup(const void *, size_t bytes);
char *mem_strdup(const char *);
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Grows an array: '*cap' elements of 'size' bytes become at least 'need' (doubling). Returns the new array. */
void *mem_grow(void *, size_t *cap, size_t need, size_t size);

#endif
