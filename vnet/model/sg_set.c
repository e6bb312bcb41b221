#include "vnet/model/sg_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* ---- the type ---- */
static const struct field fields[] = {
    { .name = "vpc",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED | FIELD_OWNER,
      .offset = offsetof(struct sg_set, vpc),
      .ref_type = OBJECT_VPC,
      .help = "the VPC its groups are of" },
    { .name = "groups",
      .kind = FIELD_REF_LIST,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct sg_set, groups),
      .ref_type = OBJECT_SG,
      .help = "groups that a port has" },
};

const struct object_class sg_set_class = {
    .type = OBJECT_SG_SET,
    .name = "sg-set",
    .size = sizeof(struct sg_set),
    .is_hidden = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a combination of security groups that some port has",
};

static size_t
facts(const struct object *o, struct fact *out)
{
    const struct sg_set *set = (const struct sg_set *) (const void *) o;
    out[0] = fact_sg_set(set->vpc, &set->groups);
    return 1;
}

const struct object_hooks sg_set_hooks = { .facts = facts };

/* ---- finding ---- */
static bool
numbers_equal(const struct number_list *a, const struct number_list *b)
{
    return a->n == b->n && (!a->n || !memcmp(a->v, b->v, a->n * sizeof *a->v));
}

static uint32_t
set_find(const struct transaction *t, const struct port *p)
{
    struct fact f = fact_sg_set(p->vpc, &p->sg);
    uint32_t number = view_by_fact(t->model, VIEW_STAGED, &f);
    return number && numbers_equal(&view_sg_set(t->model, VIEW_STAGED, number)->groups, &p->sg) ? number : 0;
}

static bool
set_make(struct transaction *t, const struct port *p, uint32_t *number, struct error *err)
{
    struct sg_set *set = (struct sg_set *) (void *) object_new(&sg_set_class);
    set->vpc = p->vpc;
    set->groups = (struct number_list){ p->sg.n, mem_dup(p->sg.v, p->sg.n * sizeof *p->sg.v) };
    if (!transaction_add(t, &set->o, err))
        return false;
    *number = set->o.number;
    return true;
}

bool
sg_set_join(struct transaction *t, struct port *p, struct error *err)
{
    struct fact f = fact_default_sg(p->vpc);
    uint32_t number = p->has_sg && !p->sg.n ? view_by_fact(t->model, VIEW_STAGED, &f) : 0;
    if (number)
        p->sg = (struct number_list){ 1, mem_dup(&number, sizeof number) };
    p->sg_set = p->sg.n ? set_find(t, p) : 0;
    return p->sg_set || !p->sg.n || set_make(t, p, &p->sg_set, err);
}

/* ---- leaving ---- */
struct left {
    uint32_t *v;
    size_t n, cap;
};

static void
left_add(struct left *left, uint32_t number)
{
    left->v = mem_grow(left->v, &left->cap, left->n + 1, sizeof *left->v);
    left->v[left->n++] = number;
}

/* What a port had before, and what was made for one in this transaction. */
static void
note_left(void *left, const struct change *c)
{
    const struct port *before = c->type == OBJECT_PORT ? (const struct port *) (const void *) c->before : NULL;
    const struct port *after = c->type == OBJECT_PORT ? (const struct port *) (const void *) c->after : NULL;
    if (before && before->sg_set && (!after || after->sg_set != before->sg_set))
        left_add(left, before->sg_set);
    if (c->type == OBJECT_SG_SET && !c->before && c->after)
        left_add(left, c->number);
}

static int
number_order(const void *a_, const void *b_)
{
    uint32_t a = *(const uint32_t *) a_, b = *(const uint32_t *) b_;
    return a < b ? -1 : a > b;
}

/* Each once: many ports may have left the same. */
bool
sg_sets_sweep(struct transaction *t, struct error *err)
{
    struct left left = { NULL, 0, 0 };
    bool ok = true;
    transaction_each_staged(t, note_left, &left);
    if (left.n)
        qsort(left.v, left.n, sizeof *left.v, number_order);
    for (size_t i = 0; ok && i < left.n; i++) {
        const struct object *set = i && left.v[i] == left.v[i - 1] ? NULL : transaction_get(t, left.v[i], OBJECT_SG_SET);
        if (set && !view_next_referrer(t->model, VIEW_STAGED, set->number, OBJECT_PORT, 0))
            ok = transaction_remove(t, set, err);
    }
    free(left.v);
    return ok;
}
