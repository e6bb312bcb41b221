/* Counters read from switches when somebody asks: packets dropped by (port, reason), and by a host. Nothing is polled. */
#ifndef CONTROLLER_COUNTERS_H
#define CONTROLLER_COUNTERS_H 1

#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "vnet/pipeline/layout.h"

struct controller;
struct drop_counts;

/* Reads the drop counters of the ports and hosts given (numbers), each host's in one question, and calls 'done' with them, at once if there
 * is nobody to ask. A host that does not answer in time is left out: its columns are null. */
typedef void drop_counts_done(void *aux, const struct drop_counts *);
void drop_counts_read(struct controller *, const uint32_t *numbers, size_t n, drop_counts_done *, void *aux);

/* {reason: packets} of a port; packets of a host; null when not read. New references; 'counts' may be NULL. */
json_t *drop_counts_port(const struct drop_counts *, uint32_t port);
json_t *drop_counts_host(const struct drop_counts *, uint32_t host);

#endif
