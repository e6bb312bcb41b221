/* A target: a VM's port in a target group, at most once in each. It has no name of its own and is called TG/PORT. One that is deleted
 * drains for a while: it is there for the connections it has, but counts for nothing else: its quota, too. */
#include "vnet/model/services.h"
#include "vnet/model/transaction_state.h"

#include <stdio.h>
#include <string.h>

#define WEIGHTS_MAX 500 /* of a group's targets together */
#define TARGETS_MAX 500 /* in a group, whatever their weight */

static const char *const healths[] = { "initial", "healthy", "unhealthy", "draining" };

static const struct field fields[] = {
    { .name = "tg",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED | FIELD_OWNER,
      .offset = offsetof(struct target, tg),
      .ref_type = OBJECT_TG,
      .help = "the group it is in" },
    { .name = "port",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct target, port),
      .ref_type = OBJECT_PORT,
      .help = "the VM's port, anywhere in the group's VPC" },
    { .name = "target_port",
      .kind = FIELD_PORT,
      .offset = offsetof(struct target, target_port),
      .help = "where it listens; the group's port unless given" },
    { .name = "weight",
      .kind = FIELD_UINT,
      .flags = FIELD_MUTABLE,
      .offset = offsetof(struct target, weight),
      .max = 100,
      .default_text = "1",
      .help = "its share of new connections; 0: none, those it has go on" },
    { .name = "drain_until",
      .kind = FIELD_TIME,
      .flags = FIELD_HIDDEN,
      .offset = offsetof(struct target, drain_until_ms),
      .help = "when it goes, having been removed" },
    { .name = "health", .kind = FIELD_RUNTIME, .words = healths, .max = 3, .help = "initial, healthy, unhealthy or draining" },
    { .name = "reason", .kind = FIELD_RUNTIME, .help = "why it is unhealthy" },
    { .name = "changes", .kind = FIELD_RUNTIME, .help = "the last changes of its health" },
    { .name = "open", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "connections that are open; null: not all hosts tell" },
    { .name = "connections", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "connections so far" },
    { .name = "packets", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "packets of its connections, both ways" },
    { .name = "bytes", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "bytes of its connections, both ways" },
    FIELD_ERROR,
};

static const struct target *
as_target(const struct object *o)
{
    return (const struct target *) (const void *) o;
}

uint16_t
target_listens_at(const struct tg *tg, const struct target *target)
{
    return target->target_port ? target->target_port : tg->port;
}

uint16_t
target_check_port(const struct tg *tg, const struct target *target)
{
    return tg->check_port ? tg->check_port : target_listens_at(tg, target);
}

static void
link_vpc(const struct model *m, enum view v, struct object *o)
{
    struct target *target = (struct target *) (void *) o;
    const struct tg *tg = view_tg(m, v, target->tg);
    target->vpc = tg ? tg->vpc : 0;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    out[0] = fact_target(as_target(o)->tg, as_target(o)->port);
    return 1;
}

/* ---- what it is called ---- */
static void
label(const struct model *m, const struct object *o, char buf[OBJECT_LABEL_MAX])
{
    const struct object *tg = object_anywhere(m, as_target(o)->tg), *port = object_anywhere(m, as_target(o)->port);
    char tg_label[OBJECT_LABEL_MAX], port_label[OBJECT_LABEL_MAX];
    if (tg && port)
        snprintf(buf, OBJECT_LABEL_MAX, "%.*s/%.*s", LIMIT_NAME, object_label_write(m, tg, tg_label), LIMIT_NAME,
                 object_label_write(m, port, port_label));
    else
        uuid_format(o->id, buf);
}

static const struct object *
find(const struct model *m, enum view v, uint32_t tenant, const char *text)
{
    const char *slash = strchr(text, '/');
    char tg_name[LIMIT_NAME + 1];
    if (!slash || (size_t) (slash - text) >= sizeof tg_name)
        return NULL;
    memcpy(tg_name, text, slash - text);
    tg_name[slash - text] = '\0';

    const struct object *tg = view_find(m, v, OBJECT_TG, tenant, tg_name), *port = view_find(m, v, OBJECT_PORT, tenant, slash + 1);
    struct fact f = fact_target(tg ? tg->number : 0, port ? port->number : 0);
    return tg && port ? view_get(m, v, view_by_fact(m, v, &f), OBJECT_TARGET) : NULL;
}

/* ---- its group ---- */
struct weighing {
    const struct target *except;
    uint32_t n, weights;
};

static bool
weigh(void *weighing, const struct object *o)
{
    struct weighing *w = weighing;
    if (o->number != w->except->o.number && !as_target(o)->drain_until_ms) {
        w->n++;
        w->weights += as_target(o)->weight;
    }
    return true;
}

static bool
check_weights(struct transaction *t, const struct target *target, struct error *err)
{
    char title[TITLE_MAX];
    struct weighing w = { .except = target };
    view_each_referrer(t->model, VIEW_STAGED, target->tg, OBJECT_TARGET, weigh, &w);
    transaction_title(t, transaction_get(t, target->tg, OBJECT_TG), title);
    if (w.n >= TARGETS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "%s has %u targets, as many as a group may have", title, w.n);
    if (target->weight + w.weights > WEIGHTS_MAX)
        return error_set(err, ERROR_EXHAUSTED,
                         "weight '%u' is too much: the other targets of %s have %u together, and a group may have "
                         "%d; write at most %u",
                         target->weight, title, w.weights, WEIGHTS_MAX, WEIGHTS_MAX - w.weights);
    return true;
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct target *target = as_target(o);
    const struct port *port = view_port(t->model, VIEW_STAGED, target->port);
    if (target->drain_until_ms)
        return !(before && as_target(before)->drain_until_ms)
               || error_set(err, ERROR_CONFLICT, "it has been removed and is draining; add it again to change it");
    char title[TITLE_MAX], vpc[TITLE_MAX], own_vpc[TITLE_MAX];
    if (port->vpc != target->vpc)
        return error_set(err, ERROR_INVALID, "port: %s is in %s; name a port in %s", transaction_title(t, &port->o, title),
                         transaction_title(t, transaction_get(t, port->vpc, OBJECT_VPC), vpc),
                         transaction_title(t, transaction_get(t, target->vpc, OBJECT_VPC), own_vpc));
    bool is_added = !before || as_target(before)->drain_until_ms;
    return check_weights(t, target, err) && (!is_added || services_check(t, target->port, o, err));
}

/* ---- draining ---- */
static bool
is_lingering(const struct object *o)
{
    return as_target(o)->drain_until_ms;
}

static bool
goes_with(const struct object *o, uint32_t other)
{
    return as_target(o)->drain_until_ms && as_target(o)->port == other;
}

/* One that was added by this transaction has no connections. */
static bool
linger(struct transaction *t, const struct object *o, bool *stays, struct error *err)
{
    const struct target *target = as_target(o);
    const struct tg *tg = view_tg(t->model, VIEW_STAGED, target->tg);
    if (t->is_sweep) {
        *stays = !target->drain_until_ms || target->drain_until_ms > t->now_ms;
        return true;
    }
    *stays = !target->drain_until_ms && tg->drain_ms && view_target(t->model, VIEW_COMMITTED, o->number);
    if (!*stays)
        return true;
    struct target *draining = (struct target *) (void *) object_clone(o);
    draining->drain_until_ms = t->now_ms + tg->drain_ms;
    return transaction_replace(t, o, &draining->o, err);
}

const struct object_class target_class = {
    .type = OBJECT_TARGET,
    .name = "target",
    .size = sizeof(struct target),
    .has_tenant = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a VM's port in a target group; called TG/PORT",
};

const struct object_hooks target_hooks = { .link = link_vpc,
                                           .facts = facts,
                                           .check = check,
                                           .label = label,
                                           .find = find,
                                           .goes_with = goes_with,
                                           .linger = linger,
                                           .is_lingering = is_lingering };
