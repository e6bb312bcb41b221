/* How much memory a program uses, without what its allocator keeps for later: what leaks shows here, in the resident size only by and by. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H 1

#include <stddef.h>

/* Bytes that are allocated now, by the libraries it uses too. With a sanitizer they are the sanitizer's to count. */
size_t heap_in_use(void);

#endif
