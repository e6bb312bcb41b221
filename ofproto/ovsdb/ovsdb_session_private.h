/* One session's state, shared by ovsdb_session.c (connection, messages, time) and ovsdb_session_step.c (what follows from the
 * rows). */
#ifndef OFPROTO_OVSDB_OVSDB_SESSION_PRIVATE_H
#define OFPROTO_OVSDB_OVSDB_SESSION_PRIVATE_H 1

#include "base/liveness.h"
#include "base/log.h"
#include "ofproto/ovsdb/jsonrpc.h"
#include "ofproto/ovsdb/ovsdb_bindings.h"
#include "ofproto/ovsdb/ovsdb_pace.h"
#include "ofproto/ovsdb/ovsdb_rows.h"
#include "ofproto/ovsdb/ovsdb_session.h"
#include "ofproto/ovsdb/ovsdb_update.h"

enum ovsdb_state {
    OVSDB_SCHEMA,  /* asked which databases there are */
    OVSDB_MONITOR, /* asked for rows; no facts yet */
    OVSDB_FACTS,   /* facts were told; no transaction in flight */
    OVSDB_TRANSACTING,
    OVSDB_CLOSED /* closed() follows from the loop */
};

enum told { TOLD_NOTHING, TOLD_CONFIGURED, TOLD_REFUSED };

struct ovsdb_session {
    struct bufferevent *connection;
    struct endpoint_peer peer;
    const struct ovsdb_session_ops *ops;
    void *aux;
    struct event *timer;
    struct event *kick; /* do what is due, from the loop: look at wishes, or end */

    enum ovsdb_state state;
    char *closed_reason;
    int64_t started_ms;
    struct jsonrpc_framer framer;
    struct liveness liveness;
    struct log_limit limit;

    enum ovsdb_dialect dialect;
    struct ovsdb_rows rows;
    bool has_rows;   /* the monitor has answered */
    bool is_changed; /* rows, or what is wanted, since the last step */

    struct ovsdb_facts facts; /* as told; all zero before */
    char bridge[16];          /* of the last facts without error; "": none yet */
    struct ovsdb_bindings bindings;
    bool has_told_interfaces;
    struct ovsdb_ports ports; /* as told */
    bool has_told_ports;
    bool is_underlay_down;                                /* as told */
    struct ovsdb_uplink_state uplinks[OVSDB_UPLINKS_MAX]; /* as told */
    bool has_told_uplinks;
    uint64_t cards_told;  /* the rows' n_card_changes when they were last looked at */
    struct uuid zones_of; /* the bridge whose zones were told last; zero: there was none */
    uint64_t zones_told;  /* its n_changes then */
    bool has_told_zones;

    struct ovsdb_wanted wanted;  /* peers: owned */
    uint8_t *peers_told;         /* enum ovsdb_peer_state of each of them */
    bool has_wanted, is_watched; /* watched: what is wanted is nothing */
    json_t *requests;            /* operations to be sent once */
    struct ovsdb_zones zone_wishes;
    struct ovsdb_pace pace, zone_pace;   /* zones': also for requests */
    const struct ovsdb_pace *waiting;    /* something differs, and this says: later; or NULL */
    struct ovsdb_pace *transaction_pace; /* of the transaction in flight */
    int64_t transaction;                 /* id of the request in flight, or of the last */
    int64_t transaction_sent_ms;
    enum told told;
    char told_reason[256];
};

int64_t ovsdb_now_ms(void);
const char *ovsdb_session_name(const struct ovsdb_session *); /* for log lines */
void ovsdb_session_set_state(struct ovsdb_session *, enum ovsdb_state);

/* Derives everything from the rows and tells the owner what has changed; sends a transaction if one is due. */
void ovsdb_session_step(struct ovsdb_session *);
/* The transaction in flight was answered. */
void ovsdb_session_transacted(struct ovsdb_session *, const struct jsonrpc_message *);

#endif
