/* Reads a switch back: flows table by table, since a dump of all at once stalls its packets, then groups and meters.
 * Readings queue; one request is in flight at a time, the next one leaves when the last part of its reply has come.
 * The session's own first reading, into its flow table, is a reading like any other. Called by of_session.c (queue) and
 * of_framing.c (replies).
 *
 * Invariants: 'done' is called exactly once for each reading that was taken; what the switch sends is bounded in number
 * and in time without progress. */
#define LOG_MODULE "openflow"
#include <string.h>

#include "ofproto/session/of_session_private.h"

#define ALL_TABLES 0xff
#define ENTRIES_MAX 4000000u /* of one reading */
#define BYTES_MAX (1u << 30) /* likewise: few large entries fill memory as well as many small ones */
#define MULTIPART_TABLE 3
#define MULTIPART_MORE 1
#define MULTIPART_HEADER_BYTES (OF_HEADER_BYTES + 8)
#define TABLE_STATS_BYTES 24

static struct of_session_read *
current(struct of_reader *r)
{
    return &r->queue[r->first];
}

static void own_done(void *aux, bool ok);

static void
reading_end(struct of_session *s, bool ok)
{
    struct of_reader *r = &s->reader;
    struct of_session_read ended = *current(r);

    r->first = (r->first + 1) % (OF_READER_QUEUE + 1);
    r->n--;
    r->step = OF_READER_IDLE;
    if (ended.done)
        ended.done(ended.aux, ok);
}

/* ---- requests ---- */

static void
put_table_stats_request(struct bytes *b, uint32_t xid)
{
    size_t message = of_message_begin(b, OF_MULTIPART_REQUEST, xid);
    bytes_put_be16(b, MULTIPART_TABLE);
    bytes_put_be16(b, 0);
    bytes_put_be32(b, 0);
    of_message_end(b, message);
}

static void
reading_request(struct of_session *s, enum of_reader_step step)
{
    struct of_reader *r = &s->reader;
    const struct of_session_read *read = current(r);
    struct bytes b = BYTES_INIT;

    r->step = step;
    r->xid = of_session_xids(s, 1);
    r->heard_ms = of_session_now_ms();
    if (step == OF_READER_TABLES)
        put_table_stats_request(&b, r->xid);
    else if (step == OF_READER_FLOWS)
        wire_put_flow_stats_request(&b, r->tables[r->at], read->cookie, read->cookie_mask, r->xid);
    else if (step == OF_READER_GROUPS)
        wire_put_group_desc_request(&b, r->xid);
    else if (step == OF_READER_METERS)
        wire_put_meter_config_request(&b, r->xid);
    else
        wire_put_meter_stats_request(&b, read->meter, r->xid);
    of_session_send(s, &b);
}

/* Asks for what comes after what was just read. */
static void
reading_advance(struct of_session *s)
{
    struct of_reader *r = &s->reader;
    bool has_more_tables = r->step == OF_READER_TABLES ? r->n_tables > 0 : r->step == OF_READER_FLOWS && ++r->at < r->n_tables;

    if (has_more_tables) {
        reading_request(s, OF_READER_FLOWS);
    } else if (r->step <= OF_READER_FLOWS && current(r)->want_groups_and_meters) {
        reading_request(s, OF_READER_GROUPS);
    } else if (r->step == OF_READER_GROUPS) {
        reading_request(s, OF_READER_METERS);
    } else if (r->step <= OF_READER_METERS && current(r)->want_meter_stats) {
        reading_request(s, OF_READER_METER_STATS);
    } else {
        reading_end(s, true);
        of_reader_run(s);
    }
}

static void
reading_begin(struct of_session *s)
{
    struct of_reader *r = &s->reader;
    const struct of_session_read *read = current(r);

    r->at = 0;
    r->n_entries = 0;
    r->n_bytes = 0;
    r->n_tables = 0;
    if (read->table != ALL_TABLES) {
        r->tables[r->n_tables++] = read->table;
    } else if (read->n_tables) {
        memcpy(r->tables, read->tables, read->n_tables);
        r->n_tables = read->n_tables;
    }
    reading_request(s, r->n_tables ? OF_READER_FLOWS : OF_READER_TABLES);
}

bool
of_reader_push(struct of_session *s, const struct of_session_read *read, unsigned max)
{
    struct of_reader *r = &s->reader;
    if (s->state == OF_STATE_CLOSED || r->n >= max)
        return false;
    r->queue[(r->first + r->n++) % (OF_READER_QUEUE + 1)] = *read;
    return true;
}

void
of_reader_run(struct of_session *s)
{
    struct of_reader *r = &s->reader;
    if (r->n && r->step == OF_READER_IDLE && s->state >= OF_STATE_IDENTIFIED && s->state != OF_STATE_CLOSED)
        reading_begin(s);
}

void
of_reader_stop(struct of_session *s)
{
    while (s->reader.n)
        reading_end(s, false);
}

/* ---- replies ---- */

/* A switch that goes on for ever is cut off. */
static bool
count_entry(struct of_session *s)
{
    if (s->state == OF_STATE_CLOSED)
        return false;
    if (++s->reader.n_entries > ENTRIES_MAX) {
        of_session_fail(s, "the switch reported more than %u flows, groups and meters", ENTRIES_MAX);
        return false;
    }
    return true;
}

static void
each_flow(void *aux, const struct wire_flow *flow)
{
    struct of_session *s = aux;
    const struct of_session_read *read = current(&s->reader);
    if (count_entry(s) && read->each_flow)
        read->each_flow(read->aux, flow);
}

static void
each_spec(void *aux, const struct spec *spec)
{
    struct of_session *s = aux;
    const struct of_session_read *read = current(&s->reader);
    if (count_entry(s) && read->each_spec)
        read->each_spec(read->aux, spec);
}

static void
each_meter(void *aux, const struct wire_meter_stats *meter)
{
    struct of_session *s = aux;
    const struct of_session_read *read = current(&s->reader);
    if (count_entry(s) && read->each_meter)
        read->each_meter(read->aux, meter);
}

/* Which tables hold flows. */
static bool
take_table_stats(struct of_session *s, const uint8_t *message, size_t n, bool *more, struct error *err)
{
    struct of_reader *reader = &s->reader;
    struct bytes_reader r;
    reader_init(&r, message + OF_HEADER_BYTES, n - OF_HEADER_BYTES);
    uint16_t type = reader_be16(&r), flags = reader_be16(&r);
    reader_be32(&r);
    if (r.bad || type != MULTIPART_TABLE || reader_left(&r) % TABLE_STATS_BYTES)
        return error_set(err, ERROR_PROTOCOL, "its table statistics are malformed");

    while (reader_left(&r)) {
        uint8_t table = reader_u8(&r);
        reader_take(&r, 3);
        uint32_t n_active = reader_be32(&r);
        reader_take(&r, 16);
        if (!n_active)
            continue;
        if (reader->n_tables == sizeof reader->tables)
            return error_set(err, ERROR_PROTOCOL, "its table statistics name more than 256 tables");
        reader->tables[reader->n_tables++] = table;
    }
    *more = flags & MULTIPART_MORE;
    return true;
}

void
of_reader_reply(struct of_session *s, const uint8_t *message, size_t n, uint32_t xid)
{
    struct of_reader *r = &s->reader;
    struct error err;
    bool more = false, ok;

    if (r->step == OF_READER_IDLE || xid != r->xid)
        return;
    r->heard_ms = of_session_now_ms();
    r->n_bytes += n;
    if (r->n_bytes > BYTES_MAX)
        ok = error_set(&err, ERROR_TOO_LARGE, "it reports more than %u MB", BYTES_MAX >> 20);
    else if (n < MULTIPART_HEADER_BYTES)
        ok = error_set(&err, ERROR_PROTOCOL, "its multipart reply is too short");
    else if (r->step == OF_READER_TABLES)
        ok = take_table_stats(s, message, n, &more, &err);
    else if (r->step == OF_READER_FLOWS)
        ok = wire_each_flow(message, n, &more, each_flow, s, &err);
    else if (r->step == OF_READER_GROUPS)
        ok = wire_each_group(message, n, &more, each_spec, s, &err);
    else if (r->step == OF_READER_METERS)
        ok = wire_each_meter(message, n, &more, each_spec, s, &err);
    else
        ok = wire_each_meter_stats(message, n, &more, each_meter, s, &err);

    if (s->state == OF_STATE_CLOSED)
        return;
    if (!ok)
        of_session_fail(s, "cannot read the switch back: %s", err.text);
    else if (!more)
        reading_advance(s);
}

/* A datapath without meters may refuse to list them; one that is to be asked about may have gone meanwhile. */
bool
of_reader_error(struct of_session *s, uint32_t xid, const struct of_error *e)
{
    static const char *const steps[] = { "nothing", "table statistics", "flows", "groups", "meters", "meter statistics" };
    struct of_reader *r = &s->reader;

    if (r->step == OF_READER_IDLE || xid != r->xid)
        return false;
    if (r->step >= OF_READER_METERS) {
        log_info_limited(&s->log, "switch %s: does not list %s: %s", s->name, steps[r->step], e->text);
        reading_advance(s);
    } else if (current(r)->done == own_done) {
        of_session_fail(s, "the switch refused to report its %s: %s", steps[r->step], e->text);
    } else {
        log_warn_limited(&s->log, "switch %s: refused to report its %s: %s", s->name, steps[r->step], e->text);
        reading_end(s, false);
        of_reader_run(s);
    }
    return true;
}

/* ---- the session's own reading ---- */

static void
own_flow(void *aux, const struct wire_flow *flow)
{
    struct of_session *s = aux;
    flow_table_readback_flow(s->table, flow);
}

static void
own_spec(void *aux, const struct spec *spec)
{
    struct of_session *s = aux;
    flow_table_readback_spec(s->table, spec);
}

static void
own_done(void *aux, bool ok)
{
    struct of_session *s = aux;
    if (!ok)
        return;
    flow_table_readback_end(s->table);
    of_session_set_state(s, OF_STATE_CURRENT);
    of_commit_run(s);
}

void
of_reader_reconcile(struct of_session *s)
{
    of_session_set_state(s, OF_STATE_READING);
    flow_table_readback_begin(s->table);
    of_reader_push(
        s,
        &(struct of_session_read){
            .table = ALL_TABLES, .want_groups_and_meters = true, .each_flow = own_flow, .each_spec = own_spec, .done = own_done, .aux = s },
        OF_READER_QUEUE + 1);
    of_reader_run(s);
}
