/* The executor against Open vSwitch itself: random flows are installed in a private ovs-vswitchd, and for random packets
 * ofproto/trace must tell the same flows hit, in the same order, the same outputs and the same packet in the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include "base/alloc.h"
#include "tests/unit/exec_samples.h"
#include "tests/unit/ovs_fixture.h"
#include "tests/unit/random.h"

#define N_SETS 6
#define N_PACKETS 40
#define N_TRACKING_SETS 4       /* of flows, for one form of ct() */
#define N_TABLES 5
#define N_FLOWS 9               /* of one table */
#define N_PORTS 4
#define N_GROUPS 3
#define SELECT_GROUP (N_GROUPS + 1)
#define SELECT_BUCKETS 5
#define STORY_MAX 256
#define TABLE_MISS UINT64_MAX
#define NAT_IP 0xcb007105
#define ZONE 2

struct set {
    struct random *random;
    struct flow_builder *fb;
    struct arena *arena;
    struct flow_table *table;
    uint64_t cookie;
    FILE *flows, *groups;
    bool is_tracking;           /* with ct(), all of one form, and with VLAN tags */
    struct flow_ct ct;
};

/* What a packet meets, in an order: cookies of flows, and ports it leaves by (OF_PORT_CONTROLLER among them). */
struct story {
    uint64_t cookies[STORY_MAX];
    uint32_t ports[STORY_MAX];
    size_t n_cookies, n_ports;
};

/* What a match says of the packet, so that actions are allowed. */
struct family {
    bool is_ip, is_arp, is_tagged, is_untagged;
    uint8_t proto;
};

static uint32_t
below(struct set *s, uint32_t n)
{
    return random_below(s->random, n);
}

static bool
one_in(struct set *s, uint32_t n)
{
    return !below(s, n);
}

/* Few values, so that flows and packets meet. */
static uint32_t
some_ip(struct set *s)
{
    static const uint32_t ips[] = { 0x0a000001, 0x0a000002, 0x0a000102, 0x0a010203, 0xc0a80001 };
    return ips[below(s, 5)];
}

static uint16_t
some_tcp_flags(struct set *s)
{
    static const uint16_t flags[] = { OF_TCP_SYN, OF_TCP_SYN | OF_TCP_ACK, OF_TCP_ACK, OF_TCP_RST, OF_TCP_FIN | OF_TCP_ACK | 0x100 };
    return flags[below(s, 5)];
}

static uint64_t
some_mac(struct set *s)
{
    return 0x020000000000 + below(s, 3);
}

static uint16_t
some_l4(struct set *s)
{
    static const uint16_t ports[] = { 53, 80, 81, 1000 };
    return ports[below(s, 4)];
}

static struct of_field
some_register(struct set *s)
{
    static const struct of_field fields[] = {
        { OF_REG0, 0, 32 }, { OF_REG0, 0, 2 }, { OF_REG1, 16, 3 }, { OF_REG7, 30, 2 }, { OF_METADATA, 0, 24 },
        { OF_METADATA, 32, 1 }, { OF_TUN_ID, 0, 24 }, { OF_REG15, 0, 16 },
    };
    return fields[below(s, 8)];
}

/* Of what a connection's entry holds. */
static struct of_field
some_entry_field(struct set *s)
{
    static const struct of_field fields[] = {
        { OF_CT_MARK, 0, 32 }, { OF_CT_MARK, 8, 2 }, { OF_CT_LABEL, 0, 1 }, { OF_CT_LABEL, 32, 16 }, { OF_CT_LABEL, 62, 2 },
    };
    return fields[below(s, 5)];
}

/* ---- flows ---- */

static void
random_ip_match(struct set *s, struct family *f)
{
    static const uint8_t protos[] = { 1, 6, 17 }, lengths[] = { 0, 8, 16, 24, 32 };
    f->is_ip = true;
    match_family(s->fb, IP_V4);
    if (one_in(s, 2))
        match_ip_dst(s->fb, (struct ip_prefix) { ip4(some_ip(s)), lengths[below(s, 5)] });
    if (one_in(s, 3))
        match_ip_src(s->fb, (struct ip_prefix) { ip4(some_ip(s)), lengths[below(s, 5)] });
    if (one_in(s, 6))
        match_ip_frag(s->fb, IP_V4, below(s, 2) * OF_FRAG_ANY, OF_FRAG_ANY);
    if (one_in(s, 6))
        match_ip_ttl(s->fb, IP_V4, 1 + below(s, 2));
    if (one_in(s, 2))
        return;
    f->proto = protos[below(s, 3)];
    match_ip_proto(s->fb, IP_V4, f->proto);
    if (f->proto == 1) {
        match_icmp(s->fb, IP_V4, below(s, 2) * 8, one_in(s, 2) ? 0 : -1);
    } else {
        if (one_in(s, 2))
            match_l4_dst(s->fb, IP_V4, f->proto, some_l4(s), one_in(s, 3) ? 0xfff0 : 0xffff);
        if (one_in(s, 4))
            match_l4_src(s->fb, IP_V4, f->proto, some_l4(s), 0xffff);
        if (f->proto == 6 && one_in(s, 3))
            match_tcp_flags(s->fb, IP_V4, OF_TCP_SYN * below(s, 2), OF_TCP_SYN | (one_in(s, 2) ? OF_TCP_RST : 0));
    }
}

static void
random_tracking_match(struct set *s, struct family *f)
{
    static const uint32_t states[] = { OF_CT_TRK, OF_CT_NEW, OF_CT_EST, OF_CT_RPL, OF_CT_SNAT, OF_CT_DNAT, OF_CT_INV };
    uint32_t state = states[below(s, 7)];
    f->is_tagged = one_in(s, 3);
    f->is_untagged = !f->is_tagged && one_in(s, 2);
    if (f->is_tagged)
        match_vlan_id(s->fb, 1 + below(s, 2));
    if (f->is_untagged)
        match_no_vlan(s->fb);
    if (one_in(s, 2))
        match_ct_state(s->fb, state != OF_CT_INV && one_in(s, 2) ? state : 0, state);        /* what is +inv cannot be committed */
    if (one_in(s, 6))
        match_u64(s->fb, of_field_whole(OF_CT_ZONE), one_in(s, 2) ? ZONE : below(s, 3));
    if (one_in(s, 4))
        match_u64(s->fb, some_entry_field(s), below(s, 3) % 2);
    if (one_in(s, 6)) {
        match_family(s->fb, IP_V4);
        match_u64(s->fb, of_field_whole(one_in(s, 2) ? OF_IPV4_SRC : OF_IPV4_DST), NAT_IP);
        f->is_ip = true;
    }
}

static struct family
random_match(struct set *s)
{
    struct family f = { .proto = 0 };
    struct of_field r = some_register(s);
    if (one_in(s, 4))
        match_in_port(s->fb, 1 + below(s, N_PORTS));
    if (one_in(s, 3))
        match_u64(s->fb, r, below(s, 2));
    if (one_in(s, 4))
        match_eth_dst(s->fb, mac_from_u64(some_mac(s)));
    if (one_in(s, 8))
        match_eth_src(s->fb, mac_from_u64(some_mac(s)));
    if (!s->is_tracking && one_in(s, 8))
        match_no_vlan(s->fb);
    if (s->is_tracking)
        random_tracking_match(s, &f);
    if (f.is_ip)
        return f;
    if (one_in(s, s->is_tracking ? 1 : 2)) {
        random_ip_match(s, &f);
    } else if (one_in(s, 3)) {
        f.is_arp = true;
        match_arp(s->fb, below(s, 3));
        if (one_in(s, 2))
            match_arp_tpa(s->fb, (struct ip_prefix) { ip4(some_ip(s)), 16 });
    }
    return f;
}

static void
random_ip_action(struct set *s, const struct family *f)
{
    switch (below(s, 4)) {
    case 0:
        act_dec_ttl(s->fb);
        break;
    case 1:
        act_set_ip(s->fb, one_in(s, 2) ? OF_IPV4_SRC : OF_IPV4_DST, ip4(some_ip(s)));
        break;
    case 2:
        if (f->proto == 6 || f->proto == 17)
            act_set(s->fb, of_field_whole(f->proto == 6 ? OF_TCP_DST : OF_UDP_SRC), some_l4(s));
        else
            act_move(s->fb, of_field_whole(OF_IPV4_SRC), of_field_whole(OF_REG0));
        break;
    default:
        act_set(s->fb, of_field_whole(OF_IP_TTL), 1 + below(s, 3));
        break;
    }
}

static void
random_arp_action(struct set *s)
{
    act_set(s->fb, of_field_whole(OF_ARP_OP), 2);
    act_move(s->fb, of_field_whole(OF_ARP_SPA), of_field_whole(OF_ARP_TPA));
    act_move(s->fb, of_field_whole(OF_ETH_DST), of_field_whole(OF_ARP_SHA));
}

static void
random_field_action(struct set *s)
{
    struct of_field to = some_register(s), from = some_register(s);
    switch (below(s, 4)) {
    case 0:
        act_set_mac(s->fb, one_in(s, 2) ? OF_ETH_SRC : OF_ETH_DST, mac_from_u64(some_mac(s)));
        break;
    case 1:
        if (from.bits == to.bits)
            act_move(s->fb, from, to);
        break;
    default:
        act_set(s->fb, to, below(s, 2));
        break;
    }
}

static void
random_output(struct set *s, uint8_t table)
{
    switch (below(s, 9)) {
    case 0:
        act_output_in_port(s->fb);
        break;
    case 1:
        act_set(s->fb, of_field_whole(OF_REG15), 1 + below(s, N_PORTS));
        act_output_field(s->fb, (struct of_field) { OF_REG15, 0, 16 });
        break;
    case 2:
        act_controller(s->fb, 1, "abcdefgh", 8);
        break;
    case 3:
        act_group(s->fb, 1 + below(s, SELECT_GROUP));
        break;
    case 4:
    case 5:
        if (table + 1 < N_TABLES)
            act_resubmit(s->fb, table + 1 + below(s, N_TABLES - table - 1));
        break;
    case 6:
        if (one_in(s, 4))
            act_set(s->fb, of_field_whole(OF_IN_PORT), 0);
        break;
    default:
        act_output(s->fb, 1 + below(s, N_PORTS));
        break;
    }
}

/* What the tracker found, in ports: of the rest of a tracked packet's way not much else is told. */
static void
random_entry_output(struct set *s)
{
    static const struct of_field fields[] = {
        { OF_CT_STATE, 0, 2 }, { OF_CT_ZONE, 0, 2 }, { OF_CT_MARK, 8, 2 }, { OF_CT_LABEL, 32, 2 }, { OF_CT_LABEL, 62, 2 },
    };
    act_set(s->fb, (struct of_field) { OF_REG15, 0, 16 }, 0);
    act_move(s->fb, fields[below(s, 5)], (struct of_field) { OF_REG15, 0, 2 });
    act_output_field(s->fb, (struct of_field) { OF_REG15, 0, 16 });
}

static void
random_track(struct set *s, uint8_t table)
{
    if (s->ct.table != FLOW_CT_NO_TABLE)
        s->ct.table = table + 1;
    act_ct(s->fb, &s->ct);
}

/* Tracks first, so that the rest of the list is seen to go on untracked. */
static void
random_tracking_actions(struct set *s, uint8_t table, const struct family *f)
{
    if (f->is_ip && table + 1 < N_TABLES && !one_in(s, 3))
        random_track(s, table);
    else if (one_in(s, 4))
        act_ct_clear(s->fb);
    if (one_in(s, 3))
        random_entry_output(s);
    if (f->is_tagged && one_in(s, 2))
        act_pop_vlan(s->fb);
    if (f->is_untagged && one_in(s, 2))
        act_push_vlan(s->fb, 1 + below(s, 2));
}

static void
random_actions(struct set *s, uint8_t table, const struct family *f)
{
    if (s->is_tracking)
        random_tracking_actions(s, table, f);
    for (unsigned n = below(s, 4); n; n--) {
        unsigned kind = below(s, 4);
        if (kind < 2 && f->is_ip)
            random_ip_action(s, f);
        else if (kind < 2 && f->is_arp)
            random_arp_action(s);
        else if (kind == 2)
            random_output(s, table);
        else
            random_field_action(s);
    }
    if (table + 1 < N_TABLES && !one_in(s, 4))
        act_goto(s->fb, table + 1 + below(s, 2) % (N_TABLES - table - 1));
    else
        random_output(s, N_TABLES);
}

static void
put(struct set *s, const struct spec *spec)
{
    struct error err;
    assert_true(flow_table_set_block(s->table, spec->cookie, &spec, 1, &err));
    if (spec->kind == SPEC_FLOW)
        fprintf(s->flows, "cookie=%#llx,%s\n", (unsigned long long) spec->cookie, spec_format(spec, s->arena));
    else
        fprintf(s->groups, "%s\n", spec_format(spec, s->arena));
}

static void
begin(struct set *s, uint8_t table, uint16_t priority)
{
    flow_begin(s->fb, table, priority, ++s->cookie);
}

static void
end(struct set *s)
{
    put(s, flow_end(s->fb, s->arena));
}

/* Two conjunctions of two clauses each; clauses overlap only where their conjunctions differ. */
static void
put_conjunctions(struct set *s, uint8_t table)
{
    for (unsigned i = 0; i < 2; i++) {
        begin(s, table, 500);
        match_u64(s->fb, (struct of_field) { OF_REG0, 0, 2 }, i);
        act_conjunction(s->fb, 10 + i, 1, 2);
        if (one_in(s, 2))
            act_conjunction(s->fb, 11 - i, 2, 2);
        end(s);
        begin(s, table, 500);
        match_eth_dst(s->fb, mac_from_u64(0x020000000000 + i));
        act_conjunction(s->fb, 10 + i, 2, 2);
        end(s);
        begin(s, table, one_in(s, 2) ? 600 + i : 1 + i);
        match_conj_id(s->fb, 10 + i);
        random_field_action(s);
        act_output(s->fb, 1 + below(s, N_PORTS));
        end(s);
    }
}

/* By a register that nothing writes, so that a packet meets the same bucket each time. The second has no weight. */
static void
put_select_group(struct set *s)
{
    const struct of_field key = of_field_whole(OF_REG14);
    group_begin(s->fb, SELECT_GROUP, ++s->cookie, &(struct flow_group) { FLOW_GROUP_SELECT_HASH, &key, 1, below(s, 2) * 77 });
    for (uint32_t i = 0; i < SELECT_BUCKETS; i++) {
        bucket_begin(s->fb, 100 + i, i == 1 ? 0 : 1 + below(s, 2));
        random_field_action(s);
        act_output(s->fb, 1 + i % N_PORTS);
    }
    put(s, group_end(s->fb, s->arena));
}

static void
put_groups(struct set *s)
{
    put_select_group(s);
    for (uint32_t id = 1; id <= N_GROUPS; id++) {
        const struct spec *buckets[2];
        enum sample_group type = id == 1 ? GROUP_INDIRECT : GROUP_ALL;
        size_t n = type == GROUP_ALL ? 2 : 1;
        for (size_t i = 0; i < n; i++) {
            flow_begin(s->fb, 0, 1, 1);
            random_field_action(s);
            act_output(s->fb, 1 + below(s, N_PORTS));
            buckets[i] = flow_end(s->fb, s->arena);
        }
        put(s, sample_group(s->arena, id, type, buckets, n));
    }
}

/* So that most packets are tracked, whatever the other flows. */
static void
put_tracking_default(struct set *s)
{
    struct family f = { .is_ip = true };
    begin(s, 0, 5);
    match_family(s->fb, IP_V4);
    random_track(s, 0);
    random_actions(s, 1, &f);
    end(s);
}

static void
put_flows(struct set *s)
{
    for (uint8_t table = 0; table < N_TABLES; table++) {
        for (unsigned i = 0; i < N_FLOWS; i++) {
            begin(s, table, 10 + i * 100);       /* no two of one priority: which of those wins is not defined */
            struct family f = random_match(s);
            random_actions(s, table, &f);
            end(s);
        }
        begin(s, table, 0);
        struct family any = { .proto = 0 };
        random_actions(s, table, &any);
        if (!one_in(s, 3))
            end(s);
    }
    if (s->is_tracking)
        put_tracking_default(s);
    put_conjunctions(s, 1);
    put_conjunctions(s, 3);
}

/* ---- packets ---- */

static void
random_transport(struct set *s, struct exec_packet *p)
{
    static const uint8_t protos[] = { 1, 6, 17, 47 };
    uint8_t proto = p->field[OF_IP_PROTO] = protos[below(s, 4)];
    if (one_in(s, 6))
        p->field[OF_IP_FRAG] = OF_FRAG_ANY;
    if (proto == 1) {
        p->field[OF_ICMPV4_TYPE] = below(s, 2) * 8;
        p->field[OF_ICMPV4_CODE] = below(s, 2);
    } else if (proto != 47) {
        p->field[proto == 6 ? OF_TCP_SRC : OF_UDP_SRC] = some_l4(s);
        p->field[proto == 6 ? OF_TCP_DST : OF_UDP_DST] = some_l4(s);
        p->field[OF_TCP_FLAGS] = proto == 6 ? some_tcp_flags(s) : 0;
    }
}

/* Open vSwitch's trace translates to the flow's address whatever the state, so the state says so too. All lookups find the same, since
 * it does them in another order: what was forked waits until the rest of the packet's way is done, and here it goes first. */
static void
random_lookups(struct set *s, struct exec_packet *p)
{
    static const uint32_t states[] = { OF_CT_NEW, OF_CT_EST, OF_CT_EST | OF_CT_RPL };
    struct exec_ct found = { .state = states[below(s, 3)], .ip = NAT_IP };
    if (s->ct.nat == FLOW_NAT_SRC || s->ct.nat == FLOW_NAT_DST)
        found.state |= s->ct.nat == FLOW_NAT_SRC ? OF_CT_SNAT : OF_CT_DNAT;
    else if (one_in(s, 4) && !s->ct.n_sets)      /* it would show a mark that an invalid packet cannot have */
        found.state = OF_CT_INV;
    else if (one_in(s, 3))
        return;
    for (p->n_ct_next = 0; p->n_ct_next < EXEC_CT_MAX; p->n_ct_next++)
        p->ct_next[p->n_ct_next] = found;
}

static struct exec_packet
random_packet(struct set *s)
{
    struct exec_packet p = { .bytes = 64 };
    p.field[OF_IN_PORT] = 1 + below(s, N_PORTS);
    p.field[OF_ETH_SRC] = some_mac(s);
    p.field[OF_ETH_DST] = some_mac(s);
    p.field[OF_REG0] = below(s, 3);
    p.field[OF_METADATA] = below(s, 2) | (uint64_t) below(s, 2) << 32;
    p.field[OF_TUN_ID] = below(s, 2);
    p.field[OF_REG14] = below(s, 64);
    if (s->is_tracking) {
        p.field[OF_VLAN_TCI] = one_in(s, 2) ? 0x1001 + below(s, 2) : 0;
        random_lookups(s, &p);
    }
    if (one_in(s, s->is_tracking ? 16 : 4)) {
        p.field[OF_ETH_TYPE] = 0x0806;
        p.field[OF_ARP_OP] = 1 + below(s, 2);
        p.field[OF_ARP_SPA] = some_ip(s);
        p.field[OF_ARP_TPA] = some_ip(s);
        p.field[OF_ARP_SHA] = some_mac(s);
        p.field[OF_ARP_THA] = some_mac(s);
    } else if (one_in(s, 8)) {
        p.field[OF_ETH_TYPE] = 0x88cc;
    } else {
        p.field[OF_ETH_TYPE] = 0x0800;
        p.field[OF_IPV4_SRC] = some_ip(s);
        p.field[OF_IPV4_DST] = some_ip(s);
        p.field[OF_IP_TTL] = 1 + below(s, 3);
        random_transport(s, &p);
    }
    return p;
}

enum style { DECIMAL, HEX, MAC, IP };

/* Fields as ovs-fields(7) names them, beginning with what others depend on. */
static const struct name {
    enum of_field_id id;
    const char *name;
    enum style style;
} names[] = {
    { OF_ETH_TYPE, "dl_type", HEX }, { OF_IP_PROTO, "nw_proto", DECIMAL }, { OF_IN_PORT, "in_port", DECIMAL },
    { OF_METADATA, "metadata", HEX }, { OF_TUN_ID, "tun_id", HEX }, { OF_REG0, "reg0", HEX }, { OF_REG1, "reg1", HEX },
    { OF_REG7, "reg7", HEX }, { OF_REG14, "reg14", HEX }, { OF_REG15, "reg15", HEX }, { OF_ETH_SRC, "dl_src", MAC },
    { OF_ETH_DST, "dl_dst", MAC },
    { OF_IP_TTL, "nw_ttl", DECIMAL }, { OF_IPV4_SRC, "nw_src", IP }, { OF_IPV4_DST, "nw_dst", IP },
    { OF_TCP_SRC, "tp_src", DECIMAL }, { OF_TCP_DST, "tp_dst", DECIMAL },
    { OF_UDP_SRC, "tp_src", DECIMAL }, { OF_UDP_DST, "tp_dst", DECIMAL },
    { OF_ICMPV4_TYPE, "icmp_type", DECIMAL }, { OF_ICMPV4_CODE, "icmp_code", DECIMAL },
    { OF_ARP_OP, "arp_op", DECIMAL }, { OF_ARP_SPA, "arp_spa", IP }, { OF_ARP_TPA, "arp_tpa", IP },
    { OF_ARP_SHA, "arp_sha", MAC }, { OF_ARP_THA, "arp_tha", MAC },
};

#define N_NAMES (sizeof names / sizeof names[0])

/* What a flow says of any transport, a question must say of its own. */
static const char *
asked_name(const struct name *name)
{
    switch (name->id) {
    case OF_TCP_SRC:
        return "tcp_src";
    case OF_TCP_DST:
        return "tcp_dst";
    case OF_UDP_SRC:
        return "udp_src";
    case OF_UDP_DST:
        return "udp_dst";
    default:
        return name->name;
    }
}

static char *
value_text(struct arena *arena, enum style style, uint64_t value)
{
    char mac[MAC_STRLEN], ip[IP_STRLEN];
    switch (style) {
    case MAC:
        return arena_strdup(arena, mac_format(mac_from_u64(value), mac));
    case IP:
        return arena_strdup(arena, ip_format(ip4(value), ip));
    case HEX:
        return arena_printf(arena, "%#llx", (unsigned long long) value);
    default:
        return arena_printf(arena, "%llu", (unsigned long long) value);
    }
}

static const char *
packet_text(struct arena *arena, const struct exec_packet *p)
{
    const char *text = "";
    for (size_t i = 0; i < N_NAMES; i++) {
        uint64_t value = p->field[names[i].id];
        if (value)
            text = arena_printf(arena, "%s,%s=%s", text, asked_name(&names[i]),
                                value_text(arena, names[i].style, value));
    }
    if (p->field[OF_VLAN_TCI])
        text = arena_printf(arena, "%s,dl_vlan=%u", text, (unsigned) p->field[OF_VLAN_TCI] & 0xfff);
    if (p->field[OF_TCP_FLAGS])
        text = arena_printf(arena, "%s,tcp_flags=%#x", text, (unsigned) p->field[OF_TCP_FLAGS]);
    return arena_printf(arena, "%s%s", text + 1, p->field[OF_IP_FRAG] ? ",nw_frag=first" : "");
}

/* As options of ofproto/trace. */
static const char *
lookups_text(struct arena *arena, const struct exec_packet *p)
{
    static const char *const names_of_states[] = { "new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat" };
    const char *text = "";
    for (uint8_t i = 0; i < p->n_ct_next; i++) {
        text = arena_printf(arena, "%s --ct-next trk", text);
        for (unsigned bit = 0; bit < 8; bit++)
            if (p->ct_next[i].state & 1u << bit)
                text = arena_printf(arena, "%s,%s", text, names_of_states[bit]);
    }
    return text;
}

/* ---- both stories ---- */

static void
story_cookie(struct story *story, uint64_t cookie)
{
    assert_true(story->n_cookies < STORY_MAX);
    story->cookies[story->n_cookies++] = cookie;
}

/* A port that is not there swallows packets. */
static void
story_port(struct story *story, uint32_t port)
{
    assert_true(story->n_ports < STORY_MAX);
    if ((port >= 1 && port <= N_PORTS) || port == OF_PORT_CONTROLLER)
        story->ports[story->n_ports++] = port;
}

static void
story_of_result(struct story *story, const struct exec_result *r)
{
    for (size_t i = 0; i < r->n_steps; i++)
        story_cookie(story, r->steps[i].spec ? r->steps[i].spec->cookie : TABLE_MISS);
    for (size_t i = 0; i < r->n_outputs; i++) {
        if (r->outputs[i].kind == EXEC_CONTROLLER)
            story_port(story, OF_PORT_CONTROLLER);
        else if (r->outputs[i].kind != EXEC_DROP)
            story_port(story, r->outputs[i].port);
    }
}

/* "12,set(eth(...)),userspace(pid=0,controller(...)),3": what is not in parentheses. */
static void
story_of_datapath(struct story *story, const char *p)
{
    int depth = 0;
    for (const char *start = p;; p++) {
        depth += (*p == '(') - (*p == ')');
        if (*p && *p != '\n' && (*p != ',' || depth))
            continue;
        char *rest;
        unsigned long port = strtoul(start, &rest, 10);
        if (!strncmp(start, "userspace(", 10))
            story_port(story, OF_PORT_CONTROLLER);
        else if (rest == p && rest > start)
            story_port(story, port);
        if (!*p || *p == '\n')
            return;
        start = p + 1;
    }
}

static void
story_of_trace(struct story *story, const char *trace)
{
    const char *line = strstr(trace, "bridge(\"br0\")");
    assert_non_null(line);
    while (line && *line) {
        const char *next = strchr(line, '\n');
        const char *end_of_line = next ? next : line + strlen(line);
        const char *cookie = strstr(line, ", cookie 0x"), *miss = strstr(line, ". No match.");
        if (cookie && cookie < end_of_line)
            story_cookie(story, strtoull(cookie + 9, NULL, 0));
        else if (miss && miss < end_of_line)
            story_cookie(story, TABLE_MISS);
        line = next ? next + 1 : NULL;
    }
    const char *actions = strstr(trace, "Datapath actions: ");
    assert_non_null(actions);
    for (; actions; actions = strstr(actions, "Datapath actions: ")) {   /* one for each recirculation */
        actions += strlen("Datapath actions: ");
        story_of_datapath(story, actions);
    }
}

/* Which bucket the switch's hash chose, counted in those that have a weight; 0 if it did not meet the group. */
static uint32_t
bucket_of_trace(const char *trace)
{
    static const char words[] = "using bucket ";
    const char *p = strstr(trace, words);
    uint32_t id = p ? (uint32_t) strtoul(p + strlen(words), NULL, 10) : 100;
    assert_in_range(id, 100, 100 + SELECT_BUCKETS - 1);
    return id > 101 ? id - 101 : 0;
}

static int
compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int
compare_u32(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Open vSwitch tells of what was tracked after all the rest. */
static void
story_sort(struct story *story)
{
    qsort(story->cookies, story->n_cookies, sizeof story->cookies[0], compare_u64);
    qsort(story->ports, story->n_ports, sizeof story->ports[0], compare_u32);
}

/* ",dl_dst=..." in a line of fields; NULL if it is not there. */
static const char *
field_find(const char *line, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = line; *p && *p != '\n'; p++) {
        if ((p == line || p[-1] == ',' || p[-1] == ' ') && !strncmp(p, name, n) && p[n] == '=')
            return p + n + 1;
    }
    return NULL;
}

static void
assert_field(struct arena *arena, const struct name *name, const char *line, uint64_t ours, const char *what)
{
    const char *theirs = field_find(line, name->name), *text = value_text(arena, name->style, ours);
    size_t n = strlen(text);
    bool is_same = theirs ? !strncmp(theirs, text, n) && strchr(",\n", theirs[n]) : !ours;
    if (!is_same)
        fail_msg("field %s: executed %s, Open vSwitch says: %.200s\n%s", name->name, text, theirs ? theirs : "(nothing)", what);
}

static void
assert_same_tag(struct arena *arena, const char *line, uint64_t tci, const char *what)
{
    const char *vlan = field_find(line, "dl_vlan"), *text = arena_printf(arena, "%u,", (unsigned) tci & 0xfff);
    if (vlan ? !tci || strncmp(vlan, text, strlen(text)) : !!tci)
        fail_msg("executed: tag %#x\n%s", (unsigned) tci, what);
}

/* Of transport fields only those that the packet has are named; the protocol itself is a word. */
static void
assert_same_packet(struct arena *arena, const struct exec_packet *before, const struct exec_packet *after, const char *trace)
{
    const char *flow = strstr(trace, "Flow: "), *final = strstr(trace, "Final flow: ");
    assert_true(flow && final);
    final += strlen("Final flow: ");
    if (!strncmp(final, "unchanged", 9))
        final = flow + strlen("Flow: ");
    for (size_t i = 0; i < N_NAMES; i++) {
        enum of_field_id id = names[i].id;
        bool is_udp = id == OF_UDP_SRC || id == OF_UDP_DST, is_tcp = id == OF_TCP_SRC || id == OF_TCP_DST;
        if ((is_udp && before->field[OF_IP_PROTO] != 17) || (is_tcp && before->field[OF_IP_PROTO] != 6)
            || id == OF_ETH_TYPE || id == OF_IP_PROTO)
            continue;
        assert_field(arena, &names[i], final, after->field[id], trace);
    }
    assert_same_tag(arena, final, after->field[OF_VLAN_TCI], trace);
}

static void
assert_same_story(const struct story *ours, const struct story *theirs, const char *what)
{
    if (ours->n_cookies != theirs->n_cookies || memcmp(ours->cookies, theirs->cookies, ours->n_cookies * sizeof(uint64_t))) {
        for (size_t i = 0; i < ours->n_cookies; i++)
            print_error("executed: %#llx\n", (unsigned long long) ours->cookies[i]);
        fail_msg("other flows were hit:\n%s", what);
    }
    if (ours->n_ports != theirs->n_ports || memcmp(ours->ports, theirs->ports, ours->n_ports * sizeof(uint32_t))) {
        for (size_t i = 0; i < ours->n_ports; i++)
            print_error("executed: output to %u\n", ours->ports[i]);
        fail_msg("it left by other ports:\n%s", what);
    }
}

/* ---- the test ---- */

static FILE *
file_open(const struct ovs_fixture *ovs, const char *name)
{
    char *path = mem_printf("%s/%s", ovs_fixture_dir(ovs), name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    free(path);
    return f;
}

static void
files_open(struct set *s, const struct ovs_fixture *ovs)
{
    s->flows = file_open(ovs, "flows");
    s->groups = file_open(ovs, "groups");
}

static void
files_install(struct set *s, const struct ovs_fixture *ovs)
{
    fclose(s->flows);
    fclose(s->groups);
    free(ovs_fixture_sh(ovs, "o='ovs-ofctl -O OpenFlow15' && $o del-flows br0 && $o del-groups br0 && "
                        "$o add-groups br0 groups && $o add-flows br0 flows"));
}

static void
set_install(struct set *s, const struct ovs_fixture *ovs)
{
    files_open(s, ovs);
    put_groups(s);
    put_flows(s);
    files_install(s, ovs);
}

/* A packet that is looked up more often than anything was said of it: which lookups find what was said is a matter of their order. */
static bool
is_looked_up_too_often(const struct exec_packet *p, const char *trace)
{
    return p->n_ct_next && strstr(trace, "resume conntrack with default");
}

static size_t
compare_packet(struct set *s, const struct ovs_fixture *ovs)
{
    struct exec_packet p = random_packet(s);
    struct exec_result r;
    struct error err;
    struct story ours = { .n_ports = 0 }, theirs = { .n_ports = 0 };
    char *trace = ovs_fixture_sh(ovs, "ovs-appctl -t \"$PWD/vswitchd.ctl\" ofproto/trace br0 '%s' %s",
                                 packet_text(s->arena, &p), lookups_text(s->arena, &p));
    p.bucket = bucket_of_trace(trace);
    if (!exec_run(s->table, &p, s->arena, &r, &err))
        fail_msg("%s", err.text);
    if (is_looked_up_too_often(&p, trace)) {
        free(trace);
        return 0;
    }
    story_of_result(&ours, &r);
    story_of_trace(&theirs, trace);
    if (s->is_tracking) {
        story_sort(&ours);
        story_sort(&theirs);
    }
    assert_same_story(&ours, &theirs, trace);
    assert_same_packet(s->arena, &p, &r.after, trace);
    free(trace);
    return ours.n_ports;
}

struct lab {
    struct random random;
    struct ovs_fixture *ovs;
    struct set set;
};

static int
setup(void **state)
{
    struct lab *lab = mem_zalloc(sizeof *lab);
    lab->random = random_seeded();
    lab->ovs = ovs_fixture_start();
    ovs_fixture_add_bridge(lab->ovs, "br0", "0000000000000001");
    for (int i = 1; i <= N_PORTS; i++)
        free(ovs_fixture_sh(lab->ovs, "ovs-vsctl --timeout=20 add-port br0 p%d -- set interface p%d type=dummy "
                            "ofport_request=%d", i, i, i));
    *state = lab;
    return 0;
}

static void
set_done(struct set *s)
{
    flow_table_free(s->table);
    arena_free(s->arena);
    flow_builder_free(s->fb);
    *s = (struct set) { .table = NULL };
}

static int
teardown(void **state)
{
    struct lab *lab = *state;
    set_done(&lab->set);
    ovs_fixture_stop(lab->ovs);
    free(lab);
    return 0;
}

static void
random_flows_do_what_open_vswitch_says(void **state)
{
    struct lab *lab = *state;
    size_t n_outputs = 0;
    for (int i = 0; i < N_SETS; i++) {
        lab->set = (struct set) {
            .random = &lab->random, .fb = flow_builder_new(), .arena = arena_new(), .table = flow_table_new(),
        };
        set_install(&lab->set, lab->ovs);
        for (int j = 0; j < N_PACKETS; j++)
            n_outputs += compare_packet(&lab->set, lab->ovs);
        set_done(&lab->set);
    }
    assert_true(n_outputs > N_SETS * N_PACKETS / 4);     /* else it compared nothing worth comparing */
}

static size_t
compare_tracked(struct lab *lab, const struct flow_ct *ct)
{
    size_t n_outputs = 0;
    for (int i = 0; i < N_TRACKING_SETS; i++) {
        lab->set = (struct set) {
            .random = &lab->random, .fb = flow_builder_new(), .arena = arena_new(), .table = flow_table_new(),
            .is_tracking = true, .ct = *ct,
        };
        lab->set.ct.ip = ip4(NAT_IP);
        set_install(&lab->set, lab->ovs);
        for (int j = 0; j < N_PACKETS / N_TRACKING_SETS; j++)
            n_outputs += compare_packet(&lab->set, lab->ovs);
        set_done(&lab->set);
    }
    return n_outputs;
}

static void
tracked_and_tagged_packets_do_what_open_vswitch_says(void **state)
{
    static const struct flow_ct forms[] = {
        { .zone = ZONE }, { .zone = ZONE, .nat = FLOW_NAT_KNOWN }, { .zone = ZONE, .is_commit = true },
        { .zone = ZONE, .is_commit = true, .nat = FLOW_NAT_SRC }, { .zone = ZONE, .is_commit = true, .nat = FLOW_NAT_DST },
    };
    struct lab *lab = *state;
    size_t n_outputs = 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        n_outputs += compare_tracked(lab, &forms[i]);
    assert_true(n_outputs > N_PACKETS);
}

static void
entries_zones_of_fields_and_lookups_without_a_table_do_what_open_vswitch_says(void **state)
{
    static const struct flow_ct_set sets[] = {
        { .field = { OF_CT_MARK, 8, 2 }, .value = 1 }, { .field = { OF_CT_LABEL, 32, 16 }, .from = { OF_REG0, 0, 16 } },
        { .field = { OF_CT_LABEL, 62, 2 }, .value = 1 },
    };
    static const struct flow_ct forms[] = {
        { .zone_field = { OF_REG0, 0, 16 } }, { .zone_field = { OF_REG15, 0, 16 }, .is_commit = true, .is_forced = true },
        { .zone = ZONE, .is_commit = true, .sets = sets, .n_sets = 3 },
        { .zone_field = { OF_METADATA, 0, 16 }, .is_commit = true, .nat = FLOW_NAT_DST, .sets = sets, .n_sets = 2 },
        { .zone = ZONE, .table = FLOW_CT_NO_TABLE },
        { .zone = ZONE, .table = FLOW_CT_NO_TABLE, .is_commit = true, .sets = sets, .n_sets = 3 },
        { .zone = ZONE, .table = FLOW_CT_NO_TABLE, .is_commit = true, .nat = FLOW_NAT_SRC },
    };
    struct lab *lab = *state;
    size_t n_outputs = 0;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        n_outputs += compare_tracked(lab, &forms[i]);
    assert_true(n_outputs > N_PACKETS);
}

/* ---- a packet on the wire ---- */

/* The source address and port of the packet that left by 'port' (IPv4 and UDP). */
static void
source_on_wire(const struct ovs_fixture *ovs, unsigned port, uint32_t *ip, uint16_t *tp)
{
    char *hex = ovs_fixture_sh(ovs, "for i in $(seq 1000); do [ -s p%u.pcap ] && ovs-pcap p%u.pcap | grep . && exit; "
                               "sleep 0.01; done; exit 1", port, port);
    unsigned source, source_port;
    assert_true(strlen(hex) > 2 * 36);
    assert_int_equal(sscanf(hex + 2 * 26, "%8x", &source), 1);
    assert_int_equal(sscanf(hex + 2 * 34, "%4x", &source_port), 1);
    *ip = source;
    *tp = (uint16_t) source_port;
    free(hex);
}

/* Table 0 translates without a table, sends to port 2, has table 2 look it up again, sets an address and sends to port 3. */
static void
put_late_translation(struct set *s)
{
    begin(s, 0, 1);
    match_ip_proto(s->fb, IP_V4, 17);
    act_ct(s->fb, &(struct flow_ct) { .zone = 1, .table = FLOW_CT_NO_TABLE, .is_commit = true, .nat = FLOW_NAT_SRC, .ip = ip4(NAT_IP),
                                      .port_lo = 5000, .port_hi = 5000 });
    act_output(s->fb, 2);
    act_resubmit(s->fb, 2);
    act_set(s->fb, of_field_whole(OF_IPV4_SRC), 0x01020304);
    act_output(s->fb, 3);
    end(s);
    begin(s, 2, 1);
    match_ip_src(s->fb, ip_prefix_host(ip4(0x0a000001)));
    act_ct(s->fb, &(struct flow_ct) { .zone = 2, .table = 3 });
    end(s);
    begin(s, 3, 1);
    match_ip_src(s->fb, ip_prefix_host(ip4(NAT_IP)));
    match_u64(s->fb, of_field_whole(OF_CT_NW_SRC), NAT_IP);
    act_output(s->fb, 4);
    end(s);
}

static void
what_is_translated_without_a_table_leaves_as_executed(void **state)
{
    struct lab *lab = *state;
    struct set *s = &lab->set;
    struct exec_packet p = sample_tcp();
    struct exec_result r;
    struct error err;
    *s = (struct set) { .random = &lab->random, .fb = flow_builder_new(), .arena = arena_new(), .table = flow_table_new() };
    for (int i = 2; i <= N_PORTS; i++)
        free(ovs_fixture_sh(lab->ovs, "ovs-vsctl --timeout=20 set interface p%d options:tx_pcap=$PWD/p%d.pcap", i, i));
    files_open(s, lab->ovs);
    put_late_translation(s);
    files_install(s, lab->ovs);

    free(ovs_fixture_sh(lab->ovs, "ovs-appctl -t \"$PWD/vswitchd.ctl\" netdev-dummy/receive p1 "
                        "'in_port(1),eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x0800),"
                        "ipv4(src=10.0.0.1,dst=10.0.0.2,proto=17,tos=0,ttl=64,frag=no),udp(src=1000,dst=80)'"));
    p.field[OF_IP_PROTO] = 17;
    p.field[OF_UDP_SRC] = 1000;
    p.field[OF_UDP_DST] = 80;
    if (!exec_run(s->table, &p, s->arena, &r, &err))
        fail_msg("%s", err.text);
    assert_int_equal(r.n_outputs, 3);
    for (size_t i = 0; i < r.n_outputs; i++) {
        uint32_t ip;
        uint16_t tp;
        source_on_wire(lab->ovs, r.outputs[i].port, &ip, &tp);
        assert_int_equal(r.outputs[i].packet.field[OF_IPV4_SRC], ip);
        assert_int_equal(r.outputs[i].packet.field[OF_UDP_SRC], tp);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_flows_do_what_open_vswitch_says, setup, teardown),
        cmocka_unit_test_setup_teardown(tracked_and_tagged_packets_do_what_open_vswitch_says, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_zones_of_fields_and_lookups_without_a_table_do_what_open_vswitch_says, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_translated_without_a_table_leaves_as_executed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
