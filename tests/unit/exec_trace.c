#include "tests/unit/exec_trace.h"

#define TABLE_MISS UINT64_MAX

/* ---- the question ---- */

enum style { DECIMAL, HEX, MAC, IP };

/* Fields as ovs-fields(7) names them, beginning with what others depend on. */
static const struct name {
    enum of_field_id id;
    const char *name;
    enum style style;
} names[] = {
    { OF_ETH_TYPE, "dl_type", HEX },
    { OF_IP_PROTO, "nw_proto", DECIMAL },
    { OF_IN_PORT, "in_port", DECIMAL },
    { OF_METADATA, "metadata", HEX },
    { OF_TUN_ID, "tun_id", HEX },
    { OF_REG0, "reg0", HEX },
    { OF_REG1, "reg1", HEX },
    { OF_REG7, "reg7", HEX },
    { OF_REG14, "reg14", HEX },
    { OF_REG15, "reg15", HEX },
    { OF_ETH_SRC, "dl_src", MAC },
    { OF_ETH_DST, "dl_dst", MAC },
    { OF_IP_TTL, "nw_ttl", DECIMAL },
    { OF_IPV4_SRC, "nw_src", IP },
    { OF_IPV4_DST, "nw_dst", IP },
    { OF_TCP_SRC, "tp_src", DECIMAL },
    { OF_TCP_DST, "tp_dst", DECIMAL },
    { OF_UDP_SRC, "tp_src", DECIMAL },
    { OF_UDP_DST, "tp_dst", DECIMAL },
    { OF_ICMPV4_TYPE, "icmp_type", DECIMAL },
    { OF_ICMPV4_CODE, "icmp_code", DECIMAL },
    { OF_ARP_OP, "arp_op", DECIMAL },
    { OF_ARP_SPA, "arp_spa", IP },
    { OF_ARP_TPA, "arp_tpa", IP },
    { OF_ARP_SHA, "arp_sha", MAC },
    { OF_ARP_THA, "arp_tha", MAC },
};

#define N_NAMES (sizeof names / sizeof names[0])

/* What a flow says of any transport, a question must say of its own. */
static const char *
asked_name(const struct name *name)
{
    switch (name->id) {
    case OF_TCP_SRC: return "tcp_src";
    case OF_TCP_DST: return "tcp_dst";
    case OF_UDP_SRC: return "udp_src";
    case OF_UDP_DST: return "udp_dst";
    default: return name->name;
    }
}

static char *
value_text(struct arena *arena, enum style style, uint64_t value)
{
    char mac[MAC_STRLEN], ip[IP_STRLEN];
    switch (style) {
    case MAC: return arena_strdup(arena, mac_format(mac_from_u64(value), mac));
    case IP: return arena_strdup(arena, ip_format(ip4(value), ip));
    case HEX: return arena_printf(arena, "%#llx", (unsigned long long) value);
    default: return arena_printf(arena, "%llu", (unsigned long long) value);
    }
}

const char *
packet_text(struct arena *arena, const struct exec_packet *p)
{
    const char *text = "";
    for (size_t i = 0; i < N_NAMES; i++) {
        uint64_t value = p->field[names[i].id];
        if (value)
            text = arena_printf(arena, "%s,%s=%s", text, asked_name(&names[i]), value_text(arena, names[i].style, value));
    }
    if (p->field[OF_VLAN_TCI])
        text = arena_printf(arena, "%s,dl_vlan=%u", text, (unsigned) p->field[OF_VLAN_TCI] & 0xfff);
    if (p->field[OF_TCP_FLAGS])
        text = arena_printf(arena, "%s,tcp_flags=%#x", text, (unsigned) p->field[OF_TCP_FLAGS]);
    return arena_printf(arena, "%s%s", text + 1, p->field[OF_IP_FRAG] ? ",nw_frag=first" : "");
}

const char *
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

void
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

void
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
    for (; actions; actions = strstr(actions, "Datapath actions: ")) { /* one for each recirculation */
        actions += strlen("Datapath actions: ");
        story_of_datapath(story, actions);
    }
}

uint32_t
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

void
story_sort(struct story *story)
{
    qsort(story->cookies, story->n_cookies, sizeof story->cookies[0], compare_u64);
    qsort(story->ports, story->n_ports, sizeof story->ports[0], compare_u32);
}

/* ---- comparing ---- */

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
void
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
        if ((is_udp && before->field[OF_IP_PROTO] != 17) || (is_tcp && before->field[OF_IP_PROTO] != 6) || id == OF_ETH_TYPE
            || id == OF_IP_PROTO)
            continue;
        assert_field(arena, &names[i], final, after->field[id], trace);
    }
    assert_same_tag(arena, final, after->field[OF_VLAN_TCI], trace);
}

void
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
