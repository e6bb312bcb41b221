/* A VPC of 100,000 flows comes to a switch: from its first port bound there until vnetd says that the port is active. Against the same flow
 * mods, encoded ahead, written to a fresh switch without waiting for anything but the last commit's reply. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/bench/network.h"
#include "tools/bench/real_switch.h"
#include "tools/bench/scene.h"

#define N_PORTS 50000
#define N_PAIRS 15

struct setup {
    struct network n;
    struct real_switch sw;
    struct bytes encoded;
    size_t n_encoded;
    unsigned n_commits;
};

static void
setup_init(struct setup *s, const struct bench *b)
{
    struct scene scene;
    *s = (struct setup){ .encoded = BYTES_INIT };
    scene_init(&scene, N_PORTS);
    s->n_encoded = scene_encode(&scene, &s->encoded, &s->n_commits);
    scene_done(&scene);
    network_start(&s->n, b, "install", N_PORTS);
    network_add_real(&s->n, &s->sw);
    network_plug_elsewhere(&s->n, 1, N_PORTS);
}

static void
setup_done(struct setup *s)
{
    real_switch_stop(&s->sw);
    network_stop(&s->n);
    bytes_done(&s->encoded);
}

/* Flows a second. */
static double
install(struct setup *s)
{
    struct sim_host *h = &s->n.hosts[0];
    real_switch_set_controller(&s->sw, s->n.daemon.openflow_port);
    real_switch_renew(&s->sw);
    uint64_t before = network_host_flows(&s->n, 0);
    real_switch_wait_flows(&s->sw, before);
    network_wait_quiet(&s->n);
    struct daemon_wait w;
    daemon_wait_begin(&s->n.daemon, &w, network_wish("port", "p0", "state", "active"));
    int64_t start = bench_now_ns();
    size_t plugged = sim_host_plug(h, "p0", 1);
    daemon_wait_finish(&s->n.daemon, &w, "the VPC's flows are installed");
    double seconds = (double) (w.done_ns - start) / 1e9;
    uint64_t n = network_host_flows(&s->n, 0) - before;

    bench_kill(&s->sw.vswitchd);
    sim_host_unplug(h, plugged);
    daemon_wait_begin(&s->n.daemon, &w, network_wish("port", "p0", "state", "unbound"));
    daemon_wait_finish(&s->n.daemon, &w, "the port is gone again");
    network_wait_quiet(&s->n);
    return (double) n / seconds;
}

static double
replay(struct setup *s)
{
    real_switch_set_controller(&s->sw, 0);
    real_switch_renew(&s->sw);
    int fd = raw_connect(&s->sw);
    int64_t ns = raw_replay(fd, &s->encoded, s->n_commits);
    close(fd);
    return (double) s->n_encoded / ((double) ns / 1e9);
}

void
measure_install(const struct bench *b)
{
    struct setup s;
    struct samples ours = { .n = 0 }, reference = { .n = 0 }, ratio = { .n = 0 };
    setup_init(&s, b);
    for (unsigned i = 0; i < N_PAIRS; i++) {
        samples_add(&reference, replay(&s));
        samples_add(&ours, install(&s));
        samples_add(&ratio, ours.v[i] / reference.v[i]);
    }
    setup_done(&s);
    figure_print(b, &(struct figure){ .name = "1  100,000 flows, model to commit reply | replay into a fresh switch",
                                      .unit = "flows/s",
                                      .value = samples_median(&ours),
                                      .reference = samples_median(&reference),
                                      .ratio = samples_median(&ratio),
                                      .bar = BAR_AT_LEAST,
                                      .limit = 0.9 });
}
