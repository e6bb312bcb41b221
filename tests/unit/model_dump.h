/* All that a model holds, by every way of finding it, to be compared: with what it was, and with a model loaded afresh. */
#ifndef TESTS_UNIT_MODEL_DUMP_H
#define TESTS_UNIT_MODEL_DUMP_H 1

#include "base/alloc.h"
#include "tests/unit/model_lab.h"

#define DUMP_SIZES 9 /* so many numbers at a dump's end say how large the indices are, of all views */

static inline void
dump_object(struct model *m, enum view v, const struct object *o, json_t *out)
{
    json_t *refs = json_array();
    for (const struct object_class *c = NULL; (c = object_class_next(c));)
        for (uint32_t n = 0; (n = view_next_referrer(m, v, o->number, c->type, n));)
            json_array_append_new(refs, json_integer(n));
    struct fact facts[FACTS_MAX];
    size_t n_facts = object_facts(o, facts);
    for (size_t i = 0; i < n_facts; i++)
        assert_int_equal(view_by_fact(m, v, &facts[i]), o->number);
    assert_ptr_equal(view_by_id(m, v, o->id), o);
    assert_ptr_equal(view_get(m, v, o->number, o->type), o);
    if (o->name)
        assert_ptr_equal(view_by_name(m, v, o->type, o->tenant, o->name), o);
    json_array_append_new(
        out, json_pack("[I,o,o,I]", (json_int_t) o->number, object_to_store(o), refs, (json_int_t) view_count(m, v, o->tenant, o->type)));
}

/* All that a view shows, by every way of finding it, and how many entries the indices have. */
static inline json_t *
dump(struct model *m, enum view v)
{
    json_t *out = json_array();
    for (const struct object_class *c = NULL; (c = object_class_next(c));) {
        json_array_append_new(out, json_integer(m->count[v][c->type]));
        for (const struct slot *s = slot_next(m, c->type, 0); s; s = slot_next(m, c->type, s->number))
            if (s->o[v])
                dump_object(m, v, s->o[v], out);
    }
    uint32_t sizes[DUMP_SIZES] = { m->slots.count, m->ids.count,       m->names.count,  m->types.count,         m->facts.count,
                                   m->refs.count,  m->ranges[v].count, m->counts.count, m->addresses.runs.count };
    for (size_t i = 0; i < DUMP_SIZES; i++)
        json_array_append_new(out, json_integer(sizes[i]));
    return out;
}

static inline struct model *
load_again(struct model *m)
{
    struct model *copy = model_new();
    struct error err;
    for (const struct object_class *c = NULL; (c = object_class_next(c));)
        for (const struct object *o = NULL; (o = model_next(m, c->type, o ? o->number : 0));) {
            json_t *document = object_to_store(o);
            if (!model_load_object(copy, o->number, document, &err))
                fail_msg("%s", err.text);
            json_decref(document);
        }
    if (!model_load_finish(copy, &m->sequences, &err))
        fail_msg("%s", err.text);
    return copy;
}

static inline void
assert_json_equal(json_t *take_a, json_t *take_b)
{
    if (!json_equal(take_a, take_b)) {
        char *a = json_text(take_a), *b = json_text(take_b);
        print_error("%s\n%s\n", a, b);
        free(a);
        free(b);
        fail();
    }
    json_decref(take_a);
    json_decref(take_b);
}

/* Its indices are those of a model loaded afresh, and nothing is staged. */
static inline void
check_indices(struct model *m)
{
    struct model *fresh = load_again(m);
    assert_json_equal(dump(m, VIEW_COMMITTED), dump(fresh, VIEW_COMMITTED));
    assert_json_equal(dump(m, VIEW_COMMITTED), dump(m, VIEW_STAGED));
    model_free(fresh);
}

#endif
