/* Keys and certificates as PEM files. */
#ifndef PKI_PKI_FILE_H
#define PKI_PKI_FILE_H 1

#include <openssl/types.h>
#include <stdbool.h>

#include "base/error.h"

/* "DIR/NAMESUFFIX"; free() it. */
char *pki_path(const char *dir, const char *name, const char *suffix);

/* Makes the folder and those above it. */
bool pki_folder_make(const char *dir, struct error *) MUST_CHECK;

/* Is the name's key and certificate still to be made? */
bool pki_is_free(const char *dir, const char *name, struct error *) MUST_CHECK;

/* Written whole or not at all; an existing file is an error. */
bool pki_write_key(const char *path, EVP_PKEY *, struct error *) MUST_CHECK;
bool pki_write_cert(const char *path, X509 *, struct error *) MUST_CHECK;

/* NULL with *err set. */
EVP_PKEY *pki_read_key(const char *path, struct error *) MUST_CHECK;
X509 *pki_read_cert(const char *path, struct error *) MUST_CHECK;

/* The last error of OpenSSL, about 'what'; returns false. */
bool pki_openssl_error(const char *what, struct error *);

#endif
