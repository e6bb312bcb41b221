/* What fuzz targets share. A target is one file NAME.c with one function that takes foreign bytes: libFuzzer feeds it in a build of
 * --enable-fuzzers, replay.c feeds it the files of corpus/NAME in every other build. Each input begins with nothing left of the one
 * before, and ends with everything freed. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv); /* of targets that need one; before the first input */

/* What must hold for any bytes. */
#define FUZZ_CLAIM(CLAIM)                                                         \
    do {                                                                          \
        if (!(CLAIM)) {                                                           \
            dprintf(2, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #CLAIM); \
            abort();                                                              \
        }                                                                         \
    } while (0)

/* A copy that ends in a 0 and where it is allocated to, so that reading further is noticed. */
static inline char *
fuzz_text(const uint8_t *data, size_t n)
{
    char *text = mem_alloc(n + 1);
    if (n)
        memcpy(text, data, n);
    text[n] = '\0';
    return text;
}

/* The next line of 'text', cut out of it without its newline, or NULL. '*rest' begins as the text. */
static inline char *
fuzz_line(char **rest)
{
    char *line = *rest;
    if (!line)
        return NULL;
    char *end = strchr(line, '\n');
    *rest = end ? end + 1 : NULL;
    if (end)
        *end = '\0';
    return line;
}

/* The first byte of the input, taken off it: what a target makes its choices by. */
static inline uint8_t
fuzz_take_byte(const uint8_t **data, size_t *n)
{
    if (!*n)
        return 0;
    --*n;
    return *(*data)++;
}

#endif
