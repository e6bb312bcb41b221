/* A certificate request of whoever comes with a token. */
#include "tests/fuzz/fuzz.h"

#include "pki/pki_request.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err = { .text = "" };
    char *text = fuzz_text(data, n);
    EVP_PKEY *key = pki_request_key(text, &err);
    FUZZ_CLAIM(key || *err.text);
    EVP_PKEY_free(key);
    free(text);
    return 0;
}
