/* Counts what is not delivered by port and reason, and sends to the responder what deserves an ICMP error. */
#include "vnet/feature/reject/reject.h"

#include <stdio.h>
#include <string.h>

#include "vnet/model/router_mac.h"
#include "vnet/packet/userdata.h"
#include "vnet/pipeline/port_facts.h"
#include "vnet/pipeline/priority.h"
#include "vnet/pipeline/touch.h"
#include "vnet/pipeline/words.h"

/* Reasons that a port's packets are refused at once: the priority in ADMIT names the reason. */
static const struct {
    uint16_t priority;
    enum reason reason;
} at_admission[] = {
    { PRIORITY_ADMIT_VLAN, REASON_VLAN },           { PRIORITY_ADMIT_IP, REASON_IP },   { PRIORITY_ADMIT_ARP, REASON_ARP },
    { PRIORITY_ADMIT_ETHERTYPE, REASON_ETHERTYPE }, { PRIORITY_ADMIT_MAC, REASON_MAC },
};

/* Reasons found later; some deserve an answer. */
static const struct {
    enum reason reason;
    enum icmp_error_kind answer; /* 0: none */
} on_the_way[] = {
    { REASON_NO_PORT, 0 },
    { REASON_NO_ROUTE, ICMP_NET_UNREACHABLE },
    { REASON_BLACKHOLE, 0 },
    { REASON_TTL, ICMP_TIME_EXCEEDED },
    { REASON_TOO_BIG, ICMP_FRAGMENTATION_NEEDED },
    { REASON_SG, 0 },
};

#define N_OF(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

static enum reason
reason_at_admission(uint16_t priority)
{
    for (size_t i = 0; i < N_OF(at_admission); i++) {
        if (at_admission[i].priority == priority)
            return at_admission[i].reason;
    }
    return REASON_NONE;
}

static bool
is_tunnel_drop(uint8_t table, uint16_t priority)
{
    return (table == STAGE_ADMIT && priority == PRIORITY_ADMIT_TUNNEL) || (table == STAGE_TUNNEL_IN && priority == PRIORITY_MISS)
           || (table == STAGE_FORWARD && priority == PRIORITY_FORWARD_TUNNEL);
}

static enum reason
public_reason(uint8_t table, uint16_t priority)
{
    if (table != STAGE_NAT_OUT && table != STAGE_NAT_IN)
        return REASON_NONE;
    return priority == PRIORITY_NAT_STRAY ? REASON_FRAGMENT : priority == PRIORITY_NAT_QUOTE ? REASON_ICMP : REASON_NONE;
}

enum reason
reject_reason_of(uint64_t cookie, uint8_t table, uint16_t priority)
{
    uint8_t feature = cookie_feature(cookie), type = cookie_type(cookie);
    if (feature == FEATURE_TUNNEL && type == OBJECT_HOST)
        return is_tunnel_drop(table, priority) ? REASON_TUNNEL : REASON_NONE;
    if ((feature == FEATURE_EIP && type == OBJECT_EIP) || (feature == FEATURE_NATGW && type == OBJECT_NATGW))
        return public_reason(table, priority);
    if (feature != FEATURE_REJECT || type != OBJECT_PORT)
        return REASON_NONE;
    if (table == STAGE_ADMIT)
        return reason_at_admission(priority);
    if (table == STAGE_REJECT && priority > PRIORITY_REJECT_REASON && priority < PRIORITY_REJECT_REASON + REASON_MAX)
        return priority - PRIORITY_REJECT_REASON;
    return REASON_NONE;
}

static void
admission_rows(struct block *b, const struct port_facts *f)
{
    for (size_t i = 0; i < N_OF(at_admission); i++) {
        struct flow_builder *fb = block_flow(b, STAGE_ADMIT, at_admission[i].priority);
        enum reason reason = at_admission[i].reason;
        match_in_port(fb, f->at.ofport);
        if (reason == REASON_VLAN)
            match_vlan_present(fb);
        else if (reason != REASON_MAC)
            match_eth_src(fb, f->port->mac);
        if (reason == REASON_IP)
            match_family(fb, IP_V4);
        else if (reason == REASON_ARP)
            match_arp(fb, 0);
        block_flow_end(b);
    }
}

static void
act_answer(struct block *b, const struct port_facts *f, enum icmp_error_kind kind)
{
    struct bytes userdata = BYTES_INIT;
    struct icmp_error error = {
        .kind = kind,
        .mac = f->port->mac,
        .router = ROUTER_MAC,
        .gateway = subnet_gateway(f->subnet),
        .prefix_len = f->subnet->cidr.len,
    };
    userdata_put_error(&userdata, &error);
    act_meter(b->fb, f->port->o.number);
    act_controller(b->fb, LAYOUT_CONTROLLER_ID, userdata.data, userdata.n);
    bytes_done(&userdata);
}

static void
reject_flows(struct block *b, uint8_t type, uint32_t number)
{
    struct port_facts f;
    if (!port_facts_local(b, number, &f))
        return;

    admission_rows(b, &f);
    for (size_t i = 0; i < N_OF(on_the_way); i++) {
        struct flow_builder *fb = block_flow(b, STAGE_REJECT, PRIORITY_REJECT_REASON + on_the_way[i].reason);
        match_u64(fb, LAYOUT_PORT, number);
        match_u64(fb, LAYOUT_REASON, on_the_way[i].reason);
        if (on_the_way[i].answer)
            act_answer(b, &f, on_the_way[i].answer);
        block_flow_end(b);
    }
}

static void
reject_touches(const struct view *view, const struct vnet_event *event, struct touch_list *list)
{
    touch_local_port(view, event, list, FEATURE_REJECT);

    const struct change *change = event_object(event, OBJECT_SUBNET);
    if (change && change->before && change->after) {
        const struct subnet *before = (const void *) change->before, *after = (const void *) change->after;
        if (!ip_prefix_equal(before->cidr, after->cidr))
            touch_local_ports_of(view, change->number, list, FEATURE_REJECT);
    }
}

static void
reject_blocks(const struct view *view, uint32_t host, uint32_t vpc, block_emit *emit, void *aux)
{
    if (!vpc)
        blocks_local_ports(view, host, emit, aux);
}

static bool
reject_answer(const struct packet_in *in, struct bytes *out)
{
    struct icmp_error error;
    if (!userdata_get_error(in->userdata, in->userdata_len, &error))
        return false;
    struct of_field mtu = LAYOUT_PATH_MTU;
    error.mtu = in->reg[mtu.id - OF_REG0] >> mtu.ofs;
    error.sent_to = in->reg[LAYOUT_ORIGINAL_DST4.id - OF_REG0];
    error.sent_to_port = (uint16_t) in->reg[LAYOUT_ORIGINAL_DST_PORT.id - OF_REG0];
    return icmp_error_answer(&error, in->packet, in->packet_len, out);
}

static const char *
reason_words(enum reason reason)
{
    switch (reason) {
    case REASON_MAC: return "may not send from another MAC than its own";
    case REASON_IP: return "may not send from another address than its own";
    case REASON_ARP: return "may not speak for another address than its own";
    case REASON_VLAN: return "may not send tagged frames";
    case REASON_ETHERTYPE: return "may send IPv4 and ARP only";
    case REASON_NO_PORT: return "sends to an address that no port answers for";
    case REASON_NO_ROUTE: return "is told that there is no route";
    case REASON_BLACKHOLE: return "sends into a blackhole";
    case REASON_TTL: return "is told that the time to live is used up";
    case REASON_TOO_BIG: return "is told that the packet is too big for the tunnel";
    case REASON_SG: return "has no security group that allows it";
    default: return "is refused";
    }
}

/* Whose groups they are, and which: what a user has to change. */
static void
explain_groups(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    const struct port *port = model_port(view->model, cookie_number(spec->cookie));
    size_t n = strlen(text);
    for (size_t i = 0; port && i < port->sg.n && n < size; i++)
        n += (size_t) snprintf(text + n, size - n, "%s %s",
                               i                ? ","
                               : port->sg.n > 1 ? ": it is in groups"
                                                : ": it is in group",
                               words_object(view, OBJECT_SG, port->sg.v[i]).text);
}

static void
reject_explain(const struct view *view, const struct spec *spec, char *text, size_t size)
{
    enum reason reason = reject_reason_of(spec->cookie, spec->table, spec->priority);
    snprintf(text, size, "%s %s", words_owner(view, spec).text, reason_words(reason));
    if (reason == REASON_SG)
        explain_groups(view, spec, text, size);
}

const struct feature feature_reject = {
    .name = "reject",
    .number = FEATURE_REJECT,
    .touches = reject_touches,
    .blocks = reject_blocks,
    .flows = reject_flows,
    .answer = reject_answer,
    .explain = reject_explain,
};
