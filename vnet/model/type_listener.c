/* A listener: a port of a load balancer, whose connections go to the targets of one group. It has no name of its own and is called
 * LB/PROTO:PORT. */
#include "vnet/model/services.h"
#include "vnet/model/transaction_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const no_yes[] = { "false", "true" };

static const struct field fields[] = {
    { .name = "lb",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED | FIELD_OWNER,
      .offset = offsetof(struct listener, lb),
      .ref_type = OBJECT_LB,
      .help = "the load balancer it is of" },
    { .name = "proto", .kind = FIELD_PROTO, .flags = FIELD_REQUIRED, .offset = offsetof(struct listener, proto), .help = "tcp or udp" },
    { .name = "port",
      .kind = FIELD_PORT,
      .flags = FIELD_REQUIRED,
      .offset = offsetof(struct listener, port),
      .help = "the port that clients connect to" },
    { .name = "tg",
      .kind = FIELD_REF,
      .flags = FIELD_REQUIRED | FIELD_MUTABLE,
      .offset = offsetof(struct listener, tg),
      .ref_type = OBJECT_TG,
      .help = "the target group, of the same protocol" },
    { .name = "fail_open",
      .kind = FIELD_RUNTIME,
      .words = no_yes,
      .max = 1,
      .help = "no target is healthy, some are unhealthy: connections go to all" },
    { .name = "open", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "connections that are open; null: not all hosts tell" },
    { .name = "connections", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "connections so far" },
    { .name = "packets", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "packets of its connections, both ways" },
    { .name = "bytes", .kind = FIELD_RUNTIME, .flags = FIELD_NUMBER, .help = "bytes of its connections, both ways" },
    FIELD_ERROR,
};

static const struct listener *
as_listener(const struct object *o)
{
    return (const struct listener *) (const void *) o;
}

static void
link_vpc(const struct model *m, enum view v, struct object *o)
{
    struct listener *l = (struct listener *) (void *) o;
    const struct lb *lb = view_lb(m, v, l->lb);
    l->vpc = lb ? lb->vpc : 0;
}

static size_t
facts(const struct object *o, struct fact *out)
{
    const struct listener *l = as_listener(o);
    out[0] = fact_listener(l->lb, l->proto, l->port);
    return 1;
}

/* ---- what it is called ---- */
static void
label(const struct model *m, const struct object *o, char buf[OBJECT_LABEL_MAX])
{
    const struct listener *l = as_listener(o);
    const struct object *lb = object_anywhere(m, l->lb);
    char lb_label[OBJECT_LABEL_MAX];
    if (lb)
        snprintf(buf, OBJECT_LABEL_MAX, "%.*s/%s:%u", LIMIT_NAME, object_label_write(m, lb, lb_label), l4_proto_word(l->proto), l->port);
    else
        uuid_format(o->id, buf);
}

/* "PROTO:PORT", as it would be printed. */
static bool
proto_port_parse(const char *text, uint8_t *proto, uint16_t *port)
{
    size_t n = strcspn(text, ":");
    char word[8];
    int number;
    if (!text[n] || n >= sizeof word)
        return false;
    memcpy(word, text, n);
    word[n] = '\0';
    text += n + 1;
    size_t digits = strlen(text);
    if (!l4_proto_parse(word, &number) || !l4_has_ports(number) || !digits || digits > 5 || *text == '0'
        || strspn(text, "0123456789") < digits || atoi(text) > UINT16_MAX)
        return false;
    *proto = number;
    *port = atoi(text);
    return true;
}

static const struct object *
find(const struct model *m, enum view v, uint32_t tenant, const char *text)
{
    const char *slash = strchr(text, '/');
    char lb_name[LIMIT_NAME + 1];
    uint8_t proto;
    uint16_t port;
    if (!slash || (size_t) (slash - text) >= sizeof lb_name || !proto_port_parse(slash + 1, &proto, &port))
        return NULL;
    memcpy(lb_name, text, slash - text);
    lb_name[slash - text] = '\0';

    const struct object *lb = view_find(m, v, OBJECT_LB, tenant, lb_name);
    struct fact f = fact_listener(lb ? lb->number : 0, proto, port);
    return lb ? view_get(m, v, view_by_fact(m, v, &f), OBJECT_LISTENER) : NULL;
}

/* ---- its targets ---- */
struct counting {
    const struct transaction *t;
    const struct listener *listener;
    struct error *err;
    bool is_ok;
};

static bool
count_services(void *counting, const struct object *o)
{
    struct counting *c = counting;
    const struct target *target = (const struct target *) (const void *) o;
    c->is_ok = target->drain_until_ms || services_check(c->t, target->port, &c->listener->o, c->err);
    return c->is_ok;
}

static bool
check_services(const struct transaction *t, const struct listener *l, struct error *err)
{
    struct counting c = { t, l, err, true };
    view_each_referrer(t->model, VIEW_STAGED, l->tg, OBJECT_TARGET, count_services, &c);
    return c.is_ok;
}

static bool
check(struct transaction *t, const struct object *before, const struct object *o, struct error *err)
{
    const struct listener *l = as_listener(o);
    const struct tg *tg = view_tg(t->model, VIEW_STAGED, l->tg);
    char title[TITLE_MAX], vpc[TITLE_MAX], own_vpc[TITLE_MAX];
    transaction_title(t, &tg->o, title);
    if (tg->vpc != l->vpc)
        return error_set(err, ERROR_INVALID, "tg: %s is of %s; name a group of %s", title,
                         transaction_title(t, transaction_get(t, tg->vpc, OBJECT_VPC), vpc),
                         transaction_title(t, transaction_get(t, l->vpc, OBJECT_VPC), own_vpc));
    if (tg->proto != l->proto)
        return error_set(err, ERROR_INVALID, "tg: %s is for %s, not %s; name a group for %s", title, l4_proto_word(tg->proto),
                         l4_proto_word(l->proto), l4_proto_word(l->proto));
    return (before && as_listener(before)->tg == l->tg) || check_services(t, l, err);
}

const struct object_class listener_class = {
    .type = OBJECT_LISTENER,
    .name = "listener",
    .size = sizeof(struct listener),
    .has_tenant = true,
    .fields = fields,
    .n_fields = sizeof fields / sizeof fields[0],
    .help = "a port of a load balancer, and where its connections go; called LB/PROTO:PORT",
};

const struct object_hooks listener_hooks = { .link = link_vpc, .facts = facts, .check = check, .label = label, .find = find };
