/* Lets in what a local port may send, and notes who it was. What it may not is counted by the reject feature. */
#include <stdio.h>

#include "vnet/feature/sg/sg.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

#define UDP 17
#define DHCP_SERVER 67
#define DHCP_CLIENT 68

/* What of one port reaches a responder of ours. */
#define PACKET_IN_PPS 50
#define PACKET_IN_BURST 50

static const struct mac broadcast = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static struct flow_builder *
begin(struct block *b, const struct port_facts *f, uint16_t priority)
{
    struct flow_builder *fb = block_flow(b, STAGE_ADMIT, priority);
    match_in_port(fb, f->at.ofport);
    match_eth_src(fb, f->port->mac);
    return fb;
}

static void
end(struct block *b, const struct port_facts *f, enum stage next)
{
    sg_set_context(b, f);
    act_goto(b->fb, next);
    block_flow_end(b);
}

static void
dhcp_row(struct block *b, const struct port_facts *f, struct ip sender)
{
    struct flow_builder *fb = begin(b, f, PRIORITY_ADMIT_DHCP);
    match_eth_dst(fb, broadcast);
    match_ip_src(fb, ip_prefix_host(sender));
    match_ip_dst(fb, ip_prefix_host(ip4(UINT32_MAX)));
    match_l4_src(fb, IP_V4, UDP, DHCP_CLIENT, UINT16_MAX);
    match_l4_dst(fb, IP_V4, UDP, DHCP_SERVER, UINT16_MAX);
    end(b, f, STAGE_DHCP);
}

static void
arp_row(struct block *b, const struct port_facts *f, struct ip_prefix sender)
{
    struct flow_builder *fb = begin(b, f, PRIORITY_ADMIT_OWN);
    match_arp_sha(fb, f->port->mac);
    match_arp_spa(fb, sender);
    end(b, f, STAGE_ARP);
}

static void
ip_row(struct block *b, const struct port_facts *f, struct ip_prefix sender)
{
    struct flow_builder *fb = begin(b, f, PRIORITY_ADMIT_OWN);
    match_ip_src(fb, sender);
    sg_leave_end(b, f);
}

/* A lease is renewed, and the gateway answers echo, whatever the port's groups say. */
static void
unfiltered_rows(struct block *b, const struct port_facts *f)
{
    if (sg_set_is_open(b->view, f->port->sg_set))
        return;
    struct flow_builder *fb = begin(b, f, PRIORITY_ADMIT_UNFILTERED);
    match_ip_src(fb, ip_prefix_host(port_ip4(f->port)));
    match_ip_dst(fb, ip_prefix_host(subnet_gateway(f->subnet)));
    end(b, f, STAGE_GATEWAY);
    dhcp_row(b, f, port_ip4(f->port));
}

static void
own_address_rows(struct block *b, const struct port_facts *f)
{
    arp_row(b, f, ip_prefix_host(ip4(0)));
    for (size_t i = 0; i < f->port->ips.n; i++) {
        struct ip ip = f->port->ips.v[i];
        if (ip.family != IP_V4)
            continue;
        arp_row(b, f, ip_prefix_host(ip));
        ip_row(b, f, ip_prefix_host(ip));
    }
}

/* Also ARP: a guest asks with whichever address it is about to send from, and nobody learns from its question. */
static void
any_address_rows(struct block *b, const struct port_facts *f)
{
    const struct ip_prefix any = { .ip = ip4(0), .len = 0 };
    arp_row(b, f, any);
    ip_row(b, f, any);
}

static void
admit_flows(struct block *b, uint8_t type, uint32_t number)
{
    struct port_facts f;
    if (!port_facts_local(b, number, &f))
        return;

    block_add(b, meter_spec(b->arena, b->cookie, number, PACKET_IN_PPS, PACKET_IN_BURST));
    dhcp_row(b, &f, ip4(0));
    unfiltered_rows(b, &f);
    if (f.port->source_dest_check)
        own_address_rows(b, &f);
    else
        any_address_rows(b, &f);
}

static void
admit_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    touch_local_port(view, event, list, FEATURE_ADMIT);

    const struct change *change = event_object(event, OBJECT_SUBNET);
    if (change && change->before && change->after) {
        const struct subnet *before = (const void *) change->before, *after = (const void *) change->after;
        if (before->rtb != after->rtb)
            touch_local_ports_of(view, change->number, list, FEATURE_ADMIT);
    }
}

static void
admit_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    if (!vpc)
        blocks_local_ports(view, host, emit, aux);
}

static void
admit_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    struct words port = words_owner(view, spec);
    if (spec->kind == SPEC_METER)
        snprintf(text, size, "what %s asks of us is limited", port.text);
    else if (spec->priority == PRIORITY_ADMIT_DHCP)
        snprintf(text, size, "%s asks for its address", port.text);
    else if (spec->priority == PRIORITY_ADMIT_UNFILTERED)
        snprintf(text, size, "%s asks its gateway, which no security group filters", port.text);
    else
        snprintf(text, size, "%s sends from an address that it may use", port.text);
}

const struct feature feature_admit = {
    .name = "admit",
    .number = FEATURE_ADMIT,
    .touches = admit_touches,
    .blocks = admit_blocks,
    .flows = admit_flows,
    .explain = admit_explain,
};
