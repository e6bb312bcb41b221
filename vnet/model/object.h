/* What the files of this folder share about objects: their lifetime, the facts they state, and what a type does beyond its field
 * table. Adding a type: its file, a row in OBJECT_TYPE_LIST, and a row in object.c's list.
 *
 * Objects are built, filled in, and from then on never changed: a transaction clones one to change it. */
#ifndef VNET_MODEL_OBJECT_H
#define VNET_MODEL_OBJECT_H 1

#include "base/limits.h"
#include "vnet/model/model.h"

struct transaction;

/* A fact is what at most one object may state within a scope (another object's number). All bytes count: zero it first. */
enum fact_kind {
    FACT_MAC = 1,
    FACT_IP,
    FACT_VNI,
    FACT_MAIN_RTB,
    FACT_ROUTE,
    FACT_PUBLIC_IP, /* of an elastic IP */
    FACT_ATTACHED,  /* an elastic IP is attached to the scope */
    FACT_IGW,
    FACT_DEFAULT_SG,
    FACT_SG_RULE,
    FACT_LISTENER,
    FACT_TARGET,
    FACT_SG_SET
};

struct fact {
    uint32_t scope;
    uint8_t kind, family, len, bits;
    uint8_t b[24];
};

#define FACTS_MAX (1 + LIMIT_LIST) /* a port: MAC and addresses */
#define REFS_MAX (8 + LIMIT_LIST)
#define OBJECT_LABEL_MAX (2 * (LIMIT_NAME + 1)) /* A/B */

struct fact fact_mac(uint32_t vpc, struct mac);
struct fact fact_ip(uint32_t subnet, struct ip);
struct fact fact_vni(uint32_t vni);
struct fact fact_main_rtb(uint32_t vpc);
struct fact fact_route(uint32_t rtb, struct ip_prefix);
struct fact fact_public_ip(struct ip);
struct fact fact_attached(uint32_t holder);
struct fact fact_igw(uint32_t vpc);
struct fact fact_default_sg(uint32_t vpc);
struct fact fact_sg_rule(const struct sg_rule *); /* all that it says */
struct fact fact_listener(uint32_t lb, uint8_t proto, uint16_t port);
struct fact fact_target(uint32_t tg, uint32_t port);
struct fact fact_sg_set(uint32_t vpc, const struct number_list *groups); /* exactly these */

/* Public addresses and the ranges of pools are unique everywhere: their scope is no object. */
#define PUBLIC_SCOPE 0

enum view {
    VIEW_COMMITTED, /* what readers see */
    VIEW_STAGED,    /* with the changes of the open transaction; without one the same */
    N_VIEWS
};

/* What a type does beyond its fields. Any may be NULL. The object is of the type; errors are about it and do not name it. */
struct object_hooks {
    /* Members that follow from other objects (a port's VPC): before anything else looks at it. */
    void (*link)(const struct model *, enum view, struct object *);
    size_t (*facts)(const struct object *, struct fact[FACTS_MAX]);
    /* Allocates or finds what was not given. 'before' is NULL when new. */
    bool (*complete)(struct transaction *, const struct object *before, struct object *, struct error *);
    /* Is it valid? Facts, and what the field table says, are checked already. */
    bool (*check)(struct transaction *, const struct object *before, const struct object *, struct error *);
    /* Adds the objects that come with a new one. */
    bool (*added)(struct transaction *, const struct object *, struct error *);
    /* May a user delete it? References are checked besides; what goes with its owner is not asked. */
    bool (*removing)(struct transaction *, const struct object *, struct error *);
    /* Does it go when its FIELD_OWNER goes? NULL: yes. */
    bool (*goes_with_owner)(const struct object *);
    /* And with another one that it refers to? NULL: no. */
    bool (*goes_with)(const struct object *, uint32_t other);
    /* A user deletes it: does it stay a while? Then it has been replaced by what stays. NULL: no. What stays is found like others, and an
     * 'add' of the same makes it whole again, under its number. */
    bool (*linger)(struct transaction *, const struct object *, bool *stays, struct error *);
    bool (*is_lingering)(const struct object *);
    /* Of a type whose objects are called by owner: writes the label, and finds the object that it is of. */
    void (*label)(const struct model *, const struct object *, char buf[OBJECT_LABEL_MAX]);
    const struct object *(*find)(const struct model *, enum view, uint32_t tenant, const char *label);
};

const struct object_hooks *object_hooks(uint8_t type);

/* ---- lifetime ---- */
struct object *object_new(const struct object_class *);          /* zeroed; no defaults */
struct object *object_clone(const struct object *);              /* deep */
void object_free(struct object *);                               /* NULL is fine */
bool object_equal(const struct object *, const struct object *); /* of one type and number */

/* What people call it: name, label, or id. In either view. */
const char *object_label_write(const struct model *, const struct object *, char buf[OBJECT_LABEL_MAX]);

/* Numbers it refers to by any field, each once, rising; the tenant is not among them. Returns how many. */
size_t object_refs(const struct object *, uint32_t refs[REFS_MAX]);
size_t object_facts(const struct object *, struct fact[FACTS_MAX]);

/* Letters, digits, '-', '_' and '.'. */
bool name_has_fit_characters(const char *);
/* A user's name for an object of the type. */
bool object_name_check(const struct object_class *, const char *name, struct error *) MUST_CHECK;

struct tag *object_tag(const struct object *, const char *key);           /* NULL: none */
void object_tag_set(struct object *, const char *key, const char *value); /* value NULL removes */
void object_tags_clear(struct object *);

void uint_map_set(struct uint_map *, const char *key, uint32_t value);
void uint_map_remove(struct uint_map *, const char *key);
void uint_map_clear(struct uint_map *);
const struct uint_map_item *uint_map_find(const struct uint_map *, const char *key);

/* ---- fields ---- */
static inline void *
field_of(struct object *o, const struct field *f)
{
    return (char *) o + f->offset;
}

static inline const void *
field_in(const struct object *o, const struct field *f)
{
    return (const char *) o + f->offset;
}

/* FIELD_NONE_WORD: false when 'none' was said. */
static inline bool
field_is_given(const struct object *o, const struct field *f)
{
    return *(const bool *) ((const char *) o + f->given_offset);
}

static inline void
field_set_given(struct object *o, const struct field *f, bool is_given)
{
    *(bool *) ((char *) o + f->given_offset) = is_given;
}

void field_clear(struct object *, const struct field *); /* frees; the field is unset */

/* FIELD_PEER */
uint32_t peer_group(const struct object *, const struct field *);
void peer_clear(struct object *, const struct field *);
bool peer_equal(const struct object *, const struct object *, const struct field *);

/* What the store knows by that name, hidden or not. */
const struct object_class *object_class_stored(const char *name);
const struct field *object_field_stored(const struct object_class *, const char *name);

/* ---- the types ---- */
extern const struct object_class tenant_class, vpc_class, subnet_class, port_class, rtb_class, route_class, host_class, pool_class,
    eip_class, igw_class, natgw_class, sg_class, sg_rule_class, sg_set_class, lb_class, listener_class, tg_class, target_class;
extern const struct object_hooks tenant_hooks, vpc_hooks, subnet_hooks, port_hooks, rtb_hooks, route_hooks, host_hooks, pool_hooks,
    eip_hooks, igw_hooks, natgw_hooks, sg_hooks, sg_rule_hooks, sg_set_hooks, lb_hooks, listener_hooks, tg_hooks, target_hooks;

#define TENANT_DEFAULT_NUMBER 1
#define TENANT_DEFAULT_NAME "default"
uint64_t host_dpid(uint32_t number);

/* The parts of a pool's range that may be handed out: up to two, since network, broadcast and gateway are not. Returns how many. */
size_t pool_usable(const struct pool *, struct ip_range usable[2]);

/* A range of IPv4 addresses that hosts may have, of length shortest..longest; 'example' is one. */
struct cidr_rule {
    uint8_t shortest, longest;
    const char *example;
};
bool cidr_check(struct ip_prefix, const struct cidr_rule *, struct error *) MUST_CHECK;

#endif
