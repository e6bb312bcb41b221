/* An agent's report, or one instance of it. */
#include "tests/fuzz/fuzz.h"

#include "controller/instance/report.h"

static void
read_report(const json_t *json)
{
    struct error err;
    struct report r;
    bool ok = report_read(&r, json, 1000, &err);
    for (size_t i = 0; ok && i < r.n_seen; i++)
        for (size_t k = 0; k < r.n_gone; k++)
            FUZZ_CLAIM(!uuid_equal(r.seen[i]->id, r.gone[k]));
    report_done(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err;
    json_t *json = json_parse((const char *) data, n, "input", &err);
    struct sighting *s = json ? sighting_read(json, 1000, &err) : NULL;
    FUZZ_CLAIM(!s || (s->name && *s->name && s->n_ports <= SIGHTING_PORTS_MAX && s->state < N_INSTANCE_STATES));
    sighting_free(s);
    if (json)
        read_report(json);
    json_decref(json);
    return 0;
}
