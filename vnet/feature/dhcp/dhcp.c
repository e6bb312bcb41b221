/* A port's DHCP questions go to the responder, at a bounded rate, with all that the answer needs. */
#include <stdio.h>
#include <string.h>

#include "vnet/model/router_mac.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/port_facts.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

static void
lease_dns(struct dhcp_lease *lease, const struct ip_list *dns)
{
    for (size_t i = 0; i < dns->n && lease->n_dns < LIMIT_LIST; i++) {
        if (dns->v[i].family == IP_V4)
            lease->dns[lease->n_dns++] = dns->v[i];
    }
}

static void
lease_of(const struct block *b, const struct port_facts *f, struct dhcp_lease *lease)
{
    uint16_t mtu = b->here->mtu;
    *lease = (struct dhcp_lease){
        .mac = f->port->mac,
        .router = ROUTER_MAC,
        .ip = port_ip4(f->port),
        .gateway = subnet_gateway(f->subnet),
        .prefix_len = f->subnet->cidr.len,
        .mtu = mtu > LAYOUT_TUNNEL_OVERHEAD ? mtu - LAYOUT_TUNNEL_OVERHEAD : 0,
        .lease_s = f->subnet->lease,
    };
    lease_dns(lease, &f->subnet->dns);
    const char *domain = f->subnet->domain;
    if (domain && strlen(domain) <= DHCP_DOMAIN_MAX)
        memcpy(lease->domain, domain, strlen(domain));
}

static void
dhcp_flows(struct block *b, uint8_t type, uint32_t number)
{
    struct port_facts f;
    if (!port_facts_local(b, number, &f))
        return;

    struct dhcp_lease lease;
    struct bytes userdata = BYTES_INIT;
    lease_of(b, &f, &lease);
    userdata_put_lease(&userdata, &lease);

    struct flow_builder *fb = block_flow(b, STAGE_DHCP, PRIORITY_ROW);
    match_u64(fb, LAYOUT_PORT, number);
    act_meter(fb, number);
    act_controller(fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    block_flow_end(b);
    bytes_done(&userdata);
}

struct mtu_touch {
    struct touch_list *list;
    uint32_t host;
};

static void
touch_port(void *aux, uint32_t port, uint32_t ofport)
{
    const struct mtu_touch *t = aux;
    touch_add(t->list, FEATURE_DHCP, OBJECT_PORT, port, (struct touch){ TOUCH_HOST, t->host });
}

static void
dhcp_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    touch_local_port(view, event, list, FEATURE_DHCP);

    const struct change *subnet = event_object(event, OBJECT_SUBNET);
    if (subnet)
        touch_local_ports_of(view, subnet->number, list, FEATURE_DHCP);

    if (event->kind == EVENT_HOST) {
        const struct runtime_host *before = event->host_before, *after = event->host_after;
        struct mtu_touch t = { list, event->number };
        if (!before || !after || before->mtu != after->mtu)
            runtime_each_port_on(view->runtime, event->number, touch_port, &t);
    }
}

static void
dhcp_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    if (!vpc)
        blocks_local_ports(view, host, emit, aux);
}

static bool
dhcp_answer_packet(const struct packet_in *in, struct bytes *out)
{
    struct dhcp_lease lease;
    return userdata_get_lease(in->userdata, in->userdata_len, &lease) && dhcp_answer(&lease, in->packet, in->packet_len, out);
}

static void
dhcp_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    snprintf(text, size, "DHCP tells %s its address", words_owner(view, spec).text);
}

const struct feature feature_dhcp = {
    .name = "dhcp",
    .number = FEATURE_DHCP,
    .touches = dhcp_touches,
    .blocks = dhcp_blocks,
    .flows = dhcp_flows,
    .answer = dhcp_answer_packet,
    .explain = dhcp_explain,
};
