/* Who sends the packet of a trace, and what it does before: find the MAC address to send to. */
#include <string.h>

#include "controller/trace_private.h"
#include "vnet/model/public_mac.h"
#include "vnet/pipeline/placement.h"

#define MULTICAST_MAC UINT64_C(0x01005e000000)

/* A machine outside that nobody knows. */
static const struct mac stranger = { { 2, 0, 0, 0, 0, 1 } };

/* '*mac' stays 0 if nobody answers; then that is the verdict. */
static bool
resolve(struct trace *t, struct ip next_hop, uint64_t *mac)
{
    struct exec_packet ask;
    struct exec_result r;
    trace_packet_ask(t, next_hop, &ask);
    if (!trace_run_here(t, &ask, &r))
        return false;
    for (size_t i = 0; i < r.n_outputs; i++) {
        if (r.outputs[i].kind == EXEC_IN_PORT)
            *mac = r.outputs[i].packet.field[OF_ARP_SHA];
    }
    if (!*mac) {
        char ip[IP_STRLEN];
        trace_line(t, "host %s", trace_host(t, t->host));
        trace_tell(t, &r);
        trace_line(t, "  ARP for %s is not answered, so the packet itself is never sent", ip_format(next_hop, ip));
        trace_no_port(t);
    }
    return true;
}

/* ---- a port ---- */

/* As the guest's network stack would find it. */
static bool
destination_mac(struct trace *t, const struct subnet *subnet, uint64_t *mac)
{
    uint32_t dst = ip4_u32(t->wanted->dst);
    struct ip gateway = subnet_gateway(subnet);
    *mac = 0;
    if (dst == UINT32_MAX)
        *mac = TRACE_BROADCAST_MAC;
    else if (dst >> 28 == 0xe)
        *mac = MULTICAST_MAC | (dst & 0x7fffff);
    else
        return resolve(t, ip_prefix_contains(subnet->cidr, t->wanted->dst) ? t->wanted->dst : gateway, mac);
    return true;
}

static bool
begin_at_port(struct trace *t, uint32_t port)
{
    uint64_t mac;
    struct port_facts from;
    if (!port_facts_get(&t->network->view, port, &from))
        return error_set(t->err, ERROR_UNKNOWN, "port number %u does not exist", port);
    const char *name = trace_object(t, OBJECT_PORT, port);
    if (!from.at.host || !from.at.ofport)
        return error_set(t->err, ERROR_CONFLICT, "port '%s' is unbound: no host has an interface with its iface-id", name);
    for (size_t i = 0; i < from.port->ips.n; i++) {
        char ip[IP_STRLEN];
        if (ip_equal(from.port->ips.v[i], t->wanted->dst))
            return error_set(t->err, ERROR_INVALID, "packet: dst '%s': is port '%s' itself, whose guest sends nothing for it",
                             ip_format(t->wanted->dst, ip), name);
    }
    t->host = from.at.host;
    t->sender = (struct trace_sender){ .ofport = from.at.ofport, .mac = from.port->mac, .ip = port_ip4(from.port) };
    t->sender.asks_as = t->sender.ip;
    if (!destination_mac(t, from.subnet, &mac))
        return false;
    trace_packet_make(t, mac);
    return true;
}

/* ---- outside ---- */

/* A neighbour asks for itself; for one farther away the router does, and its MAC is what comes in. */
static void
sender_outside(struct trace *t, const struct pool *pool, struct ip src)
{
    const struct view *view = &t->network->view;
    bool is_neighbour = ip_prefix_contains(pool->cidr, src) && !ip_equal(src, pool->gateway);
    t->sender.ip = src;
    t->sender.asks_as = is_neighbour ? src : pool->gateway;
    if (is_neighbour && model_eip_by_ip(view->model, src))
        t->sender.mac = public_mac_of_ip(src);
    else if (is_neighbour || !runtime_gateway_mac(view->runtime, pool->o.number, &t->sender.mac))
        t->sender.mac = stranger;
}

static bool
is_same_network(const struct pool *a, const struct pool *b)
{
    return !strcmp(a->uplink, b->uplink) && a->vlan == b->vlan;
}

static bool
begin_outside(struct trace *t, uint32_t number, struct ip src)
{
    struct placement p;
    char dst[IP_STRLEN];
    uint64_t mac = 0;
    const struct view *view = &t->network->view;
    const struct pool *pool = model_pool(view->model, number);
    if (!pool)
        return error_set(t->err, ERROR_UNKNOWN, "pool number %u does not exist", number);
    if (!placement_get(view, model_eip_by_ip(view->model, t->wanted->dst), &p) || !is_same_network(pool, p.pool)) {
        trace_line(t, "no host holds %s on the network of pool '%s'", ip_format(t->wanted->dst, dst), pool->o.name);
        trace_no_port(t);
        return true;
    }
    t->host = p.holder->number;
    t->sender = (struct trace_sender){ .ofport = p.uplink, .vlan = (uint16_t) pool->vlan };
    sender_outside(t, pool, src);
    if (!resolve(t, t->wanted->dst, &mac))
        return false;
    trace_packet_make(t, mac);
    return true;
}

bool
trace_begin(struct trace *t, const struct trace_origin *origin)
{
    return origin->port ? begin_at_port(t, origin->port) : begin_outside(t, origin->pool, origin->src);
}
