#include "tests/unit/session_world.h"

#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tests/unit/test_pki.h"

static bool
on_identify(void *aux, struct of_session *s, uint64_t dpid, struct error *err)
{
    struct world *w = aux;
    w->n_identified++;
    w->dpid = dpid;
    if (w->refuses_identity)
        return error_set(err, ERROR_UNKNOWN, "no host has this switch");
    if (w->reconciles_in_identify)
        of_session_reconcile(s, w->table, 1);
    return true;
}

static void
on_committed(void *aux, struct of_session *s, uint64_t seq)
{
    struct world *w = aux;
    w->n_committed++;
    w->seq = seq;
}

static void
on_refused(void *aux, struct of_session *s, uint64_t cookie, const char *reason)
{
    struct world *w = aux;
    w->n_refused++;
    w->refused_cookie = cookie;
    snprintf(w->refusal, sizeof w->refusal, "%s", reason);
}

static void
resume(const struct world *w, struct of_session *s, const struct packet_in *in)
{
    uint8_t packet[2048], *longer = mem_zalloc(UINT16_MAX);
    size_t n = strlen(w->resumes_with);
    assert_in_range(in->packet_len, n, sizeof packet);
    memcpy(packet, in->packet, in->packet_len);
    memcpy(packet + in->packet_len - n, w->resumes_with, n);
    of_session_resume(s, in, longer, UINT16_MAX); /* dropped */
    of_session_resume(s, in, packet, in->packet_len);
    free(longer);
}

static void
on_packet_in(void *aux, struct of_session *s, const struct packet_in *in)
{
    struct world *w = aux;
    w->n_packet_ins++;
    w->packet_len = in->packet_len;
    w->in_port = in->in_port;
    w->userdata_len = in->userdata_len < sizeof w->userdata ? in->userdata_len : sizeof w->userdata;
    if (w->userdata_len)
        memcpy(w->userdata, in->userdata, w->userdata_len);
    if (w->resumes_with)
        resume(w, s, in);
}

static void
on_flow_removed(void *aux, struct of_session *s, const struct wire_flow *flow)
{
    struct world *w = aux;
    w->n_removed++;
    w->removed_cookie = flow->cookie;
    w->removed_packets = flow->packets;
    w->removed_bytes = flow->bytes;
}

static void
on_closed(void *aux, struct of_session *s, const char *reason)
{
    struct world *w = aux;
    w->n_closed++;
    w->session = NULL;
    snprintf(w->reason, sizeof w->reason, "%s", reason);
    if (w->listener)
        endpoint_listener_released(w->listener);
}

static void
on_heard(void *aux, struct of_session *s)
{
    ((struct world *) aux)->n_heard++;
}

static const struct of_session_ops ops = { .identify = on_identify,
                                           .committed = on_committed,
                                           .refused = on_refused,
                                           .packet_in = on_packet_in,
                                           .flow_removed = on_flow_removed,
                                           .heard = on_heard,
                                           .closed = on_closed };

static void
on_accepted(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct world *w = aux;
    assert_null(w->session);
    w->session = of_session_new(w->base, bev, peer, &ops, w);
}

int
world_setup(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    w->base = event_base_new();
    w->table = flow_table_new();
    w->builder = flow_builder_new();
    w->arena = arena_new();
    w->reconciles_in_identify = true;
    w->fake.hello_versions = 1u << 6;
    w->fake.dpid = DPID;
    *state = w;
    return 0;
}

bool
world_until(struct world *w, bool (*claim)(struct world *), int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    int64_t end = t.tv_sec * 1000 + t.tv_nsec / 1000000 + ms;
    while (!claim(w)) {
        clock_gettime(CLOCK_MONOTONIC, &t);
        int64_t left = end - (t.tv_sec * 1000 + t.tv_nsec / 1000000);
        if (left <= 0)
            return false;
        event_base_loopexit(w->base, &(struct timeval){ .tv_sec = left / 1000, .tv_usec = left % 1000 * 1000 });
        event_base_loop(w->base, EVLOOP_ONCE);
    }
    return true;
}

static bool
has_no_session(struct world *w)
{
    return !w->session;
}

int
world_teardown(void **state)
{
    struct world *w = *state;
    if (w->session)
        of_session_close(w->session, "the test is over");
    bool is_over = world_until(w, has_no_session, 5000);
    endpoint_listener_free(w->listener);
    fake_switch_stop(&w->fake);
    ovs_fixture_stop(w->ovs);
    SSL_CTX_free(w->ssl);
    flow_table_free(w->table);
    flow_builder_free(w->builder);
    arena_free(w->arena);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    event_base_free(w->base);
    free(w);
    return is_over ? 0 : -1;
}

/* ---- flows ---- */

const struct spec *
world_flow(struct world *w, uint32_t number, uint16_t priority)
{
    flow_begin(w->builder, 7, priority, COOKIE(number));
    match_u64(w->builder, of_field_whole(OF_REG1), number);
    act_set(w->builder, of_field_whole(OF_REG2), number);
    act_goto(w->builder, 8);
    return flow_end(w->builder, w->arena);
}

void
world_set_block(struct world *w, uint32_t number, const struct spec *spec)
{
    struct error err = { 0 };
    bool ok = flow_table_set_block(w->table, COOKIE(number), &spec, spec ? 1 : 0, &err);
    if (!ok)
        print_error("%s\n", err.text);
    assert_true(ok);
}

void
world_set_blocks(struct world *w, uint32_t n, uint32_t odd_number, uint16_t odd_priority)
{
    for (uint32_t i = 1; i <= n; i++)
        world_set_block(w, i, world_flow(w, i, i == odd_number ? odd_priority : 100));
}

/* ---- readings ---- */

static void
count_flow(void *aux, const struct wire_flow *flow_read)
{
    struct world *w = aux;
    w->n_read_flows++;
}

static void
count_spec(void *aux, const struct spec *spec)
{
    struct world *w = aux;
    w->n_read_specs++;
}

static void
note_done(void *aux, bool ok)
{
    struct world *w = aux;
    w->n_reads_done++;
    w->is_read_ok = ok;
}

struct of_session_read
world_reading(struct world *w, uint8_t table)
{
    return (struct of_session_read){
        .table = table, .want_groups_and_meters = true, .each_flow = count_flow, .each_spec = count_spec, .done = note_done, .aux = w
    };
}

/* ---- switches ---- */

void
world_start_fake(struct world *w)
{
    int fds[2];
    struct endpoint_peer peer = { .kind = ENDPOINT_TCP, .address = "192.0.2.1:1" };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    fake_switch_start(&w->fake, w->base, fds[0]);
    struct bufferevent *bev = bufferevent_socket_new(w->base, fds[1], BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    w->session = of_session_new(w->base, bev, &peer, &ops, w);
}

void
world_start_ovs(struct world *w)
{
    struct endpoint e = { .kind = ENDPOINT_TCP, .ip = "127.0.0.1" };
    struct error err;
    w->ovs = ovs_fixture_start();
    w->listener = endpoint_listen(w->base, &e, NULL, NULL, on_accepted, w, &err);
    assert_non_null(w->listener);
    ovs_fixture_add_bridge(w->ovs, "br0", "00000000000000a1");
    char *target = mem_printf("tcp:127.0.0.1:%u", endpoint_listener_port(w->listener));
    ovs_fixture_set_controller(w->ovs, "br0", target);
    free(target);
}

void
world_start_ovs_tls(struct world *w, const char *cn)
{
    struct endpoint e = { .kind = ENDPOINT_TLS, .ip = "127.0.0.1" };
    struct error err;
    struct identity ca = identity_new(NULL, "ca", "ca", NULL), host = identity_new(&ca, cn, "host", NULL);
    struct identity own = identity_new(&ca, "vnetd", "vnetd", NULL);
    w->ovs = ovs_fixture_start();
    const char *dir = ovs_fixture_dir(w->ovs);
    identity_write(dir, "ca", &ca);
    identity_write(dir, "host", &host);
    identity_write(dir, "vnetd", &own);
    identity_free(&ca);
    identity_free(&host);
    identity_free(&own);

    char *key = mem_printf("%s/vnetd-key.pem", dir), *cert = mem_printf("%s/vnetd-cert.pem", dir);
    char *ca_cert = mem_printf("%s/ca-cert.pem", dir);
    w->ssl = endpoint_tls_new(key, cert, ca_cert, &err);
    free(key);
    free(cert);
    free(ca_cert);
    assert_non_null(w->ssl);
    w->listener = endpoint_listen(w->base, &e, w->ssl, "host", on_accepted, w, &err);
    assert_non_null(w->listener);
    ovs_fixture_add_bridge(w->ovs, "br0", "00000000000000a1");
    free(ovs_fixture_sh(w->ovs, "ovs-vsctl --timeout=20 set-ssl $PWD/host-key.pem $PWD/host-cert.pem $PWD/ca-cert.pem"));
    char *target = mem_printf("ssl:127.0.0.1:%u", endpoint_listener_port(w->listener));
    ovs_fixture_set_controller(w->ovs, "br0", target);
    free(target);
}

void
world_end_session(struct world *w)
{
    of_session_close(w->session, "reconnect");
    assert_true(world_until(w, is_closed, 5000));
    w->n_committed = w->n_closed = 0;
    w->seq = 0;
}

unsigned
world_count_lines(const struct world *w, const char *command)
{
    char *text = ovs_fixture_sh(w->ovs, "%s | wc -l", command);
    unsigned n = (unsigned) atoi(text);
    free(text);
    return n;
}

void
world_expect_output(const struct world *w, const char *command, const char *part)
{
    char *text = ovs_fixture_sh(w->ovs, "%s", command);
    if (!strstr(text, part))
        print_error("'%s' is not in:\n%s\n", part, text);
    assert_non_null(strstr(text, part));
    free(text);
}
