#include "tests/unit/checks_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/check/checks.h"
#include "controller/columns.h"
#include "vnet/model/router_mac.h"
#include "vnet/packet/userdata.h"

#define PACKET_OUT 13
#define SEGMENT_BYTES 54

void
world_bind(struct world *w, uint32_t ofport)
{
    struct controller *c = &w->lab->c;
    struct vnet_event event = { .kind = EVENT_BINDING, .number = w->port, .before = runtime_binding(c->runtime, w->port) };
    if (ofport)
        event.after = (struct binding){ controller_lab_host(w->lab, "hv1")->number, ofport };
    runtime_bind(c->runtime, w->port, event.after);
    controller_fact_changed(c, &event);
}

void
world_begin(struct world *w, const char *group)
{
    char ops[1000];
    snprintf(ops, sizeof ops,
             "[{'op':'add','type':'host','name':'hv1'},{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
             "{'op':'add','type':'subnet','name':'a','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
             "{'op':'add','type':'port','name':'web1','values':{'subnet':'a','ip':'10.0.1.5','mac':'02:00:00:00:00:05'}},"
             "{'op':'add','type':'tg','name':'pages','values':{'vpc':'v',%s}},"
             "{'op':'add','type':'target','values':{'tg':'pages','port':'web1'}}]",
             group);
    controller_lab_do(w->lab, ops);
    w->target = controller_lab_number(w->lab, OBJECT_TARGET, "pages/web1");
    w->port = controller_lab_number(w->lab, OBJECT_PORT, "web1");
    world_bind(w, OFPORT);
    controller_switch_connect(&w->hv, w->lab, "hv1", 1);
}

int
world_setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->lab = controller_lab_start();
    *state = w;
    return 0;
}

int
world_teardown(void **state)
{
    struct world *w = *state;
    controller_switch_disconnect(&w->hv);
    controller_switch_disconnect(&w->other);
    controller_lab_stop(w->lab);
    free(w);
    return 0;
}

const char *
world_column(struct world *w, const char *name)
{
    static char text[64];
    const struct object *o = model_get(w->lab->c.model, w->target, OBJECT_TARGET);
    json_t *json = o ? columns_object(&w->lab->c, o, NULL) : NULL;
    const char *value = json ? json_member_string(json, name) : "gone";
    snprintf(text, sizeof text, "%s", value ? value : "");
    json_decref(json);
    return text;
}

static bool
is_wanted(void *aux)
{
    struct world *w = aux;
    return !strcmp(world_column(w, w->column), w->wanted);
}

void
world_expect(struct world *w, const char *name, const char *wanted)
{
    w->column = name;
    w->wanted = wanted;
    if (!controller_lab_until(w->lab, is_wanted, w))
        fail_msg("%s is '%s', not '%s'", name, world_column(w, name), wanted);
}

unsigned
world_n_sent(const struct world *w)
{
    return w->hv.fake.n_messages[PACKET_OUT];
}

bool
world_has_sent(void *aux)
{
    const struct world *w = aux;
    return world_n_sent(w) >= w->at_least;
}

void
world_settle(struct world *w)
{
    for (int i = 0; i < 5; i++)
        controller_lab_turn(w->lab);
}

/* ---- what is said and heard ---- */

static struct said
last_said(struct world *w)
{
    struct said s;
    const struct fake_switch *f = &w->hv.fake;
    assert_true(f->packet_out_len > SEGMENT_BYTES + 16);
    assert_true(ipv4_parse(f->packet_out + f->packet_out_len - SEGMENT_BYTES, SEGMENT_BYTES, &s.ip) && tcp_parse(&s.ip, &s.tcp));
    s.ofport = get_be32(f->packet_out + f->packet_out_len - SEGMENT_BYTES - 12);
    return s;
}

struct said
world_sent(struct world *w, unsigned n)
{
    w->at_least = n;
    assert_true(controller_lab_until(w->lab, world_has_sent, w));
    return last_said(w);
}

void
world_answer_from(struct world *w, const struct tcp_segment *to, uint8_t flags, uint32_t host, uint32_t ofport)
{
    struct bytes frame = BYTES_INIT, userdata = BYTES_INIT;
    struct ipv4_answer a = { ROUTER_MAC, { { 2, 0, 0, 0, 0, 5 } }, ip4(0x0a000105), ip4(0x0a000101), IPV4_PROTO_TCP };
    tcp_put(&frame, &a,
            &(struct tcp_segment){
                .src_port = to->dst_port, .dst_port = to->src_port, .seq = 77, .ack = to->seq + 1, .flags = flags | TCP_FLAG_ACK });
    userdata_put_checked(&userdata, w->port);
    struct packet_in in = {
        .packet = frame.data, .packet_len = frame.n, .userdata = userdata.data, .userdata_len = userdata.n, .in_port = ofport
    };
    checks_packet_in(&w->lab->c, host, &in);
    bytes_done(&frame);
    bytes_done(&userdata);
}

void
world_answer(struct world *w, const struct tcp_segment *to, uint8_t flags)
{
    world_answer_from(w, to, flags, controller_lab_host(w->lab, "hv1")->number, OFPORT);
}
