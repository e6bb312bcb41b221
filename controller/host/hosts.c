#include "controller/host/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/binding.h"
#include "controller/host/holdback.h"
#include "controller/host/host_links.h"
#include "controller/host/host_peers.h"
#include "controller/instance/instances.h"
#include "controller/refusals.h"
#include "controller/store/store.h"
#include "controller/waiter.h"

struct hosts {
    struct controller *controller;
    struct map by_number, by_name;
    struct links *links;
    struct compile_queue compile_queue;
    struct host_peers *peers;
    struct event *judging; /* gateways are to be judged */
    size_t n_switches;     /* that are connected */
    bool is_closing;
    size_t n_reached_by[2]; /* hosts, by the encapsulation they are reached by */
    uint64_t collection;    /* counts hosts_collect() */
    uint32_t *collected;
    size_t n_collected, cap_collected;
};

static void
on_judging(evutil_socket_t fd, short what, void *aux)
{
    hosts_judge_now(aux);
}

void
hosts_judge_gateways(struct hosts *all)
{
    if (!all->is_closing)
        event_active(all->judging, 0, 0);
}

void
hosts_judge_gateways_in(struct hosts *all, int ms)
{
    event_add(all->judging, &(struct timeval){ ms / 1000, ms % 1000 * 1000 });
}

struct hosts *
hosts_new(struct controller *c)
{
    struct hosts *all = mem_zalloc(sizeof *all);
    all->controller = c;
    all->links = links_new(all);
    compile_queue_init(&all->compile_queue, c->base);
    all->peers = host_peers_new(c);
    all->judging = event_new(c->base, -1, 0, on_judging, all);
    compiler_on_zone_wanted(c->compiler, hosts_zone_wanted, all);
    compiler_on_zone_follows(c->compiler, hosts_zone_follows, all);
    map_init(&all->by_number);
    map_init(&all->by_name);
    return all;
}

struct compile_queue *
hosts_compile_queue(struct hosts *all)
{
    return &all->compile_queue;
}

struct links *
hosts_links(const struct hosts *all)
{
    return all->links;
}

struct host_peers *
hosts_peers(const struct hosts *all)
{
    return all->peers;
}

void
hosts_changed(struct hosts *all, const struct vnet_event *event)
{
    host_peers_changed(all->peers, event);
}

struct controller *
hosts_controller(const struct hosts *all)
{
    return all->controller;
}

/* ---- registry ---- */

struct hypervisor *
host_by_number(const struct hosts *all, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &all->by_number, hash_u32(number)) {
        struct hypervisor *h = CONTAINER_OF(n, struct hypervisor, by_number);
        if (h->number == number)
            return h;
    }
    return NULL;
}

struct hypervisor *
host_by_name(const struct hosts *all, const char *name)
{
    MAP_FOR_EACH_HASH (n, &all->by_name, hash_string(name)) {
        struct hypervisor *h = CONTAINER_OF(n, struct hypervisor, by_name);
        if (!strcmp(h->name, name))
            return h;
    }
    return NULL;
}

struct hypervisor *
hosts_first(const struct hosts *all)
{
    struct map_node *n = map_first(&all->by_name);
    return n ? CONTAINER_OF(n, struct hypervisor, by_name) : NULL;
}

struct hypervisor *
hosts_next(const struct hosts *all, const struct hypervisor *h)
{
    struct map_node *n = map_next(&all->by_name, &h->by_name);
    return n ? CONTAINER_OF(n, struct hypervisor, by_name) : NULL;
}

struct hypervisor *
host_get_or_add(struct hosts *all, const char *name)
{
    struct hypervisor *h = host_by_name(all, name);
    if (h)
        return h;
    h = mem_zalloc(sizeof *h);
    h->all = all;
    h->name = mem_strdup(name);
    map_insert(&all->by_name, &h->by_name, hash_string(name));
    return h;
}

void
host_detach(struct hypervisor *h)
{
    if (!h->table)
        return;
    compiler_detach(h->all->controller->compiler, h->number);
    host_end_openflow(h, "its flows are no longer computed");
    if (h->ending && !h->ending->table)
        h->ending->table = h->table;
    else
        flow_table_free(h->table);
    h->table = NULL;
}

void
host_free(struct hypervisor *h)
{
    struct hosts *all = h->all;
    if (h->db) {
        ((struct link *) ovsdb_session_aux(h->db))->host = NULL;
        ovsdb_session_close(h->db, "the host was deleted");
    }
    host_detach(h);
    host_end_openflow(h, "the host was deleted");
    if (h->ending)
        h->ending->ending = NULL;
    if (h->number)
        map_remove(&all->by_number, &h->by_number);
    map_remove(&all->by_name, &h->by_name);
    for (int i = 0; i < N_HOST_ERRORS; i++)
        free(h->errors[i]);
    if (h->claimed)
        event_free(h->claimed);
    if (h->uplink_rises)
        event_free(h->uplink_rises);
    if (h->missed)
        event_free(h->missed);
    host_leave_compile_queue(h);
    host_zones_free(h);
    host_lost_zones_free(h);
    host_holdbacks_free(h);
    free(h->views);
    free(h->name);
    free(h);
}

bool
host_is_connected(const struct hypervisor *h)
{
    return h->db && h->has_facts && h->of && h->is_reconciling;
}

bool
host_is_realised(const struct hypervisor *h)
{
    return h->number && h->confirmed_seq >= h->wanted_seq;
}

uint64_t
host_mods_sent(const struct hypervisor *h)
{
    return h->sent_before + (h->of ? of_session_counters(h->of)->mods_sent : 0);
}

/* ---- objects ---- */

void
hosts_object_added(struct hosts *all, uint32_t number)
{
    const struct hypervisor *existing = host_by_number(all, number);
    const struct model *m = all->controller->model;
    const struct host *object = model_host(m, number);
    if (existing || !object)
        return;
    struct hypervisor *h = host_get_or_add(all, object->o.name);
    h->number = number;
    h->dpid = object->dpid;
    map_insert(&all->by_number, &h->by_number, hash_u32(number));
    if (h->db && h->has_facts) {
        host_tell_runtime(h);
        host_want(h);
    }
}

void
hosts_object_changed(struct hosts *all, uint32_t number)
{
    struct hypervisor *h = host_by_number(all, number);
    if (h)
        host_want(h);
}

void
hosts_object_removed(struct hosts *all, uint32_t number)
{
    struct hypervisor *h = host_by_number(all, number);
    if (!h)
        return;
    bindings_host_removed(all->controller->bindings, number);
    instances_host_removed(all->controller->instances, number);
    host_lost_zones_forget(h);
    host_detach(h);
    host_forget_runtime(h);
    host_free(h);
    refusals_host_removed(all->controller->refusals, number);
    waiters_check(all->controller->waiters, number);
}

/* ---- who is concerned ---- */

void
hosts_collect(struct hosts *all)
{
    all->collection++;
    all->n_collected = 0;
}

const uint32_t *
hosts_collected(struct hosts *all, size_t *n)
{
    *n = all->n_collected;
    return all->collected;
}

void
hosts_note_concerned(struct hypervisor *h)
{
    struct hosts *all = h->all;
    if (h->collected == all->collection)
        return;
    h->collected = all->collection;
    all->collected = mem_grow(all->collected, &all->cap_collected, all->n_collected + 1, sizeof *all->collected);
    all->collected[all->n_collected++] = h->number;
}

bool
hosts_are_closing(const struct hosts *all)
{
    return all->is_closing;
}

size_t
hosts_count_switch(struct hosts *all, int by)
{
    return all->n_switches += by;
}

/* ---- encapsulations ---- */

void
hosts_count_encap(struct hosts *all, enum encap encap, int by)
{
    bool was_used = all->n_reached_by[encap];
    all->n_reached_by[encap] += by;
    if (was_used == hosts_use_encap(all, encap))
        return;
    for (struct hypervisor *h = hosts_first(all); h; h = hosts_next(all, h))
        host_want(h);
}

bool
hosts_use_encap(const struct hosts *all, enum encap encap)
{
    return all->n_reached_by[encap];
}

/* ---- the end ---- */

/* Sessions end in the loop's next round, in which others may be accepted. */
void
hosts_close(struct hosts *all)
{
    if (!all)
        return;
    all->is_closing = true;
    for (int rounds = 0; links_close(all->links) && rounds < 100; rounds++)
        event_base_loop(all->controller->base, EVLOOP_NONBLOCK);
}

void
hosts_free(struct hosts *all)
{
    if (!all)
        return;
    for (struct hypervisor *h = hosts_first(all), *next; h; h = next) {
        next = hosts_next(all, h);
        host_free(h);
    }
    links_free(all->links);
    compile_queue_done(&all->compile_queue);
    host_peers_free(all->peers);
    event_free(all->judging);
    map_done(&all->by_number);
    map_done(&all->by_name);
    free(all->collected);
    free(all);
}
