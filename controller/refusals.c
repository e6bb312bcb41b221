#include "controller/refusals.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/host.h"
#include "vnet/pipeline/layout.h"

/* Of one block. */
struct cause {
    struct cause *next;
    uint64_t cookie;
    char *reason;
};

/* An object of which some host refuses something, or a host that refuses something of some object. */
enum side { OBJECT, HOST, N_SIDES };

struct party {
    struct map_node by_number;
    uint32_t number;
    struct refusal *first, *last;
    size_t n;
};

/* What one host refuses of one object; there is at least one cause. */
struct refusal {
    struct map_node by_pair;
    struct {
        struct party *party;
        struct refusal *next, *prev; /* of the party's, the oldest first */
    } of[N_SIDES];
    struct cause *causes; /* the last one first */
};

struct refusals {
    struct controller *controller;
    struct map pairs, parties[N_SIDES];
};

struct refusals *
refusals_new(struct controller *c)
{
    struct refusals *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->pairs);
    for (enum side side = 0; side < N_SIDES; side++)
        map_init(&all->parties[side]);
    return all;
}

/* ---- who refuses what ---- */

static struct party *
party_find(const struct refusals *all, enum side side, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &all->parties[side], hash_number(number)) {
        struct party *p = CONTAINER_OF(n, struct party, by_number);
        if (p->number == number)
            return p;
    }
    return NULL;
}

static void
party_join(struct refusals *all, enum side side, uint32_t number, struct refusal *r)
{
    struct party *p = party_find(all, side, number);
    if (!p) {
        p = mem_zalloc(sizeof *p);
        p->number = number;
        map_insert(&all->parties[side], &p->by_number, hash_number(number));
    }
    r->of[side].party = p;
    r->of[side].prev = p->last;
    *(p->last ? &p->last->of[side].next : &p->first) = r;
    p->last = r;
    p->n++;
}

static void
party_leave(struct refusals *all, enum side side, struct refusal *r)
{
    struct party *p = r->of[side].party;
    struct refusal *next = r->of[side].next, *prev = r->of[side].prev;
    *(prev ? &prev->of[side].next : &p->first) = next;
    *(next ? &next->of[side].prev : &p->last) = prev;
    if (--p->n)
        return;
    map_remove(&all->parties[side], &p->by_number);
    free(p);
}

static uint32_t
pair_hash(uint32_t host, uint32_t object)
{
    return hash_u64((uint64_t) host << 32 | object);
}

static struct refusal *
refusal_find(const struct refusals *all, uint32_t host, uint32_t object)
{
    MAP_FOR_EACH_HASH (n, &all->pairs, pair_hash(host, object)) {
        struct refusal *r = CONTAINER_OF(n, struct refusal, by_pair);
        if (r->of[HOST].party->number == host && r->of[OBJECT].party->number == object)
            return r;
    }
    return NULL;
}

static struct refusal *
refusal_new(struct refusals *all, uint32_t host, uint32_t object)
{
    struct refusal *r = mem_zalloc(sizeof *r);
    party_join(all, HOST, host, r);
    party_join(all, OBJECT, object, r);
    map_insert(&all->pairs, &r->by_pair, pair_hash(host, object));
    return r;
}

static void
cause_free(struct cause *cause)
{
    free(cause->reason);
    free(cause);
}

static void
refusal_free(struct refusals *all, struct refusal *r)
{
    map_remove(&all->pairs, &r->by_pair);
    for (enum side side = 0; side < N_SIDES; side++)
        party_leave(all, side, r);
    for (struct cause *c = r->causes, *next; c; c = next) {
        next = c->next;
        cause_free(c);
    }
    free(r);
}

void
refusals_free(struct refusals *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->pairs)
        refusal_free(all, CONTAINER_OF(n, struct refusal, by_pair));
    map_done(&all->pairs);
    for (enum side side = 0; side < N_SIDES; side++)
        map_done(&all->parties[side]);
    free(all);
}

/* ---- what happens ---- */

/* Takes the block's cause out of the list; NULL: there is none. */
static struct cause *
cause_take(struct refusal *r, uint64_t cookie)
{
    for (struct cause **link = &r->causes; *link; link = &(*link)->next) {
        struct cause *c = *link;
        if (c->cookie != cookie)
            continue;
        *link = c->next;
        return c;
    }
    return NULL;
}

static bool
has_column(const struct refusals *all, uint64_t cookie)
{
    uint8_t type = cookie_type(cookie);
    return type && type != OBJECT_HOST && model_get(all->controller->model, cookie_number(cookie), type);
}

void
refusals_add(struct refusals *all, uint32_t host, uint64_t cookie, const char *reason)
{
    if (!has_column(all, cookie))
        return;
    struct refusal *r = refusal_find(all, host, cookie_number(cookie));
    if (!r)
        r = refusal_new(all, host, cookie_number(cookie));
    struct cause *cause = cause_take(r, cookie);
    if (!cause)
        cause = mem_zalloc(sizeof *cause);
    free(cause->reason);
    *cause = (struct cause){ .next = r->causes, .cookie = cookie, .reason = mem_strdup(reason) };
    r->causes = cause;
    feed_object(all->controller->feed, cookie_number(cookie));
}

bool
refusals_remove(struct refusals *all, uint32_t host, uint64_t cookie)
{
    struct refusal *r = refusal_find(all, host, cookie_number(cookie));
    struct cause *cause = r ? cause_take(r, cookie) : NULL;
    if (!cause)
        return !r;
    cause_free(cause);
    bool is_last = !r->causes;
    if (is_last)
        refusal_free(all, r);
    feed_object(all->controller->feed, cookie_number(cookie));
    return is_last;
}

void
refusals_changed(struct refusals *all, const struct change *change)
{
    const struct party *p = change->after ? NULL : party_find(all, OBJECT, change->number);
    for (struct refusal *r = p ? p->first : NULL, *next; r; r = next) {
        next = r->of[OBJECT].next;
        refusal_free(all, r);
    }
}

void
refusals_host_removed(struct refusals *all, uint32_t host)
{
    const struct party *p = party_find(all, HOST, host);
    for (struct refusal *r = p ? p->first : NULL, *next; r; r = next) {
        next = r->of[HOST].next;
        feed_object(all->controller->feed, r->of[OBJECT].party->number);
        refusal_free(all, r);
    }
}

const char *
refusals_of_host(const struct refusals *all, uint32_t host, uint64_t *cookie)
{
    const struct party *p = party_find(all, HOST, host);
    if (!p)
        return NULL;
    *cookie = p->first->causes->cookie;
    return p->first->causes->reason;
}

json_t *
refusals_error(const struct refusals *all, uint32_t object, bool names_hosts)
{
    const struct party *p = party_find(all, OBJECT, object);
    if (!p)
        return json_null();
    const char *reason = p->first->causes->reason;
    const struct hypervisor *h = names_hosts ? host_by_number(all->controller->hosts, p->first->of[HOST].party->number) : NULL;
    char more[48] = "";
    if (p->n > 1)
        snprintf(more, sizeof more, " (and so %zu more host%s)", p->n - 1, p->n > 2 ? "s" : "");
    char *text = h ? mem_printf("host '%s': %s%s", h->name, reason, more) : mem_printf("a host: %s%s", reason, more);
    json_t *json = json_string(text);
    free(text);
    return json;
}
