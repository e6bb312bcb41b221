/* The model from inside: every object in up to two versions, one per view, and everything by which they are found. Readers look at
 * VIEW_COMMITTED, an open transaction at VIEW_STAGED; one set of indices serves both, each entry says in which views it holds.
 *
 * Invariant: without an open transaction both views are the same; what is found in a view is exactly what the objects
 * of that view state. index_set() alone changes a view. */
#ifndef VNET_MODEL_INDEX_H
#define VNET_MODEL_INDEX_H 1

#include "base/map.h"
#include "base/tree.h"
#include "vnet/model/ip_pool.h"
#include "vnet/model/object.h"
#include "vnet/model/transaction.h"

/* A number in use: what never changes of its object, and the object in both views. */
struct slot {
    struct map_node by_number, by_id, by_name;
    struct tree_node by_type;
    uint32_t number, tenant;
    uint8_t type;
    const struct object *o[N_VIEWS]; /* NULL: not in that view; the slot goes with the last */
};

struct model {
    struct model_sequences sequences;
    struct map slots;            /* by number */
    struct map ids, names;       /* slots; of named objects only */
    struct tree types;           /* slots by type, then number */
    struct map facts;            /* struct fact_entry */
    struct tree refs;            /* struct ref_entry */
    struct tree ranges[N_VIEWS]; /* struct range_entry: subnets by VPC and address, pools by address */
    struct map counts;           /* struct count, by scope and what is counted */
    size_t count[N_VIEWS][OBJECT_TYPE_MAX];
    struct ip_pool addresses; /* of VIEW_STAGED, by subnet; public ones by PUBLIC_SCOPE */
    struct map tombstones;    /* numbers deleted, not released */
    struct transaction *open; /* NULL: none */

    struct object **loading; /* between load and load_finish */
    size_t n_loading, cap_loading;
};

void index_init(struct model *);
void index_done(struct model *); /* and frees the objects */

/* What 'view' shows under 'number' is 'o' from now on (NULL: nothing). Frees no object. */
void index_set(struct model *, enum view, uint32_t number, const struct object *o);

struct slot *slot_find(const struct model *, uint32_t number);
struct slot *slot_next(const struct model *, enum object_type, uint32_t after); /* by rising number, in any view */
bool tombstone_add(struct model *, uint32_t number);                            /* false: it is there */
bool tombstone_find(const struct model *, uint32_t number);

/* ---- finding; 0 and NULL are 'none' ---- */
const struct object *view_get(const struct model *, enum view, uint32_t number, enum object_type);
const struct object *view_by_id(const struct model *, enum view, struct uuid);
const struct object *view_by_name(const struct model *, enum view, enum object_type, uint32_t tenant, const char *name);
/* As users write it: a name, a UUID, or what it is called by, e.g. "RTB/PREFIX". */
const struct object *view_find(const struct model *, enum view, enum object_type, uint32_t tenant, const char *text);
uint32_t view_by_fact(const struct model *, enum view, const struct fact *);
/* The referrer of 'type' with the least number greater than 'after'. */
uint32_t view_next_referrer(const struct model *, enum view, uint32_t target, enum object_type, uint32_t after);
/* All of them, until 'each' returns false; the view must not change meanwhile. */
void view_each_referrer(const struct model *, enum view, uint32_t target, enum object_type, bool (*each)(void *aux, const struct object *),
                        void *aux);
void view_each_referring_number(const struct model *, enum view, uint32_t target, enum object_type,
                                void (*each)(void *aux, uint32_t number), void *aux);
/* A subnet of the VPC 'scope', or of PUBLIC_SCOPE a pool, that has addresses in first..last. */
uint32_t view_range_overlapping(const struct model *, enum view, uint32_t scope, uint32_t first, uint32_t last);
size_t view_count(const struct model *, enum view, uint32_t tenant, enum object_type);
size_t view_count_lingering(const struct model *, enum view, uint32_t tenant, enum object_type); /* of them: deleted, but still there */
/* What is counted of those that refer to an object, besides objects of a type by their tenant. */
enum counted {
    COUNT_EGRESS_PEER = OBJECT_TYPE_MAX,
    COUNT_INGRESS_PEER, /* rules that name a group as their peer */
    COUNT_BALANCER,     /* load balancers of a VPC */
    COUNT_LINGERING     /* and on, by type: objects of a tenant that were deleted but are still there */
};
size_t view_count_of(const struct model *, enum view, uint32_t number, enum counted);

/* In either view, committed first: for labels, which are the same in both. */
const struct object *object_anywhere(const struct model *, uint32_t number);

#define VIEW_GETTER(TYPE, ENUM)                                                                       \
    static inline const struct TYPE *view_##TYPE(const struct model *m, enum view v, uint32_t number) \
    {                                                                                                 \
        return (const struct TYPE *) (const void *) view_get(m, v, number, ENUM);                     \
    }
VIEW_GETTER(sg, OBJECT_SG)
VIEW_GETTER(sg_set, OBJECT_SG_SET)
VIEW_GETTER(lb, OBJECT_LB)
VIEW_GETTER(tg, OBJECT_TG)
VIEW_GETTER(target, OBJECT_TARGET)
#undef VIEW_GETTER

static inline const struct subnet *
view_subnet(const struct model *m, enum view v, uint32_t number)
{
    return (const struct subnet *) (const void *) view_get(m, v, number, OBJECT_SUBNET);
}

static inline const struct rtb *
view_rtb(const struct model *m, enum view v, uint32_t number)
{
    return (const struct rtb *) (const void *) view_get(m, v, number, OBJECT_RTB);
}

static inline const struct vpc *
view_vpc(const struct model *m, enum view v, uint32_t number)
{
    return (const struct vpc *) (const void *) view_get(m, v, number, OBJECT_VPC);
}

static inline const struct pool *
view_pool(const struct model *m, enum view v, uint32_t number)
{
    return (const struct pool *) (const void *) view_get(m, v, number, OBJECT_POOL);
}

static inline const struct port *
view_port(const struct model *m, enum view v, uint32_t number)
{
    return (const struct port *) (const void *) view_get(m, v, number, OBJECT_PORT);
}

#endif
