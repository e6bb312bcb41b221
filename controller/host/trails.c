#include "controller/host/trails.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/host/host_reach.h"
#include "vnet/pipeline/feature.h"

struct trail {
    struct map_node by_eip;
    struct trail *older, *younger;
    uint32_t eip;
    int64_t began_ms;
};

struct trails {
    struct controller *controller;
    struct map by_eip;
    struct trail *oldest, *youngest;
    struct event *timer; /* of the oldest */
};

static void trails_over(evutil_socket_t fd, short what, void *aux);

struct trails *
trails_new(struct controller *c)
{
    struct trails *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->by_eip);
    all->timer = evtimer_new(c->base, trails_over, all);
    return all;
}

void
trails_free(struct trails *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_eip)
        free(CONTAINER_OF(n, struct trail, by_eip));
    map_done(&all->by_eip);
    event_free(all->timer);
    free(all);
}

static struct trail *
trail_find(const struct trails *all, uint32_t eip)
{
    MAP_FOR_EACH_HASH (n, &all->by_eip, hash_u32(eip)) {
        struct trail *t = CONTAINER_OF(n, struct trail, by_eip);
        if (t->eip == eip)
            return t;
    }
    return NULL;
}

static void
arm(struct trails *all)
{
    timer_at(all->timer, all->oldest ? all->oldest->began_ms + TRAIL_MS : INT64_MAX);
}

static void
concern(void *aux, uint32_t host)
{
    struct controller *c = aux;
    struct hypervisor *h = host_by_number(c->hosts, host);
    if (h)
        host_concern(h, c->seq);
}

/* Nobody but the compiler asks for trails. */
static void
tell(struct controller *c, uint32_t eip, uint32_t host)
{
    struct vnet_event event = {
        .kind = EVENT_TRAIL, .number = eip, .before = { .host = runtime_trail(c->runtime, eip) }, .after = { .host = host }
    };
    if (event.before.host == host)
        return;
    runtime_set_trail(c->runtime, eip, host);
    compiler_changed(c->compiler, &event, concern, c);
}

static void
trail_remove(struct trails *all, struct trail *t)
{
    *(t->older ? &t->older->younger : &all->oldest) = t->younger;
    *(t->younger ? &t->younger->older : &all->youngest) = t->older;
    map_remove(&all->by_eip, &t->by_eip);
    free(t);
}

void
trails_leave(struct trails *all, uint32_t eip, uint32_t host)
{
    struct trail *t = trail_find(all, eip);
    if (t)
        trail_remove(all, t);
    t = mem_zalloc(sizeof *t);
    *t = (struct trail){ .older = all->youngest, .eip = eip, .began_ms = controller_now_ms() };
    *(t->older ? &t->older->younger : &all->oldest) = t;
    all->youngest = t;
    map_insert(&all->by_eip, &t->by_eip, hash_u32(eip));
    tell(all->controller, eip, host);
    arm(all);
}

static void
trails_over(evutil_socket_t fd, short what, void *aux)
{
    struct trails *all = aux;
    int64_t now_ms = controller_now_ms();
    all->controller->seq++;
    while (all->oldest && all->oldest->began_ms + TRAIL_MS <= now_ms) {
        uint32_t eip = all->oldest->eip;
        trail_remove(all, all->oldest);
        tell(all->controller, eip, 0);
    }
    arm(all);
}
