/* A host's OVSDB connection: messages in and out, states, liveness and time limits. What the rows mean is ovsdb_session_step.c's.
 *
 * Invariants: owners are called from the loop only, never from within a function that they call; closed() is the last call, and
 * after it the session is gone. A session that is closed reads and sends nothing more. */
#include "ofproto/ovsdb/ovsdb_session.h"

#define LOG_MODULE "ovsdb"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "ofproto/ovsdb/ovsdb_ops.h"
#include "ofproto/ovsdb/ovsdb_session_private.h"

#define DATABASE "Open_vSwitch"
#define PROBE_MS 5000
#define TRANSACTION_MS 30000       /* for a reply; a host that does not answer one is of no use */
#define UNREAD_BYTES_MAX (4 << 20) /* what a host may leave unread */
#define LOG_BURST 20

enum { REQUEST_DATABASES = 1, REQUEST_MONITOR_COND, REQUEST_MONITOR, REQUEST_ECHO, REQUEST_TRANSACTIONS = 16 };

int64_t
ovsdb_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

const char *
ovsdb_session_name(const struct ovsdb_session *s)
{
    return *s->facts.system_id ? s->facts.system_id : s->peer.address;
}

static const char *
state_name(enum ovsdb_state state)
{
    static const char *const names[] = {
        [OVSDB_SCHEMA] = "SCHEMA",           [OVSDB_MONITOR] = "MONITOR", [OVSDB_FACTS] = "FACTS",
        [OVSDB_TRANSACTING] = "TRANSACTING", [OVSDB_CLOSED] = "CLOSED",
    };
    return names[state];
}

void
ovsdb_session_set_state(struct ovsdb_session *s, enum ovsdb_state state)
{
    log_dbg("host '%s': %s -> %s", ovsdb_session_name(s), state_name(s->state), state_name(state));
    s->state = state;
}

void
ovsdb_session_close(struct ovsdb_session *s, const char *reason)
{
    if (s->state == OVSDB_CLOSED)
        return;
    ovsdb_session_set_state(s, OVSDB_CLOSED);
    s->closed_reason = mem_strdup(reason);
    bufferevent_disable(s->connection, EV_READ | EV_WRITE);
    bufferevent_setcb(s->connection, NULL, NULL, NULL, NULL);
    event_del(s->timer);
    event_active(s->kick, 0, 0);
}

static void
session_free(struct ovsdb_session *s)
{
    bufferevent_free(s->connection);
    event_free(s->timer);
    event_free(s->kick);
    jsonrpc_framer_done(&s->framer);
    ovsdb_bindings_done(&s->bindings);
    ovsdb_rows_done(&s->rows);
    ovsdb_zones_done(&s->zone_wishes);
    json_decref(s->requests);
    free(s->wanted.peers);
    free(s->peers_told);
    free(s->closed_reason);
    free(s);
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void
timer_arm(struct ovsdb_session *s)
{
    if (s->state == OVSDB_CLOSED)
        return;
    int64_t at_ms = liveness_next_ms(&s->liveness);
    if (s->state < OVSDB_FACTS)
        at_ms = earlier(at_ms, s->started_ms + LIMIT_HANDSHAKE_MS);
    if (s->state == OVSDB_TRANSACTING)
        at_ms = earlier(at_ms, s->transaction_sent_ms + TRANSACTION_MS);
    if (s->waiting)
        at_ms = earlier(at_ms, ovsdb_pace_next_ms(s->waiting));
    int64_t wait_ms = at_ms - ovsdb_now_ms();
    if (wait_ms < 0)
        wait_ms = 0;
    struct timeval wait = { .tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000 };
    evtimer_add(s->timer, &wait);
}

static void
monitor_send(struct ovsdb_session *s, const char *method, int id)
{
    jsonrpc_send_request(s->connection, method, json_pack("[s,s,o]", DATABASE, "vnet", ovsdb_update_monitored()), json_integer(id));
}

static void
databases_reply(struct ovsdb_session *s, const struct jsonrpc_message *m)
{
    bool has_database = false;
    for (size_t i = 0; !m->error && i < json_array_size(m->result); i++) {
        const char *name = json_string_value(json_array_get(m->result, i));
        has_database |= name && !strcmp(name, DATABASE);
    }
    if (!has_database) {
        ovsdb_session_close(s, "the peer is no host: it has no database " DATABASE);
        return;
    }
    ovsdb_session_set_state(s, OVSDB_MONITOR);
    monitor_send(s, "monitor_cond", REQUEST_MONITOR_COND);
}

static void
updates_take(struct ovsdb_session *s, enum ovsdb_dialect dialect, const json_t *updates)
{
    struct error err;
    if (!ovsdb_update_apply(&s->rows, dialect, updates, &err))
        ovsdb_session_close(s, err.text);
    else
        s->is_changed = true;
}

static void
monitor_refused(struct ovsdb_session *s, const struct jsonrpc_message *m)
{
    char shown[160];
    const char *text = json_member_string(m->error, "details") ?: json_member_string(m->error, "error");
    text_escape(shown, sizeof shown, json_string_value(m->error) ?: text ?: "no reason was given");
    char *reason = mem_printf("the host refuses to show its database: %s", shown);
    ovsdb_session_close(s, reason);
    free(reason);
}

static void
monitor_reply(struct ovsdb_session *s, const struct jsonrpc_message *m, enum ovsdb_dialect dialect)
{
    if (m->error && dialect == OVSDB_UPDATE2) { /* an Open vSwitch before 2.6 */
        monitor_send(s, "monitor", REQUEST_MONITOR);
    } else if (m->error) {
        monitor_refused(s, m);
    } else {
        s->dialect = dialect;
        s->has_rows = true;
        updates_take(s, dialect, m->result);
    }
}

static void
reply_handle(struct ovsdb_session *s, const struct jsonrpc_message *m)
{
    json_int_t id = json_integer_value(m->id);
    bool is_expecting_rows = s->state == OVSDB_MONITOR && !s->has_rows;
    if (id == REQUEST_DATABASES && s->state == OVSDB_SCHEMA)
        databases_reply(s, m);
    else if (id == REQUEST_MONITOR_COND && is_expecting_rows)
        monitor_reply(s, m, OVSDB_UPDATE2);
    else if (id == REQUEST_MONITOR && is_expecting_rows)
        monitor_reply(s, m, OVSDB_UPDATE1);
    else if (id == s->transaction && s->state == OVSDB_TRANSACTING)
        ovsdb_session_transacted(s, m);
    else if (id != REQUEST_ECHO)
        ovsdb_session_close(s, "the host answered what was not asked");
}

static void
notification_handle(struct ovsdb_session *s, const struct jsonrpc_message *m)
{
    bool is_update1 = !strcmp(m->method, "update"), is_update2 = !strcmp(m->method, "update2");
    if (is_update1 || is_update2) {
        if (!s->has_rows || is_update2 != (s->dialect == OVSDB_UPDATE2))
            ovsdb_session_close(s, "the host sent an update that was not asked for");
        else
            updates_take(s, s->dialect, json_array_get(m->params, 1));
    } else if (!strcmp(m->method, "monitor_canceled")) {
        ovsdb_session_close(s, "the host no longer shows its database");
    }
}

static void
message_handle(struct ovsdb_session *s, const struct jsonrpc_message *m)
{
    switch (m->kind) {
    case JSONRPC_REPLY: reply_handle(s, m); break;
    case JSONRPC_NOTIFICATION: notification_handle(s, m); break;
    case JSONRPC_REQUEST:
        if (!strcmp(m->method, "echo"))
            jsonrpc_send_reply(s->connection, m->id, json_incref((json_t *) m->params));
        else
            jsonrpc_send_error(s->connection, m->id, "unknown method");
        break;
    }
}

static void
input_take(struct ovsdb_session *s)
{
    struct evbuffer *input = bufferevent_get_input(s->connection);
    struct evbuffer *output = bufferevent_get_output(s->connection);
    bool is_whole = true;
    while (is_whole && s->state != OVSDB_CLOSED) {
        struct jsonrpc_message m;
        struct error err;
        if (!jsonrpc_receive(&s->framer, input, &m, &is_whole, &err)) {
            ovsdb_session_close(s, err.text);
        } else if (is_whole) {
            message_handle(s, &m);
            jsonrpc_message_done(&m);
        }
        if (evbuffer_get_length(output) > UNREAD_BYTES_MAX)
            ovsdb_session_close(s, "the host does not read what is sent to it");
    }
}

static void
connection_readable(struct bufferevent *bev, void *aux)
{
    struct ovsdb_session *s = aux;
    enum ovsdb_state before = s->state;
    liveness_received(&s->liveness, ovsdb_now_ms());
    input_take(s);
    if (s->is_changed || s->state != before)
        ovsdb_session_step(s);
    timer_arm(s);
}

static void
connection_event(struct bufferevent *bev, short what, void *aux)
{
    struct ovsdb_session *s = aux;
    if (what & BEV_EVENT_EOF) {
        ovsdb_session_close(s, "the host closed the connection");
    } else if (what & BEV_EVENT_ERROR) {
        int error = EVUTIL_SOCKET_ERROR();
        char *reason = mem_printf("the connection broke: %s", error ? evutil_socket_error_to_string(error) : "TLS error");
        ovsdb_session_close(s, reason);
        free(reason);
    }
}

static void
timer_expired(evutil_socket_t fd, short what, void *aux)
{
    struct ovsdb_session *s = aux;
    int64_t now_ms = ovsdb_now_ms();
    if (s->state < OVSDB_FACTS && now_ms >= s->started_ms + LIMIT_HANDSHAKE_MS) {
        ovsdb_session_close(s, s->has_rows ? "the host's database has no Open_vSwitch row; run ovs-vsctl init there"
                                           : "the peer did not show a database in time");
        return;
    }
    if (s->state == OVSDB_TRANSACTING && now_ms >= s->transaction_sent_ms + TRANSACTION_MS) {
        ovsdb_session_close(s, "the host did not answer a transaction in time");
        return;
    }
    enum liveness_action action = liveness_run(&s->liveness, now_ms);
    if (action == LIVENESS_CLOSE) {
        ovsdb_session_close(s, "the host has fallen silent");
        return;
    }
    if (action == LIVENESS_SEND_PROBE)
        jsonrpc_send_request(s->connection, "echo", json_array(), json_integer(REQUEST_ECHO));
    if (s->waiting && now_ms >= ovsdb_pace_next_ms(s->waiting))
        ovsdb_session_step(s);
    timer_arm(s);
}

static void
session_kicked(evutil_socket_t fd, short what, void *aux)
{
    struct ovsdb_session *s = aux;
    if (s->state == OVSDB_CLOSED) {
        s->ops->closed(s->aux, s, s->closed_reason);
        session_free(s);
        return;
    }
    if (evbuffer_get_length(bufferevent_get_input(s->connection)))
        input_take(s);
    ovsdb_session_step(s);
    timer_arm(s);
}

struct ovsdb_session *
ovsdb_session_new(struct event_base *base, struct bufferevent *take, const struct endpoint_peer *peer, const struct ovsdb_session_ops *ops,
                  void *aux)
{
    struct ovsdb_session *s = mem_zalloc(sizeof *s);
    uint32_t basis;
    evutil_secure_rng_get_bytes(&basis, sizeof basis);
    s->connection = take;
    s->peer = *peer;
    s->ops = ops;
    s->aux = aux;
    s->timer = evtimer_new(base, timer_expired, s);
    s->kick = event_new(base, -1, 0, session_kicked, s);
    s->started_ms = ovsdb_now_ms();
    s->limit = (struct log_limit) LOG_LIMIT(LOG_BURST);
    s->transaction = REQUEST_TRANSACTIONS;
    jsonrpc_framer_init(&s->framer);
    liveness_init(&s->liveness, PROBE_MS, s->started_ms);
    ovsdb_rows_init(&s->rows, basis);
    ovsdb_bindings_init(&s->bindings, basis);
    ovsdb_pace_init(&s->pace, OVSDB_PACE_BURST, s->started_ms);
    ovsdb_pace_init(&s->zone_pace, OVSDB_PACE_ZONE_BURST, s->started_ms);
    ovsdb_zones_init(&s->zone_wishes, basis);
    s->requests = json_array();

    bufferevent_setcb(take, connection_readable, NULL, connection_event, s);
    bufferevent_enable(take, EV_READ | EV_WRITE);
    jsonrpc_send_request(take, "list_dbs", json_array(), json_integer(REQUEST_DATABASES));
    event_active(s->kick, 0, 0); /* bytes may be there already */
    return s;
}

void *
ovsdb_session_aux(const struct ovsdb_session *s)
{
    return s->aux;
}

void
ovsdb_session_set_aux(struct ovsdb_session *s, void *aux)
{
    s->aux = aux;
}

const struct endpoint_peer *
ovsdb_session_peer(const struct ovsdb_session *s)
{
    return &s->peer;
}

static bool
is_same_peers(const struct ovsdb_wanted *a, const struct ovsdb_wanted *b)
{
    bool is_same = a->n_peers == b->n_peers && a->bfd_ms == b->bfd_ms;
    for (size_t i = 0; is_same && i < a->n_peers; i++)
        is_same = a->peers[i].number == b->peers[i].number && a->peers[i].is_vxlan == b->peers[i].is_vxlan
                  && ip_equal(a->peers[i].ip, b->peers[i].ip);
    return is_same;
}

static bool
is_same_wish(const struct ovsdb_wanted *a, const struct ovsdb_wanted *b)
{
    return a->dpid == b->dpid && a->geneve == b->geneve && a->vxlan == b->vxlan && !strcmp(a->controllers[0], b->controllers[0])
           && !strcmp(a->controllers[1], b->controllers[1]) && is_same_peers(a, b);
}

/* What was told of peers that stay is still so; both lists rise. */
static uint8_t *
peers_told_merge(const struct ovsdb_session *s, const struct ovsdb_wanted *wanted)
{
    uint8_t *told = mem_zalloc(wanted->n_peers + 1);
    for (size_t i = 0, j = 0; i < wanted->n_peers; i++) {
        while (j < s->wanted.n_peers && s->wanted.peers[j].number < wanted->peers[i].number)
            j++;
        if (j < s->wanted.n_peers && s->wanted.peers[j].number == wanted->peers[i].number)
            told[i] = s->peers_told[j];
    }
    return told;
}

void
ovsdb_session_want(struct ovsdb_session *s, const struct ovsdb_wanted *wanted)
{
    if (s->state == OVSDB_CLOSED || (s->has_wanted && is_same_wish(&s->wanted, wanted)))
        return;
    uint8_t *told = peers_told_merge(s, wanted);
    struct ovsdb_peer *peers = mem_dup(wanted->peers, wanted->n_peers * sizeof *peers);
    free(s->peers_told);
    free(s->wanted.peers);
    s->wanted = *wanted;
    s->wanted.peers = peers;
    s->peers_told = told;
    s->has_wanted = true;
    s->is_changed = true;
    s->told = TOLD_NOTHING;
    event_active(s->kick, 0, 0);
}

void
ovsdb_session_watch(struct ovsdb_session *s)
{
    if (s->state == OVSDB_CLOSED || s->has_wanted)
        return;
    s->has_wanted = s->is_watched = true;
    event_active(s->kick, 0, 0);
}

void
ovsdb_session_request_ofport(struct ovsdb_session *s, const char *name, const char *iface_id, uint32_t ofport)
{
    if (s->state == OVSDB_CLOSED)
        return;
    const struct ovsdb_pair id = { "iface-id", iface_id };
    json_t *where = ovsdb_where_name(name);
    json_array_append_new(where, json_pack("[s,s,o]", "external_ids", "includes", ovsdb_value_map(&id, 1)));
    ovsdb_ops_update(s->requests, OVSDB_INTERFACE, where, json_pack("{s:i}", "ofport_request", (int) ofport));
    event_active(s->kick, 0, 0);
}

bool
ovsdb_session_remove_port(struct ovsdb_session *s, const char *iface_id)
{
    const struct ovsdb_row *port = s->state == OVSDB_CLOSED ? NULL : ovsdb_rows_port_with(&s->rows, s->bridge, iface_id);
    if (!port)
        return false;
    ovsdb_ops_mutate(s->requests, OVSDB_BRIDGE, ovsdb_where_name(s->bridge),
                     ovsdb_mutation("ports", "delete", ovsdb_value_uuid(port->uuid)));
    event_active(s->kick, 0, 0);
    return true;
}

bool
ovsdb_session_ofport_is_taken(const struct ovsdb_session *s, uint32_t ofport)
{
    return ovsdb_rows_ofport_is_taken(&s->rows, s->bridge, ofport);
}

void
ovsdb_session_set_zone(struct ovsdb_session *s, uint32_t number, uint16_t zone)
{
    if (s->state == OVSDB_CLOSED)
        return;
    ovsdb_zones_wish(&s->zone_wishes, number, zone);
    event_active(s->kick, 0, 0);
}
