#include "controller/feed_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/columns.h"
#include "controller/controller.h"

struct text {
    struct map_node by_event;
    struct text *next; /* made after this one */
    uint64_t id;
    bool names_hosts;
    size_t n;
    char *data;
};

struct feed_texts {
    const struct controller *controller;
    struct map by_event;
    struct text *first, **last;
    size_t bytes;
    uint64_t made;
};

struct feed_texts *
feed_texts_new(struct controller *c)
{
    struct feed_texts *all = mem_zalloc(sizeof *all);
    all->controller = c;
    all->last = &all->first;
    map_init(&all->by_event);
    return all;
}

uint64_t
feed_texts_made(const struct feed_texts *all)
{
    return all->made;
}

static uint32_t
hash_of(uint64_t id, bool names_hosts)
{
    return hash_u64(id << 1 | names_hosts);
}

static char *
make(const struct controller *c, const struct feed_event *e, bool names_hosts)
{
    static const char *const words[] = { "add", "set", "del" };
    char id[UUID_STRLEN];
    const struct object *o = model_get(c->model, e->number, e->type);
    json_t *json = json_pack("{s:o,s:s,s:s,s:s,s:o}", "revision", e->revision ? json_integer((json_int_t) e->revision) : json_null(),
                             "type", object_class(e->type)->name, "id", uuid_format(e->object, id), "change", words[e->change], "object",
                             o ? columns_object(c, o, &(struct columns_wanted){ .names_hosts = names_hosts }) : json_null());
    char *data = json_text(json), *text = mem_printf("id: %llu\nevent: change\ndata: %s\n\n", (unsigned long long) e->id, data);
    free(data);
    json_decref(json);
    return text;
}

static void
drop_oldest(struct feed_texts *all)
{
    struct text *t = all->first;
    all->first = t->next;
    if (!all->first)
        all->last = &all->first;
    all->bytes -= sizeof *t + t->n;
    map_remove(&all->by_event, &t->by_event);
    free(t->data);
    free(t);
}

static const struct text *
add(struct feed_texts *all, const struct feed_event *e, bool names_hosts)
{
    struct text *t = mem_zalloc(sizeof *t);
    *t = (struct text){ .id = e->id, .names_hosts = names_hosts, .data = make(all->controller, e, names_hosts) };
    t->n = strlen(t->data);
    *all->last = t;
    all->last = &t->next;
    map_insert(&all->by_event, &t->by_event, hash_of(e->id, names_hosts));
    all->made++;
    for (all->bytes += sizeof *t + t->n; all->bytes > FEED_TEXT_BYTES && all->first != t;)
        drop_oldest(all);
    return t;
}

const char *
feed_text(struct feed *f, const struct feed_event *e, bool names_hosts, size_t *n)
{
    struct feed_texts *all = feed_texts(f);
    const struct text *found = NULL;
    MAP_FOR_EACH_HASH (node, &all->by_event, hash_of(e->id, names_hosts)) {
        const struct text *t = CONTAINER_OF(node, struct text, by_event);
        if (t->id == e->id && t->names_hosts == names_hosts)
            found = t;
    }
    if (!found)
        found = add(all, e, names_hosts);
    *n = found->n;
    return found->data;
}

void
feed_texts_free(struct feed_texts *all)
{
    while (all->first)
        drop_oldest(all);
    map_done(&all->by_event);
    free(all);
}
