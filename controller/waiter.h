/* Who waits for hosts to confirm: requests with wait=hosts, sync. A waiter is a list of (host, sequence number); it ends when each
 * host has confirmed, or is no longer connected, or the time is over. */
#ifndef CONTROLLER_WAITER_H
#define CONTROLLER_WAITER_H 1

#include <stddef.h>
#include <stdint.h>

struct controller;
struct waiters;

struct waiters *waiters_new(struct controller *);
void waiters_free(struct waiters *); /* waiters still there are told 'not confirmed' */

/* 'unconfirmed' and 'disconnected' are host numbers, borrowed. */
struct waiter_result {
    const uint32_t *unconfirmed;
    size_t n_unconfirmed;
    const uint32_t *disconnected;
    size_t n_disconnected;
};
typedef void waiter_done(void *aux, const struct waiter_result *);

/* Waits until each of the hosts has confirmed what it wants now. Calls 'done' from here if nothing is to be waited for. */
void waiter_add(struct waiters *, const uint32_t hosts[], size_t n, double timeout_s, waiter_done *, void *aux);
/* The same of a change (its sequence number): what hosts keep for a moment of public addresses that others move (holdback.h) is not waited for. */
void waiter_add_change(struct waiters *, uint64_t change, const uint32_t hosts[], size_t n, double timeout_s, waiter_done *, void *aux);

/* A host has confirmed more, or has gone. */
void waiters_check(struct waiters *, uint32_t host);

#endif
