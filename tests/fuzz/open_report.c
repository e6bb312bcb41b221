/* What an agent reports of open connections. */
#include "tests/fuzz/fuzz.h"

#include "controller/instance/open_counts.h"

static bool
is_alive(void *aux, uint16_t zone)
{
    return zone < 100;
}

static bool
is_concerned(void *aux, uint32_t target)
{
    return true;
}

/* What went to a place is no less than what one of its targets has, and a host that is forgotten leaves nothing. */
static void
try_counts(struct open_report *r)
{
    struct open_counts *all = open_counts_new();
    open_counts_take(all, 1, r, is_alive, NULL);
    for (size_t i = 0; i < r->n && i < 50; i++) {
        uint64_t n = r->rows[i].zone < 100 ? r->rows[i].n : 0;
        FUZZ_CLAIM(open_counts_of_target(all, r->rows[i].target) >= n && open_counts_at(all, &r->rows[i].place, is_concerned, NULL) >= n);
    }
    open_counts_forget(all, 1);
    FUZZ_CLAIM(!r->n || !open_counts_of_target(all, r->rows[0].target));
    open_counts_free(all);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err;
    struct open_report r;
    json_t *json = json_parse((const char *) data, n, "input", &err);
    if (json && open_report_read(&r, json, &err)) {
        FUZZ_CLAIM(r.every_ms >= 0 && r.every_ms <= OPEN_EVERY_MAX_MS && (r.every_ms || !r.n));
        try_counts(&r);
        open_report_done(&r);
    }
    json_decref(json);
    return 0;
}
