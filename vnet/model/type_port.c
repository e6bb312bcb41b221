/* A port: one interface of a guest. It owns its MAC and addresses whether or not the guest runs. */
#include "vnet/model/transaction_state.h"

#include <stdio.h>

#include "base/alloc.h"
#include "vnet/model/public_mac.h"
#include "vnet/model/router_mac.h"
#include "vnet/model/sg_set.h"
#include "vnet/model/subnet_ip.h"

static const struct port *
as_port(const struct object *o)
{
    return (const struct port *) (const void *) o;
}

struct ip
port_ip4(const struct port *p)
{
    for (size_t i = 0; i < p->ips.n; i++)
        if (p->ips.v[i].family == IP_V4)
            return p->ips.v[i];
    return (struct ip){ .family = IP_NONE };
}

static json_t *
derive_ip(const struct model *m, const struct object *o)
{
    char text[IP_STRLEN];
    struct ip ip = port_ip4(as_port(o));
    return ip.family == IP_NONE ? json_null() : json_string(ip_format(ip, text));
}

static const char *const states[] = { "unbound", "building", "active", "error" };

static const struct field fields[] = {
    { .name = "subnet",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct port, subnet),
      .ref_type = OBJECT_SUBNET,
      .help = "the subnet it is in" },
    { .name = "ip", .kind = FIELD_IP, .derive = derive_ip, .writes = "ips", .help = "its first IPv4 address; a free one unless given" },
    { .name = "ips",
      .kind = FIELD_IP_LIST,
      .flags = FIELD_MUTABLE | FIELD_ALWAYS,
      .offset = offsetof(struct port, ips),
      .help = "all its addresses, the first of which stays" },
    { .name = "mac",
      .kind = FIELD_MAC,
      .flags = FIELD_ALWAYS,
      .offset = offsetof(struct port, mac),
      .help = "unique in its VPC; a locally administered one unless given" },
    { .name = "sg",
      .kind = FIELD_REF_LIST,
      .flags = FIELD_MUTABLE | FIELD_NONE_WORD,
      .offset = offsetof(struct port, sg),
      .given_offset = offsetof(struct port, has_sg),
      .ref_type = OBJECT_SG,
      .help = "at most 16 security groups; the VPC's default one unless given; 'none' filters nothing" },
    { .name = "sg_set",
      .kind = FIELD_REF,
      .flags = FIELD_HIDDEN | FIELD_READ_ONLY,
      .offset = offsetof(struct port, sg_set),
      .ref_type = OBJECT_SG_SET,
      .help = "the combination of its groups" },
    { .name = "source_dest_check",
      .kind = FIELD_BOOL,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct port, source_dest_check),
      .default_text = "true",
      .help = "false: may send from, and be routed, addresses that are not its own" },
    { .name = "declared_by",
      .kind = FIELD_STRING,
      .flags = FIELD_MUTABLE | FIELD_AGENT,
      .offset = offsetof(struct port, declared_by),
      .help = "the domain (UUID) whose XML declares it, and with which it goes" },
    { .name = "declared_on",
      .kind = FIELD_REF,
      .flags = FIELD_MUTABLE | FIELD_AGENT,
      .offset = offsetof(struct port, declared_on),
      .ref_type = OBJECT_HOST,
      .help = "the host where that domain was last" },
    { .name = "host", .kind = FIELD_RUNTIME, .ref_type = OBJECT_HOST, .help = "where it is bound" },
    { .name = "state", .kind = FIELD_RUNTIME, .words = states, .max = 3, .help = "unbound, building, active or error" },
    { .name = "reason", .kind = FIELD_RUNTIME, .help = "why the state is error" },
    { .name = "claimed_by", .kind = FIELD_RUNTIME, .help = "other hosts that show the same interface" },
    { .name = "drops", .kind = FIELD_RUNTIME, .help = "packets dropped, by reason" },
    FIELD_ERROR,
};

static void
link_vpc(const struct model *m, enum view v, struct object *o)
{
    struct port *p = (struct port *) (void *) o;
    const struct subnet *s = view_subnet(m, v, p->subnet);
    p->vpc = s ? s->vpc : 0;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    const struct port *p = as_port(o);
    size_t n = 0;
    out[n++] = fact_mac(p->vpc, p->mac);
    for (size_t i = 0; i < p->ips.n && n < FACTS_MAX; i++)
        out[n++] = fact_ip(p->subnet, p->ips.v[i]);
    return n;
}

/* ---- what was not given ---- */
static bool
take_ip(struct transaction *t, struct port *p, struct error *err)
{
    struct ip ip;
    if (!subnet_ip_take(t, p->subnet, &ip, err))
        return false;
    p->ips = (struct ip_list){ 1, mem_dup(&ip, sizeof ip) };
    return true;
}

/* 40 random bits behind 06:, locally administered and unicast; fe: is kept for hosts' ends of taps. */
static void
take_mac(struct transaction *t, struct port *p)
{
    uint64_t random = transaction_random(t);
    struct fact f;
    do {
        p->mac = mac_from_u64(UINT64_C(0x06) << 40 | (random++ & UINT64_C(0xffffffffff)));
        f = fact_mac(p->vpc, p->mac);
    } while (view_by_fact(t->model, VIEW_STAGED, &f));
}

static bool
complete(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    struct port *p = (struct port *) (void *) o;
    if (!before && mac_is_zero(p->mac))
        take_mac(t, p);
    return (before || p->ips.n || take_ip(t, p, err)) && sg_set_join(t, p, err);
}

/* ---- what was given ---- */
static bool
check_mac(struct mac mac, struct error *err)
{
    char text[MAC_STRLEN];
    if (!mac_is_unicast(mac))
        return error_set(err, ERROR_INVALID, "mac '%s' is not unicast; write one whose first byte is even, not all zero",
                         mac_format(mac, text));
    if (mac_equal(mac, ROUTER_MAC))
        return error_set(err, ERROR_INVALID, "mac '%s' is the router's; write another", mac_format(mac, text));
    if (is_public_mac(mac))
        return error_set(err, ERROR_INVALID, "mac '%s' is kept for public addresses; write another", mac_format(mac, text));
    return true;
}

/* One that has had too many from before there was a limit keeps them. */
static bool
check_n_groups(const struct port *before, const struct port *p, struct error *err)
{
    if (p->sg.n <= PORT_GROUPS_MAX || (before && p->sg.n <= before->sg.n))
        return true;
    return error_set(err, ERROR_INVALID, "sg: %zu groups are too many; a port has at most %d", p->sg.n, PORT_GROUPS_MAX);
}

static bool
check_groups(struct transaction *t, const struct port *p, struct error *err)
{
    char title[TITLE_MAX], vpc[TITLE_MAX], own_vpc[TITLE_MAX];
    for (size_t i = 0; i < p->sg.n; i++) {
        const struct sg *sg = view_sg(t->model, VIEW_STAGED, p->sg.v[i]);
        if (sg->vpc != p->vpc)
            return error_set(err, ERROR_INVALID, "sg: %s is of %s; name groups of %s", transaction_title(t, &sg->o, title),
                             transaction_title(t, transaction_get(t, sg->vpc, OBJECT_VPC), vpc),
                             transaction_title(t, transaction_get(t, p->vpc, OBJECT_VPC), own_vpc));
    }
    return true;
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct port *p = as_port(o);
    char text[IP_STRLEN];
    for (size_t i = 0; i < p->ips.n; i++)
        if (p->ips.v[i].family != IP_V4)
            return error_set(err, ERROR_INVALID, "ip '%s' is no IPv4 address; a port has IPv4 addresses only",
                             ip_format(p->ips.v[i], text));
    struct ip first = before ? port_ip4(as_port(before)) : port_ip4(p);
    if (!p->ips.n || !ip_equal(p->ips.v[0], first))
        return error_set(err, ERROR_INVALID, "ips must begin with '%s': the first address cannot be changed", ip_format(first, text));
    for (size_t i = 0; i < p->ips.n; i++)
        if (!subnet_ip_check(t, p->subnet, p->ips.v[i], err))
            return false;
    return check_mac(p->mac, err) && check_n_groups(before ? as_port(before) : NULL, p, err) && check_groups(t, p, err);
}

const struct object_class port_class = {
    .type = OBJECT_PORT,
    .name = "port",
    .size = sizeof(struct port),
    .has_tenant = true,
    .has_name = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "one interface of a guest",
};

const struct object_hooks port_hooks = { .link = link_vpc, .facts = facts, .complete = complete, .check = check };
