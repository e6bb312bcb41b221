#include "tests/unit/instance_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "controller/instance/instances.h"

#define NETWORK                                                                          \
    "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"             \
    "{'op':'add','type':'subnet','name':'a','values':{'vpc':'v','cidr':'10.0.1.0/24'}}," \
    "{'op':'add','type':'subnet','name':'b','values':{'vpc':'v','cidr':'10.0.2.0/24'}}," \
    "{'op':'add','type':'tenant','name':'acme'},"                                        \
    "{'op':'add','type':'host','name':'h1'},{'op':'add','type':'host','name':'h2'}]"

int
instance_lab_setup(void **state)
{
    return controller_lab_setup(state, NETWORK);
}

json_t *
from_text(const char *text)
{
    struct error err;
    char *copy = mem_strdup(text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *json = json_parse(copy, strlen(copy), "test", &err);
    if (!json)
        fail_msg("%s", err.text);
    free(copy);
    return json;
}

uint32_t
host_number(struct controller_lab *lab, const char *name)
{
    return controller_lab_number(lab, OBJECT_HOST, name);
}

bool
report(struct controller_lab *lab, const char *host, const char *text, struct error *err)
{
    json_t *json = from_text(text);
    bool ok = instances_report(lab->c.instances, host_number(lab, host), json, err);
    json_decref(json);
    return ok;
}

void
must_report(struct controller_lab *lab, const char *host, const char *text)
{
    struct error err;
    if (!report(lab, host, text, &err))
        fail_msg("%s", err.text);
    controller_lab_turn(lab);
}

static void
on_declared(void *aux, const struct error *err)
{
    struct declaring *d = aux;
    d->is_done = true;
    d->ok = !err;
    if (err)
        d->err = *err;
}

static bool
is_done(void *aux)
{
    return ((struct declaring *) aux)->is_done;
}

struct declaring
declare(struct controller_lab *lab, const char *host, const char *text)
{
    struct declaring d = { .is_done = false };
    json_t *json = from_text(text);
    declared_take(&lab->c, host_number(lab, host), json, on_declared, &d);
    json_decref(json);
    assert_true(controller_lab_until(lab, is_done, &d));
    return d;
}

void
must_declare(struct controller_lab *lab, const char *host, const char *text)
{
    struct declaring d = declare(lab, host, text);
    if (!d.ok)
        fail_msg("%s", d.err.text);
}

const struct port *
port_of(struct controller_lab *lab)
{
    struct uuid id;
    assert_true(uuid_parse(PORT, &id));
    const struct object *o = model_get_id(lab->c.model, id);
    return o ? model_port(lab->c.model, o->number) : NULL;
}

struct waiting_port {
    struct controller_lab *lab;
    bool is_there;
};

static bool
port_is(void *aux)
{
    const struct waiting_port *w = aux;
    return !!port_of(w->lab) == w->is_there;
}

void
until_port(struct controller_lab *lab, bool is_there)
{
    struct waiting_port w = { lab, is_there };
    assert_true(controller_lab_until(lab, port_is, &w));
}

/* The guest runs on h1; h2 has announced it and shows its interface. */
uint32_t
begin_migration(struct controller_lab *lab)
{
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", NULL, 0);
    controller_lab_connect(lab, "h2");
    controller_lab_show(lab, "h2", NULL, 0);
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    controller_lab_add(lab, "h1", PORT, 5);
    must_report(lab, "h1", "{'full':true,'instances':[" RUNNING "]}");
    must_declare(lab, "h2", INCOMING);
    controller_lab_add(lab, "h2", PORT, 7);
    return port_of(lab)->o.number;
}

static bool
tell_nobody(void *aux, const char *event, const char *data)
{
    return true;
}

static void
dropped(void *aux)
{
}

struct agent_session *
enter_agent(struct controller_lab *lab, const char *host)
{
    static const struct agent_ops ops = { tell_nobody, dropped };
    return agents_enter(lab->c.agents, host_number(lab, host), &ops, NULL);
}
