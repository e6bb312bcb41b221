/* What all measurements share: where things are, the loop, waiting with a bound, the table of figures.
 *
 * A bench is one process on one event loop. What it starts dies with it (children get SIGKILL when their parent goes), and its folder is the
 * runner's to remove, so that nothing is left behind however it ends. What must not fail ends the program with a sentence.
 * Bars are ratios to a reference measured in the same run, never milliseconds: machines differ, and this one may be busy. */
#ifndef TOOLS_BENCH_BENCH_H
#define TOOLS_BENCH_BENCH_H 1

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench {
    struct event_base *base;
    const char *dir; /* ours, empty at first */
    const char *ovs_prefix;
    const char *vnetd;  /* the program */
    unsigned *n_missed; /* bars missed so far */
};

void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
int64_t bench_now_ns(void);

/* Runs the loop until 'is_so', which is asked after every turn; dies naming 'what' after some 30 seconds. */
void bench_wait(const struct bench *, bool (*is_so)(const void *aux), const void *aux, const char *what);

/* Whose part a child plays: the network node's or a hypervisor's. */
enum bench_machine { MACHINE_NODE, MACHINE_HYPERVISOR };

/* A child with its output in DIR/log. */
int bench_spawn(const struct bench *, enum bench_machine, const char *log, const char *const argv[]);
void bench_kill(int *pid);
/* A command of the shell, with Open vSwitch's programs in PATH; must succeed. */
void bench_shell(const struct bench *, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint16_t bench_free_port(void);

/* ---- figures ---- */
#define SAMPLES_MAX 512

struct samples {
    double v[SAMPLES_MAX];
    size_t n;
};

void samples_add(struct samples *, double);
double samples_quantile(const struct samples *, double q);
static inline double
samples_median(const struct samples *s)
{
    return samples_quantile(s, 0.5);
}

enum bar { BAR_NONE, BAR_AT_LEAST, BAR_AT_MOST };

struct figure {
    const char *name, *unit;
    double value;
    double reference; /* 0: none, or 'peer' */
    const char *peer; /* a peer's figure as text; NULL: none */
    enum bar bar;
    double limit; /* of value / reference */
    double ratio; /* 0: value / reference; else e.g. the median of pairs' ratios */
};

void figure_print_header(void);
/* Prints one row, and counts it if its bar is missed. */
void figure_print(const struct bench *, const struct figure *);

/* ---- the measurements, each with rows of its own ---- */
void measure_encode(const struct bench *);  /* 2 */
void measure_install(const struct bench *); /* 1 */
void measure_restart(const struct bench *); /* 5 */
void measure_scale(const struct bench *);   /* 3, 6 */
void measure_bind(const struct bench *);    /* 4 */
void measure_growth(const struct bench *);  /* the peer's figures */
void measure_eip(const struct bench *);
void measure_sg(const struct bench *);

#endif
