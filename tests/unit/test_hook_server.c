/* Hooks that come and go: whatever they do, the next one is answered. */
#include "agent/hook_server.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"

#define MANY 300 /* more than are taken at once */

struct lab {
    struct event_base *base;
    struct hook_server *server;
    char dir[48], socket[80];
    bool is_slow; /* answers come later, from the test */
    struct hook_call *held[MANY];
    size_t n_held, n_asked;
};

static void
on_hook(void *aux, struct hook_call *call, const struct hook_message *m)
{
    struct lab *lab = aux;
    assert_string_equal(m->operation, "prepare");
    lab->n_asked++;
    if (lab->is_slow)
        lab->held[lab->n_held++] = call;
    else
        hook_call_answer(call, NULL);
}

static int
start(void **state)
{
    struct error err;
    struct lab *lab = mem_zalloc(sizeof *lab);
    signal(SIGPIPE, SIG_IGN);
    snprintf(lab->dir, sizeof lab->dir, "/tmp/vnet-hook-server.XXXXXX");
    assert_non_null(mkdtemp(lab->dir));
    snprintf(lab->socket, sizeof lab->socket, "%s/agent.sock", lab->dir);
    lab->base = event_base_new();
    lab->server = hook_server_new(lab->base, lab->socket, on_hook, lab, &err);
    assert_non_null(lab->server);
    *state = lab;
    return 0;
}

static int
stop(void **state)
{
    struct lab *lab = *state;
    hook_server_free(lab->server);
    event_base_free(lab->base);
    rmdir(lab->dir);
    free(lab);
    return 0;
}

/* Until nothing is left to do at once. */
static void
turn(struct lab *lab)
{
    for (int i = 0; i < 8; i++)
        event_base_loop(lab->base, EVLOOP_NONBLOCK);
}

static int
come(struct lab *lab)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", lab->socket);
    assert_int_equal(connect(fd, (struct sockaddr *) &a, sizeof a), 0);
    return fd;
}

/* All of a message but its last 'missing' bytes. */
static void
say(int fd, size_t missing)
{
    struct bytes b = BYTES_INIT;
    struct hook_message m = { "g", "prepare", "begin", "-", 5000, NULL, 0 };
    hook_message_put(&b, &m);
    assert_int_equal(send(fd, b.data, b.n - missing, MSG_NOSIGNAL), b.n - missing);
    bytes_done(&b);
}

static void
expect_answered(struct lab *lab)
{
    char answer[16] = "";
    int fd = come(lab);
    say(fd, 0);
    shutdown(fd, SHUT_WR);
    turn(lab);
    assert_int_equal(recv(fd, answer, sizeof answer - 1, MSG_DONTWAIT), 3);
    assert_string_equal(answer, "ok\n");
    close(fd);
    turn(lab);
}

static size_t
n_files(void)
{
    size_t n = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (readdir(folder))
        n++;
    closedir(folder);
    return n;
}

static void
hooks_that_go_before_their_answer_keep_nobody_out(void **state)
{
    struct lab *lab = *state;
    size_t before = n_files();
    for (int i = 0; i < MANY; i++) {
        int fd = come(lab);
        say(fd, 0);
        close(fd);
        turn(lab);
    }
    assert_int_equal(lab->n_asked, MANY);
    expect_answered(lab);
    assert_int_equal(n_files(), before);
}

static void
hooks_that_go_in_the_middle_of_their_message_keep_nobody_out(void **state)
{
    struct lab *lab = *state;
    size_t before = n_files();
    for (int i = 0; i < MANY; i++) {
        int fd = come(lab);
        say(fd, 8);
        turn(lab);
        close(fd);
        turn(lab);
    }
    assert_int_equal(lab->n_asked, 0);
    expect_answered(lab);
    assert_int_equal(n_files(), before);
}

static void
an_answer_that_finds_nobody_ends_its_call(void **state)
{
    struct lab *lab = *state;
    size_t before = n_files();
    for (int round = 0; round < 3; round++) {
        lab->is_slow = true;
        for (int i = 0; i < MANY / 2; i++) {
            int fd = come(lab);
            say(fd, 0);
            shutdown(fd, SHUT_WR);
            turn(lab);
            close(fd);
            turn(lab);
        }
        assert_int_equal(lab->n_held, MANY / 2);
        while (lab->n_held)
            hook_call_answer(lab->held[--lab->n_held], "too late");
        turn(lab);
        lab->is_slow = false;
    }
    expect_answered(lab);
    assert_int_equal(n_files(), before);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, stop)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hooks_that_go_before_their_answer_keep_nobody_out),
        TEST(hooks_that_go_in_the_middle_of_their_message_keep_nobody_out),
        TEST(an_answer_that_finds_nobody_ends_its_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
