/* X.509 by OpenSSL: version 3, random serial numbers, ECDSA with SHA-256. Certificates begin a day ago, since clocks of hosts differ, and
 * live ten years: renewing them is removing the two files and issuing again. */
#include "pki/pki.h"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "pki/pki_file.h"
#include "pki/pki_request.h"

#define AUTHORITY_DAYS 7300
#define CERTIFICATE_DAYS 3650
#define SERIAL_BITS 127

struct authority {
    EVP_PKEY *key;
    X509 *cert;
};

static void
authority_done(struct authority *ca)
{
    EVP_PKEY_free(ca->key);
    X509_free(ca->cert);
}

bool
pki_name_check(const char *name, struct error *err)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    if (!n || name[n] || n > LIMIT_NAME)
        return error_set(err, ERROR_INVALID, "name '%s': give 1 to %d letters, digits, '-', '_' or '.'", name, LIMIT_NAME);
    if (!strcmp(name, "ca") || !strcmp(name, "vnetd"))
        return error_set(err, ERROR_INVALID, "name '%s' is kept for the installation's own files: give another", name);
    return true;
}

/* ---- making a certificate ---- */

static bool
serial_set(X509 *cert)
{
    BIGNUM *number = BN_new();
    bool is_ok = number && BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY)
                 && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return is_ok;
}

/* As plain UTF8String: OpenSSL would refuse an OU of more than 64 characters, as 'tenant:' with a long name is. */
static bool
name_add(X509_NAME *name, int nid, const char *text)
{
    X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_NID(NULL, nid, V_ASN1_UTF8STRING, (const unsigned char *) text, -1);
    bool is_ok = entry && X509_NAME_add_entry(name, entry, -1, 0);
    X509_NAME_ENTRY_free(entry);
    return is_ok;
}

static bool
extension_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool is_ok = extension && X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
    return is_ok;
}

/* All but extensions, issuer and signature. */
static X509 *
cert_new(const char *cn, const char *ou, EVP_PKEY *key, int days)
{
    X509 *cert = X509_new();
    X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
    bool is_ok = name && X509_set_version(cert, X509_VERSION_3) && serial_set(cert)
                 && X509_gmtime_adj(X509_getm_notBefore(cert), -24 * 3600) && X509_time_adj_ex(X509_getm_notAfter(cert), days, 0, NULL)
                 && name_add(name, NID_organizationName, "vnet") && name_add(name, NID_organizationalUnitName, ou)
                 && name_add(name, NID_commonName, cn) && X509_set_pubkey(cert, key);
    if (!is_ok) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static bool
cert_sign(X509 *cert, X509 *issuer, EVP_PKEY *key)
{
    return X509_set_issuer_name(cert, X509_get_subject_name(issuer)) && X509_sign(cert, key, EVP_sha256());
}

static X509 *
cert_of_authority(EVP_PKEY *key)
{
    X509 *cert = cert_new("vnet CA", "ca", key, AUTHORITY_DAYS);
    bool is_ok = cert && extension_add(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
                 && extension_add(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign")
                 && extension_add(cert, cert, NID_subject_key_identifier, "hash") && cert_sign(cert, cert, key);
    if (!is_ok) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static X509 *
cert_of_subject(const struct pki_subject *s, EVP_PKEY *key, const struct authority *ca)
{
    const char *usage = s->usage == PKI_SERVER ? "serverAuth,clientAuth" : "clientAuth";
    X509 *cert = cert_new(s->name, s->role, key, CERTIFICATE_DAYS);
    bool is_ok = cert && extension_add(cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE")
                 && extension_add(cert, ca->cert, NID_key_usage, "critical,digitalSignature")
                 && extension_add(cert, ca->cert, NID_ext_key_usage, usage)
                 && extension_add(cert, ca->cert, NID_subject_key_identifier, "hash")
                 && extension_add(cert, ca->cert, NID_authority_key_identifier, "keyid") && cert_sign(cert, ca->cert, ca->key);
    if (!is_ok) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

/* ---- files ---- */

static bool
pair_write(const char *key_path, EVP_PKEY *key, const char *cert_path, X509 *cert, struct error *err)
{
    if (!pki_write_key(key_path, key, err))
        return false;
    if (pki_write_cert(cert_path, cert, err))
        return true;
    unlink(key_path); /* useless alone, and in the way of the next try */
    return false;
}

static bool
subject_write(const char *dir, const struct pki_subject *s, const struct authority *ca, struct error *err)
{
    if (!pki_is_free(dir, s->name, err))
        return false;
    char *key_path = pki_path(dir, s->name, "-key.pem"), *cert_path = pki_path(dir, s->name, "-cert.pem");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? cert_of_subject(s, key, ca) : NULL;
    bool is_ok = (cert || pki_openssl_error(s->name, err)) && pair_write(key_path, key, cert_path, cert, err);
    EVP_PKEY_free(key);
    X509_free(cert);
    free(key_path);
    free(cert_path);
    return is_ok;
}

static bool
authority_write(const char *dir, struct authority *ca, struct error *err)
{
    char *key_path = pki_path(dir, "ca", "-key.pem"), *cert_path = pki_path(dir, "ca", ".pem");
    ca->key = EVP_EC_gen("P-256");
    ca->cert = ca->key ? cert_of_authority(ca->key) : NULL;
    bool is_ok = (ca->cert || pki_openssl_error("CA", err)) && pair_write(key_path, ca->key, cert_path, ca->cert, err);
    free(key_path);
    free(cert_path);
    return is_ok;
}

static bool
authority_read(const char *dir, struct authority *ca, struct error *err)
{
    char *key_path = pki_path(dir, "ca", "-key.pem"), *cert_path = pki_path(dir, "ca", ".pem");
    ca->key = pki_read_key(key_path, err);
    ca->cert = ca->key ? pki_read_cert(cert_path, err) : NULL;
    bool is_ok = ca->cert != NULL;
    if (is_ok && X509_check_private_key(ca->cert, ca->key) != 1)
        is_ok = error_set(err, ERROR_CONFLICT, "%s is not the key of %s", key_path, cert_path);
    free(key_path);
    free(cert_path);
    return is_ok;
}

char *
pki_sign(const char *dir, const struct pki_subject *s, const char *request, struct error *err)
{
    struct authority ca = { NULL, NULL };
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    char *pem = NULL;
    bool is_ok = pki_name_check(s->name, err) && (key = pki_request_key(request, err)) && authority_read(dir, &ca, err);
    if (is_ok && ((cert = cert_of_subject(s, key, &ca)) || pki_openssl_error(s->name, err)))
        pem = pki_cert_text(cert, err);
    X509_free(cert);
    EVP_PKEY_free(key);
    authority_done(&ca);
    return pem;
}

bool
pki_init(const char *dir, struct error *err)
{
    static const struct pki_subject vnetd = { "vnetd", "vnetd", PKI_SERVER };
    struct authority ca = { NULL, NULL };
    bool is_ok = pki_folder_make(dir, err) && authority_write(dir, &ca, err) && subject_write(dir, &vnetd, &ca, err);
    authority_done(&ca);
    return is_ok;
}

bool
pki_issue(const char *dir, const struct pki_subject *s, struct error *err)
{
    struct authority ca = { NULL, NULL };
    bool is_ok = pki_name_check(s->name, err) && authority_read(dir, &ca, err) && subject_write(dir, s, &ca, err);
    authority_done(&ca);
    return is_ok;
}
