/* HTTP by libcurl. The connection is kept from request to request. Proxies of the environment are ignored: the daemon is on this machine
 * or on the management network. */
#include "tools/vnetctl/http.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"

struct http {
    CURL *curl;
    struct curl_slist *headers;
    const char *server; /* as the user wrote it */
    char *base;         /* "http://localhost" */
    struct http_tls tls;
    struct bytes received;
    char *next; /* of the answer being received */
    char why[CURL_ERROR_SIZE];
};

/* ---- receiving ---- */

static size_t
body_received(char *data, size_t size, size_t n, void *http_)
{
    struct http *http = http_;
    bytes_put(&http->received, data, size * n);
    return size * n;
}

/* Link: </v1/port?after=...>; rel="next". Only the path counts: a page never leads to another server. */
static void
link_parse(struct http *http, const char *value)
{
    const char *start = strchr(value, '<'), *end = start ? strchr(start, '>') : NULL;
    if (!end || !strstr(end, "rel=\"next\""))
        return;
    start++;
    const char *scheme = strstr(start, "://");
    if (scheme && scheme < end)
        start = strchr(scheme + 3, '/');
    if (start && start < end && *start == '/') {
        free(http->next);
        http->next = mem_printf("%.*s", (int) (end - start), start);
    }
}

static size_t
header_received(char *data, size_t size, size_t n, void *http_)
{
    static const char name[] = "Link:";
    if (size * n > sizeof name && !strncasecmp(data, name, sizeof name - 1)) {
        char *value = mem_printf("%.*s", (int) (size * n - (sizeof name - 1)), data + sizeof name - 1);
        link_parse(http_, value);
        free(value);
    }
    return size * n;
}

/* ---- setting up ---- */

/* HOST:PORT of an URL; nothing may follow, and no user or password may be in it. */
static bool
authority_check(const char *authority, struct error *err)
{
    size_t n = strspn(authority, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:[]%");
    if (!n || (authority[n] && strcmp(authority + n, "/")))
        return error_set(err, ERROR_INVALID, "--server: give unix:FILE, https://HOST:PORT or http://HOST:PORT");
    return true;
}

static bool
server_configure(struct http *http, const struct options *o, struct error *err)
{
    const char *server = o->server;
    if (!strncmp(server, "unix:", 5) && server[5]) {
        http->base = mem_strdup("http://localhost");
        if (curl_easy_setopt(http->curl, CURLOPT_UNIX_SOCKET_PATH, server + 5) != CURLE_OK)
            return error_set(err, ERROR_INVALID, "--server=%s: the file's name is too long", server);
        return true;
    }
    bool is_tls = !strncmp(server, "https://", 8);
    if (!is_tls && strncmp(server, "http://", 7))
        return error_set(err, ERROR_INVALID, "--server=%s: give unix:FILE, https://HOST:PORT or http://HOST:PORT", server);
    if (!authority_check(server + (is_tls ? 8 : 7), err))
        return false;
    size_t n = strlen(server);
    http->base = mem_printf("%.*s", (int) (server[n - 1] == '/' ? n - 1 : n), server);
    return !is_tls || http_tls_configure(http->curl, o, &http->tls, err);
}

struct http *
http_new(const struct options *o, struct error *err)
{
    struct http *http = mem_zalloc(sizeof *http);
    http->server = o->server;
    http->curl = curl_easy_init();
    if (!http->curl)
        abort();
    http->headers = curl_slist_append(http->headers, "Content-Type: application/json");
    http->headers = curl_slist_append(http->headers, "Accept: application/json");
    http->headers = curl_slist_append(http->headers, "Expect:"); /* no round trip before a large body */
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
    curl_easy_setopt(http->curl, CURLOPT_USERAGENT, "vnetctl");
    curl_easy_setopt(http->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(http->curl, CURLOPT_PROXY, "");
    curl_easy_setopt(http->curl, CURLOPT_ERRORBUFFER, http->why);
    curl_easy_setopt(http->curl, CURLOPT_WRITEFUNCTION, body_received);
    curl_easy_setopt(http->curl, CURLOPT_WRITEDATA, http);
    curl_easy_setopt(http->curl, CURLOPT_HEADERFUNCTION, header_received);
    curl_easy_setopt(http->curl, CURLOPT_HEADERDATA, http);
    if (!server_configure(http, o, err)) {
        http_free(http);
        return NULL;
    }
    return http;
}

void
http_free(struct http *http)
{
    if (!http)
        return;
    curl_easy_cleanup(http->curl);
    curl_slist_free_all(http->headers);
    bytes_done(&http->received);
    free(http->next);
    free(http->base);
    free(http);
}

/* ---- failing ---- */

static bool
connect_error(struct http *http, struct error *err)
{
    long number = 0;
    curl_easy_getinfo(http->curl, CURLINFO_OS_ERRNO, &number);
    const char *why = number ? strerror((int) number) : *http->why ? http->why : "no connection";
    return error_set(err, ERROR_UNAVAILABLE, "%s: %s; is vnetd running there? --server or $VNET_SERVER names another", http->server, why);
}

static bool
timeout_error(struct http *http, const struct http_request *r, struct error *err)
{
    bool is_change = strcmp(r->method, "GET") && !strcmp(r->path, "/v1/transactions");
    return error_set(err, ERROR_UNAVAILABLE, "%s: no answer in time%s", http->server,
                     is_change ? "; the change may have been made or not: look before repeating it" : "");
}

static bool
transfer_error(struct http *http, CURLcode code, const struct http_request *r, struct error *err)
{
    const char *why = *http->why ? http->why : curl_easy_strerror(code);
    switch (code) {
    case CURLE_COULDNT_CONNECT: return connect_error(http, err);
    case CURLE_OPERATION_TIMEDOUT: return timeout_error(http, r, err);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
        if (http->tls.is_refused)
            return error_set(err, ERROR_UNAVAILABLE, "%s: the server's certificate has OU '%s', that of a daemon has 'vnetd'", http->server,
                             http->tls.refused_ou);
        return error_set(err, ERROR_UNAVAILABLE, "%s: %s; -C names the CA that signed the server's certificate", http->server, why);
    case CURLE_SSL_CERTPROBLEM:
        return error_set(err, ERROR_UNAVAILABLE, "%s: %s; -c and -p name a certificate and its key", http->server, why);
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return error_set(err, ERROR_UNAVAILABLE, "%s: %s%s", http->server, why,
                         strncmp(http->server, "https:", 6) ? "" : "; it may have refused the certificate of -c");
    default: return error_set(err, ERROR_UNAVAILABLE, "%s: %s", http->server, why);
    }
}

static enum error_code
error_code_by_name(const char *name)
{
    for (int i = 0; name && i < N_ERROR_CODES; i++)
        if (!strcmp(error_code_name(i), name))
            return i;
    return ERROR_INTERNAL;
}

static bool
status_error(struct http *http, long status, struct http_answer *answer, struct error *err)
{
    const json_t *error = json_object_get(answer->body, "error");
    const char *message = json_member_string(error, "message");
    if (!message)
        return error_set(err, ERROR_PROTOCOL, "%s: answered HTTP status %ld, not as a vnetd does", http->server, status);
    answer->error_op = json_member_int(error, "op", -1);
    return error_set(err, error_code_by_name(json_member_string(error, "code")), "%s", message);
}

/* ---- an exchange ---- */

static CURLcode
request_perform(struct http *http, const struct http_request *r)
{
    char *url = mem_printf("%s%s", http->base, r->path);
    curl_easy_setopt(http->curl, CURLOPT_URL, url);
    curl_easy_setopt(http->curl, CURLOPT_TIMEOUT_MS, (long) r->timeout_ms);
    if (r->body) {
        curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) r->n_body);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, r->body);
    } else {
        curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, r->method);
    bytes_clear(&http->received);
    free(http->next);
    http->next = NULL;
    http->why[0] = '\0';
    CURLcode code = curl_easy_perform(http->curl);
    free(url);
    return code;
}

static bool
body_parse(struct http *http, long status, json_t **body, struct error *err)
{
    *body = NULL;
    if (!http->received.n && status < 300)
        return true;
    *body = json_parse((const char *) http->received.data, http->received.n, "the answer", err);
    if (!*body && status < 300)
        return error_set(err, ERROR_PROTOCOL, "%s: its answer is not JSON, as a vnetd's is", http->server);
    return true;
}

bool
http_exchange(struct http *http, const struct http_request *r, struct http_answer *answer, struct error *err)
{
    *answer = (struct http_answer){ .error_op = -1 };
    CURLcode code = request_perform(http, r);
    if (code != CURLE_OK)
        return transfer_error(http, code, r, err);

    long status = 0;
    curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!body_parse(http, status, &answer->body, err))
        return false;
    if (status < 200 || status > 299) {
        status_error(http, status, answer, err);
        json_decref(answer->body);
        answer->body = NULL;
        return false;
    }
    answer->next = http->next;
    http->next = NULL;
    return true;
}
