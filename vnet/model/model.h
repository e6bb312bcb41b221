/* The committed intent: all objects, found by number, id, name and reference. Pure: changed only by committing a transaction
 * (transaction.h); free of I/O, clock and randomness. Objects are borrowed from it until the next commit. */
#ifndef VNET_MODEL_MODEL_H
#define VNET_MODEL_MODEL_H 1

#include "base/arena.h"
#include "vnet/model/types.h"

struct model;

/* A type's row in the list of types. */
struct object_class {
    enum object_type type;
    const char *name; /* "port" */
    size_t size;      /* of its struct */
    bool has_tenant;  /* names are unique per tenant, else globally */
    bool has_name;    /* false: called by something else, e.g. route RTB/PREFIX */
    bool is_public;   /* belongs to no tenant, and every tenant may see it */
    bool is_hidden;   /* made and removed by transactions alone; no user sees it */
    const struct field *fields;
    size_t n_fields;
    const char *help;
};

const struct object_class *object_class(enum object_type);                       /* NULL: no such type */
const struct object_class *object_class_by_name(const char *);                   /* of those that users see */
const struct object_class *object_class_next(const struct object_class *);       /* NULL -> first; NULL after the last; hidden ones too */
const struct field *object_field(const struct object_class *, const char *name); /* of those that users see */

/* The tenant 'default' (number 1) is always there. */
struct model *model_new(void);
void model_free(struct model *);

uint64_t model_revision(const struct model *); /* counts committed transactions of intent */

/* NULL if there is none. 'type' must fit (OBJECT_NONE: any). */
const struct object *model_get(const struct model *, uint32_t number, enum object_type);
const struct object *model_get_id(const struct model *, struct uuid);
/* By name or UUID, as users write it, e.g. "web1"; for a route "RTB/PREFIX", for an eip its address, for an igw its VPC. tenant 0 for types without.
 * A UUID finds the object of any tenant: whether the asker may see it is for principal_may() to say. */
const struct object *model_find(const struct model *, enum object_type, uint32_t tenant, const char *name);
uint32_t model_tenant(const struct model *, const char *name); /* number; 0: none */
/* When the tenant 'default' began to exist, unless a stored document has said so. Call after loading. */
void model_tenant_default_since(struct model *, int64_t ms);

/* Objects of one type, by rising number, beginning after 'after' (paging). O(log n) to start. */
const struct object *model_next(const struct model *, enum object_type, uint32_t after);
size_t model_count(const struct model *, enum object_type);

/* Objects of 'type' that refer to 'target' by any field: the ports of a subnet, the routes of a table, ... (of a security group, the rules
 * it has and those whose peer it is). In no order. Stops when
 * 'each' returns false. Costs what it visits. */
void model_each_referrer(const struct model *, uint32_t target, enum object_type type, bool (*each)(void *aux, const struct object *),
                         void *aux);

/* Their numbers, without a look at the objects: of many, most of a walk's time. */
void model_each_referring_number(const struct model *, uint32_t target, enum object_type type, void (*each)(void *aux, uint32_t number),
                                 void *aux);

/* Unique facts (indices): 0 if none. */
uint32_t model_port_by_mac(const struct model *, uint32_t vpc, struct mac);
uint32_t model_port_by_ip(const struct model *, uint32_t subnet, struct ip);
uint32_t model_subnet_by_ip(const struct model *, uint32_t vpc, struct ip); /* the subnet containing it */
uint32_t model_lb_by_ip(const struct model *, uint32_t subnet, struct ip);
uint32_t model_main_rtb(const struct model *, uint32_t vpc);
/* Has the group a rule that lets everything pass in that direction? */
bool model_sg_allows_all(const struct model *, uint32_t group, bool is_ingress);
uint32_t model_default_sg(const struct model *, uint32_t vpc);
uint32_t model_igw_of(const struct model *, uint32_t vpc);
uint32_t model_eip_by_ip(const struct model *, struct ip);
/* The elastic IP attached to a port, NAT gateway or load balancer. */
uint32_t model_eip_of(const struct model *, uint32_t holder);
/* Has the subnet's route table a route to the internet gateway? Costs the table's routes. */
bool model_subnet_reaches_igw(const struct model *, const struct subnet *);

/* Which rules are shadowed: do other rules of its group together let through all that this one does, counting only those that are wider, or as
 * wide and older? All rules that are shadowed can be removed at once, and nothing changes. For as many questions as there are while the model stays
 * as it is. A question costs a step for each rule of its group that has addresses of it, and for each part into which they cut these: at most
 * SG_SHADOW_STEPS. All of them together cost at most 'steps'. What would take more is not called shadowed. */
#define SG_SHADOW_STEPS (1u << 18)
#define SG_SHADOWS_STEPS (1u << 25) /* part of a second */
struct sg_shadows;
struct sg_shadows *sg_shadows_new(const struct model *, unsigned steps);
void sg_shadows_free(struct sg_shadows *);
bool sg_shadows_has(struct sg_shadows *, const struct sg_rule *);

/* How people see an object: its name, or "RTB/PREFIX", an address, ..., or the id. Valid until the object goes, or in the arena. Objects of an open
 * transaction have theirs too. */
const char *object_label(const struct model *, const struct object *, struct arena *);

/* ---- typed access; the number must be of that type or these return NULL ---- */
#define MODEL_GETTER(TYPE, ENUM)                                                          \
    static inline const struct TYPE *model_##TYPE(const struct model *m, uint32_t number) \
    {                                                                                     \
        return (const struct TYPE *) (const void *) model_get(m, number, ENUM);           \
    }
MODEL_GETTER(vpc, OBJECT_VPC)
MODEL_GETTER(subnet, OBJECT_SUBNET)
MODEL_GETTER(port, OBJECT_PORT)
MODEL_GETTER(rtb, OBJECT_RTB)
MODEL_GETTER(route, OBJECT_ROUTE)
MODEL_GETTER(host, OBJECT_HOST)
MODEL_GETTER(pool, OBJECT_POOL)
MODEL_GETTER(eip, OBJECT_EIP)
MODEL_GETTER(igw, OBJECT_IGW)
MODEL_GETTER(natgw, OBJECT_NATGW)
MODEL_GETTER(sg, OBJECT_SG)
MODEL_GETTER(sg_rule, OBJECT_SG_RULE)
MODEL_GETTER(sg_set, OBJECT_SG_SET)
MODEL_GETTER(lb, OBJECT_LB)
MODEL_GETTER(listener, OBJECT_LISTENER)
MODEL_GETTER(tg, OBJECT_TG)
MODEL_GETTER(target, OBJECT_TARGET)
#undef MODEL_GETTER

#endif
