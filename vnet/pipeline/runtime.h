/* What is so now, as the hosts say: where ports are, how hosts are reached. Facts, not intent: never validated against wishes, lost
 * and learnt again. Pure; the controller writes it and keeps last-known facts across its own restarts, so that an incomplete view
 * never causes a deletion. */
#ifndef VNET_PIPELINE_RUNTIME_H
#define VNET_PIPELINE_RUNTIME_H 1

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

enum encap { ENCAP_GENEVE, ENCAP_VXLAN };

/* What health checks say of a load balancer's target. */
enum target_state {
    TARGET_INITIAL, /* nothing yet: gets no traffic while others are healthy */
    TARGET_HEALTHY,
    TARGET_UNHEALTHY
};

#define RUNTIME_UPLINKS_MAX 16

/* A physical network that a host reaches through a patch port. */
struct runtime_uplink {
    char network[64];
    uint32_t ofport; /* never 0 */
    uint16_t mtu;    /* of its bridge's network cards; 0: not known */
    bool is_down;    /* nothing can leave by it: they have no carrier */
};

/* A host as others need to know it, and its own OpenFlow port numbers. */
struct runtime_host {
    uint32_t number; /* of its object */
    struct ip encap_ip;
    enum encap encap;        /* how it wants to be reached */
    uint16_t mtu;            /* of its underlay */
    uint32_t tunnel_port[2]; /* by enum encap: OpenFlow port on this host; 0: none yet */
    bool is_gateway;         /* may hold public addresses of others */
    bool is_dead;            /* of a gateway: its peers cannot reach it */
    uint8_t n_uplinks;
    struct runtime_uplink uplinks[RUNTIME_UPLINKS_MAX];
};

/* Where a port is. host 0: nowhere. */
struct binding {
    uint32_t host;
    uint32_t ofport;
};

struct runtime;

struct runtime *runtime_new(void);
void runtime_free(struct runtime *);

const struct runtime_host *runtime_host(const struct runtime *, uint32_t number); /* NULL: unknown */
void runtime_set_host(struct runtime *, const struct runtime_host *);
void runtime_remove_host(struct runtime *, uint32_t number);
void runtime_each_host(const struct runtime *, void (*each)(void *aux, const struct runtime_host *), void *aux);
void runtime_each_gateway(const struct runtime *, void (*each)(void *aux, const struct runtime_host *),
                          void *aux); /* visits no other host */

struct binding runtime_binding(const struct runtime *, uint32_t port);
void runtime_bind(struct runtime *, uint32_t port, struct binding); /* host 0 unbinds */
/* Ports bound on a host; costs what it visits. */
void runtime_each_port_on(const struct runtime *, uint32_t host, void (*each)(void *aux, uint32_t port, uint32_t ofport), void *aux);

/* A port's second place while its guest moves: where it is about to run (armed), or has just run (left). host 0: none. */
struct twin {
    uint32_t host;
    uint32_t ofport; /* 0: its interface is not there yet, or no longer of interest */
    bool is_left;
};

struct twin runtime_twin(const struct runtime *, uint32_t port);
void runtime_set_twin(struct runtime *, uint32_t port, struct twin);
/* Ports whose second place is on a host; visits all that are on the move anywhere, which are few. */
void runtime_each_twin_on(const struct runtime *, uint32_t host, void (*each)(void *aux, uint32_t port, uint32_t ofport), void *aux);

/* The host that an elastic IP has just left, for another: it sends on what still comes there. 0: none, or it is over. */
uint32_t runtime_trail(const struct runtime *, uint32_t eip);
void runtime_set_trail(struct runtime *, uint32_t eip, uint32_t host);
/* Addresses that have just left a host; visits all that have just left any. */
void runtime_each_trail_on(const struct runtime *, uint32_t host, void (*each)(void *aux, uint32_t eip), void *aux);

/* The MAC address of a pool's upstream gateway, as last learnt. False: not known. */
bool runtime_gateway_mac(const struct runtime *, uint32_t pool, struct mac *);
void runtime_set_gateway_mac(struct runtime *, uint32_t pool, struct mac);
void runtime_forget_pool(struct runtime *, uint32_t pool);

/* The conntrack zone on a host of an object (a number of any type); 0: none is stored on the host yet. */
uint16_t runtime_zone(const struct runtime *, uint32_t host, uint32_t number);
void runtime_set_zone(struct runtime *, uint32_t host, uint32_t number, uint16_t zone); /* 0 forgets */

/* A target's health; TARGET_INITIAL: none is known, or it is forgotten. */
enum target_state runtime_target_state(const struct runtime *, uint32_t target);
void runtime_set_target_state(struct runtime *, uint32_t target, enum target_state);

#endif
