/* Framing, parsing and sending of JSON-RPC messages.
 *
 * Invariant: a byte is scanned once, when it is taken from the connection; nothing is parsed before its end was seen. The
 * scanner only counts brackets and skips strings: what it takes for a message may not be JSON, and the parser then refuses it. */
#include "ofproto/ovsdb/jsonrpc.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

#define KEEP_BYTES 2048 /* a buffer beyond this is given back after its message: sessions are many */

void
jsonrpc_framer_init(struct jsonrpc_framer *f)
{
    *f = (struct jsonrpc_framer){ .text = BYTES_INIT };
}

void
jsonrpc_framer_done(struct jsonrpc_framer *f)
{
    bytes_done(&f->text);
}

void
jsonrpc_framer_reset(struct jsonrpc_framer *f)
{
    struct bytes text = f->text;
    if (text.cap > KEEP_BYTES)
        bytes_done(&text);
    bytes_clear(&text);
    *f = (struct jsonrpc_framer){ .text = text };
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* From inside a string: the index behind what belongs to it, at most n. */
static size_t
scan_string(struct jsonrpc_framer *f, const char *p, size_t i, size_t n)
{
    for (; i < n; i++) {
        if (f->is_escaped) {
            f->is_escaped = false;
        } else if (p[i] == '\\') {
            f->is_escaped = true;
        } else if (p[i] == '"') {
            f->in_string = false;
            return i + 1;
        }
    }
    return n;
}

/* One byte outside of strings. True: it ends the message. */
static bool
scan_byte(struct jsonrpc_framer *f, char c)
{
    switch (c) {
    case '"': f->in_string = true; return false;
    case '{':
    case '[':
        f->depth++;
        f->n_values++;
        return false;
    case '}':
    case ']': return --f->depth == 0;
    case ',':
    case ':': f->n_values++; return false;
    default: return false;
    }
}

static bool
within_limits(const struct jsonrpc_framer *f, size_t n_bytes, struct error *err)
{
    if (f->depth > JSONRPC_DEPTH_MAX)
        return error_set(err, ERROR_PROTOCOL, "a JSON-RPC message is nested deeper than %d levels", JSONRPC_DEPTH_MAX);
    if (f->n_values > JSONRPC_VALUES_MAX)
        return error_set(err, ERROR_PROTOCOL, "a JSON-RPC message has more than %d values", JSONRPC_VALUES_MAX);
    if (n_bytes > LIMIT_OVSDB_MESSAGE_BYTES)
        return error_set(err, ERROR_PROTOCOL, "a JSON-RPC message is longer than %d bytes", LIMIT_OVSDB_MESSAGE_BYTES);
    return true;
}

bool
jsonrpc_framer_push(struct jsonrpc_framer *f, const char *p, size_t n, size_t *used, bool *is_whole, struct error *err)
{
    size_t start = 0;
    *is_whole = false;
    *used = n;
    if (!f->depth) {
        while (start < n && is_space(p[start]))
            start++;
        if (start == n)
            return true;
        if (p[start] != '{')
            return error_set(err, ERROR_PROTOCOL, "byte 0x%02x where a JSON-RPC message should begin with '{'", (unsigned char) p[start]);
    }

    size_t i = start;
    while (i < n && !*is_whole) {
        if (f->in_string) {
            i = scan_string(f, p, i, n);
            continue;
        }
        *is_whole = scan_byte(f, p[i++]);
        if (f->depth > JSONRPC_DEPTH_MAX || f->n_values > JSONRPC_VALUES_MAX)
            break;
    }
    if (!within_limits(f, f->text.n + (i - start), err))
        return false;
    bytes_put(&f->text, p + start, i - start);
    *used = i;
    return true;
}

static bool
message_from(json_t *document, struct jsonrpc_message *m, struct error *err)
{
    json_t *id = json_object_get(document, "id");
    const json_t *method = json_object_get(document, "method");
    *m = (struct jsonrpc_message){ .document = document, .id = json_is_null(id) ? NULL : id };
    if (method) {
        m->method = json_string_value(method);
        m->params = json_object_get(document, "params");
        m->kind = m->id ? JSONRPC_REQUEST : JSONRPC_NOTIFICATION;
        if (!m->method || !json_is_array(m->params))
            return error_set(err, ERROR_PROTOCOL, "a JSON-RPC request has no string 'method' or no array 'params'");
        return true;
    }
    m->kind = JSONRPC_REPLY;
    m->result = json_object_get(document, "result");
    m->error = json_object_get(document, "error");
    if (json_is_null(m->error))
        m->error = NULL;
    if (!m->id || (!m->result && !m->error))
        return error_set(err, ERROR_PROTOCOL, "a JSON-RPC message is neither a request ('method', 'params') nor a reply ('id', 'result')");
    return true;
}

bool
jsonrpc_parse(const char *text, size_t n, struct jsonrpc_message *m, struct error *err)
{
    json_t *document = json_parse(text, n, "a JSON-RPC message", err);
    if (!document) {
        char escaped[ERROR_TEXT_MAX];
        text_escape(escaped, sizeof escaped, err->text);
        return error_set(err, ERROR_PROTOCOL, "%s", escaped);
    }
    if (!message_from(document, m, err)) {
        jsonrpc_message_done(m);
        return false;
    }
    return true;
}

void
jsonrpc_message_done(struct jsonrpc_message *m)
{
    json_decref(m->document);
    m->document = NULL;
}

bool
jsonrpc_receive(struct jsonrpc_framer *f, struct evbuffer *input, struct jsonrpc_message *m, bool *is_whole, struct error *err)
{
    struct evbuffer_iovec vec;
    *is_whole = false;
    while (!*is_whole && evbuffer_peek(input, -1, NULL, &vec, 1) > 0) {
        size_t used;
        if (!jsonrpc_framer_push(f, vec.iov_base, vec.iov_len, &used, is_whole, err))
            return false;
        evbuffer_drain(input, used);
    }
    if (!*is_whole)
        return true;

    bool ok = jsonrpc_parse((const char *) f->text.data, f->text.n, m, err);
    jsonrpc_framer_reset(f);
    return ok;
}

static void
send_document(struct bufferevent *bev, json_t *take_document)
{
    char *text = json_text(take_document);
    bufferevent_write(bev, text, strlen(text));
    free(text);
    json_decref(take_document);
}

void
jsonrpc_send_request(struct bufferevent *bev, const char *method, json_t *take_params, json_t *take_id)
{
    send_document(bev, json_pack("{s:s, s:o, s:o}", "method", method, "params", take_params, "id", take_id));
}

void
jsonrpc_send_reply(struct bufferevent *bev, json_t *id, json_t *take_result)
{
    send_document(bev, json_pack("{s:o, s:n, s:O}", "result", take_result, "error", "id", id));
}

void
jsonrpc_send_error(struct bufferevent *bev, json_t *id, const char *error)
{
    send_document(bev, json_pack("{s:n, s:s, s:O}", "result", "error", error, "id", id));
}
