/* Canonical bytes against a real ovs-vswitchd: what the builder makes is what the switch gives back, byte for byte, and
 * what the flow table believes of modifications (counters, cookies) is so. VNET_OVS_PREFIX names another Open vSwitch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka wants those first. */
#include <cmocka.h>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ofproto/flow/flow_builder.h"
#include "ofproto/flow/flow_table.h"
#include "ofproto/flow/packet_in.h"
#include "ofproto/flow/wire.h"
#include "tests/unit/flow_samples.h"
#include "tests/unit/ovs_fixture.h"

#define SAMPLES_MAX 200
#define WAIT_MS 20000

struct lab {
    struct ovs_fixture *ovs;
    int fd; /* to the bridge's management socket */
};

/* ovs-vswitchd listens once it has made the bridge. */
static int
connect_to_bridge(const struct ovs_fixture *ovs)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s/br0.mgmt", ovs_fixture_dir(ovs));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int waited = 0; waited < WAIT_MS; waited += 5) {
        if (!connect(fd, (struct sockaddr *) &sun, sizeof sun))
            return fd;
        poll(NULL, 0, 5);
    }
    fail_msg("nobody listens at %s", sun.sun_path);
    return -1;
}

/* ---- messages ---- */

static void
send_all(const struct lab *lab, const struct bytes *b)
{
    for (size_t sent = 0; sent < b->n;) {
        ssize_t n = write(lab->fd, b->data + sent, b->n - sent);
        assert_true(n > 0);
        sent += n;
    }
}

static void
receive_n(const struct lab *lab, uint8_t *p, size_t n)
{
    while (n) {
        struct pollfd pfd = { .fd = lab->fd, .events = POLLIN };
        assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
        ssize_t got = read(lab->fd, p, n);
        assert_true(got > 0);
        p += got;
        n -= got;
    }
}

static size_t
receive(const struct lab *lab, uint8_t message[65536])
{
    receive_n(lab, message, 8);
    size_t n = message[2] << 8 | message[3];
    receive_n(lab, message + 8, n - 8);
    return n;
}

static void
put_simple(struct bytes *b, uint8_t type, uint32_t xid)
{
    const uint8_t start_[] = { 6, type, 0, 8 };
    bytes_put(b, start_, sizeof start_);
    bytes_put_be32(b, xid);
}

#define OFPT_HELLO_ 0
#define OFPT_ERROR_ 1
#define OFPT_BARRIER_REQUEST_ 20
#define OFPT_BARRIER_REPLY_ 21

/* Sends what is in 'b' and waits for a barrier; an error that comes back fails the test and says for which xid. */
static void
apply(const struct lab *lab, struct bytes *b)
{
    uint8_t message[65536];
    put_simple(b, OFPT_BARRIER_REQUEST_, 0xbbbb);
    send_all(lab, b);
    bytes_clear(b);
    for (;;) {
        receive(lab, message);
        if (message[1] == OFPT_ERROR_)
            fail_msg("error type %d code %d for xid %d", message[8] << 8 | message[9], message[10] << 8 | message[11],
                     message[6] << 8 | message[7]);
        if (message[1] == OFPT_BARRIER_REPLY_)
            return;
    }
}

/* ---- reading back ---- */

struct found {
    struct arena *arena;
    const struct spec *specs[SAMPLES_MAX];
    struct wire_flow flows[SAMPLES_MAX];
    size_t n;
};

static void
take_flow(void *aux, const struct wire_flow *wf)
{
    struct found *found = aux;
    struct spec *s = arena_zalloc(found->arena, sizeof *s + wf->key_len + wf->body_len);
    assert_false(wf->is_foreign);
    s->kind = SPEC_FLOW;
    s->cookie = wf->cookie;
    s->priority = wf->priority;
    s->table = wf->table;
    s->key_len = wf->key_len;
    s->body_len = wf->body_len;
    memcpy(s->bytes, wf->key, wf->key_len);
    memcpy(s->bytes + wf->key_len, wf->body, wf->body_len);
    found->flows[found->n] = *wf;
    found->specs[found->n++] = s;
}

static void
take_spec(void *aux, const struct spec *s)
{
    struct found *found = aux;
    found->specs[found->n++] = arena_memdup(found->arena, s, spec_size(s));
}

static struct found
read_back(const struct lab *lab, enum spec_kind kind, struct arena *arena)
{
    struct bytes b = BYTES_INIT;
    struct found found = { .arena = arena };
    struct error err;
    uint8_t *message = arena_alloc(arena, 65536);
    if (kind == SPEC_FLOW)
        wire_put_flow_stats_request(&b, 0xff, 0, 0, 1);
    else if (kind == SPEC_GROUP)
        wire_put_group_desc_request(&b, 1);
    else
        wire_put_meter_config_request(&b, 1);
    send_all(lab, &b);
    bytes_done(&b);
    for (bool more = true; more;) {
        size_t n = receive(lab, message);
        bool ok = kind == SPEC_FLOW    ? wire_each_flow(message, n, &more, take_flow, &found, &err)
                  : kind == SPEC_GROUP ? wire_each_group(message, n, &more, take_spec, &found, &err)
                                       : wire_each_meter(message, n, &more, take_spec, &found, &err);
        if (!ok)
            fail_msg("%s", err.text);
    }
    return found;
}

static char *
hex(const uint8_t *p, size_t n, struct arena *arena)
{
    char *text = arena_strdup(arena, "");
    for (size_t i = 0; i < n; i++)
        text = arena_printf(arena, "%s%02x", text, p[i]);
    return text;
}

static void
assert_same(const struct spec *want, const struct spec *got, struct arena *arena)
{
    if (!spec_key_equal(want, got) || want->body_len != got->body_len || memcmp(spec_body(want), spec_body(got), got->body_len))
        fail_msg("%s: made %s %s, read back %s %s", spec_format(want, arena), hex(spec_key(want), want->key_len, arena),
                 hex(spec_body(want), want->body_len, arena), hex(spec_key(got), got->key_len, arena),
                 hex(spec_body(got), got->body_len, arena));
    if (want->kind == SPEC_FLOW)
        assert_int_equal(want->cookie, got->cookie);
}

static void
install(const struct lab *lab, const struct spec *s, enum wire_command command, bool is_modify)
{
    struct bytes b = BYTES_INIT;
    wire_put_mod(&b, s, command, is_modify, 7);
    apply(lab, &b);
    bytes_done(&b);
}

/* ---- tests ---- */

static void
meters_read_back_as_they_were_made(void **state)
{
    struct lab *lab = *state;
    struct arena *arena = arena_new();
    const struct spec *meter = meter_spec(arena, 1, SAMPLE_METER, 1000, 100);
    install(lab, meter, WIRE_ADD, false);
    struct found found = read_back(lab, SPEC_METER, arena);
    assert_int_equal(found.n, 1);
    assert_same(meter, found.specs[0], arena);

    meter = meter_spec(arena, 1, SAMPLE_METER, 500, 50);
    install(lab, meter, WIRE_ADD, true);
    assert_same(meter, read_back(lab, SPEC_METER, arena).specs[0], arena);
    install(lab, meter, WIRE_DELETE, false);
    assert_int_equal(read_back(lab, SPEC_METER, arena).n, 0);
    arena_free(arena);
}

static void
groups_read_back_as_they_were_made(void **state)
{
    struct lab *lab = *state;
    struct arena *arena = arena_new();
    struct flow_builder *fb = flow_builder_new();
    const struct spec *groups[GROUP_SAMPLES];
    group_samples(fb, arena, groups);
    for (size_t i = 0; i < GROUP_SAMPLES; i++) {
        bool is_referring = groups[i]->id == SAMPLE_GROUP + 4;
        if (is_referring)
            install(lab, groups[0], WIRE_ADD, false);
        install(lab, groups[i], WIRE_ADD, false);
        struct found found = read_back(lab, SPEC_GROUP, arena);
        assert_int_equal(found.n, is_referring ? 2 : 1);
        assert_same(groups[i], found.specs[found.specs[0]->id != groups[i]->id], arena);
        install(lab, groups[i], WIRE_ADD, true);
        install(lab, groups[i], WIRE_DELETE, false);
        if (is_referring)
            install(lab, groups[0], WIRE_DELETE, false);
        assert_int_equal(read_back(lab, SPEC_GROUP, arena).n, 0);
    }
    flow_builder_free(fb);
    arena_free(arena);
}

static void
a_group_that_changes_keeps_the_flows_that_name_it(void **state)
{
    struct lab *lab = *state;
    struct arena *arena = arena_new();
    struct flow_builder *fb = flow_builder_new();
    group_begin(fb, 9, 1, &(struct flow_group){ .kind = FLOW_GROUP_SELECT_DP_HASH });
    bucket_begin(fb, 1, 1);
    act_output(fb, 1);
    install(lab, group_end(fb, arena), WIRE_ADD, false);
    flow_begin(fb, 0, 1, 1);
    act_group(fb, 9);
    const struct spec *flow = flow_end(fb, arena);
    install(lab, flow, WIRE_ADD, false);

    const struct of_field source = of_field_whole(OF_ETH_SRC);
    group_begin(fb, 9, 1, &(struct flow_group){ .kind = FLOW_GROUP_SELECT_HASH, .fields = &source, .n_fields = 1 });
    for (uint32_t id = 7; id < 10; id++) {
        bucket_begin(fb, id, 1);
        act_output(fb, 1);
    }
    const struct spec *changed = group_end(fb, arena);
    install(lab, changed, WIRE_ADD, true);
    assert_same(changed, read_back(lab, SPEC_GROUP, arena).specs[0], arena);
    struct found found = read_back(lab, SPEC_FLOW, arena);
    assert_int_equal(found.n, 1);
    assert_same(flow, found.specs[0], arena);

    install(lab, flow, WIRE_DELETE, false);
    install(lab, changed, WIRE_DELETE, false);
    flow_builder_free(fb);
    arena_free(arena);
}

static void
every_flow_reads_back_byte_for_byte(void **state)
{
    struct lab *lab = *state;
    struct arena *arena = arena_new();
    struct flow_builder *fb = flow_builder_new();
    const struct spec *specs[SAMPLES_MAX], *groups[GROUP_SAMPLES], *meter = meter_spec(arena, 1, SAMPLE_METER, 1000, 100);
    group_samples(fb, arena, groups);
    install(lab, meter, WIRE_ADD, false);
    install(lab, groups[0], WIRE_ADD, false);
    size_t n = flow_samples(fb, arena, specs, SAMPLES_MAX);
    struct bytes b = BYTES_INIT;
    for (size_t i = 0; i < n; i++)
        wire_put_mod(&b, specs[i], WIRE_ADD, false, i);
    apply(lab, &b);

    struct found found = read_back(lab, SPEC_FLOW, arena);
    assert_int_equal(found.n, n);
    for (size_t i = 0; i < found.n; i++) {
        assert_true(found.specs[i]->priority >= 100 && found.specs[i]->priority < 100 + n);
        assert_same(specs[found.specs[i]->priority - 100], found.specs[i], arena);
        struct wire_flow wf = found.flows[i];
        assert_int_equal(wf.packets, 0);
    }

    for (size_t i = 0; i < n; i++)
        wire_put_mod(&b, specs[i], WIRE_DELETE, false, i);
    apply(lab, &b);
    assert_int_equal(read_back(lab, SPEC_FLOW, arena).n, 0);
    install(lab, groups[0], WIRE_DELETE, false);
    install(lab, meter, WIRE_DELETE, false);
    bytes_done(&b);
    flow_builder_free(fb);
    arena_free(arena);
}

/* The datapath's caches follow the flows a little later; the packet comes after that. */
static void
packet_arrives(const struct lab *lab)
{
    free(ovs_fixture_sh(lab->ovs, "ovs-appctl -t \"$PWD/vswitchd.ctl\" revalidator/wait && "
                                  "ovs-appctl -t \"$PWD/vswitchd.ctl\" netdev-dummy/receive p1 'in_port(1),"
                                  "eth(src=02:00:00:00:00:01,dst=02:00:00:00:00:02),eth_type(0x1234)'"));
}

/* Reads back until the one flow there counts 'packets'. */
static struct wire_flow
flow_counting(const struct lab *lab, uint64_t packets, struct arena *arena)
{
    for (int waited = 0; waited < WAIT_MS; waited += 10) {
        struct found found = read_back(lab, SPEC_FLOW, arena);
        assert_int_equal(found.n, 1);
        if (found.flows[0].packets == packets)
            return found.flows[0];
        poll(NULL, 0, 10);
    }
    fail_msg("the flow does not count %d packets", (int) packets);
    return (struct wire_flow){ 0 };
}

static const struct spec *
counting_flow(struct flow_builder *fb, struct arena *arena, uint64_t cookie, uint32_t reg)
{
    flow_begin(fb, 0, 1, cookie);
    match_in_port(fb, 1);
    act_set(fb, of_field_whole(OF_REG1), reg);
    act_controller(fb, 0, "userdata", 8);
    return flow_end(fb, arena);
}

static void
replacing_a_flow_keeps_its_counters_and_takes_its_new_cookie(void **state)
{
    struct lab *lab = *state;
    struct arena *arena = arena_new();
    struct flow_builder *fb = flow_builder_new();
    install(lab, counting_flow(fb, arena, 1, 1), WIRE_ADD, false);
    packet_arrives(lab);
    flow_counting(lab, 1, arena);

    install(lab, counting_flow(fb, arena, 1, 1), WIRE_ADD, false);
    flow_counting(lab, 1, arena);
    install(lab, counting_flow(fb, arena, 1, 2), WIRE_ADD, false);
    flow_counting(lab, 1, arena);
    const struct spec *other = counting_flow(fb, arena, 0xabcdef, 3);
    install(lab, other, WIRE_ADD, false);
    struct wire_flow wf = flow_counting(lab, 1, arena);
    assert_int_equal(wf.cookie, 0xabcdef);
    packet_arrives(lab);
    wf = flow_counting(lab, 2, arena);
    assert_true(wf.bytes > 0);
    assert_true(wf.idle_s <= wf.duration_s && wf.duration_s < 600);

    install(lab, other, WIRE_DELETE, false);
    flow_builder_free(fb);
    arena_free(arena);
}

static void
a_table_read_back_has_nothing_to_send(void **state)
{
    struct lab *lab = *state;
    struct arena *arena = arena_new();
    struct flow_builder *fb = flow_builder_new();
    struct flow_table *t = flow_table_new();
    const struct spec *flow = counting_flow(fb, arena, 1, 1);
    struct error err;
    install(lab, flow, WIRE_ADD, false);
    assert_true(flow_table_set_block(t, 1, &flow, 1, &err));
    assert_false(flow_table_is_clean(t));

    struct found found = read_back(lab, SPEC_FLOW, arena);
    flow_table_readback_begin(t);
    for (size_t i = 0; i < found.n; i++)
        flow_table_readback_flow(t, &found.flows[i]);
    flow_table_readback_end(t);
    assert_true(flow_table_is_clean(t));

    install(lab, flow, WIRE_DELETE, false);
    flow_table_free(t);
    flow_builder_free(fb);
    arena_free(arena);
}

#define NX_SET_PACKET_IN_FORMAT 16
#define NX_PACKET_IN2_FORMAT 2

static void
a_packet_in_carries_userdata_and_registers(void **state)
{
    struct lab *lab = *state;
    struct arena *arena = arena_new();
    struct flow_builder *fb = flow_builder_new();
    struct bytes b = BYTES_INIT;
    struct packet_in pi;
    struct error err;
    uint8_t *message = arena_alloc(arena, 65536);

    const uint8_t set_config[] = { 6, 9, 0, 12, 0, 0, 0, 1, 0, 0, 0xff, 0xff };
    bytes_put(&b, set_config, sizeof set_config);
    const uint8_t set_format[] = {
        6, 4, 0, 20, 0, 0, 0, 1, 0, 0, 0x23, 0x20, 0, 0, 0, NX_SET_PACKET_IN_FORMAT, 0, 0, 0, NX_PACKET_IN2_FORMAT
    };
    bytes_put(&b, set_format, sizeof set_format);
    flow_begin(fb, 0, 5, 0x55);
    match_in_port(fb, 1);
    act_set(fb, of_field_whole(OF_REG1), 0x11);
    act_set(fb, of_field_whole(OF_REG14), 0xee);
    act_set(fb, of_field_whole(OF_METADATA), 0x123456789aULL);
    act_controller(fb, 0, "userdata!", 9);
    const struct spec *flow = flow_end(fb, arena);
    wire_put_mod(&b, flow, WIRE_ADD, false, 9);
    apply(lab, &b);

    packet_arrives(lab);
    size_t n;
    do {
        n = receive(lab, message);
    } while (message[1] != 4);
    if (!packet_in_decode(message, n, &pi, &err))
        fail_msg("%s", err.text);
    assert_int_equal(pi.in_port, 1);
    assert_int_equal(pi.cookie, 0x55);
    assert_int_equal(pi.reg[1], 0x11);
    assert_int_equal(pi.reg[0], 0);
    assert_int_equal(pi.reg[14], 0xee);
    assert_int_equal(pi.metadata, 0x123456789aULL);
    assert_int_equal(pi.userdata_len, 9);
    assert_memory_equal(pi.userdata, "userdata!", 9);
    assert_true(pi.packet_len >= 14 && pi.total_len == pi.packet_len);
    assert_int_equal(pi.packet[12] << 8 | pi.packet[13], 0x1234);

    /* The packet goes out again: a packet-out that the switch refused would be an error before the barrier. */
    packet_out_encode(&b, 1, pi.packet, pi.packet_len, 3);
    apply(lab, &b);
    install(lab, flow, WIRE_DELETE, false);
    bytes_done(&b);
    flow_builder_free(fb);
    arena_free(arena);
}

static struct lab the_lab = { .fd = -1 };

static int
setup(void **state)
{
    static const uint8_t hello[] = { 6, OFPT_HELLO_, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 1 << 6 };
    struct lab *lab = &the_lab;
    *state = lab;
    if (getenv("VNET_OVS_PREFIX"))
        setenv("OVS_PREFIX", getenv("VNET_OVS_PREFIX"), 1);
    lab->ovs = ovs_fixture_start();
    ovs_fixture_add_bridge(lab->ovs, "br0", "00000000000000aa");
    free(ovs_fixture_sh(lab->ovs, "ovs-vsctl add-port br0 p1 -- set interface p1 type=dummy ofport_request=1"));
    lab->fd = connect_to_bridge(lab->ovs);

    struct bytes b = BYTES_INIT;
    bytes_put(&b, hello, sizeof hello);
    apply(lab, &b);
    bytes_done(&b);
    return 0;
}

static int
teardown(void **state)
{
    (void) state;
    if (the_lab.fd >= 0)
        close(the_lab.fd);
    ovs_fixture_stop(the_lab.ovs);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meters_read_back_as_they_were_made),
        cmocka_unit_test(groups_read_back_as_they_were_made),
        cmocka_unit_test(a_group_that_changes_keeps_the_flows_that_name_it),
        cmocka_unit_test(every_flow_reads_back_byte_for_byte),
        cmocka_unit_test(replacing_a_flow_keeps_its_counters_and_takes_its_new_cookie),
        cmocka_unit_test(a_table_read_back_has_nothing_to_send),
        cmocka_unit_test(a_packet_in_carries_userdata_and_registers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
