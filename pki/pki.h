/* The certificates of an installation: one authority (CA), and what it signs. All in one folder:
 *
 *     ca.pem, ca-key.pem                   the authority; ca-key.pem stays here
 *     NAME-cert.pem, NAME-key.pem          what NAME is given, together with ca.pem
 *
 * The subject's CN is the name, its OU says what it is; listeners go by the OU. Keys are P-256 and readable by their owner alone. Existing
 * files are never replaced. */
#ifndef PKI_PKI_H
#define PKI_PKI_H 1

#include <stdbool.h>

#include "base/error.h"

/* What a certificate may be used for, which OpenSSL enforces by itself: a host's never proves to be a server, so that a host cannot pose
 * as the controller of another. */
enum pki_usage { PKI_CLIENT, PKI_SERVER };

struct pki_subject {
    const char *name; /* CN and file name: letters, digits, '-', '_', '.' */
    const char *role; /* OU */
    enum pki_usage usage;
};

/* Makes the folder, the authority, and the certificate of vnetd. */
bool pki_init(const char *dir, struct error *) MUST_CHECK;

/* Makes a key and its certificate. */
bool pki_issue(const char *dir, const struct pki_subject *, struct error *) MUST_CHECK;

/* Signs the public key of a stranger's request (PEM); what else the request asks for does not count. The certificate as PEM: free() it; NULL with
 * *err. */
char *pki_sign(const char *dir, const struct pki_subject *, const char *request, struct error *) MUST_CHECK;

/* Would it do as the name of a host or a client? */
bool pki_name_check(const char *name, struct error *) MUST_CHECK;

#endif
