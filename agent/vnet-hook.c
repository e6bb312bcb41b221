/* vnet-hook(8): libvirt's qemu hook. Passes what libvirt says to the agent's socket and waits, bounded, for its answer. It forks nothing, never
 * calls libvirt (which holds the domain meanwhile), and exits 0 whatever happens, so that no fault of ours stops a guest; with --strict
 * a declaration that is refused at 'prepare' stops the start, and only that. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/hook_message.h"
#include "agent/hook_selftest.h"
#include "base/alloc.h"

struct hook {
    const char *socket;
    double timeout_s;
    bool is_strict, is_selftest;
};

enum { OPT_SOCKET = 256, OPT_TIMEOUT, OPT_STRICT, OPT_SELFTEST, OPT_VERSION };

/* The time is over: whatever was being done, the guest goes on. */
static void
on_alarm(int number)
{
    static const char text[] = "vnet-hook: no answer from vnet-agent in time\n";
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit(0);
    _exit(0);
}

static void
start_clock(double seconds)
{
    sigset_t alarm;
    struct itimerval timer = { .it_value = { (time_t) seconds, (suseconds_t) ((seconds - (time_t) seconds) * 1e6) } };
    if (!timer.it_value.tv_sec && !timer.it_value.tv_usec)
        timer.it_value.tv_usec = 1; /* 0 would be no bound at all */
    signal(SIGALRM, on_alarm);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm, NULL); /* a parent may have blocked it */
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void
read_stdin(struct bytes *xml)
{
    char buffer[65536];
    ssize_t n;
    while ((n = read(STDIN_FILENO, buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0 && xml->n + (size_t) n <= HOOK_MESSAGE_MAX / 2)
            bytes_put(xml, buffer, (size_t) n);
}

static bool
send_all(int fd, const struct bytes *b)
{
    for (size_t at = 0; at < b->n;) {
        ssize_t n = send(fd, b->data + at, b->n - at, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return false;
        at += n > 0 ? (size_t) n : 0;
    }
    return !shutdown(fd, SHUT_WR);
}

static bool
receive(int fd, char answer[HOOK_ANSWER_MAX])
{
    size_t used = 0;
    ssize_t n;
    while (used < HOOK_ANSWER_MAX - 1 && ((n = recv(fd, answer + used, HOOK_ANSWER_MAX - 1 - used, 0)) > 0 || (n < 0 && errno == EINTR)))
        used += n > 0 ? (size_t) n : 0;
    answer[used] = '\0';
    return used;
}

/* Connecting blocks while the agent's queue is full; the clock ends that too. */
static int
connect_agent(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    while (fd >= 0 && connect(fd, (struct sockaddr *) &a, sizeof a)) {
        if (errno == EINTR)
            continue;
        close(fd);
        return -1;
    }
    return fd;
}

/* The exit status. */
static int
pass_on(const struct hook *hook, char *const words[4])
{
    struct bytes xml = BYTES_INIT, message = BYTES_INIT;
    char answer[HOOK_ANSWER_MAX];
    const char *refusal = NULL;
    read_stdin(&xml);
    struct hook_message m = { words[0], words[1], words[2], words[3], (unsigned) (hook->timeout_s * 1000), (const char *) xml.data, xml.n };
    hook_message_put(&message, &m);
    int fd = connect_agent(hook->socket);
    bool ok = fd >= 0 && send_all(fd, &message) && receive(fd, answer) && hook_answer_parse(answer, &refusal);
    if (!ok)
        fprintf(stderr, "vnet-hook: vnet-agent does not answer at %s; the guest goes on without it\n", hook->socket);
    else if (refusal)
        fprintf(stderr, "vnet: %s\n", refusal);
    if (fd >= 0)
        close(fd);
    bytes_done(&xml);
    bytes_done(&message);
    return refusal && hook->is_strict && !strcmp(words[1], "prepare") ? 1 : 0;
}

static const struct option long_options[] = {
    { "socket", required_argument, NULL, OPT_SOCKET }, { "timeout", required_argument, NULL, OPT_TIMEOUT },
    { "strict", no_argument, NULL, OPT_STRICT },       { "selftest", no_argument, NULL, OPT_SELFTEST },
    { "version", no_argument, NULL, OPT_VERSION },     { NULL, 0, NULL, 0 },
};

static bool
parse(int argc, char *argv[], struct hook *hook)
{
    for (int option; (option = getopt_long(argc, argv, "+", long_options, NULL)) != -1;) {
        char *end = NULL;
        switch (option) {
        case OPT_SOCKET: hook->socket = optarg; break;
        case OPT_STRICT: hook->is_strict = true; break;
        case OPT_SELFTEST: hook->is_selftest = true; break;
        case OPT_VERSION: puts("vnet-hook " PACKAGE_VERSION); exit(0);
        case OPT_TIMEOUT:
            hook->timeout_s = strtod(optarg, &end);
            if (*end || !(hook->timeout_s > 0 && hook->timeout_s <= HOOK_TIMEOUT_MAX_MS / 1000))
                return false;
            break;
        default: return false;
        }
    }
    return hook->is_selftest ? optind == argc : argc - optind >= 3;
}

int
main(int argc, char *argv[])
{
    struct hook hook = { .socket = "/run/vnet/agent.sock", .timeout_s = 5 };
    if (!parse(argc, argv, &hook)) {
        fprintf(stderr, "usage: vnet-hook [--socket=FILE] [--timeout=SECS] [--strict] GUEST OPERATION SUBOPERATION EXTRA\n"
                        "       vnet-hook [--socket=FILE] --selftest\n");
        return 0; /* libvirt would stop the guest over it */
    }
    start_clock(hook.timeout_s);
    if (hook.is_selftest)
        return hook_selftest(argv[0], hook.socket);
    char none[] = "-", *words[4] = { argv[optind], argv[optind + 1], argv[optind + 2], argc - optind > 3 ? argv[optind + 3] : none };
    return pass_on(&hook, words);
}
