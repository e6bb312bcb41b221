#include "controller/api/http_head.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/text.h"

void
http_head_init(struct http_head *h)
{
    *h = (struct http_head){ .line = NULL };
}

void
http_head_done(struct http_head *h)
{
    free(h->line);
    for (size_t i = 0; i < h->n_fields; i++)
        free(h->fields[i].name);
    http_head_init(h);
}

const char *
http_head_field(const struct http_head *h, const char *name)
{
    for (size_t i = 0; i < h->n_fields; i++)
        if (!strcasecmp(h->fields[i].name, name))
            return h->fields[i].value;
    return NULL;
}

/* ---- lines ---- */

static bool
is_token(const char *text)
{
    const char *p = text;
    while (isalnum((unsigned char) *p) || (*p && strchr("!#$%&'*+-.^_`|~", *p)))
        p++;
    return p > text && !*p;
}

/* Leaves the path of "http://host:port/path": the host is us. */
static const char *
skip_authority(const char *target)
{
    size_t scheme = !strncasecmp(target, "http://", 7) ? 7 : !strncasecmp(target, "https://", 8) ? 8 : 0;
    return scheme ? target + scheme + strcspn(target + scheme, "/") : target;
}

/* METHOD SP TARGET SP HTTP/1.x */
static bool
first_line(struct http_head *h, struct error *err)
{
    char *target = strchr(h->line, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;
    if (!version || (strcmp(version + 1, "HTTP/1.1") && strcmp(version + 1, "HTTP/1.0")))
        return error_set(err, ERROR_INVALID, "the request does not begin with METHOD PATH HTTP/1.1");
    h->is_1_0 = version[8] == '0';
    *version = *target++ = '\0';
    h->method = h->line;
    h->path = skip_authority(target);
    target = strchr(target, '?');
    if (target) {
        *target = '\0';
        h->query = target + 1;
    }
    if (!is_token(h->method) || *h->path != '/')
        return error_set(err, ERROR_INVALID, "the request's address is not well formed");
    return true;
}

static bool
field_line(struct http_head *h, char *take, struct error *err)
{
    if (h->n_fields == HTTP_FIELDS_MAX) {
        free(take);
        return error_set(err, ERROR_TOO_LARGE, "a request has at most %d header fields", HTTP_FIELDS_MAX);
    }
    struct http_field *f = &h->fields[h->n_fields++];
    *f = (struct http_field){ .name = take };
    char *value = strchr(take, ':');
    if (!value)
        return error_set(err, ERROR_INVALID, "a header field of the request has no ':'");
    *value++ = '\0';
    value += strspn(value, " \t");
    for (size_t n = strlen(value); n && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--)
        value[n - 1] = '\0';
    f->value = value;
    if (!is_token(take))
        return error_set(err, ERROR_INVALID, "a header field of the request has no proper name");
    return true;
}

bool
http_head_line(struct http_head *h, char *take, size_t n, struct error *err)
{
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char) take[i] < ' ' && take[i] != '\t') {
            free(take);
            return error_set(err, ERROR_INVALID, "the request's header has a control character");
        }
    }
    if (h->line)
        return field_line(h, take, err);
    h->line = take;
    return first_line(h, err);
}

/* ---- the whole ---- */

static bool
parse_number(const char *text, int base, uint64_t *number)
{
    char *end;
    if (!isxdigit((unsigned char) *text) || strlen(text) > 16 || (base == 10 && !isdigit((unsigned char) *text)))
        return false;
    *number = strtoull(text, &end, base);
    return !*end;
}

static bool
body_length(struct http_head *h, struct error *err)
{
    const char *length = NULL, *coding = NULL;
    for (size_t i = 0; i < h->n_fields; i++) {
        const char **slot = !strcasecmp(h->fields[i].name, "Content-Length")      ? &length
                            : !strcasecmp(h->fields[i].name, "Transfer-Encoding") ? &coding
                                                                                  : NULL;
        if (slot && *slot)
            return error_set(err, ERROR_INVALID, "%s is given twice", h->fields[i].name);
        if (slot)
            *slot = h->fields[i].value;
    }
    if (length && coding)
        return error_set(err, ERROR_INVALID, "Content-Length and Transfer-Encoding exclude each other");
    if (coding && strcasecmp(coding, "chunked"))
        return error_set(err, ERROR_INVALID, "Transfer-Encoding: only 'chunked' is known");
    if (length && !parse_number(length, 10, &h->content_length))
        return error_set(err, ERROR_INVALID, "Content-Length: must be a number of bytes");
    h->is_chunked = coding;
    return true;
}

bool
http_head_finish(struct http_head *h, struct error *err)
{
    const char *connection = http_head_field(h, "Connection"), *expect = http_head_field(h, "Expect");
    if (!h->line)
        return error_set(err, ERROR_INVALID, "the request is empty");
    h->is_last = h->is_1_0 ? !connection || strcasecmp(connection, "keep-alive") : connection && !strcasecmp(connection, "close");
    h->expects_continue = expect && !h->is_1_0 && !strcasecmp(expect, "100-continue");
    return body_length(h, err);
}

/* ---- encodings ---- */

static bool
is_utf8(const char *text)
{
    for (size_t n; *text; text += n)
        if (!(n = text_utf8_length(text)))
            return false;
    return true;
}

/* The next byte that the text stands for, or -1. */
static int
decode_byte(const char **p, const char *end, bool is_plus_space)
{
    const char *at = (*p)++;
    if (*at == '+' && is_plus_space)
        return ' ';
    if (*at != '%')
        return (unsigned char) *at;
    *p += 2;
    return *p <= end ? text_hex_byte(at + 1) : -1;
}

char *
http_decode(const char *raw, size_t n, bool is_plus_space)
{
    char *text = mem_alloc(n + 1), *out = text;
    int byte = 1;
    for (const char *p = raw; p < raw + n && byte > 0;) {
        byte = decode_byte(&p, raw + n, is_plus_space);
        *out++ = (char) byte;
    }
    *out = '\0';
    if (byte > 0 && is_utf8(text))
        return text;
    free(text);
    return NULL;
}

bool
http_chunk_size(const char *line, uint64_t max, uint64_t *size)
{
    char digits[17];
    size_t n = strcspn(line, "; \t");
    if (n >= sizeof digits)
        return false;
    memcpy(digits, line, n);
    digits[n] = '\0';
    return parse_number(digits, 16, size) && *size <= max;
}

const char *
http_phrase(int status)
{
    switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return status < 500 ? "Refused" : "Internal Server Error";
    }
}
