/* Connection tracking: what a lookup does to a packet. It forks: one copy goes on in the flow's 'recirc_table' (if it names one) with the
 * connection's state, the rest of the list has the packet untracked, as it was (ovs-actions(7), ct). Called by exec_action.c.
 *
 * A new connection is translated as its flow asks, and a port of the range is free. What else a lookup finds, the caller has said before
 * (exec_packet.ct_next). The original tuple follows from the packet: it is the packet's own, of a reply the translated packet's the other
 * way round. Two things are not known and are 0: a later fragment's ports, and the connection that an ICMP error is about. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <openvswitch/packets.h>

#include "ofproto/flow/exec_private.h"

#define ETHERTYPE_IPV4 0x0800
#define ICMP_ECHO_REPLY 0
#define ICMP_ECHO 8

bool
exec_has_ports(const struct flow *f)
{
    return (f->nw_proto == IPPROTO_TCP || f->nw_proto == IPPROTO_UDP) && !(f->nw_frag & FLOW_NW_FRAG_LATER);
}

/* The packet's own port if the range allows it, else the range's first. */
static uint16_t
port_choose(const struct ofpact_nat *nat, uint16_t port)
{
    uint16_t lo = nat->range.proto.min, hi = nat->range.proto.max ? nat->range.proto.max : lo;
    return lo && (port < lo || port > hi) ? lo : port;
}

/* What the tracker does with a connection that it does not know. */
static struct exec_ct
find_nothing(const struct flow *f, const struct ofpact_conntrack *ct, const struct ofpact_nat *nat)
{
    struct exec_ct found = { .state = OF_CT_NEW };
    if (!nat || !(ct->flags & NX_CT_F_COMMIT) || nat->range_af != AF_INET)
        return found;
    found.state |= nat->flags & NX_NAT_F_SRC ? OF_CT_SNAT : OF_CT_DNAT;
    found.ip = ntohl(nat->range.addr.ipv4.min);
    found.port = port_choose(nat, ntohs(nat->flags & NX_NAT_F_SRC ? f->tp_src : f->tp_dst));
    return found;
}

static struct exec_ct
find_next(struct exec *x)
{
    struct exec_ct found = x->ct_next[0];
    x->n_ct_next--;
    memmove(&x->ct_next[0], &x->ct_next[1], x->n_ct_next * sizeof x->ct_next[0]);
    return found;
}

static void
translate(struct flow *f, const struct exec_ct *found)
{
    bool is_source = found->state & OF_CT_SNAT;
    ovs_be32 *ip = is_source ? &f->nw_src : &f->nw_dst;
    ovs_be16 *port = is_source ? &f->tp_src : &f->tp_dst;
    if (!(found->state & (OF_CT_SNAT | OF_CT_DNAT)))
        return;
    *ip = htonl(found->ip);
    if (found->port && exec_has_ports(f))
        *port = htons(found->port);
}

/* The transport's half of an original tuple; for ICMP type and code. */
static void
set_original_ports(struct flow *to, const struct flow *of, bool is_reply)
{
    bool is_icmp = of->nw_proto == IPPROTO_ICMP && !(of->nw_frag & FLOW_NW_FRAG_LATER);
    to->ct_tp_src = to->ct_tp_dst = 0;
    if (exec_has_ports(of)) {
        to->ct_tp_src = is_reply ? of->tp_dst : of->tp_src;
        to->ct_tp_dst = is_reply ? of->tp_src : of->tp_dst;
    } else if (is_icmp) {
        to->ct_tp_src = is_reply && of->tp_src == htons(ICMP_ECHO_REPLY) ? htons(ICMP_ECHO) : of->tp_src;
        to->ct_tp_dst = of->tp_dst;
    }
}

static void
set_original(struct flow *f, const struct flow *before, const struct exec_ct *found)
{
    bool is_reply = found->state & OF_CT_RPL;
    if (found->state & (OF_CT_INV | OF_CT_REL))
        return;
    f->ct_nw_proto = f->nw_proto;
    f->ct_nw_src = is_reply ? f->nw_dst : before->nw_src;
    f->ct_nw_dst = is_reply ? f->nw_src : before->nw_dst;
    set_original_ports(f, is_reply ? f : before, is_reply);
}

static const struct ofpact_nat *
find_nat(const struct ofpact_conntrack *ct)
{
    const struct ofpact *a;
    OFPACT_FOR_EACH (a, ct->actions, ofpact_ct_get_action_len(ct))
        if (a->type == OFPACT_NAT)
            return ofpact_get_NAT(a);
    return NULL;
}

static bool
is_followed(struct exec *x)
{
    if (x->flow.dl_type != htons(ETHERTYPE_IPV4))
        return error_set(x->err, ERROR_INTERNAL, "a flow of table %u tracks a packet that is not IPv4, which cannot be traced",
                         x->in_table);
    return true;
}

/* Invalid packets, and those for which no port was free, have no entry that a commit could write to. */
static bool
has_entry(const struct ofpact_conntrack *ct, const struct ofpact_nat *nat, const struct exec_ct *found)
{
    bool is_translated = found->state & (OF_CT_SNAT | OF_CT_DNAT | OF_CT_EST | OF_CT_RPL | OF_CT_REL);
    return ct->flags & NX_CT_F_COMMIT && !(found->state & OF_CT_INV) && (!nat || nat->range_af == AF_UNSPEC || is_translated);
}

/* What the lookup finds, with what the flow then writes to it. */
static bool
find(struct exec *x, const struct ofpact_conntrack *ct, struct exec_ct *found)
{
    const struct ofpact_nat *nat = find_nat(ct);
    bool is_seen = ct->recirc_table != NX_CT_RECIRC_NONE || nat;
    struct flow packet = x->flow;
    exec_entry_show_late(x, &packet);
    *found = x->n_ct_next && is_seen ? find_next(x) : find_nothing(&packet, ct, nat);
    if (!nat)
        found->state &= ~(uint32_t) (OF_CT_SNAT | OF_CT_DNAT);
    return !has_entry(ct, nat, found) || exec_entry_write(x, ct, found);
}

/* The copy that goes on with the connection's state. */
static bool
go_on(struct exec *x, const struct ofpact_conntrack *ct, const struct exec_ct *found)
{
    const struct exec_copy untracked = exec_keep(x);
    unsigned n_tables = x->n_tables;
    uint16_t zone = exec_entry_zone(x, ct);
    exec_entry_show_late(x, &x->flow);
    memset(x->late, 0, sizeof x->late);

    const struct flow before = x->flow;
    exec_track_clear(x);
    x->flow.ct_state = (uint8_t) (found->state | OF_CT_TRK);
    x->flow.ct_zone = zone;
    x->flow.ct_mark = found->mark;
    x->flow.ct_label.u64.lo = found->label;
    translate(&x->flow, found);
    set_original(&x->flow, &before, found);
    x->n_tables = 0; /* Open vSwitch begins to count anew */
    bool ok = exec_table(x, ct->recirc_table);
    x->n_tables = n_tables;
    exec_put_back(x, &untracked);
    return ok;
}

bool
exec_track(struct exec *x, const struct ofpact_conntrack *ct)
{
    struct exec_ct found;
    if (!is_followed(x) || !find(x, ct, &found))
        return false;
    bool ok = true;
    if (ct->recirc_table == NX_CT_RECIRC_NONE)
        exec_entry_translate_late(x, &found);
    else
        ok = go_on(x, ct, &found);
    exec_track_clear(x);
    return ok;
}

void
exec_track_clear(struct exec *x)
{
    struct flow *f = &x->flow;
    f->ct_state = f->ct_nw_proto = 0;
    f->ct_zone = 0;
    f->ct_mark = 0;
    f->ct_label = OVS_U128_ZERO;
    f->ct_nw_src = f->ct_nw_dst = 0;
    f->ct_tp_src = f->ct_tp_dst = 0;
}
