/* The kernel's news of links, in a network namespace of the test's own (root's, or a user's own). */
#include "agent/underlay.h"

#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/log.h"

#define CHANGES 20000 /* far more news than a socket holds */

struct world {
    struct event_base *base;
    struct underlay *underlay;
    struct underlay_facts facts;
    unsigned n_told;
    int control;
};

static void
on_changed(void *aux, const struct underlay_facts *facts)
{
    struct world *w = aux;
    w->facts = *facts;
    w->n_told++;
}

static void
set_mtu(const struct world *w, int mtu)
{
    struct ifreq request = { .ifr_name = "lo" };
    request.ifr_mtu = mtu;
    assert_int_equal(ioctl(w->control, SIOCSIFMTU, &request), 0);
}

static void
set_up(const struct world *w)
{
    struct ifreq request = { .ifr_name = "lo" };
    request.ifr_flags = IFF_UP;
    assert_int_equal(ioctl(w->control, SIOCSIFFLAGS, &request), 0);
}

static int
start(void **state)
{
    if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET))
        return -1;
    struct world *w = mem_zalloc(sizeof *w);
    *state = w;
    w->base = event_base_new();
    w->control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    set_up(w);
    set_mtu(w, 1400);
    w->underlay = underlay_new(w->base, on_changed, w);
    return w->underlay ? 0 : -1;
}

static int
stop(void **state)
{
    struct world *w = *state;
    underlay_free(w->underlay);
    event_base_free(w->base);
    close(w->control);
    free(w);
    return 0;
}

static void
on_over(evutil_socket_t fd, short what, void *aux)
{
    fail_msg("the kernel's last word has not come");
}

static void
until_mtu(struct world *w, uint16_t mtu)
{
    struct timeval bound = { 10, 0 };
    struct event *over = evtimer_new(w->base, on_over, w);
    evtimer_add(over, &bound);
    while (w->facts.mtu != mtu)
        event_base_loop(w->base, EVLOOP_ONCE);
    event_free(over);
}

static struct ip
loopback(void)
{
    struct ip ip;
    assert_true(ip_parse("127.0.0.1", &ip));
    return ip;
}

static void
the_device_with_the_address_is_told_and_followed(void **state)
{
    struct world *w = *state;
    underlay_set_address(w->underlay, loopback());
    assert_string_equal(w->facts.device, "lo");
    assert_int_equal(w->facts.mtu, 1400);
    assert_true(w->facts.is_up);
    set_mtu(w, 1300);
    until_mtu(w, 1300);
    assert_int_equal(w->n_told, 2);
}

/* The socket is full long before the last change: it is never heard of, and only reading again tells it. */
static void
news_that_are_lost_are_read_again(void **state)
{
    struct world *w = *state;
    underlay_set_address(w->underlay, loopback());
    for (int i = 0; i < CHANGES; i++)
        set_mtu(w, 1200 + i % 2);
    set_mtu(w, 1500);
    until_mtu(w, 1500);
    set_mtu(w, 1600); /* and it is followed from then on */
    until_mtu(w, 1600);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_device_with_the_address_is_told_and_followed),
        TEST(news_that_are_lost_are_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
