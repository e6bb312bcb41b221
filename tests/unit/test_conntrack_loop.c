/* The agent's questions to ovs-vswitchd: when they are asked, how often, and what is told when there is no good answer. A fake ovs-vswitchd answers. */
#include "agent/conntrack.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/log.h"

#define LINE "udp,orig=(dst=10.0.0.1,dport=53),zone=1,mark=1,labels=0x100000000\\n"
#define ANSWER "{\"id\":1,\"result\":\"" LINE LINE "\",\"error\":null}"

struct lab {
    struct event_base *base;
    struct evconnlistener *listener;
    struct conntrack *conntrack;
    char dir[48], pid_file[80], socket[80];
    const char *answer; /* NULL: none; "": the connection is closed */
    int after_ms;
    char question[256];
    int n_questions, n_told;
    json_t *told; /* the last */
    struct bufferevent *client;
    bool client_went;
    struct event *later;
};

static void
answer_now(evutil_socket_t fd, short what, void *aux)
{
    struct lab *lab = aux;
    if (!lab->answer || !lab->client)
        return;
    if (*lab->answer) {
        bufferevent_write(lab->client, lab->answer, strlen(lab->answer));
        return;
    }
    bufferevent_free(lab->client);
    lab->client = NULL;
}

static void
on_question(struct bufferevent *bev, void *aux)
{
    struct lab *lab = aux;
    struct timeval tv = { 0, lab->after_ms * 1000 };
    int n = evbuffer_remove(bufferevent_get_input(bev), lab->question, sizeof lab->question - 1);
    lab->question[n > 0 ? n : 0] = '\0';
    lab->n_questions++;
    evtimer_add(lab->later, &tv);
}

static void
on_client_event(struct bufferevent *bev, short what, void *aux)
{
    struct lab *lab = aux;
    lab->client_went = true;
    bufferevent_free(bev);
    lab->client = NULL;
}

static void
on_client(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *a, int n, void *aux)
{
    struct lab *lab = aux;
    lab->client = bufferevent_socket_new(lab->base, fd, BEV_OPT_CLOSE_ON_FREE);
    bufferevent_setcb(lab->client, on_question, NULL, on_client_event, lab);
    bufferevent_enable(lab->client, EV_READ | EV_WRITE);
}

static void
on_counted(void *aux, json_t *take)
{
    struct lab *lab = aux;
    json_decref(lab->told);
    lab->told = take;
    lab->n_told++;
}

static int
start(void **state)
{
    struct lab *lab = mem_zalloc(sizeof *lab);
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    log_console(false);
    snprintf(lab->dir, sizeof lab->dir, "/tmp/vnet-conntrack-XXXXXX");
    assert_non_null(mkdtemp(lab->dir));
    snprintf(lab->pid_file, sizeof lab->pid_file, "%s/ovs-vswitchd.pid", lab->dir);
    snprintf(lab->socket, sizeof lab->socket, "%s/ovs-vswitchd.77.ctl", lab->dir);
    FILE *f = fopen(lab->pid_file, "w");
    assert_true(f && fputs("77\n", f) >= 0 && !fclose(f));
    snprintf(a.sun_path, sizeof a.sun_path, "%s", lab->socket);
    lab->base = event_base_new();
    lab->listener = evconnlistener_new_bind(lab->base, on_client, lab, LEV_OPT_CLOSE_ON_FREE, 5, (struct sockaddr *) &a, sizeof a);
    assert_non_null(lab->listener);
    lab->later = evtimer_new(lab->base, answer_now, lab);
    lab->conntrack = conntrack_new(lab->base, lab->dir, on_counted, lab);
    lab->answer = ANSWER;
    *state = lab;
    return 0;
}

static int
stop(void **state)
{
    struct lab *lab = *state;
    conntrack_free(lab->conntrack);
    if (lab->client)
        bufferevent_free(lab->client);
    evconnlistener_free(lab->listener);
    event_free(lab->later);
    event_base_free(lab->base);
    json_decref(lab->told);
    unlink(lab->socket);
    unlink(lab->pid_file);
    rmdir(lab->dir);
    free(lab);
    return 0;
}

static void
turn(struct lab *lab, int ms)
{
    struct timeval tv = { ms / 1000, ms % 1000 * 1000 };
    event_base_loopexit(lab->base, &tv);
    event_base_dispatch(lab->base);
}

/* A busy machine makes answers slow, and the rest after them a hundred times as long. */
static void
wait_told(struct lab *lab, int n)
{
    for (int i = 0; i < 6000 && lab->n_told < n; i++)
        turn(lab, 10);
    assert_int_equal(lab->n_told, n);
}

static void
want(struct lab *lab)
{
    conntrack_set_datapath(lab->conntrack, "netdev");
    conntrack_set_wanted(lab->conntrack, true);
}

static void
nothing_is_asked_before_it_is_wanted_and_the_datapath_known(void **state)
{
    struct lab *lab = *state;
    conntrack_set_wanted(lab->conntrack, true);
    turn(lab, 50);
    conntrack_set_wanted(lab->conntrack, false);
    conntrack_set_datapath(lab->conntrack, "netdev");
    turn(lab, 50);
    assert_int_equal(lab->n_questions, 0);
    conntrack_set_wanted(lab->conntrack, true);
    wait_told(lab, 1);
    assert_non_null(strstr(lab->question, "\"method\":\"dpctl/dump-conntrack\",\"params\":[\"-m\",\"netdev@ovs-netdev\"]"));
    char *text = json_text(json_object_get(lab->told, "counts"));
    assert_string_equal(text, "[[1,1,\"udp\",\"10.0.0.1\",53,2]]");
    free(text);
}

static void
what_is_no_good_answer_is_not_known(void **state)
{
    static const char *const answers[] = {
        "",
        "{\"id\":1,\"error\":\"datapath not found\"}",
        "what?",
        "{\"id\":1,\"result\":\"udp,zone=1,mark=1,labels=0x100000000\"}",
    };
    struct lab *lab = *state;
    want(lab);
    wait_told(lab, 1);
    for (int i = 0; i < 4; i++) {
        lab->answer = answers[i];
        conntrack_set_wanted(lab->conntrack, false);
        conntrack_set_wanted(lab->conntrack, true);
        wait_told(lab, 2 + i);
        assert_true(json_is_null(lab->told));
    }
    unlink(lab->pid_file);
    conntrack_set_wanted(lab->conntrack, false);
    conntrack_set_wanted(lab->conntrack, true);
    wait_told(lab, 6);
    assert_true(json_is_null(lab->told));
}

static void
a_slow_answer_is_followed_by_a_hundred_times_its_time_of_rest(void **state)
{
    struct lab *lab = *state;
    lab->after_ms = 150;
    want(lab);
    wait_told(lab, 1);
    int64_t every_ms = json_member_int(lab->told, "every_ms", 0);
    assert_in_range(every_ms, 150 * CONNTRACK_REST - CONNTRACK_REST, 5000 * CONNTRACK_REST);
    conntrack_set_wanted(lab->conntrack, false);
    conntrack_set_wanted(lab->conntrack, true);
    turn(lab, 300);
    assert_int_equal(lab->n_questions, 1);
}

static void
what_is_no_longer_wanted_is_not_told_and_its_question_given_up(void **state)
{
    struct lab *lab = *state;
    lab->answer = NULL;
    want(lab);
    for (int i = 0; i < 500 && !lab->n_questions; i++)
        turn(lab, 10);
    assert_int_equal(lab->n_questions, 1);
    conntrack_set_wanted(lab->conntrack, false);
    for (int i = 0; i < 500 && !lab->client_went; i++)
        turn(lab, 10);
    assert_true(lab->client_went);
    assert_int_equal(lab->n_told, 0);
}

static void
silence_is_given_up_after_five_seconds(void **state)
{
    struct lab *lab = *state;
    lab->answer = NULL;
    want(lab);
    wait_told(lab, 1);
    assert_true(json_is_null(lab->told));
    turn(lab, 20);
    assert_true(lab->client_went);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_asked_before_it_is_wanted_and_the_datapath_known, start, stop),
        cmocka_unit_test_setup_teardown(what_is_no_good_answer_is_not_known, start, stop),
        cmocka_unit_test_setup_teardown(a_slow_answer_is_followed_by_a_hundred_times_its_time_of_rest, start, stop),
        cmocka_unit_test_setup_teardown(what_is_no_longer_wanted_is_not_told_and_its_question_given_up, start, stop),
        cmocka_unit_test_setup_teardown(silence_is_given_up_after_five_seconds, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
