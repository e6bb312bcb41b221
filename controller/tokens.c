#include "controller/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/map.h"
#include "controller/controller.h"
#include "controller/store/store.h"
#include "pki/pki_request.h"

#define ID_BYTES 6
#define SECRET_BYTES 16
#define DIGEST_STRLEN 65
#define TOKENS_MAX 10000

/* v1.ID.SECRET.FINGERPRINT, each but the first in hexadecimal digits. */
struct token {
    struct map_node by_id;
    char id[2 * ID_BYTES + 1];
    char digest[DIGEST_STRLEN]; /* of the secret */
    char host[LIMIT_NAME + 1];  /* "": any */
    int64_t until_ms;           /* wall clock */
};

struct tokens {
    struct controller *controller;
    struct map by_id;
};

struct tokens *
tokens_new(struct controller *c)
{
    struct tokens *all = mem_zalloc(sizeof *all);
    all->controller = c;
    map_init(&all->by_id);
    return all;
}

void
tokens_free(struct tokens *all)
{
    if (!all)
        return;
    MAP_FOR_EACH_SAFE (n, next, &all->by_id) {
        free(CONTAINER_OF(n, struct token, by_id));
    }
    map_done(&all->by_id);
    free(all);
}

static struct token *
token_find(const struct tokens *all, const char *id)
{
    MAP_FOR_EACH_HASH (n, &all->by_id, hash_string(id)) {
        struct token *t = CONTAINER_OF(n, struct token, by_id);
        if (!strcmp(t->id, id))
            return t;
    }
    return NULL;
}

static void
hex(char *out, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void
digest_of(const char *secret, char out[DIGEST_STRLEN])
{
    unsigned char sha[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!EVP_Digest(secret, strlen(secret), sha, &n, EVP_sha256(), NULL))
        abort(); /* out of memory */
    hex(out, sha, n);
}

static void
store(const struct tokens *all, const struct token *t, bool is_there)
{
    char *key = mem_printf("token/%s", t->id), *value = mem_printf("%s %lld %s", t->digest, (long long) t->until_ms, t->host);
    store_put_fact(all->controller->store, key, is_there ? value : NULL);
    free(key);
    free(value);
}

static void
token_drop(struct tokens *all, struct token *t)
{
    store(all, t, false);
    map_remove(&all->by_id, &t->by_id);
    free(t);
}

static void
drop_expired(struct tokens *all)
{
    int64_t now = controller_wall_ms();
    MAP_FOR_EACH_SAFE (n, next, &all->by_id) {
        struct token *t = CONTAINER_OF(n, struct token, by_id);
        if (t->until_ms <= now)
            token_drop(all, t);
    }
}

void
tokens_remember(struct tokens *all, const char *id, const char *value)
{
    struct token *t = mem_zalloc(sizeof *t);
    long long until;
    if (strlen(id) == sizeof t->id - 1 && sscanf(value, "%64s %lld %63s", t->digest, &until, t->host) >= 2 && !token_find(all, id)) {
        t->until_ms = until;
        memcpy(t->id, id, sizeof t->id);
        map_insert(&all->by_id, &t->by_id, hash_string(id));
    } else {
        free(t);
    }
}

static void
random_hex(char *out, size_t n_bytes)
{
    unsigned char bytes[SECRET_BYTES];
    if (getrandom(bytes, n_bytes, 0) != (ssize_t) n_bytes)
        abort();
    hex(out, bytes, n_bytes);
}

bool
tokens_make(struct tokens *all, const char *host, unsigned seconds, char out[TOKEN_STRLEN], struct error *err)
{
    char fingerprint[PKI_FINGERPRINT_STRLEN], secret[2 * SECRET_BYTES + 1];
    if (!pki_fingerprint(all->controller->options->cert, fingerprint, err))
        return false;
    drop_expired(all);
    if (map_count(&all->by_id) >= TOKENS_MAX)
        return error_set(err, ERROR_EXHAUSTED, "there are %d unused tokens already; wait until some have expired", TOKENS_MAX);
    struct token *t = mem_zalloc(sizeof *t);
    random_hex(t->id, ID_BYTES);
    random_hex(secret, SECRET_BYTES);
    digest_of(secret, t->digest);
    snprintf(t->host, sizeof t->host, "%s", host ? host : "");
    t->until_ms = controller_wall_ms() + seconds * 1000LL;
    map_insert(&all->by_id, &t->by_id, hash_string(t->id));
    store(all, t, true);
    snprintf(out, TOKEN_STRLEN, "v1.%s.%s.%s", t->id, secret, fingerprint);
    return true;
}

bool
tokens_use(struct tokens *all, const char *token, const char *host, struct error *err)
{
    char id[2 * ID_BYTES + 1], secret[2 * SECRET_BYTES + 1], digest[DIGEST_STRLEN];
    drop_expired(all);
    bool is_shaped = sscanf(token, "v1.%12[0-9a-f].%32[0-9a-f].", id, secret) == 2;
    struct token *t = is_shaped ? token_find(all, id) : NULL;
    if (t)
        digest_of(secret, digest);
    if (!t || CRYPTO_memcmp(t->digest, digest, sizeof digest))
        return error_set(err, ERROR_FORBIDDEN, "the token is wrong, was used, or has expired; 'vnetctl host-token' makes one");
    if (*t->host && strcmp(t->host, host))
        return error_set(err, ERROR_FORBIDDEN, "the token is for host '%s', not for '%.63s'", t->host, host);
    token_drop(all, t);
    return true;
}
