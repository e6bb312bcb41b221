/* vnetd stops while a switch is connected: its session ends while all that it tells is still there (the sanitizers watch), and the next run finds the host. */
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/controller_lab.h"
#include "tests/unit/fake_switch.h"

/* The switch has a loop of its own, which outlives vnetd's. */
struct world {
    struct controller_lab *lab;
    struct event_base *base;
    struct fake_switch fake;
};

static int
connect_to(uint16_t port)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *) &to, sizeof to), 0);
    evutil_make_socket_nonblocking(fd);
    return fd;
}

static bool
is_connected(void *aux)
{
    struct world *w = aux;
    event_base_loop(w->base, EVLOOP_NONBLOCK);
    return controller_lab_host(w->lab, "hv1")->of;
}

static void
vnetd_stops_while_a_switch_is_connected(void **unused)
{
    static char method[] = "ptcp:0:127.0.0.1";
    struct error err;
    struct world w = { .lab = controller_lab_start(), .base = event_base_new(), .fake = { .hello_versions = 1u << 6 } };
    controller_lab_do(w.lab, "[{'op':'add','type':'host','name':'hv1'}]");
    w.lab->options.openflow = (struct option_list){ .v = { method }, .n = 1 };
    assert_true(hosts_listen(w.lab->c.hosts, &err));
    w.fake.dpid = controller_lab_host(w.lab, "hv1")->dpid;
    fake_switch_start(&w.fake, w.base, connect_to(hosts_openflow_port(w.lab->c.hosts, 0)));
    assert_true(controller_lab_until(w.lab, is_connected, &w));

    controller_lab_restart(w.lab);
    while (!w.fake.is_closed)
        event_base_loop(w.base, EVLOOP_ONCE);
    assert_null(controller_lab_host(w.lab, "hv1")->of);
    controller_lab_stop(w.lab);
    fake_switch_stop(&w.fake);
    event_base_free(w.base);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN); /* the switch may answer a session that is gone */
    const struct CMUnitTest tests[] = { cmocka_unit_test(vnetd_stops_while_a_switch_is_connected) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
