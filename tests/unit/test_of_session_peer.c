/* What an OpenFlow session lets its peer say: switches of other versions or other owners, garbage, silence. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "tests/unit/session_world.h"

static void
a_switch_without_openflow_15_is_told_why(void **state)
{
    struct world *w = *state;
    w->fake.hello_versions = 0x1e;
    world_start_fake(w);
    assert_true(world_until(w, is_closed, 5000));
    assert_non_null(strstr(w->reason, "OpenFlow15"));
    assert_false(world_until(w, never, 20));
    assert_int_equal(w->fake.n_hello_failed, 1);
    assert_true(w->fake.is_closed);
    assert_int_equal(w->n_identified, 0);
}

static void
a_hello_of_an_old_version_without_a_bitmap_is_refused(void **state)
{
    struct world *w = *state;
    w->fake.hello_versions = 0;
    world_start_fake(w);
    assert_true(world_until(w, is_closed, 5000));
    assert_non_null(strstr(w->reason, "OpenFlow15"));
}

static void
a_switch_that_is_not_ours_is_left_untouched(void **state)
{
    struct world *w = *state;
    w->refuses_identity = true;
    world_start_fake(w);
    assert_true(world_until(w, is_closed, 5000));
    assert_string_equal(w->reason, "no host has this switch");
    assert_false(world_until(w, never, 20));
    unsigned n = 0;
    for (int type = 0; type < 64; type++)
        n += type == 0 || type == 5 ? 0 : w->fake.n_messages[type];
    assert_int_equal(n, 0);
}

static void
echo_requests_are_answered_even_one_byte_at_a_time(void **state)
{
    static const uint8_t request[] = { 6, 2, 0, 10, 0, 0, 0, 9, 'h', 'i' };
    struct world *w = *state;
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    for (size_t i = 0; i < sizeof request; i++) {
        assert_false(has_echo_reply(w));
        bufferevent_write(w->fake.bev, request + i, 1);
        event_base_loop(w->base, EVLOOP_NONBLOCK);
        event_base_loop(w->base, EVLOOP_NONBLOCK);
    }
    assert_true(world_until(w, has_echo_reply, 5000));
}

/* Each is what a switch might say after the handshake, and why that ends the session (NULL: it does not). */
static void
garbage_after_the_handshake_ends_the_session_with_a_reason(void **state)
{
    static const struct {
        uint8_t bytes[40];
        size_t n;
        const char *reason;
    } garbage[] = {
        { { 6, 2, 0, 7, 0, 0, 0, 0 }, 8, "7 bytes" },
        { { 6, 2, 0, 0, 0, 0, 0, 0 }, 8, "0 bytes" },
        { { 4, 2, 0, 8, 0, 0, 0, 0 }, 8, "version 0x04" },
        { { 6, 0, 0, 8, 0, 0, 0, 0 }, 8, "HELLO twice" },
        { { 6, 99, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 1, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 1, 0, 12, 0, 0, 0, 0, 255, 255, 255, 255 }, 12, NULL },
        { { 6, 4, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 4, 0, 16, 0, 0, 0, 0, 0, 0, 0x23, 0x20, 0, 0, 0, 30 }, 16, NULL },
        { { 6, 4, 0, 20, 0, 0, 0, 0, 0, 0, 0x23, 0x20, 0, 0, 0, 30, 0, 0, 0, 4 }, 20, NULL },
        { { 6, 19, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 33, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 6, 0, 8, 0, 0, 0, 0 }, 8, NULL },
        { { 6, 10, 0, 8, 0, 0, 0, 0 }, 8, NULL },
    };
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        void *inner;
        world_setup(&inner);
        struct world *w = inner;
        world_start_fake(w);
        assert_true(world_until(w, is_committed, 5000));
        bufferevent_write(w->fake.bev, garbage[i].bytes, garbage[i].n);
        fake_switch_send(&w->fake, 6, 2, 5, NULL, 0);
        if (garbage[i].reason) {
            assert_true(world_until(w, is_closed, 5000));
            assert_non_null(strstr(w->reason, garbage[i].reason));
        } else {
            assert_true(world_until(w, has_echo_reply, 5000));
            assert_int_equal(w->n_closed, 0);
        }
        assert_int_equal(world_teardown(&inner), 0);
    }
}

static void
random_bytes_never_do_more_than_end_the_session(void **state)
{
    srandom(7);
    log_console(false);
    for (int round = 0; round < 300; round++) {
        void *inner;
        world_setup(&inner);
        struct world *w = inner;
        world_start_fake(w);
        if (round % 3) {
            bool is_ready = world_until(w, round % 3 == 1 ? is_identified : is_committed, 5000);
            assert_true(is_ready);
        }
        for (int i = 0; i < 20 && !w->fake.is_closed; i++) {
            uint8_t body[256];
            size_t n = (size_t) random() % sizeof body;
            for (size_t j = 0; j < n; j++)
                body[j] = (uint8_t) (random() % 3 ? random() % 4 : random());
            fake_switch_send(&w->fake, 6, (uint8_t) (random() % 36), (uint32_t) random() % 24, body, n);
            event_base_loop(w->base, EVLOOP_NONBLOCK);
        }
        world_until(w, is_closed, 1);
        assert_int_equal(world_teardown(&inner), 0);
    }
    log_console(true);
}

static void
a_peer_that_speaks_no_openflow_is_cut_off(void **state)
{
    struct world *w = *state;
    w->fake.is_silent = true;
    world_start_fake(w);
    bufferevent_write(w->fake.bev, "GET / HTTP/1.0\r\n\r\n", 18);
    assert_true(world_until(w, is_closed, 5000));
    assert_non_null(strstr(w->reason, "not a HELLO"));
}

static void
silence_ends_a_session_in_time_before_and_after_the_handshake(void **state)
{
    struct world *w = *state;
    void *inner;
    world_setup(&inner);
    struct world *mute = inner;
    mute->fake.is_silent = true;
    struct event_base *own_base = mute->base;
    mute->base = w->base;
    world_start_fake(mute);

    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    w->fake.is_silent = true;
    assert_false(world_until(w, is_closed, 8000));
    assert_true(world_until(w, is_closed, 5000));
    assert_non_null(strstr(w->reason, "silent"));
    assert_true(world_until(mute, is_closed, 5000));
    assert_non_null(strstr(mute->reason, "handshake"));

    fake_switch_stop(&mute->fake);
    mute->base = own_base;
    assert_int_equal(world_teardown(&inner), 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, world_setup, world_teardown)

static bool
is_heard(struct world *w)
{
    return w->n_heard > 0;
}

static void
who_is_poked_is_heard_and_asked_once_until_then(void **state)
{
    struct world *w = *state;
    world_start_fake(w);
    assert_true(world_until(w, is_committed, 5000));
    assert_false(world_until(w, never, 20));
    w->fake.is_silent = true;
    w->n_heard = 0;
    unsigned n = w->fake.n_messages[2];
    of_session_poke(w->session);
    of_session_poke(w->session);
    assert_false(world_until(w, never, 20));
    assert_int_equal(w->fake.n_messages[2], n + 1);
    assert_int_equal(w->n_heard, 0);
    fake_switch_send(&w->fake, 6, 3, 0, NULL, 0);
    assert_true(world_until(w, is_heard, 5000));
    w->fake.is_silent = false;
    w->n_heard = 0;
    of_session_poke(w->session);
    assert_true(world_until(w, is_heard, 5000));
    assert_int_equal(w->fake.n_messages[2], n + 2);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_switch_without_openflow_15_is_told_why),
        TEST(a_hello_of_an_old_version_without_a_bitmap_is_refused),
        TEST(a_switch_that_is_not_ours_is_left_untouched),
        TEST(who_is_poked_is_heard_and_asked_once_until_then),
        TEST(echo_requests_are_answered_even_one_byte_at_a_time),
        cmocka_unit_test(garbage_after_the_handshake_ends_the_session_with_a_reason),
        cmocka_unit_test(random_bytes_never_do_more_than_end_the_session),
        TEST(a_peer_that_speaks_no_openflow_is_cut_off),
        TEST(silence_ends_a_session_in_time_before_and_after_the_handshake),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
