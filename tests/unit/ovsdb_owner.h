/* An owner of OVSDB sessions for tests: remembers what it is told, and runs the loop until a condition holds. */
#ifndef TESTS_UNIT_OVSDB_OWNER_H
#define TESTS_UNIT_OVSDB_OWNER_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ofproto/ovsdb/ovsdb_session.h"

#define OWNER_INTERFACES_MAX 64
#define OWNER_ZONES_MAX 16
#define OWNER_WAIT_MS 20000

struct ovsdb_owner {
    struct event_base *base;
    struct ovsdb_session *session; /* NULL: none, or closed */

    const struct ovsdb_wanted *wanted; /* asked for as soon as facts without error are told; or NULL */
    bool watches;                      /* instead of wanting */
    const char *refusal;               /* facts() refuses with this; or NULL */
    bool closes_when_told;             /* closes the session from within the next callback */

    unsigned n_facts, n_interfaces, n_firsts, n_changed, n_ports, n_configured, n_closed;
    struct ovsdb_facts facts;
    struct ovsdb_ports ports;
    unsigned n_uplinks_told;
    struct ovsdb_uplink_state uplinks[OVSDB_UPLINKS_MAX];
    unsigned n_peers, n_zones_told;
    struct {
        uint32_t number;
        enum ovsdb_peer_state state;
    } peers[8]; /* as they were first told */
    size_t n_zones;
    struct ovsdb_zone zones[OWNER_ZONES_MAX];
    bool is_configured;
    char reason[300], closed_reason[500];
    struct {
        char id[64], name[32], error[128];
        uint32_t ofport;
    } interfaces[OWNER_INTERFACES_MAX];
};

void ovsdb_owner_init(struct ovsdb_owner *);
void ovsdb_owner_done(struct ovsdb_owner *); /* closes the session first */
void ovsdb_owner_take(struct ovsdb_owner *, struct bufferevent *take, const char *local_ip);
void ovsdb_owner_run(struct ovsdb_owner *); /* until something happens, at most a few milliseconds */
int64_t ovsdb_owner_now_ms(void);

enum ovsdb_peer_state ovsdb_owner_peer(const struct ovsdb_owner *, uint32_t number);
/* "12=1 345=2 " */
const char *ovsdb_owner_zones(const struct ovsdb_owner *, char text[2048]);
/* "web=tap0@3 db=tap1@0!error ", in the order in which the ids were first told. */
const char *ovsdb_owner_bound(const struct ovsdb_owner *, char text[2048]);

#define OWNER_WAIT(OWNER, CONDITION)                                                                                            \
    do {                                                                                                                        \
        int64_t end_ms_ = ovsdb_owner_now_ms() + OWNER_WAIT_MS;                                                                 \
        while (!(CONDITION)) {                                                                                                  \
            if (ovsdb_owner_now_ms() > end_ms_)                                                                                 \
                fail_msg("never became true: %s (closed: '%s', reason: '%s', facts: '%s')", #CONDITION, (OWNER)->closed_reason, \
                         (OWNER)->reason, (OWNER)->facts.error);                                                                \
            ovsdb_owner_run(OWNER);                                                                                             \
        }                                                                                                                       \
    } while (0)

#endif
