/* A private ovs-vswitchd with one bridge of the dummy datapath, and raw OpenFlow connections to it: what vnetd's speed is held against.
 * The bridge's controller is a relay in the bench, which forwards bytes and looks at them, or none. */
#ifndef TOOLS_BENCH_REAL_SWITCH_H
#define TOOLS_BENCH_REAL_SWITCH_H 1

#include "base/bytes.h"
#include "tools/bench/bench.h"

struct real_switch {
    const struct bench *bench;
    int database, vswitchd;
    uint16_t port; /* where it takes raw connections: TCP, as its controller's is */
};

void real_switch_start(struct real_switch *, const struct bench *, uint64_t dpid);
void real_switch_stop(struct real_switch *);
void real_switch_renew(struct real_switch *);                               /* a fresh ovs-vswitchd, empty */
void real_switch_set_controller(const struct real_switch *, uint16_t port); /* on 127.0.0.1; 0: none */

/* ---- a raw connection; blocking ---- */
int raw_connect(const struct real_switch *); /* OpenFlow 1.5, HELLOs exchanged */

/* Sends 'bytes' as they are and returns once the n-th commit reply has come; dies of an OpenFlow error. Nanoseconds. */
int64_t raw_replay(int fd, const struct bytes *bytes, unsigned n_commits);

/* Asks for all flows; nanoseconds until the last part has come, and how many flows there were. */
int64_t raw_dump(int fd, size_t *n_flows);

/* Returns once the switch holds so many flows; the loop runs meanwhile. */
void real_switch_wait_flows(const struct real_switch *, uint64_t n);

/* Appends a bundle's control message. */
enum { RAW_BUNDLE_OPEN = 0, RAW_BUNDLE_COMMIT = 4 };
void raw_put_bundle_control(struct bytes *, uint32_t bundle, uint16_t type);

#endif
