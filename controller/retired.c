#include "controller/retired.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/store/store.h"

struct retiree {
    struct retiree *next;
    uint64_t seq; /* rising along the queue */
    uint32_t number;
};

struct retired {
    struct controller *controller;
    struct retiree *first, **last;
};

struct retired *
retired_new(struct controller *c)
{
    struct retired *r = mem_zalloc(sizeof *r);
    r->controller = c;
    r->last = &r->first;
    return r;
}

static void
put(struct retired *r, uint32_t number, uint64_t seq)
{
    struct retiree *retiree = mem_zalloc(sizeof *retiree);
    *retiree = (struct retiree){ .seq = seq, .number = number };
    *r->last = retiree;
    r->last = &retiree->next;
}

void
retired_load(struct retired *r, uint32_t number)
{
    put(r, number, 1);
}

void
retired_add(struct retired *r, const struct change *changes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!changes[i].after)
            put(r, changes[i].number, r->controller->seq);
    retired_check(r);
}

bool
retired_has(const struct retired *r, uint32_t number)
{
    for (const struct retiree *retiree = r->first; retiree; retiree = retiree->next)
        if (retiree->number == number)
            return true;
    return false;
}

/* Up to where all hosts have confirmed. One that wants nothing more has confirmed everything, once it has been read. */
static uint64_t
confirmed_by_all(const struct retired *r)
{
    uint64_t least = UINT64_MAX;
    for (const struct hypervisor *h = hosts_first(r->controller->hosts); h; h = hosts_next(r->controller->hosts, h)) {
        bool has_all = h->confirmed_seq && host_is_realised(h);
        if (h->number && !has_all && h->confirmed_seq < least)
            least = h->confirmed_seq;
    }
    return least;
}

void
retired_check(struct retired *r)
{
    if (!r->first)
        return;
    uint64_t confirmed = confirmed_by_all(r);
    while (r->first && r->first->seq <= confirmed) {
        struct retiree *retiree = r->first;
        r->first = retiree->next;
        if (!r->first)
            r->last = &r->first;
        model_release_number(r->controller->model, retiree->number);
        store_remove_tombstone(r->controller->store, retiree->number);
        hosts_number_released(r->controller->hosts, retiree->number);
        free(retiree);
    }
}

void
retired_free(struct retired *r)
{
    if (!r)
        return;
    for (struct retiree *next; r->first; r->first = next) {
        next = r->first->next;
        free(r->first);
    }
    free(r);
}
