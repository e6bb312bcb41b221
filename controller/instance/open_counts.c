#include "controller/instance/open_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

/* One host's to one target by one place. */
struct open_count {
    struct map_node by_host, by_target, by_place;
    uint32_t host, target;
    struct open_place place;
    uint64_t n;
};

struct open_counts {
    struct map by_host, by_target, by_place;
};

/* ---- reports ---- */

static bool
read_whole(const json_t *row, size_t i, int64_t max, int64_t *value)
{
    const json_t *element = json_array_get(row, i);
    *value = json_integer_value(element);
    return json_is_integer(element) && *value >= 0 && *value <= max;
}

/* [ZONE, TARGET, PROTO, IP, PORT, N] */
static bool
read_row(struct open_row *row, const json_t *json)
{
    int64_t zone, target, port, n;
    const char *proto = json_string_value(json_array_get(json, 2)), *ip = json_string_value(json_array_get(json, 3));
    if (json_array_size(json) != 6 || !read_whole(json, 0, UINT16_MAX, &zone) || !read_whole(json, 1, UINT32_MAX, &target)
        || !read_whole(json, 4, UINT16_MAX, &port) || !read_whole(json, 5, UINT32_MAX, &n) || !ip || !ip_parse(ip, &row->place.ip))
        return false;
    row->zone = (uint16_t) zone;
    row->target = (uint32_t) target;
    row->place.port = (uint16_t) port;
    row->place.proto = proto && !strcmp(proto, "tcp") ? 6 : proto && !strcmp(proto, "udp") ? 17 : 0;
    row->n = (uint64_t) n;
    return row->place.proto;
}

static bool
read_rows(struct open_report *r, const json_t *counts, struct error *err)
{
    size_t i;
    const json_t *one;
    r->rows = mem_zalloc((json_array_size(counts) + 1) * sizeof *r->rows);
    json_array_foreach (counts, i, one)
        if (!read_row(&r->rows[r->n++], one))
            return error_set(err, ERROR_INVALID,
                             "connections: element %zu of counts must be [ZONE, TARGET, \"tcp\" or \"udp\", IP, PORT, N]", i);
    return true;
}

bool
open_report_read(struct open_report *r, const json_t *json, struct error *err)
{
    const json_t *counts = json_object_get(json, "counts");
    *r = (struct open_report){ .every_ms = json_member_int(json, "every_ms", 0) };
    if (json_is_null(json))
        return true;
    if (!json_is_array(counts) || r->every_ms < 1)
        return error_set(err, ERROR_INVALID, "connections: must be null, or have an array 'counts' and a number 'every_ms' above 0");
    if (json_array_size(counts) > OPEN_ROWS_MAX)
        return error_set(err, ERROR_TOO_LARGE, "connections: at most %d counts in one report", OPEN_ROWS_MAX);
    if (r->every_ms > OPEN_EVERY_MAX_MS)
        r->every_ms = OPEN_EVERY_MAX_MS;
    if (read_rows(r, counts, err))
        return true;
    open_report_done(r);
    return false;
}

void
open_report_done(struct open_report *r)
{
    free(r->rows);
    *r = (struct open_report){ .rows = NULL };
}

/* ---- counts ---- */

struct open_counts *
open_counts_new(void)
{
    struct open_counts *all = mem_zalloc(sizeof *all);
    map_init(&all->by_host);
    map_init(&all->by_target);
    map_init(&all->by_place);
    return all;
}

void
open_counts_free(struct open_counts *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_host) {
        free(CONTAINER_OF(n, struct open_count, by_host));
    }
    map_done(&all->by_host);
    map_done(&all->by_target);
    map_done(&all->by_place);
    free(all);
}

static uint32_t
place_hash(const struct open_place *p)
{
    return ip_hash(p->ip, hash_u32((uint32_t) p->proto << 16 | p->port));
}

static bool
same_place(const struct open_place *a, const struct open_place *b)
{
    return a->port == b->port && a->proto == b->proto && ip_equal(a->ip, b->ip);
}

static void
count_add(struct open_counts *all, uint32_t host, const struct open_row *row)
{
    struct open_count *c = mem_zalloc(sizeof *c);
    *c = (struct open_count){ .host = host, .target = row->target, .place = row->place, .n = row->n };
    map_insert(&all->by_host, &c->by_host, hash_u32(host));
    map_insert(&all->by_target, &c->by_target, hash_u32(c->target));
    map_insert(&all->by_place, &c->by_place, place_hash(&c->place));
}

void
open_counts_forget(struct open_counts *all, uint32_t host)
{
    for (struct map_node *n = map_first_hash(&all->by_host, hash_u32(host)), *next; n; n = next) {
        struct open_count *c = CONTAINER_OF(n, struct open_count, by_host);
        next = map_next_hash(n);
        if (c->host != host)
            continue;
        map_remove(&all->by_host, &c->by_host);
        map_remove(&all->by_target, &c->by_target);
        map_remove(&all->by_place, &c->by_place);
        free(c);
    }
}

static int
by_target_and_place(const void *a, const void *b)
{
    const struct open_row *x = a, *y = b;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    if (x->place.port != y->place.port)
        return x->place.port < y->place.port ? -1 : 1;
    if (x->place.proto != y->place.proto)
        return x->place.proto < y->place.proto ? -1 : 1;
    return ip_compare(x->place.ip, y->place.ip);
}

/* Zones no longer matter: one count of all that have target and place in common. */
void
open_counts_take(struct open_counts *all, uint32_t host, struct open_report *r, bool (*is_alive)(void *aux, uint16_t zone), void *aux)
{
    struct open_row sum = { .n = 0 };
    open_counts_forget(all, host);
    if (r->n)
        qsort(r->rows, r->n, sizeof *r->rows, by_target_and_place);
    for (size_t i = 0; i < r->n; i++) {
        const struct open_row *row = &r->rows[i];
        if (sum.n && by_target_and_place(&sum, row)) {
            count_add(all, host, &sum);
            sum.n = 0;
        }
        uint64_t before = sum.n, more = is_alive(aux, row->zone) ? row->n : 0;
        sum = *row;
        sum.n = before + more;
    }
    if (sum.n)
        count_add(all, host, &sum);
}

uint64_t
open_counts_of_target(const struct open_counts *all, uint32_t target)
{
    uint64_t sum = 0;
    MAP_FOR_EACH_HASH (n, &all->by_target, hash_u32(target)) {
        const struct open_count *c = CONTAINER_OF(n, struct open_count, by_target);
        sum += c->target == target ? c->n : 0;
    }
    return sum;
}

uint64_t
open_counts_at(const struct open_counts *all, const struct open_place *place, bool (*counts)(void *aux, uint32_t target), void *aux)
{
    uint64_t sum = 0;
    MAP_FOR_EACH_HASH (n, &all->by_place, place_hash(place)) {
        const struct open_count *c = CONTAINER_OF(n, struct open_count, by_place);
        sum += same_place(&c->place, place) && counts(aux, c->target) ? c->n : 0;
    }
    return sum;
}
