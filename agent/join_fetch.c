#include "agent/join_fetch.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/json.h"
#include "base/text.h"

#define TIMEOUT_MS 20000
#define ANSWER_MAX (1 << 20)
#define SHA_BYTES 32

/* The last part of "v1.ID.SECRET.FINGERPRINT", as curl wants it: "sha256//BASE64". */
static bool
pin_of(const char *token, char pin[64], struct error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *hex = strrchr(token, '.');
    uint8_t sha[SHA_BYTES + 1] = { 0 };
    char *out = pin;
    for (size_t i = 0; hex && i < SHA_BYTES; i++) {
        int byte = text_hex_byte(hex + 1 + 2 * i);
        if (byte < 0)
            hex = NULL;
        else
            sha[i] = (uint8_t) byte;
    }
    if (!hex || hex[1 + 2 * SHA_BYTES] || strncmp(token, "v1.", 3))
        return error_set(err, ERROR_INVALID, "--token: this is no token of 'vnetctl host-token', or not all of it");
    out += sprintf(out, "sha256//");
    for (size_t i = 0; i < SHA_BYTES; i += 3) {
        uint32_t group = (uint32_t) sha[i] << 16 | (uint32_t) sha[i + 1] << 8 | (i + 2 < SHA_BYTES ? sha[i + 2] : 0);
        for (int shift = 18; shift >= 0; shift -= 6)
            *out++ = digits[group >> shift & 63];
    }
    strcpy(out - 1, "="); /* 32 bytes end in a group of two */
    return true;
}

static size_t
on_body(char *data, size_t size, size_t n, void *aux)
{
    struct bytes *received = aux;
    if (received->n + size * n > ANSWER_MAX)
        return 0;
    bytes_put(received, data, size * n);
    return size * n;
}

static char *
member(const json_t *body, const char *key)
{
    const char *text = json_member_string(body, key);
    return text ? mem_strdup(text) : NULL;
}

static bool
read_answer(CURL *curl, const struct bytes *received, struct join_answer *answer, struct error *err)
{
    long status = 0;
    const char *ip = NULL;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_LOCAL_IP, &ip);
    json_t *body = json_parse((const char *) received->data, received->n, "the answer", err);
    if (!body)
        return false;
    const char *message = json_member_string(json_object_get(body, "error"), "message");
    *answer = (struct join_answer){ member(body, "certificate"), member(body, "ca"), member(body, "manager"), mem_strdup(ip ? ip : "") };
    bool is_ok = status == 200 && answer->certificate && answer->ca && answer->manager;
    if (!is_ok)
        error_set(err, ERROR_FORBIDDEN, "vnetd refuses: %s", message ? message : "its answer is not that of a vnetd");
    json_decref(body);
    return is_ok;
}

static bool
transfer_error(const char *server, CURLcode code, const char *why, struct error *err)
{
    if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        return error_set(err, ERROR_FORBIDDEN,
                         "%s: this is not the vnetd that made the token (its key is another one); nothing was told to it", server);
    return error_set(err, ERROR_UNAVAILABLE, "%s: %s", server, *why ? why : curl_easy_strerror(code));
}

static CURLcode
perform(CURL *curl, const char *server, const char *pin, const char *body, struct bytes *received)
{
    size_t n = strlen(server);
    char *url = mem_printf("%.*s/v1/join", (int) (server[n - 1] == '/' ? n - 1 : n), server);
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long) TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L); /* there is no CA to verify by yet: the pin does it */
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pin);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, received);
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    free(url);
    return code;
}

bool
join_fetch(const char *server, const struct join_question *q, struct join_answer *answer, struct error *err)
{
    char pin[64], why[CURL_ERROR_SIZE] = "";
    struct bytes received = BYTES_INIT;
    if (!pin_of(q->token, pin, err))
        return false;
    json_t *question = json_pack("{s:s,s:s,s:s}", "token", q->token, "name", q->name, "request", q->request);
    char *body = json_text(question);
    CURL *curl = curl_easy_init();
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    CURLcode code = perform(curl, server, pin, body, &received);
    bool is_ok = code == CURLE_OK ? read_answer(curl, &received, answer, err) : transfer_error(server, code, why, err);
    curl_easy_cleanup(curl);
    json_decref(question);
    free(body);
    bytes_done(&received);
    return is_ok;
}

void
join_answer_done(struct join_answer *a)
{
    free(a->certificate);
    free(a->ca);
    free(a->manager);
    free(a->local_ip);
}
