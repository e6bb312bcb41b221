#include "tests/unit/api_lab.h"

#include <string.h>
#include <unistd.h>

#define NETWORK                                                                          \
    "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"             \
    "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/24'}}," \
    "{'op':'add','type':'port','name':'p','values':{'subnet':'s'}}]"

int
api_lab_start(void **state)
{
    return controller_lab_setup(state, NETWORK);
}

void
needs_root(void)
{
    if (geteuid())
        skip();
}

void
expect_error(const struct answer *a, int status, const char *word)
{
    struct error err;
    json_t *body = json_parse(a->body, strlen(a->body), "answer", &err);
    const char *message = json_member_string(json_object_get(body, "error"), "message");
    if (a->status != status || !message || !strstr(message, word))
        fail_msg("not %d with '%s' but %s%s", status, word, a->head, a->body);
    assert_non_null(json_member_string(json_object_get(body, "error"), "code"));
    json_decref(body);
}

void
expect_well(struct controller_lab *lab)
{
    assert_int_equal(api_status(lab, "GET", "/healthz", NULL), 200);
}
