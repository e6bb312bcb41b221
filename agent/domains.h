/* The host's domains as the agent knows them: what libvirt said when last asked, what happened last, and what vnetd has still to be told. Pure
 * but for the memory. */
#ifndef AGENT_DOMAINS_H
#define AGENT_DOMAINS_H 1

#include <stdint.h>

#include "agent/domain_xml.h"
#include "base/json.h"
#include "base/list.h"
#include "base/map.h"

#define DOMAIN_EVENTS_MAX 16 /* told with each report until one is taken; of more the oldest are left out */

struct domains;
struct virt_domain;

struct domain {
    struct map_node by_id;
    struct list_node untold;     /* vnetd does not know it as it is */
    struct list_node on_its_way; /* it is in the report that vnetd has not answered yet */
    struct list_node undeclared; /* nor its interfaces, and is to hear of them without a hook that asks */
    struct domains *all;
    struct uuid id;
    char *name;
    const char *state, *reason; /* static words */
    struct domain_event {
        char words[64];
        int64_t at_ms;                         /* monotonic */
        int64_t number;                        /* one counts those of all domains, from 1 */
    } event, untold_events[DOMAIN_EVENTS_MAX]; /* the last one; those that vnetd may not have heard of */
    size_t n_untold_events;
    int64_t told_until; /* number of the last one in the report on its way */
    int64_t since_ms;   /* likewise */
    int run;            /* libvirt's id of it while it runs, another one each time; -1 */
    bool is_read;       /* libvirt has told of it, not only a hook or an event */
    bool is_active, is_persistent;
    bool is_answered;       /* vnetd has answered what it declares, since it was last prepared and as it is now */
    bool is_migrating_out;  /* its memory is being copied to another host */
    bool is_incoming;       /* it comes from another host, where it still runs */
    struct domain_doc *doc; /* NULL: not read yet */
    json_t *counters;       /* NULL: none yet */
    int64_t touched_ms;     /* monotonic: when a hook or an event last spoke of it */
};

struct domains {
    struct map by_id;
    struct list untold, on_its_way, undeclared;
    int64_t n_events;  /* that there have been of all domains */
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

/* vnetd does not know it as it is. */
void domain_untold(struct domain *);
/* Nor its interfaces: they are to be declared without a hook that asks; and no more. */
void domain_undeclared(struct domain *);
void domain_declared(struct domain *);

/* As vnetd takes them (controller/api/README.md): moments as ages at now_ms. New references. */
json_t *domain_report_json(const struct domain *, int64_t now_ms);
json_t *domain_declaration_json(const struct domain *);

/* A report with the domain is on its way. Then, of all that are: vnetd has taken it, or may not have. */
void domain_sent(struct domain *);
void domains_taken(struct domains *);
void domains_lost(struct domains *);

#endif
