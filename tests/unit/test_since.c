/* Since when domains are as they are, over a restart of the agent. */
#include "agent/since.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/agent.h"
#include "agent/since_file.h"
#include "agent/virt_read.h"
#include "base/alloc.h"

#define LONG_AGO_MS 5 /* of a clock that begins with the machine */

struct world {
    struct event_base *base;
    char folder[32], *file;
    struct domains domains;
    struct since *since;
};

static void
begin(struct world *w)
{
    domains_init(&w->domains);
    w->since = since_new(w->base, w->file, &w->domains);
}

static void
end(struct world *w)
{
    since_free(w->since);
    domains_done(&w->domains);
}

static int
start(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    strcpy(w->folder, "/tmp/vnet-since-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    w->file = mem_printf("%s/state/since.json", w->folder);
    w->base = event_base_new();
    begin(w);
    *state = w;
    return 0;
}

static int
stop(void **state)
{
    struct world *w = *state;
    char *nested = mem_printf("%s/state", w->folder);
    end(w);
    unlink(w->file);
    rmdir(nested);
    assert_int_equal(rmdir(w->folder), 0);
    event_base_free(w->base);
    free(nested);
    free(w->file);
    free(w);
    return 0;
}

static struct uuid
id_of(uint8_t n)
{
    return (struct uuid){ .b = { n } };
}

/* As the agent reads it of libvirt. */
static struct domain *
read_as(struct world *w, uint8_t n, int run, const char *state, const char *reason)
{
    struct virt_domain v = { .id = id_of(n), .run = run, .state = state, .reason = reason, .is_active = run >= 0 };
    struct domain *d = domain_get(&w->domains, v.id, "vm", agent_now_ms());
    domain_take(d, &v, agent_now_ms());
    since_read(w->since, d);
    since_changed(w->since);
    return d;
}

static bool
is_of_before(const struct domain *d)
{
    return d->since_ms == LONG_AGO_MS;
}

static void
restart(struct world *w)
{
    MAP_FOR_EACH (n, &w->domains.by_id)
        CONTAINER_OF(n, struct domain, by_id)->since_ms = LONG_AGO_MS;
    end(w);
    begin(w);
}

static void
a_domain_that_is_as_it_was_has_been_so_since_then(void **state)
{
    struct world *w = *state;
    read_as(w, 1, 7, "running", "booted");
    read_as(w, 2, -1, "off", "shutdown");
    restart(w);
    assert_true(is_of_before(read_as(w, 1, 7, "running", "booted")));
    assert_true(is_of_before(read_as(w, 2, -1, "off", "shutdown")));
    restart(w); /* before which only that was written */
    assert_true(is_of_before(read_as(w, 1, 7, "running", "booted")));
    assert_true(is_of_before(read_as(w, 1, 7, "running", "booted")));
    assert_false(is_of_before(read_as(w, 1, 7, "paused", "user")));
    assert_false(is_of_before(read_as(w, 1, 7, "running", "booted"))); /* the file's word counts once */
}

static void
a_domain_that_is_not_as_it_was_began_to_be_so_now(void **state)
{
    static const struct {
        int run;
        const char *state, *reason;
    } others[] = { { 8, "running", "booted" }, { 7, "paused", "user" }, { 7, "running", "unpaused" }, { -1, "off", "shutdown" } };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        read_as(w, (uint8_t) i, 7, "running", "booted");
        restart(w);
        assert_false(is_of_before(read_as(w, (uint8_t) i, others[i].run, others[i].state, others[i].reason)));
    }
}

/* What a listing has not come to yet is not forgotten; what it does not have is. */
static void
domains_are_kept_until_all_have_been_read(void **state)
{
    struct world *w = *state;
    read_as(w, 1, 7, "running", "booted");
    read_as(w, 2, 8, "running", "booted");
    restart(w);
    read_as(w, 1, 7, "running", "booted");
    restart(w);
    assert_true(is_of_before(read_as(w, 2, 8, "running", "booted")));
    since_whole(w->since);
    restart(w);
    assert_false(is_of_before(read_as(w, 1, 7, "running", "booted")));
}

static void
write_file(const struct world *w, const char *text)
{
    FILE *f = fopen(w->file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void
count(void *aux, const struct since_entry *e)
{
    ++*(unsigned *) aux;
}

#define GOOD "'00000000-0000-4000-8000-000000000001':{'run':1,'state':'running','reason':'booted','since_ms':5}"

static json_t *
from_text(const char *text)
{
    struct error err;
    char *copy = mem_strdup(text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    json_t *json = json_parse(copy, strlen(copy), "test", &err);
    assert_non_null(json);
    free(copy);
    return json;
}

static void
a_document_that_is_not_ours_is_refused(void **state)
{
    static const char *const wrong[] = {
        "[]",
        "{}",
        "{'boot':'b'}",
        "{'boot':1,'domains':{}}",
        "{'boot':'b','domains':[]}",
        "{'boot':'b','domains':{'x':{'run':1,'state':'running','reason':'','since_ms':5}}}",
        "{'boot':'b','domains':{" GOOD ",'00000000-0000-4000-8000-000000000002':5}}",
        "{'boot':'b','domains':{'00000000-0000-4000-8000-000000000002':{'run':-2,'state':'running','reason':'','since_ms':5}}}",
        "{'boot':'b','domains':{'00000000-0000-4000-8000-000000000002':{'run':4294967296,'state':'running','reason':'','since_ms':5}}}",
        "{'boot':'b','domains':{'00000000-0000-4000-8000-000000000002':{'run':1,'state':5,'reason':'','since_ms':5}}}",
        "{'boot':'b','domains':{'00000000-0000-4000-8000-000000000002':{'run':1,'state':'running','since_ms':5}}}",
        "{'boot':'b','domains':{'00000000-0000-4000-8000-000000000002':{'run':1,'state':'running','reason':'','since_ms':11}}}",
        "{'boot':'b','domains':{'00000000-0000-4000-8000-000000000002':{'run':1,'state':'running','reason':'','since_ms':-1}}}",
        "{'boot':'b','domains':{'00000000-0000-4000-8000-000000000002':{'run':1,'state':"
        "'0123456789012345678901234567890123456789012345678901234567890123','reason':'','since_ms':5}}}",
    };
    struct error err;
    unsigned n = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        json_t *json = from_text(wrong[i]);
        assert_false(since_file_parse(json, "b", 10, count, &n, &err));
        json_decref(json);
    }
    json_t *good = from_text("{'boot':'b','domains':{" GOOD "}}");
    n = 0;
    assert_true(since_file_parse(good, "another", 10, count, &n, &err));
    assert_int_equal(n, 0);
    assert_true(since_file_parse(good, "b", 10, count, &n, &err));
    assert_int_equal(n, 1);
    json_decref(good);
}

/* One wrong domain spoils them all; and the file is written anew. */
static void
a_file_that_is_not_ours_does_no_harm(void **state)
{
    static const char *const texts[] = { "", "{", "{}", "5", "{\"boot\":\"b\",\"domains\":{}}x" };
    struct world *w = *state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        read_as(w, 1, 7, "running", "booted");
        restart(w);
        end(w);
        write_file(w, texts[i]);
        begin(w);
        assert_false(is_of_before(read_as(w, 1, 7, "running", "booted")));
        restart(w);
        assert_true(is_of_before(read_as(w, 1, 7, "running", "booted")));
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_domain_that_is_as_it_was_has_been_so_since_then),
        TEST(a_domain_that_is_not_as_it_was_began_to_be_so_now),
        TEST(domains_are_kept_until_all_have_been_read),
        TEST(a_document_that_is_not_ours_is_refused),
        TEST(a_file_that_is_not_ours_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
