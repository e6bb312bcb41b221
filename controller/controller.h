/* vnetd as one struct: what its parts share. Each part is a folder or file of its own; this header only ties them. */
#ifndef CONTROLLER_CONTROLLER_H
#define CONTROLLER_CONTROLLER_H 1

#include <event2/event.h>
#include <openssl/types.h>
#include <stdint.h>

#include "base/error.h"
#include "controller/options.h"
#include "vnet/pipeline/compiler.h"

struct controller {
    struct event_base *base;
    const struct options *options;
    SSL_CTX *tls; /* NULL: no pssl: listener */

    struct chores *chores; /* pure work beside the loop */
    struct store *store;
    struct model *model;
    struct runtime *runtime;
    struct compiler *compiler;

    struct commits *commits;       /* requests -> model -> store, one at a time */
    struct hosts *hosts;           /* hypervisors: sessions, tables, progress */
    struct handovers *handovers;   /* public addresses on their way to another place */
    struct held_zones *held_zones; /* who held the addresses of balancers and NAT gateways last */
    struct bindings *bindings;     /* which port is where */
    struct waiters *waiters;       /* who waits for hosts to confirm */
    struct refusals *refusals;     /* what hosts' switches refuse, by object */
    struct retired *retired;       /* numbers of deleted objects, until every host has confirmed */
    struct feed *feed;             /* what changed, for event streams and wait-until */
    struct instances *instances;   /* virtual machines, as agents report them */
    struct migrations *migrations; /* guests on the move, and how their moves went */
    struct removals *removals;     /* declared ports whose domain is gone, still to be removed */
    struct tokens *tokens;         /* for hosts that join */
    struct agents *agents;         /* which hosts' agents are there */
    struct counting *counting;     /* how many connections of load balancers are open */
    struct outside *outside;       /* vnetd's own part on physical networks */
    struct rule_hits *hits;        /* what rules of security groups have let through */
    struct checks *checks;         /* the health of load balancers' targets */
    struct api *api;

    uint64_t seq;       /* of the last change, intent or fact */
    int64_t started_ms; /* wall clock */
};

/* Everything but the loop: loads the store, listens. False with *err: nothing is left behind. */
bool controller_start(struct controller *, const struct options *, struct error *) MUST_CHECK;
void controller_stop(struct controller *);

/* A fact changed: the next sequence number, and the hosts concerned compile for it. The runtime shows the new state already. */
void controller_fact_changed(struct controller *, const struct vnet_event *);

/* Milliseconds: of the monotonic clock; since 1970. */
int64_t controller_now_ms(void);
int64_t controller_wall_ms(void);

/* As transaction_origin asks for them: unpredictable bytes. */
void controller_random(void *unused, uint8_t *bytes, size_t n);

#endif
