/* vnet/model/principal: who may do what. */
#include "vnet/model/principal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct principal admin = { .role = PRINCIPAL_ADMIN, .name = "root", .tenant = "" };
static const struct principal reader = { .role = PRINCIPAL_READER, .name = "joe", .tenant = "" };
static const struct principal acme = { .role = PRINCIPAL_TENANT, .name = "acme-ci", .tenant = "acme" };

static bool
may(const struct principal *p, enum verb verb, const char *tenant)
{
    struct error err = { .text = "" };
    bool ok = principal_may(p, verb, tenant, &err);
    assert_true(ok ? !err.text[0] : err.code == ERROR_FORBIDDEN && strstr(err.text, p->name));
    return ok;
}

static void
an_admin_may_do_everything(void **unused)
{
    for (int verb = VERB_READ; verb <= VERB_ADMIN; verb++) {
        assert_true(may(&admin, verb, NULL));
        assert_true(may(&admin, verb, "acme"));
    }
}

static void
a_reader_sees_everything_and_changes_nothing(void **unused)
{
    assert_true(may(&reader, VERB_READ, "acme"));
    assert_true(may(&reader, VERB_READ, NULL));
    assert_false(may(&reader, VERB_CHANGE, "default"));
    assert_false(may(&reader, VERB_ADMIN, NULL));
}

static void
a_tenant_sees_and_changes_its_own_only(void **unused)
{
    assert_true(may(&acme, VERB_READ, "acme"));
    assert_true(may(&acme, VERB_CHANGE, "acme"));
    assert_false(may(&acme, VERB_READ, "acm"));
    assert_false(may(&acme, VERB_READ, "default"));
    assert_false(may(&acme, VERB_CHANGE, "default"));
    assert_false(may(&acme, VERB_READ, NULL));
    assert_false(may(&acme, VERB_ADMIN, "acme"));
}

static void
the_certificate_says_the_role(void **unused)
{
    static const struct {
        const char *ou;
        bool ok;
        enum principal_role role;
        const char *tenant;
    } rows[] = {
        { "admin", true, PRINCIPAL_ADMIN, "" },
        { "reader", true, PRINCIPAL_READER, "" },
        { "tenant:acme", true, PRINCIPAL_TENANT, "acme" },
        { "tenant:", false, 0, "" },
        { "host", true, PRINCIPAL_HOST, "" },
        { "vnetd", false, 0, "" },
        { "Admin", false, 0, "" },
        { "administrator", false, 0, "" },
        { "", false, 0, "" },
        { NULL, false, 0, "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct principal p;
        struct error err;
        assert_int_equal(principal_from_certificate("joe", rows[i].ou, &p, &err), rows[i].ok);
        if (!rows[i].ok)
            continue;
        assert_int_equal(p.role, rows[i].role);
        assert_string_equal(p.tenant, rows[i].tenant);
        assert_string_equal(p.name, "joe");
    }
}

static void
a_name_too_long_for_a_principal_is_refused(void **unused)
{
    struct principal p;
    struct error err;
    char ou[100] = "tenant:", cn[LIMIT_NAME + 2];
    memset(ou + 7, 'x', LIMIT_NAME + 1);
    ou[7 + LIMIT_NAME + 1] = '\0';
    memset(cn, 'x', LIMIT_NAME + 1);
    cn[LIMIT_NAME + 1] = '\0';
    assert_false(principal_from_certificate("joe", ou, &p, &err));
    assert_false(principal_from_certificate(cn, "admin", &p, &err));
    assert_false(principal_from_certificate("", "admin", &p, &err));
    assert_false(principal_from_certificate(NULL, "admin", &p, &err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_admin_may_do_everything),
        cmocka_unit_test(a_reader_sees_everything_and_changes_nothing),
        cmocka_unit_test(a_tenant_sees_and_changes_its_own_only),
        cmocka_unit_test(the_certificate_says_the_role),
        cmocka_unit_test(a_name_too_long_for_a_principal_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
