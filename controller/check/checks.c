#include "controller/check/checks_private.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "controller/check/check_record.h"
#include "controller/feed.h"
#include "controller/host/host_reach.h"

#define LOG_MODULE "check"
#include "base/log.h"

/* What is due at once (many targets added together) is sent in a row of turns, so that switches and others here have theirs. When turns come
 * seldom, each has more to do. */
#define PROBES_A_MS 4
#define PROBES_A_TURN 400
#define TURN_PAUSE_MS 2

static void checks_tick(evutil_socket_t fd, short what, void *aux);

struct due_key {
    int64_t ms;
    uint32_t number;
};

static int
compare_due(const void *key_, const struct tree_node *n)
{
    const struct due_key *key = key_;
    const struct checked *c = CONTAINER_OF(n, struct checked, by_due);
    if (key->ms != c->due_ms)
        return key->ms < c->due_ms ? -1 : 1;
    return key->number < c->number ? -1 : key->number > c->number;
}

struct checks *
checks_new(struct controller *controller)
{
    struct checks *all = mem_zalloc(sizeof *all);
    *all = (struct checks){ .controller = controller, .groups_changed = 1 };
    map_init(&all->by_number);
    map_init(&all->by_cookie);
    map_init(&all->paces);
    tree_init(&all->by_due, compare_due);
    all->timer = evtimer_new(controller->base, checks_tick, all);
    all->drains = drains_new(controller);
    all->flushes = flushes_new(controller);
    while (getrandom(&all->secret, sizeof all->secret, 0) != sizeof all->secret)
        continue;
    return all;
}

void
checks_free(struct checks *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_number)
        free(CONTAINER_OF(n, struct checked, by_number));
    map_done(&all->by_number);
    map_done(&all->by_cookie);
    paces_free(all);
    drains_free(all->drains);
    flushes_free(all->flushes);
    event_free(all->timer);
    free(all);
}

struct checked *
checked_find(const struct checks *all, uint32_t number)
{
    MAP_FOR_EACH_HASH (n, &all->by_number, hash_u32(number)) {
        struct checked *c = CONTAINER_OF(n, struct checked, by_number);
        if (c->number == number)
            return c;
    }
    return NULL;
}

static struct checked *
checked_add(struct checks *all, uint32_t number)
{
    struct checked *c = mem_zalloc(sizeof *c);
    *c = (struct checked){ .number = number, .due_ms = INT64_MAX };
    map_insert(&all->by_number, &c->by_number, hash_u32(number));
    return c;
}

struct check_rule
check_rule_of(const struct tg *tg)
{
    return (struct check_rule){ tg->interval_ms, tg->timeout_ms, tg->rise, tg->fall };
}

/* ---- when ---- */

static void
arm(struct checks *all, int64_t least_ms)
{
    const struct tree_node *n = tree_first(&all->by_due);
    int64_t due_ms = n ? CONTAINER_OF(n, struct checked, by_due)->due_ms : INT64_MAX;
    all->armed_ms = due_ms < least_ms ? least_ms : due_ms;
    timer_at(all->timer, all->armed_ms);
}

static void
unqueue(struct checks *all, struct checked *c)
{
    if (c->due_ms != INT64_MAX)
        tree_remove(&all->by_due, &c->by_due);
    c->due_ms = INT64_MAX;
}

void
checked_arrange(struct checks *all, struct checked *c)
{
    bool was_first = c->due_ms != INT64_MAX && tree_first(&all->by_due) == &c->by_due;
    unqueue(all, c);
    c->due_ms = check_due_ms(&c->check);
    if (c->due_ms != INT64_MAX)
        tree_insert(&all->by_due, &(struct due_key){ c->due_ms, c->number }, &c->by_due);
    if (was_first || tree_first(&all->by_due) == &c->by_due)
        arm(all, 0);
}

static void
checked_tick(struct checks *all, struct checked *c)
{
    const struct target *target = model_target(all->controller->model, c->number);
    const struct tg *tg = target ? model_tg(all->controller->model, target->tg) : NULL;
    enum check_step step = check_step(&c->check, controller_now_ms());
    if (!tg) {
        unqueue(all, c); /* it goes with the change that is under way */
        return;
    }
    if (step == CHECK_TIMED_OUT && checked_is_silent(all, c)) {
        checked_ended(all, c, tg, CHECK_NO_ANSWER);
    } else if (step == CHECK_ASK) {
        checked_ask(all, c);
    } else {
        checked_arrange(all, c);
    }
}

static void
checks_tick(evutil_socket_t fd, short what, void *aux)
{
    struct checks *all = aux;
    int64_t now_ms = controller_now_ms(), room = (now_ms - all->turn_ms) * PROBES_A_MS;
    all->turn_ms = now_ms;
    all->n_turns++;
    if (check_ears_woke(&all->ears, all->armed_ms, now_ms))
        log_info("vnetd has slept for some time: hosts are waited for before their targets count as unreachable");
    for (int64_t i = 0; i < PROBES_A_TURN && i <= room; i++) {
        struct tree_node *n = tree_first(&all->by_due);
        if (!n || CONTAINER_OF(n, struct checked, by_due)->due_ms > now_ms)
            break;
        checked_tick(all, CONTAINER_OF(n, struct checked, by_due));
    }
    arm(all, now_ms + TURN_PAUSE_MS);
}

/* ---- the end of a probe ---- */

void
checked_ended(struct checks *all, struct checked *c, const struct tg *tg, enum check_end end)
{
    struct check_rule rule = check_rule_of(tg);
    enum check_end reason = c->check.reason;
    if (check_ended(&c->check, &rule, end, controller_wall_ms())) {
        checked_changed(all, c, tg);
    } else if (c->check.reason != reason) {
        checked_keep(all, c, false);
        feed_object(all->controller->feed, c->number);
    }
    checked_arrange(all, c);
}

/* ---- what changes ---- */

static void
forget(struct checks *all, struct checked *c)
{
    unqueue(all, c);
    checked_set_cookie(all, c, 0);
    drains_look(all->drains, c, 0);
    runtime_set_target_state(all->controller->runtime, c->number, TARGET_INITIAL);
    checked_keep(all, c, true);
    if (c->is_udp)
        flushes_add_gone(all->flushes, c->vpc, c->number);
    map_remove(&all->by_number, &c->by_number);
    free(c);
}

/* What is noted of the target; true if it is another one than before under the same number. */
static bool
note(struct checked *c, const struct tg *tg, const struct target *target)
{
    uint16_t listens_at = target_listens_at(tg, target);
    bool is_other = c->is_started && c->listens_at != listens_at;
    c->groups_seen = 0;
    c->port = target->port;
    c->vpc = target->vpc;
    c->listens_at = listens_at;
    c->is_udp = tg->proto == L4_UDP;
    return is_other;
}

/* Its host, its flows or its rule may be others now. */
static void
settle(struct checks *all, struct checked *c, const struct tg *tg, bool is_other)
{
    struct check_rule rule = check_rule_of(tg);
    int64_t now_ms = controller_now_ms(), wall_ms = controller_wall_ms();
    bool is_changed = is_other && check_forget(&c->check, wall_ms), was_trusted = c->is_started && c->check.next_ms == INT64_MAX;
    c->seq = host_ready_seq(all->controller, runtime_binding(all->controller->runtime, c->port).host);
    if (!c->is_started)
        check_start(&c->check, &rule, hash_u32(c->number), now_ms);
    c->is_started = true;
    if (tg->check == TG_CHECK_NONE)
        is_changed |= check_trust(&c->check, wall_ms);
    else if (was_trusted || is_other)
        check_again(&c->check, now_ms);
    else
        check_hurry(&c->check, &rule, now_ms);
    if (is_changed)
        checked_changed(all, c, tg);
    checked_arrange(all, c);
}

static void
look(struct checks *all, uint32_t number)
{
    const struct model *m = all->controller->model;
    const struct target *target = model_target(m, number);
    const struct tg *tg = target ? model_tg(m, target->tg) : NULL;
    struct checked *c = checked_find(all, number);
    if (!tg) {
        if (c)
            forget(all, c);
        return;
    }
    if (!c)
        c = checked_add(all, number);
    bool is_other = note(c, tg, target);
    drains_look(all->drains, c, target->drain_until_ms);
    settle(all, c, tg, is_other);
}

static bool
look_at(void *all, const struct object *target)
{
    look(all, target->number);
    return true;
}

/* The port is elsewhere: what was asked where it was is not answered. */
static bool
ask_again(void *aux, const struct object *target)
{
    struct checks *all = aux;
    struct checked *c = checked_find(all, target->number);
    if (!c || c->check.next_ms == INT64_MAX)
        return true;
    c->seq = host_ready_seq(all->controller, runtime_binding(all->controller->runtime, c->port).host);
    if (c->check.deadline_ms != INT64_MAX)
        check_again(&c->check, controller_now_ms());
    checked_arrange(all, c);
    return true;
}

static bool
may_take(const struct target *target)
{
    return target && target->weight && !target->drain_until_ms;
}

/* A healthy target that takes connections again (it has a weight now, or no longer drains) may have ended that its group fails open. */
static void
taker_changed(const struct checks *all, const struct target *before, const struct target *after)
{
    const struct tg *tg = model_tg(all->controller->model, after->tg);
    if (!tg || tg->proto != L4_UDP || may_take(before) || !may_take(after)
        || runtime_target_state(all->controller->runtime, after->o.number) != TARGET_HEALTHY)
        return;
    flushes_add_unhealthy(all->flushes, after->tg);
}

/* What the group that the listener had until now has kept at dead targets, since nobody else could take it, others can take now. */
static void
listener_changed(const struct checks *all, const struct change *change)
{
    const struct listener *before = (const void *) change->before, *after = (const void *) change->after;
    if (before && after && before->tg != after->tg && after->proto == L4_UDP)
        flushes_add_unhealthy(all->flushes, before->tg);
}

static void
target_changed(struct checks *all, const struct change *change)
{
    const struct target *before = (const void *) change->before, *after = (const void *) change->after;
    look(all, change->number);
    if (after)
        taker_changed(all, before, after);
    if (before)
        checks_tell_listeners(all->controller, before->tg);
    if (after && (!before || before->tg != after->tg))
        checks_tell_listeners(all->controller, after->tg);
}

static bool
is_of_groups(const struct vnet_event *event)
{
    if (event->kind != EVENT_OBJECT)
        return false;
    const struct change *change = event->change;
    return change->type == OBJECT_SG || change->type == OBJECT_SG_RULE || (change->type == OBJECT_PORT && change->before);
}

void
checks_heard(struct checks *all)
{
    if (all->ears.is_deaf && all->is_begun)
        log_info("switches are heard again: hosts are waited for before their targets count as unreachable");
    check_ears_heard(&all->ears, controller_now_ms());
}

void
checks_cut_off(struct checks *all)
{
    check_ears_cut_off(&all->ears);
}

void
checks_changed(struct checks *all, const struct vnet_event *event)
{
    const struct model *m = all->controller->model;
    all->groups_changed += is_of_groups(event);
    if (!all->is_begun)
        return;
    if (event->kind == EVENT_BINDING)
        model_each_referrer(m, event->number, OBJECT_TARGET, ask_again, all);
    else if (event->kind == EVENT_OBJECT && event->change->type == OBJECT_TARGET)
        target_changed(all, event->change);
    else if (event->kind == EVENT_OBJECT && event->change->type == OBJECT_LISTENER)
        listener_changed(all, event->change);
    else if (event->kind == EVENT_OBJECT && event->change->type == OBJECT_TG)
        model_each_referrer(m, event->change->number, OBJECT_TARGET, look_at, all);
}

/* ---- the beginning ---- */

void
checks_remember(struct checks *all, uint32_t number, const char *value)
{
    struct check check = { .n_changes = 0 };
    if (!model_target(all->controller->model, number) || checked_find(all, number) || !check_record_read(&check, value))
        return;
    struct checked *c = checked_add(all, number);
    c->check = check;
    runtime_set_target_state(all->controller->runtime, number, check.state);
}

void
checks_begin(struct checks *all)
{
    const struct object *o;
    all->is_begun = true;
    check_ears_begin(&all->ears, controller_now_ms());
    for (uint32_t after = 0; (o = model_next(all->controller->model, OBJECT_TARGET, after)); after = o->number)
        look(all, o->number);
    flushes_begin(all);
}
