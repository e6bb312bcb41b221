/* A whole OpenFlow session fed with a switch's bytes, a message at a time. An xid of 0xff0000TT stands for that of the last message of type
 * TT that the session sent, so that answers stay answers whatever else changes. The first byte chooses how the owner behaves. */
#include "tests/fuzz/fuzz.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <openvswitch/vlog.h>

#include "base/log.h"
#include "ofproto/flow/flow_builder.h"
#include "ofproto/session/of_session.h"
#include "tests/fuzz/flow_wishes.h"

#define TURNS 4 /* of the loop: pair, session, work, pair */
#define END_TURNS 1000
#define TYPES 64
#define HEADER_BYTES 8
#define XID_LAST 0xff000000u

enum { REFUSES = 1, WAITS = 2, READS = 4, CHANGES = 8, ANSWERS = 16, IS_GONE = 32 };

struct owner {
    struct event_base *base;
    struct bufferevent *peer; /* the switch's end */
    struct of_session *session;
    struct flow_table *table;
    struct arena *arena;
    uint32_t last_xid[TYPES];
    uint8_t choice;
    unsigned n_reads, n_committed;
    uint64_t seq;
};

static void
on_flow_read(void *aux, const struct wire_flow *wf)
{
    FUZZ_CLAIM(((struct owner *) aux)->n_reads && wf->key);
}

static void
on_spec_read(void *aux, const struct spec *s)
{
    FUZZ_CLAIM(((struct owner *) aux)->n_reads && s->kind != SPEC_FLOW);
}

static void
on_read_done(void *aux, bool ok)
{
    struct owner *o = aux;
    FUZZ_CLAIM(o->n_reads);
    o->n_reads--;
}

static void
read_all(struct owner *o)
{
    o->n_reads += of_session_read(o->session, &(struct of_session_read){ .table = 0xff,
                                                                         .want_groups_and_meters = true,
                                                                         .each_flow = on_flow_read,
                                                                         .each_spec = on_spec_read,
                                                                         .done = on_read_done,
                                                                         .aux = o });
}

static bool
on_identify(void *aux, struct of_session *s, uint64_t dpid, struct error *err)
{
    struct owner *o = aux;
    FUZZ_CLAIM(of_session_dpid(s) == dpid);
    if (o->choice & REFUSES)
        return error_set(err, ERROR_UNKNOWN, "no host has this switch");
    if (o->choice & READS)
        read_all(o);
    if (!(o->choice & WAITS))
        of_session_reconcile(s, o->table, ++o->seq);
    return true;
}

/* Takes a block away and gives another, so that there is something to delete too. */
static void
change(struct owner *o)
{
    struct error err;
    bool ok = flow_table_set_block(o->table, FLOW_WISH_COOKIE(1), NULL, 0, &err)
              && flow_table_set_block(o->table, FLOW_WISH_COOKIE(3), NULL, 0, &err);
    FUZZ_CLAIM(ok);
    of_session_flush(o->session, ++o->seq);
    of_session_flush_ct(o->session, &(struct of_ct_match){ .has_zone = true, .zone = 5, .mark = 1, .mark_mask = 1 });
}

static void
on_committed(void *aux, struct of_session *s, uint64_t seq)
{
    struct owner *o = aux;
    FUZZ_CLAIM(seq <= o->seq);
    if (!o->n_committed++ && o->choice & CHANGES)
        change(o);
}

static void
on_refused(void *aux, struct of_session *s, uint64_t cookie, const char *reason)
{
    FUZZ_CLAIM(*reason);
}

static void
on_packet_in(void *aux, struct of_session *s, const struct packet_in *in)
{
    struct owner *o = aux;
    FUZZ_CLAIM(in->packet);
    if (o->choice & ANSWERS)
        of_session_packet_out(s, in->in_port, in->packet, in->packet_len < 1500 ? in->packet_len : 1500);
}

static void
on_flow_removed(void *aux, struct of_session *s, const struct wire_flow *flow)
{
    const uint8_t *key = flow->key;
    for (size_t i = 0; i < flow->key_len; i++)
        FUZZ_CLAIM(key[i] <= 0xff); /* it is there */
    FUZZ_CLAIM(!flow->body_len);
}

static void
on_closed(void *aux, struct of_session *s, const char *reason)
{
    struct owner *o = aux;
    FUZZ_CLAIM(s == o->session && !o->n_reads);
    o->session = NULL;
}

static const struct of_session_ops ops = { .identify = on_identify,
                                           .committed = on_committed,
                                           .refused = on_refused,
                                           .packet_in = on_packet_in,
                                           .flow_removed = on_flow_removed,
                                           .closed = on_closed };

/* The switch's side only notes xids. */
static void
on_peer_read(struct bufferevent *bev, void *aux)
{
    struct owner *o = aux;
    struct evbuffer *input = bufferevent_get_input(bev);
    uint8_t h[HEADER_BYTES];
    while (evbuffer_copyout(input, h, sizeof h) == sizeof h) {
        size_t n = (size_t) h[2] << 8 | h[3];
        FUZZ_CLAIM(n >= HEADER_BYTES);
        if (evbuffer_get_length(input) < n)
            break;
        o->last_xid[h[1] % TYPES] = (uint32_t) h[4] << 24 | (uint32_t) h[5] << 16 | (uint32_t) h[6] << 8 | h[7];
        evbuffer_drain(input, n);
    }
}

static void
turn(struct owner *o, int n)
{
    while (n--)
        event_base_loop(o->base, EVLOOP_NONBLOCK);
}

static void
start(struct owner *o)
{
    struct bufferevent *pair[2];
    struct endpoint_peer peer = { .kind = ENDPOINT_TCP, .address = "192.0.2.11:40000" };
    o->base = event_base_new();
    FUZZ_CLAIM(!bufferevent_pair_new(o->base, BEV_OPT_CLOSE_ON_FREE, pair));
    o->peer = pair[0];
    bufferevent_setcb(o->peer, on_peer_read, NULL, NULL, o);
    bufferevent_enable(o->peer, EV_READ | EV_WRITE);
    o->arena = arena_new();
    o->table = flow_table_new();
    flow_wishes_set(o->table, o->arena);
    o->session = of_session_new(o->base, pair[1], &peer, &ops, o);
    turn(o, TURNS);
}

static void
stop(struct owner *o)
{
    if (o->session && o->choice & WAITS)
        of_session_reconcile(o->session, o->table, ++o->seq);
    if (o->choice & IS_GONE)
        bufferevent_flush(o->peer, EV_WRITE, BEV_FINISHED);
    turn(o, TURNS);
    if (o->session)
        of_session_close(o->session, "the input is over");
    for (int i = 0; o->session && i < END_TURNS; i++)
        turn(o, 1);
    bufferevent_free(o->peer);
    turn(o, TURNS);
    FUZZ_CLAIM(!o->session);
    event_base_free(o->base);
    flow_table_free(o->table);
    arena_free(o->arena);
}

/* One message, or what is left of the input. */
static size_t
message_feed(struct owner *o, const uint8_t *data, size_t n)
{
    uint8_t h[HEADER_BYTES];
    if (n < sizeof h) {
        bufferevent_write(o->peer, data, n);
        return n;
    }
    memcpy(h, data, sizeof h);
    size_t length = (size_t) h[2] << 8 | h[3];
    if (length < sizeof h || length > n)
        length = n;
    if (h[4] == XID_LAST >> 24) {
        uint32_t xid = o->last_xid[h[7] % TYPES];
        memcpy(h + 4, (uint8_t[]){ xid >> 24, xid >> 16, xid >> 8, xid }, 4);
    }
    bufferevent_write(o->peer, h, sizeof h);
    bufferevent_write(o->peer, data + sizeof h, length - sizeof h);
    return length;
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    log_init("fuzz");
    log_console(false);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct owner o = { .choice = fuzz_take_byte(&data, &n) };
    start(&o);
    while (n && o.session) {
        size_t used = message_feed(&o, data, n);
        data += used;
        n -= used;
        turn(&o, TURNS);
    }
    stop(&o);
    return 0;
}
