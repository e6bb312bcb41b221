/* What the store remembers of a target's health. What is taken is written back with the same meaning. */
#include "tests/fuzz/fuzz.h"

#include "controller/check/check_record.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char written[CHECK_RECORD_MAX];
    struct check c = { .n_changes = 0 }, again = { .n_changes = 0 };
    char *text = fuzz_text(data, n);
    if (check_record_read(&c, text)) {
        FUZZ_CLAIM(c.n_changes && c.n_changes <= CHECK_CHANGES && c.state == c.changes[0].state);
        FUZZ_CLAIM(check_record_write(&c, written) && check_record_read(&again, written));
        FUZZ_CLAIM(again.state == c.state && again.reason == c.reason && again.n_changes == c.n_changes);
        for (unsigned i = 0; i < c.n_changes; i++)
            FUZZ_CLAIM(again.changes[i].at_ms == c.changes[i].at_ms && again.changes[i].reason == c.changes[i].reason);
    } else {
        FUZZ_CLAIM(!c.n_changes && c.state == TARGET_INITIAL);
    }
    free(text);
    return 0;
}
