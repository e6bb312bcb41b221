#include "agent/conntrack.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/conntrack_counts.h"
#include "agent/conntrack_reply.h"
#include "agent/unix_connect.h"
#include "base/alloc.h"
#include "ofproto/ovsdb/jsonrpc.h"

#define LOG_MODULE "conntrack"
#include "base/log.h"

struct conntrack {
    struct event_base *base;
    char *folder, *datapath; /* "netdev@ovs-netdev"; NULL: not known yet */
    bool is_wanted;
    struct bufferevent *bev; /* NULL: nothing is being asked */
    struct conntrack_reply reply;
    struct conntrack_counts *counts;
    int64_t began_ms, rested_ms; /* monotonic; the second: not before */
    struct event *ask, *deadline;
    conntrack_counted *counted;
    void *aux;
};

static struct log_limit failures = LOG_LIMIT(5);

static void
wait_ms(struct event *timer, int64_t ms)
{
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    evtimer_add(timer, &tv);
}

/* ---- an answer ---- */

static void
stop_asking(struct conntrack *c)
{
    if (c->bev)
        bufferevent_free(c->bev);
    c->bev = NULL;
    conntrack_counts_free(c->counts);
    c->counts = NULL;
    evtimer_del(c->deadline);
}

/* err NULL: it is whole. */
static void
answered(struct conntrack *c, const struct error *err)
{
    int64_t now_ms = agent_now_ms(), rest_ms = (now_ms - c->began_ms) * CONNTRACK_REST;
    int64_t every_ms = rest_ms > CONNTRACK_EVERY_MS ? rest_ms : CONNTRACK_EVERY_MS;
    json_t *told = json_null();
    if (err)
        log_warn_limited(&failures, "how many connections are open is not known: %s", err->text);
    else
        told = json_pack("{s:I,s:o}", "every_ms", (json_int_t) every_ms, "counts", conntrack_counts_json(c->counts));
    log_dbg("%zu bytes in %lld ms", c->reply.n_bytes, (long long) (now_ms - c->began_ms));
    stop_asking(c);
    c->rested_ms = c->began_ms + rest_ms;
    wait_ms(c->ask, c->began_ms + every_ms - now_ms);
    c->counted(c->aux, told);
}

static bool
on_line(void *aux, const char *line, size_t n, struct error *err)
{
    struct conntrack_entry entry;
    bool is_balanced;
    if (!conntrack_line_read(line, n, &entry, &is_balanced, err))
        return false;
    return !is_balanced || conntrack_counts_add(((struct conntrack *) aux)->counts, &entry, err);
}

static void
on_read(struct bufferevent *bev, void *aux)
{
    struct conntrack *c = aux;
    struct error err;
    struct evbuffer *in = bufferevent_get_input(bev);
    struct evbuffer_iovec vec;
    while (evbuffer_peek(in, -1, NULL, &vec, 1) > 0) {
        if (!conntrack_reply_push(&c->reply, vec.iov_base, vec.iov_len, &err)) {
            answered(c, &err);
            return;
        }
        evbuffer_drain(in, vec.iov_len);
    }
    if (conntrack_reply_is_whole(&c->reply))
        answered(c, NULL);
}

static void
on_event(struct bufferevent *bev, short what, void *aux)
{
    struct error err;
    if (what & BEV_EVENT_CONNECTED)
        return;
    error_set(&err, ERROR_UNAVAILABLE, "ovs-vswitchd closed the connection");
    answered(aux, &err);
}

static void
on_deadline(evutil_socket_t fd, short what, void *aux)
{
    struct error err;
    error_set(&err, ERROR_TIMEOUT, "ovs-vswitchd has not answered within %d seconds", CONNTRACK_DEADLINE_MS / 1000);
    answered(aux, &err);
}

/* ---- a question ---- */

/* Its name has the number of the process, which a file beside it tells. */
static char *
find_socket(const struct conntrack *c, struct error *err)
{
    char *file = mem_printf("%s/ovs-vswitchd.pid", c->folder), *name = NULL;
    FILE *f = fopen(file, "re");
    unsigned pid = 0;
    if (f && fscanf(f, "%9u", &pid) == 1 && pid)
        name = mem_printf("%s/ovs-vswitchd.%u.ctl", c->folder, pid);
    else
        error_set(err, ERROR_UNAVAILABLE, "%.300s does not tell ovs-vswitchd's process", file);
    if (f)
        fclose(f);
    free(file);
    return name;
}

static void
on_ask(evutil_socket_t fd, short what, void *aux)
{
    struct conntrack *c = aux;
    struct error err;
    if (!c->is_wanted || !c->datapath || c->bev)
        return;
    c->began_ms = agent_now_ms();
    char *file = find_socket(c, &err);
    c->bev = file ? unix_connect(c->base, file, &err) : NULL;
    free(file);
    if (!c->bev) {
        answered(c, &err);
        return;
    }
    c->counts = conntrack_counts_new();
    conntrack_reply_init(&c->reply, on_line, c);
    bufferevent_setcb(c->bev, on_read, NULL, on_event, c);
    bufferevent_enable(c->bev, EV_READ | EV_WRITE);
    jsonrpc_send_request(c->bev, "dpctl/dump-conntrack", json_pack("[s,s]", "-m", c->datapath), json_integer(1));
    wait_ms(c->deadline, CONNTRACK_DEADLINE_MS);
}

/* At once, but for the rest that is due. */
static void
ask_soon(struct conntrack *c)
{
    int64_t rest_ms = c->rested_ms - agent_now_ms();
    if (c->is_wanted && c->datapath && !c->bev)
        wait_ms(c->ask, rest_ms > 0 ? rest_ms : 0);
}

void
conntrack_set_datapath(struct conntrack *c, const char *type)
{
    char *name = mem_printf("%s@ovs-%s", type, type);
    if (c->datapath && !strcmp(c->datapath, name)) {
        free(name);
        return;
    }
    free(c->datapath);
    c->datapath = name;
    ask_soon(c);
}

void
conntrack_set_wanted(struct conntrack *c, bool is_wanted)
{
    if (c->is_wanted == is_wanted)
        return;
    c->is_wanted = is_wanted;
    log_info("open connections of load balancers are counted %s", is_wanted ? "from now on" : "no longer");
    if (is_wanted) {
        ask_soon(c);
        return;
    }
    if (c->bev)
        c->rested_ms = agent_now_ms() + (agent_now_ms() - c->began_ms) * CONNTRACK_REST;
    stop_asking(c);
    evtimer_del(c->ask);
}

/* ---- lifetime ---- */

struct conntrack *
conntrack_new(struct event_base *base, const char *folder, conntrack_counted *counted, void *aux)
{
    struct conntrack *c = mem_zalloc(sizeof *c);
    *c = (struct conntrack){ .base = base, .folder = mem_strdup(folder), .counted = counted, .aux = aux };
    c->ask = evtimer_new(base, on_ask, c);
    c->deadline = evtimer_new(base, on_deadline, c);
    return c;
}

void
conntrack_free(struct conntrack *c)
{
    if (!c)
        return;
    stop_asking(c);
    event_free(c->ask);
    event_free(c->deadline);
    free(c->folder);
    free(c->datapath);
    free(c);
}
