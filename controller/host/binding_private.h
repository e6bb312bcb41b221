/* Bindings from inside: binding.c takes claims and settles who holds a port, as election.c finds; port_place.c follows how far its host is with it. */
#ifndef CONTROLLER_HOST_BINDING_PRIVATE_H
#define CONTROLLER_HOST_BINDING_PRIVATE_H 1

#include <event2/event.h>

#include "controller/host/binding.h"
#include "controller/host/claim.h"
#include "vnet/pipeline/runtime.h"

/* A port's place and progress; exists while some interface claims the port. */
struct place {
    struct bindings *all;
    struct map_node by_port;
    uint32_t port;
    struct claim *holder;
    struct binding bound;         /* as told to the runtime */
    uint64_t seq;                 /* what its host must confirm for it to be active */
    struct place *next_building;  /* on the same host: hypervisor.building */
    struct place **link_building; /* what points to it there; NULL: it is active, or nowhere */
    char *refused;                /* the switch's reason, NULL none */
    char *misfit;                 /* why nothing that the interface's guest sends is taken, NULL: nothing is known against it */

    struct twin twin;        /* as told to the runtime */
    uint64_t twin_seq;       /* what its host must confirm for it to be in place */
    bool is_twin_building;   /* it has not */
    uint32_t left_host;      /* that the guest has just left; 0: none */
    struct event *left_over; /* then nothing is sent on any more */
};

struct hypervisor;

struct bindings {
    struct controller *controller;
    struct claims claims;
    struct map places;
    bool is_young;
    struct event *grow_up;
};

/* ---- port_twin.c ---- */
/* The place's second place is what its claims say now. Before the place is freed: there is none. */
void twin_settle(struct bindings *, struct place *);
void twin_remove(struct bindings *, struct place *);
void twin_moved(struct bindings *, struct place *, uint32_t from);
void twins_confirmed(struct bindings *, const struct hypervisor *);

/* ---- election.c ---- */
/* Calls 'each' for each claim on a port. */
void each_claim(const struct bindings *, const struct object *port, void (*each)(void *aux, struct claim *), void *aux);
/* Which of them is to hold the port, that now has this holder, or none (NULL). NULL: nobody claims it. */
struct claim *elect_claim(const struct bindings *, const struct object *port, struct claim *holder);
/* The claim that a host has on a port; NULL: none. */
struct claim *claim_of(const struct bindings *, const struct object *port, uint32_t host);

struct place *place_find(const struct bindings *, uint32_t port);
/* The place must be confirmed anew, up to 'seq'. */
void place_rebuild(struct bindings *, struct place *, uint64_t seq);
/* The holder, or what is known of its interface, has changed. */
void place_judge_mac(struct bindings *, struct place *);
void place_free(struct bindings *, struct place *);

#endif
