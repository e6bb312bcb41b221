/* What ovs-vswitchd answers when it is asked for its tracked connections: the first byte says how it is cut. */
#include "tests/fuzz/fuzz.h"

#include "agent/conntrack_counts.h"
#include "agent/conntrack_reply.h"

static bool
on_line(void *aux, const char *line, size_t n, struct error *err)
{
    struct conntrack_entry e;
    bool is_balanced;
    char *copy = fuzz_text((const uint8_t *) line, n);
    FUZZ_CLAIM(n && n < CONNTRACK_LINE_MAX && !memchr(line, '\n', n));
    bool ok = conntrack_line_read(copy, n, &e, &is_balanced, err);
    free(copy);
    if (!ok || !is_balanced)
        return ok;
    FUZZ_CLAIM(e.target && (e.proto == 6 || (e.proto == 17 && e.is_open)) && e.ip.family != IP_NONE);
    return conntrack_counts_add(aux, &e, err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct conntrack_reply r;
    struct error err;
    size_t piece = fuzz_take_byte(&data, &n) + 1;
    struct conntrack_counts *counts = conntrack_counts_new();
    bool ok = true;
    conntrack_reply_init(&r, on_line, counts);
    for (size_t at = 0; ok && at < n; at += piece)
        ok = conntrack_reply_push(&r, (const char *) data + at, n - at < piece ? n - at : piece, &err);
    if (ok && conntrack_reply_is_whole(&r)) {
        json_t *rows = conntrack_counts_json(counts);
        FUZZ_CLAIM(json_array_size(rows) <= n);
        json_decref(rows);
    }
    conntrack_counts_free(counts);
    return 0;
}
