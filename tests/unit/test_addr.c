/* base/addr: what is an address and what is not; arithmetic at the edges of both families. */
#include "base/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"

#define N_OF(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

static struct ip
ip(const char *s)
{
    struct ip parsed;
    if (!ip_parse(s, &parsed))
        fail_msg("'%s' is not taken as an address", s);
    return parsed;
}

static struct ip_prefix
prefix(const char *s)
{
    struct ip_prefix parsed;
    if (!ip_prefix_parse(s, &parsed, NULL))
        fail_msg("'%s' is not taken as a prefix", s);
    return parsed;
}

static void
a_mac_is_six_pairs_of_hex_digits(void **unused)
{
    struct mac m;
    char buf[MAC_STRLEN];
    assert_true(mac_parse("02:00:AB:cd:00:ff", &m));
    assert_string_equal(mac_format(m, buf), "02:00:ab:cd:00:ff");
    assert_int_equal(mac_to_u64(m), 0x0200abcd00ff);
    assert_true(mac_equal(mac_from_u64(0x0200abcd00ff), m));
}

static void
what_is_nearly_a_mac_is_refused(void **unused)
{
    static const char *const wrong[] = {
        "",
        "0",
        "02",
        "02:00:00:00:00",
        "02:00:00:00:00:",
        "02:00:00:00:00:0",
        "02:00:00:00:00:001",
        "02:00:00:00:00:01:02",
        "2:0:0:0:0:1",
        "02-00-00-00-00-01",
        "020000000001",
        "02:00:00:00:00:0g",
        " 02:00:00:00:00:01",
        "02:00:00:00:00:01 ",
        "02:00:00:00:00:01/8",
        "02::00:00:00:01",
        "+2:00:00:00:00:01",
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        struct mac m = mac_from_u64(42);
        if (mac_parse(wrong[i], &m))
            fail_msg("'%s' is taken as a MAC", wrong[i]);
        assert_int_equal(mac_to_u64(m), 42);
    }
}

static void
group_and_zero_macs_are_not_unicast(void **unused)
{
    assert_true(mac_is_unicast(mac_from_u64(0x020000000001)));
    assert_true(mac_is_unicast(mac_from_u64(0x000000000001)));
    assert_false(mac_is_unicast(mac_from_u64(0x010000000000)));
    assert_false(mac_is_unicast(mac_from_u64(0xffffffffffff)));
    assert_false(mac_is_unicast(mac_from_u64(0)));
    assert_true(mac_is_zero(mac_from_u64(0)));
    assert_false(mac_is_zero(mac_from_u64(1)));
}

static void
addresses_read_back_as_they_are_written(void **unused)
{
    static const char *const same[] = {
        "0.0.0.0",
        "10.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "2001:db8::1",
        "fe80::1:2:3:4",
        "::ffff:10.0.0.1",
        "1:2:3:4:5:6:7:8",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    };
    for (size_t i = 0; i < N_OF(same); i++) {
        char buf[IP_STRLEN];
        assert_string_equal(ip_format(ip(same[i]), buf), same[i]);
    }
}

static void
longer_spellings_of_ipv6_are_the_same_address(void **unused)
{
    assert_true(ip_equal(ip("2001:DB8:0:0:0:0:0:1"), ip("2001:db8::1")));
    assert_true(ip_equal(ip("2001:0db8::0001"), ip("2001:db8::1")));
    assert_true(ip_equal(ip("::ffff:a00:1"), ip("::ffff:10.0.0.1")));
    assert_false(ip_equal(ip("::ffff:10.0.0.1"), ip("10.0.0.1")));
    assert_false(ip_equal(ip("a00:1::"), ip("10.0.0.1")));
}

static void
what_is_nearly_an_address_is_refused(void **unused)
{
    static const char *const wrong[] = {
        "",
        "10",
        "10.0.0",
        "10.0.0.",
        "10.0.0.256",
        "10.0.0.1.2",
        "10.0.0.01",
        "010.0.0.1",
        "0x0a.0.0.1",
        "10.0.0.-1",
        "10.0.0.+1",
        " 10.0.0.1",
        "10.0.0.1 ",
        "10.0.0.1\n",
        "10.0.0.1/32",
        "10..0.1",
        "167772161",
        "a.b.c.d",
        "none",
        "localhost",
        ":",
        ":::",
        "1::2::3",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::",
        "12345::",
        "::g",
        "::1%eth0",
        "[::1]",
        "::10.0.0",
        "::10.0.0.256",
        "::1 ",
        "1:",
        ":1",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        struct ip a = ip4(42);
        if (ip_parse(wrong[i], &a))
            fail_msg("'%s' is taken as an address", wrong[i]);
        assert_true(ip_equal(a, ip4(42)));
    }
}

static void
ipv4_is_a_number_in_host_order(void **unused)
{
    assert_true(ip_equal(ip4(0x0a000102), ip("10.0.1.2")));
    assert_int_equal(ip4_u32(ip("10.0.1.2")), 0x0a000102);
    assert_int_equal(ip4_u32(ip("255.0.0.254")), 0xff0000fe);
}

static void
no_address_is_no_address_of_any_family(void **unused)
{
    struct ip none = { IP_NONE, { 0 } };
    char buf[IP_STRLEN];
    assert_string_equal(ip_format(none, buf), "none");
    assert_false(ip_equal(none, ip("0.0.0.0")));
    assert_false(ip_equal(none, ip("::")));
    assert_false(ip_prefix_contains(prefix("0.0.0.0/0"), none));
    assert_false(ip_prefix_contains(prefix("::/0"), none));
    assert_false(ip_prefix_contains((struct ip_prefix){ none, 0 }, none));
    assert_false(ip_add(&none, 1));
}

static void
addresses_are_ordered_by_family_then_number(void **unused)
{
    static const char *const ascending[] = {
        "0.0.0.0", "9.255.255.255", "10.0.0.0", "10.0.0.1", "128.0.0.0", "255.255.255.255", "::", "::1", "8000::",
    };
    for (size_t i = 0; i < N_OF(ascending); i++) {
        for (size_t j = 0; j < N_OF(ascending); j++) {
            int order = ip_compare(ip(ascending[i]), ip(ascending[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void
equal_addresses_hash_alike_and_neighbours_do_not(void **unused)
{
    assert_int_equal(ip_hash(ip("10.0.0.1"), 7), ip_hash(ip4(0x0a000001), 7));
    assert_int_not_equal(ip_hash(ip("10.0.0.1"), 7), ip_hash(ip("10.0.0.2"), 7));
    assert_int_not_equal(ip_hash(ip("10.0.0.1"), 7), ip_hash(ip("10.0.0.1"), 8));
    assert_int_not_equal(ip_hash(ip("0.0.0.0"), 7), ip_hash(ip("::"), 7));
}

static void
adding_carries_and_stops_at_the_last_address(void **unused)
{
    static const struct {
        const char *from;
        uint64_t n;
        const char *to;
    } cases[] = {
        { "10.0.0.1", 0, "10.0.0.1" },
        { "10.0.0.255", 1, "10.0.1.0" },
        { "0.0.0.0", 0xffffffff, "255.255.255.255" },
        { "255.255.255.255", 0, "255.255.255.255" },
        { "255.255.255.255", 1, NULL },
        { "0.0.0.1", 0xffffffff, NULL },
        { "0.0.0.0", UINT64_MAX, NULL },
        { "2001:db8::ffff", 1, "2001:db8::1:0" },
        { "::ffff:ffff:ffff:ffff", 1, "0:0:0:1::" },
        { "::1", UINT64_MAX, "0:0:0:1::" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, NULL },
        { "ffff:ffff:ffff:ffff::", UINT64_MAX, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct ip a = ip(cases[i].from);
        assert_int_equal(ip_add(&a, cases[i].n), cases[i].to != NULL);
        assert_true(ip_equal(a, ip(cases[i].to ? cases[i].to : cases[i].from)));
    }
}

static void
prefixes_read_back_as_they_are_written(void **unused)
{
    static const char *const same[] = {
        "0.0.0.0/0", "10.0.0.0/8", "10.0.0.128/25", "10.1.2.3/32", "::/0", "2001:db8::/32", "2001:db8::1/128", "8000::/1",
    };
    for (size_t i = 0; i < N_OF(same); i++) {
        char buf[IP_PREFIX_STRLEN];
        assert_string_equal(ip_prefix_format(prefix(same[i]), buf), same[i]);
    }
}

static void
what_is_nearly_a_prefix_is_refused(void **unused)
{
    static const char *const wrong[] = {
        "",
        "/",
        "/8",
        "10.0.0.0",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/08",
        "10.0.0.0/00",
        "10.0.0.0/+8",
        "10.0.0.0/-1",
        "10.0.0.0/8 ",
        "10.0.0.0/ 8",
        "10.0.0.0 /8",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/4294967304",
        "10.0.0.0/264",
        "10/8",
        "10.0.0/8",
        "::/129",
        "::/1000",
        "::/0128",
        "2001:db8::",
        "none/0",
        "10.0.0.0/8x",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000/64",
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        struct ip_prefix p = ip_prefix_host(ip4(42));
        bool has_host_bits = true;
        if (ip_prefix_parse(wrong[i], &p, &has_host_bits))
            fail_msg("'%s' is taken as a prefix", wrong[i]);
        assert_false(has_host_bits);
        assert_true(ip_prefix_equal(p, ip_prefix_host(ip4(42))));
    }
}

static void
host_bits_are_refused_and_named_as_the_reason(void **unused)
{
    static const char *const wrong[] = {
        "10.0.0.1/24", "10.0.0.1/31", "0.0.0.1/0", "128.0.0.0/0", "2001:db8::1/64", "::1/127",
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        struct ip_prefix p;
        bool has_host_bits = false;
        assert_false(ip_prefix_parse(wrong[i], &p, &has_host_bits));
        assert_true(has_host_bits);
        assert_false(ip_prefix_parse(wrong[i], &p, NULL));
    }
}

static void
a_prefix_ends_at_its_broadcast_address(void **unused)
{
    static const struct {
        const char *prefix, *mask, *first, *last;
    } cases[] = {
        { "10.0.1.0/24", "255.255.255.0", "10.0.1.0", "10.0.1.255" },
        { "10.0.1.128/27", "255.255.255.224", "10.0.1.128", "10.0.1.159" },
        { "10.0.1.1/32", "255.255.255.255", "10.0.1.1", "10.0.1.1" },
        { "0.0.0.0/0", "0.0.0.0", "0.0.0.0", "255.255.255.255" },
        { "2001:db8::/61", "ffff:ffff:ffff:fff8::", "2001:db8::", "2001:db8:0:7:ffff:ffff:ffff:ffff" },
        { "::/0", "::", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct ip_prefix p = prefix(cases[i].prefix);
        assert_true(ip_equal(ip_prefix_mask(p), ip(cases[i].mask)));
        assert_true(ip_equal(ip_prefix_first(p), ip(cases[i].first)));
        assert_true(ip_equal(ip_prefix_last(p), ip(cases[i].last)));
    }
}

static void
host_bits_in_a_value_do_not_matter_to_what_it_contains(void **unused)
{
    struct ip_prefix p = { ip("10.0.0.77"), 24 };
    assert_true(ip_equal(ip_prefix_first(p), ip("10.0.0.0")));
    assert_true(ip_equal(ip_prefix_last(p), ip("10.0.0.255")));
    assert_true(ip_prefix_contains(p, ip("10.0.0.1")));
    assert_false(ip_prefix_contains(p, ip("10.0.1.77")));
}

static void
prefixes_cover_and_overlap_only_in_their_family(void **unused)
{
    static const struct {
        const char *a, *b;
        bool a_covers_b, overlap;
    } cases[] = {
        { "10.0.0.0/8", "10.1.0.0/16", true, true },
        { "10.1.0.0/16", "10.0.0.0/8", false, true },
        { "10.0.0.0/16", "10.0.0.0/8", false, true },
        { "10.0.0.0/8", "10.0.0.0/8", true, true },
        { "10.0.0.0/9", "10.128.0.0/9", false, false },
        { "0.0.0.0/0", "255.255.255.255/32", true, true },
        { "0.0.0.0/0", "::/0", false, false },
        { "::/0", "0.0.0.0/0", false, false },
        { "2001:db8::/32", "2001:db8:ffff::/48", true, true },
        { "2001:db8::/32", "2001:db9::/48", false, false },
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        struct ip_prefix a = prefix(cases[i].a), b = prefix(cases[i].b);
        assert_int_equal(ip_prefix_covers(a, b), cases[i].a_covers_b);
        assert_int_equal(ip_prefix_overlaps(a, b), cases[i].overlap);
        assert_int_equal(ip_prefix_overlaps(b, a), cases[i].overlap);
    }
}

static void
a_host_prefix_contains_one_address(void **unused)
{
    char buf[IP_PREFIX_STRLEN];
    assert_string_equal(ip_prefix_format(ip_prefix_host(ip("10.0.0.1")), buf), "10.0.0.1/32");
    assert_string_equal(ip_prefix_format(ip_prefix_host(ip("::1")), buf), "::1/128");
    assert_false(ip_prefix_contains(ip_prefix_host(ip("10.0.0.1")), ip("10.0.0.0")));
}

static void
random_ipv4_prefixes_agree_with_arithmetic_on_numbers(void **unused)
{
    struct random r = random_seeded();
    for (int i = 0; i < 20000; i++) {
        uint32_t n = random_u64(&r), len = random_below(&r, 33);
        uint32_t other = n ^ (random_u64(&r) & (UINT32_C(1) << random_below(&r, 32)));
        uint32_t mask = len ? UINT32_MAX << (32 - len) : 0;
        struct ip_prefix p = { ip4(n), len }, again;
        assert_int_equal(ip4_u32(ip_prefix_mask(p)), mask);
        assert_int_equal(ip4_u32(ip_prefix_first(p)), n & mask);
        assert_int_equal(ip4_u32(ip_prefix_last(p)), n | ~mask);
        assert_int_equal(ip_prefix_contains(p, ip4(other)), !((n ^ other) & mask));

        char buf[IP_PREFIX_STRLEN];
        bool has_host_bits;
        bool ok = ip_prefix_parse(ip_prefix_format(p, buf), &again, &has_host_bits);
        assert_int_equal(ok, !(n & ~mask));
        assert_int_equal(has_host_bits, !ok);
        assert_true(!ok || ip_prefix_equal(p, again));
    }
}

static void
random_ipv6_addresses_survive_being_written(void **unused)
{
    struct random r = random_seeded();
    for (int i = 0; i < 20000; i++) {
        struct ip a = { IP_V6, { 0 } }, again;
        for (int j = 0; j < 16; j++)
            a.b[j] = random_below(&r, 3) ? 0 : random_u64(&r);
        char buf[IP_STRLEN];
        assert_true(ip_parse(ip_format(a, buf), &again));
        assert_true(ip_equal(a, again));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mac_is_six_pairs_of_hex_digits),
        cmocka_unit_test(what_is_nearly_a_mac_is_refused),
        cmocka_unit_test(group_and_zero_macs_are_not_unicast),
        cmocka_unit_test(addresses_read_back_as_they_are_written),
        cmocka_unit_test(longer_spellings_of_ipv6_are_the_same_address),
        cmocka_unit_test(what_is_nearly_an_address_is_refused),
        cmocka_unit_test(ipv4_is_a_number_in_host_order),
        cmocka_unit_test(no_address_is_no_address_of_any_family),
        cmocka_unit_test(addresses_are_ordered_by_family_then_number),
        cmocka_unit_test(equal_addresses_hash_alike_and_neighbours_do_not),
        cmocka_unit_test(adding_carries_and_stops_at_the_last_address),
        cmocka_unit_test(prefixes_read_back_as_they_are_written),
        cmocka_unit_test(what_is_nearly_a_prefix_is_refused),
        cmocka_unit_test(host_bits_are_refused_and_named_as_the_reason),
        cmocka_unit_test(a_prefix_ends_at_its_broadcast_address),
        cmocka_unit_test(host_bits_in_a_value_do_not_matter_to_what_it_contains),
        cmocka_unit_test(prefixes_cover_and_overlap_only_in_their_family),
        cmocka_unit_test(a_host_prefix_contains_one_address),
        cmocka_unit_test(random_ipv4_prefixes_agree_with_arithmetic_on_numbers),
        cmocka_unit_test(random_ipv6_addresses_survive_being_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
