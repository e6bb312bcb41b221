#include "agent/answers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/unix_connect.h"
#include "base/alloc.h"
#include "base/bytes.h"
#include "ofproto/session/of_session.h"
#include "vnet/pipeline/feature.h"

#define LOG_MODULE "answers"
#include "base/log.h"

#define AGAIN_MS 500

struct answers {
    struct event_base *base;
    char *folder, *bridge;      /* bridge NULL: not known yet */
    struct of_session *session; /* NULL: not connected */
    struct event *again;
    bool is_answering;
    answers_changed *changed;
    void *aux;
    struct answers_reader reader; /* of the reading in flight */
};

static struct log_limit losses = LOG_LIMIT(5);

static void
set_answering(struct answers *a, bool is_answering)
{
    if (a->is_answering == is_answering)
        return;
    a->is_answering = is_answering;
    log_info("bridge '%s': guests are answered %s", a->bridge, is_answering ? "here" : "no longer here");
    a->changed(a->aux, is_answering);
}

static void
try_again(struct answers *a)
{
    struct timeval tv = { AGAIN_MS / 1000, AGAIN_MS % 1000 * 1000 };
    evtimer_add(a->again, &tv);
}

/* The session takes controller id 1 by itself once this is true. */
static bool
on_identify(void *aux, struct of_session *s, uint64_t dpid, struct error *err)
{
    struct answers *a = aux;
    if (dpid >> 32 != HOST_DPID_BASE >> 32)
        return error_set(err, ERROR_UNKNOWN, "bridge '%s' has not been set up by vnetd yet", a->bridge);
    set_answering(a, true);
    return true;
}

/* What vnetd has to hear itself it is told by another controller id. */
static void
on_packet_in(void *aux, struct of_session *s, const struct packet_in *in)
{
    const struct feature *feature = feature_by_number(cookie_feature(in->cookie));
    struct bytes answer = BYTES_INIT;
    if (in->continuation) {
        for (unsigned i = 0; feature_resume(in, i, &answer); i++, bytes_clear(&answer))
            of_session_resume(s, in, answer.data, answer.n);
    } else if (feature && feature->answer && feature->answer(in, &answer)) {
        of_session_packet_out(s, in->in_port, answer.data, answer.n);
    }
    bytes_done(&answer);
}

static void
on_closed(void *aux, struct of_session *s, const char *reason)
{
    struct answers *a = aux;
    log_warn_limited(&losses, "bridge '%s': %s; trying again", a->bridge, reason);
    a->session = NULL;
    set_answering(a, false);
    try_again(a);
}

static void
on_committed(void *aux, struct of_session *s, uint64_t seq)
{
}

static void
on_refused(void *aux, struct of_session *s, uint64_t cookie, const char *reason)
{
}

static const struct of_session_ops session_ops = {
    .identify = on_identify,
    .committed = on_committed,
    .refused = on_refused,
    .packet_in = on_packet_in,
    .closed = on_closed,
};

static void
on_again(evutil_socket_t fd, short what, void *aux)
{
    struct answers *a = aux;
    struct error err;
    struct endpoint_peer peer = { .kind = ENDPOINT_UNIX };
    if (!a->bridge || a->session)
        return;
    char *file = mem_printf("%s/%s.mgmt", a->folder, a->bridge);
    snprintf(peer.address, sizeof peer.address, "bridge %.40s", a->bridge);
    struct bufferevent *bev = unix_connect(a->base, file, &err);
    free(file);
    if (bev)
        a->session = of_session_new(a->base, bev, &peer, &session_ops, a);
    else
        try_again(a);
}

void
answers_set_bridge(struct answers *a, const char *bridge)
{
    if (a->bridge && !strcmp(a->bridge, bridge))
        return;
    if (a->session)
        of_session_close(a->session, "vnet-bridge names another bridge now");
    free(a->bridge);
    a->bridge = mem_strdup(bridge);
    event_active(a->again, 0, 0);
}

/* ---- reading ---- */

static void
read_flow(void *aux, const struct wire_flow *flow)
{
    const struct answers *a = aux;
    uint32_t ofport;
    struct mac mac;
    if (wire_flow_origin(flow, &ofport, &mac))
        a->reader.each(a->reader.aux, ofport, mac);
}

static void
read_done(void *aux, bool ok)
{
    struct answers *a = aux;
    struct answers_reader ended = a->reader;
    a->reader = (struct answers_reader){ .aux = NULL };
    ended.done(ended.aux, ok);
}

bool
answers_read_admitted(struct answers *a, const struct answers_reader *reader)
{
    const struct of_session_read read = {
        .table = STAGE_ADMIT,
        .cookie = cookie_make(FEATURE_ADMIT, 0, 0),
        .cookie_mask = (uint64_t) 0xff << 56,
        .each_flow = read_flow,
        .done = read_done,
        .aux = a,
    };
    if (!a->session || !a->is_answering || a->reader.done)
        return false;
    a->reader = *reader;
    if (of_session_read(a->session, &read))
        return true;
    a->reader = (struct answers_reader){ .aux = NULL };
    return false;
}

/* ---- lifetime ---- */

static void
ignore(void *aux, bool is_answering)
{
}

struct answers *
answers_new(struct event_base *base, const char *folder, answers_changed *changed, void *aux)
{
    struct answers *a = mem_zalloc(sizeof *a);
    *a = (struct answers){ .base = base, .folder = mem_strdup(folder), .changed = changed, .aux = aux };
    a->again = evtimer_new(base, on_again, a);
    return a;
}

/* The session's end is told from the loop: one turn of it is due here. */
void
answers_free(struct answers *a)
{
    if (!a)
        return;
    a->changed = ignore;
    if (a->session) {
        of_session_close(a->session, "the agent ends");
        event_base_loop(a->base, EVLOOP_NONBLOCK);
    }
    event_free(a->again);
    free(a->folder);
    free(a->bridge);
    free(a);
}
