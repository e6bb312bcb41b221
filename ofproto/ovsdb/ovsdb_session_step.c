/* What follows from a host's rows, in this order: facts, interfaces, zones, the uplinks' cards, port numbers, the underlay's link, peers, and configuration
 * that differs from what is wanted. Called after every batch of updates, after a wish, a reply and the end of a wait. Level-triggered: each part is
 * derived afresh and compared with what was told last. A callback may close the session; nothing more is told then. */
#define LOG_MODULE "ovsdb"

#include "ofproto/ovsdb/ovsdb_session_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ofproto/ovsdb/ovsdb_cards.h"
#include "ofproto/ovsdb/ovsdb_config.h"
#include "ofproto/ovsdb/ovsdb_facts.h"
#include "ofproto/ovsdb/ovsdb_underlay.h"

static void
facts_step(struct ovsdb_session *s)
{
    struct ovsdb_facts now;
    if (!ovsdb_facts_derive(&s->rows, &now) || !memcmp(&now, &s->facts, sizeof now))
        return;
    s->facts = now;
    if (s->state == OVSDB_MONITOR)
        ovsdb_session_set_state(s, OVSDB_FACTS);
    s->has_told_ports = s->has_told_uplinks = false; /* they are numbered as the uplinks are */
    s->told = TOLD_NOTHING;

    struct error err;
    if (!s->ops->facts(s->aux, s, &s->facts, &err)) {
        ovsdb_session_close(s, err.text);
        return;
    }
    if (*now.error || !strcmp(now.bridge, s->bridge))
        return;
    snprintf(s->bridge, sizeof s->bridge, "%s", now.bridge);
    ovsdb_rows_touch_all(&s->rows);
}

static void
interfaces_step(struct ovsdb_session *s)
{
    struct ovsdb_bindings *b = &s->bindings;
    ovsdb_bindings_update(b, &s->rows, *s->bridge ? s->bridge : NULL);
    if (b->n_contested)
        log_warn_limited(&s->limit, "host '%s': %s", ovsdb_session_name(s), b->contested);
    bool is_first = *s->bridge && !s->has_told_interfaces;
    if (is_first || b->n_changed || b->n_gone) {
        s->has_told_interfaces = true;
        s->ops->interfaces(s->aux, s, b->changed, b->n_changed, b->gone, b->n_gone, is_first);
    }
    ovsdb_bindings_told(b);
}

static void
uplink_look(const struct ovsdb_rows *rows, const char *bridge, struct ovsdb_uplink_state *state)
{
    struct ovsdb_cards cards;
    ovsdb_cards_count(rows, ovsdb_rows_named(rows, OVSDB_BRIDGE, bridge), &cards);
    state->is_down = ovsdb_cards_are_down(&cards);
    state->mtu = cards.mtu;
    snprintf(state->cards, sizeof state->cards, "%s", cards.names);
}

static void
uplinks_step(struct ovsdb_session *s)
{
    struct ovsdb_uplink_state now[OVSDB_UPLINKS_MAX];
    if (!s->ops->uplinks || (s->has_told_uplinks && s->cards_told == s->rows.n_card_changes))
        return;
    memset(now, 0, sizeof now); /* what is equal has equal bytes */
    for (size_t i = 0; i < s->facts.n_uplinks; i++)
        uplink_look(&s->rows, s->facts.uplinks[i].bridge, &now[i]);
    s->cards_told = s->rows.n_card_changes;
    if (s->has_told_uplinks && !memcmp(now, s->uplinks, sizeof now))
        return;
    memcpy(s->uplinks, now, sizeof now);
    s->has_told_uplinks = true;
    s->ops->uplinks(s->aux, s, s->uplinks);
}

static void
ports_step(struct ovsdb_session *s)
{
    struct ovsdb_ports now;
    ovsdb_config_ports(&s->rows, &s->facts, &now);
    if (s->has_told_ports && !memcmp(&now, &s->ports, sizeof now))
        return;
    s->ports = now;
    s->has_told_ports = true;
    s->ops->ports(s->aux, s, &s->ports);
}

static void
zones_step(struct ovsdb_session *s)
{
    static const struct uuid none;
    const struct ovsdb_bridge_row *b = (const void *) ovsdb_rows_named(&s->rows, OVSDB_BRIDGE, s->facts.bridge);
    struct uuid uuid = b ? b->row.uuid : none;
    uint64_t n_changes = b ? b->zones.n_changes : 0;
    if (s->has_told_zones && uuid_equal(uuid, s->zones_of) && n_changes == s->zones_told)
        return;
    s->has_told_zones = true;
    s->zones_of = uuid;
    s->zones_told = n_changes;
    size_t n = 0;
    struct ovsdb_zone *list = b ? ovsdb_zones_list(&b->zones, &n) : NULL;
    s->ops->zones(s->aux, s, list, n);
    free(list);
}

/* The owner may want other peers when it is told of one; what is told from then on is of those. */
static void
peers_step(struct ovsdb_session *s)
{
    for (size_t i = 0; i < s->wanted.n_peers && s->state != OVSDB_CLOSED; i++) {
        uint32_t number = s->wanted.peers[i].number;
        enum ovsdb_peer_state now = ovsdb_config_peer_state(&s->rows, &s->facts, number);
        if (now == s->peers_told[i])
            continue;
        s->peers_told[i] = now;
        s->ops->peer(s->aux, s, number, now);
    }
}

/* Before peers_step(): of a peer that is lost the owner knows by then whose link it was. */
static void
underlay_step(struct ovsdb_session *s)
{
    bool is_down = ovsdb_underlay_is_down(&s->rows);
    if (is_down == s->is_underlay_down || !s->ops->underlay)
        return;
    s->is_underlay_down = is_down;
    s->ops->underlay(s->aux, s, is_down);
}

static void
configured_tell(struct ovsdb_session *s, enum told told, const char *reason)
{
    if (s->told == told && !strcmp(s->told_reason, reason))
        return;
    s->told = told;
    snprintf(s->told_reason, sizeof s->told_reason, "%s", reason);
    if (told == TOLD_REFUSED)
        log_warn_limited(&s->limit, "host '%s': not configured: %s", ovsdb_session_name(s), s->told_reason);
    s->ops->configured(s->aux, s, told == TOLD_CONFIGURED, s->told_reason);
}

static void
transaction_send(struct ovsdb_session *s, json_t *ops, struct ovsdb_pace *pace)
{
    json_t *params = json_pack("[s]", "Open_vSwitch");
    json_array_extend(params, ops);
    json_array_append_new(params, json_pack("{s:s, s:s}", "op", "comment", "comment", "vnetd: configuration"));
    log_info_limited(&s->limit, "host '%s': configuration differs; sending %zu operations", ovsdb_session_name(s), json_array_size(ops));
    s->transaction++;
    s->transaction_pace = pace;
    s->transaction_sent_ms = ovsdb_now_ms();
    jsonrpc_send_request(s->connection, "transact", params, json_integer(s->transaction));
    ovsdb_session_set_state(s, OVSDB_TRANSACTING);
}

/* Zones and requests go along with configuration that differs, or alone, at a pace of their own. */
static void
config_send(struct ovsdb_session *s, json_t *ops)
{
    struct ovsdb_pace *pace = json_array_size(ops) ? &s->pace : &s->zone_pace;
    const struct ovsdb_bridge_row *b = (const void *) ovsdb_rows_named(&s->rows, OVSDB_BRIDGE, s->facts.bridge);
    if (b)
        ovsdb_zones_compare(&s->zone_wishes, b, ops);
    json_array_extend(ops, s->requests);
    if (pace == &s->zone_pace && !json_array_size(ops)) {
        ovsdb_pace_settled(pace);
    } else if (ovsdb_pace_take(pace, ovsdb_now_ms())) {
        json_array_clear(s->requests);
        transaction_send(s, ops, pace);
    } else {
        s->waiting = pace;
    }
}

/* What differs from what is wanted; the owner is told if nothing does. New reference. */
static json_t *
config_differs(struct ovsdb_session *s)
{
    struct ovsdb_config config;
    ovsdb_config_compare(&s->rows, &s->facts, &s->wanted, s->peer.local_ip, &config);
    if (!json_array_size(config.ops)) {
        ovsdb_pace_settled(&s->pace);
        configured_tell(s, *config.complaint ? TOLD_REFUSED : TOLD_CONFIGURED, config.complaint);
    }
    return config.ops;
}

static void
config_step(struct ovsdb_session *s)
{
    s->waiting = NULL;
    if (!s->has_wanted || *s->facts.error || s->state != OVSDB_FACTS)
        return;
    json_t *ops = s->is_watched ? json_array() : config_differs(s);
    if (s->state == OVSDB_FACTS)
        config_send(s, ops);
    json_decref(ops);
}

void
ovsdb_session_step(struct ovsdb_session *s)
{
    if (!s->has_rows || s->state == OVSDB_CLOSED)
        return;
    if (s->is_changed) {
        ovsdb_pace_lift(&s->pace);
        ovsdb_pace_lift(&s->zone_pace);
    }
    s->is_changed = false;

    facts_step(s);
    if (s->state == OVSDB_CLOSED || s->state == OVSDB_MONITOR || !s->has_wanted)
        return;
    interfaces_step(s);
    if (s->state == OVSDB_CLOSED)
        return;
    if (!*s->facts.error)
        zones_step(s);
    if (!*s->facts.error && s->state != OVSDB_CLOSED)
        uplinks_step(s);
    if (!*s->facts.error && s->state != OVSDB_CLOSED)
        ports_step(s);
    if (!*s->facts.error && s->state != OVSDB_CLOSED)
        underlay_step(s);
    if (!*s->facts.error)
        peers_step(s);
    if (s->state != OVSDB_CLOSED)
        config_step(s);
}

/* The first error of a transaction's reply: in the message, or in one operation's result. */
static const json_t *
reply_error(const struct jsonrpc_message *m)
{
    if (m->error)
        return m->error;
    for (size_t i = 0; i < json_array_size(m->result); i++)
        if (json_member_string(json_array_get(m->result, i), "error"))
            return json_array_get(m->result, i);
    return NULL;
}

void
ovsdb_session_transacted(struct ovsdb_session *s, const struct jsonrpc_message *m)
{
    ovsdb_session_set_state(s, OVSDB_FACTS);
    const json_t *wrong = reply_error(m);
    if (wrong || s->transaction_pace == &s->pace)
        ovsdb_pace_answered(s->transaction_pace, ovsdb_now_ms());
    if (!wrong) {
        s->told = TOLD_NOTHING;
        return;
    }
    const char *error = json_string_value(wrong) ?: json_member_string(wrong, "error");
    const char *details = json_member_string(wrong, "details");
    char reason[256], shown_error[60], shown[130];
    text_escape(shown_error, sizeof shown_error, error ?: "no reason was given");
    text_escape(shown, sizeof shown, details ?: "");
    snprintf(reason, sizeof reason, "the host's database refused our transaction: %s%s%s", shown_error, *shown ? ": " : "", shown);
    configured_tell(s, TOLD_REFUSED, reason);
}
