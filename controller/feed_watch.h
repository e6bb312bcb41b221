/* Who waits for one object: told only of that object's events, or, while it is not there, of the object that comes by that name. An event
 * costs whom it concerns, however many wait for others. */
#ifndef CONTROLLER_FEED_WATCH_H
#define CONTROLLER_FEED_WATCH_H 1

#include "controller/feed.h"

struct feed_watch;

/* 'woken' is called when there may be something to see, from within what changes the object: look later. It watches nothing yet. */
struct feed_watch *feed_watch_new(struct feed *, void (*woken)(void *aux), void *aux);
void feed_watch_free(struct feed_watch *); /* NULL is fine */

/* From now on this object, in place of what was watched. */
void feed_watch_object(struct feed_watch *, uint32_t number);
/* From now on an object of that type that gets this name, or has this id, of whatever tenant. One of a type without names of their own may be called
 * what it is called in several ways: each that comes wakes. */
void feed_watch_name(struct feed_watch *, enum object_type, const char *name);

/* ---- for feed.c ---- */
struct feed_watches;
struct feed_watches *feed_watches_new(void);
void feed_watches_free(struct feed_watches *); /* none is left that watches */
/* The object has come, changed or gone. 'has_come': it may be called now what it was not before. */
void feed_watches_tell(const struct feed_watches *, const struct object *, bool has_come);

#endif
