/* A change that is repeated under its Idempotency-Key. */
#include "tests/unit/api_lab.h"

#include <signal.h>
#include <string.h>

#include "base/alloc.h"

static void
a_key_covers_the_tenant_and_the_whole_body(void **state)
{
    needs_root();
    struct api_client *c = api_client_new(*state, false);
    static const char body[] = "{\"ops\":[{\"op\":\"add\",\"type\":\"port\",\"name\":\"k\",\"values\":{\"subnet\":\"s\"}}]}";
    static const struct {
        const char *query;
        const char *wait;
        int status;
    } asked[] = {
        { "", "", 200 },
        { "", "", 200 },
        { "?tenant=other", "", 409 },
        { "", " ", 200 },
    };
    for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
        api_client_say(c, "POST /v1/transactions%s HTTP/1.1\r\nIdempotency-Key: one\r\nContent-Length: %zu\r\n\r\n%s%s", asked[i].query,
                       strlen(body) + strlen(asked[i].wait), body, asked[i].wait);
        struct answer a = api_client_answer(c);
        if (a.status != asked[i].status)
            fail_msg("%zu: %d %s", i, a.status, a.body);
        answer_done(&a);
    }
    api_client_free(c);
}

struct keyed {
    const char *method, *path, *key, *body;
    int status;
};

/* The body of the answer, of that status. Owned. */
static char *
ask_keyed(struct api_client *c, const struct keyed *r)
{
    api_client_say(c, "%s %s HTTP/1.1\r\nIdempotency-Key: %s\r\nContent-Length: %zu\r\n\r\n%s", r->method, r->path, r->key, strlen(r->body),
                   r->body);
    struct answer a = api_client_answer(c);
    if (a.status != r->status)
        fail_msg("%s %s under '%s': %d %s", r->method, r->path, r->key, a.status, a.body);
    char *body = mem_strdup(a.body);
    answer_done(&a);
    return body;
}

static void
a_change_repeated_under_its_key_changes_nothing_more(void **state)
{
    needs_root();
    static const struct keyed requests[] = {
        { "POST", "/v1/sg-rule", "add",
          "{\"sg\":\"v\",\"direction\":\"ingress\",\"proto\":\"tcp\",\"ports\":\"22\",\"peer\":\"0.0.0.0/0\"}", 201 },
        { "POST", "/v1/port", "add2", "{\"subnet\":\"s\"}", 201 },
        { "PATCH", "/v1/port/p", "set", "{\"tags\":{\"k\":\"v\"}}", 200 },
        { "DELETE", "/v1/port/p", "del", "", 204 },
    };
    struct controller_lab *lab = *state;
    struct api_client *c = api_client_new(lab, false);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        char *first = ask_keyed(c, &requests[i]);
        uint64_t revision = model_revision(lab->c.model);
        char *again = ask_keyed(c, &requests[i]);
        assert_string_equal(first, again);
        assert_int_equal(model_revision(lab->c.model), revision);
        free(first);
        free(again);
    }
    api_client_free(c);
    controller_lab_restart(lab);
    c = api_client_new(lab, false);
    free(ask_keyed(c, &requests[3]));
    free(ask_keyed(c, &(struct keyed){ "DELETE", "/v1/port/p", "another", "", 404 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "add2", "{\"subnet\":\"s\",\"name\":\"x\"}", 409 }));
    free(ask_keyed(c, &(struct keyed){ "PATCH", "/v1/port/p", "add2", "{\"subnet\":\"s\"}", 409 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port?tenant=other", "add2", "{\"subnet\":\"s\"}", 409 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/transactions", "add2", "{\"ops\":[]}", 409 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "", "{\"subnet\":\"s\"}", 400 }));
    api_client_free(c);
}

static void
what_failed_is_tried_again_under_its_key(void **state)
{
    needs_root();
    struct api_client *c = api_client_new(*state, false);
    static const char add[] = "{\"subnet\":\"later\",\"name\":\"x\"}";
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "k", add, 404 }));
    controller_lab_do(*state, "[{'op':'add','type':'subnet','name':'later','values':{'vpc':'v','cidr':'10.0.2.0/24'}}]");
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "k", add, 201 }));
    free(ask_keyed(c, &(struct keyed){ "POST", "/v1/port", "k", add, 201 }));
    api_client_free(c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        API_TEST(a_key_covers_the_tenant_and_the_whole_body),
        API_TEST(a_change_repeated_under_its_key_changes_nothing_more),
        API_TEST(what_failed_is_tried_again_under_its_key),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
