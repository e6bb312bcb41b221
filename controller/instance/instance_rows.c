/* Instances as the API shows them, and which of them it does. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/instance/agents.h"
#include "controller/instance/instances_private.h"
#include "vnet/model/model.h"

/* Is it paused here until it comes from another host, where it still runs while it is copied? */
static bool
is_still_to_come(const struct sighting *s)
{
    return s->state == INSTANCE_MIGRATING && !strcmp(s->reason, "migration");
}

static bool
is_better(const struct sighting *s, const struct sighting *than)
{
    if (s->state != than->state)
        return s->state < than->state;
    if (is_still_to_come(s) != is_still_to_come(than))
        return is_still_to_come(than);
    return s->event_ms > than->event_ms;
}

/* Where it runs, rather than where it was. */
const struct sighting *
instance_shown(const struct instance *i)
{
    const struct sighting *best = i->sightings;
    for (const struct sighting *s = best->next; s; s = s->next)
        if (is_better(s, best))
            best = s;
    return best;
}

/* Names of its ports, where they are known; ids of interfaces that no port has. */
static json_t *
port_names(const struct instances *all, const struct sighting *s)
{
    json_t *names = json_array();
    for (size_t i = 0; i < s->n_ports; i++) {
        char id[UUID_STRLEN];
        const struct object *o = model_get_id(all->controller->model, s->ports[i]);
        bool is_named = o && o->type == OBJECT_PORT && o->name;
        json_array_append_new(names, json_string(is_named ? o->name : uuid_format(s->ports[i], id)));
    }
    return names;
}

static json_t *
string_or_null(const char *text)
{
    return *text ? json_string(text) : json_null();
}

/* The last that was heard of a host may be long over. */
static json_t *
reason_of(const struct instances *all, const struct hypervisor *h, const struct sighting *s)
{
    if (!h || !h->quiet_wall_ms || h->db || agents_is_present(all->controller->agents, h->number))
        return string_or_null(s->reason);
    json_t *since = json_time(h->quiet_wall_ms);
    json_t *reason = json_sprintf("host '%s' has not been heard of since %s", h->name, json_string_value(since));
    json_decref(since);
    return reason;
}

json_t *
instance_json(const struct instances *all, const struct instance *i)
{
    char id[UUID_STRLEN];
    const struct sighting *s = instance_shown(i);
    const struct hypervisor *h = host_by_number(all->controller->hosts, s->host);
    json_t *o = json_object();
    json_object_set_new(o, "id", json_string(uuid_format(i->id, id)));
    json_object_set_new(o, "name", json_string(s->name));
    json_object_set_new(o, "host", h ? json_string(h->name) : json_null());
    json_object_set_new(o, "state", json_string(instance_state_word(s->state)));
    json_object_set_new(o, "ports", port_names(all, s));
    json_object_set_new(o, "since", moment_is_known(s->since_ms) ? json_time(s->since_wall_ms) : json_null());
    json_object_set_new(o, "last_event", string_or_null(s->event));
    json_object_set_new(o, "reason", reason_of(all, h, s));
    return o;
}

const char *
instance_name(const struct instance *i)
{
    return instance_shown(i)->name;
}

struct uuid
instance_id(const struct instance *i)
{
    return i->id;
}

static bool
is_visible(const struct instances *all, const struct instance *i, instances_may_see *may_see, void *aux)
{
    const struct sighting *s = instance_shown(i);
    if (!may_see)
        return true;
    for (size_t k = 0; k < s->n_ports; k++) {
        const struct object *o = model_get_id(all->controller->model, s->ports[k]);
        if (o && o->type == OBJECT_PORT && may_see(aux, o->number))
            return true;
    }
    return false;
}

int
instance_compare(const struct instance *i, const char *name, struct uuid id)
{
    int order = strcmp(instance_name(i), name);
    return order ? order : memcmp(&i->id, &id, sizeof id);
}

static int
by_name(const void *a, const void *b)
{
    const struct instance *const *x = a, *const *y = b;
    return instance_compare(*x, instance_name(*y), (*y)->id);
}

const struct instance **
instances_by_name(const struct instances *all, instances_may_see *may_see, void *aux, size_t *n)
{
    const struct instance **sorted = mem_zalloc((map_count(&all->by_id) + 1) * sizeof *sorted);
    *n = 0;
    MAP_FOR_EACH (node, &all->by_id) {
        const struct instance *i = CONTAINER_OF(node, struct instance, by_id);
        if (is_visible(all, i, may_see, aux))
            sorted[(*n)++] = i;
    }
    qsort(sorted, *n, sizeof *sorted, by_name);
    return sorted;
}

bool
instance_is_called(const struct instance *i, const char *name)
{
    char id[UUID_STRLEN];
    return !strcmp(instance_name(i), name) || !strcmp(uuid_format(i->id, id), name);
}

const struct instance *
instances_called(const struct instances *all, const char *name, instances_may_see *may_see, void *aux)
{
    const struct instance *found = NULL;
    MAP_FOR_EACH (node, &all->by_id) {
        const struct instance *i = CONTAINER_OF(node, struct instance, by_id);
        if (instance_is_called(i, name) && is_visible(all, i, may_see, aux) && (!found || by_name(&found, &i) < 0))
            found = i;
    }
    return found;
}
