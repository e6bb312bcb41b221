/* The host's domains as the agent knows them: what libvirt said when last asked, what happened last, and what vnetd has still to be told. Pure
 * but for the memory. */
#ifndef AGENT_DOMAINS_H
#define AGENT_DOMAINS_H 1

#include <stdint.h>

#include "agent/domain_xml.h"
#include "base/json.h"
#include "base/map.h"

#define DOMAIN_EVENTS_MAX 16 /* told with the next report; of more the oldest are left out */

struct virt_domain;

struct domain {
    struct map_node by_id;
    struct uuid id;
    char *name;
    const char *state, *reason; /* static words */
    struct domain_event {
        char words[64];
        int64_t at_ms;                         /* monotonic */
    } event, untold_events[DOMAIN_EVENTS_MAX]; /* the last one; those that vnetd has not heard of */
    size_t n_untold_events;
    int64_t since_ms; /* likewise */
    int run;          /* libvirt's id of it while it runs, another one each time; -1 */
    bool is_read;     /* libvirt has told of it, not only a hook or an event */
    bool is_active, is_persistent;
    bool is_untold;         /* vnetd does not know it as it is */
    bool is_undeclared;     /* nor its interfaces; only while it is active */
    bool is_migrating_out;  /* its memory is being copied to another host */
    bool is_incoming;       /* it comes from another host, where it still runs */
    struct domain_doc *doc; /* NULL: not read yet */
    json_t *counters;       /* NULL: none yet */
    int64_t touched_ms;     /* monotonic: when a hook or an event last spoke of it */
};

struct domains {
    struct map by_id;
    struct uuid *gone; /* of which vnetd has still to be told */
    size_t n_gone, cap_gone;
};

void domains_init(struct domains *);
void domains_done(struct domains *);

struct domain *domain_find(const struct domains *, struct uuid); /* or NULL */
/* Made if it is not there: then paused, since its start is what one hears of first. */
struct domain *domain_get(struct domains *, struct uuid, const char *name, int64_t now_ms);
void domain_remove(struct domains *, struct domain *);
/* vnetd knows of the first n that are gone. */
void domains_gone_told(struct domains *, size_t n);

/* What libvirt says of it now; takes over doc and counters. */
void domain_take(struct domain *, struct virt_domain *, int64_t now_ms);
void domain_set_doc(struct domain *, struct domain_doc *take);
/* Something happened: "resumed migrated". */
void domain_event(struct domain *, const char *words, int64_t now_ms);

/* As vnetd takes them (controller/api/README.md): moments as ages at now_ms. New references. */
json_t *domain_report_json(const struct domain *, int64_t now_ms);
void domain_told(struct domain *);
json_t *domain_declaration_json(const struct domain *);

#endif
