/* Requests bounded by --timeout. The daemon gets to know how long it may take, and a little more time to say that it could not. */
#include "tools/vnetctl/client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"

#define SLACK_MS 3000

static int64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
client_init(struct client *c, const struct options *o, struct error *err)
{
    *c = (struct client){ .options = o, .deadline_ms = now_ms() + (int64_t) o->timeout_s * 1000 };
    c->http = http_new(o, err);
    return c->http != NULL;
}

void
client_done(struct client *c)
{
    http_free(c->http);
    c->http = NULL;
}

int
client_seconds_left(const struct client *c)
{
    int64_t left_ms = c->deadline_ms - now_ms();
    return left_ms > 1000 ? (int) ((left_ms + 999) / 1000) : 1;
}

void
client_url(const struct client *c, struct url *url, const char *what)
{
    url_init(url, "/v1");
    url_segment(url, what);
    url_query(url, "tenant", c->options->tenant);
}

bool
client_exchange(struct client *c, struct http_request r, struct http_answer *answer, struct error *err)
{
    r.timeout_ms = c->deadline_ms - now_ms() + SLACK_MS;
    *answer = (struct http_answer){ .error_op = -1 };
    if (r.timeout_ms <= 0)
        return error_set(err, ERROR_UNAVAILABLE, "not done within --timeout=%d", c->options->timeout_s);
    return http_exchange(c->http, &r, answer, err);
}

/* Puts the next page behind what is there. */
static bool
page_join(json_t **all, json_t *page, struct error *err)
{
    if (!*all) {
        *all = page;
        return true;
    }
    bool is_ok = json_is_array(*all) && json_is_array(page) && !json_array_extend(*all, page);
    json_decref(page);
    return is_ok || error_set(err, ERROR_PROTOCOL, "the daemon's next page is no listing");
}

bool
client_get(struct client *c, const char *path, json_t **answer, struct error *err)
{
    struct http_answer got = { .next = mem_strdup(path) };
    *answer = NULL;
    while (got.next) {
        char *next = got.next;
        bool is_ok =
            client_exchange(c, (struct http_request){ .method = "GET", .path = next }, &got, err) && page_join(answer, got.body, err);
        free(next);
        if (!is_ok) {
            free(got.next);
            json_decref(*answer);
            *answer = NULL;
            return false;
        }
    }
    return true;
}

bool
client_post(struct client *c, const char *path, const json_t *body, json_t **answer, struct error *err)
{
    char *text = json_text(body);
    struct http_answer got;
    struct http_request r = { .method = "POST", .path = path, .body = text, .n_body = strlen(text) };
    bool is_ok = client_exchange(c, r, &got, err);
    free(text);
    free(got.next);
    *answer = got.body;
    return is_ok;
}
