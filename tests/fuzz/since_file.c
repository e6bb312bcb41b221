/* What the agent finds in its file of domains' moments: none of the future, and what it writes itself it reads again. */
#include "tests/fuzz/fuzz.h"

#include "agent/since_file.h"

#define NOW_MS 100000

static void
entry_note(void *aux, const struct since_entry *e)
{
    FUZZ_CLAIM(e->run >= -1 && e->since_ms >= 0 && e->since_ms <= NOW_MS);
    FUZZ_CLAIM(strlen(e->state) <= SINCE_WORD_MAX && strlen(e->reason) <= SINCE_WORD_MAX);
    since_file_put(aux, e);
}

static bool
parse(const json_t *json, json_t *domains)
{
    struct error err;
    return since_file_parse(json, "b", NOW_MS, entry_note, domains, &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err;
    json_t *json = json_parse((const char *) data, n, "input", &err), *domains = json_object(), *again = json_object();
    if (json && parse(json, domains)) {
        json_t *written = json_pack("{s:s,s:O}", "boot", "b", "domains", domains);
        FUZZ_CLAIM(parse(written, again) && json_equal(domains, again));
        json_decref(written);
    }
    json_decref(again);
    json_decref(domains);
    json_decref(json);
    return 0;
}
