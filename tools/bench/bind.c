/* OVSDB says that an interface has its OpenFlow port, until the port's flows are committed on its switch; 10,000 ports on 20 hosts, one of
 * them with a real switch, behind a relay that sees both. Against the same modifications, as they were seen, sent to that switch again over
 * a connection of our own. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/bench/network.h"
#include "tools/bench/real_switch.h"
#include "tools/bench/relay.h"

#define N_HOSTS 20
#define N_PORTS 10000
#define N_BINDS 100

struct setup {
    struct network n;
    struct real_switch sw;
    struct relay relay;
    int raw;
};

static void
setup_init(struct setup *s, const struct bench *b)
{
    network_start(&s->n, b, "bind", N_PORTS + N_BINDS);
    s->n.n_ports = N_PORTS;
    network_add_hosts(&s->n, N_HOSTS);

    struct sim_host *h = &s->n.hosts[0];         /* from now on a real switch's */
    h->has_switch = false;
    sim_switch_done(&h->of);
    real_switch_start(&s->sw, b, sim_host_dpid(h));
    relay_start(&s->relay, b, &s->n.daemon);
    relay_open(&s->relay);
    real_switch_set_controller(&s->sw, s->relay.port);
    bench_wait(b, relay_has_switch, &s->relay, "the switch connects");
    real_switch_wait_flows(&s->sw, network_host_flows(&s->n, 0));
    network_wait_quiet(&s->n);
    s->raw = raw_connect(&s->sw);
}

static void
setup_done(struct setup *s)
{
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

/* One change of the host's database until its switch has committed what follows; the bytes are kept for the replay. */
static double
change_ms(struct setup *s, size_t interface, uint32_t ofport, struct bytes *kept, unsigned *n_commits)
{
    uint64_t before[N_HOSTS];
    struct sim_host *h = &s->n.hosts[0];
    struct expected e = { &s->relay, s->relay.n_commits };
    network_mark(&s->n, before);
    bytes_clear(&s->relay.kept);
    s->relay.is_keeping = true;
    int64_t start = bench_now_ns();
    if (ofport)
        sim_host_set_ofport(h, interface, ofport);
    else
        sim_host_unplug(h, interface);
    bench_wait(s->n.bench, has_committed, &e, "the switch commits the port's flows");
    s->relay.is_keeping = false;
    double ms = (double) (s->relay.committed_ns - start) / 1e6;
    kept_bundles(&s->relay, kept, n_commits);
    network_wait_commits(&s->n, before);
    return ms;
}

static void
bind_once(struct setup *s, unsigned port, struct samples *ours, struct samples *reference)
{
    struct bytes added = BYTES_INIT, deleted = BYTES_INIT;
    unsigned n_added, n_deleted;
    char name[16];
    snprintf(name, sizeof name, "p%u", port);
    size_t interface = sim_host_plug(&s->n.hosts[0], name, 0);
    network_wait_quiet(&s->n);
    samples_add(ours, change_ms(s, interface, 1 + port, &added, &n_added));
    change_ms(s, interface, 0, &deleted, &n_deleted);
    network_wait_quiet(&s->n);
    samples_add(reference, (double) raw_replay(s->raw, &added, n_added) / 1e6);
    raw_replay(s->raw, &deleted, n_deleted);
    bytes_done(&added);
    bytes_done(&deleted);
}

void
measure_bind(const struct bench *b)
{
    struct setup s;
    struct samples ours = { .n = 0 }, reference = { .n = 0 };
    setup_init(&s, b);
    for (unsigned i = 0; i < N_BINDS; i++)
        bind_once(&s, N_PORTS + i, &ours, &reference);
    setup_done(&s);
    figure_print(&(struct figure) { .name = "4  ofport known until its flows are committed, 10,000 ports, p50 | replay", .unit = "ms",
                                    .value = samples_median(&ours), .reference = samples_median(&reference), .bar = BAR_AT_MOST,
                                    .limit = 3 });
    figure_print(&(struct figure) { .name = "   the same, p99", .unit = "ms", .value = samples_quantile(&ours, 0.99),
                                    .reference = samples_quantile(&reference, 0.99) });
}
