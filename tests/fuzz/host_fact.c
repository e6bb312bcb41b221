/* What the store remembers of a host's facts, as text. What is taken reaches the runtime as a host that flows can be compiled for. */
#include "tests/fuzz/fuzz.h"

#include "base/log.h"
#include "controller/check/checks.h"
#include "controller/controller.h"
#include "controller/feed.h"
#include "controller/host/facts_text.h"
#include "controller/host/handover.h"
#include "controller/host/held_zones.h"
#include "controller/host/host.h"
#include "controller/instance/counting.h"
#include "controller/outside.h"
#include "tests/fuzz/model_base.h"

static uint32_t
host_number(const struct model *m)
{
    return model_next(m, OBJECT_HOST, 0)->number;
}

/* What is remembered of it is it. */
static void
expect_same_again(const struct runtime_host *r)
{
    struct runtime_host again = { .number = r->number };
    char *text = facts_text(r);
    FUZZ_CLAIM(facts_text_parse(text, &again));
    char *text_again = facts_text(&again);
    FUZZ_CLAIM(!strcmp(text, text_again) && again.n_uplinks == r->n_uplinks);
    free(text_again);
    free(text);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    log_init("fuzz");
    log_console(false);
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct controller c = { .base = event_base_new(), .model = model_base(), .runtime = runtime_new() };
    uint32_t number = host_number(c.model);
    char *text = fuzz_text(data, n);
    c.compiler = compiler_new(c.model, c.runtime);
    c.feed = feed_new(&c);
    c.hosts = hosts_new(&c);
    c.handovers = handovers_new(&c);
    c.held_zones = held_zones_new(&c);
    c.outside = outside_new(&c);
    c.checks = checks_new(&c);
    c.counting = counting_new(&c);
    hosts_object_added(c.hosts, number);
    hosts_remember(c.hosts, number, text);
    const struct runtime_host *r = runtime_host(c.runtime, number);
    FUZZ_CLAIM(!r || (r->encap_ip.family != IP_NONE && r->encap <= ENCAP_VXLAN));
    FUZZ_CLAIM(!r || !r->tunnel_port[0] || strchr(text, ' '));
    if (r)
        expect_same_again(r);
    struct hypervisor *h = host_by_number(c.hosts, number);
    while (h->table && compiler_run(c.compiler, number, 64, NULL, NULL))
        continue;
    counting_free(c.counting);
    checks_free(c.checks);
    outside_free(c.outside);
    hosts_free(c.hosts);
    handovers_free(c.handovers);
    held_zones_free(c.held_zones);
    feed_free(c.feed);
    compiler_free(c.compiler);
    runtime_free(c.runtime);
    model_free(c.model);
    event_base_loop(c.base, EVLOOP_NONBLOCK);
    event_base_free(c.base);
    free(text);
    return 0;
}
