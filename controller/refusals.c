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
    uint8_t feature;
    char *reason;
};

/* What one host refuses of one object; there is at least one cause. */
struct refusal {
    struct map_node by_pair; /* refusals.pairs */
    struct victim *victim;
    uint32_t host;
    struct cause *causes;        /* the last one first */
    struct refusal *next, *prev; /* of the object, the oldest first */
    struct refusal *next_of_host, *prev_of_host;
};

/* An object of which some host refuses something. */
struct victim {
    struct map_node by_number;
    uint32_t number;
    struct refusal *first, *last;
    size_t n;
};

struct refusing_host {
    struct map_node by_number;
    uint32_t number;
    struct refusal *first;
};

struct refusals {
    struct controller *controller;
    struct map pairs, victims, hosts;
};

struct refusals *
refusals_new(struct controller *c)
{
    struct refusals *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->pairs);
    map_init(&all->victims);
    map_init(&all->hosts);
    return all;
}

/* ---- the three maps ---- */

static uint32_t
pair_hash(uint32_t host, uint32_t number)
{
    return hash_u64((uint64_t) host << 32 | number);
}

static struct refusal *
refusal_find(const struct refusals *all, uint32_t host, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &all->pairs, pair_hash(host, number)) {
        struct refusal *r = CONTAINER_OF(n, struct refusal, by_pair);
        if (r->host == host && r->victim->number == number)
            return r;
    }
    return NULL;
}

static struct victim *
victim_find(const struct refusals *all, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &all->victims, hash_number(number)) {
        struct victim *v = CONTAINER_OF(n, struct victim, by_number);
        if (v->number == number)
            return v;
    }
    return NULL;
}

static struct refusing_host *
refusing_host_find(const struct refusals *all, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &all->hosts, hash_number(number)) {
        struct refusing_host *h = CONTAINER_OF(n, struct refusing_host, by_number);
        if (h->number == number)
            return h;
    }
    return NULL;
}

static struct victim *
victim_get(struct refusals *all, uint32_t number)
{
    struct victim *v = victim_find(all, number);
    if (v)
        return v;
    v = mem_zalloc(sizeof *v);
    v->number = number;
    map_insert(&all->victims, &v->by_number, hash_number(number));
    return v;
}

static struct refusing_host *
refusing_host_get(struct refusals *all, uint32_t number)
{
    struct refusing_host *h = refusing_host_find(all, number);
    if (h)
        return h;
    h = mem_zalloc(sizeof *h);
    h->number = number;
    map_insert(&all->hosts, &h->by_number, hash_number(number));
    return h;
}

static struct refusal *
refusal_new(struct refusals *all, uint32_t host, uint32_t number)
{
    struct victim *v = victim_get(all, number);
    struct refusing_host *h = refusing_host_get(all, host);
    struct refusal *r = mem_zalloc(sizeof *r);
    *r = (struct refusal){ .victim = v, .host = host, .prev = v->last, .next_of_host = h->first };
    *(v->last ? &v->last->next : &v->first) = r;
    v->last = r;
    v->n++;
    if (h->first)
        h->first->prev_of_host = r;
    h->first = r;
    map_insert(&all->pairs, &r->by_pair, pair_hash(host, number));
    return r;
}

static void
host_unlink(struct refusals *all, struct refusal *r)
{
    struct refusing_host *h = refusing_host_find(all, r->host);
    *(r->prev_of_host ? &r->prev_of_host->next_of_host : &h->first) = r->next_of_host;
    if (r->next_of_host)
        r->next_of_host->prev_of_host = r->prev_of_host;
    if (h->first)
        return;
    map_remove(&all->hosts, &h->by_number);
    free(h);
}

static void
victim_unlink(struct refusals *all, struct refusal *r)
{
    struct victim *v = r->victim;
    *(r->prev ? &r->prev->next : &v->first) = r->next;
    *(r->next ? &r->next->prev : &v->last) = r->prev;
    if (--v->n)
        return;
    map_remove(&all->victims, &v->by_number);
    free(v);
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
    host_unlink(all, r);
    victim_unlink(all, r);
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
    map_done(&all->victims);
    map_done(&all->hosts);
    free(all);
}

/* ---- what happens ---- */

/* Takes the block's cause out of the list; NULL: there is none. */
static struct cause *
cause_take(struct refusal *r, uint8_t feature)
{
    for (struct cause **link = &r->causes; *link; link = &(*link)->next) {
        struct cause *c = *link;
        if (c->feature != feature)
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
    struct cause *cause = cause_take(r, cookie_feature(cookie));
    if (!cause)
        cause = mem_zalloc(sizeof *cause);
    free(cause->reason);
    *cause = (struct cause){ .next = r->causes, .feature = cookie_feature(cookie), .reason = mem_strdup(reason) };
    r->causes = cause;
    feed_object(all->controller->feed, cookie_number(cookie));
}

bool
refusals_remove(struct refusals *all, uint32_t host, uint64_t cookie)
{
    struct refusal *r = refusal_find(all, host, cookie_number(cookie));
    struct cause *cause = r ? cause_take(r, cookie_feature(cookie)) : NULL;
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
    struct victim *v = change->after ? NULL : victim_find(all, change->number);
    for (struct refusal *r = v ? v->first : NULL, *next; r; r = next) {
        next = r->next;
        refusal_free(all, r);
    }
}

void
refusals_host_removed(struct refusals *all, uint32_t host)
{
    struct refusing_host *h = refusing_host_find(all, host);
    for (struct refusal *r = h ? h->first : NULL, *next; r; r = next) {
        next = r->next_of_host;
        feed_object(all->controller->feed, r->victim->number);
        refusal_free(all, r);
    }
}

json_t *
refusals_error(const struct refusals *all, uint32_t object, bool names_hosts)
{
    const struct victim *v = victim_find(all, object);
    const struct hypervisor *h = v && names_hosts ? host_by_number(all->controller->hosts, v->first->host) : NULL;
    char more[48] = "";
    if (!v)
        return json_null();
    if (v->n > 1)
        snprintf(more, sizeof more, " (and so %zu more host%s)", v->n - 1, v->n > 2 ? "s" : "");
    char *text = h ? mem_printf("host '%s': %s%s", h->name, v->first->causes->reason, more)
                   : mem_printf("a host: %s%s", v->first->causes->reason, more);
    json_t *json = json_string(text);
    free(text);
    return json;
}
