/* The host's network as its kernel tells (netlink): the device that carries the tunnel address, its MTU and link. */
#ifndef AGENT_UNDERLAY_H
#define AGENT_UNDERLAY_H 1

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct underlay_facts {
    char device[16]; /* "": no device has the address */
    uint16_t mtu;
    bool is_up; /* the link, not only the device */
};

/* Once, without watching. False: no device has it. */
bool underlay_mtu(struct ip, uint16_t *mtu);

struct underlay;

/* 'changed' is called from the loop whenever the facts of the address are others than before, first when they are known. */
typedef void underlay_changed(void *aux, const struct underlay_facts *);
struct underlay *underlay_new(struct event_base *, underlay_changed *, void *aux); /* NULL: the kernel tells nothing */
void underlay_free(struct underlay *);
void underlay_set_address(struct underlay *, struct ip);

#endif
