#include "pki/pki_request.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "pki/pki_file.h"

static char *
bio_text(BIO *bio)
{
    char *data;
    long n = BIO_get_mem_data(bio, &data);
    return n > 0 ? mem_printf("%.*s", (int) n, data) : NULL;
}

static X509_REQ *
request_sign(const char *name, EVP_PKEY *key)
{
    X509_REQ *request = X509_REQ_new();
    X509_NAME *subject = request ? X509_REQ_get_subject_name(request) : NULL;
    bool is_ok = subject && X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8, (const unsigned char *) name, -1, -1, 0)
                 && X509_REQ_set_pubkey(request, key) && X509_REQ_sign(request, key, EVP_sha256());
    if (is_ok)
        return request;
    X509_REQ_free(request);
    return NULL;
}

char *
pki_request_new(const char *name, EVP_PKEY **key, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    *key = EVP_EC_gen("P-256");
    X509_REQ *request = *key ? request_sign(name, *key) : NULL;
    char *text = request && PEM_write_bio_X509_REQ(bio, request) ? bio_text(bio) : NULL;
    X509_REQ_free(request);
    BIO_free(bio);
    if (text)
        return text;
    EVP_PKEY_free(*key);
    *key = NULL;
    pki_openssl_error("certificate request", err);
    return NULL;
}

EVP_PKEY *
pki_request_key(const char *pem, struct error *err)
{
    size_t n = strlen(pem);
    BIO *bio = n <= PKI_REQUEST_MAX ? BIO_new_mem_buf(pem, (int) n) : NULL;
    X509_REQ *request = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;
    EVP_PKEY *key = request ? X509_REQ_get_pubkey(request) : NULL;
    if (key && X509_REQ_verify(request, key) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    X509_REQ_free(request);
    BIO_free(bio);
    if (!key && !pki_openssl_error("request", err))
        error_set(err, ERROR_INVALID, "request: must be a certificate request (PEM, PKCS #10) signed by its own key");
    return key;
}

void
pki_key_free(EVP_PKEY *key)
{
    EVP_PKEY_free(key);
}

char *
pki_cert_text(X509 *cert, struct error *err)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = PEM_write_bio_X509(bio, cert) ? bio_text(bio) : NULL;
    BIO_free(bio);
    if (!text)
        pki_openssl_error("certificate", err);
    return text;
}

X509 *
pki_cert_parse(const char *pem, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem, (int) strlen(pem));
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (!cert)
        pki_openssl_error("certificate", err);
    return cert;
}

bool
pki_fingerprint(const char *cert_path, char out[PKI_FINGERPRINT_STRLEN], struct error *err)
{
    X509 *cert = pki_read_cert(cert_path, err);
    if (!cert)
        return false;
    unsigned char *der = NULL, sha[EVP_MAX_MD_SIZE];
    unsigned n_sha = 0;
    int n = i2d_PUBKEY(X509_get0_pubkey(cert), &der);
    bool is_ok = n > 0 && EVP_Digest(der, (size_t) n, sha, &n_sha, EVP_sha256(), NULL);
    for (unsigned i = 0; is_ok && i < n_sha; i++)
        snprintf(out + 2 * i, 3, "%02x", sha[i]);
    OPENSSL_free(der);
    X509_free(cert);
    return is_ok || pki_openssl_error(cert_path, err);
}
