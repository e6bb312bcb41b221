/* What is read of libvirt's domains while they come and go: of its test driver's, in this process. */
#include "agent/virt_read.h"

#include <dlfcn.h>
#include <libvirt/virterror.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define N_DOMAINS 5

static const char *vanishes; /* the name of the domain that goes once all have been listed */

/* libvirt's own, and then one of them goes. */
int
virConnectListAllDomains(virConnectPtr conn, virDomainPtr **domains, unsigned flags)
{
    int (*list)(virConnectPtr, virDomainPtr **, unsigned);
    *(void **) &list = dlsym(RTLD_NEXT, "virConnectListAllDomains");
    int n = list(conn, domains, flags);
    for (int i = 0; i < n && vanishes; i++)
        if (!strcmp(virDomainGetName((*domains)[i]), vanishes))
            assert_int_equal(virDomainUndefine((*domains)[i]), 0);
    return n;
}

static virConnectPtr
connection(void)
{
    virConnectPtr conn = virConnectOpen("test:///default");
    assert_non_null(conn);
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
    return conn;
}

static void
ignore_error(void *aux, virErrorPtr e)
{
}

static int
set_up(void **state)
{
    virSetErrorFunc(NULL, ignore_error);
    *state = connection();
    vanishes = NULL;
    return 0;
}

static int
tear_down(void **state)
{
    virConnectClose(*state);
    return 0;
}

/* Each is there once, but for 'gone'. */
static void
expect_all_but(virConnectPtr conn, const char *gone)
{
    struct virt_domain *list;
    struct error err;
    size_t n, n_named = 0;
    vanishes = gone;
    assert_true(virt_read_all(conn, &list, &n, &err));
    assert_int_equal(n, N_DOMAINS - (gone != NULL));
    for (unsigned i = 0; i < N_DOMAINS; i++) {
        char *name = mem_printf("d%u", i);
        for (size_t k = 0; k < n; k++) {
            assert_non_null(list[k].doc);
            assert_string_equal(list[k].state, "off");
            n_named += !strcmp(list[k].doc->name, name) && (!gone || strcmp(name, gone) != 0);
        }
        free(name);
    }
    assert_int_equal(n_named, n);
    for (size_t k = 0; k < n; k++)
        virt_domain_done(&list[k]);
    free(list);
}

static void
all_domains_are_read(void **state)
{
    expect_all_but(*state, NULL);
}

static void
one_that_goes_meanwhile_takes_no_other_with_it(void **state)
{
    expect_all_but(*state, "d0");
    assert_null(virDomainLookupByName(*state, "d0"));
}

static void
the_last_one_may_go_meanwhile(void **state)
{
    expect_all_but(*state, "d4");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_domains_are_read),
        TEST(one_that_goes_meanwhile_takes_no_other_with_it),
        TEST(the_last_one_may_go_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
