/* Counters read from switches when somebody asks: packets dropped by (port, reason), by a host, at a public address, and by a NAT
 * gateway without a free port. */
#ifndef CONTROLLER_COUNTERS_H
#define CONTROLLER_COUNTERS_H 1

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "ofproto/session/of_session.h"
#include "vnet/pipeline/layout.h"

struct controller;
struct drop_counts;

/* Reads the drop counters of the ports, hosts, elastic IPs and NAT gateways given (numbers), each host's in few questions, and calls 'done' with
 * them, at once if there is nobody to ask. A host that does not answer in time is left out: its columns are null. */
typedef void drop_counts_done(void *aux, const struct drop_counts *);
void drop_counts_read(struct controller *, const uint32_t *numbers, size_t n, drop_counts_done *, void *aux);

/* {reason: packets} of a port, of a host, of an elastic IP that a port has or a NAT gateway; packets of a NAT gateway without a free port; null
 * when not read. New references; 'counts' may be NULL. */
json_t *drop_counts_port(const struct drop_counts *, uint32_t port);
json_t *drop_counts_host(const struct drop_counts *, uint32_t host);
json_t *drop_counts_eip(const struct drop_counts *, uint32_t eip);
json_t *drop_counts_natgw(const struct drop_counts *, uint32_t natgw);
json_t *drop_counts_exhausted(const struct drop_counts *, uint32_t natgw);

/* The question for what all NAT gateways of a host had no port for, but for its callbacks; and: does a flow count that? Its cookie has the number. */
struct of_session_read drop_counts_exhausted_question(void);
bool drop_counts_is_exhausted(const struct wire_flow *);

#endif
