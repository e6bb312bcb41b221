/* What changed, for event streams and wait-until: intent as it commits, and runtime columns as facts move. The last
 * FEED_KEPT events are kept, so that a stream can go on where it was cut. */
#ifndef CONTROLLER_FEED_H
#define CONTROLLER_FEED_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "vnet/model/transaction.h"

struct controller;
struct feed;
struct feed_reader;

#define FEED_KEPT 4096

struct feed_event {
    uint64_t id;       /* rising by one, and higher than all of earlier runs */
    uint64_t revision; /* of the store; 0: runtime columns moved */
    uint32_t tenant;   /* whose object; 0: nobody's, told to all */
    uint32_t number;   /* the object */
    struct uuid object;
    uint8_t type;
    enum feed_change { FEED_ADD, FEED_SET, FEED_DEL } change;
};

struct feed *feed_new(struct controller *);
void feed_free(struct feed *);

/* Runtime columns of an object have changed. Several in one turn of the loop are one event. */
void feed_object(struct feed *, uint32_t number);
/* An object of intent has changed; call after the commit. */
void feed_change(struct feed *, const struct change *, uint64_t revision);
/* The event as the API tells it, with the object as it is now: nobody pays for events that nobody reads. 'names_hosts' as in
 * columns.h. New reference. */
json_t *feed_event_json(const struct feed *, const struct feed_event *, bool names_hosts);

/* Calls 'each' for every event after 'after' that is still kept, and for each one from now on (from the loop). */
typedef void feed_each(void *aux, const struct feed_event *);
struct feed_reader *feed_subscribe(struct feed *, uint64_t after, feed_each *, void *aux);
void feed_unsubscribe(struct feed_reader *);
uint64_t feed_last(const struct feed *);
/* Is every event after this one still kept? Not for what an earlier run of vnetd gave out. */
bool feed_keeps(const struct feed *, uint64_t after);

/* ---- its parts ---- */
struct feed_watches *feed_watches(struct feed *);

#endif
