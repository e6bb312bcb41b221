#include "tests/unit/controller_switch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "controller/check/checks.h"
#include "controller/feed.h"
#include "controller/instance/instances.h"
#include "controller/waiter.h"

static bool
on_identify(void *aux, struct of_session *session, uint64_t dpid, struct error *err)
{
    ((struct controller_switch *) aux)->is_identified = true;
    return true;
}

static void
on_closed(void *aux, struct of_session *session, const char *reason)
{
    ((struct controller_switch *) aux)->session = NULL;
}

static void
on_heard(void *aux, struct of_session *session)
{
    checks_heard(((struct controller_switch *) aux)->lab->c.checks);
}

static void
on_passed(void *aux, struct of_session *session, uint32_t barrier)
{
    const struct controller_switch *s = aux;
    host_zones_passed(controller_lab_host(s->lab, s->host), barrier);
}

static const struct of_session_ops ops = { .identify = on_identify, .heard = on_heard, .passed = on_passed, .closed = on_closed };

static bool
is_identified(void *aux)
{
    return ((struct controller_switch *) aux)->is_identified;
}

void
controller_switch_connect(struct controller_switch *s, struct controller_lab *lab, const char *host, uint64_t dpid)
{
    int fds[2];
    struct event_base *base = lab->c.base;
    struct endpoint_peer peer = { .kind = ENDPOINT_TCP, .address = "test" };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    evutil_make_socket_nonblocking(fds[0]);
    *s = (struct controller_switch){ .lab = lab,
                                     .host = host,
                                     .fake = { .hello_versions = 1u << 6, .dpid = dpid, .refuses_ct_flush = true } };
    s->session = of_session_new(base, bufferevent_socket_new(base, fds[0], BEV_OPT_CLOSE_ON_FREE), &peer, &ops, s);
    fake_switch_start(&s->fake, base, fds[1]);
    assert_true(controller_lab_until(lab, is_identified, s));
    controller_lab_connect(lab, host);
    struct hypervisor *h = controller_lab_host(lab, host);
    h->of = s->session;
    h->n_connections++;
    h->connected_ms = controller_now_ms();
    hosts_count_switch(lab->c.hosts, 1);
    h->has_facts = h->is_reconciling = true;
    instances_host_connected(lab->c.instances, h->number);
    feed_object(lab->c.feed, h->number);
}

void
controller_switch_confirm(struct controller_switch *s)
{
    struct hypervisor *h = controller_lab_host(s->lab, s->host);
    if (!h->wanted_seq)
        h->wanted_seq = 1;
    h->confirmed_seq = h->made_seq = h->wanted_seq;
    host_lost_zones_confirmed(h);
    waiters_check(s->lab->c.waiters, h->number);
    feed_object(s->lab->c.feed, h->number);
}

void
controller_switch_disconnect(struct controller_switch *s)
{
    if (!s->lab)
        return;
    struct hypervisor *h = controller_lab_host(s->lab, s->host);
    if (h->of && !hosts_count_switch(s->lab->c.hosts, -1))
        checks_cut_off(s->lab->c.checks);
    h->of = NULL;
    h->lost_ms = controller_now_ms();
    h->db = NULL;
    h->is_reconciling = false;
    if (s->session)
        of_session_close(s->session, "the test says so");
    while (s->session)
        controller_lab_turn(s->lab);
    if (s->fake.bev)
        fake_switch_stop(&s->fake);
    s->fake.bev = NULL;
}
