/* Event streams (server-sent events, WHATWG HTML 9.2). */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "vnet/model/model_json.h"

struct stream {
    struct call *call;
    struct feed_reader *reader;
    struct event *end; /* ends the stream from the loop, not from inside a callback */
};

static void
stream_end(evutil_socket_t fd, short what, void *aux)
{
    struct stream *s = aux;
    feed_unsubscribe(s->reader);
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

static void
stream_each(void *aux, const struct feed_event *e)
{
    struct stream *s = aux;
    if (!object_class(e->type)->is_public && !call_may_see_tenant(s->call, e->type == OBJECT_TENANT ? e->number : e->tenant))
        return;
    json_t *json = feed_event_json(s->call->controller->feed, e, call_may_see_hosts(s->call));
    char *data = json_text(json);
    char *text = mem_printf("id: %llu\nevent: change\ndata: %s\n\n", (unsigned long long) e->id, data);
    if (!call_stream_write(s->call, text))
        event_active(s->end, 0, 0);
    free(text);
    free(data);
    json_decref(json);
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
    /* Something is missing between what the client has seen and what comes now: it has to look at everything again. */
    bool has_gap = !feed_keeps(feed, after);
    if (!call_stream_write(call, has_gap ? "event: reset\ndata: {}\n\n" : ": vnet\n\n")) {
        event_active(s->end, 0, 0);
        return;
    }
    s->reader = feed_subscribe(call->controller->feed, after, stream_each, s);
}
