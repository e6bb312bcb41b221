#include "agent/instructions.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define LOG_MODULE "vnetd"
#include "base/log.h"

#define WAIT_FIRST_MS 100
#define WAIT_MAX_MS 2000
#define BEAT_MAX_MS 60000

static struct log_limit losses = LOG_LIMIT(10);

struct instructions {
    struct api_client *client;
    struct api_call *stream; /* NULL: waiting to open it again */
    const struct instructions_ops *ops;
    void *aux;
    char *path;
    int64_t wait_ms, beat_ms; /* 0: it does not say that it beats */
    struct event *again, *silence;
};

static void
start_timer(struct event *timer, int64_t ms)
{
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    evtimer_add(timer, &tv);
}

static void
await_beat(struct instructions *in)
{
    if (in->beat_ms)
        start_timer(in->silence, in->beat_ms * INSTRUCTIONS_BEATS_MISSED);
    else
        evtimer_del(in->silence);
}

static void
take_hello(struct instructions *in, const char *data)
{
    struct error unused;
    json_t *hello = json_parse(data, strlen(data), "hello", &unused);
    int64_t beat_ms = json_member_int(hello, "beat_ms", 0);
    json_decref(hello);
    in->beat_ms = beat_ms > 0 && beat_ms <= BEAT_MAX_MS ? beat_ms : 0;
    in->wait_ms = WAIT_FIRST_MS;
    in->ops->up(in->aux);
}

static void
on_event(void *aux, const char *name, const char *data)
{
    struct instructions *in = aux;
    bool is_hello = !strcmp(name, "hello");
    if (is_hello)
        take_hello(in, data);
    await_beat(in);
    if (!is_hello && strcmp(name, "beat") != 0)
        in->ops->told(in->aux, name, data);
}

static void
on_end(void *aux, const struct error *err)
{
    struct instructions *in = aux;
    log_warn_limited(&losses, "%s; trying again", err->text);
    in->stream = NULL;
    in->beat_ms = 0;
    evtimer_del(in->silence);
    in->ops->down(in->aux);
    start_timer(in->again, in->wait_ms);
    in->wait_ms = in->wait_ms * 2 < WAIT_MAX_MS ? in->wait_ms * 2 : WAIT_MAX_MS;
}

static const struct api_stream_ops stream_ops = { on_event, on_end };

static void
on_again(evutil_socket_t fd, short what, void *aux)
{
    struct instructions *in = aux;
    in->stream = api_client_stream(in->client, in->path, &stream_ops, in);
    start_timer(in->silence, INSTRUCTIONS_HELLO_MS);
}

static void
on_silence(evutil_socket_t fd, short what, void *aux)
{
    struct instructions *in = aux;
    if (in->stream)
        api_call_give_up(in->stream, "vnetd is silent");
}

struct instructions *
instructions_new(struct event_base *base, struct api_client *client, const struct instructions_ops *ops, void *aux)
{
    struct instructions *in = mem_zalloc(sizeof *in);
    *in = (struct instructions){ .client = client, .ops = ops, .aux = aux, .wait_ms = WAIT_FIRST_MS };
    in->again = evtimer_new(base, on_again, in);
    in->silence = evtimer_new(base, on_silence, in);
    return in;
}

void
instructions_free(struct instructions *in)
{
    if (!in)
        return;
    if (in->stream)
        api_call_give_up(in->stream, "the agent ends");
    event_free(in->again);
    event_free(in->silence);
    free(in->path);
    free(in);
}

void
instructions_set_path(struct instructions *in, const char *path)
{
    bool is_first = !in->path;
    free(in->path);
    in->path = mem_strdup(path);
    if (is_first)
        start_timer(in->again, 0);
}
