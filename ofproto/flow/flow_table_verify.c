/* Comparing tables: one desired side with another, and a desired side with what was read from a switch. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_table_private.h"

static bool
value_equal(const struct spec *a, const struct spec *b)
{
    return (a->kind != SPEC_FLOW || (a->cookie == b->cookie && a->tells_removal == b->tells_removal)) && a->body_len == b->body_len
           && !memcmp(spec_body(a), spec_body(b), a->body_len);
}

#define TOLD_MAX 3

/* Differences as text: the first few, and how many there are. */
struct telling {
    struct arena *arena;
    char *text;
    size_t n;
};

static void
tell(struct telling *telling, const char *what, const struct spec *s)
{
    if (telling->n++ < TOLD_MAX)
        telling->text = arena_printf(telling->arena, "%s%s%s cookie=%#" PRIx64 " %s", telling->text, *telling->text ? "; " : "", what,
                                     s->cookie, spec_format(s, telling->arena));
}

static const struct spec *
desired_find(const struct flow_table *t, const struct spec *s)
{
    const struct entry *e = entry_find_key(t, s);
    return e && e->is_desired ? e->spec : NULL;
}

static void
tables_tell(const struct flow_table *a, const struct flow_table *b, struct telling *telling)
{
    MAP_FOR_EACH (node, &a->entries) {
        const struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (!e->is_desired)
            continue;
        const struct spec *other = desired_find(b, e->spec);
        if (!other) {
            tell(telling, "only the first has", e->spec);
        } else if (!value_equal(e->spec, other) || e->spec->cookie != other->cookie) {
            tell(telling, "the first has", e->spec);
            tell(telling, "the second", other);
        }
    }
    MAP_FOR_EACH (node, &b->entries) {
        const struct entry *e = CONTAINER_OF(node, struct entry, node);
        if (e->is_desired && !desired_find(a, e->spec))
            tell(telling, "only the second has", e->spec);
    }
}

bool
flow_table_equal(const struct flow_table *a, const struct flow_table *b, struct error *err)
{
    struct telling telling = { .arena = arena_new(), .text = "", .n = 0 };
    tables_tell(a, b, &telling);
    if (telling.n)
        error_set(err, ERROR_CONFLICT, "the tables differ in %zu places: %s", telling.n, telling.text);
    arena_free(telling.arena);
    return !telling.n;
}

/* What was found, by key. */
struct found {
    struct map_node node;
    const struct spec *spec;
};

static const struct spec *
found_find(const struct map *map, const struct spec *s)
{
    MAP_FOR_EACH_HASH (node, map, spec_key_hash(s)) {
        const struct found *f = CONTAINER_OF(node, struct found, node);
        if (spec_key_equal(f->spec, s))
            return f->spec;
    }
    return NULL;
}

size_t
flow_table_verify(const struct flow_table *desired, const struct spec *const found[], size_t n_found,
                  void (*each)(void *aux, const struct flow_table_difference *), void *aux)
{
    size_t n = 0;
    struct map map;
    map_init(&map);
    struct found *nodes = mem_alloc(n_found * sizeof *nodes);
    for (size_t i = 0; i < n_found; i++) {
        nodes[i].spec = found[i];
        map_insert(&map, &nodes[i].node, spec_key_hash(found[i]));
        if (!desired_find(desired, found[i])) {
            struct flow_table_difference d = { DIFFERENCE_EXTRA, NULL, found[i] };
            each(aux, &d);
            n++;
        }
    }
    MAP_FOR_EACH (node, &desired->entries) {
        const struct entry *e = CONTAINER_OF(node, struct entry, node);
        const struct spec *other = e->is_desired ? found_find(&map, e->spec) : NULL;
        if (!e->is_desired || (other && value_equal(e->spec, other)))
            continue;
        struct flow_table_difference d = { other ? DIFFERENCE_CHANGED : DIFFERENCE_MISSING, e->spec, other };
        each(aux, &d);
        n++;
    }
    map_done(&map);
    free(nodes);
    return n;
}
