/* The life of an OpenFlow session: creation, states, clock, end; and the calls of its owner, which only note what is
 * wanted and leave the work to the loop. See of_session.h for the states, of_session_private.h for who does what.
 *
 * Invariants: one function sets the state; after CLOSED nothing is read or sent, and ops->closed() comes exactly once, from
 * the loop, as the last call. */
#define LOG_MODULE "openflow"
#include "ofproto/session/of_session.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"
#include "ofproto/session/of_session_private.h"

#define PROBE_MS 5000
#define ANSWER_MS 30000 /* a reading or a batch without progress */
#define GOODBYE_MS 1000
#define POKE_AGAIN_MS 1000
#define INPUT_MAX_BYTES (512 << 10)
#define SINGLE_IO_BYTES (256 << 10)

int64_t
of_session_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- states ---- */

static const char *
state_name(enum of_state state)
{
    static const char *const names[] = { "HELLO", "FEATURES", "IDENTIFIED", "READING", "CURRENT", "COMMITTING", "CLOSED" };
    return names[state];
}

/* Strangers, and batches that come and go, are not news. */
static bool
is_routine(enum of_state from, enum of_state to)
{
    return from < OF_STATE_IDENTIFIED || (from == OF_STATE_CURRENT && to == OF_STATE_COMMITTING)
           || (from == OF_STATE_COMMITTING && to == OF_STATE_CURRENT);
}

void
of_session_set_state(struct of_session *s, enum of_state state)
{
    log_write(LOG_MODULE, is_routine(s->state, state) ? LOG_LEVEL_DBG : LOG_LEVEL_INFO, "switch %s: %s -> %s%s%s", s->name,
              state_name(s->state), state_name(state), state == OF_STATE_CLOSED ? ": " : "",
              state == OF_STATE_CLOSED ? s->close_reason : "");
    s->state = state;
}

void
of_session_rename(struct of_session *s)
{
    char cn[80] = "";
    if (s->peer.cn[0])
        text_escape(cn, sizeof cn, s->peer.cn);
    if (s->state == OF_STATE_HELLO)
        snprintf(s->name, sizeof s->name, "%s%s%s", cn, cn[0] ? " at " : "", s->peer.address);
    else
        snprintf(s->name, sizeof s->name, "%016" PRIx64 " (%s%s%s)", s->dpid, cn, cn[0] ? " at " : "", s->peer.address);
}

/* ---- the end ---- */

static void
session_free(struct of_session *s)
{
    bufferevent_free(s->bev);
    event_free(s->tick);
    event_free(s->work);
    event_free(s->close);
    event_free(s->retry.timer);
    free(s->close_reason);
    free(s);
}

static void
on_close(evutil_socket_t fd, short what, void *aux)
{
    struct of_session *s = aux;
    of_commit_stop(s);
    of_reader_stop(s);
    s->ops->closed(s->aux, s, s->close_reason);
    session_free(s);
}

static void
schedule(struct event *e, int64_t ms)
{
    event_add(e, &(struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 });
}

static void
session_end(struct of_session *s, char *take_reason)
{
    s->close_reason = take_reason;
    of_session_set_state(s, OF_STATE_CLOSED);
    event_del(s->tick);
    event_del(s->work);
    event_del(s->retry.timer);
    bufferevent_disable(s->bev, EV_READ);
    if (!s->is_saying_goodbye)
        bufferevent_setcb(s->bev, NULL, NULL, NULL, NULL);
    schedule(s->close, s->is_saying_goodbye ? GOODBYE_MS : 0);
}

void
of_session_fail(struct of_session *s, const char *format, ...)
{
    if (s->state == OF_STATE_CLOSED)
        return;
    char reason[512];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    session_end(s, mem_strdup(reason));
}

void
of_session_fail_after_goodbye(struct of_session *s, const char *reason)
{
    s->is_saying_goodbye = evbuffer_get_length(bufferevent_get_output(s->bev)) > 0;
    of_session_fail(s, "%s", reason);
}

void
of_session_close(struct of_session *s, const char *reason)
{
    of_session_fail(s, "%s", reason);
}

/* ---- the connection ---- */

static void
on_read(struct bufferevent *bev, void *aux)
{
    struct of_session *s = aux;
    liveness_received(&s->liveness, of_session_now_ms());
    s->poked_ms = 0;
    if (s->state >= OF_STATE_IDENTIFIED && s->ops->heard)
        s->ops->heard(s->aux, s);
    of_framing_run(s);
}

/* Called when the output has drained; of interest only for the last words. */
static void
on_write(struct bufferevent *bev, void *aux)
{
    struct of_session *s = aux;
    if (s->is_saying_goodbye)
        schedule(s->close, 0);
}

static void
on_event(struct bufferevent *bev, short what, void *aux)
{
    struct of_session *s = aux;
    if (s->state == OF_STATE_CLOSED)
        schedule(s->close, 0);
    else if (what & BEV_EVENT_EOF)
        of_session_fail(s, "the switch closed the connection");
    else if (what & BEV_EVENT_ERROR)
        of_session_fail(s, "the connection broke: %s", evutil_socket_error_to_string(EVUTIL_SOCKET_ERROR()));
}

/* ---- the clock ---- */

static void
probe(struct of_session *s)
{
    struct bytes b = BYTES_INIT;
    of_message_empty(&b, OF_ECHO_REQUEST, of_session_xids(s, 1));
    of_session_send(s, &b);
}

static void
check_progress(struct of_session *s, int64_t now)
{
    if (s->reader.step != OF_READER_IDLE && now - s->reader.heard_ms > ANSWER_MS)
        of_session_fail(s, "the switch does not answer a request to report its flows");
    else if (s->commit.step != OF_COMMIT_IDLE && now - s->commit.sent_ms > ANSWER_MS)
        of_session_fail(s, "the switch does not answer a bundle");
    else if (s->state < OF_STATE_IDENTIFIED && now - s->started_ms >= LIMIT_HANDSHAKE_MS)
        of_session_fail(s, "the peer did not finish the OpenFlow handshake in time");
}

static void
schedule_tick(struct of_session *s, int64_t now)
{
    int64_t next = liveness_next_ms(&s->liveness);
    if (s->state < OF_STATE_IDENTIFIED && next > s->started_ms + LIMIT_HANDSHAKE_MS)
        next = s->started_ms + LIMIT_HANDSHAKE_MS;
    schedule(s->tick, next > now ? next - now : 1);
}

/* Bytes that have come but were not looked at yet, since we were busy, are a sign of life too. */
static void
on_tick(evutil_socket_t fd, short what, void *aux)
{
    struct of_session *s = aux;
    int64_t now = of_session_now_ms();

    if (evbuffer_get_length(bufferevent_get_input(s->bev)) > s->input_seen)
        liveness_received(&s->liveness, now);
    check_progress(s, now);
    if (s->state == OF_STATE_CLOSED)
        return;
    switch (liveness_run(&s->liveness, now)) {
    case LIVENESS_CLOSE: of_session_fail(s, "the switch has been silent for %d seconds", 2 * PROBE_MS / 1000); return;
    case LIVENESS_SEND_PROBE: probe(s); break;
    case LIVENESS_NOTHING: break;
    }
    schedule_tick(s, now);
}

static void
on_work(evutil_socket_t fd, short what, void *aux)
{
    struct of_session *s = aux;
    if (s->state == OF_STATE_IDENTIFIED && s->table)
        of_reader_reconcile(s);
    of_framing_run(s);
    of_commit_run(s);
}

void
of_session_continue(struct of_session *s)
{
    if (s->state != OF_STATE_CLOSED && !evtimer_pending(s->work, NULL))
        schedule(s->work, 0);
}

/* ---- the owner's calls ---- */

struct of_session *
of_session_new(struct event_base *base, struct bufferevent *bev, const struct endpoint_peer *peer, const struct of_session_ops *ops,
               void *aux)
{
    struct of_session *s = mem_zalloc(sizeof *s);
    int64_t now = of_session_now_ms();
    uint64_t seed;

    s->base = base;
    s->bev = bev;
    s->peer = *peer;
    s->ops = ops;
    s->aux = aux;
    s->controller_id = 1;
    s->next_xid = 1;
    s->started_ms = now;
    evutil_secure_rng_get_bytes(&seed, sizeof seed);
    packet_in_limit_init(&s->packet_ins, seed, now);
    s->log = (struct log_limit) LOG_LIMIT(10);
    s->tick = evtimer_new(base, on_tick, s);
    s->work = evtimer_new(base, on_work, s);
    s->close = evtimer_new(base, on_close, s);
    of_retry_init(s);
    of_session_rename(s);
    liveness_init(&s->liveness, PROBE_MS, now);
    schedule_tick(s, now);

    bufferevent_setcb(bev, on_read, on_write, on_event, s);
    bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX_BYTES);
    bufferevent_set_max_single_read(bev, SINGLE_IO_BYTES);
    bufferevent_set_max_single_write(bev, SINGLE_IO_BYTES);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    of_handshake_start(s);
    return s;
}

void *
of_session_aux(const struct of_session *s)
{
    return s->aux;
}

void
of_session_set_aux(struct of_session *s, void *aux)
{
    s->aux = aux;
}

const struct endpoint_peer *
of_session_peer(const struct of_session *s)
{
    return &s->peer;
}

uint64_t
of_session_dpid(const struct of_session *s)
{
    return s->dpid;
}

const char *
of_session_state_name(const struct of_session *s)
{
    return state_name(s->state);
}

const struct of_session_counters *
of_session_counters(const struct of_session *s)
{
    return &s->counters;
}

void
of_session_reconcile(struct of_session *s, struct flow_table *table, uint64_t seq)
{
    s->table = table;
    s->seq = seq;
    of_session_continue(s);
}

void
of_session_flush(struct of_session *s, uint64_t seq)
{
    if (seq > s->seq)
        s->seq = seq;
    if (s->state == OF_STATE_CURRENT)
        event_active(s->work, 0, 0);
}

void
of_session_push(struct of_session *s)
{
    of_session_continue(s);
}

bool
of_session_read(struct of_session *s, const struct of_session_read *read)
{
    if (!of_reader_push(s, read, OF_READER_QUEUE))
        return false;
    of_reader_run(s);
    return true;
}

void
of_session_poke(struct of_session *s)
{
    int64_t now = of_session_now_ms();
    if ((s->poked_ms && now - s->poked_ms < POKE_AGAIN_MS) || s->state < OF_STATE_IDENTIFIED || s->state == OF_STATE_CLOSED)
        return;
    s->poked_ms = now;
    probe(s);
}

void
of_session_set_generation(struct of_session *s, uint64_t generation)
{
    s->generation = generation;
}

void
of_session_set_controller_id(struct of_session *s, uint16_t id)
{
    s->controller_id = id;
    if (s->is_configured && s->state != OF_STATE_CLOSED)
        of_handshake_send_controller_id(s);
}
