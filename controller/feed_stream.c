#include "controller/feed_stream.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "controller/controller.h"

/* All turns of all streams, in one turn of the loop. */
#define TURN_MS 2

struct feed_stream {
    struct feed_stream *next, **link; /* of the list it is in; link NULL: FULL */
    struct feed *feed;
    uint64_t after;
    bool has_gap;
    feed_serve *serve;
    void *aux;
};

struct list {
    struct feed_stream *first, **last;
};

struct feed_streams {
    struct feed *feed;
    struct list waiting, ready;
    struct event *turn; /* a timer, as commit.c's */
};

static void
list_put(struct list *l, struct feed_stream *s)
{
    s->next = NULL;
    s->link = l->last;
    *l->last = s;
    l->last = &s->next;
}

static void
leave_list(struct feed_streams *all, struct feed_stream *s)
{
    if (!s->link)
        return;
    *s->link = s->next;
    if (s->next)
        s->next->link = s->link;
    else if (all->ready.last == &s->next)
        all->ready.last = s->link;
    else
        all->waiting.last = s->link;
    s->link = NULL;
}

static void
schedule(struct feed_streams *all)
{
    if (all->ready.first && !event_pending(all->turn, EV_TIMEOUT, NULL))
        event_add(all->turn, &(struct timeval){ 0, 0 });
}

/* Where it belongs that wants more. */
static void
enlist(struct feed_streams *all, struct feed_stream *s)
{
    list_put(s->after == feed_last(all->feed) && !s->has_gap ? &all->waiting : &all->ready, s);
    schedule(all);
}

static void
on_turn(evutil_socket_t fd, short what, void *aux)
{
    struct feed_streams *all = aux;
    int64_t end_ms = controller_now_ms() + TURN_MS;
    struct feed_stream *s;
    while ((s = all->ready.first)) {
        leave_list(all, s);
        if (s->serve(s->aux, s))
            enlist(all, s);
        if (controller_now_ms() >= end_ms)
            break;
    }
    schedule(all);
}

void
feed_streams_stir(struct feed_streams *all)
{
    struct feed_stream *first = all->waiting.first;
    if (!first)
        return;
    *all->ready.last = first;
    first->link = all->ready.last;
    all->ready.last = all->waiting.last;
    all->waiting.first = NULL;
    all->waiting.last = &all->waiting.first;
    schedule(all);
}

/* ---- a stream ---- */

struct feed_stream *
feed_stream_new(struct feed *f, uint64_t after, feed_serve *serve, void *aux)
{
    struct feed_stream *s = mem_zalloc(sizeof *s);
    *s = (struct feed_stream){ .feed = f, .after = after, .serve = serve, .aux = aux };
    if (!feed_keeps(f, after)) {
        s->has_gap = true;
        s->after = feed_oldest(f);
    }
    enlist(feed_streams(f), s);
    return s;
}

void
feed_stream_free(struct feed_stream *s)
{
    if (s)
        leave_list(feed_streams(s->feed), s);
    free(s);
}

const struct feed_event *
feed_stream_take(struct feed_stream *s, bool *has_gap)
{
    *has_gap = s->has_gap;
    s->has_gap = false;
    if (!feed_keeps(s->feed, s->after)) {
        *has_gap = true;
        s->after = feed_last(s->feed);
    }
    return s->after == feed_last(s->feed) ? NULL : feed_event(s->feed, ++s->after);
}

void
feed_stream_resume(struct feed_stream *s)
{
    if (!s->link)
        enlist(feed_streams(s->feed), s);
}

/* ---- all of them ---- */

struct feed_streams *
feed_streams_new(struct event_base *base, struct feed *f)
{
    struct feed_streams *all = mem_zalloc(sizeof *all);
    all->feed = f;
    all->waiting.last = &all->waiting.first;
    all->ready.last = &all->ready.first;
    all->turn = evtimer_new(base, on_turn, all);
    return all;
}

void
feed_streams_free(struct feed_streams *all)
{
    event_free(all->turn);
    free(all);
}
