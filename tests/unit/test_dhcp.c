/* vnet/packet/dhcp and userdata: what a guest hears, and what hostile bytes get: nothing. */
#include "vnet/packet/dhcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/random.h"
#include "vnet/packet/checksum.h"
#include "vnet/packet/dhcp_request.h"
#include "vnet/packet/ipv4.h"
#include "vnet/packet/userdata.h"

#define UDP_HEADER 8
#define HEADERS (ETHERNET_HEADER + IPV4_HEADER + UDP_HEADER)

static const struct mac guest = { { 2, 0, 0, 0, 0, 5 } }, router = { { 2, 0x76, 0x6e, 0, 0, 1 } };
static const struct mac everyone = { { 255, 255, 255, 255, 255, 255 } };
#define GUEST_IP 0x0a000105u
#define GATEWAY 0x0a000101u

static struct dhcp_lease
lease(void)
{
    return (struct dhcp_lease){
        .mac = guest, .router = router, .ip = ip4(GUEST_IP), .gateway = ip4(GATEWAY), .prefix_len = 24, .mtu = 1450, .lease_s = 3600
    };
}

/* A client's message under construction. */
struct question {
    uint8_t frame[1500];
    size_t n; /* of the frame */
};

static void
option(struct question *q, uint8_t code, size_t len, const uint8_t *value)
{
    q->frame[q->n++] = code;
    q->frame[q->n++] = len;
    memcpy(q->frame + q->n, value, len);
    q->n += len;
}

static void
option_ip(struct question *q, uint8_t code, uint32_t value)
{
    uint8_t v[4];
    put_be32(v, value);
    option(q, code, 4, v);
}

static uint8_t *
message(struct question *q)
{
    return q->frame + HEADERS;
}

static struct question
question(uint8_t type)
{
    struct question q = { .n = HEADERS + DHCP_OPTIONS };
    uint8_t *m = message(&q);
    m[DHCP_OP] = 1;
    m[DHCP_HTYPE] = 1;
    m[DHCP_HLEN] = 6;
    put_be32(m + DHCP_XID, 0xdeadbeef);
    put_be16(m + DHCP_SECS, 9);
    memcpy(m + DHCP_CHADDR, guest.b, 6);
    put_be32(m + DHCP_COOKIE, DHCP_MAGIC);
    option(&q, OPTION_TYPE, 1, &type);
    return q;
}

static void
finish_headers(struct question *q)
{
    struct bytes b = BYTES_INIT;
    struct ipv4_answer a = { everyone, guest, ip4(0), ip4(UINT32_MAX), IPV4_PROTO_UDP };
    size_t udp_len = q->n - ETHERNET_HEADER - IPV4_HEADER;
    uint8_t *udp = ipv4_put(&b, &a, udp_len);
    put_be16(udp, 68);
    put_be16(udp + 2, 67);
    put_be16(udp + 4, udp_len);
    memcpy(q->frame, b.data, HEADERS);
    bytes_done(&b);
}

/* The answer: its frame in 'out', checked for form. */
static bool
ask(const struct dhcp_lease *l, struct question *q, struct bytes *out)
{
    q->frame[q->n++] = OPTION_END;
    finish_headers(q);
    bytes_clear(out);
    uint8_t *exact = malloc(q->n); /* so that reading past the end is seen */
    memcpy(exact, q->frame, q->n);
    bool is_answered = dhcp_answer(l, exact, q->n, out);
    free(exact);
    if (!is_answered) {
        assert_int_equal(out->n, 0);
        return false;
    }

    const uint8_t *ip = out->data + ETHERNET_HEADER, *udp = ip + IPV4_HEADER, *m = udp + UDP_HEADER;
    size_t udp_len = get_be16(udp + 4);
    assert_int_equal(out->n, ETHERNET_HEADER + get_be16(ip + 2));
    assert_int_equal(udp_len, out->n - ETHERNET_HEADER - IPV4_HEADER);
    assert_in_range(udp_len - UDP_HEADER, 300, 1500);
    assert_int_equal(checksum_finish(checksum_add(0, ip, IPV4_HEADER)), 0);
    uint32_t sum = checksum_add(IPV4_PROTO_UDP + udp_len, ip + 12, 8);
    assert_int_equal(checksum_finish(checksum_add(sum, udp, udp_len)), 0);
    assert_memory_equal(out->data + 6, router.b, 6);
    assert_int_equal(get_be32(ip + 12), GATEWAY);
    assert_int_equal(get_be16(udp), 67);
    assert_int_equal(get_be16(udp + 2), 68);
    assert_int_equal(m[DHCP_OP], 2);
    assert_int_equal(get_be32(m + DHCP_XID), 0xdeadbeef);
    assert_memory_equal(m + DHCP_CHADDR, guest.b, 6);
    return true;
}

static const uint8_t *
answer_message(const struct bytes *out)
{
    return out->data + HEADERS;
}

static const uint8_t *
answer_option(const struct bytes *out, uint8_t code)
{
    const uint8_t *p = answer_message(out) + DHCP_OPTIONS, *end = out->data + out->n;
    while (p < end && *p != OPTION_END) {
        assert_true(end - p > 2 && end - p >= 2 + p[1]);
        if (*p == code)
            return p;
        p += 2 + p[1];
    }
    assert_true(p < end);
    return NULL;
}

static void
assert_option(const struct bytes *out, uint8_t code, size_t len, const void *value)
{
    const uint8_t *p = answer_option(out, code);
    assert_non_null(p);
    assert_int_equal(p[1], len);
    assert_memory_equal(p + 2, value, len);
}

static void
assert_option_u32(const struct bytes *out, uint8_t code, uint32_t value)
{
    uint8_t v[4];
    put_be32(v, value);
    assert_option(out, code, 4, v);
}

static void
assert_type(const struct bytes *out, uint8_t type)
{
    assert_option(out, OPTION_TYPE, 1, &type);
}

static uint32_t
destination(const struct bytes *out)
{
    return get_be32(out->data + ETHERNET_HEADER + 16);
}

static void
a_discover_is_offered_the_ports_address(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    struct question q = question(DHCP_DISCOVER);
    assert_true(ask(&l, &q, &out));
    assert_type(&out, DHCP_OFFER);
    assert_int_equal(get_be32(answer_message(&out) + DHCP_YIADDR), GUEST_IP);
    assert_option_u32(&out, OPTION_MASK, 0xffffff00);
    assert_option_u32(&out, OPTION_ROUTER, GATEWAY);
    assert_option_u32(&out, OPTION_SERVER, GATEWAY);
    assert_option_u32(&out, OPTION_LEASE, 3600);
    assert_option_u32(&out, OPTION_T1, 1800);
    assert_option_u32(&out, OPTION_T2, 3150);
    assert_option(&out, OPTION_MTU, 2, "\x05\xaa");
    assert_option(&out, OPTION_ROUTES, 5, "\0\x0a\0\x01\x01");
    assert_null(answer_option(&out, OPTION_DNS));
    assert_null(answer_option(&out, OPTION_DOMAIN));
    assert_true(answer_option(&out, OPTION_ROUTES) < answer_option(&out, OPTION_ROUTER));
    assert_int_equal(destination(&out), GUEST_IP);
    assert_memory_equal(out.data, guest.b, 6);
    bytes_done(&out);
}

static void
name_servers_and_domain_are_told_when_asked_for(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    l.n_dns = 2;
    l.dns[0] = ip4(0x08080808);
    l.dns[1] = ip4(0x01010101);
    strcpy(l.domain, "example.org");
    struct question q = question(DHCP_DISCOVER);
    option(&q, OPTION_PARAMETERS, 4, (const uint8_t[]){ OPTION_DOMAIN, 99, OPTION_DNS, OPTION_DNS });
    assert_true(ask(&l, &q, &out));
    assert_option(&out, OPTION_DNS, 8, "\x08\x08\x08\x08\x01\x01\x01\x01");
    assert_option(&out, OPTION_DOMAIN, 11, "example.org");
    assert_true(answer_option(&out, OPTION_DOMAIN) < answer_option(&out, OPTION_DNS));
    assert_non_null(answer_option(&out, OPTION_ROUTES));

    q = question(DHCP_DISCOVER);
    option(&q, OPTION_PARAMETERS, 1, (const uint8_t[]){ OPTION_MASK });
    assert_true(ask(&l, &q, &out));
    assert_null(answer_option(&out, OPTION_DNS));

    q = question(DHCP_DISCOVER);
    assert_true(ask(&l, &q, &out));
    assert_non_null(answer_option(&out, OPTION_DNS));
    bytes_done(&out);
}

static void
the_broadcast_flag_is_honoured(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    struct question q = question(DHCP_DISCOVER);
    put_be16(message(&q) + DHCP_FLAGS, DHCP_BROADCAST);
    assert_true(ask(&l, &q, &out));
    assert_int_equal(destination(&out), UINT32_MAX);
    assert_memory_equal(out.data, everyone.b, 6);
    bytes_done(&out);
}

static void
a_request_for_the_right_address_is_acknowledged(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;

    struct question q = question(DHCP_REQUEST); /* selecting */
    option_ip(&q, OPTION_REQUESTED_IP, GUEST_IP);
    option_ip(&q, OPTION_SERVER, GATEWAY);
    assert_true(ask(&l, &q, &out));
    assert_type(&out, DHCP_ACK);
    assert_int_equal(get_be32(answer_message(&out) + DHCP_YIADDR), GUEST_IP);

    q = question(DHCP_REQUEST); /* after a reboot */
    option_ip(&q, OPTION_REQUESTED_IP, GUEST_IP);
    assert_true(ask(&l, &q, &out));
    assert_type(&out, DHCP_ACK);

    q = question(DHCP_REQUEST); /* renewing */
    put_be32(message(&q) + DHCP_CIADDR, GUEST_IP);
    put_be16(message(&q) + DHCP_FLAGS, DHCP_BROADCAST);
    assert_true(ask(&l, &q, &out));
    assert_type(&out, DHCP_ACK);
    assert_int_equal(destination(&out), GUEST_IP);
    bytes_done(&out);
}

static void
a_request_for_another_address_is_refused_to_all(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    struct question q = question(DHCP_REQUEST);
    option_ip(&q, OPTION_REQUESTED_IP, GUEST_IP + 1);
    assert_true(ask(&l, &q, &out));
    assert_type(&out, DHCP_NAK);
    assert_int_equal(destination(&out), UINT32_MAX);
    assert_int_equal(get_be32(answer_message(&out) + DHCP_YIADDR), 0);
    assert_null(answer_option(&out, OPTION_LEASE));
    assert_option_u32(&out, OPTION_SERVER, GATEWAY);

    q = question(DHCP_REQUEST);
    put_be32(message(&q) + DHCP_CIADDR, GUEST_IP + 1);
    assert_true(ask(&l, &q, &out));
    assert_type(&out, DHCP_NAK);
    bytes_done(&out);
}

static void
what_is_meant_for_another_server_is_left_to_it(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    struct question q = question(DHCP_REQUEST);
    option_ip(&q, OPTION_REQUESTED_IP, GUEST_IP);
    option_ip(&q, OPTION_SERVER, GATEWAY + 1);
    assert_false(ask(&l, &q, &out));
    bytes_done(&out);
}

static void
an_inform_is_answered_without_a_lease(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    struct question q = question(DHCP_INFORM);
    put_be32(message(&q) + DHCP_CIADDR, GUEST_IP);
    assert_true(ask(&l, &q, &out));
    assert_type(&out, DHCP_ACK);
    assert_int_equal(get_be32(answer_message(&out) + DHCP_YIADDR), 0);
    assert_int_equal(get_be32(answer_message(&out) + DHCP_CIADDR), GUEST_IP);
    assert_null(answer_option(&out, OPTION_LEASE));
    assert_null(answer_option(&out, OPTION_T1));
    assert_non_null(answer_option(&out, OPTION_MTU));
    bytes_done(&out);
}

static void
decline_release_and_answers_need_no_answer(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    static const uint8_t types[] = { 0, DHCP_DECLINE, DHCP_RELEASE, DHCP_OFFER, DHCP_ACK, DHCP_NAK, 77 };
    for (size_t i = 0; i < sizeof types; i++) {
        struct question q = question(types[i]);
        assert_false(ask(&l, &q, &out));
    }
    bytes_done(&out);
}

static void
a_client_that_is_not_the_port_is_not_answered(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    struct question q = question(DHCP_DISCOVER);
    message(&q)[DHCP_CHADDR + 5]++;
    assert_false(ask(&l, &q, &out));
    bytes_done(&out);
}

static void
options_may_overflow_into_file_and_sname(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    struct question q = question(DHCP_REQUEST);
    option(&q, OPTION_OVERLOAD, 1, (const uint8_t[]){ 3 });
    memcpy(message(&q) + DHCP_FILE, "\x32\x04\x0a\0\x01\x09\xff", 7);
    memcpy(message(&q) + DHCP_SNAME, "\x36\x04\x0a\0\x01\x01\xff", 7);
    assert_true(ask(&l, &q, &out));
    assert_type(&out, DHCP_NAK);

    q = question(DHCP_DISCOVER); /* the field is full, without an end */
    option(&q, OPTION_OVERLOAD, 1, (const uint8_t[]){ 2 });
    memset(message(&q) + DHCP_SNAME, 0, 64);
    message(&q)[DHCP_SNAME + 63] = OPTION_SERVER;
    assert_false(ask(&l, &q, &out));
    bytes_done(&out);
}

static void
the_answer_keeps_to_the_size_the_client_takes(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    l.n_dns = LIMIT_LIST;
    for (size_t i = 0; i < LIMIT_LIST; i++)
        l.dns[i] = ip4(0x0a000100 + i);
    memset(l.domain, 'a', DHCP_DOMAIN_MAX);

    struct question q = question(DHCP_DISCOVER);
    assert_true(ask(&l, &q, &out));
    assert_in_range(out.n, 0, 576 + ETHERNET_HEADER);
    assert_null(answer_option(&out, OPTION_DOMAIN));
    assert_non_null(answer_option(&out, OPTION_DNS));

    q = question(DHCP_DISCOVER);
    option(&q, OPTION_MAX_SIZE, 2, (const uint8_t[]){ 0xff, 0xff });
    assert_true(ask(&l, &q, &out));
    assert_int_equal(answer_option(&out, OPTION_DOMAIN)[1], DHCP_DOMAIN_MAX);
    bytes_done(&out);
}

static void
a_client_identifier_is_given_back(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    struct question q = question(DHCP_DISCOVER);
    option(&q, 61, 7, (const uint8_t[]){ 1, 2, 0, 0, 0, 0, 5 });
    assert_true(ask(&l, &q, &out));
    assert_option(&out, 61, 7, "\1\2\0\0\0\0\5");
    bytes_done(&out);
}

static void
malformed_messages_are_not_answered(void **unused)
{
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    struct question q = question(DHCP_DISCOVER);
    option(&q, OPTION_SERVER, 3, (const uint8_t[]){ 10, 0, 1 });
    assert_false(ask(&l, &q, &out));
    q = question(DHCP_DISCOVER);
    option(&q, OPTION_OVERLOAD, 0, (const uint8_t *) "");
    assert_false(ask(&l, &q, &out));

    q = question(DHCP_DISCOVER);
    finish_headers(&q);
    for (size_t n = 0; n < q.n; n++)
        assert_false(dhcp_answer(&l, q.frame, n, &out));
    assert_true(dhcp_answer(&l, q.frame, q.n, &out));
    q.frame[ETHERNET_HEADER + 6] = 0x20; /* a fragment */
    bytes_clear(&out);
    assert_false(dhcp_answer(&l, q.frame, q.n, &out));
    bytes_done(&out);
}

static void
no_bytes_make_it_stumble(void **unused)
{
    struct random random = random_seeded();
    struct dhcp_lease l = lease();
    struct bytes out = BYTES_INIT;
    for (unsigned i = 0; i < 20000; i++) {
        struct question q = question(1 + random_below(&random, 8));
        for (unsigned n = random_below(&random, 40); n; n--)
            q.frame[q.n++] = random_u64(&random) >> random_below(&random, 64);
        finish_headers(&q);
        for (unsigned n = random_below(&random, 4); n; n--)
            q.frame[random_below(&random, q.n)] = random_u64(&random);
        size_t len = random_below(&random, 4) ? q.n : random_below(&random, q.n);
        uint8_t *exact = malloc(len + 1);
        memcpy(exact, q.frame, len);
        bytes_clear(&out);
        if (dhcp_answer(&l, exact, len, &out))
            assert_in_range(out.n, HEADERS + 300, 1300);
        free(exact);
    }
    bytes_done(&out);
}

static void
userdata_carries_a_lease_whole(void **unused)
{
    struct bytes b = BYTES_INIT;
    struct dhcp_lease l = lease(), got;
    l.n_dns = LIMIT_LIST;
    for (size_t i = 0; i < LIMIT_LIST; i++)
        l.dns[i] = ip4(i);
    memset(l.domain, 'd', DHCP_DOMAIN_MAX);
    userdata_put_lease(&b, &l);
    assert_true(userdata_get_lease(b.data, b.n, &got));
    assert_true(mac_equal(got.mac, guest) && mac_equal(got.router, router) && got.mtu == 1450 && got.lease_s == 3600);
    assert_true(ip_equal(got.ip, l.ip) && ip_equal(got.gateway, l.gateway) && got.prefix_len == 24);
    assert_int_equal(got.n_dns, LIMIT_LIST);
    assert_memory_equal(got.dns, l.dns, sizeof l.dns);
    assert_string_equal(got.domain, l.domain);

    size_t all = b.n, fixed = all - DHCP_DOMAIN_MAX;
    for (size_t n = 0; n < fixed; n++)
        assert_false(userdata_get_lease(b.data, n, &got));
    bytes_put_u8(&b, 'x');
    assert_false(userdata_get_lease(b.data, b.n, &got));
    b.data[0]++;
    assert_false(userdata_get_lease(b.data, all, &got));
    bytes_done(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_discover_is_offered_the_ports_address),
        cmocka_unit_test(name_servers_and_domain_are_told_when_asked_for),
        cmocka_unit_test(the_broadcast_flag_is_honoured),
        cmocka_unit_test(a_request_for_the_right_address_is_acknowledged),
        cmocka_unit_test(a_request_for_another_address_is_refused_to_all),
        cmocka_unit_test(what_is_meant_for_another_server_is_left_to_it),
        cmocka_unit_test(an_inform_is_answered_without_a_lease),
        cmocka_unit_test(decline_release_and_answers_need_no_answer),
        cmocka_unit_test(a_client_that_is_not_the_port_is_not_answered),
        cmocka_unit_test(options_may_overflow_into_file_and_sname),
        cmocka_unit_test(the_answer_keeps_to_the_size_the_client_takes),
        cmocka_unit_test(a_client_identifier_is_given_back),
        cmocka_unit_test(malformed_messages_are_not_answered),
        cmocka_unit_test(no_bytes_make_it_stumble),
        cmocka_unit_test(userdata_carries_a_lease_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
