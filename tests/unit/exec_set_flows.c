/* Random flows: what they match, what they do, and the groups that they send to. */
#include "tests/unit/exec_set.h"

#define N_FLOWS 9 /* of one table */

/* What a match says of the packet, so that actions are allowed. */
struct family {
    bool is_ip, is_arp, is_tagged, is_untagged;
    uint8_t proto;
};

static struct of_field
some_register(struct set *s)
{
    static const struct of_field fields[] = {
        { OF_REG0, 0, 32 },     { OF_REG0, 0, 2 },      { OF_REG1, 16, 3 },   { OF_REG7, 30, 2 },
        { OF_METADATA, 0, 24 }, { OF_METADATA, 32, 1 }, { OF_TUN_ID, 0, 24 }, { OF_REG15, 0, 16 },
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

/* ---- matches ---- */

static void
random_ip_match(struct set *s, struct family *f)
{
    static const uint8_t protos[] = { 1, 6, 17 }, lengths[] = { 0, 8, 16, 24, 32 };
    f->is_ip = true;
    match_family(s->fb, IP_V4);
    if (one_in(s, 2))
        match_ip_dst(s->fb, (struct ip_prefix){ ip4(some_ip(s)), lengths[below(s, 5)] });
    if (one_in(s, 3))
        match_ip_src(s->fb, (struct ip_prefix){ ip4(some_ip(s)), lengths[below(s, 5)] });
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
        match_ct_state(s->fb, state != OF_CT_INV && one_in(s, 2) ? state : 0, state); /* what is +inv cannot be committed */
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
            match_arp_tpa(s->fb, (struct ip_prefix){ ip4(some_ip(s)), 16 });
    }
    return f;
}

/* ---- actions ---- */

static void
random_ip_action(struct set *s, const struct family *f)
{
    switch (below(s, 4)) {
    case 0: act_dec_ttl(s->fb); break;
    case 1: act_set_ip(s->fb, one_in(s, 2) ? OF_IPV4_SRC : OF_IPV4_DST, ip4(some_ip(s))); break;
    case 2:
        if (f->proto == 6 || f->proto == 17)
            act_set(s->fb, of_field_whole(f->proto == 6 ? OF_TCP_DST : OF_UDP_SRC), some_l4(s));
        else
            act_move(s->fb, of_field_whole(OF_IPV4_SRC), of_field_whole(OF_REG0));
        break;
    default: act_set(s->fb, of_field_whole(OF_IP_TTL), 1 + below(s, 3)); break;
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
    case 0: act_set_mac(s->fb, one_in(s, 2) ? OF_ETH_SRC : OF_ETH_DST, mac_from_u64(some_mac(s))); break;
    case 1:
        if (from.bits == to.bits)
            act_move(s->fb, from, to);
        break;
    default: act_set(s->fb, to, below(s, 2)); break;
    }
}

static void
random_output(struct set *s, uint8_t table)
{
    switch (below(s, 9)) {
    case 0: act_output_in_port(s->fb); break;
    case 1:
        act_set(s->fb, of_field_whole(OF_REG15), 1 + below(s, N_PORTS));
        act_output_field(s->fb, (struct of_field){ OF_REG15, 0, 16 });
        break;
    case 2: act_controller(s->fb, 1, "abcdefgh", 8); break;
    case 3: act_group(s->fb, 1 + below(s, SELECT_GROUP)); break;
    case 4:
    case 5:
        if (table + 1 < N_TABLES)
            act_resubmit(s->fb, table + 1 + below(s, N_TABLES - table - 1));
        break;
    case 6:
        if (one_in(s, 4))
            act_set(s->fb, of_field_whole(OF_IN_PORT), 0);
        break;
    default: act_output(s->fb, 1 + below(s, N_PORTS)); break;
    }
}

/* What the tracker found, in ports: of the rest of a tracked packet's way not much else is told. */
static void
random_entry_output(struct set *s)
{
    static const struct of_field fields[] = {
        { OF_CT_STATE, 0, 2 }, { OF_CT_ZONE, 0, 2 }, { OF_CT_MARK, 8, 2 }, { OF_CT_LABEL, 32, 2 }, { OF_CT_LABEL, 62, 2 },
    };
    act_set(s->fb, (struct of_field){ OF_REG15, 0, 16 }, 0);
    act_move(s->fb, fields[below(s, 5)], (struct of_field){ OF_REG15, 0, 2 });
    act_output_field(s->fb, (struct of_field){ OF_REG15, 0, 16 });
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

/* ---- flows and groups ---- */

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

void
set_begin(struct set *s, uint8_t table, uint16_t priority)
{
    flow_begin(s->fb, table, priority, ++s->cookie);
}

void
set_end(struct set *s)
{
    put(s, flow_end(s->fb, s->arena));
}

/* Two conjunctions of two clauses each; clauses overlap only where their conjunctions differ. */
static void
put_conjunctions(struct set *s, uint8_t table)
{
    for (unsigned i = 0; i < 2; i++) {
        set_begin(s, table, 500);
        match_u64(s->fb, (struct of_field){ OF_REG0, 0, 2 }, i);
        act_conjunction(s->fb, 10 + i, 1, 2);
        if (one_in(s, 2))
            act_conjunction(s->fb, 11 - i, 2, 2);
        set_end(s);
        set_begin(s, table, 500);
        match_eth_dst(s->fb, mac_from_u64(0x020000000000 + i));
        act_conjunction(s->fb, 10 + i, 2, 2);
        set_end(s);
        set_begin(s, table, one_in(s, 2) ? 600 + i : 1 + i);
        match_conj_id(s->fb, 10 + i);
        random_field_action(s);
        act_output(s->fb, 1 + below(s, N_PORTS));
        set_end(s);
    }
}

/* By a register that nothing writes, so that a packet meets the same bucket each time. The second has no weight. */
static void
put_select_group(struct set *s)
{
    const struct of_field key = of_field_whole(OF_REG14);
    group_begin(s->fb, SELECT_GROUP, ++s->cookie, &(struct flow_group){ FLOW_GROUP_SELECT_HASH, &key, 1, below(s, 2) * 77 });
    for (uint32_t i = 0; i < SELECT_BUCKETS; i++) {
        bucket_begin(s->fb, 100 + i, i == 1 ? 0 : 1 + below(s, 2));
        random_field_action(s);
        act_output(s->fb, 1 + i % N_PORTS);
    }
    put(s, group_end(s->fb, s->arena));
}

void
set_put_groups(struct set *s)
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
    set_begin(s, 0, 5);
    match_family(s->fb, IP_V4);
    random_track(s, 0);
    random_actions(s, 1, &f);
    set_end(s);
}

void
set_put_flows(struct set *s)
{
    for (uint8_t table = 0; table < N_TABLES; table++) {
        for (unsigned i = 0; i < N_FLOWS; i++) {
            set_begin(s, table, 10 + i * 100); /* no two of one priority: which of those wins is not defined */
            struct family f = random_match(s);
            random_actions(s, table, &f);
            set_end(s);
        }
        set_begin(s, table, 0);
        struct family any = { .proto = 0 };
        random_actions(s, table, &any);
        if (!one_in(s, 3))
            set_end(s);
    }
    if (s->is_tracking)
        put_tracking_default(s);
    put_conjunctions(s, 1);
    put_conjunctions(s, 3);
}
