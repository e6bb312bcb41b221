/* Checks from inside: checks.c knows all targets and when each is due, check_probe.c speaks with them, check_change.c tells of their changes,
 * check_drain.c removes those that have drained, check_flush.c makes switches forget the connections of those that are dead. */
#ifndef CONTROLLER_CHECK_CHECKS_PRIVATE_H
#define CONTROLLER_CHECK_CHECKS_PRIVATE_H 1

#include <event2/event.h>

#include "base/map.h"
#include "base/tree.h"
#include "controller/check/check.h"
#include "controller/check/check_ears.h"
#include "controller/check/checks.h"
#include "controller/controller.h"

/* A target, as last seen. */
struct checked {
    struct map_node by_number, by_cookie;
    struct tree_node by_due, by_drain;
    int64_t due_ms, drain_until_ms; /* where it stands in the trees; INT64_MAX, 0: in none */
    uint32_t number, port, vpc;
    uint16_t listens_at;
    bool is_udp, is_started;
    bool is_let_in;       /* by its port's groups, when they were last looked at */
    uint64_t groups_seen; /* checks.groups_changed then */
    struct check check;
    uint32_t cookie;     /* of the probe under way, or the last one; 0: there was none */
    uint32_t host;       /* that was asked last, in 'period'; 0: none */
    uint64_t period;     /* of checks.ears */
    uint64_t n_heard;    /* when it was asked last */
    bool is_doubted;     /* nothing else has been heard since either, so others are asked */
    uint64_t over_in;    /* the turn that found its time over first; 0: none has */
    uint64_t connection; /* of the host's switch, by which it was asked last */
    uint64_t seq;        /* what the host must confirm before the answer comes to us */
};

struct checks {
    struct controller *controller;
    struct map by_number, by_cookie;
    struct tree by_due;
    struct event *timer;
    uint64_t secret, n_cookies; /* what cookies are made of */
    uint64_t groups_changed;    /* counts changes of security groups, their rules and ports; from 1 */
    struct check_ears ears;
    uint64_t n_turns;
    int64_t turn_ms, armed_ms; /* monotonic: the last turn of probes, and when the next was to be; INT64_MAX: never */
    int64_t poked_ms;          /* monotonic: when other hosts were last asked for a sign of life */
    bool is_begun;
    struct map paces; /* check_probe.c's, by host */
    struct drains *drains;
    struct flushes *flushes;
};

/* ---- checks.c ---- */
struct checked *checked_find(const struct checks *, uint32_t number);
/* The group's rule for it. */
struct check_rule check_rule_of(const struct tg *);
/* A probe has ended; 'checked' is due again at another time. */
void checked_ended(struct checks *, struct checked *, const struct tg *, enum check_end);
void checked_arrange(struct checks *, struct checked *); /* its place among those that are due */

/* ---- check_probe.c ---- */
/* It is due: sends a probe, or finds that it cannot. */
void checked_ask(struct checks *, struct checked *);
/* Its time is over. True: its silence counts. False: it could not have been heard, or that is still to be found out. */
bool checked_is_silent(struct checks *, struct checked *);
void paces_free(struct checks *);
void checked_set_cookie(struct checks *, struct checked *, uint32_t cookie); /* 0: no answer is for it any more */

/* ---- check_change.c ---- */
/* Its state is another: everybody who goes by it is told. */
void checked_changed(struct checks *, struct checked *, const struct tg *);
void checked_keep(const struct checks *, const struct checked *, bool is_gone); /* what the next vnetd shall know of it */
void checks_tell_listeners(const struct controller *, uint32_t tg);             /* who watches them */

/* ---- check_drain.c ---- */
struct drains *drains_new(struct controller *);
void drains_free(struct drains *);
void drains_look(struct drains *, struct checked *, int64_t until_ms); /* 0: it does not drain, or is gone */

/* ---- check_flush.c ---- */
struct flushes *flushes_new(struct controller *);
void flushes_free(struct flushes *);
/* All hosts of the VPC forget the target's UDP connections, once each has installed what it wants now. */
void flushes_add(struct flushes *, uint32_t vpc, uint32_t target);
/* The same of a target that is gone: remembered until all of them have been told. */
void flushes_add_gone(struct flushes *, uint32_t vpc, uint32_t target);
void flushes_add_unhealthy(struct flushes *, uint32_t tg); /* of the group's unhealthy targets */
/* Hosts that were away when a target died may still have to forget what it had; which ones, only the vnetd of then knew. */
void flushes_begin(const struct checks *);
/* The target's own host forgets its TCP connections, whose senders have been reset while it was dead. */
void flush_reset(const struct controller *, const struct checked *);

#endif
