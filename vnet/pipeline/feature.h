/* A feature is a folder under vnet/feature/ and one row here: the only way the compiler knows it.
 *
 * A block is what one object contributes to one host through one feature; its flows all carry cookie_make(feature, type, number).
 * Block functions are pure: the same view, host and object give the same specs. A feature says for a change which blocks
 * it touches (and on which hosts), so that work follows the change; saying too many only costs time, saying too few breaks invariant 1. */
#ifndef VNET_PIPELINE_FEATURE_H
#define VNET_PIPELINE_FEATURE_H 1

#include "base/bytes.h"
#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/packet_in.h"
#include "vnet/model/transaction.h"
#include "vnet/pipeline/layout.h"
#include "vnet/pipeline/runtime.h"
#include "vnet/pipeline/stage.h"

/* Feature numbers are in cookies: never change one, never use one again. */
/* clang-format off */
#define FEATURE_LIST(X)              \
    X(FEATURE_BASE,    1, base)      /* flows every host has: table ends, answers to ARP, sizes */ \
    X(FEATURE_ADMIT,   2, admit)     /* local ports: anti-spoofing */ \
    X(FEATURE_ARP,     3, arp)       \
    X(FEATURE_DHCP,    4, dhcp)      \
    X(FEATURE_GATEWAY, 5, gateway)   /* echo to the gateway, TTL */ \
    X(FEATURE_ROUTE,   6, route)     \
    X(FEATURE_L2,      7, l2)        /* neighbours and delivery by MAC */ \
    X(FEATURE_TUNNEL,  8, tunnel)    \
    X(FEATURE_REJECT,  9, reject)    /* counted drops, ICMP errors */ \
    X(FEATURE_UPLINK, 10, uplink)    /* physical networks: what enters and leaves */ \
    X(FEATURE_EIP,    11, eip)       /* elastic IPs of ports, without conntrack */ \
    X(FEATURE_NATGW,  12, natgw)     /* NAT gateways, with conntrack */ \
    X(FEATURE_SG,     13, sg)        /* security groups, with conntrack at the port's own host */ \
    X(FEATURE_LB,     14, lb)        /* load balancers, with the same pass */ \
    X(FEATURE_LB_CHECK, 15, lb_check) /* targets' answers to health checks */ \
    X(FEATURE_MIGRATE, 30, migrate)  /* a guest that moves: its other place */
/* clang-format on */

enum feature_number {
#define X(ID, NUMBER, NAME) ID = NUMBER,
    FEATURE_LIST(X)
#undef X
        FEATURE_MAX
};

/* What features look at. */
struct view {
    const struct model *model;
    const struct runtime *runtime;
    const struct presence
        *groups; /* which hosts have ports of which security groups (presence.h); for blocks and touches, NULL elsewhere */
};

/* One thing that changed; model and runtime in the view already show the new state. */
struct vnet_event {
    enum {
        EVENT_OBJECT,
        EVENT_BINDING,
        EVENT_HOST,
        EVENT_TWIN,        /* of a port: its second place */
        EVENT_TRAIL,       /* of an elastic IP: the host that it has just left */
        EVENT_GATEWAY_MAC, /* of a pool */
        EVENT_ZONE,        /* a host has stored a conntrack zone */
        EVENT_TARGET
    } kind;                                              /* a target's health is another */
    const struct change *change;                         /* EVENT_OBJECT */
    uint32_t number;                                     /* EVENT_BINDING, EVENT_TWIN: port; EVENT_TRAIL: elastic IP; EVENT_HOST: host;
                                                  * EVENT_GATEWAY_MAC: pool; EVENT_ZONE: host; EVENT_TARGET: target */
    uint32_t zone_of;                                    /* EVENT_ZONE: the object */
    struct binding before, after;                        /* EVENT_BINDING; EVENT_TWIN: of the second place; EVENT_TRAIL: its host */
    const struct runtime_host *host_before, *host_after; /* EVENT_HOST; NULL: was, is unknown */
    uint32_t vpc; /* filled in by the compiler, for features: the VPC the object (the bound port) belongs, or until now
                                 * belonged to, known even if what it hung on went in the same transaction; 0: none, or not known */
};

/* Where a touched block is to be compiled again. */
struct touch {
    enum {
        TOUCH_VPC,  /* on the hosts that hold this VPC */
        TOUCH_SG,   /* on the hosts that have ports of this security group */
        TOUCH_HOST, /* on one host */
        TOUCH_EVERYWHERE
    } scope;
    uint32_t where; /* VPC's, security group's or host's number */
};

struct touch_list; /* the compiler's */
void touch_add(struct touch_list *, uint8_t feature, uint8_t type, uint32_t number, struct touch);

/* What a block function writes into. */
struct block {
    const struct view *view;
    uint32_t host;                   /* the host compiled for */
    const struct runtime_host *here; /* its facts; never NULL */
    uint64_t cookie;
    struct flow_builder *fb;
    struct arena *arena;
    const struct spec **specs; /* grows */
    size_t n, cap;
    void (*zone_wanted)(void *aux, uint64_t cookie, uint32_t host, uint32_t number); /* NULL: nobody listens */
    void (*zone_follows)(void *aux, uint32_t host, uint32_t number, bool follows);   /* likewise */
    void *zone_aux;
};

/* flow_begin() with the block's cookie; block_flow_end() adds the flow to the block. */
struct flow_builder *block_flow(struct block *, enum stage, uint16_t priority);
void block_flow_end(struct block *);
void block_add(struct block *, const struct spec *); /* a meter or group */
/* The object's conntrack zone on the block's host. 0: it has none yet, and has been asked for one; the block is compiled again when the
 * host has stored it. */
uint16_t block_zone(struct block *, uint32_t number);
/* Says whether all packets of the connections in that zone pass it by the flows of this block. Where they do not, conntrack loses its place in
 * them; so a zone that follows again must have forgotten them by then. A block that is gone says nothing. */
void block_zone_follows(struct block *, uint32_t number, bool follows);

/* Emits the numbers of objects that have a block of this feature on 'host' because it holds 'vpc' (0: whatever it holds). */
typedef void block_emit(void *aux, uint8_t type, uint32_t number);

struct feature {
    const char *name;
    uint8_t number;
    void (*touches)(const struct view *, const struct vnet_event *, struct touch_list *);
    /* Every block this feature has on a host for one VPC, or, with vpc 0, regardless of VPCs: the host's first fill. */
    void (*blocks)(const struct view *, uint32_t host, uint32_t vpc, block_emit *, void *aux);
    /* Those it has on a host because a port there has this security group. NULL: none. */
    void (*blocks_of_group)(const struct view *, uint32_t group, block_emit *, void *aux);
    /* The block's flows; none if the object is gone or is not this host's to serve. (Blocks of a VPC that the host does not hold are the
     * compiler's to leave out.) */
    void (*flows)(struct block *, uint8_t type, uint32_t number);
    /* Answers a packet that a flow of this feature sent to us: appends one packet to 'out', which goes back to in_port. False: no answer.
     * Stateless: everything is in the packet-in. NULL: sends none. */
    bool (*answer)(const struct packet_in *, struct bytes *out);
    /* The same for one that waits in the switch (packet_in.continuation): what goes on there in its place are packets 0, 1, ... until it
     * says false; without any it is dropped. Its cookie and table are those of the packet's first flow, so the userdata alone tells
     * whose it is. */
    bool (*resume)(const struct packet_in *, unsigned i, struct bytes *out);
    /* Puts a step of a trace into words: "'web1' sends from an address that it may use". NULL or "": nothing to say. */
    void (*explain)(const struct view *, const struct spec *, char *text, size_t size);
};

#define X(ID, NUMBER, NAME) extern const struct feature feature_##NAME;
FEATURE_LIST(X)
#undef X

const struct feature *feature_by_number(uint8_t); /* NULL: none */
const struct feature *const *feature_list(unsigned *n);
/* The i-th packet that the feature that a waiting packet is for makes of it. */
bool feature_resume(const struct packet_in *, unsigned i, struct bytes *out);

/* The VPC a number belongs to (port, subnet, rtb, route, igw, natgw, vpc); 0 if none or gone. */
uint32_t view_vpc_of(const struct view *, uint8_t type, uint32_t number);

#endif
