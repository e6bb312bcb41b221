#include "controller/instance/instances.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/binding.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "controller/instance/declared.h"
#include "controller/instance/instances_private.h"
#include "controller/instance/listings.h"
#include "controller/instance/migrations.h"
#include "controller/instance/removals.h"
#include "controller/instance/report.h"
#include "vnet/model/model.h"

#define LOG_MODULE "instance"
#include "base/log.h"

/* All that a host has, so that its reports cost nothing of the others'. */
struct on_host {
    struct map_node by_host;
    uint32_t host;
    struct list sightings;
};

struct instances_reader {
    struct instances_reader *next;
    struct instances *all;
    void (*each)(void *aux);
    void *aux;
};

static void remove_unknown(void *aux, uint32_t host, bool is_late);
static void look_at_owed(void *aux);

struct instances *
instances_new(struct controller *c)
{
    struct instances *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->by_id);
    map_init(&all->by_host);
    all->listings = listings_new(c, remove_unknown, look_at_owed, all);
    return all;
}

static struct instance *
instance_find(const struct instances *all, struct uuid id)
{
    MAP_FOR_EACH_HASH (n, &all->by_id, uuid_hash(id)) {
        struct instance *i = CONTAINER_OF(n, struct instance, by_id);
        if (uuid_equal(i->id, id))
            return i;
    }
    return NULL;
}

static struct sighting *
sighting_of(const struct instance *i, uint32_t host)
{
    struct sighting *s = i ? i->sightings : NULL;
    while (s && s->host != host)
        s = s->next;
    return s;
}

static struct on_host *
on_host_find(const struct instances *all, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &all->by_host, hash_u32(host)) {
        struct on_host *h = CONTAINER_OF(n, struct on_host, by_host);
        if (h->host == host)
            return h;
    }
    return NULL;
}

static void
on_host_push(struct instances *all, struct sighting *s)
{
    struct on_host *h = on_host_find(all, s->host);
    if (!h) {
        h = mem_zalloc(sizeof *h);
        h->host = s->host;
        list_init(&h->sightings);
        map_insert(&all->by_host, &h->by_host, hash_u32(h->host));
    }
    list_push(&h->sightings, &s->of_host);
}

static void
on_host_remove(struct instances *all, struct sighting *s)
{
    struct on_host *h = on_host_find(all, s->host);
    list_remove(&s->of_host);
    if (list_first(&h->sightings))
        return;
    map_remove(&all->by_host, &h->by_host);
    free(h);
}

/* The instance goes with its last one. */
static void
sighting_unlink(struct instances *all, struct sighting *s)
{
    struct instance *i = s->instance;
    on_host_remove(all, s);
    struct sighting **p = &i->sightings;
    while (*p != s)
        p = &(*p)->next;
    *p = s->next;
    if (i->sightings)
        return;
    map_remove(&all->by_id, &i->by_id);
    free(i);
}

#define REPORT_WAY_MS 2000 /* by which the same moment may come out later */

/* The same state since about the same moment is the same since ever: each report's way takes its own time. */
static void
keep_since(struct sighting *s, const struct sighting *old)
{
    if (!moment_is_known(s->since_ms))
        return;
    s->since_wall_ms = controller_wall_ms() - (controller_now_ms() - s->since_ms);
    if (!old || old->state != s->state || strcmp(old->reason, s->reason) || !moment_is_known(old->since_ms)
        || llabs(s->since_ms - old->since_ms) > REPORT_WAY_MS)
        return;
    s->since_ms = old->since_ms;
    s->since_wall_ms = old->since_wall_ms;
}

static void
sighting_drop(struct instances *all, struct sighting *s)
{
    sighting_unlink(all, s);
    sighting_free(s);
}

static void
sighting_put(struct instances *all, uint32_t host, struct sighting *take)
{
    struct instance *i = instance_find(all, take->id);
    struct sighting *old = sighting_of(i, host);
    if (!i) {
        i = mem_zalloc(sizeof *i);
        i->id = take->id;
        map_insert(&all->by_id, &i->by_id, uuid_hash(i->id));
    }
    if (old && old->counters && !take->counters)
        take->counters = json_incref(old->counters);
    keep_since(take, old);
    sighting_forget_known(take, old);
    take->host = host;
    take->instance = i;
    take->next = i->sightings;
    i->sightings = take;
    on_host_push(all, take);
    if (old)
        sighting_drop(all, old);
    migrations_seen(all->controller->migrations, take, false);
}

/* ---- who wants to hear of changes ---- */

struct instances_reader *
instances_subscribe(struct instances *all, void (*each)(void *aux), void *aux)
{
    struct instances_reader *r = mem_zalloc(sizeof *r);
    *r = (struct instances_reader){ all->readers, all, each, aux };
    all->readers = r;
    return r;
}

void
instances_unsubscribe(struct instances_reader *r)
{
    struct instances_reader **p = r ? &r->all->readers : NULL;
    while (p && *p != r)
        p = &(*p)->next;
    if (p)
        *p = r->next;
    free(r);
}

static void
tell_readers(const struct instances *all)
{
    for (struct instances_reader *r = all->readers; r; r = r->next)
        r->each(r->aux);
}

/* ---- reports ---- */

static void
sighting_end(struct instances *all, struct sighting *s)
{
    migrations_seen(all->controller->migrations, s, true);
    sighting_drop(all, s);
}

/* What was announced of the domain does not come to where it is gone from. */
static void
expect_no_more(const struct controller *c, const struct sighting *s)
{
    for (size_t i = 0; i < s->n_ports; i++) {
        const struct object *o = model_get_id(c->model, s->ports[i]);
        if (o)
            bindings_not_expected(c->bindings, o->number, s->host);
    }
}

/* A host has the domain no more. Ports go only when no other host has it. */
static void
take_gone(struct instances *all, uint32_t host, struct uuid id)
{
    struct sighting *s = sighting_of(instance_find(all, id), host);
    if (s) {
        migrations_seen(all->controller->migrations, s, true);
        expect_no_more(all->controller, s);
        sighting_unlink(all, s);
    }
    if (!instance_find(all, id))
        declared_remove(all->controller, host, id, s);
    if (s)
        sighting_free(s);
}

static bool
is_elsewhere(void *aux, struct uuid id)
{
    return instance_find(aux, id) != NULL;
}

/* The ports that domains of the host had declared which nobody has any more. */
static void
remove_unknown(void *aux, uint32_t host, bool is_late)
{
    struct instances *all = aux;
    declared_remove_unknown(all->controller, host, is_late, is_elsewhere, all);
}

static void
look_at_owed(void *aux)
{
    const struct instances *all = aux;
    removals_look(all->controller->removals);
}

struct here {
    const struct instances *all;
    uint32_t host;
};

static bool
is_here(void *aux, struct uuid id)
{
    const struct here *here = aux;
    return sighting_of(instance_find(here->all, id), here->host) != NULL;
}

/* What the host does not have any more, though nobody has said that it went. */
static void
drop_unseen(struct instances *all, uint32_t host)
{
    const struct on_host *h = on_host_find(all, host); /* which goes with its last one */
    if (h) {
        LIST_FOR_EACH_SAFE(n, next, &h->sightings)
        {
            struct sighting *s = CONTAINER_OF(n, struct sighting, of_host);
            if (s->is_kept)
                s->is_kept = false;
            else
                sighting_end(all, s);
        }
    }
    listings_add(all->listings, host);
    struct here here = { all, host };
    migrations_listed(all->controller->migrations, host, is_here, &here);
}

bool
instances_report(struct instances *all, uint32_t host, const json_t *json, struct error *err)
{
    struct report r;
    bool ok = report_read(&r, json, controller_now_ms(), err);
    for (size_t i = 0; ok && i < r.n_seen; i++) {
        r.seen[i]->is_kept = r.is_full;
        sighting_put(all, host, r.seen[i]);
    }
    if (ok)
        r.n_seen = 0;
    for (size_t i = 0; ok && i < r.n_gone; i++)
        take_gone(all, host, r.gone[i]);
    if (ok && r.is_full) {
        drop_unseen(all, host);
        look_at_owed(all);
    }
    tell_readers(all);
    report_done(&r);
    return ok;
}

void
instances_host_connected(struct instances *all, uint32_t host)
{
    listings_host_heard(all->listings, host);
    tell_readers(all);
}

void
instances_host_quiet(const struct instances *all)
{
    tell_readers(all);
}

void
instances_host_removed(struct instances *all, uint32_t host)
{
    listings_remove(all->listings, host);
    const struct on_host *h = on_host_find(all, host);
    if (h) {
        LIST_FOR_EACH_SAFE(n, next, &h->sightings)
        sighting_drop(all, CONTAINER_OF(n, struct sighting, of_host));
    }
    tell_readers(all);
}

void
instances_free(struct instances *all)
{
    if (!all)
        return;
    listings_free(all->listings);
    MAP_FOR_EACH_SAFE (n, next, &all->by_id) {
        struct instance *i = CONTAINER_OF(n, struct instance, by_id);
        while (i->sightings->next)
            sighting_drop(all, i->sightings);
        sighting_drop(all, i->sightings);
    }
    map_done(&all->by_id);
    map_done(&all->by_host);
    while (all->readers)
        instances_unsubscribe(all->readers);
    free(all);
}

/* ---- for others ---- */

json_t *
instances_counters(const struct instances *all, struct uuid id)
{
    const struct instance *i = instance_find(all, id);
    const struct sighting *s = i ? instance_shown(i) : NULL;
    return s && s->counters ? json_incref(s->counters) : json_null();
}

bool
instances_are_listed(const struct instances *all, uint32_t host)
{
    return listings_has(all->listings, host);
}

bool
instances_are_all_heard(struct instances *all, bool is_now)
{
    return listings_are_all_heard(all->listings, is_now);
}

bool
instances_know(const struct instances *all, struct uuid id)
{
    return instance_find(all, id) != NULL;
}

bool
instances_know_elsewhere(const struct instances *all, struct uuid id, uint32_t but)
{
    const struct instance *i = instance_find(all, id);
    return i && (i->sightings->host != but || i->sightings->next);
}

struct uuid *
instances_running_ports(const struct instances *all, size_t *n)
{
    struct uuid *ids = NULL;
    size_t cap = 0;
    *n = 0;
    MAP_FOR_EACH (node, &all->by_id) {
        for (const struct sighting *s = CONTAINER_OF(node, struct instance, by_id)->sightings; s; s = s->next) {
            if (s->state > INSTANCE_PAUSED || !s->n_ports)
                continue;
            ids = mem_grow(ids, &cap, *n + s->n_ports, sizeof *ids);
            memcpy(ids + *n, s->ports, s->n_ports * sizeof *ids);
            *n += s->n_ports;
        }
    }
    return ids;
}
