/* A compile from nothing: enumerates every block that a host has and compiles it into a new table. Shares with the incremental compiler
 * only the features, so that each can be held against the other. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "vnet/pipeline/compiler.h"
#include "vnet/pipeline/placement.h"
#include "vnet/pipeline/presence.h"

struct seen_vpc {
    struct map_node node;
    uint32_t number;
};

struct scratch {
    struct view view;
    struct block block;
    struct flow_table *table;
    struct map vpcs;
    struct presence *groups;
    const struct feature *feature;
    bool has_failed;
    struct error *err;
};

static void
compile_block(void *aux, uint8_t type, uint32_t number)
{
    struct scratch *s = aux;
    struct block *b = &s->block;
    if (s->has_failed)
        return;

    b->cookie = cookie_make(s->feature->number, type, number);
    b->n = 0;
    arena_reset(b->arena);
    s->feature->flows(b, type, number);
    s->has_failed = !flow_table_set_block(s->table, b->cookie, b->specs, b->n, s->err);
}

static void
compile_vpc(struct scratch *s, uint32_t vpc)
{
    unsigned n;
    const struct feature *const *features = feature_list(&n);
    for (unsigned i = 0; i < n; i++) {
        s->feature = features[i];
        s->feature->blocks(&s->view, s->block.host, vpc, compile_block, s);
    }
}

static void
note_vpc(struct scratch *s, uint32_t vpc)
{
    uint32_t hash = hash_u32(vpc);
    if (!vpc)
        return;
    MAP_FOR_EACH_HASH (n, &s->vpcs, hash) {
        if (CONTAINER_OF(n, struct seen_vpc, node)->number == vpc)
            return;
    }
    struct seen_vpc *seen = mem_zalloc(sizeof *seen);
    seen->number = vpc;
    map_insert(&s->vpcs, &seen->node, hash);
}

static void
note_port(void *aux, uint32_t number, uint32_t ofport)
{
    struct scratch *s = aux;
    const struct port *port = model_port(s->view.model, number);
    note_vpc(s, view_vpc_of(&s->view, OBJECT_PORT, number));
    for (size_t i = 0; port && i < port->sg.n; i++)
        presence_place(s->groups, (struct presence_reason){ .number = number, .group = port->sg.v[i] }, s->block.host, port->sg.v[i]);
}

static void
note_sender(void *aux, uint32_t number)
{
    struct scratch *s = aux;
    const struct object *o = model_get(s->view.model, number, OBJECT_NONE);
    if (placement_host(&s->view, number) == s->block.host)
        note_vpc(s, view_vpc_of(&s->view, o->type, number));
}

static void
compile_vpcs(struct scratch *s)
{
    map_init(&s->vpcs);
    runtime_each_port_on(s->view.runtime, s->block.host, note_port, s);
    runtime_each_twin_on(s->view.runtime, s->block.host, note_port, s);
    placement_each_sender(&s->view, note_sender, s);
    MAP_FOR_EACH_SAFE (n, next, &s->vpcs) {
        struct seen_vpc *seen = CONTAINER_OF(n, struct seen_vpc, node);
        compile_vpc(s, seen->number);
        free(seen);
    }
    map_done(&s->vpcs);
}

static void
compile_group(void *aux, uint32_t group)
{
    struct scratch *s = aux;
    unsigned n;
    const struct feature *const *features = feature_list(&n);
    for (unsigned i = 0; i < n; i++) {
        s->feature = features[i];
        if (features[i]->blocks_of_group)
            features[i]->blocks_of_group(&s->view, group, compile_block, s);
    }
}

struct flow_table *
compile_from_scratch(const struct model *model, const struct runtime *runtime, uint32_t host, struct error *err)
{
    const struct runtime_host *known = runtime_host(runtime, host), unknown = { .number = host };
    struct scratch s = { .groups = presence_new(), .table = flow_table_new(), .err = err };
    s.view = (struct view){ model, runtime, s.groups };
    s.block = (struct block){
        .view = &s.view,
        .host = host,
        .here = known ? known : &unknown,
        .fb = flow_builder_new(),
        .arena = arena_new(),
    };

    compile_vpc(&s, 0);
    compile_vpcs(&s);
    presence_each_vpc(s.groups, host, compile_group, &s);

    presence_free(s.groups);
    arena_free(s.block.arena);
    flow_builder_free(s.block.fb);
    free(s.block.specs);
    if (s.has_failed) {
        flow_table_free(s.table);
        return NULL;
    }
    return s.table;
}
