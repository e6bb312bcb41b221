/* vnetctl's certificates: they verify, say who and what their holder is, cannot be used as another kind's, and keys stay private. */
#include "pki/pki.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pki/pki_file.h"

struct folder {
    char dir[64];
    mode_t umask;
};

static int
folder_setup(void **state)
{
    struct folder *f = calloc(1, sizeof *f);
    struct error err;
    strcpy(f->dir, "/tmp/test_vnetctl_pki.XXXXXX");
    f->umask = umask(0); /* modes must not depend on it */
    *state = f;
    return mkdtemp(f->dir) && pki_init(f->dir, &err) ? 0 : -1;
}

static int
folder_teardown(void **state)
{
    struct folder *f = *state;
    static const char *const names[] = { "ca.pem", "ca-key.pem" }, *const holders[] = { "vnetd", "hv1", "alice" };
    char path[128];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
        unlink(path);
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s-key.pem", f->dir, holders[i]);
        unlink(path);
        snprintf(path, sizeof path, "%s/%s-cert.pem", f->dir, holders[i]);
        unlink(path);
    }
    umask(f->umask);
    int rc = rmdir(f->dir); /* fails if anything else was left there */
    free(f);
    return rc;
}

static X509 *
cert_read(const struct folder *f, const char *name, const char *suffix)
{
    struct error err;
    char *path = pki_path(f->dir, name, suffix);
    X509 *cert = pki_read_cert(path, &err);
    assert_non_null(cert);
    free(path);
    return cert;
}

/* Does OpenSSL take the certificate for the purpose, with this CA? */
static bool
verifies(const struct folder *f, const char *name, int purpose)
{
    X509 *ca = cert_read(f, "ca", ".pem"), *cert = cert_read(f, name, "-cert.pem");
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, ca);
    X509_STORE_CTX_init(context, store, cert, NULL);
    X509_STORE_CTX_set_purpose(context, purpose);
    X509_STORE_CTX_set_flags(context, X509_V_FLAG_X509_STRICT);
    bool is_ok = X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(cert);
    X509_free(ca);
    return is_ok;
}

static void
assert_subject(const struct folder *f, const char *name, const char *cn, const char *ou)
{
    char text[128];
    X509 *cert = cert_read(f, name, "-cert.pem");
    X509_NAME *subject = X509_get_subject_name(cert);
    assert_true(X509_NAME_get_text_by_NID(subject, NID_commonName, text, sizeof text) > 0);
    assert_string_equal(text, cn);
    assert_true(X509_NAME_get_text_by_NID(subject, NID_organizationalUnitName, text, sizeof text) > 0);
    assert_string_equal(text, ou);
    X509_free(cert);
}

static mode_t
mode_of(const struct folder *f, const char *name, const char *suffix)
{
    struct stat s;
    char *path = pki_path(f->dir, name, suffix);
    assert_int_equal(stat(path, &s), 0);
    free(path);
    return s.st_mode & 07777;
}

static void
vnetd_is_a_server_and_says_so(void **state)
{
    struct folder *f = *state;
    assert_subject(f, "vnetd", "vnetd", "vnetd");
    assert_true(verifies(f, "vnetd", X509_PURPOSE_SSL_SERVER));
}

static void
a_host_is_a_client_and_cannot_be_a_server(void **state)
{
    struct folder *f = *state;
    struct error err;
    assert_true(pki_issue(f->dir, &(struct pki_subject){ "hv1", "host", PKI_CLIENT }, &err));
    assert_subject(f, "hv1", "hv1", "host");
    assert_true(verifies(f, "hv1", X509_PURPOSE_SSL_CLIENT));
    assert_false(verifies(f, "hv1", X509_PURPOSE_SSL_SERVER));
}

static void
a_tenants_longest_name_fits_into_a_role(void **state)
{
    struct folder *f = *state;
    struct error err;
    char role[80] = "tenant:";
    memset(role + 7, 'x', 63);
    assert_true(pki_issue(f->dir, &(struct pki_subject){ "alice", role, PKI_CLIENT }, &err));
    assert_subject(f, "alice", "alice", role);
    assert_true(verifies(f, "alice", X509_PURPOSE_SSL_CLIENT));
}

static void
keys_belong_to_their_certificates_and_are_private(void **state)
{
    struct folder *f = *state;
    struct error err;
    char *path = pki_path(f->dir, "vnetd", "-key.pem");
    EVP_PKEY *key = pki_read_key(path, &err);
    X509 *cert = cert_read(f, "vnetd", "-cert.pem");
    assert_int_equal(X509_check_private_key(cert, key), 1);
    assert_int_equal(mode_of(f, "vnetd", "-key.pem"), 0600);
    assert_int_equal(mode_of(f, "ca", "-key.pem"), 0600);
    assert_int_equal(mode_of(f, "vnetd", "-cert.pem"), 0644);
    assert_int_equal(mode_of(f, "ca", ".pem"), 0644);
    X509_free(cert);
    EVP_PKEY_free(key);
    free(path);
}

static void
serial_numbers_differ_and_are_positive(void **state)
{
    struct folder *f = *state;
    X509 *a = cert_read(f, "ca", ".pem"), *b = cert_read(f, "vnetd", "-cert.pem");
    assert_int_not_equal(ASN1_INTEGER_cmp(X509_get_serialNumber(a), X509_get_serialNumber(b)), 0);
    assert_int_not_equal(X509_get_serialNumber(a)->type & V_ASN1_NEG, V_ASN1_NEG);
    X509_free(a);
    X509_free(b);
}

static void
nothing_is_replaced(void **state)
{
    struct folder *f = *state;
    struct error err;
    X509 *before = cert_read(f, "ca", ".pem");
    assert_false(pki_init(f->dir, &err));
    assert_non_null(strstr(err.text, "exists and is kept"));
    X509 *after = cert_read(f, "ca", ".pem");
    assert_int_equal(X509_cmp(before, after), 0);
    assert_false(pki_issue(f->dir, &(struct pki_subject){ "vnetd", "host", PKI_CLIENT }, &err));
    assert_false(pki_issue(f->dir, &(struct pki_subject){ "ca", "host", PKI_CLIENT }, &err));
    assert_true(pki_issue(f->dir, &(struct pki_subject){ "hv1", "host", PKI_CLIENT }, &err));
    assert_false(pki_issue(f->dir, &(struct pki_subject){ "hv1", "admin", PKI_CLIENT }, &err));
    assert_subject(f, "hv1", "hv1", "host");
    X509_free(before);
    X509_free(after);
}

static void
names_that_could_leave_the_folder_are_refused(void **state)
{
    struct error err;
    static const char *const wrong[] = { "", "a/b", "../x", "a b", "a,b", "\xc3\xa9", "ca", "vnetd" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(pki_name_check(wrong[i], &err));
    assert_true(pki_name_check("hv-1.example_net", &err));
}

static void
issuing_without_an_authority_says_how_to_make_one(void **state)
{
    struct error err;
    assert_false(pki_issue("/nonexistent", &(struct pki_subject){ "hv1", "host", PKI_CLIENT }, &err));
    assert_non_null(strstr(err.text, "'vnetctl pki init' makes it"));
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        TEST(vnetd_is_a_server_and_says_so),
        TEST(a_host_is_a_client_and_cannot_be_a_server),
        TEST(a_tenants_longest_name_fits_into_a_role),
        TEST(keys_belong_to_their_certificates_and_are_private),
        TEST(serial_numbers_differ_and_are_positive),
        TEST(nothing_is_replaced),
        TEST(names_that_could_leave_the_folder_are_refused),
        TEST(issuing_without_an_authority_says_how_to_make_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
