/* Which interface of which host shows which iface-id: found by (host, iface-id), by iface-id, and by host. Only a table: what follows
 * from claims is binding.c's. */
#ifndef CONTROLLER_HOST_CLAIM_H
#define CONTROLLER_HOST_CLAIM_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/map.h"

struct expectation;

/* One interface of one host. */
struct claim {
    struct map_node by_key;
    struct claim *next;                  /* of the same iface-id, other hosts */
    struct claim *next_here, *prev_here; /* of the same host */
    struct iface *iface;
    uint32_t host, ofport;
    uint64_t order;               /* in which they hold what they claim */
    bool is_remembered;           /* from an earlier run, not yet said by the host itself */
    bool is_incoming;             /* its host's agent says that a guest is about to move here */
    struct expectation *expected; /* its host's agent says that it comes (binding.c's); NULL: not so, or it is there */
    char *error;                  /* the interface's, NULL: fine */
    bool has_mac;                 /* its guest's MAC is known: */
    struct mac mac;
};

/* One iface-id and who shows it. */
struct iface {
    struct map_node by_text;
    char *text;
    struct claim *claims;
};

struct claims {
    struct map by_key, ifaces, hosts;
    uint64_t order;
};

void claims_init(struct claims *);
void claims_done(struct claims *);

struct claim *claim_find(const struct claims *, uint32_t host, const char *iface_id);
struct claim *claim_add(struct claims *, uint32_t host, const char *iface_id); /* there is none yet */
void claim_remove(struct claims *, struct claim *);
void claim_to_end(struct claims *, struct claim *); /* as if it had come last */
void claim_set_order(struct claims *, struct claim *, uint64_t order);
void claim_set_error(struct claim *, const char *error); /* NULL or "": fine */

const struct iface *iface_find(const struct claims *, const char *iface_id);
struct claim *claim_first_of_host(const struct claims *, uint32_t host); /* then next_here */

#endif
