/* A store that an older vnetd wrote: opened, it gets what that one did not know, durably and once. */
#include "tests/unit/controller_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vnet/model/transaction.h"

/* As vnetd wrote it before there were security groups: two tenants, a port of each with filtering not spoken of, one with sg=none. */
static const char old_store[] =
    "PRAGMA application_id = 1986946420; PRAGMA user_version = 1000; BEGIN;"
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('generation',1), ('next_number',18), ('next_vni',3), ('revision',3);"
    "CREATE TABLE object (number INTEGER PRIMARY KEY, document TEXT NOT NULL);"
    "INSERT INTO object VALUES(2,'{\"type\":\"vpc\",\"id\":\"29ef2ee3-68dd-49a9-91c8-6640ab74ae42\",\"created\":1795764713871,"
    "\"tenant\":1,\"name\":\"v\",\"cidr\":\"10.0.0.0/16\",\"vni\":1}');"
    "INSERT INTO object VALUES(3,'{\"type\":\"rtb\",\"id\":\"c7c53836-6d30-460e-98ce-40c5f80f6f44\",\"created\":1795764713871,"
    "\"tenant\":1,\"name\":\"v\",\"vpc\":2,\"main\":true}');"
    "INSERT INTO object VALUES(4,'{\"type\":\"subnet\",\"id\":\"6b6ffe4f-3646-477d-8427-7ceb12c9b778\",\"created\":1795764713871,"
    "\"tenant\":1,\"name\":\"s\",\"vpc\":2,\"cidr\":\"10.0.1.0/24\",\"rtb\":3,\"lease\":3600}');"
    "INSERT INTO object VALUES(5,'{\"type\":\"port\",\"id\":\"0053dc60-2d1e-497b-88ba-d2dbb79d02bc\",\"created\":1795764713871,"
    "\"tenant\":1,\"name\":\"p\",\"tags\":{\"k\":\"v\"},\"subnet\":4,\"ips\":[\"10.0.1.3\"],\"mac\":\"02:00:00:00:00:01\","
    "\"source_dest_check\":true}');"
    "INSERT INTO object VALUES(6,'{\"type\":\"port\",\"id\":\"f55f9504-73ca-4105-ab4a-7e7c52366d91\",\"created\":1795764713871,"
    "\"tenant\":1,\"name\":\"q\",\"subnet\":4,\"ips\":[\"10.0.1.4\"],\"mac\":\"02:00:00:00:00:02\",\"sg\":\"none\","
    "\"source_dest_check\":true}');"
    "INSERT INTO object VALUES(8,'{\"type\":\"tenant\",\"id\":\"01b4095d-b372-49ab-ba38-ee8d7c83ca6b\",\"created\":1795764713871,"
    "\"name\":\"acme\"}');"
    "INSERT INTO object VALUES(9,'{\"type\":\"pool\",\"id\":\"3addd3af-d295-4b36-8a98-357a0449f3fb\",\"created\":1795764713871,"
    "\"name\":\"public\",\"cidr\":\"203.0.113.0/28\",\"uplink\":\"public\",\"gateway\":\"203.0.113.1\","
    "\"range\":\"203.0.113.2-203.0.113.14\"}');"
    "INSERT INTO object VALUES(12,'{\"type\":\"eip\",\"id\":\"42d332dd-2c7d-409a-bbe1-6398e258fed1\",\"created\":1795764713871,"
    "\"tenant\":1,\"ip\":\"203.0.113.2\",\"pool\":9,\"attached\":{\"port\":5}}');"
    "INSERT INTO object VALUES(13,'{\"type\":\"vpc\",\"id\":\"6f5e0431-af40-4e34-9777-d034c1f9a0ef\",\"created\":1795764713930,"
    "\"tenant\":8,\"name\":\"v\",\"cidr\":\"10.0.0.0/16\",\"vni\":2}');"
    "INSERT INTO object VALUES(14,'{\"type\":\"rtb\",\"id\":\"7d3de1ce-4a7b-4944-ab64-156577c48237\",\"created\":1795764713930,"
    "\"tenant\":8,\"name\":\"v\",\"vpc\":13,\"main\":true}');"
    "INSERT INTO object VALUES(15,'{\"type\":\"subnet\",\"id\":\"6b5b48b4-bd6f-4cb1-b85b-7b5e45506eea\",\"created\":1795764713930,"
    "\"tenant\":8,\"name\":\"s\",\"vpc\":13,\"cidr\":\"10.0.1.0/24\",\"rtb\":14,\"lease\":3600}');"
    "INSERT INTO object VALUES(16,'{\"type\":\"port\",\"id\":\"06b97e80-1786-4d00-84a1-dbf8d447ad9f\",\"created\":1795764713930,"
    "\"tenant\":8,\"name\":\"p\",\"subnet\":15,\"ips\":[\"10.0.1.3\"],\"mac\":\"02:00:00:00:00:01\",\"source_dest_check\":true}');"
    "INSERT INTO object VALUES(17,'{\"type\":\"port\",\"id\":\"1f6dd69a-d47a-4fca-bf52-cad33f63f0d2\",\"created\":1795764713930,"
    "\"tenant\":8,\"name\":\"r\",\"subnet\":15,\"ips\":[\"10.0.1.4\"],\"mac\":\"02:00:00:00:00:02\",\"source_dest_check\":true}');"
    "CREATE TABLE tombstone (number INTEGER PRIMARY KEY);"
    "CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE answer (seq INTEGER PRIMARY KEY AUTOINCREMENT, scope TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,"
    "                     answer TEXT NOT NULL, UNIQUE (scope, key));"
    "CREATE TABLE journal (revision INTEGER PRIMARY KEY, who TEXT NOT NULL, at_ms INTEGER NOT NULL, summary TEXT NOT NULL);"
    "COMMIT;";

static int
setup(void **state)
{
    *state = controller_lab_start_with(old_store);
    return 0;
}

static int
teardown(void **state)
{
    controller_lab_stop(*state);
    return 0;
}

/* All of intent, as the store would write it. */
static json_t *
intent(const struct model *m)
{
    json_t *all = json_object();
    for (const struct object_class *c = NULL; (c = object_class_next(c));)
        for (const struct object *o = NULL; (o = model_next(m, c->type, o ? o->number : 0));) {
            char number[12];
            snprintf(number, sizeof number, "%u", o->number);
            json_object_set_new(all, number, object_to_store(o));
        }
    return all;
}

static void
an_older_store_gets_default_groups_and_ports_join_them(void **state)
{
    struct controller_lab *lab = *state;
    const struct model *m = lab->c.model;
    const struct port *p = model_port(m, 5), *q = model_port(m, 6), *theirs = model_port(m, 16), *r = model_port(m, 17);
    assert_int_equal(model_revision(m), 4);
    assert_int_equal(model_count(m, OBJECT_SG), 2);
    assert_int_equal(model_count(m, OBJECT_SG_RULE), 4);
    assert_int_equal(model_count(m, OBJECT_SG_SET), 2);
    assert_true(p->has_sg && p->sg.n == 1 && p->sg.v[0] == model_default_sg(m, 2));
    assert_string_equal(model_sg(m, p->sg.v[0])->o.name, "v");
    assert_int_equal(model_sg(m, p->sg.v[0])->o.tenant, 1);
    assert_true(!q->has_sg && !q->sg.n && !q->sg_set);
    assert_true(r->sg.v[0] == model_default_sg(m, 13) && r->sg_set == theirs->sg_set && r->sg_set != p->sg_set);
    assert_int_equal(p->o.n_tags, 1);
    assert_int_equal(model_eip_of(m, 5), 12);
}

static void
it_happens_once_and_is_durable(void **state)
{
    struct controller_lab *lab = *state;
    json_t *before = intent(lab->c.model);
    controller_lab_restart(lab);
    json_t *after = intent(lab->c.model);
    assert_true(json_equal(before, after));
    assert_int_equal(model_revision(lab->c.model), 4);
    json_decref(before);
    json_decref(after);
    controller_lab_do(lab, "[{'op':'add','type':'sg','name':'web','values':{'vpc':'v'}},"
                           "{'op':'set','type':'port','name':'p','values':{'sg':'web'}}]");
    assert_int_equal(model_count(lab->c.model, OBJECT_SG_SET), 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_older_store_gets_default_groups_and_ports_join_them, setup, teardown),
        cmocka_unit_test_setup_teardown(it_happens_once_and_is_durable, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
