/* How many connections of load balancers are open, as hosts have counted them: what an agent's report says, and its sums over hosts by target and by
 * where connections went to first. Pure. */
#ifndef CONTROLLER_INSTANCE_OPEN_COUNTS_H
#define CONTROLLER_INSTANCE_OPEN_COUNTS_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/json.h"

#define OPEN_ROWS_MAX 50000 /* of one report */
#define OPEN_EVERY_MAX_MS 600000

/* The original destination of connections: a balancer's address and port, its own or that of its elastic IP. */
struct open_place {
    struct ip ip;
    uint16_t port;
    uint8_t proto;
};

struct open_row {
    uint32_t target;
    uint16_t zone;
    struct open_place place;
    uint64_t n;
};

/* Of one host. */
struct open_report {
    struct open_row *rows; /* owned */
    size_t n;
    int64_t every_ms; /* so long until it counts again; 0: it does not know how many there are */
};

/* A report's "connections" (controller/api/README.md). False with *err: it makes no sense, and there is nothing to free. */
bool open_report_read(struct open_report *, const json_t *, struct error *) MUST_CHECK;
void open_report_done(struct open_report *);

struct open_counts;

struct open_counts *open_counts_new(void);
void open_counts_free(struct open_counts *);

/* What a host has counted takes the place of what it had. Rows of a zone in which there is nothing alive (a port that has left, say) do not count.
 * Changes the order of rows. */
void open_counts_take(struct open_counts *, uint32_t host, struct open_report *, bool (*is_alive)(void *aux, uint16_t zone), void *aux);
void open_counts_forget(struct open_counts *, uint32_t host);

/* Of all hosts. */
uint64_t open_counts_of_target(const struct open_counts *, uint32_t target);
/* Those that went there, to targets that 'counts' says to be concerned: others have the same addresses. */
uint64_t open_counts_at(const struct open_counts *, const struct open_place *, bool (*counts)(void *aux, uint32_t target), void *aux);

#endif
