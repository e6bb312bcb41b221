/* Who listens and who asks: the API's listeners, and their clients within limits. */
#include <event2/bufferevent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/list.h"
#include "base/map.h"
#include "base/text.h"
#include "controller/api/api.h"
#include "controller/api/connection.h"
#include "controller/api/http.h"
#include "controller/api/route.h"
#include "controller/controller.h"
#include "ofproto/session/endpoint.h"

#define LOG_MODULE "api"
#include "base/log.h"

struct api {
    struct controller *controller;
    struct api_listener {
        struct api *api;
        struct endpoint_listener *endpoint;
    } listeners[OPTION_LISTENERS_MAX];
    size_t n_listeners;
    struct client *clients;
    size_t n_clients, n_common, n_refused; /* n_common: of n_clients, those that are no admins */
    struct map crowds;
    struct list strangers; /* the one that came first, first */
    struct log_limit limit;
};

/* The connections of one principal that is no admin. */
struct crowd {
    struct map_node by_scope;
    char scope[160];
    size_t n;
};

/* A connection, and who is on its other side. */
struct client {
    struct api_listener *listener;
    struct client *next, *prev;
    struct connection *connection;
    struct crowd *crowd; /* NULL: an admin's, a stranger's, or a refused one */
    bool is_refused;
    struct principal principal;
    bool is_known; /* else 'unknown' says why not */
    struct error unknown;
    bool is_stranger;           /* it has no certificate: all that it can ask is to join */
    struct list_node strangers; /* of those that have room */
    struct event *patience;     /* with a stranger; NULL: with others there is no end to it */
    char scope[160];
    char ip[46], local_ip[46];
};

/* ---- how many there are ---- */

static struct crowd *
crowd_find(const struct api *api, const char *scope)
{
    MAP_FOR_EACH_HASH (n, &api->crowds, hash_string(scope)) {
        struct crowd *crowd = CONTAINER_OF(n, struct crowd, by_scope);
        if (!strcmp(crowd->scope, scope))
            return crowd;
    }
    return NULL;
}

static void
crowd_join(struct api *api, struct client *client)
{
    struct crowd *crowd = crowd_find(api, client->scope);
    if (!crowd) {
        crowd = mem_zalloc(sizeof *crowd);
        snprintf(crowd->scope, sizeof crowd->scope, "%s", client->scope);
        map_insert(&api->crowds, &crowd->by_scope, hash_string(crowd->scope));
    }
    crowd->n++;
    client->crowd = crowd;
}

static void
crowd_leave(struct api *api, struct crowd *crowd)
{
    if (--crowd->n)
        return;
    map_remove(&api->crowds, &crowd->by_scope);
    free(crowd);
}

static void cut_off(struct client *);

/* An address has few; of more addresses than there is room for, one that came later ends the first that asks for nothing. */
static bool
has_room_for_stranger(struct api *api, const char *ip)
{
    size_t n = 0, n_of_one = 0;
    struct client *idle = NULL;
    LIST_FOR_EACH_SAFE(node, next, &api->strangers)
    {
        struct client *client = CONTAINER_OF(node, struct client, strangers);
        n++;
        n_of_one += !strcmp(client->ip, ip);
        if (!idle && !connection_user(client->connection))
            idle = client;
    }
    if (n_of_one >= LIMIT_STRANGERS_OF_ONE || (n >= LIMIT_STRANGERS && !idle))
        return false;
    if (n >= LIMIT_STRANGERS)
        cut_off(idle);
    return true;
}

/* Nobody can shut another out: each has a share, and admins have a room of their own. */
static bool
has_room(struct api *api, const struct client *client)
{
    if (client->principal.role == PRINCIPAL_ADMIN)
        return api->n_clients < LIMIT_CLIENTS;
    if (api->n_common >= LIMIT_CLIENTS - LIMIT_CLIENTS_ADMIN)
        return false;
    const struct crowd *crowd = client->is_stranger ? NULL : crowd_find(api, client->scope);
    return client->is_stranger ? has_room_for_stranger(api, client->ip) : !crowd || crowd->n < LIMIT_CLIENTS_OF_ONE;
}

static void
count_in(struct api *api, struct client *client)
{
    if (client->is_refused) {
        api->n_refused++;
        return;
    }
    api->n_clients++;
    if (client->principal.role == PRINCIPAL_ADMIN)
        return;
    api->n_common++;
    if (client->is_stranger)
        list_push(&api->strangers, &client->strangers);
    else
        crowd_join(api, client);
}

static void
count_out(struct api *api, struct client *client)
{
    if (client->is_refused) {
        api->n_refused--;
        return;
    }
    api->n_clients--;
    if (client->principal.role == PRINCIPAL_ADMIN)
        return;
    api->n_common--;
    list_remove(&client->strangers);
    if (client->crowd)
        crowd_leave(api, client->crowd);
}

/* ---- what a connection tells ---- */

static struct call *
client_call(struct client *client)
{
    return call_new(client->listener->api->controller, client->connection, &client->principal, client->scope, client->local_ip);
}

static void
on_request(void *aux, struct connection *connection)
{
    struct client *client = aux;
    struct call *call = client_call(client);
    if (client->is_known || api_is_join(call))
        call_dispatch(call);
    else
        call_error(call, &client->unknown, -1);
}

static void
on_bad(void *aux, struct connection *connection, const struct error *err)
{
    call_error(client_call(aux), err, -1);
}

static void
on_drained(void *aux, struct connection *connection)
{
    call_drained(connection_user(connection));
}

static void
on_gone(void *aux, struct connection *connection)
{
    call_gone(connection_user(connection));
}

static void
client_unlink(struct client *client)
{
    struct api *api = client->listener->api;
    if (client->prev)
        client->prev->next = client->next;
    else
        api->clients = client->next;
    if (client->next)
        client->next->prev = client->prev;
    count_out(api, client);
    endpoint_listener_released(client->listener->endpoint);
    if (client->patience)
        event_free(client->patience);
    free(client);
}

static void
on_closed(void *aux, struct connection *connection)
{
    client_unlink(aux);
}

/* Whatever it does; not from within what its connection tells. */
static void
cut_off(struct client *client)
{
    struct call *call = connection_user(client->connection);
    connection_free(client->connection);
    client_unlink(client);
    if (call)
        call_gone(call);
}

static void
on_patience_over(evutil_socket_t fd, short what, void *aux)
{
    cut_off(aux);
}

static const struct connection_ops connection_ops = {
    .request = on_request,
    .bad = on_bad,
    .drained = on_drained,
    .gone = on_gone,
    .closed = on_closed,
};

/* ---- who asks ---- */

static bool
identify(struct client *client, const struct endpoint_peer *peer, struct error *err)
{
    struct principal *p = &client->principal;
    switch (peer->kind) {
    case ENDPOINT_TCP:
        p->role = PRINCIPAL_ADMIN;
        snprintf(p->name, sizeof p->name, "tcp");
        snprintf(client->scope, sizeof client->scope, "tcp");
        return true;
    case ENDPOINT_UNIX:
        p->role = peer->uid ? PRINCIPAL_READER : PRINCIPAL_ADMIN;
        snprintf(p->name, sizeof p->name, "uid %u", peer->uid);
        snprintf(client->scope, sizeof client->scope, "unix:%u", peer->uid);
        return true;
    case ENDPOINT_TLS:
        client->is_stranger = !*peer->cn;
        if (client->is_stranger) {
            p->role = PRINCIPAL_HOST; /* of all roles that which may the least; and is_known is false */
            snprintf(client->scope, sizeof client->scope, "no certificate");
            return error_set(err, ERROR_FORBIDDEN, "a client certificate is needed: -c and -p; 'vnetctl pki client NAME' makes one");
        }
        snprintf(client->scope, sizeof client->scope, "tls:%s:%s", peer->ou, peer->cn);
        return principal_from_certificate(peer->cn, peer->ou, p, err);
    }
    return error_set(err, ERROR_FORBIDDEN, "who asks cannot be told");
}

/* ---- listening ---- */

static void
log_refusal(struct api *api, const struct client *client, const struct endpoint_peer *peer)
{
    char who[sizeof client->scope];
    text_escape(who, sizeof who, client->scope);
    log_warn_limited(&api->limit, "%s (%s) is refused: there are %zu connections, %zu of them not of admins; one principal may have %d",
                     peer->address, who, api->n_clients, api->n_common, LIMIT_CLIENTS_OF_ONE);
}

static void
refuse(struct client *client)
{
    struct error err;
    error_set(&err, ERROR_UNAVAILABLE, "there are too many connections to vnetd; try again later");
    connection_refuse(client->connection, &err);
}

static void
client_link(struct api *api, struct client *client)
{
    client->next = api->clients;
    if (api->clients)
        api->clients->prev = client;
    api->clients = client;
    count_in(api, client);
}

static void
start_patience(struct client *client)
{
    const struct timeval tv = { LIMIT_HANDSHAKE_MS / 1000, LIMIT_HANDSHAKE_MS % 1000 * 1000 };
    client->patience = evtimer_new(client->listener->api->controller->base, on_patience_over, client);
    evtimer_add(client->patience, &tv);
}

static void
accepted(void *aux, struct bufferevent *bev, const struct endpoint_peer *peer)
{
    struct api_listener *l = aux;
    struct api *api = l->api;
    struct client *client = mem_zalloc(sizeof *client);
    client->listener = l;
    snprintf(client->ip, sizeof client->ip, "%s", peer->ip);
    snprintf(client->local_ip, sizeof client->local_ip, "%s", peer->local_ip);
    client->is_known = identify(client, peer, &client->unknown);
    client->is_refused = !has_room(api, client);
    if (client->is_refused)
        log_refusal(api, client, peer);
    if (client->is_refused && api->n_refused >= LIMIT_CLIENTS_REFUSED) {
        bufferevent_free(bev);
        endpoint_listener_released(l->endpoint);
        free(client);
        return;
    }
    client_link(api, client);
    size_t body_max = client->principal.role == PRINCIPAL_READER || !client->is_known ? LIMIT_READER_REQUEST_BYTES : LIMIT_REQUEST_BYTES;
    client->connection = connection_new(api->controller->base, bev, body_max, &connection_ops, client);
    if (client->is_stranger)
        start_patience(client);
    if (client->is_refused)
        refuse(client);
}

static bool
listen_one(struct api *api, const char *method, struct error *err)
{
    struct endpoint e;
    struct controller *c = api->controller;
    if (!endpoint_parse(method, &e, err))
        return error_prefix(err, "--api");
    struct api_listener *l = &api->listeners[api->n_listeners];
    *l = (struct api_listener){ .api = api };
    l->endpoint = endpoint_listen(c->base, &e, c->tls, NULL, accepted, l, err);
    if (!l->endpoint)
        return error_prefix(err, "--api");
    if (e.kind == ENDPOINT_TCP)
        log_warn("--api=%s is unauthenticated: whoever reaches it is admin", method);
    endpoint_listener_allow_anonymous(l->endpoint); /* a host that joins has nothing yet */
    api->n_listeners++;
    return true;
}

struct api *
api_new(struct controller *c, struct error *err)
{
    struct api *api = mem_zalloc(sizeof *api);
    api->controller = c;
    map_init(&api->crowds);
    list_init(&api->strangers);
    api->limit = (struct log_limit) LOG_LIMIT(10);
    for (size_t i = 0; i < c->options->api.n; i++) {
        if (!listen_one(api, c->options->api.v[i], err)) {
            api_free(api);
            return NULL;
        }
    }
    return api;
}

void
api_free(struct api *api)
{
    if (!api)
        return;
    while (api->clients)
        cut_off(api->clients);
    for (size_t i = 0; i < api->n_listeners; i++)
        endpoint_listener_free(api->listeners[i].endpoint);
    map_done(&api->crowds);
    free(api);
}
