/* A whole OVSDB session fed with a host's bytes, a line at a time. Ids of its requests count from 1, of transactions from 17. The first byte
 * chooses how the owner behaves. */
#include "tests/fuzz/fuzz.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "base/log.h"
#include "ofproto/ovsdb/ovsdb_session.h"

#define TURNS 6 /* of the loop: pair, session, wish, pair, answer */
#define END_TURNS 1000

struct owner {
    struct event_base *base;
    struct bufferevent *host; /* the other end */
    struct ovsdb_session *session;
    uint8_t choice;
    bool has_facts;
};

enum { REFUSES = 1, CLOSES = 2, WISHES_MUCH = 4, WISHES_LATE = 8, IS_GONE = 16, WATCHES = 32, ASKS = 64 };

static void
want(struct owner *o)
{
    struct ovsdb_wanted w = { .dpid = 0xab,
                              .controllers = { "tcp:192.0.2.100:6653" },
                              .geneve = true,
                              .vxlan = o->choice & WISHES_MUCH,
                              .n_peers = !!(o->choice & WISHES_MUCH),
                              .bfd_ms = 100,
                              .peers = &(struct ovsdb_peer){ .ip = ip4(0xc000020c), .number = 0x12 } };
    ovsdb_session_want(o->session, &w);
}

/* What vnetd and an agent ask for besides. */
static void
ask(struct owner *o)
{
    FUZZ_CLAIM(ovsdb_session_aux(o->session) == o && ovsdb_session_peer(o->session)->kind == ENDPOINT_TCP);
    ovsdb_session_request_ofport(o->session, "tap0", "x", 7);
    ovsdb_session_ofport_is_taken(o->session, 7);
    ovsdb_session_remove_port(o->session, "x");
    ovsdb_session_set_zone(o->session, 5, 8);
    ovsdb_session_set_zone(o->session, 9, 0);
}

static bool
on_facts(void *aux, struct ovsdb_session *s, const struct ovsdb_facts *facts, struct error *err)
{
    struct owner *o = aux;
    FUZZ_CLAIM(s == o->session);
    if (o->choice & REFUSES)
        return error_set(err, ERROR_CONFLICT, "this host is not ours");
    o->has_facts = true;
    if (o->choice & WATCHES)
        ovsdb_session_watch(s);
    else if (!*facts->error && !(o->choice & WISHES_LATE))
        want(o);
    return true;
}

static void
on_interfaces(void *aux, struct ovsdb_session *s, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone,
              size_t n_gone, bool is_first)
{
    struct owner *o = aux;
    FUZZ_CLAIM(o->has_facts);
    for (size_t i = 0; i < n_changed; i++)
        FUZZ_CLAIM(*changed[i].iface_id);
    for (size_t i = 0; i < n_gone; i++)
        FUZZ_CLAIM(*gone[i]);
    if (o->choice & ASKS)
        ask(o);
    if (o->choice & CLOSES)
        ovsdb_session_close(s, "the owner has had enough");
}

static void
on_ports(void *aux, struct ovsdb_session *s, const struct ovsdb_ports *ports)
{
    FUZZ_CLAIM(((struct owner *) aux)->has_facts);
}

static void
on_uplinks(void *aux, struct ovsdb_session *s, const struct ovsdb_uplink_state *states)
{
    FUZZ_CLAIM(((struct owner *) aux)->has_facts);
    for (size_t i = 0; i < OVSDB_UPLINKS_MAX; i++) {
        FUZZ_CLAIM(!states[i].is_down || *states[i].cards);
        FUZZ_CLAIM(strlen(states[i].cards) < sizeof states[i].cards);
    }
}

static void
on_peer(void *aux, struct ovsdb_session *s, uint32_t number, enum ovsdb_peer_state state)
{
    FUZZ_CLAIM(((struct owner *) aux)->has_facts && number == 0x12);
}

static void
on_zones(void *aux, struct ovsdb_session *s, const struct ovsdb_zone *zones, size_t n)
{
    for (size_t i = 0; i < n; i++)
        FUZZ_CLAIM(zones[i].zone && zones[i].number && (!i || zones[i].number > zones[i - 1].number));
}

static void
on_configured(void *aux, struct ovsdb_session *s, bool ok, const char *reason)
{
    FUZZ_CLAIM(((struct owner *) aux)->has_facts && ok == !*reason);
}

static void
on_closed(void *aux, struct ovsdb_session *s, const char *reason)
{
    struct owner *o = aux;
    FUZZ_CLAIM(s == o->session && *reason);
    o->session = NULL;
}

static const struct ovsdb_session_ops ops = {
    .facts = on_facts,
    .interfaces = on_interfaces,
    .ports = on_ports,
    .uplinks = on_uplinks,
    .peer = on_peer,
    .zones = on_zones,
    .configured = on_configured,
    .closed = on_closed,
};

static void
on_host_read(struct bufferevent *bev, void *aux)
{
    struct evbuffer *input = bufferevent_get_input(bev);
    evbuffer_drain(input, evbuffer_get_length(input));
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
    struct endpoint_peer peer = { .kind = ENDPOINT_TCP, .address = "192.0.2.11:40000", .ip = "192.0.2.11", .local_ip = "192.0.2.100" };
    o->base = event_base_new();
    FUZZ_CLAIM(!bufferevent_pair_new(o->base, BEV_OPT_CLOSE_ON_FREE, pair));
    o->host = pair[0];
    bufferevent_setcb(o->host, on_host_read, NULL, NULL, o);
    bufferevent_enable(o->host, EV_READ | EV_WRITE);
    o->session = ovsdb_session_new(o->base, pair[1], &peer, &ops, o);
    turn(o, TURNS);
}

static void
stop(struct owner *o)
{
    if (o->choice & IS_GONE) {
        bufferevent_flush(o->host, EV_WRITE, BEV_FINISHED);
        turn(o, TURNS);
    }
    if (o->session)
        ovsdb_session_close(o->session, "the input is over");
    for (int i = 0; o->session && i < END_TURNS; i++)
        turn(o, 1);
    FUZZ_CLAIM(!o->session);
    bufferevent_free(o->host);
    turn(o, TURNS);
    event_base_free(o->base);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
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
        const uint8_t *newline = memchr(data, '\n', n);
        size_t length = newline ? (size_t) (newline - data) + 1 : n;
        bufferevent_write(o.host, data, length);
        turn(&o, TURNS);
        if (o.choice & WISHES_LATE && o.has_facts && o.session)
            want(&o);
        data += length;
        n -= length;
    }
    stop(&o);
    return 0;
}
