/* Event streams (server-sent events, WHATWG HTML 9.2). Each client is told at the pace at which it reads. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/feed_stream.h"
#include "controller/feed_text.h"

struct stream {
    struct call *call;
    struct feed_stream *feed;
    struct event *end; /* ends the stream from the loop, not from inside a callback */
};

static void
stream_end(evutil_socket_t fd, short what, void *aux)
{
    struct stream *s = aux;
    feed_stream_free(s->feed);
    call_stream_end(s->call, true);
    event_free(s->end);
    free(s);
}

static void
stream_gone(void *aux)
{
    struct stream *s = aux;
    event_active(s->end, 0, 0);
}

static bool
may_see(const struct call *call, const struct feed_event *e)
{
    return object_class(e->type)->is_public || call_may_see_tenant(call, e->type == OBJECT_TENANT ? e->number : e->tenant);
}

/* What the client is told in this turn. */
static void
gather(struct stream *s, struct bytes *text)
{
    static const char reset[] = "event: reset\ndata: {}\n\n";
    bool names_hosts = call_may_see_hosts(s->call), has_gap, more = true;
    for (int i = 0; more && i < FEED_STREAM_TAKE; i++) {
        size_t n;
        const struct feed_event *e = feed_stream_take(s->feed, &has_gap);
        if (has_gap)
            bytes_put(text, reset, sizeof reset - 1);
        if (e && may_see(s->call, e)) {
            const char *event = feed_text(s->call->controller->feed, e, names_hosts, &n);
            bytes_put(text, event, n);
        }
        more = e && text->n < CALL_STREAM_BYTES;
    }
}

static bool
stream_serve(void *aux, struct feed_stream *feed)
{
    struct stream *s = aux;
    struct bytes text = BYTES_INIT;
    if (!s->call->connection)
        return false;
    gather(s, &text);
    if (text.n)
        call_stream_put(s->call, text.data, text.n);
    bytes_done(&text);
    return call_stream_has_room(s->call);
}

static void
stream_drained(void *aux)
{
    struct stream *s = aux;
    feed_stream_resume(s->feed);
}

/* Where the stream begins: what the client says it has seen last, or now. */
static bool
read_after(const struct call *call, uint64_t *after, struct error *err)
{
    const char *query = call_query(call, "after"), *header = call_header(call, "Last-Event-ID");
    const char *text = query ? query : header;
    if (!text) {
        *after = feed_last(call->controller->feed);
        return true;
    }
    char *end;
    *after = strtoull(text, &end, 10);
    return (*text >= '0' && *text <= '9' && !*end && strlen(text) < 20)
           || error_set(err, ERROR_INVALID, "after='%.60s': must be the id of an event", text);
}

void
api_events(struct call *call)
{
    struct error err;
    uint64_t after;
    const struct feed *feed = call->controller->feed;
    if (!read_after(call, &after, &err)) {
        call_error(call, &err, -1);
        return;
    }
    struct stream *s = mem_zalloc(sizeof *s);
    s->call = call;
    s->end = event_new(call->controller->base, -1, 0, stream_end, s);
    call->gone = stream_gone;
    call->aux = s;
    call_stream_begin(call, "text/event-stream");
    call->drained = stream_drained;
    if (feed_keeps(feed, after))
        call_stream_put(call, ": vnet\n\n", strlen(": vnet\n\n"));
    s->feed = feed_stream_new(call->controller->feed, after, stream_serve, s);
}
