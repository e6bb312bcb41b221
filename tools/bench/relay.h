/* Between a real switch and vnetd: takes the switch's connection, holds it until it is let through, then forwards bytes both ways. It
 * notes when the switch said that a bundle is committed, and can keep what vnetd sends. */
#ifndef TOOLS_BENCH_RELAY_H
#define TOOLS_BENCH_RELAY_H 1

#include "base/bytes.h"
#include "tools/bench/daemon.h"

struct bufferevent;

/* One direction. Finds the messages in the stream. */
struct relay_side {
    struct bufferevent *bev;
    uint8_t header[16];
    size_t n_header, n_left; /* of the message under way: seen of its first bytes, still to come */
};

struct relay {
    const struct bench *bench;
    const struct daemon *daemon;
    struct event *listener;
    uint16_t port;
    bool is_open; /* connections are let through */
    struct relay_side of_switch, of_daemon;
    int64_t connected_ns; /* the switch said who it is; Open vSwitch takes up to half a second for it on its own account */
    uint64_t n_commits;
    struct bytes kept; /* what vnetd sends, while is_keeping */
    bool is_keeping;
};

void relay_start(struct relay *, const struct bench *, const struct daemon *);
void relay_stop(struct relay *);
bool relay_has_switch(const void *relay); /* it is waiting, or connected */
void relay_open(struct relay *);          /* lets the switch that waits, and later ones, through */
void relay_close(struct relay *);         /* ends the connection and lets nobody through */

#endif
