/* A transaction's life: changes enter VIEW_STAGED of the model's indices one by one and are remembered here, so that committing makes
 * VIEW_COMMITTED follow, and aborting takes VIEW_STAGED back. Both views are the same before and after. */
#include "vnet/model/transaction_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "vnet/model/field_value.h"
#include "vnet/model/model_json.h"
#include "vnet/model/marks.h"
#include "vnet/model/sg_set.h"

/* What the transaction did to one number. 'after' is owned until commit, 'before' from then on. */
struct staged {
    struct map_node node;
    struct change c;
};

static const char *
tenant_by_default(const struct transaction_origin *origin)
{
    if (origin->tenant)
        return origin->tenant;
    return origin->principal.role == PRINCIPAL_TENANT ? origin->principal.tenant : TENANT_DEFAULT_NAME;
}

struct transaction *
transaction_begin(struct model *m, const struct transaction_origin *origin)
{
    assert(!m->open);
    struct transaction *t = mem_zalloc(sizeof *t);
    t->model = m;
    t->principal = origin->principal;
    snprintf(t->tenant, sizeof t->tenant, "%s", tenant_by_default(origin));
    t->now_ms = origin->now_ms;
    t->runtime = origin->runtime;
    t->runtime_aux = origin->runtime_aux;
    t->is_brief = origin->is_brief;
    t->is_sweep = origin->is_sweep;
    t->random = origin->random;
    t->random_aux = origin->random_aux;
    t->sequences = m->sequences;
    map_init(&t->staged);
    m->open = t;
    return t;
}

static struct staged *
staged_at(struct map_node *n)
{
    return CONTAINER_OF(n, struct staged, node);
}

static struct staged *
staged_find(const struct transaction *t, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &t->staged, hash_u32(number))
        if (staged_at(n)->c.number == number)
            return staged_at(n);
    return NULL;
}

/* The transaction's view shows 'after' (taken; NULL: nothing) under its number. */
static void
stage(struct transaction *t, uint32_t number, enum object_type type, const struct object *after)
{
    struct staged *s = staged_find(t, number);
    if (!s) {
        const struct object *before = view_get(t->model, VIEW_COMMITTED, number, type);
        s = mem_alloc(sizeof *s);
        s->c = (struct change){ type, number, before, before };
        map_insert(&t->staged, &s->node, hash_u32(number));
    }
    struct object *old = s->c.after != s->c.before ? (struct object *) s->c.after : NULL;
    index_set(t->model, VIEW_STAGED, number, after);
    s->c.after = after;
    object_free(old);
}

/* ---- objects enter and leave ---- */
uint64_t
transaction_random(struct transaction *t)
{
    uint64_t random;
    t->random(t->random_aux, (uint8_t *) &random, sizeof random);
    return random;
}

/* The next number that nothing has, or had before a host confirmed that it went. */
static uint32_t
take_number(struct transaction *t)
{
    uint32_t number;
    do
        number = t->sequences.next_number++;
    while (!number || slot_find(t->model, number) || tombstone_find(t->model, number) || staged_find(t, number));
    return number;
}

bool
transaction_take_vni(struct transaction *t, uint32_t *vni, struct error *err)
{
    for (uint32_t tries = 0; tries < VNI_MAX; tries++) {
        uint32_t next = t->sequences.next_vni;
        struct fact f = fact_vni(next);
        t->sequences.next_vni = next >= VNI_MAX ? 1 : next + 1;
        if (view_by_fact(t->model, VIEW_STAGED, &f) || view_by_fact(t->model, VIEW_COMMITTED, &f))
            continue;
        *vni = next;
        return true;
    }
    return error_set(err, ERROR_EXHAUSTED, "all %d network identifiers (vni) are in use", VNI_MAX);
}

static void
identify(struct transaction *t, struct object *o)
{
    uint8_t random[16];
    o->number = take_number(t);
    o->created_ms = t->now_ms;
    if (uuid_is_zero(o->id)) {
        t->random(t->random_aux, random, sizeof random);
        o->id = uuid_from_random(random);
    }
}

static void
object_link(struct transaction *t, struct object *o)
{
    if (object_hooks(o->type)->link)
        object_hooks(o->type)->link(t->model, VIEW_STAGED, o);
}

static bool
complete_and_check(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    const struct object_hooks *hooks = object_hooks(o->type);
    object_link(t, o);
    return (!hooks->complete || hooks->complete(t, before, o, err)) && transaction_check(t, before, o, err);
}

bool
transaction_add(struct transaction *t, struct object *o, struct error *err)
{
    const struct object_hooks *hooks = object_hooks(o->type);
    identify(t, o);
    if (!complete_and_check(t, NULL, o, err)) {
        object_free(o);
        return false;
    }
    stage(t, o->number, o->type, o);
    return !hooks->added || hooks->added(t, o, err);
}

bool
transaction_replace(struct transaction *t, const struct object *before, struct object *o, struct error *err)
{
    if (!complete_and_check(t, before, o, err)) {
        object_free(o);
        return false;
    }
    if (object_equal(before, o))
        object_free(o);
    else
        stage(t, o->number, o->type, o);
    return true;
}

static bool
remove_owned(struct transaction *t, uint32_t owner, struct error *err)
{
    for (const struct object_class *class = NULL; (class = object_class_next(class));) {
        uint32_t number = 0;
        while ((number = view_next_referrer(t->model, VIEW_STAGED, owner, class->type, number)))
            if (!transaction_remove(t, transaction_get(t, number, class->type), err))
                return false;
    }
    return true;
}

bool
transaction_remove(struct transaction *t, const struct object *o, struct error *err)
{
    uint32_t number = o->number;
    enum object_type type = o->type;
    if (!transaction_check_removable(t, o, err) || !remove_owned(t, number, err))
        return false;
    stage(t, number, type, NULL);
    return true;
}

const char *
transaction_title(const struct transaction *t, const struct object *o, char buf[TITLE_MAX])
{
    char label[OBJECT_LABEL_MAX];
    snprintf(buf, TITLE_MAX, "%s '%s'", object_class(o->type)->name, object_label_write(t->model, o, label));
    return buf;
}

void
transaction_each_staged(const struct transaction *t, void (*each)(void *aux, const struct change *), void *aux)
{
    MAP_FOR_EACH (n, &t->staged)
        each(aux, &staged_at(n)->c);
}

/* ---- the end ---- */
static int
change_order(const void *a_, const void *b_)
{
    uint32_t a = ((const struct change *) a_)->number, b = ((const struct change *) b_)->number;
    return a < b ? -1 : a > b;
}

/* What was changed back is no change. */
static void
drop_equal(struct transaction *t, struct staged *s)
{
    const struct object *after = s->c.after;
    if (!after || !s->c.before || after == s->c.before || !object_equal(s->c.before, after))
        return;
    index_set(t->model, VIEW_STAGED, s->c.number, s->c.before);
    s->c.after = s->c.before;
    object_free((struct object *) after);
}

bool
transaction_finish(struct transaction *t, struct error *err)
{
    assert(!t->is_finished);
    if (!sg_sets_sweep(t, err) || !marks_keep(t, err))
        return false;
    t->changes = mem_alloc(map_count(&t->staged) * sizeof *t->changes);
    MAP_FOR_EACH (n, &t->staged) {
        drop_equal(t, staged_at(n));
        if (staged_at(n)->c.before != staged_at(n)->c.after)
            t->changes[t->n_changes++] = staged_at(n)->c;
    }
    qsort(t->changes, t->n_changes, sizeof *t->changes, change_order);
    if (!t->n_changes)
        t->sequences = t->model->sequences;
    else
        t->sequences.revision++;
    t->is_finished = true;
    return transaction_check_quotas(t, err);
}

const struct change *
transaction_changes(const struct transaction *t, size_t *n)
{
    assert(t->is_finished);
    *n = t->n_changes;
    return t->changes;
}

bool
transaction_is_empty(const struct transaction *t)
{
    assert(t->is_finished);
    return !t->n_changes;
}

bool
transaction_is_committed(const struct transaction *t)
{
    return t->is_committed;
}

struct model_sequences
transaction_sequences(const struct transaction *t)
{
    return t->sequences;
}

json_t *
transaction_json(const struct transaction *t, const struct object *o)
{
    return object_json(t->model, o, &(struct json_columns){ .runtime = t->runtime, .runtime_aux = t->runtime_aux });
}

/* All that leaves a view leaves it before anything enters: an address may move from one object to another. */
void
transaction_commit(struct transaction *t)
{
    assert(t->is_finished && !t->is_committed);
    for (size_t i = 0; i < t->n_changes; i++)
        if (t->changes[i].before)
            index_set(t->model, VIEW_COMMITTED, t->changes[i].number, NULL);
    for (size_t i = 0; i < t->n_changes; i++) {
        const struct change *c = &t->changes[i];
        if (c->after)
            index_set(t->model, VIEW_COMMITTED, c->number, c->after);
        else
            tombstone_add(t->model, c->number);
    }
    t->model->sequences = t->sequences;
    t->model->open = NULL;
    t->is_committed = true;
}

static void
take_back(struct transaction *t)
{
    MAP_FOR_EACH (n, &t->staged) {
        const struct change *c = &staged_at(n)->c;
        if (c->after)
            index_set(t->model, VIEW_STAGED, c->number, NULL);
        if (c->after != c->before)
            object_free((struct object *) c->after);
    }
    MAP_FOR_EACH (n, &t->staged)
        if (staged_at(n)->c.before)
            index_set(t->model, VIEW_STAGED, staged_at(n)->c.number, staged_at(n)->c.before);
    t->model->open = NULL;
}

void
transaction_free(struct transaction *t)
{
    if (!t)
        return;
    if (!t->is_committed)
        take_back(t);
    MAP_FOR_EACH_SAFE (n, next, &t->staged) {
        struct staged *s = staged_at(n);
        if (t->is_committed && s->c.before != s->c.after)
            object_free((struct object *) s->c.before);
        free(s);
    }
    map_done(&t->staged);
    free(t->changes);
    free(t);
}

void
transaction_abort(struct transaction *t)
{
    transaction_free(t);
}
