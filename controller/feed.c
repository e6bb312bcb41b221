#include "controller/feed.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/feed_stream.h"
#include "controller/feed_text.h"
#include "controller/feed_watch.h"

/* Ids begin anew with each run, at its start in milliseconds times this power of two: no run gives out more than that in each millisecond. They fit
 * 63 bits. */
#define FEED_ID_BITS 20

struct feed_reader {
    struct feed *feed;
    struct feed_reader *next, *prev;
    feed_each *each;
    void *aux;
};

struct pending {
    struct map_node by_number;
    struct pending *next;
    uint32_t number;
};

struct feed {
    struct controller *controller;
    struct feed_event *ring; /* FEED_KEPT: memory that no event has come to is none of ours yet */
    uint64_t first, last;    /* ids: before the first event of this run, and of the last one */
    struct feed_reader *readers;
    struct feed_watches *watches;
    struct feed_streams *streams;
    struct feed_texts *texts;
    struct map pending; /* objects whose runtime columns changed in this turn */
    struct pending *first_pending, **last_pending;
    struct event *flush;
};

static void feed_flush(evutil_socket_t fd, short what, void *aux);

struct feed *
feed_new(struct controller *c)
{
    struct feed *f = mem_zalloc(sizeof *f);
    f->controller = c;
    f->ring = mem_zalloc(FEED_KEPT * sizeof *f->ring);
    f->watches = feed_watches_new();
    f->streams = feed_streams_new(c->base, f);
    f->texts = feed_texts_new(c);
    f->first = f->last = (uint64_t) c->started_ms << FEED_ID_BITS;
    f->flush = event_new(c->base, -1, 0, feed_flush, f);
    f->last_pending = &f->first_pending;
    map_init(&f->pending);
    return f;
}

struct feed_watches *
feed_watches(struct feed *f)
{
    return f->watches;
}

struct feed_streams *
feed_streams(struct feed *f)
{
    return f->streams;
}

struct feed_texts *
feed_texts(struct feed *f)
{
    return f->texts;
}

uint64_t
feed_last(const struct feed *f)
{
    return f->last;
}

const struct feed_event *
feed_event(const struct feed *f, uint64_t id)
{
    return &f->ring[id % FEED_KEPT];
}

uint64_t
feed_oldest(const struct feed *f)
{
    return f->last - f->first < FEED_KEPT ? f->first : f->last - FEED_KEPT;
}

bool
feed_keeps(const struct feed *f, uint64_t after)
{
    return after >= feed_oldest(f) && after <= f->last;
}

static void
publish(struct feed *f, const struct object *o, enum feed_change change, uint64_t revision)
{
    struct feed_event *e = &f->ring[++f->last % FEED_KEPT];
    *e = (struct feed_event){
        .id = f->last, .revision = revision, .tenant = o->tenant, .number = o->number, .object = o->id, .type = o->type, .change = change
    };
    for (struct feed_reader *r = f->readers, *next; r; r = next) {
        next = r->next;
        r->each(r->aux, e);
    }
    feed_watches_tell(f->watches, o, revision && change != FEED_DEL);
    feed_streams_stir(f->streams);
}

void
feed_change(struct feed *f, const struct change *change, uint64_t revision)
{
    if (object_class(change->type)->is_hidden)
        return;
    publish(f, change->after ? change->after : change->before, !change->before ? FEED_ADD : !change->after ? FEED_DEL : FEED_SET, revision);
}

void
feed_object(struct feed *f, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &f->pending, hash_u32(number))
        if (CONTAINER_OF(n, struct pending, by_number)->number == number)
            return;
    struct pending *p = mem_zalloc(sizeof *p);
    p->number = number;
    *f->last_pending = p;
    f->last_pending = &p->next;
    map_insert(&f->pending, &p->by_number, hash_u32(number));
    event_active(f->flush, 0, 0);
}

static void
feed_flush(evutil_socket_t fd, short what, void *aux)
{
    struct feed *f = aux;
    struct pending *first = f->first_pending;
    f->first_pending = NULL;
    f->last_pending = &f->first_pending;
    for (struct pending *p = first; p; p = p->next)
        map_remove(&f->pending, &p->by_number);
    for (struct pending *p = first, *next; p; p = next) {
        next = p->next;
        const struct object *o = model_get(f->controller->model, p->number, OBJECT_NONE);
        if (o)
            publish(f, o, FEED_SET, 0);
        free(p);
    }
}

struct feed_reader *
feed_subscribe(struct feed *f, uint64_t after, feed_each *each, void *aux)
{
    struct feed_reader *r = mem_zalloc(sizeof *r);
    *r = (struct feed_reader){ .feed = f, .next = f->readers, .each = each, .aux = aux };
    if (f->readers)
        f->readers->prev = r;
    f->readers = r;
    for (uint64_t id = feed_keeps(f, after) ? after : feed_oldest(f); id < f->last;)
        each(aux, &f->ring[++id % FEED_KEPT]);
    return r;
}

void
feed_unsubscribe(struct feed_reader *r)
{
    if (!r)
        return;
    if (r->prev)
        r->prev->next = r->next;
    else
        r->feed->readers = r->next;
    if (r->next)
        r->next->prev = r->prev;
    free(r);
}

void
feed_free(struct feed *f)
{
    if (!f)
        return;
    for (struct pending *p = f->first_pending, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    while (f->readers)
        feed_unsubscribe(f->readers);
    map_done(&f->pending);
    feed_watches_free(f->watches);
    feed_streams_free(f->streams);
    feed_texts_free(f->texts);
    event_free(f->flush);
    free(f->ring);
    free(f);
}
