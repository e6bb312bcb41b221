/* What hosts' agents and databases tell, over HTTP: pages of instances and of orphans. */
#include "tests/unit/api_lab.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "tests/unit/instance_lab.h"

#define INSTANCE_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, instance_lab_setup, controller_lab_teardown)
#define N_MANY 2100

/* What a client that follows the pages has got; 'after_first' is done between the first page and the second. */
struct read_pages {
    size_t n_pages, most_rows;
    json_t *rows;
};

static struct read_pages
read_pages(struct controller_lab *lab, const struct principal *as, const char *first, void (*after_first)(struct controller_lab *))
{
    struct read_pages r = { .rows = json_array() };
    struct api_client *c = as ? api_client_as(lab, as) : api_client_new(lab, false);
    char path[512];
    snprintf(path, sizeof path, "%s", first);
    while (*path) {
        struct error err;
        struct answer a = api_client_ask(c, "GET", path, NULL);
        if (a.status != 200)
            fail_msg("%s: %s%s", path, a.head, a.body);
        json_t *list = json_parse(a.body, strlen(a.body), "page", &err);
        r.most_rows = json_array_size(list) > r.most_rows ? json_array_size(list) : r.most_rows;
        json_array_extend(r.rows, list);
        const char *link = strstr(a.head, "Link: <");
        snprintf(path, sizeof path, "%.*s", link ? (int) strcspn(link + 7, ">") : 0, link ? link + 7 : "");
        json_decref(list);
        answer_done(&a);
        if (!r.n_pages++ && after_first)
            after_first(lab);
    }
    api_client_free(c);
    return r;
}

/* No row twice, none missing; and in order, if 'key' is what they are in order by. */
static void
expect_rows(const struct read_pages *r, size_t n_pages, size_t n_rows, const char *key)
{
    assert_int_equal(r->n_pages, n_pages);
    assert_int_equal(json_array_size(r->rows), n_rows);
    for (size_t i = 1; i < n_rows; i++) {
        const char *before = json_member_string(json_array_get(r->rows, i - 1), key);
        const char *here = json_member_string(json_array_get(r->rows, i), key);
        if (strcmp(before, here) >= 0)
            fail_msg("row %zu: '%s' before '%s'", i, before, here);
    }
    json_decref(r->rows);
}

static void
instance_text(char *out, size_t size, int i)
{
    snprintf(out, size, "{'id':'dc2b9d00-dd64-4485-add1-%012x','name':'vm %04d/\xc3\xa9 &<>+%%','state':'%s'}", i, i,
             i % 7 ? "running" : "off");
}

static void
report_many(struct controller_lab *lab, int n)
{
    struct bytes text = BYTES_INIT;
    bytes_put(&text, "{'full':true,'instances':[", 26);
    for (int i = 0; i < n; i++) {
        char one[200];
        one[0] = ',';
        instance_text(one + 1, sizeof one - 1, i);
        bytes_put(&text, one + !i, strlen(one + !i));
    }
    bytes_put(&text, "]}", 3);
    must_report(lab, "h1", (const char *) text.data);
    bytes_done(&text);
}

/* The one that the first page ends with. */
static void
end_instance(struct controller_lab *lab)
{
    must_report(lab, "h1", "{'full':false,'instances':[],'gone':['dc2b9d00-dd64-4485-add1-0000000003e7']}");
}

static void
instances_come_in_pages_in_the_order_of_their_names(void **state)
{
    needs_root();
    report_many(*state, N_MANY);
    struct read_pages r = read_pages(*state, NULL, "/v1/instance", NULL);
    assert_int_equal(r.most_rows, 1000);
    expect_rows(&r, 3, N_MANY, "name");
    r = read_pages(*state, NULL, "/v1/instance?columns=name&limit=100000", end_instance);
    assert_int_equal(r.most_rows, 1000);
    expect_rows(&r, 3, N_MANY, "name");
    r = read_pages(*state, NULL, "/v1/instance?where=state=off&limit=50", NULL);
    expect_rows(&r, 6, N_MANY / 7, "name");
    r = read_pages(*state, NULL, "/v1/instance?after=dc2b9d00-dd64-4485-add1-000000000833", NULL);
    expect_rows(&r, 1, 0, "name");
    r = read_pages(*state, NULL, "/v1/instance?limit=1&name=dc2b9d00-dd64-4485-add1-000000000001&name=vm%200002/%C3%A9%20%26%3C%3E%2B%25",
                   NULL);
    expect_rows(&r, 1, 2, "name"); /* what is named comes whole */
}

/* Those with a port of the tenant's, and none else, on each page. */
static void
a_tenants_pages_have_its_own_instances(void **state)
{
    struct controller_lab *lab = *state;
    struct principal acme = { .role = PRINCIPAL_TENANT, .name = "ann", .tenant = "acme" };
    report_many(lab, 20);
    struct read_pages r = read_pages(lab, &acme, "/v1/instance?limit=2", NULL);
    expect_rows(&r, 1, 0, "name");
    controller_lab_do(lab, "[{'op':'add','tenant':'acme','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
                           "{'op':'add','tenant':'acme','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}},"
                           "{'op':'add','tenant':'acme','type':'port','name':'p','values':{'subnet':'s','id':'" PORT "'}}]");
    for (int i = 1; i < 20; i += 4) {
        char text[200];
        snprintf(text, sizeof text,
                 "{'full':false,'instances':[{'id':'dc2b9d00-dd64-4485-add1-%012x','name':'mine %02d','state':'running','ports':['" PORT
                 "']}]}",
                 i, i);
        must_report(lab, "h1", text);
    }
    r = read_pages(lab, &acme, "/v1/instance?limit=2", NULL);
    assert_string_equal(json_member_string(json_array_get(r.rows, 0), "name"), "mine 01");
    expect_rows(&r, 3, 5, "name");
}

/* Shown as they are, whatever guests' owners have written there. */
static void
add_strangers(struct controller_lab *lab, int n)
{
    for (int i = 0; i < n; i++) {
        char id[64];
        snprintf(id, sizeof id, "stranger %03d/\xc3\xa9:&<>%%", i);
        controller_lab_add(lab, "h1", id, (uint32_t) i + 1);
    }
}

static void
remove_stranger(struct controller_lab *lab)
{
    controller_lab_remove(lab, "h1", "stranger 009/\xc3\xa9:&<>%");
}

static void
orphans_come_in_pages(void **state)
{
    needs_root();
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_show(lab, "h1", NULL, 0);
    add_strangers(lab, 35);
    struct read_pages r = read_pages(lab, NULL, "/v1/orphan?limit=10", remove_stranger);
    assert_int_equal(r.most_rows, 10);
    expect_rows(&r, 4, 35, "id");
    r = read_pages(lab, NULL, "/v1/orphan", NULL);
    expect_rows(&r, 1, 34, "id");
}

/* Interfaces first, then ports; a page may end with either. */
static void
declared_ports_follow_interfaces(void **state)
{
    needs_root();
    struct controller_lab *lab = *state;
    controller_lab_connect(lab, "h1");
    controller_lab_connect(lab, "h2");
    must_declare(lab, "h1", DECLARED("'subnet':'a'"));
    struct agent_session *agent = enter_agent(lab, "h1");
    must_report(lab, "h1", "{'full':true,'instances':[]}");
    must_report(lab, "h2", "{'full':true,'instances':[]}");
    controller_lab_show(lab, "h2", "stranger", 1);
    for (size_t limit = 1; limit <= 3; limit++) {
        char path[40];
        snprintf(path, sizeof path, "/v1/orphan?limit=%zu", limit);
        struct read_pages r = read_pages(lab, NULL, path, NULL);
        assert_int_equal(r.n_pages, limit == 1 ? 2 : 1);
        assert_int_equal(json_array_size(r.rows), 2);
        assert_string_equal(json_member_string(json_array_get(r.rows, 0), "kind"), "interface");
        assert_string_equal(json_member_string(json_array_get(r.rows, 1), "kind"), "port");
        json_decref(r.rows);
    }
    agents_leave(agent);
}

static void
where_to_begin_and_how_much_is_refused_if_it_makes_no_sense(void **state)
{
    needs_root();
    static const struct {
        const char *path, *word;
        int status;
    } rows[] = {
        { "/v1/instance?after=x", "after='x'", 404 },
        { "/v1/instance?after=dc2b9d00-dd64-4485-add1-0000000003e7", "after='dc2b9d00", 404 },
        { "/v1/instance?after=dc2b9d00/x", "after='dc2b9d00/x'", 404 },
        { "/v1/instance?limit=0", "limit='0'", 400 },
        { "/v1/instance?name=nosuch", "'nosuch' does not exist", 404 },
        { "/v1/orphan?limit=-1", "limit='-1'", 400 },
        { "/v1/orphan?after=port:1x", "after='port:1x'", 400 },
        { "/v1/orphan?after=interface:x", "after='interface:x'", 400 },
        { "/v1/orphan?after=", "after=''", 400 },
    };
    struct api_client *c = api_client_new(*state, false);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answer a = api_client_ask(c, "GET", rows[i].path, NULL);
        expect_error(&a, rows[i].status, rows[i].word);
        answer_done(&a);
    }
    api_client_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        INSTANCE_TEST(instances_come_in_pages_in_the_order_of_their_names),
        INSTANCE_TEST(a_tenants_pages_have_its_own_instances),
        INSTANCE_TEST(orphans_come_in_pages),
        INSTANCE_TEST(declared_ports_follow_interfaces),
        INSTANCE_TEST(where_to_begin_and_how_much_is_refused_if_it_makes_no_sense),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
