/* The connection to libvirt while libvirt is slow: its test driver's, in this process. */
#include "agent/virt.h"

#include <dlfcn.h>
#include <event2/thread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/virt_loop.h"
#include "base/alloc.h"

#define N_DOMAINS 25
#define SLOW_MS 100 /* of a call: all together are more than one job may take */
#define BOUND_S 60

/* libvirt's own, but slow. */
char *
virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
    char *(*get)(virDomainPtr, unsigned);
    *(void **) &get = dlsym(RTLD_NEXT, "virDomainGetXMLDesc");
    usleep(SLOW_MS * 1000);
    return get(domain, flags);
}

struct world {
    struct event_base *base;
    struct worker *worker;
    struct virt *virt;
    struct uuid ids[N_DOMAINS];
    unsigned n_read[N_DOMAINS], n_reads, n_lost, n_whole;
    size_t n_listed;
    struct uuid wanted;     /* the last of the list: asked for when the first has been read */
    unsigned n_before_that; /* had been read when it was */
};

static void
on_event(void *aux, struct uuid id, const char *name, const char *words)
{
}

static size_t
place_of(const struct world *w, struct uuid id)
{
    size_t i = 0;
    while (i < w->n_listed && !uuid_equal(w->ids[i], id))
        i++;
    assert_true(i < w->n_listed);
    return i;
}

static void
on_read(void *aux, struct virt_domain *d)
{
    struct world *w = aux;
    assert_non_null(d->doc);
    assert_int_equal(w->n_whole, 0);
    if (!w->n_reads++) {
        virt_look_at(w->virt, w->wanted);
        virt_look_at(w->virt, w->wanted);
    }
    if (!w->n_read[place_of(w, d->id)]++ && uuid_equal(d->id, w->wanted))
        w->n_before_that = w->n_reads - 1;
    virt_domain_done(d);
}

static void
on_listed(void *aux, const struct uuid *ids, size_t n, int64_t begun_ms)
{
    struct world *w = aux;
    assert_int_equal(n, N_DOMAINS);
    assert_int_equal(w->n_reads, 0);
    memcpy(w->ids, ids, n * sizeof *ids);
    w->n_listed = n;
    w->wanted = ids[n - 1];
}

static void
on_whole(void *aux)
{
    struct world *w = aux;
    w->n_whole++;
    event_base_loopbreak(w->base);
}

static void
on_counted(void *aux, struct virt_domain *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        virt_domain_done(&list[i]);
}

static void
on_lost(void *aux)
{
    ((struct world *) aux)->n_lost++;
}

static void
define_domains(virConnectPtr conn)
{
    virDomainPtr there = virDomainLookupByName(conn, "test");
    assert_int_equal(virDomainDestroy(there), 0);
    assert_int_equal(virDomainUndefine(there), 0);
    virDomainFree(there);
    for (unsigned i = 0; i < N_DOMAINS; i++) {
        char *xml = mem_printf("<domain type='test'><name>d%u</name><memory>8192</memory><os><type>hvm</type></os></domain>", i);
        virDomainPtr domain = virDomainDefineXML(conn, xml);
        assert_non_null(domain);
        virDomainFree(domain);
        free(xml);
    }
}

static void
settle(struct world *w)
{
    virt_stop(w->virt);
    for (unsigned i = 0; !worker_is_idle(w->worker) && i < BOUND_S * 100; i++) {
        event_base_loopexit(w->base, &(struct timeval){ 0, 10000 });
        event_base_dispatch(w->base);
    }
    assert_true(worker_is_idle(w->worker));
    virt_free(w->virt);
    worker_free(w->worker);
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    virt_loop_done();
    event_base_free(w->base);
}

/* However many there are and however slow libvirt is: no job takes longer for it, and what events speak of is read in between. */
static void
all_that_is_listed_is_read_few_at_a_time(void **state)
{
    static const struct virt_ops ops = { on_event, on_read, on_listed, on_whole, on_counted, on_lost };
    struct world w = { .base = event_base_new() };
    virt_loop_register(w.base);
    virConnectPtr conn = virConnectOpen("test:///default");
    assert_non_null(conn);
    define_domains(conn);
    w.worker = worker_new(w.base);
    w.virt = virt_new(w.base, w.worker, "test:///default", &ops, &w);
    event_base_loopexit(w.base, &(struct timeval){ BOUND_S, 0 });
    event_base_dispatch(w.base);
    assert_int_equal(w.n_whole, 1);
    assert_true(virt_is_up(w.virt));
    for (size_t i = 0; i < N_DOMAINS; i++)
        assert_int_equal(w.n_read[i], 1 + uuid_equal(w.ids[i], w.wanted));
    assert_true(w.n_before_that < N_DOMAINS - 1);
    assert_int_equal(w.n_lost, 0);
    virConnectClose(conn);
    settle(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(all_that_is_listed_is_read_few_at_a_time) };
    evthread_use_pthreads();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
