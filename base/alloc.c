/* Heap allocation that aborts when memory is out. The allocators of every other room: no caller checks for NULL. */
#include "base/alloc.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
checked(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return p;
}

void *
mem_alloc(size_t bytes)
{
    return checked(malloc(bytes ? bytes : 1));
}

void *
mem_zalloc(size_t bytes)
{
    return checked(calloc(1, bytes ? bytes : 1));
}

void *
mem_realloc(void *p, size_t bytes)
{
    return checked(realloc(p, bytes ? bytes : 1));
}

void *
mem_dup(const void *p, size_t bytes)
{
    void *copy = mem_alloc(bytes);
    if (bytes)
        memcpy(copy, p, bytes);
    return copy;
}

char *
mem_strdup(const char *s)
{
    return mem_dup(s, strlen(s) + 1);
}

char *
mem_printf(const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    return checked(n < 0 ? NULL : text);
}

void *
mem_grow(void *array, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return array;

    size_t max = SIZE_MAX / 2 / size;
    assert(need <= max);
    size_t new_cap = *cap ? *cap : 8;
    while (new_cap < need)
        new_cap = new_cap > max / 2 ? max : new_cap * 2;
    *cap = new_cap;
    return mem_realloc(array, new_cap * size);
}
