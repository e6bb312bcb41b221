/* Certificates for tests, good and bad. */
#ifndef TESTS_UNIT_TEST_PKI_H
#define TESTS_UNIT_TEST_PKI_H 1

#include <openssl/evp.h>
#include <openssl/x509.h>

struct identity {
    EVP_PKEY *key;
    X509 *cert;
};

/* Signed by 'ca', or by itself (NULL). A name that is NULL is left out; 'cn2' is a second CN. */
struct identity identity_new(const struct identity *ca, const char *cn, const char *ou, const char *cn2);
void identity_free(struct identity *);
void identity_write(const char *dir, const char *name, const struct identity *); /* NAME-key.pem, NAME-cert.pem */

#endif
