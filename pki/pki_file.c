/* Private keys are never readable by others, not even for a moment: the file is made with its final mode. A file is written under another
 * name and linked to its own once it is whole and on disk; link() does not replace what is there. */
#include "pki/pki_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

char *
pki_path(const char *dir, const char *name, const char *suffix)
{
    return mem_printf("%s/%s%s", dir, name, suffix);
}

bool
pki_openssl_error(const char *what, struct error *err)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return error_set(err, ERROR_INTERNAL, "%s: %s", what, reason ? reason : "OpenSSL failed");
}

static bool
file_error(const char *path, struct error *err)
{
    return error_set(err, ERROR_INVALID, "%s: %s", path, strerror(errno));
}

bool
pki_folder_make(const char *dir, struct error *err)
{
    char *path = mem_strdup(dir);
    bool is_ok = true;
    for (char *p = path + 1; is_ok && *path; p++) {
        char c = *p;
        if (c && c != '/')
            continue;
        *p = '\0';
        is_ok = !mkdir(path, 0755) || errno == EEXIST || file_error(path, err);
        *p = c;
        if (!c)
            break;
    }
    free(path);
    return is_ok;
}

static bool
exists_error(const char *path, struct error *err)
{
    return error_set(err, ERROR_CONFLICT, "%s exists and is kept; remove it first if it is to be replaced", path);
}

static bool
path_is_free(char *path, struct error *err)
{
    bool is_free = access(path, F_OK) && errno == ENOENT;
    if (!is_free)
        exists_error(path, err);
    free(path);
    return is_free;
}

bool
pki_is_free(const char *dir, const char *name, struct error *err)
{
    return path_is_free(pki_path(dir, name, "-key.pem"), err) && path_is_free(pki_path(dir, name, "-cert.pem"), err);
}

/* The stream of a new file 'path'.new of just this mode. */
static FILE *
file_begin(const char *temporary, mode_t mode, struct error *err)
{
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fchmod(fd, mode)) {
        file_error(temporary, err);
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    return fdopen(fd, "w");
}

static bool
file_finish(FILE *stream, const char *temporary, const char *path, struct error *err)
{
    bool is_ok = !fflush(stream) && !fsync(fileno(stream));
    is_ok = !fclose(stream) && is_ok && !link(temporary, path);
    if (!is_ok && errno == EEXIST)
        exists_error(path, err);
    else if (!is_ok)
        file_error(path, err);
    unlink(temporary);
    return is_ok;
}

static bool
pem_write(const char *path, EVP_PKEY *key, X509 *cert, struct error *err)
{
    char *temporary = mem_printf("%s.new", path);
    FILE *stream = file_begin(temporary, key ? 0600 : 0644, err);
    bool is_ok = false;
    if (stream) {
        bool is_written = key ? PEM_write_PKCS8PrivateKey(stream, key, NULL, NULL, 0, NULL, NULL) : PEM_write_X509(stream, cert);
        is_ok = file_finish(stream, temporary, path, err) && (is_written || pki_openssl_error(path, err));
    }
    free(temporary);
    return is_ok;
}

bool
pki_write_key(const char *path, EVP_PKEY *key, struct error *err)
{
    return pem_write(path, key, NULL, err);
}

bool
pki_write_cert(const char *path, X509 *cert, struct error *err)
{
    return pem_write(path, NULL, cert, err);
}

static FILE *
file_open(const char *path, struct error *err)
{
    FILE *stream = fopen(path, "re");
    if (!stream && errno == ENOENT)
        error_set(err, ERROR_UNKNOWN, "%s does not exist; 'vnetctl pki init' makes it, --dir says where", path);
    else if (!stream)
        file_error(path, err);
    return stream;
}

EVP_PKEY *
pki_read_key(const char *path, struct error *err)
{
    FILE *stream = file_open(path, err);
    if (!stream)
        return NULL;
    EVP_PKEY *key = PEM_read_PrivateKey(stream, NULL, NULL, NULL);
    fclose(stream);
    if (!key)
        pki_openssl_error(path, err);
    return key;
}

X509 *
pki_read_cert(const char *path, struct error *err)
{
    FILE *stream = file_open(path, err);
    if (!stream)
        return NULL;
    X509 *cert = PEM_read_X509(stream, NULL, NULL, NULL);
    fclose(stream);
    if (!cert)
        pki_openssl_error(path, err);
    return cert;
}
