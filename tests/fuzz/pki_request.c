/* A certificate request of whoever comes with a token; a certificate as the other side gets it, and as it is in a file. */
#include "tests/fuzz/fuzz.h"

#include <openssl/x509.h>

#include "pki/pki_request.h"

/* What we ask for ourselves is taken. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error err;
    EVP_PKEY *key, *taken;
    char *request = pki_request_new("hv1", &key, &err);
    FUZZ_CLAIM(request && (taken = pki_request_key(request, &err)) && EVP_PKEY_eq(key, taken) == 1);
    EVP_PKEY_free(taken);
    EVP_PKEY_free(key);
    free(request);
    return 0;
}

/* One that is taken is the same when it has been written. */
static void
expect_certificate(const char *text)
{
    struct error err = { .text = "" };
    X509 *cert = pki_cert_parse(text, &err), *again;
    FUZZ_CLAIM(cert || *err.text);
    char *written = cert ? pki_cert_text(cert, &err) : NULL;
    if (written) {
        FUZZ_CLAIM((again = pki_cert_parse(written, &err)) && !X509_cmp(cert, again));
        X509_free(again);
    }
    free(written);
    X509_free(cert);
}

static void
expect_fingerprint(const uint8_t *data, size_t n)
{
    struct error err = { .text = "" };
    char path[64], fingerprint[PKI_FINGERPRINT_STRLEN];
    FILE *f = tmpfile();
    FUZZ_CLAIM(f && fwrite(data, 1, n, f) == n && !fflush(f));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(f));
    if (pki_fingerprint(path, fingerprint, &err))
        FUZZ_CLAIM(strlen(fingerprint) == PKI_FINGERPRINT_STRLEN - 1);
    else
        FUZZ_CLAIM(*err.text);
    fclose(f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err = { .text = "" };
    char *text = fuzz_text(data, n);
    EVP_PKEY *key = pki_request_key(text, &err);
    FUZZ_CLAIM(key || *err.text);
    EVP_PKEY_free(key);
    expect_certificate(text);
    expect_fingerprint(data, n);
    free(text);
    return 0;
}
