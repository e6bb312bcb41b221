#include "controller/hits/hit_count.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"

struct hit_flow {
    uint64_t flow;
    uint64_t packets, bytes; /* when last seen, like its age */
    uint64_t reading;        /* the last that showed it; 0: none of this run */
    int64_t gone_ms;         /* if is_gone */
    uint32_t duration_s;
    bool is_gone;
};

void
hit_count_done(struct hit_count *c)
{
    free(c->flows);
    *c = (struct hit_count){ .packets = 0 };
}

/* ---- flows ---- */

static void
flow_forget(struct hit_count *c, size_t i)
{
    memmove(&c->flows[i], &c->flows[i + 1], (c->n - i - 1) * sizeof *c->flows);
    c->n--;
}

static struct hit_flow *
flow_add(struct hit_count *c, const struct hit_flow *f, size_t at)
{
    c->flows = mem_grow(c->flows, &c->cap, c->n + 1, sizeof *c->flows);
    memmove(&c->flows[at + 1], &c->flows[at], (c->n - at) * sizeof *c->flows);
    c->flows[at] = *f;
    c->n++;
    return &c->flows[at];
}

static size_t
count_gone(const struct hit_count *c)
{
    size_t n = 0;
    while (n < c->n && c->flows[n].is_gone)
        n++;
    return n;
}

/* A switch lists its flows in much the same order each time. */
static struct hit_flow *
flow_find(struct hit_count *c, uint64_t flow)
{
    for (size_t i = 0; i < c->n; i++) {
        struct hit_flow *f = &c->flows[(c->at + i) % c->n];
        if (f->flow != flow || f->is_gone)
            continue;
        c->at = (size_t) (f - c->flows) + 1;
        return f;
    }
    return NULL;
}

static void
flow_go(struct hit_count *c, size_t i, int64_t now_ms)
{
    struct hit_flow f = c->flows[i];
    f.is_gone = true;
    f.gone_ms = now_ms;
    flow_forget(c, i);
    flow_add(c, &f, count_gone(c));
}

static bool
may_be(const struct hit_flow *f, const struct hit_sight *s)
{
    return f->flow == s->flow && s->packets >= f->packets && s->bytes >= f->bytes && s->duration_s >= f->duration_s;
}

/* ---- totals ---- */

static bool
grow(struct hit_count *c, const struct hit_sight *s, uint64_t packets, uint64_t bytes, int64_t wall_ms)
{
    int64_t idle_ms = s->idle_s == UINT32_MAX ? 0 : (int64_t) s->idle_s * 1000;
    if (!packets && !bytes)
        return false;
    c->packets += packets;
    c->bytes += bytes;
    if (wall_ms - idle_ms > c->last_hit_ms)
        c->last_hit_ms = wall_ms - idle_ms;
    return true;
}

bool
hit_count_seen(struct hit_count *c, const struct hit_sight *s, uint64_t reading, struct hit_now now)
{
    struct hit_flow *f = flow_find(c, s->flow);
    if (f && !may_be(f, s)) {
        flow_go(c, (size_t) (f - c->flows), now.ms);
        f = NULL;
    }
    if (!f)
        f = flow_add(c, &(struct hit_flow){ .flow = s->flow }, c->n);
    uint64_t packets = s->packets - f->packets, bytes = s->bytes - f->bytes;
    f->packets = s->packets;
    f->bytes = s->bytes;
    f->duration_s = s->duration_s;
    f->reading = reading;
    return grow(c, s, packets, bytes, now.wall_ms);
}

/* Flows with one key go one after the other, and so do their last words. */
bool
hit_count_removed(struct hit_count *c, const struct hit_sight *s, struct hit_now now)
{
    uint64_t packets = s->packets, bytes = s->bytes;
    size_t i = 0;
    while (i < c->n && !may_be(&c->flows[i], s))
        i++;
    if (i < c->n) {
        packets -= c->flows[i].packets;
        bytes -= c->flows[i].bytes;
        flow_forget(c, i);
    }
    return grow(c, s, packets, bytes, now.wall_ms);
}

void
hit_count_read(struct hit_count *c, uint64_t reading, struct hit_now now)
{
    for (size_t i = count_gone(c); i < c->n; i++)
        if (c->flows[i].reading != reading)
            flow_go(c, i, now.ms);
    while (c->n && c->flows[0].is_gone && now.ms - c->flows[0].gone_ms > HIT_GONE_MS)
        flow_forget(c, 0);
}

void
hit_count_disconnected(struct hit_count *c)
{
    while (c->n && c->flows[0].is_gone)
        flow_forget(c, 0);
}

void
hit_count_add(struct hit_count *c, const struct hit_count *other)
{
    c->packets += other->packets;
    c->bytes += other->bytes;
    if (other->last_hit_ms > c->last_hit_ms)
        c->last_hit_ms = other->last_hit_ms;
}

/* ---- as text: PACKETS BYTES LAST_HIT, then FLOW:PACKETS:BYTES:AGE of each flow that has counted ---- */

char *
hit_count_format(const struct hit_count *c)
{
    struct bytes b = BYTES_INIT;
    char text[96];
    int n = snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64 " %" PRIu64, c->packets, c->bytes, (uint64_t) c->last_hit_ms);
    bytes_put(&b, text, (size_t) n);
    for (size_t i = 0; i < c->n; i++) {
        const struct hit_flow *f = &c->flows[i];
        if (f->is_gone || !f->packets)
            continue;
        n = snprintf(text, sizeof text, " %" PRIx64 ":%" PRIu64 ":%" PRIu64 ":%" PRIu32, f->flow, f->packets, f->bytes, f->duration_s);
        bytes_put(&b, text, (size_t) n);
    }
    bytes_put_u8(&b, '\0');
    return (char *) b.data;
}

/* A number and the character after it; "" may end the text. */
static bool
take_number(const char **text, int base, const char *after, uint64_t *value)
{
    char *end;
    if (!isxdigit((unsigned char) **text))
        return false;
    *value = strtoull(*text, &end, base);
    if (end == *text || !strchr(after, *end))
        return false;
    *text = *end ? end + 1 : end;
    return true;
}

static bool
parse_flow(struct hit_count *c, const char **text)
{
    struct hit_flow f = { .flow = 0 };
    uint64_t age;
    if (!take_number(text, 16, ":", &f.flow) || !take_number(text, 10, ":", &f.packets) || !take_number(text, 10, ":", &f.bytes)
        || !take_number(text, 10, " ", &age))
        return false;
    f.duration_s = (uint32_t) age;
    flow_add(c, &f, c->n);
    return true;
}

bool
hit_count_parse(struct hit_count *c, const char *text)
{
    uint64_t last_hit_ms = 0;
    *c = (struct hit_count){ .packets = 0 };
    bool ok =
        take_number(&text, 10, " ", &c->packets) && take_number(&text, 10, " ", &c->bytes) && take_number(&text, 10, " ", &last_hit_ms);
    c->last_hit_ms = (int64_t) last_hit_ms;
    while (ok && *text)
        ok = parse_flow(c, &text);
    if (!ok)
        hit_count_done(c);
    return ok;
}
