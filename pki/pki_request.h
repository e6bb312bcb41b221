/* How a host that has nothing yet asks for a certificate: a key of its own, a request for it (PKCS #10), and a fingerprint by which it knows
 * whom it asks. */
#ifndef PKI_PKI_REQUEST_H
#define PKI_PKI_REQUEST_H 1

#include <openssl/types.h>

#include "base/error.h"

#define PKI_REQUEST_MAX 8192
#define PKI_FINGERPRINT_STRLEN 65 /* SHA-256 in hexadecimal digits */

/* A new key (pki_key_free() it), and the request for it as PEM (free() it); NULL with *err. */
char *pki_request_new(const char *name, EVP_PKEY **key, struct error *) MUST_CHECK;
/* The public key that a request is for, if it is signed by it. The text is a stranger's. */
EVP_PKEY *pki_request_key(const char *pem, struct error *) MUST_CHECK;
void pki_key_free(EVP_PKEY *); /* may be NULL */

char *pki_cert_text(X509 *, struct error *) MUST_CHECK; /* PEM; free() it */
X509 *pki_cert_parse(const char *pem, struct error *) MUST_CHECK;

/* Of the public key of the certificate in a file. */
bool pki_fingerprint(const char *cert_path, char out[PKI_FINGERPRINT_STRLEN], struct error *) MUST_CHECK;

#endif
