/* JSON-RPC 1.0 as ovsdb-server speaks it: JSON objects back to back on a byte stream, without a length or a separator.
 * The framer finds where each object ends, byte by byte and each byte once, and only then has it parsed. What a stranger can
 * make it hold is bounded: bytes, depth and number of values of one message. Called by ovsdb_session.c only. */
#ifndef OFPROTO_OVSDB_JSONRPC_H
#define OFPROTO_OVSDB_JSONRPC_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"

#define JSONRPC_DEPTH_MAX 64
#define JSONRPC_VALUES_MAX (2 << 20) /* of one message: a parsed value takes many times its bytes */

struct evbuffer;
struct bufferevent;

/* Of a message that has begun. BYTES_INIT and zeros: none has. */
struct jsonrpc_framer {
    struct bytes text;
    size_t n_values;
    unsigned depth;
    bool in_string, is_escaped;
};

void jsonrpc_framer_init(struct jsonrpc_framer *);
void jsonrpc_framer_done(struct jsonrpc_framer *);

/* Takes bytes up to the end of the message that has begun, or the next one. '*used' of 'n' bytes were taken; '*is_whole':
 * framer->text is one object's text, to be dropped with jsonrpc_framer_reset(). False: the stream makes no sense. */
bool jsonrpc_framer_push(struct jsonrpc_framer *, const char *bytes, size_t n, size_t *used, bool *is_whole, struct error *) MUST_CHECK;
void jsonrpc_framer_reset(struct jsonrpc_framer *);

enum jsonrpc_kind { JSONRPC_REQUEST, JSONRPC_NOTIFICATION, JSONRPC_REPLY };

/* Pointers go into 'document'. */
struct jsonrpc_message {
    enum jsonrpc_kind kind;
    json_t *document;     /* owned */
    const char *method;   /* requests and notifications */
    const json_t *params; /* likewise; an array */
    json_t *id;           /* requests and replies; not null */
    const json_t *result; /* replies; may be null */
    const json_t *error;  /* replies; NULL if there is none */
};

bool jsonrpc_parse(const char *text, size_t n, struct jsonrpc_message *, struct error *) MUST_CHECK;
void jsonrpc_message_done(struct jsonrpc_message *);

/* The next whole message of 'input', if '*is_whole'; else 'input' has been emptied. */
bool jsonrpc_receive(struct jsonrpc_framer *, struct evbuffer *input, struct jsonrpc_message *, bool *is_whole, struct error *) MUST_CHECK;

void jsonrpc_send_request(struct bufferevent *, const char *method, json_t *take_params, json_t *take_id);
void jsonrpc_send_reply(struct bufferevent *, json_t *id, json_t *take_result);
void jsonrpc_send_error(struct bufferevent *, json_t *id, const char *error);

#endif
