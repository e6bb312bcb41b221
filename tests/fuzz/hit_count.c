/* What the store remembers of a rule's count, as text. What is taken says the same again, and goes on counting. */
#include "tests/fuzz/fuzz.h"

#include "controller/hits/hit_count.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct hit_count c, again;
    char *text = fuzz_text(data, n);
    if (hit_count_parse(&c, text)) {
        char *first = hit_count_format(&c);
        bool is_taken = hit_count_parse(&again, first);
        FUZZ_CLAIM(is_taken && again.packets == c.packets && again.bytes == c.bytes && again.n <= c.n);
        char *second = hit_count_format(&again);
        FUZZ_CLAIM(!strcmp(first, second));
        const struct hit_sight sight = { .flow = 0xff, .packets = 5, .bytes = 500, .duration_s = 9 };
        hit_count_seen(&c, &sight, 1, (struct hit_now){ 1, 1 });
        hit_count_read(&c, 1, (struct hit_now){ 1, 1 });
        hit_count_removed(&c, &sight, (struct hit_now){ 2, 2 });
        hit_count_read(&c, 2, (struct hit_now){ 3, 3 });
        hit_count_disconnected(&c);
        FUZZ_CLAIM(!c.n);
        hit_count_done(&again);
        free(first);
        free(second);
    }
    hit_count_done(&c);
    free(text);
    return 0;
}
