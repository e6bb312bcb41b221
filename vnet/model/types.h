/* The objects of the virtual network as C structs. Objects refer to each other by number, never by pointer. A struct in the
 * model is immutable: a transaction replaces it by a changed copy. */
#ifndef VNET_MODEL_TYPES_H
#define VNET_MODEL_TYPES_H 1

#include "base/addr.h"
#include "base/uuid.h"
#include "vnet/model/field.h"

/* Type numbers are in cookies and in the store: never change one, never use one again. */
/* clang-format off */
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
    X(OBJECT_NATGW, 11, "natgw")  \
    X(OBJECT_SG,    12, "sg")     \
    X(OBJECT_SG_RULE, 13, "sg-rule") \
    X(OBJECT_SG_SET, 14, "sg-set") \
    X(OBJECT_LB,    15, "lb")     \
    X(OBJECT_LISTENER, 16, "listener") \
    X(OBJECT_TG,    17, "tg")     \
    X(OBJECT_TARGET, 18, "target")
/* clang-format on */

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
    uint32_t number;    /* from one sequence for all types; see design: cookies, group and meter ids */
    uint32_t tenant;    /* number; 0: belongs to none (tenants, hosts) */
    uint8_t type;       /* enum object_type */
    int64_t created_ms; /* since 1970 */
    char *name;         /* NULL: none of its own; then the id serves as its name */
    size_t n_tags;
    struct tag *tags;
    char *unknown; /* JSON object of fields written by a newer minor version; NULL none */
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
    struct uint_map_item {
        char *key;
        uint32_t value;
    } * v;
};

struct tenant {
    struct object o;
    struct uint_map quotas; /* type name -> how many; absent: unlimited */
};

struct vpc {
    struct object o;
    struct ip_prefix cidr;
    uint32_t vni;     /* 1..2^24-1, allocated */
    bool is_balanced; /* it has a load balancer; kept by transactions */
};

struct subnet {
    struct object o;
    uint32_t vpc;
    uint32_t rtb; /* never 0: the VPC's main table by default */
    struct ip_prefix cidr;
    struct ip_list dns;
    char *domain;
    uint32_t lease; /* seconds */
};

/* A packet is looked at once for each pair of groups of both ends (sg_judge.c): with more of them Open vSwitch might give it up. */
#define PORT_GROUPS_MAX 16

struct port {
    struct object o;
    uint32_t subnet;
    uint32_t vpc; /* its subnet's; not stored */
    struct mac mac;
    struct ip_list ips;    /* both families; at least one IPv4 */
    struct number_list sg; /* sorted, at most PORT_GROUPS_MAX; the VPC's default group unless others were named; empty: 'none' */
    bool has_sg;           /* false: 'none' */
    uint32_t sg_set;       /* the sg_set of exactly these groups; 0: none */
    bool source_dest_check;
    char *declared_by;    /* UUID of the domain whose XML asks for it; NULL: made by a user */
    uint32_t declared_on; /* the host whose agent said so last; 0: likewise */
};

struct rtb {
    struct object o;
    uint32_t vpc;
    bool is_main;
};

/* What a route leads to, or what an elastic IP is attached to. */
struct target_ref {
    enum target_kind { TARGET_NONE, TARGET_BLACKHOLE, TARGET_PORT, TARGET_IGW, TARGET_NATGW, TARGET_LB } kind;
    uint32_t number; /* of the port, igw, natgw or lb */
};

struct route { /* name: none; called RTB/PREFIX */
    struct object o;
    uint32_t rtb;
    struct ip_prefix prefix;
    struct target_ref target;
};

/* "vn" in the upper bytes, so that our bridges are known at sight. */
#define HOST_DPID_BASE UINT64_C(0x766e000000000000)

/* A hypervisor that has once joined. What it says of itself now is runtime state (vnet/pipeline/runtime.h). */
struct host { /* name: its system-id */
    struct object o;
    uint64_t dpid;              /* given to its integration bridge; from its number, not stored */
    char *owner;                /* the vnetd that made it; NULL: unknown */
    struct ip_list controllers; /* addresses given to its bridge; empty: where its OVSDB session came to */
    struct number_list tenants; /* for which its agent may declare ports; empty: all */
};

/* Public addresses on a physical network; belongs to no tenant. */
struct pool {
    struct object o;
    struct ip_prefix cidr;
    char *uplink;          /* the physical network's name, as in vnet-uplinks */
    struct ip gateway;     /* the upstream router */
    struct ip_range range; /* what may be handed out; given, or all of the CIDR but network, broadcast and gateway */
    uint32_t vlan;         /* 0: untagged */
};

struct eip { /* name: none; called by its address */
    struct object o;
    uint32_t pool;
    struct ip ip;
    struct target_ref attached; /* TARGET_NONE, TARGET_PORT, TARGET_NATGW or TARGET_LB */
};

struct igw { /* name: none; called by its VPC's */
    struct object o;
    uint32_t vpc;
};

struct port_range {
    uint16_t lo, hi;
};

struct natgw {
    struct object o;
    uint32_t subnet;
    uint32_t vpc;            /* its subnet's; not stored */
    struct port_range ports; /* of the translated source */
};

/* ---- security groups ---- */
struct sg {
    struct object o;
    uint32_t vpc;
    bool is_default;                      /* came with its VPC, and goes with it */
    bool is_ingress_peer, is_egress_peer; /* rules of that direction name it as their peer; kept by transactions */
};

/* Which packets of layer 4. */
struct l4_match {
    int proto;  /* 0..255; -1: all */
    int lo, hi; /* ports of TCP and UDP; of ICMP its type (lo) and code (hi); -1: any */
};

struct sg_rule { /* name: none; called by its id */
    struct object o;
    uint32_t sg;
    bool is_ingress;
    struct l4_match match;
    struct ip_prefix cidr; /* IP_NONE: the peer is a group */
    uint32_t peer;         /* that group; 0: none */
};

/* A combination of groups that at least one port has: the same for all ports that have exactly these. Transactions make and remove them;
 * users never see them. */
struct sg_set {
    struct object o;
    uint32_t vpc;
    struct number_list groups; /* sorted, at least one */
};

/* ---- load balancers ---- */
struct lb {
    struct object o;
    uint32_t subnet;
    uint32_t vpc; /* its subnet's; not stored */
    struct ip ip;
    enum lb_affinity { LB_AFFINITY_NONE, LB_AFFINITY_SOURCE } affinity;
};

struct listener { /* name: none; called LB/PROTO:PORT */
    struct object o;
    uint32_t lb;
    uint32_t vpc;  /* its balancer's; not stored */
    uint8_t proto; /* L4_TCP or L4_UDP; its group's too */
    uint16_t port;
    uint32_t tg;
};

struct tg {
    struct object o;
    uint32_t vpc;
    uint8_t proto;                                                                      /* L4_TCP or L4_UDP */
    uint16_t port;                                                                      /* where targets listen that do not say otherwise */
    enum tg_check { TG_CHECK_UNSET, TG_CHECK_TCP, TG_CHECK_ICMP, TG_CHECK_NONE } check; /* never UNSET in the model */
    uint16_t check_port;                                                                /* 0: the target's own */
    uint32_t interval_ms, timeout_ms;
    uint32_t rise, fall;
    uint32_t drain_ms;
};

struct target { /* name: none; called TG/PORT */
    struct object o;
    uint32_t tg;
    uint32_t port;          /* the VM's */
    uint32_t vpc;           /* the group's, and the port's; not stored */
    uint16_t target_port;   /* 0: the group's */
    uint32_t weight;        /* 0: no new connections */
    int64_t drain_until_ms; /* since 1970: removed, keeps its connections until then; 0: it is no such */
};

#define L4_ICMP 1
#define L4_TCP 6
#define L4_UDP 17
#define L4_ICMP6 58

/* ---- helpers for the pipeline ---- */
struct ip subnet_gateway(const struct subnet *);                      /* the first address */
struct ip port_ip4(const struct port *);                              /* the first IPv4 address */
uint16_t target_listens_at(const struct tg *, const struct target *); /* its own port, or its group's */
uint16_t target_check_port(const struct tg *, const struct target *); /* where check=tcp connects to */
const char *l4_proto_word(int proto);                                 /* "tcp", "all"; NULL: it has only a number */
bool l4_proto_parse(const char *word, int *proto);
bool l4_has_ports(int proto);
bool l4_is_icmp(int proto);

#endif
