/* vnetd as its agent hears it: the stream of instructions, then what comes for answers to its reports and questions, one after the other. The
 * pieces of an input are parted by lines that are "%%"; one that begins with "HTTP/" is a whole answer, others are bodies of good ones. When
 * there are none left, connections are closed unanswered. */
#include "tests/fuzz/fuzz.h"

#include <curl/curl.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <signal.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/link.h"
#include "base/log.h"

#define QUIET_TURNS 12 /* of a millisecond; changes are gathered for 5 before they are told */
#define TURNS_MAX 500
#define CALL_MS 200
#define PARTING "\n%%\n"
#define XML                                                                                                      \
    "<domain><uuid>dc2b9d00-dd64-4485-add1-0b9917418121</uuid><name>vm</name><devices><interface type='bridge'>" \
    "<mac address='52:54:00:00:00:01'/><virtualport type='openvswitch'><parameters "                             \
    "interfaceid='22222222-0000-4000-8000-000000000001'/></virtualport></interface></devices></domain>"

struct scene {
    struct event_base *base;
    struct evconnlistener *listener;
    char dir[32], server[64];
    char *rest; /* of the input; NULL: it is used up */
    struct domains domains;
    struct domain *domain;
    struct vnetd_link *link;
    unsigned n_events, n_asked, n_answered;
    bool is_up;
};

/* ---- vnetd ---- */

static const char *
piece_next(struct scene *s)
{
    char *piece = s->rest, *end = piece ? strstr(piece, PARTING) : NULL;
    s->rest = end ? end + strlen(PARTING) : NULL;
    if (end)
        *end = '\0';
    return piece;
}

static void
on_written(struct bufferevent *bev, void *aux)
{
    bufferevent_free(bev);
}

static void
answer(struct bufferevent *bev, struct scene *s, bool is_stream)
{
    struct evbuffer *out = bufferevent_get_output(bev);
    const char *piece = piece_next(s);
    if (piece && strncmp(piece, "HTTP/", 5) && is_stream)
        evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n");
    else if (piece && strncmp(piece, "HTTP/", 5))
        evbuffer_add_printf(out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n", strlen(piece));
    if (piece)
        evbuffer_add(out, piece, strlen(piece));
    if (!evbuffer_get_length(out)) {
        bufferevent_free(bev);
    } else if (!is_stream) {
        bufferevent_disable(bev, EV_READ);
        bufferevent_setcb(bev, NULL, on_written, NULL, NULL);
    }
}

static void
on_read(struct bufferevent *bev, void *aux)
{
    struct scene *s = aux;
    struct evbuffer *in = bufferevent_get_input(bev);
    struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    s->n_events++;
    if (end.pos < 0)
        return;
    bool is_stream = evbuffer_search(in, "/v1/agent/instructions?", 23, NULL).pos >= 0;
    evbuffer_drain(in, evbuffer_get_length(in));
    answer(bev, s, is_stream);
}

static void
on_event(struct bufferevent *bev, short what, void *aux)
{
    bufferevent_free(bev);
}

static void
on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *address, int n, void *aux)
{
    struct scene *s = aux;
    struct bufferevent *bev = bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(bev, on_read, NULL, on_event, s);
    bufferevent_enable(bev, EV_READ | EV_WRITE);
    s->n_events++;
}

/* ---- its agent ---- */

static void
on_declared(void *aux, const struct error *err)
{
    struct scene *s = aux;
    FUZZ_CLAIM(!err || *err->text);
    s->n_answered++;
}

static void
on_waited(void *aux, bool is_ready)
{
    ((struct scene *) aux)->n_answered++;
}

static void
on_turn(void *aux, bool is_up)
{
    struct scene *s = aux;
    s->n_events++;
    s->is_up = is_up;
    if (!is_up)
        return;
    vnetd_link_declare(s->link, s->domain, CALL_MS, on_declared, s);
    vnetd_link_wait(s->link, s->domain, CALL_MS, on_waited, s);
    s->n_asked += 2;
}

static void
on_counting(void *aux, bool is_wanted)
{
    struct scene *s = aux;
    FUZZ_CLAIM(!is_wanted || s->is_up);
    if (is_wanted)
        vnetd_link_set_connections(s->link, json_array());
}

static void
start(struct scene *s)
{
    struct error err;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct uuid gone = { .b = { 1 } };
    strcpy(s->dir, "/dev/shm/vnet-fuzz.XXXXXX");
    FUZZ_CLAIM(mkdtemp(s->dir));
    snprintf(s->server, sizeof s->server, "unix:%s/api", s->dir);
    strcpy(address.sun_path, s->server + strlen("unix:"));
    s->base = event_base_new();
    s->listener = evconnlistener_new_bind(s->base, on_accept, s, LEV_OPT_CLOSE_ON_FREE, 16, (struct sockaddr *) &address, sizeof address);
    FUZZ_CLAIM(s->listener);
    domains_init(&s->domains);
    domain_remove(&s->domains, domain_get(&s->domains, gone, "gone", agent_now_ms()));
    struct domain_doc *doc = domain_doc_parse(XML, strlen(XML), &err);
    FUZZ_CLAIM(doc);
    s->domain = domain_get(&s->domains, doc->id, doc->name, agent_now_ms());
    s->domain->is_active = true;
    domain_set_doc(s->domain, doc);
    s->link = vnetd_link_new(s->base, &(struct api_server){ .server = s->server }, &s->domains, &err);
    FUZZ_CLAIM(s->link);
    vnetd_link_on_turn(s->link, on_turn, s);
    vnetd_link_on_counting(s->link, on_counting, s);
    vnetd_link_set_answering(s->link, true);
    vnetd_link_set_underlay(s->link, &(struct underlay_facts){ .device = "eth0", .mtu = 1500, .is_up = true });
    vnetd_link_tell(s->link, true);
    vnetd_link_declare(s->link, s->domain, CALL_MS, on_declared, s); /* nobody is there yet: later */
    vnetd_link_wait(s->link, s->domain, CALL_MS, on_waited, s);
    s->n_asked = 2;
    vnetd_link_set_host(s->link, "hv1");
}

static void
stop(struct scene *s)
{
    vnetd_link_free(s->link);
    FUZZ_CLAIM(s->n_answered == s->n_asked);
    evconnlistener_free(s->listener);
    event_base_loop(s->base, EVLOOP_NONBLOCK); /* connections of the listener end */
    event_base_free(s->base);
    domains_done(&s->domains);
    unlink(s->server + strlen("unix:"));
    FUZZ_CLAIM(!rmdir(s->dir));
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    log_init("fuzz");
    log_console(false);
    signal(SIGPIPE, SIG_IGN); /* as vnet-agent does */
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = fuzz_text(data, n);
    struct scene s = { .rest = text };
    start(&s);
    for (unsigned quiet = 0, turns = 0; quiet < QUIET_TURNS && turns < TURNS_MAX; turns++) {
        unsigned before = s.n_events;
        event_base_loopexit(s.base, &(struct timeval){ .tv_usec = 1000 });
        event_base_loop(s.base, EVLOOP_ONCE);
        quiet = s.n_events == before ? quiet + 1 : 0;
    }
    stop(&s);
    free(text);
    return 0;
}
