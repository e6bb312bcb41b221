/* Children, the shell, time, waiting. A child gets SIGKILL when the bench goes, by whatever way. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tools/bench/bench.h"

#define WAIT_NS (INT64_C(30) * 1000000000)

void
bench_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

int64_t
bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
on_bound(evutil_socket_t fd, short what, void *aux)
{
}

void
bench_wait(const struct bench *b, bool (*is_so)(const void *aux), const void *aux, const char *what)
{
    int64_t end = bench_now_ns() + WAIT_NS;
    struct event *bound = event_new(b->base, -1, EV_PERSIST, on_bound, NULL);
    event_add(bound, &(struct timeval){ .tv_sec = 1 });
    while (!is_so(aux)) {
        if (bench_now_ns() > end)
            bench_die("waited in vain: %s", what);
        event_base_loop(b->base, EVLOOP_ONCE);
    }
    event_free(bound);
}

/* Each machine has a processor of its own, as far as there are any: else whoever wakes the other may draw it to its own for some 40 ms, which no two
 * machines do. */
static void
stay_on(enum bench_machine machine)
{
    cpu_set_t ours, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof ours, &ours))
        return;
    int nth = machine % CPU_COUNT(&ours);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &ours) && !nth--)
            CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
}

int
bench_spawn(const struct bench *b, enum bench_machine machine, const char *log, const char *const argv[])
{
    char *path = mem_printf("%s/%s", b->dir, log);
    pid_t parent = getpid(), pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int in = open("/dev/null", O_RDONLY), out = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (getppid() != parent || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 || chdir(b->dir)
            || setenv("OVS_RUNDIR", b->dir, 1))
            _exit(126);
        for (int fd = 3; fd < 512; fd++)
            close(fd);
        stay_on(machine);
        execv(argv[0], (char *const *) (void *) argv);
        _exit(127);
    }
    free(path);
    if (pid < 0)
        bench_die("cannot fork: %s", strerror(errno));
    return pid;
}

void
bench_kill(int *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    *pid = 0;
}

void
bench_shell(const struct bench *b, const char *format, ...)
{
    va_list args;
    char *command;
    va_start(args, format);
    if (vasprintf(&command, format, args) < 0)
        bench_die("out of memory");
    va_end(args);
    char *line = mem_printf("exec 2>&1; export PATH='%s/bin:%s/sbin':\"$PATH\" OVS_RUNDIR='%s'; cd '%s'; %s", b->ovs_prefix, b->ovs_prefix,
                            b->dir, b->dir, command);
    char output[2048];
    FILE *pipe = popen(line, "r");
    size_t n = pipe ? fread(output, 1, sizeof output - 1, pipe) : 0;
    output[n] = '\0';
    while (pipe && fgetc(pipe) != EOF)
        continue;
    if (!pipe || pclose(pipe))
        bench_die("this failed: %s\n%s", command, output);
    free(line);
    free(command);
}

uint16_t
bench_free_port(void)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof sin;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *) &sin, sizeof sin) || getsockname(fd, (struct sockaddr *) &sin, &n))
        bench_die("no free port: %s", strerror(errno));
    close(fd);
    return ntohs(sin.sin_port);
}
