/* What comes to the agent's socket, and what comes back to the hook. */
#include "tests/fuzz/fuzz.h"

#include "agent/hook_message.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err;
    struct hook_message m, again;
    const char *refusal;
    char *text = fuzz_text(data, n);
    if (hook_message_parse(text, n, &m, &err)) {
        struct bytes b = BYTES_INIT;
        hook_message_put(&b, &m);
        FUZZ_CLAIM(hook_message_parse((const char *) b.data, b.n, &again, &err));
        FUZZ_CLAIM(!strcmp(m.guest, again.guest) && !strcmp(m.operation, again.operation) && m.n_xml == again.n_xml);
        FUZZ_CLAIM(m.timeout_ms == again.timeout_ms && m.timeout_ms <= HOOK_TIMEOUT_MAX_MS);
        bytes_done(&b);
    }
    FUZZ_CLAIM(!hook_answer_parse(text, &refusal) || !refusal || refusal > text);
    free(text);
    return 0;
}
