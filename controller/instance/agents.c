#include "controller/instance/agents.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/feed.h"

struct agents {
    struct controller *controller;
    struct map by_host;
};

struct agent_session {
    struct map_node by_host;
    struct agents *all;
    uint32_t host;
    const struct agent_ops *ops;
    void *aux;
};

struct agents *
agents_new(struct controller *c)
{
    struct agents *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->by_host);
    return all;
}

void
agents_free(struct agents *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_host) {
        free(CONTAINER_OF(n, struct agent_session, by_host));
    }
    map_done(&all->by_host);
    free(all);
}

static struct agent_session *
session_find(const struct agents *all, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &all->by_host, hash_u32(host)) {
        struct agent_session *s = CONTAINER_OF(n, struct agent_session, by_host);
        if (s->host == host)
            return s;
    }
    return NULL;
}

struct agent_session *
agents_enter(struct agents *all, uint32_t host, const struct agent_ops *ops, void *aux)
{
    struct agent_session *old = session_find(all, host), *s = mem_zalloc(sizeof *s);
    if (old) {
        void *old_aux = old->aux;
        const struct agent_ops *old_ops = old->ops;
        agents_leave(old);
        old_ops->drop(old_aux);
    }
    *s = (struct agent_session) { .all = all, .host = host, .ops = ops, .aux = aux };
    map_insert(&all->by_host, &s->by_host, hash_u32(host));
    feed_object(all->controller->feed, host);
    return s;
}

void
agents_leave(struct agent_session *s)
{
    struct agents *all = s->all;
    uint32_t host = s->host;
    map_remove(&all->by_host, &s->by_host);
    free(s);
    feed_object(all->controller->feed, host);
}

bool
agents_is_present(const struct agents *all, uint32_t host)
{
    return session_find(all, host) != NULL;
}
