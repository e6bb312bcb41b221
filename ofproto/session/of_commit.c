/* Makes the switch what its flow table wants, one batch at a time:
 *
 *     meters added, bundle opened, its messages, BARRIER    one write                    FILLING
 *     none refused: COMMIT    one refused: DISCARD          on the barrier's reply       COMMITTING
 *     meters deleted, BARRIER                               on the commit's reply        CLEANING
 *
 * The barrier in between is needed: Open vSwitch leaves out a message that is refused while a bundle is filled, and
 * commits the rest. Errors name their message by its xid. A commit that fails without naming one is tried with half as
 * many until the culprit is alone, so that one bad flow never stops the others. Meters cannot be in a bundle: once the
 * barrier is through they are there, whatever becomes of the rest.
 *
 * Called by of_session.c (there is work) and of_framing.c (answers). Invariant: exactly one of flow_table_committed()
 * and flow_table_not_committed() follows each flow_table_take() that returned something. */
#define LOG_MODULE "openflow"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ofproto/session/of_session_private.h"

#include <openflow/openflow.h>

#define FAILURES_MAX 3 /* in a row that no message is to blame for; then the connection is started anew */

enum { XID_OPEN, XID_BARRIER, XID_COMMIT, XID_CLEAN, N_CONTROL_XIDS };

static bool
is_meter_added(const struct of_commit_item *i)
{
    return i->kind == SPEC_METER && i->command == WIRE_ADD;
}

static void
items_free(struct of_commit_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(items[i].refusal);
    free(items);
}

/* ---- sending a batch ---- */

static void
batch_remember(struct of_session *s, const struct flow_table_send *sends, size_t n)
{
    struct of_commit *c = &s->commit;
    c->items = mem_zalloc(n * sizeof *c->items);
    c->n_items = n;
    c->n_refused = c->n_bundled = c->n_deleted = 0;
    c->is_failed = c->is_culprit_inside = false;
    c->first_xid = of_session_xids(s, (uint32_t) n);
    c->control_xid = of_session_xids(s, N_CONTROL_XIDS);
    for (size_t i = 0; i < n; i++) {
        const struct spec *spec = sends[i].spec;
        struct of_commit_item *item = &c->items[i];
        item->cookie = spec->cookie;
        item->entry = sends[i].entry;
        item->id = spec->id;
        item->priority = spec->priority;
        item->table = spec->table;
        item->kind = spec->kind;
        item->command = (uint8_t) sends[i].command;
        item->is_modify = sends[i].is_modify;
        item->is_retried = sends[i].is_retried;
        c->n_bundled += spec->kind != SPEC_METER;
        c->n_deleted += sends[i].command == WIRE_DELETE;
    }
}

/* Its counts begin anew, and what is there tells what it had: a flow that is overwritten leaves them to its successor. */
static bool
needs_removal(const struct flow_table_send *send)
{
    return send->spec->kind == SPEC_FLOW && send->spec->tells_removal && send->is_modify && send->command == WIRE_ADD;
}

/* A spec lives until its table changes, so what is sent last is encoded now too. */
static void
batch_encode(struct of_commit *c, const struct flow_table_send *sends, struct bytes *b)
{
    for (size_t i = 0; i < c->n_items; i++)
        if (sends[i].spec->kind == SPEC_METER)
            wire_put_mod(sends[i].command == WIRE_ADD ? b : &c->cleaning, sends[i].spec, sends[i].command, sends[i].is_modify,
                         c->first_xid + (uint32_t) i);

    if (c->n_bundled)
        of_message_bundle_control(b, ++c->bundle, OFPBCT_OPEN_REQUEST, c->control_xid + XID_OPEN);
    for (size_t i = 0; i < c->n_items; i++) {
        if (needs_removal(&sends[i]))
            wire_put_bundle_mod(b, c->bundle, sends[i].spec, WIRE_DELETE, false, c->first_xid + (uint32_t) i);
        if (sends[i].spec->kind != SPEC_METER)
            wire_put_bundle_mod(b, c->bundle, sends[i].spec, sends[i].command, sends[i].is_modify, c->first_xid + (uint32_t) i);
    }
    of_message_empty(b, OF_BARRIER_REQUEST, c->control_xid + XID_BARRIER);
    if (c->cleaning.n)
        of_message_empty(&c->cleaning, OF_BARRIER_REQUEST, c->control_xid + XID_CLEAN);
}

static void
batch_send(struct of_session *s, const struct flow_table_send *sends, size_t n)
{
    struct of_commit *c = &s->commit;
    struct bytes b = BYTES_INIT;

    batch_remember(s, sends, n);
    c->seq = s->seq;
    c->is_last = !flow_table_has_unsent(s->table);
    batch_encode(c, sends, &b);
    c->step = OF_COMMIT_FILLING;
    c->sent_bytes = b.n;
    c->sent_ms = of_session_now_ms();
    s->counters.mods_sent += n;
    of_session_set_state(s, OF_STATE_COMMITTING);
    of_session_send(s, &b);
}

static void
tell_committed(struct of_session *s, uint64_t seq)
{
    if (s->is_told && seq <= s->seq_told)
        return;
    s->is_told = true;
    s->seq_told = seq;
    s->ops->committed(s->aux, s, seq);
}

void
of_commit_run(struct of_session *s)
{
    struct of_commit *c = &s->commit;
    if (s->state != OF_STATE_CURRENT)
        return;
    if (!flow_table_has_unsent(s->table)) {
        tell_committed(s, s->seq);
        if (s->state != OF_STATE_CURRENT || !of_retry_run(s))
            return;
        s->is_told = false; /* what is taken now is news */
    }
    if (!c->max)
        c->max = OF_SESSION_BATCH;
    struct flow_table_send *sends = mem_alloc(c->max * sizeof *sends);
    size_t n = flow_table_take(s->table, sends, c->max);
    if (n)
        batch_send(s, sends, n);
    free(sends);
}

/* ---- a batch's end ---- */

static void
batch_end(struct of_session *s)
{
    struct of_commit *c = &s->commit;
    c->step = OF_COMMIT_IDLE;
    c->items = NULL;
    c->n_items = 0;
    c->sent_bytes = 0;
    bytes_done(&c->cleaning);
    if (s->state != OF_STATE_CLOSED)
        of_session_set_state(s, OF_STATE_CURRENT);
}

static void
batch_committed(struct of_session *s)
{
    struct of_commit *c = &s->commit;
    flow_table_committed(s->table);
    s->counters.bundles++;
    c->n_failures = 0;
    if (c->max < OF_SESSION_BATCH)
        c->max = 2 * c->max < OF_SESSION_BATCH ? 2 * c->max : OF_SESSION_BATCH;

    if (c->n_deleted)
        of_retry_soon(s);
    bool is_last = c->is_last;
    uint64_t seq = c->seq;
    items_free(c->items, c->n_items);
    batch_end(s);
    if (is_last)
        tell_committed(s, seq);
    of_commit_run(s);
}

/* Meters that nothing uses any more go after the flows that used them. */
static void
batch_accepted(struct of_session *s)
{
    struct of_commit *c = &s->commit;
    if (!c->cleaning.n) {
        batch_committed(s);
        return;
    }
    c->step = OF_COMMIT_CLEANING;
    of_session_send(s, &c->cleaning);
}

/* ---- refusals ---- */

static void
item_refuse(struct of_commit *c, struct of_commit_item *i, const char *why)
{
    if (i->refusal)
        return;
    const char *deed = i->command == WIRE_DELETE ? "delete" : i->is_modify ? "change" : "add";
    if (i->kind == SPEC_FLOW)
        i->refusal = mem_printf("the switch refused to %s a flow of table %u, priority %u: %s", deed, i->table, i->priority, why);
    else
        i->refusal = mem_printf("the switch refused to %s %s %u: %s", deed, i->kind == SPEC_GROUP ? "group" : "meter", i->id, why);
    c->n_refused++;
}

/* What is left of the batch on the switch: nothing but the meters. */
static void
batch_undo(struct of_session *s)
{
    struct of_commit *c = &s->commit;
    for (size_t i = 0; i < c->n_items; i++) {
        if (c->items[i].refusal)
            flow_table_refused(s->table, c->items[i].entry);
        else if (is_meter_added(&c->items[i]))
            flow_table_installed(s->table, c->items[i].entry);
    }
    flow_table_not_committed(s->table);

    if (c->step == OF_COMMIT_FILLING && c->n_bundled) {
        struct bytes b = BYTES_INIT;
        of_message_bundle_control(&b, c->bundle, OFPBCT_DISCARD_REQUEST, of_session_xids(s, 1));
        of_session_send(s, &b);
    }
}

static void
tell_refused(struct of_session *s, const struct of_commit_item *items, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!items[i].refusal || items[i].is_retried)
            continue;
        of_retry_soon(s);
        s->counters.refused++;
        log_warn_limited(&s->log, "switch %s: cookie 0x%016llx: %s", s->name, (unsigned long long) items[i].cookie, items[i].refusal);
        s->ops->refused(s->aux, s, items[i].cookie, items[i].refusal);
    }
}

/* A failure that names no message: half as many next time, unless the connection itself is what does not work. */
static void
judge_nameless_failure(struct of_session *s)
{
    struct of_commit *c = &s->commit;
    if (!c->is_culprit_inside) {
        log_warn_limited(&s->log, "switch %s: a bundle failed: %s", s->name, c->failure);
        if (++c->n_failures >= FAILURES_MAX)
            of_session_fail(s, "the switch refused %d bundles: %s", FAILURES_MAX, c->failure);
    } else if (c->n_items == 1) {
        item_refuse(c, &c->items[0], c->failure);
    } else {
        c->max = c->n_items / 2;
    }
}

static void
batch_failed(struct of_session *s)
{
    struct of_commit *c = &s->commit;
    if (!c->n_refused)
        judge_nameless_failure(s);
    if (s->state == OF_STATE_CLOSED)
        return;
    batch_undo(s);
    struct of_commit_item *items = c->items;
    size_t n = c->n_items;
    batch_end(s);
    tell_refused(s, items, n);
    items_free(items, n);
    of_commit_run(s);
}

/* ---- answers ---- */

void
of_commit_barrier(struct of_session *s, uint32_t xid)
{
    struct of_commit *c = &s->commit;
    if (c->step == OF_COMMIT_CLEANING && xid == c->control_xid + XID_CLEAN) {
        batch_committed(s);
    } else if (c->step == OF_COMMIT_FILLING && xid == c->control_xid + XID_BARRIER) {
        if (c->n_refused || c->is_failed) {
            batch_failed(s);
        } else if (!c->n_bundled) {
            batch_accepted(s);
        } else {
            struct bytes b = BYTES_INIT;
            of_message_bundle_control(&b, c->bundle, OFPBCT_COMMIT_REQUEST, c->control_xid + XID_COMMIT);
            c->step = OF_COMMIT_COMMITTING;
            of_session_send(s, &b);
        }
    }
}

void
of_commit_control(struct of_session *s, const uint8_t *message, size_t n, uint32_t xid)
{
    struct of_commit *c = &s->commit;
    struct bytes_reader r;
    reader_init(&r, message + OF_HEADER_BYTES, n - OF_HEADER_BYTES);
    uint32_t bundle = reader_be32(&r);
    uint16_t type = reader_be16(&r);
    if (!r.bad && type == OFPBCT_COMMIT_REPLY && bundle == c->bundle && c->step == OF_COMMIT_COMMITTING
        && xid == c->control_xid + XID_COMMIT)
        batch_accepted(s);
}

/* While meters are deleted nothing can fail that matters: one that is not there is what was wanted. */
bool
of_commit_error(struct of_session *s, uint32_t xid, const struct of_error *e)
{
    struct of_commit *c = &s->commit;
    uint32_t item = xid - c->first_xid, control = xid - c->control_xid;
    bool is_item = item < c->n_items;

    if (c->step == OF_COMMIT_IDLE || (!is_item && control >= N_CONTROL_XIDS))
        return false;
    if (c->step == OF_COMMIT_CLEANING) {
        log_warn_limited(&s->log, "switch %s: while deleting meters: %s", s->name, e->text);
        return true;
    }
    if (is_item && !e->is_bundle_gone) {
        item_refuse(c, &c->items[item], e->text);
        return true;
    }
    c->is_failed = true;
    c->is_culprit_inside = e->is_bundle_message_failed;
    snprintf(c->failure, sizeof c->failure, "%s", e->text);
    if (c->step == OF_COMMIT_COMMITTING && control == XID_COMMIT)
        batch_failed(s);
    return true;
}

void
of_commit_stop(struct of_session *s)
{
    struct of_commit *c = &s->commit;
    if (c->step == OF_COMMIT_IDLE)
        return;
    flow_table_not_committed(s->table);
    items_free(c->items, c->n_items);
    batch_end(s);
}
