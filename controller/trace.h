/* What happens to a packet that a port, or a machine outside, sends: the hosts' desired tables executed one after the other, through tunnels, to a
 * verdict, in the tenant's words. Reads only; knows hosts by what the network says of them, so that tests bring their own.
 *
 * The first line of the sender's story is ARP: for an address of its own subnet, or else for the gateway; outside, for the destination, by the
 * sender or its router. If nobody answers, the packet itself is never sent. */
#ifndef CONTROLLER_TRACE_H
#define CONTROLLER_TRACE_H 1

#include "base/json.h"
#include "ofproto/flow/flow_table.h"
#include "vnet/pipeline/feature.h"

struct trace_network {
    struct view view;
    struct flow_table *(*table)(void *aux, uint32_t host); /* its desired table; NULL: none, or not complete */
    /* May whoever asks see it? NULL: everything. Of what another tenant owns it is only told that there is such a thing. */
    bool (*may_see)(void *aux, const struct object *);
    void *aux;
};

struct trace_packet {
    uint8_t proto; /* IPPROTO_ICMP (echo request), IPPROTO_TCP (first segment), IPPROTO_UDP */
    uint16_t port; /* the destination's; TCP and UDP */
    struct ip dst;
};

/* {"proto": "icmp|tcp|udp", "dst": "IP", "port": N} */
bool trace_packet_parse(const json_t *, struct trace_packet *, struct error *) MUST_CHECK;

/* Where it begins: a port, or else an address on the network of a pool. */
struct trace_origin {
    uint32_t port;
    uint32_t pool;
    struct ip src;
};

/* {"hops": [{"host", "table", "stage", "text", "flow", "output"}], "verdict", "lines"}: a new reference, or NULL with *err if it cannot
 * be told: the port is unbound, a host has no table, or a flow does what tracing does not know. "flow" is null where nothing matched,
 * "output" where the flow sends nothing. The verdict is 'delivered PORT', 'answered', 'left POOL' or 'dropped REASON OBJECT'. */
json_t *trace_run(const struct trace_network *, const struct trace_origin *, const struct trace_packet *, struct error *) MUST_CHECK;

#endif
