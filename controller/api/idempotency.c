#include "controller/api/idempotency.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "controller/api/http.h"

bool
idempotency_key(const struct call *call, const char **key, struct error *err)
{
    *key = call_header(call, "Idempotency-Key");
    size_t n = *key ? strlen(*key) : 1;
    if (n >= 1 && n <= 255)
        return true;
    return error_set(err, ERROR_INVALID, "Idempotency-Key: must have 1 to 255 characters");
}

char *
idempotency_digest(const json_t *asked, const char *tenant)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char sha[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char *asked_text = json_text(asked), *text = mem_printf("%s %s", tenant, asked_text);
    if (!EVP_Digest(text, strlen(text), sha, &n, EVP_sha256(), NULL))
        abort(); /* out of memory */
    char *digest = mem_zalloc(2 * n + 1);
    for (unsigned i = 0; i < n; i++) {
        digest[2 * i] = hex[sha[i] >> 4];
        digest[2 * i + 1] = hex[sha[i] & 15];
    }
    free(asked_text);
    free(text);
    return digest;
}
