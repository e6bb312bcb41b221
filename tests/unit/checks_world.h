/* Health checks inside vnetd for tests: the target pages/web1, whose host's switch and answers are the test's. What must not fail fails the
 * test. */
#ifndef TESTS_UNIT_CHECKS_WORLD_H
#define TESTS_UNIT_CHECKS_WORLD_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/controller_switch.h"
#include "vnet/packet/tcp.h"

#define OFPORT 7 /* of web1, on hv1 */

/* Groups' values. */
#define FAST "'proto':'tcp','port':80,'interval':0.1,'timeout':0.05,'rise':2,'fall':2"
#define SLOW "'proto':'tcp','port':80,'interval':300,'timeout':150,'rise':1,'fall':1"
#define FAST_UDP "'proto':'udp','port':53,'interval':0.1,'timeout':0.05,'rise':1,'fall':2"

struct world {
    struct controller_lab *lab;
    struct controller_switch hv, other;
    uint32_t target, port;
    unsigned at_least;
    const char *column, *wanted;
};

int world_setup(void **state);
int world_teardown(void **state);

/* The target pages/web1 of a group with these values, bound on hv1, which is connected; it has confirmed nothing. */
void world_begin(struct world *, const char *group);
void world_bind(struct world *, uint32_t ofport); /* 0: it is nowhere */
void world_settle(struct world *);

/* A column of the target as it is now; "gone": there is no such target. Until the next call. */
const char *world_column(struct world *, const char *name);
void world_expect(struct world *, const char *column, const char *wanted); /* in the end */

/* A packet that left by hv1's switch. */
struct said {
    struct ipv4_packet ip;
    struct tcp_segment tcp;
    uint32_t ofport;
};

unsigned world_n_sent(const struct world *);
bool world_has_sent(void *world);                   /* as many as world->at_least */
struct said world_sent(struct world *, unsigned n); /* the n-th, as soon as it has been sent */

/* The target answers the segment; from a port of its bridge, of a host. */
void world_answer_from(struct world *, const struct tcp_segment *to, uint8_t flags, uint32_t host, uint32_t ofport);
void world_answer(struct world *, const struct tcp_segment *to, uint8_t flags); /* from its own */

#endif
