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

static const char *unreadable; /* the name of the domain that libvirt cannot tell of */
static const char *strange;    /* likewise, whose XML we cannot read */
static bool is_dead;           /* the connection, when it is asked */

/* libvirt's own; but of that domain it says that it cannot. */
char *
virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
    char *(*get)(virDomainPtr, unsigned);
    *(void **) &get = dlsym(RTLD_NEXT, "virDomainGetXMLDesc");
    if (strange && !strcmp(virDomainGetName(domain), strange))
        return mem_strdup("<domain><name></name></domain>");
    return get(unreadable && !strcmp(virDomainGetName(domain), unreadable) ? NULL : domain, flags);
}

int
virConnectIsAlive(virConnectPtr conn)
{
    int (*is_alive)(virConnectPtr);
    *(void **) &is_alive = dlsym(RTLD_NEXT, "virConnectIsAlive");
    return is_dead ? 0 : is_alive(conn);
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
    vanishes = unreadable = strange = NULL;
    is_dead = false;
    return 0;
}

static int
tear_down(void **state)
{
    virConnectClose(*state);
    return 0;
}

/* Those that are listed, as each is then read; of '*n'. */
static struct virt_domain *
read_all(virConnectPtr conn, size_t *n)
{
    struct error err;
    struct uuid *ids;
    assert_true(virt_list(conn, &ids, n, &err));
    struct virt_domain *list = mem_zalloc((*n + 1) * sizeof *list);
    for (size_t i = 0; i < *n; i++)
        assert_true(virt_read_one(conn, ids[i], &list[i], &err));
    free(ids);
    return list;
}

static void
free_all(struct virt_domain *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        virt_domain_done(&list[i]);
    free(list);
}

/* Each is there once, but for 'gone'. */
static void
expect_all_but(virConnectPtr conn, const char *gone)
{
    size_t n, n_named = 0, n_gone = 0;
    vanishes = gone;
    struct virt_domain *list = read_all(conn, &n);
    assert_int_equal(n, N_DOMAINS);
    for (unsigned i = 0; i < N_DOMAINS; i++) {
        char *name = mem_printf("d%u", i);
        for (size_t k = 0; k < n; k++) {
            assert_true(list[k].is_gone || (list[k].doc && !strcmp(list[k].state, "off")));
            n_named += !list[k].is_gone && !strcmp(list[k].doc->name, name) && (!gone || strcmp(name, gone) != 0);
        }
        free(name);
    }
    for (size_t k = 0; k < n; k++)
        n_gone += list[k].is_gone;
    assert_int_equal(n_gone, gone != NULL);
    assert_int_equal(n_named, n - n_gone);
    free_all(list, n);
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

static void
one_that_libvirt_cannot_tell_of_takes_no_other_with_it(void **state)
{
    size_t n, n_unread = 0;
    unreadable = "d1";
    struct virt_domain *list = read_all(*state, &n);
    assert_int_equal(n, N_DOMAINS);
    for (size_t i = 0; i < n; i++) {
        assert_false(list[i].is_gone);
        assert_true(!list[i].doc == !!list[i].unread);
        if (!list[i].unread)
            continue;
        n_unread++;
        assert_string_equal(list[i].name, unreadable);
    }
    assert_int_equal(n_unread, 1);
    free_all(list, n);
}

/* vnetd refuses a whole report for one domain without a name. */
static void
one_whose_xml_makes_no_sense_has_its_name_and_state_all_the_same(void **state)
{
    size_t n, n_strange = 0;
    strange = "d1";
    struct virt_domain *list = read_all(*state, &n);
    assert_int_equal(n, N_DOMAINS);
    for (size_t i = 0; i < n; i++) {
        assert_null(list[i].unread);
        assert_non_null(list[i].name);
        assert_string_equal(list[i].state, "off");
        n_strange += !strcmp(list[i].name, strange) && !list[i].doc;
    }
    assert_int_equal(n_strange, 1);
    free_all(list, n);
}

static void
nothing_is_read_over_a_dead_connection(void **state)
{
    struct virt_domain one;
    struct error err;
    struct uuid *ids;
    size_t n, n_failed = 0;
    unreadable = "d1";
    is_dead = true;
    assert_true(virt_list(*state, &ids, &n, &err));
    for (size_t i = 0; i < n; i++) {
        if (!virt_read_one(*state, ids[i], &one, &err)) {
            n_failed++;
            assert_non_null(strstr(err.text, "a domain cannot be read"));
        }
        virt_domain_done(&one);
    }
    assert_int_equal(n_failed, 1);
    free(ids);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_domains_are_read),
        TEST(one_that_goes_meanwhile_takes_no_other_with_it),
        TEST(the_last_one_may_go_meanwhile),
        TEST(one_that_libvirt_cannot_tell_of_takes_no_other_with_it),
        TEST(one_whose_xml_makes_no_sense_has_its_name_and_state_all_the_same),
        TEST(nothing_is_read_over_a_dead_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
