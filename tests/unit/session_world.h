/* One OpenFlow session, with an owner that notes what it is told and a switch: scripted, or a real Open vSwitch. For tests; what must not
 * fail fails the test. */
#ifndef TESTS_UNIT_SESSION_WORLD_H
#define TESTS_UNIT_SESSION_WORLD_H 1

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/flow_table.h"
#include "ofproto/session/endpoint.h"
#include "ofproto/session/of_session.h"
#include "tests/unit/fake_switch.h"
#include "tests/unit/ovs_fixture.h"

#define COOKIE(N) (0x0100000000000000ULL | (N))
#define DPID 0xa1

struct world {
    struct event_base *base;
    struct endpoint_listener *listener;
    struct of_session *session;
    struct flow_table *table;
    struct flow_builder *builder;
    struct arena *arena;
    struct fake_switch fake;
    struct ovs_fixture *ovs;
    SSL_CTX *ssl;
    bool refuses_identity, reconciles_in_identify;
    int64_t reconcile_seq;

    unsigned n_identified, n_committed, n_refused, n_closed, n_packet_ins, n_read_flows, n_read_specs, n_reads_done;
    bool is_read_ok;
    unsigned n_removed, n_heard;
    uint64_t removed_cookie, removed_packets, removed_bytes;
    uint64_t dpid, seq, refused_cookie;
    char refusal[512], reason[512];
    uint8_t userdata[32];
    size_t userdata_len, packet_len;
    uint32_t in_port;
    const char *resumes_with; /* written into the end of a packet that waits, which then goes on */
};

int world_setup(void **state); /* without a switch; a test says what it does, and starts one */
int world_teardown(void **state);

/* Runs the loop until the claim is true; false if it is not within 'ms'. */
bool world_until(struct world *, bool (*claim)(struct world *), int ms);

static inline bool
is_identified(struct world *w)
{
    return w->n_identified > 0;
}
static inline bool
is_committed(struct world *w)
{
    return w->n_committed > 0;
}
static inline bool
is_at_seq_2(struct world *w)
{
    return w->seq == 2;
}
static inline bool
is_closed(struct world *w)
{
    return w->n_closed > 0;
}
static inline bool
is_read_done(struct world *w)
{
    return w->n_reads_done > 0;
}
static inline bool
has_echo_reply(struct world *w)
{
    return w->fake.n_messages[3] > 0;
}
static inline bool
never(struct world *w)
{
    return false;
}

/* ---- what is desired ---- */
const struct spec *world_flow(struct world *, uint32_t number, uint16_t priority);
void world_set_block(struct world *, uint32_t number, const struct spec *); /* NULL: without flows */
/* Blocks 1..n of one flow each, priority 100 unless it is 'odd_number'. */
void world_set_blocks(struct world *, uint32_t n, uint32_t odd_number, uint16_t odd_priority);

/* A reading of a table that counts what it is told. */
struct of_session_read world_reading(struct world *, uint8_t table);

/* ---- switches ---- */
void world_start_fake(struct world *);
void world_start_ovs(struct world *); /* Open vSwitch with the bridge br0, which connects */
/* As world_start_ovs(), with certificates of a CA made for it: the switch's says OU=host. */
void world_start_ovs_tls(struct world *, const char *cn);
/* Closes the session, so that the switch connects anew. */
void world_end_session(struct world *);

/* Of what a shell command prints that has Open vSwitch's programs first in PATH. */
unsigned world_count_lines(const struct world *, const char *command);
void world_expect_output(const struct world *, const char *command, const char *part);

#endif
