/* The mirror of a host's rows and what is bound on its integration bridge: both dialects of updates, wrong types, and a random
 * walk in which every step must leave the same as a reading from scratch. */
#include "ofproto/ovsdb/ovsdb_bindings.h"
#include "ofproto/ovsdb/ovsdb_update.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "tests/unit/ovsdb_samples.h"
#include "tests/unit/random.h"

struct mirror {
    struct ovsdb_rows rows;
    struct ovsdb_bindings bindings;
};

static void
mirror_init(struct mirror *m)
{
    ovsdb_rows_init(&m->rows, 7);
    ovsdb_bindings_init(&m->bindings, 7);
}

static void
mirror_done(struct mirror *m)
{
    ovsdb_bindings_done(&m->bindings);
    ovsdb_rows_done(&m->rows);
    assert_int_equal(m->rows.n_bytes, 0);
}

/* What an update leads to: "+web=tap0@3 -db ". */
static char *
told_after(struct mirror *m, enum ovsdb_dialect dialect, const char *update)
{
    sample_update(&m->rows, dialect, update);
    ovsdb_bindings_update(&m->bindings, &m->rows, "br-int");
    struct bytes text = BYTES_INIT;
    for (size_t i = 0; i < m->bindings.n_changed; i++) {
        const struct ovsdb_interface *c = &m->bindings.changed[i];
        char *item = mem_printf("+%s=%s@%u%s%s ", c->iface_id, c->name, c->ofport, c->error ? "!" : "", c->error ?: "");
        bytes_put(&text, item, strlen(item));
        free(item);
    }
    for (size_t i = 0; i < m->bindings.n_gone; i++) {
        char *item = mem_printf("-%s ", m->bindings.gone[i]);
        bytes_put(&text, item, strlen(item));
        free(item);
    }
    bytes_put_u8(&text, 0);
    ovsdb_bindings_told(&m->bindings);
    return (char *) text.data;
}

#define EXPECT(M, DIALECT, UPDATE, TOLD)              \
    do {                                              \
        char *told_ = told_after(M, DIALECT, UPDATE); \
        assert_string_equal(told_, TOLD);             \
        free(told_);                                  \
    } while (0)

#define IFACE(XX, KIND, COLUMNS) "'Interface':{'" SAMPLE_UUID(XX) "':{'" KIND "':{" COLUMNS "}}}"
#define PORT(XX, KIND, COLUMNS) "'Port':{'" SAMPLE_UUID(XX) "':{'" KIND "':{" COLUMNS "}}}"
#define BRIDGE(XX, KIND, COLUMNS) "'Bridge':{'" SAMPLE_UUID(XX) "':{'" KIND "':{" COLUMNS "}}}"
#define ID(TEXT) "'external_ids':['map',[['iface-id','" TEXT "'],['attached-mac','52:54:00:00:00:01']]]"

static void
an_interface_counts_while_its_port_is_on_the_integration_bridge(void **state)
{
    struct mirror m;
    mirror_init(&m);
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "initial", "'name':'tap0','ofport':3," ID("web")) "}", "");
    EXPECT(&m, OVSDB_UPDATE2, "{" PORT("21", "initial", "'name':'tap0','interfaces':" SAMPLE_REF("31")) "}", "");
    EXPECT(&m, OVSDB_UPDATE2, "{" BRIDGE("11", "initial", "'name':'br-ex','ports':" SAMPLE_REF("21")) "}", "");
    EXPECT(&m, OVSDB_UPDATE2, "{" BRIDGE("12", "insert", "'name':'br-int','ports':" SAMPLE_REF("21")) "}", "+web=tap0@3 ");
    EXPECT(&m, OVSDB_UPDATE2, "{" BRIDGE("11", "modify", "'ports':" SAMPLE_REF("21")) "}", "");
    EXPECT(&m, OVSDB_UPDATE2, "{" BRIDGE("12", "modify", "'ports':" SAMPLE_REF("21")) "}", "-web ");
    mirror_done(&m);
}

static void
only_what_differs_from_what_was_told_is_told(void **state)
{
    struct mirror m;
    mirror_init(&m);
    EXPECT(&m, OVSDB_UPDATE2,
           "{" BRIDGE("11", "insert", "'name':'br-int','ports':" SAMPLE_REF("21")) "," PORT(
               "21", "insert", "'name':'tap0','interfaces':" SAMPLE_REF("31")) "," IFACE("31", "insert", "'name':'tap0'," ID("web")) "}",
           "+web=tap0@0 ");
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'ofport':5") "}", "+web=tap0@5 ");
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'ofport':5,'type':'internal'") "}", "");
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'ofport':-1,'error':'no such device'") "}", "+web=tap0@0!no such device ");
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'ofport':['set',[]],'error':['set',[]]") "}", "+web=tap0@0 ");
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'ofport':65279") "}", "+web=tap0@65279 ");
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'ofport':65534") "}", "+web=tap0@0 ");
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'ofport':4294967297") "}", "");
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'external_ids':['map',[['iface-id','db']]]") "}", "+db=tap0@0 -web ");
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'external_ids':['map',[['iface-id','db']]]") "}", "-db ");
    mirror_done(&m);
}

/* As libvirt does it: del-port and add-port in one transaction, so that every row has another UUID. */
static void
a_port_that_is_replaced_in_one_update_is_not_gone(void **state)
{
    struct mirror m;
    mirror_init(&m);
    EXPECT(&m, OVSDB_UPDATE2,
           "{" BRIDGE("11", "insert", "'name':'br-int','ports':" SAMPLE_REF("21")) "," PORT(
               "21", "insert", "'name':'tap0','interfaces':" SAMPLE_REF("31")) "," IFACE("31", "insert",
                                                                                         "'name':'tap0','ofport':4," ID("web")) "}",
           "+web=tap0@4 ");
    EXPECT(
        &m, OVSDB_UPDATE2,
        "{" BRIDGE(
            "11", "modify",
            "'ports':['set',[" SAMPLE_REF("21") "," SAMPLE_REF(
                "22") "]]") ","
                            "'Port':{'" SAMPLE_UUID("21") "':{'delete':null},'" SAMPLE_UUID("22") "':{'insert':{'name':'tap0','interfaces':" SAMPLE_REF(
                                "32") "}}},"
                                      "'Interface':{'" SAMPLE_UUID("31") "':{'delete':null},'" SAMPLE_UUID(
                                          "32") "':{'insert':{'name':'tap0'," ID("web") "}}}}",
        "+web=tap0@0 ");
    mirror_done(&m);
}

static void
of_two_interfaces_with_one_id_the_first_with_a_port_number_counts(void **state)
{
    struct mirror m;
    mirror_init(&m);
    EXPECT(
        &m, OVSDB_UPDATE2,
        "{" BRIDGE("11", "insert", "'name':'br-int','ports':['set',[" SAMPLE_REF("21") "," SAMPLE_REF("22") "]]") ",'Port':{'" SAMPLE_UUID("21") "':{'insert':{'name':'tap1','interfaces':" SAMPLE_REF(
            "31") "}},'" SAMPLE_UUID("22") "':{'insert':{'name':'tap2','interfaces':" SAMPLE_REF("32") "}}},"
                                                                                                       "'Interface':{'" SAMPLE_UUID("32") "':{'insert':{'name':'tap2','ofport':2," ID(
                                                                                                           "web") "}},'" SAMPLE_UUID("31") "':{'insert':{'name':'tap1'," ID("web") "}}}}",
        "+web=tap2@2 ");
    sample_update(&m.rows, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'ofport':1") "}");
    ovsdb_bindings_update(&m.bindings, &m.rows, "br-int");
    assert_int_equal(m.bindings.n_changed, 1);
    assert_string_equal(m.bindings.changed[0].name, "tap1");
    assert_int_equal(m.bindings.n_contested, 1);
    assert_non_null(strstr(m.bindings.contested, "'tap1' and 'tap2'"));
    ovsdb_bindings_told(&m.bindings);
    EXPECT(&m, OVSDB_UPDATE2, "{" IFACE("31", "modify", "'external_ids':['map',[['iface-id','web']]]") "}", "+web=tap2@2 ");
    mirror_done(&m);
}

static void
the_older_dialect_leads_to_the_same(void **state)
{
    struct mirror m;
    mirror_init(&m);
    EXPECT(&m, OVSDB_UPDATE1,
           "{" BRIDGE("11", "new", "'name':'br-int','ports':" SAMPLE_REF("21")) "," PORT(
               "21", "new",
               "'name':'tap0','interfaces':['set',[" SAMPLE_REF("31") "]]") "," IFACE("31", "new",
                                                                                      "'name':'tap0','ofport':['set',[]]," ID("web")) "}",
           "+web=tap0@0 ");
    EXPECT(&m, OVSDB_UPDATE1, "{" IFACE("31", "old':{},'new", "'name':'tap0','ofport':6," ID("web")) "}", "+web=tap0@6 ");
    EXPECT(&m, OVSDB_UPDATE1, "{" BRIDGE("11", "new", "'name':'br-int','ports':['set',[]]") "}", "-web ");
    EXPECT(&m, OVSDB_UPDATE1, "{" BRIDGE("11", "new", "'name':'br-int','ports':" SAMPLE_REF("21")) "}", "+web=tap0@6 ");
    EXPECT(&m, OVSDB_UPDATE1, "{" IFACE("31", "new", "'name':'tap0','ofport':6,'external_ids':['map',[]]") "}", "-web ");
    EXPECT(&m, OVSDB_UPDATE1, "{" IFACE("31", "old", "") "}", "");
    assert_null(ovsdb_rows_named(&m.rows, OVSDB_INTERFACE, "tap0"));
    assert_non_null(ovsdb_rows_named(&m.rows, OVSDB_PORT, "tap0"));
    mirror_done(&m);
}

static void
a_value_of_the_wrong_type_is_refused_with_table_and_column(void **state)
{
    static const struct {
        const char *update, *said;
    } cases[] = {
        { "[]", "object of tables" },
        { "{'Bridge':[]}", "Bridge" },
        { "{'Bridge':{'x':{}}}", "not a UUID" },
        { "{'Bridge':{'" SAMPLE_UUID("11") "':null}}", "makes no sense" },
        { "{'Bridge':{'" SAMPLE_UUID("11") "':{'modify':{}}}}", "makes no sense" },
        { "{'Bridge':{'" SAMPLE_UUID("11") "':{'delete':null}}}", "makes no sense" },
        { "{'Bridge':{'" SAMPLE_UUID("11") "':{'insert':7}}}", "not an object" },
        { "{" BRIDGE("11", "insert", "'name':7") "}", "column name of Bridge row " SAMPLE_UUID("11") },
        { "{" BRIDGE("11", "insert", "'name':['set',['a','b']]") "}", "column name" },
        { "{" BRIDGE("11", "insert", "'ports':['set',['a']]") "}", "column ports" },
        { "{" BRIDGE("11", "insert", "'ports':['uuid','zz']") "}", "column ports" },
        { "{" BRIDGE("11", "insert", "'other_config':{}") "}", "column other_config" },
        { "{" BRIDGE("11", "insert", "'other_config':['map',[['datapath-id',1]]]") "}", "column other_config" },
        { "{" BRIDGE("11", "insert", "'protocols':[1]") "}", "column protocols" },
        { "{" IFACE("31", "insert", "'ofport':'1'") "}", "column ofport" },
        { "{" IFACE("31", "insert", "'ofport':1.5") "}", "column ofport" },
        { "{'Manager':{'" SAMPLE_UUID("41") "':{'insert':{'is_connected':1}}}}", "column is_connected of Manager" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ovsdb_rows rows;
        struct error err;
        json_t *update = sample_json(cases[i].update);
        ovsdb_rows_init(&rows, 7);
        if (ovsdb_update_apply(&rows, OVSDB_UPDATE2, update, &err))
            fail_msg("%s was taken", cases[i].update);
        if (!strstr(err.text, cases[i].said))
            fail_msg("'%s' does not say '%s'", err.text, cases[i].said);
        json_decref(update);
        ovsdb_rows_done(&rows);
        assert_int_equal(rows.n_bytes, 0);
    }
}

static void
a_database_that_is_too_big_is_refused(void **state)
{
    struct ovsdb_rows rows;
    struct error err;
    bool ok = true;
    unsigned n = 0;
    ovsdb_rows_init(&rows, 7);
    for (; ok && n < 1000000; n++) {
        char key[UUID_STRLEN], name[OVSDB_TEXT_MAX];
        snprintf(key, sizeof key, "00000000-0000-4000-8000-%012x", n);
        memset(name, 'x', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        json_t *update = json_pack("{s:{s:{s:{s:s}}}}", "Port", key, "insert", "name", name);
        ok = ovsdb_update_apply(&rows, OVSDB_UPDATE2, update, &err);
        json_decref(update);
    }
    assert_false(ok);
    assert_non_null(strstr(err.text, "takes more than"));
    assert_in_range(n, 10000, OVSDB_ROWS_BYTES_MAX / OVSDB_TEXT_MAX + 1);
    ovsdb_rows_done(&rows);
}

/* --- The random walk: a model of two bridges, ports and interfaces. --- */

enum { N_PORTS = 6, N_IDS = 4 };

struct model {
    bool has_bridge[2], is_on[2][N_PORTS];
    struct {
        bool is_there;
        int id, ofport;
    } iface[N_PORTS]; /* of the port of the same number; id 0: none */
};
static const char *const bridge_names[2] = { "br-int", "br-ex" };

static void
put(struct bytes *b, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    bytes_put(b, text, n);
}

static void
ports_put(struct bytes *b, const bool is_on[N_PORTS], const bool but[N_PORTS])
{
    const char *comma = "";
    put(b, "'ports':['set',[");
    for (int p = 0; p < N_PORTS; p++)
        if (is_on[p] != (but && but[p])) {
            put(b, "%s['uuid','" SAMPLE_UUID("2%x") "']", comma, p);
            comma = ",";
        }
    put(b, "]]");
}

static void
ids_put(struct bytes *b, int id)
{
    put(b, "'external_ids':['map',[");
    if (id)
        put(b, "['iface-id','id%d']", id);
    put(b, "]]");
}

static void
iface_put(struct bytes *b, const struct model *m, int p)
{
    put(b, "'name':'tap%d','ofport':%d,", p, m->iface[p].ofport);
    ids_put(b, m->iface[p].id);
}

/* The whole state as an initial reading of the older dialect. */
static char *
model_dump(const struct model *m)
{
    struct bytes b = BYTES_INIT;
    const char *comma = "";
    put(&b, "{'Bridge':{");
    for (int i = 0; i < 2; i++)
        if (m->has_bridge[i]) {
            put(&b, "%s'" SAMPLE_UUID("1%d") "':{'new':{'name':'%s',", comma, i, bridge_names[i]);
            ports_put(&b, m->is_on[i], NULL);
            put(&b, "}}");
            comma = ",";
        }
    put(&b, "},'Port':{");
    for (int p = 0; p < N_PORTS; p++)
        put(&b, "%s'" SAMPLE_UUID("2%x") "':{'new':{'name':'tap%d','interfaces':['uuid','" SAMPLE_UUID("3%x") "']}}", p ? "," : "", p, p,
            p);
    put(&b, "},'Interface':{");
    comma = "";
    for (int p = 0; p < N_PORTS; p++)
        if (m->iface[p].is_there) {
            put(&b, "%s'" SAMPLE_UUID("3%x") "':{'new':{", comma, p);
            iface_put(&b, m, p);
            put(&b, "}}");
            comma = ",";
        }
    put(&b, "}}");
    bytes_put_u8(&b, 0);
    return (char *) b.data;
}

static void
bridge_step(struct model *m, struct random *r, struct bytes *b)
{
    int i = random_below(r, 2);
    bool before[N_PORTS];
    memcpy(before, m->is_on[i], sizeof before);
    for (int p = 0; p < N_PORTS; p++)
        m->is_on[i][p] = random_below(r, 2);
    put(b, "{'Bridge':{'" SAMPLE_UUID("1%d") "':", i);
    if (m->has_bridge[i] && !random_below(r, 4)) {
        m->has_bridge[i] = false;
        put(b, "{'delete':null}}}");
        return;
    }
    put(b, m->has_bridge[i] ? "{'modify':{" : "{'insert':{'name':'%s',", bridge_names[i]);
    ports_put(b, m->is_on[i], m->has_bridge[i] ? before : NULL);
    put(b, "}}}}");
    m->has_bridge[i] = true;
}

static void
iface_step(struct model *m, struct random *r, struct bytes *b)
{
    int p = random_below(r, N_PORTS), id_before = m->iface[p].id;
    bool was_there = m->iface[p].is_there;
    m->iface[p].is_there = random_below(r, 4);
    m->iface[p].id = random_below(r, N_IDS);
    m->iface[p].ofport = (int) random_below(r, 4) - 1;
    if (!was_there && !m->iface[p].is_there) {
        put(b, "{}");
        return;
    }
    put(b, "{'Interface':{'" SAMPLE_UUID("3%x") "':", p);
    if (was_there && !m->iface[p].is_there) {
        put(b, "{'delete':null}}}");
    } else if (!was_there) {
        put(b, "{'insert':{");
        iface_put(b, m, p);
        put(b, "}}}}");
    } else {
        put(b, "{'modify':{'ofport':%d", m->iface[p].ofport);
        if (m->iface[p].id != id_before) {
            put(b, ",");
            ids_put(b, m->iface[p].id ? m->iface[p].id : id_before);
        }
        put(b, "}}}}");
    }
}

/* What the owner believes: per id the last that it was told. */
struct belief {
    char name[N_IDS][16];
    uint32_t ofport[N_IDS];
};

static void
belief_update(struct belief *belief, struct ovsdb_bindings *b)
{
    for (size_t i = 0; i < b->n_changed; i++) {
        int id = b->changed[i].iface_id[2] - '0';
        snprintf(belief->name[id], sizeof belief->name[id], "%s", b->changed[i].name);
        belief->ofport[id] = b->changed[i].ofport;
    }
    for (size_t i = 0; i < b->n_gone; i++) {
        int id = b->gone[i][2] - '0';
        assert_true(*belief->name[id]);
        belief->name[id][0] = '\0';
        belief->ofport[id] = 0;
    }
    ovsdb_bindings_told(b);
}

static void
belief_check(const struct belief *belief, const struct model *model)
{
    struct mirror fresh;
    struct belief afresh = { 0 };
    char *dump = model_dump(model);
    mirror_init(&fresh);
    sample_update(&fresh.rows, OVSDB_UPDATE1, dump);
    ovsdb_bindings_update(&fresh.bindings, &fresh.rows, "br-int");
    belief_update(&afresh, &fresh.bindings);
    for (int id = 0; id < N_IDS; id++) {
        assert_string_equal(belief->name[id], afresh.name[id]);
        assert_int_equal(belief->ofport[id], afresh.ofport[id]);
    }
    mirror_done(&fresh);
    free(dump);
}

static void
after_any_updates_what_was_told_is_what_a_fresh_reading_tells(void **state)
{
    struct random r = random_seeded();
    struct model model = { .has_bridge = { false } };
    struct belief belief = { 0 };
    struct mirror m;
    mirror_init(&m);
    for (int p = 0; p < N_PORTS; p++) {
        struct bytes b = BYTES_INIT;
        put(&b, "{'Port':{'" SAMPLE_UUID("2%x") "':{'insert':{'name':'tap%d','interfaces':['uuid','" SAMPLE_UUID("3%x") "']}}}}", p, p, p);
        bytes_put_u8(&b, 0);
        sample_update(&m.rows, OVSDB_UPDATE2, (char *) b.data);
        bytes_done(&b);
    }
    for (int step = 0; step < 3000; step++) {
        struct bytes b = BYTES_INIT;
        if (random_below(&r, 5))
            iface_step(&model, &r, &b);
        else
            bridge_step(&model, &r, &b);
        bytes_put_u8(&b, 0);
        sample_update(&m.rows, OVSDB_UPDATE2, (char *) b.data);
        bytes_done(&b);
        if (random_below(&r, 3)) /* sometimes several updates come at once */
            continue;
        ovsdb_bindings_update(&m.bindings, &m.rows, "br-int");
        belief_update(&belief, &m.bindings);
        belief_check(&belief, &model);
    }
    mirror_done(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_interface_counts_while_its_port_is_on_the_integration_bridge),
        cmocka_unit_test(only_what_differs_from_what_was_told_is_told),
        cmocka_unit_test(a_port_that_is_replaced_in_one_update_is_not_gone),
        cmocka_unit_test(of_two_interfaces_with_one_id_the_first_with_a_port_number_counts),
        cmocka_unit_test(the_older_dialect_leads_to_the_same),
        cmocka_unit_test(a_value_of_the_wrong_type_is_refused_with_table_and_column),
        cmocka_unit_test(a_database_that_is_too_big_is_refused),
        cmocka_unit_test(after_any_updates_what_was_told_is_what_a_fresh_reading_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
