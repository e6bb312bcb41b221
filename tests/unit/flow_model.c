#include "tests/unit/flow_model.h"

#include "base/alloc.h"

struct model *
model_new(struct random random)
{
    struct model *m = mem_zalloc(sizeof *m);
    m->arena = arena_new();
    m->fb = flow_builder_new();
    m->t = flow_table_new();
    m->random = random;
    return m;
}

void
model_free(struct model *m)
{
    flow_table_free(m->t);
    flow_builder_free(m->fb);
    arena_free(m->arena);
    free(m);
}

const struct spec *
plain_spec(struct model *m, unsigned block, unsigned key, unsigned value)
{
    flow_begin(m->fb, key % 3, 100 + key % 2, COOKIE(block));
    match_u64(m->fb, of_field_whole(OF_REG0), key);
    act_set(m->fb, of_field_whole(OF_REG1), value);
    return flow_end(m->fb, m->arena);
}

const struct spec *
shared_spec(struct model *m, unsigned block, unsigned key, unsigned value)
{
    flow_begin(m->fb, 5, 100, COOKIE(block));
    flow_shared(m->fb);
    match_u64(m->fb, of_field_whole(OF_REG0), key);
    act_conjunction(m->fb, 1 + value, 1, 2);
    if (value & 1)
        act_conjunction(m->fb, 50, 2, 2);
    return flow_end(m->fb, m->arena);
}

const struct spec *
group_spec(struct model *m, unsigned block, unsigned id, unsigned value)
{
    struct spec *s = arena_zalloc(m->arena, sizeof *s + 12);
    s->kind = SPEC_GROUP;
    s->id = id;
    s->cookie = COOKIE(block);
    s->body_len = 12;
    s->bytes[5] = 8;
    s->bytes[11] = value;
    return s;
}

bool
same(const struct spec *a, const struct spec *b)
{
    return spec_key_equal(a, b) && a->body_len == b->body_len && !memcmp(spec_body(a), spec_body(b), a->body_len)
           && (a->kind != SPEC_FLOW || a->cookie == b->cookie);
}

const struct spec *
find(const struct spec *const specs[], size_t n, const struct spec *s)
{
    for (size_t i = 0; i < n; i++)
        if (spec_key_equal(specs[i], s))
            return specs[i];
    return NULL;
}

struct wire_flow
as_read_back(const struct spec *s)
{
    return (struct wire_flow){
        .cookie = s->cookie,
        .priority = s->priority,
        .table = s->table,
        .key = spec_key(s),
        .key_len = s->key_len,
        .body = spec_body(s),
        .body_len = s->body_len,
    };
}

void
collect(void *aux, const struct spec *s)
{
    struct collected *c = aux;
    c->specs[c->n++] = s;
}
