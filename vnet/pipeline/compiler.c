/* Takes changes in: which blocks became dirty where. */
#include "vnet/pipeline/compiler_private.h"

#include <stdlib.h>

#include "base/alloc.h"

/* A block could not be compiled whole: it waits for a zone. */
static void
zone_wanted(void *aux, uint64_t cookie, uint32_t host, uint32_t number)
{
    struct compiler *c = aux;
    struct attached *a = attached_find(c, host);
    dirty_add(&a->unzoned, cookie);
    if (c->zone_wanted)
        c->zone_wanted(c->zone_aux, host, number);
}

static void
zone_follows(void *aux, uint32_t host, uint32_t number, bool follows)
{
    struct compiler *c = aux;
    if (c->zone_follows)
        c->zone_follows(c->follows_aux, host, number, follows);
}

void
compiler_on_zone_follows(struct compiler *c, void (*follows)(void *, uint32_t, uint32_t, bool), void *aux)
{
    c->zone_follows = follows;
    c->follows_aux = aux;
}

void
compiler_on_zone_wanted(struct compiler *c, void (*wanted)(void *, uint32_t, uint32_t), void *aux)
{
    c->zone_wanted = wanted;
    c->zone_aux = aux;
}

struct compiler *
compiler_new(const struct model *model, const struct runtime *runtime)
{
    struct compiler *c = mem_zalloc(sizeof *c);
    c->presence = presence_new();
    c->groups = presence_new();
    c->view = (struct view){ model, runtime, c->groups };
    map_init(&c->hosts);
    map_init(&c->orphanages);
    c->block.view = &c->view;
    c->block.fb = flow_builder_new();
    c->block.arena = arena_new();
    c->block.zone_wanted = zone_wanted;
    c->block.zone_follows = zone_follows;
    c->block.zone_aux = c;
    compiler_place_all(c);
    return c;
}

void
compiler_orphanages_clear(struct compiler *c)
{
    if (!map_count(&c->orphanages))
        return;
    MAP_FOR_EACH_SAFE (n, next, &c->orphanages) {
        map_remove(&c->orphanages, n);
        free(CONTAINER_OF(n, struct orphanage, node));
    }
}

static void
attached_free(struct compiler *c, struct attached *a)
{
    map_remove(&c->hosts, &a->node);
    dirty_done(&a->dirty);
    dirty_done(&a->in_the_way);
    dirty_done(&a->retry);
    dirty_done(&a->refused);
    dirty_done(&a->held);
    dirty_done(&a->waiting);
    dirty_done(&a->unzoned);
    free(a);
}

void
compiler_free(struct compiler *c)
{
    if (!c)
        return;
    MAP_FOR_EACH_SAFE (n, next, &c->hosts) {
        attached_free(c, CONTAINER_OF(n, struct attached, node));
    }
    compiler_orphanages_clear(c);
    map_done(&c->hosts);
    map_done(&c->orphanages);
    presence_free(c->presence);
    presence_free(c->groups);
    arena_free(c->block.arena);
    flow_builder_free(c->block.fb);
    free(c->block.specs);
    free(c);
}

struct attached *
attached_find(const struct compiler *c, uint32_t host)
{
    MAP_FOR_EACH_HASH (n, &c->hosts, hash_u32(host)) {
        struct attached *a = CONTAINER_OF(n, struct attached, node);
        if (a->host == host)
            return a;
    }
    return NULL;
}

/* ---- which blocks a host has ---- */

struct emission {
    struct compiler *c;
    struct attached *a;
    const struct feature *feature;
};

static void
emit_dirty(void *aux, uint8_t type, uint32_t number)
{
    const struct emission *e = aux;
    dirty_add(&e->a->dirty, cookie_make(e->feature->number, type, number));
}

void
compiler_dirty_all(struct compiler *c, struct attached *a, uint32_t vpc)
{
    unsigned n;
    const struct feature *const *features = feature_list(&n);
    for (unsigned i = 0; i < n; i++) {
        struct emission e = { c, a, features[i] };
        features[i]->blocks(&c->view, a->host, vpc, emit_dirty, &e);
    }
}

static void
dirty_vpc(void *aux, uint32_t vpc)
{
    const struct emission *e = aux;
    compiler_dirty_all(e->c, e->a, vpc);
}

void
compiler_dirty_group(struct compiler *c, struct attached *a, uint32_t group)
{
    unsigned n;
    const struct feature *const *features = feature_list(&n);
    for (unsigned i = 0; i < n; i++) {
        struct emission e = { c, a, features[i] };
        if (features[i]->blocks_of_group)
            features[i]->blocks_of_group(&c->view, group, emit_dirty, &e);
    }
}

static void
dirty_group(void *aux, uint32_t group)
{
    const struct emission *e = aux;
    compiler_dirty_group(e->c, e->a, group);
}

void
compiler_attach(struct compiler *c, uint32_t host, struct flow_table *table)
{
    struct attached *a = mem_zalloc(sizeof *a);
    a->host = host;
    a->table = table;
    dirty_init(&a->dirty);
    dirty_init(&a->in_the_way);
    dirty_init(&a->retry);
    dirty_init(&a->refused);
    dirty_init(&a->held);
    dirty_init(&a->waiting);
    dirty_init(&a->unzoned);
    map_insert(&c->hosts, &a->node, hash_u32(host));

    struct emission e = { .c = c, .a = a };
    compiler_place_on(c, host);
    compiler_dirty_all(c, a, 0);
    presence_each_vpc(c->presence, host, dirty_vpc, &e);
    presence_each_vpc(c->groups, host, dirty_group, &e);
}

void
compiler_detach(struct compiler *c, uint32_t host)
{
    struct attached *a = attached_find(c, host);
    if (!a)
        return;
    attached_free(c, a);
    while (presence_take_leaving(c->presence, host) || presence_take_leaving(c->groups, host))
        continue;
}

/* ---- changes ---- */

void
compiler_tell_concerned(const struct touch_list *list, struct attached *a)
{
    if (a->concerned_by == list->c->n_changes)
        return;
    a->concerned_by = list->c->n_changes;
    if (list->concerned)
        list->concerned(list->aux, a->host);
}

struct marking {
    struct touch_list *list;
    uint64_t cookie;
};

static void
mark_attached(const struct marking *m, struct attached *a)
{
    dirty_add(&a->dirty, m->cookie);
    compiler_tell_concerned(m->list, a);
}

static void
mark_host(void *aux, uint32_t host)
{
    const struct marking *m = aux;
    struct attached *a = attached_find(m->list->c, host);
    if (a)
        mark_attached(m, a);
}

void
touch_add(struct touch_list *list, uint8_t feature, uint8_t type, uint32_t number, struct touch touch)
{
    struct compiler *c = list->c;
    struct marking m = { list, cookie_make(feature, type, number) };
    switch (touch.scope) {
    case TOUCH_HOST: mark_host(&m, touch.where); break;
    case TOUCH_VPC: presence_each_host(c->presence, touch.where, mark_host, &m); break;
    case TOUCH_SG: presence_each_host(c->groups, touch.where, mark_host, &m); break;
    case TOUCH_EVERYWHERE: MAP_FOR_EACH (n, &c->hosts) { mark_attached(&m, CONTAINER_OF(n, struct attached, node));
        }
        break;
    }
}

static void
orphanage_add(struct compiler *c, uint32_t number, uint32_t vpc)
{
    struct orphanage *o = mem_zalloc(sizeof *o);
    o->number = number;
    o->vpc = vpc;
    map_insert(&c->orphanages, &o->node, hash_u32(number));
}

/* The VPC of what a route or a rule is in (a route table, a security group), which may be gone. */
static uint32_t
vpc_of_owner(const struct compiler *c, enum object_type type, uint32_t number)
{
    uint32_t vpc = view_vpc_of(&c->view, type, number);
    if (vpc)
        return vpc;
    MAP_FOR_EACH_HASH (n, &c->orphanages, hash_u32(number)) {
        const struct orphanage *o = CONTAINER_OF(n, struct orphanage, node);
        if (o->number == number)
            return o->vpc;
    }
    return 0;
}

static uint32_t
vpc_of_object(const struct compiler *c, const struct object *o)
{
    const void *p = o;
    switch (o->type) {
    case OBJECT_VPC: return o->number;
    case OBJECT_SUBNET: return ((const struct subnet *) p)->vpc;
    case OBJECT_RTB: return ((const struct rtb *) p)->vpc;
    case OBJECT_PORT: return ((const struct port *) p)->vpc;
    case OBJECT_ROUTE: return vpc_of_owner(c, OBJECT_RTB, ((const struct route *) p)->rtb);
    case OBJECT_IGW: return ((const struct igw *) p)->vpc;
    case OBJECT_NATGW: return ((const struct natgw *) p)->vpc;
    case OBJECT_SG: return ((const struct sg *) p)->vpc;
    case OBJECT_SG_RULE: return vpc_of_owner(c, OBJECT_SG, ((const struct sg_rule *) p)->sg);
    case OBJECT_SG_SET: return ((const struct sg_set *) p)->vpc;
    case OBJECT_LB: return ((const struct lb *) p)->vpc;
    case OBJECT_LISTENER: return ((const struct listener *) p)->vpc;
    case OBJECT_TG: return ((const struct tg *) p)->vpc;
    case OBJECT_TARGET: return ((const struct target *) p)->vpc;
    default: return 0;
    }
}

static uint32_t
vpc_of_change(const struct compiler *c, const struct change *change)
{
    uint32_t before = change->before ? vpc_of_object(c, change->before) : 0;
    uint32_t after = change->after ? vpc_of_object(c, change->after) : 0;
    if (change->before && change->after && before != after)
        return 0;
    return change->after ? after : before;
}

static uint32_t
vpc_of_event(const struct compiler *c, const struct vnet_event *event)
{
    switch (event->kind) {
    case EVENT_OBJECT: return vpc_of_change(c, event->change);
    case EVENT_BINDING:
    case EVENT_TWIN: return view_vpc_of(&c->view, OBJECT_PORT, event->number);
    case EVENT_TARGET: return view_vpc_of(&c->view, OBJECT_TARGET, event->number);
    default: return 0;
    }
}

static void
remember_owner(struct compiler *c, const struct change *change)
{
    if (!change->after && (change->type == OBJECT_RTB || change->type == OBJECT_SG))
        orphanage_add(c, change->number, vpc_of_object(c, change->before));
}

static void
unzoned_again(const struct touch_list *list, uint32_t host)
{
    struct attached *a = attached_find(list->c, host);
    if (!a)
        return;
    while (!dirty_is_empty(&a->unzoned))
        dirty_add(&a->dirty, dirty_take(&a->unzoned));
    compiler_tell_concerned(list, a);
}

void
compiler_changed(struct compiler *c, const struct vnet_event *given, compiler_concerned *concerned, void *aux)
{
    struct touch_list list = { c, concerned, aux };
    struct vnet_event event = *given;
    c->n_changes++;
    event.vpc = vpc_of_event(c, &event);

    if (event.kind == EVENT_OBJECT)
        remember_owner(c, event.change);
    compiler_place_changed(&list, &event);
    if (event.kind == EVENT_ZONE)
        unzoned_again(&list, event.number);

    unsigned n;
    const struct feature *const *features = feature_list(&n);
    for (unsigned i = 0; i < n; i++)
        features[i]->touches(&c->view, &event, &list);
}

void
compiler_hold(struct compiler *c, uint32_t host, uint64_t cookie)
{
    struct attached *a = attached_find(c, host);
    if (a)
        dirty_add(&a->held, cookie);
}

void
compiler_let_go(struct compiler *c, uint32_t host, uint64_t cookie)
{
    struct attached *a = attached_find(c, host);
    if (!a)
        return;
    dirty_drop(&a->held, cookie);
    if (!dirty_has(&a->waiting, cookie))
        return;
    dirty_drop(&a->waiting, cookie);
    dirty_add(&a->dirty, cookie);
}

void
compiler_each_vpc_of(const struct compiler *c, uint32_t host, void (*each)(void *aux, uint32_t vpc), void *aux)
{
    presence_each_vpc(c->presence, host, each, aux);
}

void
compiler_each_host_of(const struct compiler *c, uint32_t vpc, void (*each)(void *aux, uint32_t host), void *aux)
{
    presence_each_host(c->presence, vpc, each, aux);
}

bool
compiler_holds(const struct compiler *c, uint32_t host, uint32_t vpc)
{
    return presence_holds(c->presence, host, vpc);
}
