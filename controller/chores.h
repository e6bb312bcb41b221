/* Pure work beside the loop, for what is large: parsing, writing and freeing of documents. One thread does it in the order in which it was given. A
 * chore owns all that it touches until it is done. */
#ifndef CONTROLLER_CHORES_H
#define CONTROLLER_CHORES_H 1

#include <event2/event.h>

#include "base/json.h"

struct chores;

/* What is smaller is done sooner on the loop than it is handed over. */
#define CHORES_FROM_BYTES (64 << 10)
#define CHORES_FROM_ELEMENTS 256

struct chores *chores_new(struct event_base *);
/* 'work' is called on the thread, 'done' (may be NULL) on the loop afterwards. */
void chores_do(struct chores *, void (*work)(void *aux), void (*done)(void *aux), void *aux);
/* Dereferences an array that nobody else changes or looks at any more, here or there. NULL is fine. */
void chores_free_array(struct chores *, json_t *take);

/* Does what was given, and tells; what is given later is done at once. */
void chores_close(struct chores *);
void chores_free(struct chores *); /* closed before */

#endif
