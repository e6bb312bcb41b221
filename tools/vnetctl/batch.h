/* Files of commands: a line is split into words as a shell would, without its expansions. */
#ifndef VNETCTL_BATCH_H
#define VNETCTL_BATCH_H 1

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"

struct batch;

/* "-" is standard input. */
struct batch *batch_open(const char *file, struct error *) MUST_CHECK;
void batch_close(struct batch *); /* NULL is fine */

struct batch_line {
    size_t number; /* from 1 */
    char **words;  /* in the arena */
    size_t n;
};

/* The next line that has words; 'line->n' is 0 at the end. Memory is proportional to one line. */
bool batch_next(struct batch *, struct batch_line *, struct arena *, struct error *) MUST_CHECK;

/* Words end at blanks; '...' and "..." keep them, \ keeps the next character, # at a word's start begins a comment. Within "..." \ is
 * special before " \ $ ` only. */
bool batch_split(const char *line, struct batch_line *, struct arena *, struct error *) MUST_CHECK;

#endif
