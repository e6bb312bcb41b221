/* Samples, their quantiles, and the table's rows. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/bench.h"

void
samples_add(struct samples *s, double v)
{
    if (s->n == SAMPLES_MAX)
        bench_die("more than %d samples", SAMPLES_MAX);
    s->v[s->n++] = v;
}

static int
compare(const void *a_, const void *b_)
{
    double a = *(const double *) a_, b = *(const double *) b_;
    return (a > b) - (a < b);
}

/* Linear between the two nearest. */
double
samples_quantile(const struct samples *s, double q)
{
    struct samples sorted = *s;
    if (!s->n)
        bench_die("nothing was measured");
    qsort(sorted.v, sorted.n, sizeof *sorted.v, compare);
    double at = q * (double) (s->n - 1);
    size_t i = (size_t) at;
    double above = i + 1 < s->n ? sorted.v[i + 1] : sorted.v[i];
    return sorted.v[i] + (above - sorted.v[i]) * (at - (double) i);
}

static char *
amount(char text[32], double v, const char *unit)
{
    snprintf(text, 32, v >= 10000 ? "%.0f %s" : v >= 100 ? "%.0f %s" : v >= 10 ? "%.1f %s" : "%.2f %s", v, unit);
    return text;
}

#define ROW "%-72s  %16s  %24s  %6s  %7s  %s\n"

void
figure_print_header(void)
{
    printf(ROW, "figure", "measured", "reference", "ratio", "bar", "");
    printf(ROW, "------", "--------", "---------", "-----", "---", "");
}

void
figure_print(const struct bench *b, const struct figure *f)
{
    char value[32], reference[32] = "", ratio[32] = "", bar[32] = "";
    double r = f->ratio ? f->ratio : f->reference ? f->value / f->reference : 0;
    const char *verdict = "";
    amount(value, f->value, f->unit);
    if (f->reference)
        amount(reference, f->reference, f->unit);
    if (r)
        snprintf(ratio, sizeof ratio, "%.2f", r);
    if (f->bar != BAR_NONE) {
        bool ok = f->bar == BAR_AT_LEAST ? r >= f->limit : r <= f->limit;
        snprintf(bar, sizeof bar, "%s %.4g", f->bar == BAR_AT_LEAST ? ">=" : "<=", f->limit);
        verdict = ok ? "ok" : "MISSED";
        *b->n_missed += !ok;
    }
    printf(ROW, f->name, value, f->peer ? f->peer : reference, ratio, bar, verdict);
}
