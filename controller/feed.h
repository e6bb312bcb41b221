/* What changed, for event streams and wait-until: intent as it commits, and runtime columns as facts move. The last
 * FEED_KEPT events are kept, so that a stream can go on where it was cut, and can read at its own pace (feed_stream.h). An event is a number
 * here, not a text: all that one transaction changes costs the ring 48 bytes an object. */
#ifndef CONTROLLER_FEED_H
#define CONTROLLER_FEED_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "vnet/model/transaction.h"

struct controller;
struct feed;
struct feed_reader;

/* More than a transaction of LIMIT_TRANSACTION_OPS ports has. 12 MiB, once so much has happened. */
#define FEED_KEPT (1 << 18)

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
/* Calls 'each' for every event after 'after' that is still kept, and for each one from now on (from the loop). */
typedef void feed_each(void *aux, const struct feed_event *);
struct feed_reader *feed_subscribe(struct feed *, uint64_t after, feed_each *, void *aux);
void feed_unsubscribe(struct feed_reader *);
/* The id of the last event. */
uint64_t feed_last(const struct feed *);
/* The id before the oldest one kept. */
uint64_t feed_oldest(const struct feed *);
/* One that is kept: feed_keeps(id - 1), and id <= feed_last(). Valid until the next event. */
const struct feed_event *feed_event(const struct feed *, uint64_t id);
/* Is every event after this one still kept? Not for what an earlier run of vnetd gave out. */
bool feed_keeps(const struct feed *, uint64_t after);

/* ---- its parts ---- */
struct feed_watches *feed_watches(struct feed *);
struct feed_streams *feed_streams(struct feed *);
struct feed_texts *feed_texts(struct feed *);

#endif
