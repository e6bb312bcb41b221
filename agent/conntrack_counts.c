#include "agent/conntrack_counts.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"

struct count {
    struct map_node node;
    struct conntrack_entry of;
    json_int_t n;
};

struct conntrack_counts {
    struct map counts;
};

struct conntrack_counts *
conntrack_counts_new(void)
{
    struct conntrack_counts *c = mem_zalloc(sizeof *c);
    map_init(&c->counts);
    return c;
}

void
conntrack_counts_free(struct conntrack_counts *c)
{
    if (!c)
        return;
    MAP_FOR_EACH_SAFE (n, next, &c->counts) {
        free(CONTAINER_OF(n, struct count, node));
    }
    map_done(&c->counts);
    free(c);
}

static uint32_t
hash_of(const struct conntrack_entry *e)
{
    uint64_t number = (uint64_t) e->target << 32 | (uint32_t) e->zone << 16 | e->port;
    return ip_hash(e->ip, hash_u64(number ^ e->proto));
}

static bool
is_same(const struct conntrack_entry *a, const struct conntrack_entry *b)
{
    return a->target == b->target && a->zone == b->zone && a->proto == b->proto && a->port == b->port && ip_equal(a->ip, b->ip);
}

static struct count *
find(const struct conntrack_counts *c, const struct conntrack_entry *e, uint32_t hash)
{
    MAP_FOR_EACH_HASH (n, &c->counts, hash) {
        struct count *count = CONTAINER_OF(n, struct count, node);
        if (is_same(&count->of, e))
            return count;
    }
    return NULL;
}

bool
conntrack_counts_add(struct conntrack_counts *c, const struct conntrack_entry *e, struct error *err)
{
    if (!e->is_open)
        return true;
    uint32_t hash = hash_of(e);
    struct count *count = find(c, e, hash);
    if (!count && map_count(&c->counts) == CONNTRACK_COUNTS_MAX)
        return error_set(err, ERROR_TOO_LARGE, "balanced connections differ in zone, target or destination in more than %d ways",
                         CONNTRACK_COUNTS_MAX);
    if (!count) {
        count = mem_zalloc(sizeof *count);
        count->of = *e;
        map_insert(&c->counts, &count->node, hash);
    }
    count->n++;
    return true;
}

json_t *
conntrack_counts_json(const struct conntrack_counts *c)
{
    json_t *rows = json_array();
    MAP_FOR_EACH (node, &c->counts) {
        const struct count *count = CONTAINER_OF(node, struct count, node);
        const struct conntrack_entry *e = &count->of;
        char ip[IP_STRLEN];
        json_array_append_new(rows, json_pack("[i,I,s,s,i,I]", e->zone, (json_int_t) e->target, e->proto == 6 ? "tcp" : "udp",
                                              ip_format(e->ip, ip), e->port, count->n));
    }
    return rows;
}
