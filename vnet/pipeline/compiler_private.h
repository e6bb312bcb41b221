/* What the compiler's parts share: compiler.c takes changes in, compiler_place.c knows which hosts they concern, compiler_run.c works
 * them off. */
#ifndef VNET_PIPELINE_COMPILER_PRIVATE_H
#define VNET_PIPELINE_COMPILER_PRIVATE_H 1

#include "vnet/pipeline/compiler.h"
#include "vnet/pipeline/dirty.h"
#include "vnet/pipeline/presence.h"

struct attached {
    struct map_node node; /* by host */
    uint32_t host;
    struct flow_table *table;
    struct dirty_queue dirty;
    struct dirty_queue in_the_way; /* conflicted once: taken out and tried again when nothing is dirty */
    struct dirty_queue retry;      /* taken out */
    struct dirty_queue refused;    /* conflicted again: tried again with the next change */
    struct dirty_queue held;       /* what is dirty of these waits until they are let go */
    struct dirty_queue waiting;    /* dirty and held */
    struct dirty_queue unzoned;    /* compiled without a conntrack zone that they asked for */
    uint64_t concerned_by;         /* the last change that made something dirty here */
};

/* A route table or security group deleted a moment ago: its routes or rules went too and still ask for their VPC. */
struct orphanage {
    struct map_node node; /* by number */
    uint32_t number, vpc;
};

struct compiler {
    struct view view;
    struct presence *presence;
    struct presence *groups; /* of security groups in place of VPCs; the view's */
    struct map hosts, orphanages;
    struct block block; /* reused */
    uint64_t n_changes;
    void (*zone_wanted)(void *aux, uint32_t host, uint32_t number); /* NULL: nobody listens */
    void *zone_aux;
    void (*zone_follows)(void *aux, uint32_t host, uint32_t number, bool follows); /* likewise */
    void *follows_aux;
};

/* One change on its way to the queues. */
struct touch_list {
    struct compiler *c;
    compiler_concerned *concerned;
    void *aux;
};

struct attached *attached_find(const struct compiler *, uint32_t host);          /* NULL: not attached */
void compiler_dirty_all(struct compiler *, struct attached *, uint32_t vpc);     /* every block, as feature.h's 'blocks' */
void compiler_dirty_group(struct compiler *, struct attached *, uint32_t group); /* likewise 'blocks_of_group' */
void compiler_orphanages_clear(struct compiler *);
void compiler_tell_concerned(const struct touch_list *, struct attached *);

/* Counts what holds something on all hosts; on a host that is attached now; what a change moves, and marks what it makes dirty. */
void compiler_place_all(struct compiler *);
void compiler_place_on(struct compiler *, uint32_t host);
void compiler_place_changed(struct touch_list *, const struct vnet_event *);

#endif
