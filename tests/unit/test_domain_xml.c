/* A domain's XML: what is taken from it, and what is wrong with a declaration. */
#include "agent/domain_xml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

#define ID "dc2b9d00-dd64-4485-add1-0b9917418121"
#define IFACE(MAC, INTERFACEID)                                                         \
    "<interface type='bridge'><mac address='" MAC "'/><virtualport type='openvswitch'>" \
    "<parameters interfaceid='" INTERFACEID "'/></virtualport></interface>"
#define ONE IFACE("52:54:00:00:00:01", "22222222-0000-4000-8000-000000000001")
#define TWO IFACE("52:54:00:00:00:02", "22222222-0000-4000-8000-000000000002")
#define PLAIN "<interface type='network'><mac address='52:54:00:00:00:03'/></interface>"

static struct domain_doc *
parse(const char *metadata, const char *devices)
{
    struct error err;
    char *xml = mem_printf("<domain type='kvm'><name>web1</name><uuid>" ID "</uuid><metadata>%s</metadata><devices>%s</devices></domain>",
                           metadata, devices);
    struct domain_doc *d = domain_doc_parse(xml, strlen(xml), &err);
    if (!d)
        fail_msg("%s", err.text);
    free(xml);
    return d;
}

static struct domain_doc *
declare(const char *instance, const char *devices)
{
    char *metadata = mem_printf("<vnet:instance xmlns:vnet='urn:vnet:1' %s</vnet:instance>", instance);
    struct domain_doc *d = parse(metadata, devices);
    free(metadata);
    return d;
}

static void
a_domain_without_a_declaration_has_interfaces_only(void **state)
{
    struct domain_doc *d = parse("<other:x xmlns:other='urn:other'/>", ONE PLAIN);
    assert_string_equal(d->name, "web1");
    assert_false(d->is_declaring);
    assert_int_equal(d->n_interfaces, 2);
    assert_string_equal(d->interfaces[0].id, "22222222-0000-4000-8000-000000000001");
    assert_string_equal(d->interfaces[1].id, "");
    assert_string_equal(d->declaration.text, "");
    domain_doc_free(d);
}

static void
ports_are_called_as_the_domain_unless_named(void **state)
{
    struct domain_doc *d = declare("tenant='acme'><vnet:interface mac='52:54:00:00:00:02' subnet='web' sg='a,b'/>"
                                   "<vnet:interface mac='52:54:00:00:00:01' subnet='db' ip='10.0.1.5'/>",
                                   ONE TWO);
    assert_string_equal(d->declaration.text, "");
    assert_string_equal(d->tenant, "acme");
    assert_string_equal(d->interfaces[0].port, "web1");
    assert_string_equal(d->interfaces[0].ip, "10.0.1.5");
    assert_null(d->interfaces[0].sg);
    assert_string_equal(d->interfaces[1].port, "web1-1");
    assert_string_equal(d->interfaces[1].sg, "a,b");
    domain_doc_free(d);
}

/* Nothing of a wrong declaration counts, and the message names the element. */
static void
expect_wrong(const char *instance, const char *word)
{
    struct domain_doc *d = declare(instance, ONE TWO PLAIN);
    if (!strstr(d->declaration.text, word))
        fail_msg("'%s' is not in: %s", word, d->declaration.text);
    for (size_t i = 0; i < d->n_interfaces; i++)
        assert_false(d->interfaces[i].is_declared);
    domain_doc_free(d);
}

static void
what_is_wrong_with_a_declaration_is_named(void **state)
{
    expect_wrong("><vnet:interface subnet='a'/>", "<vnet:interface>: mac is missing");
    expect_wrong("><vnet:interface mac='52:54:00:00:00:09' subnet='a'/>", "mac='52:54:00:00:00:09'>: the domain has no interface");
    expect_wrong("><vnet:interface mac='52:54:00:00:00:01'/>", "mac='52:54:00:00:00:01'>: subnet is missing");
    expect_wrong("><vnet:interface mac='52:54:00:00:00:03' subnet='a'/>", "needs <virtualport type='openvswitch'>");
    expect_wrong("><vnet:interface mac='52:54:00:00:00:01' subnet='a'/><vnet:interface mac='52:54:00:00:00:01' subnet='a'/>", "twice");
    expect_wrong("><vnet:interface mac='52:54:00:00:00:01' subnet='a' size='3'/>", "attribute 'size' is unknown");
    expect_wrong("owner='x'>", "<vnet:instance>: attribute 'owner' is unknown");
    expect_wrong("><vnet:disk/>", "<disk> is unknown");
}

static void
what_is_no_domain_is_refused(void **state)
{
    static const char *const wrong[] = {
        "",
        "<domain>",
        "<network><name>a</name></network>",
        "<domain><uuid>" ID "</uuid></domain>",
        "<domain><name>a</name></domain>",
        "<domain><name>a</name><uuid>x</uuid></domain>",
        "<!DOCTYPE domain [<!ENTITY a 'b'>]><domain><name>&a;</name><uuid>" ID "</uuid></domain>",
    };
    struct error err;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        err.text[0] = '\0';
        assert_null(domain_doc_parse(wrong[i], strlen(wrong[i]), &err));
        assert_string_not_equal(err.text, "");
    }
}

static void
more_interfaces_than_there_is_room_for_are_left_out(void **state)
{
    char *devices = mem_zalloc(100 * sizeof ONE + 1);
    for (int i = 0; i < 100; i++)
        strcat(devices, ONE);
    struct domain_doc *d = parse("", devices);
    assert_int_equal(d->n_interfaces, DOMAIN_INTERFACES_MAX);
    domain_doc_free(d);
    free(devices);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_domain_without_a_declaration_has_interfaces_only),
        cmocka_unit_test(ports_are_called_as_the_domain_unless_named),
        cmocka_unit_test(what_is_wrong_with_a_declaration_is_named),
        cmocka_unit_test(what_is_no_domain_is_refused),
        cmocka_unit_test(more_interfaces_than_there_is_room_for_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
