/* TLS of the client: own certificate, CA, and the check that the other side is a vnetd. All certificates of an installation come from one
 * CA, so that a chain that verifies is not enough: a host's or a client's certificate must not pose as the daemon. */
#include "tools/vnetctl/http.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <string.h>

#define OU_OF_SERVER "vnetd"

static void
name_ou(const X509 *cert, char *ou, int size)
{
    *ou = '\0';
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_organizationalUnitName, ou, size);
}

/* OpenSSL asks this for each certificate of the chain, the server's own (depth 0) last. */
static int
peer_verify(int is_ok, X509_STORE_CTX *store)
{
    if (!is_ok || X509_STORE_CTX_get_error_depth(store) != 0)
        return is_ok;

    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct http_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    name_ou(X509_STORE_CTX_get_current_cert(store), tls->refused_ou, sizeof tls->refused_ou);
    tls->is_refused = strcmp(tls->refused_ou, OU_OF_SERVER);
    if (tls->is_refused)
        X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return !tls->is_refused;
}

static CURLcode
context_prepare(CURL *curl, void *ssl_ctx, void *tls)
{
    SSL_CTX_set_app_data(ssl_ctx, tls);
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, peer_verify);
    return CURLE_OK;
}

bool
http_tls_configure(void *curl, const struct options *o, struct http_tls *tls, struct error *err)
{
    if (!o->key || !o->certificate)
        return error_set(err, ERROR_INVALID, "%s needs -p KEY and -c CERT; 'vnetctl pki client NAME' makes them", o->server);
    curl_easy_setopt(curl, CURLOPT_SSLKEY, o->key);
    curl_easy_setopt(curl, CURLOPT_SSLCERT, o->certificate);
    curl_easy_setopt(curl, CURLOPT_CAINFO, o->ca);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* else the system's CAs count too */
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L); /* a resumed session is not verified again */
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, tls);
    if (curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, context_prepare) != CURLE_OK)
        return error_set(err, ERROR_INTERNAL, "%s: libcurl is built without OpenSSL", o->server);
    return true;
}
