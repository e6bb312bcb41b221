/* Readers of the feed that take events at their own pace, in turns of the loop: what a transaction of 100,000 changes has to tell is told bit by
 * bit, as each reader has room for it, and one that does not read costs nothing.
 *
 *     WAITS for an event ----an event----> READY for a turn ---serve() says so---> FULL
 *          ^------nothing left to take--------|   ^-----------resume()---------------|
 */
#ifndef CONTROLLER_FEED_STREAM_H
#define CONTROLLER_FEED_STREAM_H 1

#include <event2/event.h>

#include "controller/feed.h"

struct feed_stream;

/* Takes some events (FEED_STREAM_TAKE at most is wanted, so that others have their turn). False: no more until feed_stream_resume(). It must not
 * free the stream. */
typedef bool feed_serve(void *aux, struct feed_stream *);
#define FEED_STREAM_TAKE 64

/* Begins after the event 'after', or with a gap if that is not known what came after it. */
struct feed_stream *feed_stream_new(struct feed *, uint64_t after, feed_serve *, void *aux);
void feed_stream_free(struct feed_stream *); /* NULL is fine */

/* The next event, or NULL: there is none now. '*has_gap': events before it have been lost, so that everything has to be looked at again; a stream that
 * falls out of the ring goes on with what comes from now on, one that begins with a gap with all that is kept. */
const struct feed_event *feed_stream_take(struct feed_stream *, bool *has_gap);
void feed_stream_resume(struct feed_stream *);

/* ---- for feed.c ---- */
struct feed_streams *feed_streams_new(struct event_base *, struct feed *);
void feed_streams_free(struct feed_streams *);
/* There is an event more. */
void feed_streams_stir(struct feed_streams *);

#endif
