#include "controller/feed_watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

/* Two keys that share a hash wake each other, which costs a look. */
struct feed_watch {
    struct feed_watches *all;
    struct map_node by_number, by_name, by_id;
    enum { WATCHING_NOTHING, WATCHING_OBJECT, WATCHING_NAME, WATCHING_NAME_AND_ID } what;
    void (*woken)(void *aux);
    void *aux;
};

struct feed_watches {
    struct map by_number, by_name, by_id;
};

struct feed_watches *
feed_watches_new(void)
{
    struct feed_watches *all = mem_zalloc(sizeof *all);
    map_init(&all->by_number);
    map_init(&all->by_name);
    map_init(&all->by_id);
    return all;
}

void
feed_watches_free(struct feed_watches *all)
{
    map_done(&all->by_number);
    map_done(&all->by_name);
    map_done(&all->by_id);
    free(all);
}

/* ---- who watches ---- */

struct feed_watch *
feed_watch_new(struct feed *f, void (*woken)(void *aux), void *aux)
{
    struct feed_watch *w = mem_zalloc(sizeof *w);
    *w = (struct feed_watch){ .all = feed_watches(f), .woken = woken, .aux = aux };
    return w;
}

static void
unlink_watch(struct feed_watch *w)
{
    if (w->what == WATCHING_OBJECT)
        map_remove(&w->all->by_number, &w->by_number);
    if (w->what >= WATCHING_NAME)
        map_remove(&w->all->by_name, &w->by_name);
    if (w->what == WATCHING_NAME_AND_ID)
        map_remove(&w->all->by_id, &w->by_id);
    w->what = WATCHING_NOTHING;
}

void
feed_watch_free(struct feed_watch *w)
{
    if (w)
        unlink_watch(w);
    free(w);
}

void
feed_watch_object(struct feed_watch *w, uint32_t number)
{
    unlink_watch(w);
    w->what = WATCHING_OBJECT;
    map_insert(&w->all->by_number, &w->by_number, hash_u32(number));
}

static uint32_t
hash_name(enum object_type type, const char *name)
{
    const char *key = object_class(type)->has_name ? name : "";
    return hash_bytes(key, strlen(key), type);
}

void
feed_watch_name(struct feed_watch *w, enum object_type type, const char *name)
{
    struct uuid id;
    unlink_watch(w);
    w->what = uuid_parse(name, &id) ? WATCHING_NAME_AND_ID : WATCHING_NAME;
    map_insert(&w->all->by_name, &w->by_name, hash_name(type, name));
    if (w->what == WATCHING_NAME_AND_ID)
        map_insert(&w->all->by_id, &w->by_id, uuid_hash(id));
}

/* ---- what happens ---- */

void
feed_watches_tell(const struct feed_watches *all, const struct object *o, bool has_come)
{
    MAP_FOR_EACH_HASH (n, &all->by_number, hash_u32(o->number)) {
        struct feed_watch *w = CONTAINER_OF(n, struct feed_watch, by_number);
        w->woken(w->aux);
    }
    if (!has_come || !map_count(&all->by_name))
        return;
    MAP_FOR_EACH_HASH (n, &all->by_name, hash_name(o->type, o->name ? o->name : "")) {
        struct feed_watch *w = CONTAINER_OF(n, struct feed_watch, by_name);
        w->woken(w->aux);
    }
    MAP_FOR_EACH_HASH (n, &all->by_id, uuid_hash(o->id)) {
        struct feed_watch *w = CONTAINER_OF(n, struct feed_watch, by_id);
        w->woken(w->aux);
    }
}
