/* See test_pki.h. */
#include "tests/unit/test_pki.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static void
add_name(X509_NAME *name, const char *field, const char *value)
{
    if (value)
        X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *) value, -1, -1, 0);
}

struct identity
identity_new(const struct identity *ca, const char *cn, const char *ou, const char *cn2)
{
    struct identity id = { EVP_EC_gen("P-256"), X509_new() };
    static long serial;
    X509_set_version(id.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(id.cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(id.cert), 86400);
    X509_set_pubkey(id.cert, id.key);
    X509_NAME *name = X509_get_subject_name(id.cert);
    add_name(name, "CN", cn);
    add_name(name, "OU", ou);
    add_name(name, "CN", cn2);
    X509_set_issuer_name(id.cert, X509_get_subject_name(ca ? ca->cert : id.cert));
    if (!ca) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        X509_add_ext(id.cert, e, -1);
        X509_EXTENSION_free(e);
    }
    X509_sign(id.cert, ca ? ca->key : id.key, EVP_sha256());
    return id;
}

void
identity_free(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->cert);
}

void
identity_write(const char *dir, const char *name, const struct identity *id)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s-key.pem", dir, name);
    FILE *f = fopen(path, "w");
    PEM_write_PrivateKey(f, id->key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    snprintf(path, sizeof path, "%s/%s-cert.pem", dir, name);
    f = fopen(path, "w");
    PEM_write_X509(f, id->cert);
    fclose(f);
}
