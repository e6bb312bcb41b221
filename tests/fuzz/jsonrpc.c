/* A host's byte stream cut into JSON-RPC messages: however it is cut into pieces, the same messages come out and the same end. The first
 * byte is the size of the pieces. */
#include "tests/fuzz/fuzz.h"

#include <event2/buffer.h>

#include "base/map.h"
#include "ofproto/ovsdb/jsonrpc.h"

struct outcome {
    size_t n;
    uint64_t hash; /* of the messages */
    bool is_refused;
};

static void
message_take(struct outcome *o, struct jsonrpc_message *m)
{
    FUZZ_CLAIM(m->kind == JSONRPC_REPLY ? m->id && (m->result || m->error) : m->method && json_is_array(m->params));
    char *text = json_text(m->document);
    o->hash = hash_bytes64(text, strlen(text), o->hash);
    o->n++;
    free(text);
    jsonrpc_message_done(m);
}

static bool
input_take(struct jsonrpc_framer *f, struct evbuffer *input, struct outcome *o)
{
    for (bool is_whole = true; is_whole;) {
        struct jsonrpc_message m;
        struct error err;
        o->is_refused = !jsonrpc_receive(f, input, &m, &is_whole, &err);
        if (o->is_refused)
            return false;
        if (is_whole)
            message_take(o, &m);
    }
    FUZZ_CLAIM(!evbuffer_get_length(input));
    return true;
}

static struct outcome
receive(const uint8_t *data, size_t n, size_t piece)
{
    struct outcome o = { 0 };
    struct jsonrpc_framer f;
    struct evbuffer *input = evbuffer_new();
    jsonrpc_framer_init(&f);
    for (size_t i = 0; i < n; i += piece) {
        evbuffer_add(input, data + i, n - i < piece ? n - i : piece);
        if (!input_take(&f, input, &o))
            break;
    }
    evbuffer_free(input);
    jsonrpc_framer_done(&f);
    return o;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    size_t piece = fuzz_take_byte(&data, &n);
    struct outcome whole = receive(data, n, n + 1), cut = receive(data, n, piece ? piece : 1);
    FUZZ_CLAIM(whole.n == cut.n && whole.hash == cut.hash && whole.is_refused == cut.is_refused);
    return 0;
}
