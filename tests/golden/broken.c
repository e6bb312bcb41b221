#include "tests/golden/broken.h"

#include "base/arena.h"

const struct feature *__real_feature_by_number(uint8_t);
const struct feature *__wrap_feature_by_number(uint8_t);

static struct {
    struct feature feature; /* the sound one's copy, with flows_broken() */
    const struct feature *sound;
    enum damage damage;
} broken;

/* A flow like 's' that does nothing: there is a body of no instructions. */
static const struct spec *
without_actions(struct block *b, const struct spec *s)
{
    struct spec *copy = arena_memdup(b->arena, s, spec_size(s));
    copy->body_len = 0;
    return copy;
}

static const struct spec *
at_another_priority(struct block *b, const struct spec *s)
{
    struct spec *copy = arena_memdup(b->arena, s, spec_size(s));
    copy->priority++;
    return copy;
}

/* The last flow of the block that the damage can be seen at; -1: none. */
static int
last_flow(const struct block *b)
{
    int i = (int) b->n - 1;
    while (i >= 0 && (b->specs[i]->kind != SPEC_FLOW || (broken.damage == DAMAGE_NOTHING_DONE && !b->specs[i]->body_len)))
        i--;
    return i;
}

static void
flows_broken(struct block *b, uint8_t type, uint32_t number)
{
    broken.sound->flows(b, type, number);
    int i = last_flow(b);
    if (i < 0)
        return;
    const struct spec **last = &b->specs[i];
    if (broken.damage == DAMAGE_LAST_FLOW_MISSING)
        *last = b->specs[--b->n];
    else if (broken.damage == DAMAGE_NOTHING_DONE)
        *last = without_actions(b, *last);
    else
        *last = at_another_priority(b, *last);
}

const struct feature *
__wrap_feature_by_number(uint8_t number)
{
    bool is_broken = broken.damage != DAMAGE_NONE && number == broken.feature.number;
    return is_broken ? &broken.feature : __real_feature_by_number(number);
}

void
broken_choose(uint8_t feature, enum damage damage)
{
    broken.sound = __real_feature_by_number(feature);
    broken.damage = damage;
    if (damage == DAMAGE_NONE)
        return;
    broken.feature = *broken.sound;
    broken.feature.flows = flows_broken;
}

const char *
broken_name(enum damage damage)
{
    static const char *const names[N_DAMAGES] = { "sound", "its last flow missing", "a flow that does nothing",
                                                  "a flow at another priority" };
    return names[damage];
}
