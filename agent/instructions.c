#include "agent/instructions.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/heap.h"

#define LOG_MODULE "vnetd"
#include "base/log.h"

#define WAIT_FIRST_MS 100
#define WAIT_MAX_MS 2000
#define BEAT_MAX_MS 60000
#define ANSWER_MS 10000

static struct log_limit losses = LOG_LIMIT(10);

struct instructions {
    struct api_client *client;
    struct api_call *stream; /* NULL: waiting to open it again */
    const struct instructions_ops *ops;
    void *aux;
    char *path, *beat_path;
    bool is_answering;        /* a beat, and vnetd has not taken it yet */
    int64_t wait_ms, beat_ms; /* 0: it does not say that it beats */
    struct event *again, *silence, *answer;
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

/* A vnetd of an older version does not know what this is. */
static void
on_answered(void *aux, const json_t *body, const struct error *err)
{
    ((struct instructions *) aux)->is_answering = false;
    if (err)
        log_dbg("the answer to a beat was not taken: %s", err->text);
}

/* Not from within the stream's callback, where libcurl begins nothing. */
static void
on_answer(evutil_socket_t fd, short what, void *aux)
{
    struct instructions *in = aux;
    if (in->is_answering)
        return;
    in->is_answering = true;
    json_t *body = json_pack("{s:I}", "heap_bytes", (json_int_t) heap_in_use());
    api_client_call(in->client, in->beat_path, body, ANSWER_MS, on_answered, in);
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
    if (is_hello || !strcmp(name, "beat"))
        event_active(in->answer, 0, 0);
    else
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
    in->answer = event_new(base, -1, 0, on_answer, in);
    return in;
}

void
instructions_free(struct instructions *in)
{
    if (!in)
        return;
    event_free(in->again);
    event_free(in->silence);
    event_free(in->answer);
    free(in->path);
    free(in->beat_path);
    free(in);
}

void
instructions_set_host(struct instructions *in, const char *name)
{
    bool is_first = !in->path;
    free(in->path);
    free(in->beat_path);
    in->path = mem_printf("/v1/agent/instructions?host=%s&beats=true", name);
    in->beat_path = mem_printf("/v1/agent/beat?host=%s", name);
    if (is_first)
        start_timer(in->again, 0);
}
