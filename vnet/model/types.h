/* The objects of the virtual network as C structs. Objects refer to each other by number, never by pointer. A struct in the
 * model is immutable: a transaction replaces it by a changed copy. */
#ifndef VNET_MODEL_TYPES_H
#define VNET_MODEL_TYPES_H 1

#include "base/addr.h"
#include "base/uuid.h"
#include "vnet/model/field.h"

/* Type numbers are in cookies and in the store: never change one, never use one again. */
#define OBJECT_TYPE_LIST(X)      \
    X(OBJECT_TENANT, 1, "tenant") \
    X(OBJECT_VPC,    2, "vpc")    \
    X(OBJECT_SUBNET, 3, "subnet") \
    X(OBJECT_PORT,   4, "port")   \
    X(OBJECT_RTB,    5, "rtb")    \
    X(OBJECT_ROUTE,  6, "route")  \
    X(OBJECT_HOST,   7, "host")   \
    X(OBJECT_POOL,   8, "pool")   \
    X(OBJECT_EIP,    9, "eip")    \
    X(OBJECT_IGW,   10, "igw")    \
    X(OBJECT_NATGW, 11, "natgw")

enum object_type {
    OBJECT_NONE = 0,
#define X(TYPE, NUMBER, NAME) TYPE = NUMBER,
    OBJECT_TYPE_LIST(X)
#undef X
    OBJECT_TYPE_MAX = 64
};

struct tag {
    char *key, *value;
};

/* What every object has. */
struct object {
    struct uuid id;
    uint32_t number;            /* from one sequence for all types; see design: cookies, group and meter ids */
    uint32_t tenant;            /* number; 0: belongs to none (tenants, hosts) */
    uint8_t type;               /* enum object_type */
    int64_t created_ms;         /* since 1970 */
    char *name;                 /* NULL: none of its own; then the id serves as its name */
    size_t n_tags;
    struct tag *tags;
    char *unknown;              /* JSON object of fields written by a newer minor version; NULL none */
};

struct ip_list {
    size_t n;
    struct ip *v;
};

struct number_list {
    size_t n;
    uint32_t *v;
};

struct uint_map {
    size_t n;
    struct uint_map_item { char *key; uint32_t value; } *v;
};

struct tenant {
    struct object o;
    struct uint_map quotas;     /* type name -> how many; absent: unlimited */
};

struct vpc {
    struct object o;
    struct ip_prefix cidr;
    uint32_t vni;               /* 1..2^24-1, allocated */
};

struct subnet {
    struct object o;
    uint32_t vpc;
    uint32_t rtb;               /* never 0: the VPC's main table by default */
    struct ip_prefix cidr;
    struct ip_list dns;
    char *domain;
    uint32_t lease;             /* seconds */
};

struct port {
    struct object o;
    uint32_t subnet;
    uint32_t vpc;               /* its subnet's; not stored */
    struct mac mac;
    struct ip_list ips;         /* both families; at least one IPv4 */
    struct number_list sg;      /* sorted; see has_sg */
    bool has_sg;                /* false: 'none'; true with an empty list: the VPC's default group */
    bool source_dest_check;
};

struct rtb {
    struct object o;
    uint32_t vpc;
    bool is_main;
};

/* What a route leads to, or what an elastic IP is attached to. */
struct target_ref {
    enum target_kind { TARGET_NONE, TARGET_BLACKHOLE, TARGET_PORT, TARGET_IGW, TARGET_NATGW } kind;
    uint32_t number;            /* of the port, igw or natgw */
};

struct route {                  /* name: none; called RTB/PREFIX */
    struct object o;
    uint32_t rtb;
    struct ip_prefix prefix;
    struct target_ref target;
};

/* A hypervisor that has once joined. What it says of itself now is runtime state (vnet/pipeline/runtime.h). */
struct host {                   /* name: its system-id */
    struct object o;
    uint64_t dpid;              /* given to its integration bridge; from its number, not stored */
    char *owner;                /* the vnetd that made it; NULL: unknown */
    struct ip_list controllers; /* addresses given to its bridge; empty: where its OVSDB session came to */
};

/* Public addresses on a physical network; belongs to no tenant. */
struct pool {
    struct object o;
    struct ip_prefix cidr;
    char *uplink;               /* the physical network's name, as in vnet-uplinks */
    struct ip gateway;          /* the upstream router */
    struct ip_range range;      /* what may be handed out; given, or all of the CIDR but network, broadcast and gateway */
    uint32_t vlan;              /* 0: untagged */
};

struct eip {                    /* name: none; called by its address */
    struct object o;
    uint32_t pool;
    struct ip ip;
    struct target_ref attached; /* TARGET_NONE, TARGET_PORT or TARGET_NATGW */
};

struct igw {                    /* name: none; called by its VPC's */
    struct object o;
    uint32_t vpc;
};

struct port_range {
    uint16_t lo, hi;
};

struct natgw {
    struct object o;
    uint32_t subnet;
    uint32_t vpc;               /* its subnet's; not stored */
    struct port_range ports;    /* of the translated source */
};

/* ---- helpers for the pipeline ---- */
struct ip subnet_gateway(const struct subnet *);         /* the first address */
struct ip port_ip4(const struct port *);                 /* the first IPv4 address */

#endif
