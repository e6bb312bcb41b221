/* One instance of an agent's report. */
#include "tests/fuzz/fuzz.h"

#include "controller/instance/sighting.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err;
    json_t *json = json_parse((const char *) data, n, "input", &err);
    struct sighting *s = json ? sighting_read(json, 1000, &err) : NULL;
    FUZZ_CLAIM(!s || (s->name && *s->name && s->n_ports <= SIGHTING_PORTS_MAX && s->state < N_INSTANCE_STATES));
    sighting_free(s);
    json_decref(json);
    return 0;
}
