/* Tries again what the switch has refused: it may have room by now, or the group that a flow names may be there. Called by of_commit.c.
 *
 *     a round: all that is left out, RETRY_MAX at a time   one a second; at once after one of which all was taken
 *     the gap to the next round                            1 s after a round of which something was taken, else twice the last, at most a minute
 *
 * A removal that the switch has confirmed, and something new that it refuses, end a longer gap. So what cannot be taken costs, in the long
 * run, RETRY_MAX messages a minute for each RETRY_MAX of them. They are few at a time since Open vSwitch names one culprit for each commit that
 * fails. What the owner wants goes first: a try begins only when nothing else is to be sent. */
#include "ofproto/session/of_session_private.h"

#define RETRY_MAX 64
#define GAP_MIN_S 1
#define GAP_MAX_S 60

static void
on_timer(evutil_socket_t fd, short what, void *aux)
{
    struct of_session *s = aux;
    s->retry.is_due = true;
    of_session_continue(s);
}

void
of_retry_init(struct of_session *s)
{
    s->retry = (struct of_retry){ .timer = evtimer_new(s->base, on_timer, s), .gap_s = GAP_MIN_S };
}

static void
schedule(struct of_retry *r, unsigned seconds)
{
    event_add(r->timer, &(struct timeval){ .tv_sec = seconds });
}

void
of_retry_soon(struct of_session *s)
{
    struct of_retry *r = &s->retry;
    if (r->gap_s == GAP_MIN_S)
        return;
    r->gap_s = GAP_MIN_S;
    if (evtimer_pending(r->timer, NULL))
        schedule(r, GAP_MIN_S);
}

/* 'n' are left out after it. */
static void
try_end(struct of_retry *r, size_t n)
{
    r->has_taken = r->has_taken || n < r->n_before;
    r->is_due = n + r->n_tried <= r->n_before;
    r->n_tried = 0;
    if (r->n_untried)
        return;
    unsigned twice = 2 * r->gap_s < GAP_MAX_S ? 2 * r->gap_s : GAP_MAX_S;
    r->gap_s = r->has_taken ? GAP_MIN_S : twice;
    r->has_taken = false;
}

static void
try_begin(struct of_session *s, size_t n)
{
    struct of_retry *r = &s->retry;
    if (!r->n_untried || r->n_untried > n)
        r->n_untried = n;
    r->is_due = false;
    r->n_before = n;
    r->n_tried = flow_table_retry(s->table, r->n_untried < RETRY_MAX ? r->n_untried : RETRY_MAX);
    r->n_untried -= r->n_tried;
}

bool
of_retry_run(struct of_session *s)
{
    struct of_retry *r = &s->retry;
    size_t n = flow_table_n_refused(s->table);
    if (r->n_tried)
        try_end(r, n);
    if (!n) {
        event_del(r->timer);
        r->is_due = false;
        r->n_untried = 0;
        r->gap_s = GAP_MIN_S;
    } else if (r->is_due) {
        try_begin(s, n);
        return true;
    } else if (!evtimer_pending(r->timer, NULL)) {
        schedule(r, r->n_untried ? GAP_MIN_S : r->gap_s);
    }
    return false;
}
