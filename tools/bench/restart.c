/* vnetd is killed and started again over a switch that holds 65,000 flows, nothing changed: from its switch's connection until vnetd has
 * confirmed. Against a bare dump of that switch's flows. */
#include <stdio.h>
#include <unistd.h>

#include "tools/bench/network.h"
#include "tools/bench/real_switch.h"
#include "tools/bench/relay.h"

#define N_PORTS 32500
#define N_PAIRS 5

struct setup {
    struct network n;
    struct real_switch sw;
    struct relay relay;
    uint64_t n_flows;
};

static void
setup_init(struct setup *s, const struct bench *b)
{
    network_start(&s->n, b, "restart", N_PORTS);
    network_add_real(&s->n, &s->sw);
    network_plug_elsewhere(&s->n, 1, N_PORTS);
    sim_host_plug(&s->n.hosts[0], "p0", 1);
    relay_start(&s->relay, b, &s->n.daemon);
    relay_open(&s->relay);
    real_switch_set_controller(&s->sw, s->relay.port);
    network_wait_host(&s->n, 0);
    s->n_flows = network_host_flows(&s->n, 0);
    real_switch_wait_flows(&s->sw, s->n_flows);
}

static void
setup_done(struct setup *s)
{
    relay_stop(&s->relay);
    real_switch_stop(&s->sw);
    network_stop(&s->n);
}

static bool
has_database(const void *aux)
{
    return ((const struct sim_host *) aux)->is_monitored;
}

/* Milliseconds. 'is_settled': the switch comes back when vnetd has compiled what it should hold; else at once. */
static double
restart_ms(struct setup *s, bool is_settled)
{
    struct daemon_wait w;
    relay_close(&s->relay);
    daemon_restart(&s->n.daemon);
    bench_wait(s->n.bench, relay_has_switch, &s->relay, "the switch asks for its controller");
    for (unsigned i = 0; i < 2; i++) /* h1 stays away: vnetd remembers which ports it has */
        sim_host_disconnect(&s->n.hosts[i]);
    sim_host_connect(&s->n.hosts[0], &s->n.daemon);
    if (is_settled) {
        bench_wait(s->n.bench, has_database, &s->n.hosts[0], "vnetd reads the host's database");
        network_wait_quiet(&s->n);
    }
    daemon_wait_begin(&s->n.daemon, &w, network_wish("host", "h0", "realised", "true"));
    relay_open(&s->relay);
    daemon_wait_finish(&s->n.daemon, &w, "vnetd has confirmed");
    return (double) (w.done_ns - s->relay.connected_ns) / 1e6;
}

static double
dump_ms(const struct setup *s)
{
    size_t n;
    int fd = raw_connect(&s->sw);
    double ms = (double) raw_dump(fd, &n) / 1e6;
    close(fd);
    if (n != s->n_flows)
        bench_die("the switch holds %zu flows, not %llu", n, (unsigned long long) s->n_flows);
    return ms;
}

void
measure_restart(const struct bench *b)
{
    struct setup s;
    struct samples settled = { .n = 0 }, at_once = { .n = 0 }, dump = { .n = 0 };
    setup_init(&s, b);
    for (unsigned i = 0; i < N_PAIRS; i++) {
        samples_add(&settled, restart_ms(&s, true));
        samples_add(&dump, dump_ms(&s));
        samples_add(&at_once, restart_ms(&s, false));
        samples_add(&dump, dump_ms(&s));
    }
    json_t *row = daemon_get(&s.n.daemon, "/v1/host/h0?columns=sent");
    if (json_member_int(row, "sent", 0) != 0)
        bench_die("vnetd sent %lld modifications though nothing had changed", (long long) json_member_int(row, "sent", 0));
    json_decref(row);
    setup_done(&s);
    figure_print(b, &(struct figure){ .name = "5  restart over 65,000 flows, connection until confirmed | flow dump",
                                      .unit = "ms",
                                      .value = samples_median(&settled),
                                      .reference = samples_median(&dump),
                                      .bar = BAR_AT_MOST,
                                      .limit = 2 });
    figure_print(b, &(struct figure){ .name = "   the same, the switch connecting before vnetd has compiled its flows",
                                      .unit = "ms",
                                      .value = samples_median(&at_once),
                                      .reference = samples_median(&dump) });
}
