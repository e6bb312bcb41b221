/* ./dev bench: measures what the design promises and prints one table. Started by tools/bench/run, which gives it a folder. */
#include "tools/bench/bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*measure)(const struct bench *);
} measurements[] = {
    { "install", measure_install }, { "encode", measure_encode }, { "scale", measure_scale }, { "bind", measure_bind },
    { "restart", measure_restart }, { "growth", measure_growth }, { "eip", measure_eip },     { "sg", measure_sg },
};
#define N_MEASUREMENTS (sizeof measurements / sizeof *measurements)

static bool
is_chosen(const char *name, int argc, char *argv[])
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name))
            return true;
    return argc < 2;
}

static void
check_names(int argc, char *argv[])
{
    for (int i = 1; i < argc; i++) {
        size_t k = 0;
        while (k < N_MEASUREMENTS && strcmp(argv[i], measurements[k].name))
            k++;
        if (k == N_MEASUREMENTS)
            bench_die("there is no measurement '%s'; take install, encode, scale, bind, restart, growth, eip, sg or public", argv[i]);
    }
}

int
main(int argc, char *argv[])
{
    unsigned n_missed = 0;
    struct bench b = { event_base_new(), getenv("BENCH_DIR"), getenv("VNET_OVS_PREFIX"), getenv("BENCH_VNETD"), &n_missed };
    if (!b.dir || !b.ovs_prefix || !b.vnetd)
        bench_die("started by itself; run ./dev bench");
    signal(SIGPIPE, SIG_IGN);
    check_names(argc, argv);
    setvbuf(stdout, NULL, _IOLBF, 0);
    figure_print_header();
    for (size_t i = 0; i < N_MEASUREMENTS; i++)
        if (is_chosen(measurements[i].name, argc, argv))
            measurements[i].measure(&b);
    event_base_free(b.base);
    return n_missed ? 1 : 0;
}
