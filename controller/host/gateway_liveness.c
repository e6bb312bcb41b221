#include "controller/host/gateway_liveness.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum verdict { OPEN, DEAD, AS_BEFORE };

struct judged {
    enum verdict verdict;
    size_t n_up, n_down; /* what counts of what is said of it */
};

struct judge {
    struct gateway_state *gateways;
    struct judged *judged; /* of each of them */
    size_t n;
    const struct gateway_view *views;
    size_t n_views;
};

static int
compare(const void *key, const void *element)
{
    uint32_t host = *(const uint32_t *) key, other = ((const struct gateway_state *) element)->host;
    return (host > other) - (host < other);
}

static struct judged *
find(const struct judge *j, uint32_t host)
{
    const struct gateway_state *g = j->n ? bsearch(&host, j->gateways, j->n, sizeof *g, compare) : NULL;
    return g ? &j->judged[g - j->gateways] : NULL;
}

static bool
says(const struct judge *j, uint32_t observer, uint32_t gateway, bool is_up)
{
    for (size_t i = 0; i < j->n_views; i++)
        if (j->views[i].observer == observer && j->views[i].gateway == gateway && j->views[i].is_up == is_up)
            return true;
    return false;
}

/* One that was dead and is reached again sees the others again, too: BFD is up at both ends or at neither, and what it says is about to be old. */
static bool
is_old_word(const struct judge *j, const struct gateway_view *v, const struct judged *observer)
{
    return !v->is_up && observer && j->gateways[observer - j->judged].is_dead && says(j, v->gateway, v->observer, true);
}

static bool
counts(const struct judge *j, const struct gateway_view *v)
{
    const struct judged *observer = find(j, v->observer);
    return v->observer != v->gateway && (!observer || observer->verdict != DEAD) && !is_old_word(j, v, observer);
}

static void
count_views(const struct judge *j)
{
    for (size_t i = 0; i < j->n; i++)
        j->judged[i].n_up = j->judged[i].n_down = 0;
    for (size_t i = 0; i < j->n_views; i++) {
        struct judged *g = find(j, j->views[i].gateway);
        if (g && counts(j, &j->views[i]))
            *(j->views[i].is_up ? &g->n_up : &g->n_down) += 1;
    }
}

static size_t
margin(const struct judged *g)
{
    return g->verdict == OPEN && g->n_down > g->n_up ? g->n_down - g->n_up : 0;
}

static size_t
greatest_margin(const struct judge *j)
{
    size_t greatest = 0;
    for (size_t i = 0; i < j->n; i++)
        if (margin(&j->judged[i]) > greatest)
            greatest = margin(&j->judged[i]);
    return greatest;
}

/* Another one that is lost to just as many says the same of it as it of that. */
static bool
is_word_against_word(const struct judge *j, size_t g, size_t greatest)
{
    uint32_t host = j->gateways[g].host;
    for (size_t i = 0; i < j->n; i++)
        if (i != g && margin(&j->judged[i]) == greatest && says(j, host, j->gateways[i].host, false)
            && says(j, j->gateways[i].host, host, false))
            return true;
    return false;
}

/* Those that most others have lost. */
static void
judge_worst(struct judge *j, size_t greatest)
{
    bool *is_open = mem_zalloc(j->n * sizeof *is_open);
    bool has_dead = false;
    for (size_t i = 0; i < j->n; i++) {
        is_open[i] = margin(&j->judged[i]) == greatest && is_word_against_word(j, i, greatest);
        has_dead |= margin(&j->judged[i]) == greatest && !is_open[i];
    }
    for (size_t i = 0; i < j->n; i++)
        if (margin(&j->judged[i]) == greatest && is_open[i] != has_dead)
            j->judged[i].verdict = has_dead ? DEAD : AS_BEFORE;
    free(is_open);
}

static void
apply(struct judge *j)
{
    bool is_any_alive = false;
    for (size_t i = 0; i < j->n; i++) {
        const struct judged *g = &j->judged[i];
        bool is_seen = g->n_up || g->n_down;
        if (g->verdict == DEAD || (g->verdict == OPEN && is_seen))
            j->gateways[i].is_dead = g->verdict == DEAD;
        is_any_alive |= !j->gateways[i].is_dead;
    }
    for (size_t i = 0; i < j->n && !is_any_alive; i++)
        if (j->judged[i].verdict == OPEN && j->gateways[i].is_connected)
            j->gateways[i].is_dead = false;
}

static void
judge_all(struct judge *j)
{
    size_t greatest;
    j->judged = mem_zalloc((j->n + 1) * sizeof *j->judged);
    for (count_views(j); (greatest = greatest_margin(j)); count_views(j))
        judge_worst(j, greatest);
}

/* Everybody's word, but who is said to be down by one of whom it says up says down, too. False: there is nobody like that. */
static bool
retort(const struct judge *j, struct gateway_view *views)
{
    bool is_any = false;
    memcpy(views, j->views, j->n_views * sizeof *views);
    for (size_t i = 0; i < j->n_views; i++) {
        const struct gateway_view *v = &j->views[i];
        if (v->is_up || !find(j, v->observer) || !find(j, v->gateway))
            continue;
        for (size_t k = 0; k < j->n_views; k++)
            if (views[k].observer == v->gateway && views[k].gateway == v->observer && views[k].is_up) {
                views[k].is_up = false;
                is_any = true;
            }
    }
    return is_any;
}

static void
find_doubtful(const struct judge *j)
{
    struct judge again = *j;
    struct gateway_view *views = mem_alloc((j->n_views + 1) * sizeof *views);
    again.views = views;
    bool is_contradicted = j->n_views && retort(j, views);
    if (is_contradicted)
        judge_all(&again);
    for (size_t i = 0; i < j->n; i++)
        j->gateways[i].is_doubtful = is_contradicted && j->judged[i].verdict == DEAD && again.judged[i].verdict != DEAD;
    if (is_contradicted)
        free(again.judged);
    free(views);
}

void
gateway_liveness_judge(struct gateway_state *gateways, size_t n, const struct gateway_view *views, size_t n_views)
{
    struct judge j = { .gateways = gateways, .n = n, .views = views, .n_views = n_views };
    judge_all(&j);
    find_doubtful(&j);
    apply(&j);
    free(j.judged);
}
