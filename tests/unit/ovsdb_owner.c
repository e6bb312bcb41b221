/* See ovsdb_owner.h. */
#include "tests/unit/ovsdb_owner.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t
ovsdb_owner_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static void
maybe_close(struct ovsdb_owner *o)
{
    if (!o->closes_when_told)
        return;
    o->closes_when_told = false;
    ovsdb_session_close(o->session, "the owner has had enough");
}

static bool
owner_facts(void *aux, struct ovsdb_session *s, const struct ovsdb_facts *facts, struct error *err)
{
    struct ovsdb_owner *o = aux;
    assert_ptr_equal(s, o->session);
    assert_int_equal(o->n_closed, 0);
    o->n_facts++;
    o->facts = *facts;
    if (o->refusal)
        return error_set(err, ERROR_CONFLICT, "%s", o->refusal);
    if (!*facts->error && o->wanted)
        ovsdb_session_want(s, o->wanted);
    if (o->watches)
        ovsdb_session_watch(s);
    maybe_close(o);
    return true;
}

static int
interface_slot(struct ovsdb_owner *o, const char *id)
{
    for (int i = 0; i < OWNER_INTERFACES_MAX; i++)
        if (!strcmp(o->interfaces[i].id, id))
            return i;
    return -1;
}

static void
owner_interfaces(void *aux, struct ovsdb_session *s, const struct ovsdb_interface *changed, size_t n_changed, const char *const *gone,
                 size_t n_gone, bool is_first)
{
    struct ovsdb_owner *o = aux;
    assert_int_equal(o->n_closed, 0);
    assert_true(o->n_facts > 0);
    assert_true(is_first == !o->n_interfaces++);
    o->n_firsts += is_first;
    o->n_changed += n_changed;
    for (size_t i = 0; i < n_changed; i++) {
        int slot = interface_slot(o, changed[i].iface_id);
        if (slot < 0)
            slot = interface_slot(o, "");
        if (slot < 0)
            continue;
        snprintf(o->interfaces[slot].id, sizeof o->interfaces[slot].id, "%s", changed[i].iface_id);
        snprintf(o->interfaces[slot].name, sizeof o->interfaces[slot].name, "%s", changed[i].name);
        snprintf(o->interfaces[slot].error, sizeof o->interfaces[slot].error, "%s", changed[i].error ?: "");
        o->interfaces[slot].ofport = changed[i].ofport;
    }
    for (size_t i = 0; i < n_gone; i++) {
        int slot = interface_slot(o, gone[i]);
        if (slot >= 0)
            o->interfaces[slot].id[0] = '\0';
    }
    maybe_close(o);
}

static void
owner_ports(void *aux, struct ovsdb_session *s, const struct ovsdb_ports *ports)
{
    struct ovsdb_owner *o = aux;
    assert_int_equal(o->n_closed, 0);
    o->n_ports++;
    o->ports = *ports;
    maybe_close(o);
}

static void
owner_uplinks(void *aux, struct ovsdb_session *s, const struct ovsdb_uplink_state *states)
{
    struct ovsdb_owner *o = aux;
    assert_int_equal(o->n_closed, 0);
    assert_true(o->n_uplinks_told++ || !o->n_ports);
    memcpy(o->uplinks, states, o->facts.n_uplinks * sizeof *states);
    maybe_close(o);
}

static void
owner_peer(void *aux, struct ovsdb_session *s, uint32_t number, enum ovsdb_peer_state state)
{
    struct ovsdb_owner *o = aux;
    unsigned i = 0;
    assert_int_equal(o->n_closed, 0);
    while (i < o->n_peers && o->peers[i].number != number)
        i++;
    assert_in_range(i, 0, 7);
    assert_true(state != ovsdb_owner_peer(o, number)); /* else nothing has changed */
    o->peers[i].number = number;
    o->peers[i].state = state;
    o->n_peers += i == o->n_peers;
    maybe_close(o);
}

static void
owner_zones(void *aux, struct ovsdb_session *s, const struct ovsdb_zone *zones, size_t n)
{
    struct ovsdb_owner *o = aux;
    assert_int_equal(o->n_closed, 0);
    assert_true(o->n_zones_told++ || !o->n_ports);
    assert_in_range(n, 0, OWNER_ZONES_MAX);
    o->n_zones = n;
    for (size_t i = 0; i < n; i++)
        o->zones[i] = zones[i];
    maybe_close(o);
}

static void
owner_configured(void *aux, struct ovsdb_session *s, bool ok, const char *reason)
{
    struct ovsdb_owner *o = aux;
    assert_int_equal(o->n_closed, 0);
    o->n_configured++;
    o->is_configured = ok;
    assert_true(ok == !*reason);
    snprintf(o->reason, sizeof o->reason, "%s", reason);
    maybe_close(o);
}

static void
owner_closed(void *aux, struct ovsdb_session *s, const char *reason)
{
    struct ovsdb_owner *o = aux;
    assert_ptr_equal(s, o->session);
    assert_true(*reason);
    o->n_closed++;
    o->session = NULL;
    snprintf(o->closed_reason, sizeof o->closed_reason, "%s", reason);
}

static const struct ovsdb_session_ops owner_ops = {
    .facts = owner_facts,
    .interfaces = owner_interfaces,
    .ports = owner_ports,
    .uplinks = owner_uplinks,
    .peer = owner_peer,
    .zones = owner_zones,
    .configured = owner_configured,
    .closed = owner_closed,
};

void
ovsdb_owner_init(struct ovsdb_owner *o)
{
    memset(o, 0, sizeof *o);
    o->base = event_base_new();
    assert_non_null(o->base);
}

void
ovsdb_owner_take(struct ovsdb_owner *o, struct bufferevent *take, const char *local_ip)
{
    struct endpoint_peer peer = { .kind = ENDPOINT_TCP, .address = "192.0.2.11:40312", .ip = "192.0.2.11" };
    snprintf(peer.local_ip, sizeof peer.local_ip, "%s", local_ip);
    assert_null(o->session);
    o->n_closed = 0;
    o->session = ovsdb_session_new(o->base, take, &peer, &owner_ops, o);
    assert_ptr_equal(ovsdb_session_aux(o->session), o);
    assert_string_equal(ovsdb_session_peer(o->session)->local_ip, local_ip);
}

void
ovsdb_owner_run(struct ovsdb_owner *o)
{
    struct timeval tick = { .tv_usec = 5000 };
    event_base_loopexit(o->base, &tick);
    event_base_loop(o->base, EVLOOP_ONCE);
}

void
ovsdb_owner_done(struct ovsdb_owner *o)
{
    if (o->session)
        ovsdb_session_close(o->session, "the test is over");
    OWNER_WAIT(o, !o->session);
    event_base_free(o->base);
}

enum ovsdb_peer_state
ovsdb_owner_peer(const struct ovsdb_owner *o, uint32_t number)
{
    for (unsigned i = 0; i < o->n_peers; i++)
        if (o->peers[i].number == number)
            return o->peers[i].state;
    return OVSDB_PEER_UNKNOWN;
}

const char *
ovsdb_owner_zones(const struct ovsdb_owner *o, char text[2048])
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < o->n_zones; i++)
        n += snprintf(text + n, 2048 - n, "%u=%u ", o->zones[i].number, o->zones[i].zone);
    return text;
}

const char *
ovsdb_owner_bound(const struct ovsdb_owner *o, char text[2048])
{
    size_t n = 0;
    text[0] = '\0';
    for (int i = 0; i < OWNER_INTERFACES_MAX && n < 1800; i++)
        if (*o->interfaces[i].id)
            n += snprintf(text + n, 2048 - n, "%s=%s@%u%s%s ", o->interfaces[i].id, o->interfaces[i].name, o->interfaces[i].ofport,
                          *o->interfaces[i].error ? "!" : "", o->interfaces[i].error);
    return text;
}
