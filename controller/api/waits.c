/* Waiting until an object's columns are as wanted. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/http.h"
#include "controller/columns.h"
#include "controller/controller.h"
#include "controller/feed_watch.h"
#include "controller/instance/instances.h"
#include "vnet/model/condition.h"

#define TIMEOUT_MAX_S 3600

struct waiting {
    struct call *call;
    json_t *body;
    const struct object_class *class; /* NULL: an instance, which is no object of the model */
    struct feed_watch *watch;         /* of an object */
    struct instances_reader *instances;
    struct event *look, *timer;
};

static void
waiting_free(struct waiting *w)
{
    feed_watch_free(w->watch);
    instances_unsubscribe(w->instances);
    event_free(w->look);
    if (w->timer)
        event_free(w->timer);
    json_decref(w->body);
    free(w);
}

static const struct object *
waiting_object(const struct waiting *w)
{
    const struct controller *c = w->call->controller;
    const char *tenant = json_member_string(w->body, "tenant");
    uint32_t number = w->class->has_tenant ? model_tenant(c->model, tenant ? tenant : w->call->tenant) : 0;
    const struct object *o = model_find(c->model, w->class->type, number, json_member_string(w->body, "name"));
    return o && call_may_see(w->call, o) ? o : NULL;
}

/* As it is shown; NULL: it is not there. New reference. From now on the next look is due when it changes, or one of that name comes. */
static json_t *
waiting_row(const struct waiting *w)
{
    const struct object *o = w->class ? waiting_object(w) : NULL;
    if (!w->class)
        return api_instance_row(w->call, json_member_string(w->body, "name"));
    if (o)
        feed_watch_object(w->watch, o->number);
    else
        feed_watch_name(w->watch, w->class->type, json_member_string(w->body, "name"));
    return o ? columns_object(w->call->controller, o, &(struct columns_wanted){ .names_hosts = call_may_see_hosts(w->call) }) : NULL;
}

/* An id in a condition is looked up anew each time: what it is of may have come since. */
static bool
waiting_is_as(const struct waiting *w, const json_t *row, const struct filter *f)
{
    if (!w->class)
        return filter_matches(f, row);
    struct error err;
    struct condition c;
    bool is_so =
        condition_init(&c, w->call->controller->model, w->class, f->column, f->value, &err) && condition_holds(&c, waiting_object(w), row);
    condition_done(&c);
    return is_so;
}

/* The first column that is not as wanted, and what it is as JSON (to be freed); NULL: all are. */
static char *
waiting_differs(const struct waiting *w, const json_t *row, const char **column, const char **wanted)
{
    json_t *value;
    json_object_foreach (json_object_get(w->body, "where"), *column, value) {
        struct filter filter = { *column, json_string_value(value) };
        *wanted = filter.value;
        if (!waiting_is_as(w, row, &filter))
            return json_dumps(json_object_getn(row, *column, strcspn(*column, ":")), JSON_ENCODE_ANY | JSON_COMPACT);
    }
    return NULL;
}

static void
waiting_look(evutil_socket_t fd, short what, void *aux)
{
    struct waiting *w = aux;
    if (!w->call->connection) {
        call_empty(w->call, 200);
        waiting_free(w);
        return;
    }
    json_t *object = waiting_row(w);
    const char *column, *wanted;
    char *is = object ? waiting_differs(w, object, &column, &wanted) : NULL;
    if (object && !is) {
        call_json(w->call, 200, object);
        waiting_free(w);
        return;
    }
    free(is);
    json_decref(object);
}

/* There may be something to see, or the client has gone. */
static void
waiting_woken(void *aux)
{
    struct waiting *w = aux;
    event_active(w->look, 0, 0);
}

static void
waiting_timeout(evutil_socket_t fd, short what, void *aux)
{
    struct waiting *w = aux;
    struct error err;
    const char *name = json_member_string(w->body, "name");
    const char *type = w->class ? w->class->name : "instance", *column = NULL, *wanted = NULL;
    json_t *row = waiting_row(w);
    char *is = row ? waiting_differs(w, row, &column, &wanted) : NULL;
    if (is)
        error_set(&err, ERROR_TIMEOUT, "%s '%.200s': %.60s did not become '%.200s' in time; it is %.200s", type, name, column, wanted, is);
    else
        error_set(&err, ERROR_TIMEOUT, "%s '%.200s' did not %s in time", type, name, row ? "become so" : "appear");
    free(is);
    json_decref(row);
    call_error(w->call, &err, -1);
    waiting_free(w);
}

/* Nothing tells that a counter has moved, so that nobody would ever look again. */
static bool
refuse_counted(const char *type, const char *name, const char *column, struct error *err)
{
    return error_set(err, ERROR_INVALID,
                     "%s '%.200s': column '%.60s' is read from the switch only when it is asked for, and cannot be waited for;"
                     " ask again and again with GET /v1/%s?where=%.60s=VALUE (vnetctl find)",
                     type, name, column, type, column);
}

static bool
check_condition(const struct model *m, const struct object_class *class, const struct filter *f, struct error *err)
{
    if (!class)
        return api_instance_check_column(f->column, err);
    struct condition c;
    bool ok = condition_init(&c, m, class, f->column, f->value, err);
    condition_done(&c);
    return ok;
}

static bool
check_where(const struct model *m, const struct object_class *class, const json_t *body, struct error *err)
{
    const char *column;
    json_t *value, *where = json_object_get(body, "where");
    if (!json_is_object(where))
        return error_set(err, ERROR_INVALID, "where: must be an object of COLUMN: VALUE");
    json_object_foreach (where, column, value) {
        struct filter filter = { column, json_string_value(value) };
        if (!filter.value)
            return error_set(err, ERROR_INVALID, "where: the value of '%.100s' must be a string", column);
        if (!check_condition(m, class, &filter, err))
            return false;
        if (class && column_is_counted(column))
            return refuse_counted(class->name, json_member_string(body, "name"), column, err);
    }
    return true;
}

static bool
check_wait(const struct model *m, const json_t *body, const struct object_class **class, struct error *err)
{
    const char *type = json_member_string(body, "type"), *name = json_member_string(body, "name");
    *class = type ? object_class_by_name(type) : NULL;
    if (!*class && (!type || strcmp(type, "instance")))
        return error_set(err, ERROR_INVALID, "type '%.100s' is unknown; GET /v1/schema lists the types", type ? type : "");
    if (!name)
        return error_set(err, ERROR_INVALID, "name: missing from the request (%.100s)", type);
    return check_where(m, *class, body, err);
}

static bool
read_timeout(const json_t *body, double *seconds, struct error *err)
{
    const json_t *timeout = json_object_get(body, "timeout");
    if (!timeout)
        return true;
    *seconds = json_number_value(timeout);
    if (json_is_number(timeout) && *seconds >= 0 && *seconds <= TIMEOUT_MAX_S)
        return true;
    return error_set(err, ERROR_INVALID, "timeout: must be a number of seconds from 0 to %d", TIMEOUT_MAX_S);
}

void
api_wait(struct call *call)
{
    struct error err;
    json_t *body = call_body(call, "type name where timeout tenant", &err);
    double seconds = 30;
    const struct object_class *class;
    if (!body || !read_timeout(body, &seconds, &err) || !check_wait(call->controller->model, body, &class, &err)) {
        call_error(call, &err, -1);
        json_decref(body);
        return;
    }
    struct waiting *w = mem_zalloc(sizeof *w);
    *w = (struct waiting){ .call = call, .body = body, .class = class };
    struct timeval tv = { (time_t) seconds, (suseconds_t) ((seconds - (time_t) seconds) * 1e6) };
    w->look = event_new(call->controller->base, -1, 0, waiting_look, w);
    w->timer = evtimer_new(call->controller->base, waiting_timeout, w);
    evtimer_add(w->timer, &tv);
    call->gone = waiting_woken;
    call->aux = w;
    call_waits(call);
    if (class)
        w->watch = feed_watch_new(call->controller->feed, waiting_woken, w);
    else
        w->instances = instances_subscribe(call->controller->instances, waiting_woken, w);
    event_active(w->look, 0, 0);
}
