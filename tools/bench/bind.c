/* OVSDB says that an interface has its OpenFlow port, until vnetd says that the port is active: its flows are committed on its switch. 10,000
 * ports on 20 hosts, one of them with a real switch. Against the same modifications, encoded ahead, sent to that switch over a connection of
 * our own; they were seen by a relay between the two when each port was bound once before. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tools/bench/network.h"
#include "tools/bench/real_switch.h"
#include "tools/bench/relay.h"

#define N_HOSTS 20
#define N_PORTS 10000
#define N_BINDS 100

/* One port's modifications, as vnetd sent them. */
struct seen {
    struct bytes added, deleted;
    unsigned n_added, n_deleted; /* commits */
};

struct setup {
    struct network n;
    struct real_switch sw;
    struct relay relay;
    struct seen seen[N_BINDS];
    int raw;
};

static void
switch_connect(struct setup *s, uint16_t port)
{
    real_switch_set_controller(&s->sw, 0);
    real_switch_renew(&s->sw);
    real_switch_set_controller(&s->sw, port);
    real_switch_wait_flows(&s->sw, network_host_flows(&s->n, 0));
    network_wait_quiet(&s->n);
}

static void
setup_init(struct setup *s, const struct bench *b)
{
    network_start(&s->n, b, "bind", N_PORTS + N_BINDS);
    s->n.n_ports = N_PORTS;
    network_add_hosts(&s->n, N_HOSTS);

    struct sim_host *h = &s->n.hosts[0]; /* from now on a real switch's */
    h->has_switch = false;
    sim_switch_done(&h->of);
    real_switch_start(&s->sw, b, sim_host_dpid(h));
    relay_start(&s->relay, b, &s->n.daemon);
    relay_open(&s->relay);
    switch_connect(s, s->relay.port);
}

static void
setup_done(struct setup *s)
{
    for (unsigned i = 0; i < N_BINDS; i++) {
        bytes_done(&s->seen[i].added);
        bytes_done(&s->seen[i].deleted);
    }
    close(s->raw);
    relay_stop(&s->relay);
    real_switch_stop(&s->sw);
    network_stop(&s->n);
}

struct expected {
    const struct relay *relay;
    uint64_t n;
};

static bool
has_committed(const void *aux)
{
    const struct expected *e = aux;
    return e->relay->n_commits > e->n;
}

/* What vnetd sent meanwhile: meters and bundles, less barriers, so that nothing waits in between. */
static void
kept_bundles(const struct relay *r, struct bytes *b, unsigned *n_commits)
{
    *n_commits = 0;
    for (size_t at = 0; at + 8 <= r->kept.n;) {
        const uint8_t *m = r->kept.data + at;
        size_t n = (size_t) m[2] << 8 | m[3];
        if (m[1] == 29 || m[1] == 33 || m[1] == 34)
            bytes_put(b, m, n);
        *n_commits += m[1] == 33 && m[13] == RAW_BUNDLE_COMMIT;
        at += n;
    }
}

/* Changes the host's database and keeps what its switch is sent until it has committed. */
static void
change_seen(struct setup *s, size_t interface, uint32_t ofport, struct bytes *kept, unsigned *n_commits)
{
    uint64_t before[N_HOSTS];
    struct expected e = { &s->relay, s->relay.n_commits };
    network_mark(&s->n, before);
    bytes_clear(&s->relay.kept);
    s->relay.is_keeping = true;
    if (ofport)
        sim_host_set_ofport(&s->n.hosts[0], interface, ofport);
    else
        sim_host_unplug(&s->n.hosts[0], interface);
    bench_wait(s->n.bench, has_committed, &e, "the switch commits the port's flows");
    s->relay.is_keeping = false;
    kept_bundles(&s->relay, kept, n_commits);
    network_wait_commits(&s->n, before);
}

static size_t
plug(struct setup *s, unsigned i, char name[16])
{
    snprintf(name, 16, "p%u", N_PORTS + i);
    return sim_host_plug(&s->n.hosts[0], name, 0);
}

static void
look_once(struct setup *s, unsigned i)
{
    struct seen *seen = &s->seen[i];
    char name[16];
    size_t interface = plug(s, i, name);
    change_seen(s, interface, 1 + N_PORTS + i, &seen->added, &seen->n_added);
    change_seen(s, interface, 0, &seen->deleted, &seen->n_deleted);
}

/* The simulated hosts are silent meanwhile: real ones would be machines of their own. */
static void
others_pause(struct setup *s, bool are_paused)
{
    for (unsigned i = 1; i < N_HOSTS; i++)
        sim_switch_pause(&s->n.hosts[i].of, are_paused);
}

static double
bind_ms(struct setup *s, unsigned i)
{
    char name[16];
    struct daemon_wait w;
    size_t interface = plug(s, i, name);
    daemon_wait_begin(&s->n.daemon, &w, network_wish("port", name, "state", "active"));
    network_wait_quiet(&s->n);
    others_pause(s, true);
    int64_t start = bench_now_ns();
    sim_host_set_ofport(&s->n.hosts[0], interface, 1 + N_PORTS + i);
    daemon_wait_finish(&s->n.daemon, &w, "the port is active");
    others_pause(s, false);
    double ms = (double) (w.done_ns - start) / 1e6;
    sim_host_unplug(&s->n.hosts[0], interface);
    network_wait_quiet(&s->n);
    return ms;
}

static double
replay_ms(struct setup *s, unsigned i)
{
    const struct seen *seen = &s->seen[i];
    double ms = (double) raw_replay(s->raw, &seen->added, seen->n_added) / 1e6;
    raw_replay(s->raw, &seen->deleted, seen->n_deleted);
    return ms;
}

void
measure_bind(const struct bench *b)
{
    struct setup *s = mem_zalloc(sizeof *s);
    struct samples ours = { .n = 0 }, reference = { .n = 0 };
    setup_init(s, b);
    for (unsigned i = 0; i < N_BINDS; i++)
        look_once(s, i);
    relay_close(&s->relay);
    switch_connect(s, s->n.daemon.openflow_port);
    s->raw = raw_connect(&s->sw);
    for (unsigned i = 0; i < N_BINDS; i++) {
        samples_add(&ours, bind_ms(s, i));
        samples_add(&reference, replay_ms(s, i));
    }
    setup_done(s);
    free(s);
    figure_print(b, &(struct figure){ .name = "4  ofport known until its flows are committed, 10,000 ports, p50 | replay",
                                      .unit = "ms",
                                      .value = samples_median(&ours),
                                      .reference = samples_median(&reference),
                                      .bar = BAR_AT_MOST,
                                      .limit = 3 });
    figure_print(b, &(struct figure){ .name = "   the same, p99",
                                      .unit = "ms",
                                      .value = samples_quantile(&ours, 0.99),
                                      .reference = samples_quantile(&reference, 0.99) });
}
