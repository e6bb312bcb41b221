/* Tokens, and hosts that join with one: POST /v1/host-token, POST /v1/join. The latter is the one thing that a client without a certificate may ask. */
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/api.h"
#include "controller/api/connection.h"
#include "controller/api/http.h"
#include "controller/controller.h"
#include "controller/host/host.h"
#include "controller/tokens.h"
#include "pki/pki.h"
#include "pki/pki_file.h"
#include "pki/pki_request.h"

#define LOG_MODULE "join"
#include "base/log.h"

#define TTL_S 3600
#define TTL_MAX_S (30 * 24 * 3600)

bool
api_is_join(const struct call *call)
{
    const struct http_head *head = connection_head(call->connection);
    return head->method && head->path && !strcmp(head->method, "POST") && !strcmp(head->path, "/v1/join");
}

/* The authority's key is beside its certificate. */
static char *
pki_folder(const struct controller *c)
{
    const char *ca = c->options->ca, *slash = strrchr(ca, '/');
    return slash ? mem_printf("%.*s", (int) (slash - ca), ca) : mem_strdup(".");
}

/* ---- tokens ---- */

static bool
make_token(const struct call *call, const json_t *body, char token[TOKEN_STRLEN], struct error *err)
{
    const char *host = json_member_string(body, "host");
    int64_t ttl = json_member_int(body, "ttl", TTL_S);
    if (!principal_may(&call->principal, VERB_ADMIN, NULL, err) || (host && !pki_name_check(host, err)))
        return false;
    if (ttl < 1 || ttl > TTL_MAX_S)
        return error_set(err, ERROR_INVALID, "ttl: must be a number of seconds from 1 to %d", TTL_MAX_S);
    return tokens_make(call->controller->tokens, host, (unsigned) ttl, token, err);
}

void
api_host_token(struct call *call)
{
    struct error err;
    char token[TOKEN_STRLEN];
    json_t *body = call_body(call, "host ttl", &err);
    if (body && make_token(call, body, token, &err))
        call_json(call, 200, json_pack("{s:s}", "token", token));
    else
        call_error(call, &err, -1);
    json_decref(body);
}

/* ---- joining ---- */

static char *
ca_text(const struct controller *c, struct error *err)
{
    X509 *cert = pki_read_cert(c->options->ca, err);
    char *text = cert ? pki_cert_text(cert, err) : NULL;
    X509_free(cert);
    return text;
}

/* Where its ovsdb-server shall connect: the address that the host itself came to, unless another is advertised. */
static char *
manager_target(const struct call *call, struct error *err)
{
    const struct controller *c = call->controller;
    uint16_t port = hosts_ovsdb_port(c->hosts);
    const char *ip = c->options->advertise ? c->options->advertise : call->local_ip;
    if (!port || !*ip) {
        error_set(err, ERROR_UNAVAILABLE, "vnetd has no --ovsdb=pssl: listener that the host could reach");
        return NULL;
    }
    return mem_printf(strchr(ip, ':') ? "ssl:[%s]:%u" : "ssl:%s:%u", ip, port);
}

static bool
check_name(const struct call *call, const char *name, struct error *err)
{
    const struct hypervisor *h = name ? host_by_name(call->controller->hosts, name) : NULL;
    if (!name)
        return error_set(err, ERROR_INVALID, "name: is missing; what shall the host be called?");
    if (h && h->db)
        return error_set(err, ERROR_CONFLICT, "host '%.63s' is connected already; join with another --name, or stop that one first", name);
    return pki_name_check(name, err);
}

/* The token is used up only by a join that is in order otherwise. */
static json_t *
join(const struct call *call, const json_t *body, struct error *err)
{
    const char *name = json_member_string(body, "name"), *token = json_member_string(body, "token");
    const char *request = json_member_string(body, "request");
    if (!token || !request) {
        error_set(err, ERROR_INVALID, "token, request: are needed to join");
        return NULL;
    }
    EVP_PKEY *key = check_name(call, name, err) ? pki_request_key(request, err) : NULL;
    char *target = key ? manager_target(call, err) : NULL, *ca = target ? ca_text(call->controller, err) : NULL, *cert = NULL;
    if (ca && tokens_use(call->controller->tokens, token, name, err)) {
        char *folder = pki_folder(call->controller);
        cert = pki_sign(folder, &(struct pki_subject){ name, "host", PKI_CLIENT }, request, err);
        free(folder);
    }
    json_t *answer = cert ? json_pack("{s:s,s:s,s:s}", "certificate", cert, "ca", ca, "manager", target) : NULL;
    pki_key_free(key);
    free(target);
    free(ca);
    free(cert);
    return answer;
}

void
api_join(struct call *call)
{
    struct error err;
    json_t *body = call_body(call, "token name request", &err);
    json_t *answer = body ? join(call, body, &err) : NULL;
    if (answer) {
        log_info("host '%s' joins with a new certificate", json_member_string(body, "name"));
        call_json(call, 200, answer);
    } else {
        call_error(call, &err, -1);
    }
    json_decref(body);
}
