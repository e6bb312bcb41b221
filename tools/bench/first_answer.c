/* How long until an address answers: run by public.py in the outside's namespace.
 *
 *   first_answer cold IP COMMAND...   nothing answers; a ping leaves every 0.2 ms; from the command's start until the first answer
 *   first_answer warm IP COMMAND...   it answers already; the command from start to end, and one ping after it
 *
 * Prints milliseconds: of the whole, of the command, of the ping ("cold": since the command's end, which may come later, then less than 0). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_MS 0.2
#define SILENT_MS 20 /* so long nothing has answered before the command is started */
#define PATIENCE_MS 10000

static void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void
die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("first_answer: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static double
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

struct pinger {
    struct sockaddr_in to;
    int fd;
    uint16_t id, sequence;
    double due; /* of the next ping */
};

static void
pinger_init(struct pinger *p, const char *ip)
{
    *p = (struct pinger){ .to = { .sin_family = AF_INET }, .id = (uint16_t) getpid() };
    p->fd = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP);
    if (p->fd < 0 || inet_pton(AF_INET, ip, &p->to.sin_addr) != 1)
        die("cannot ping '%s': %s", ip, strerror(errno));
}

/* An address that nobody answers for may be refused by the kernel: that is silence too. */
static void
ping(struct pinger *p)
{
    struct icmphdr h = { .type = ICMP_ECHO, .un.echo = { htons(p->id), htons(++p->sequence) } };
    uint32_t sum = ntohs(h.un.echo.id) + ntohs(h.un.echo.sequence) + (ICMP_ECHO << 8);
    h.checksum = htons((uint16_t) ~((sum & 0xffff) + (sum >> 16)));
    (void) !sendto(p->fd, &h, sizeof h, 0, (struct sockaddr *) &p->to, sizeof p->to);
}

/* Waits at most until 'until' for an answer to any of our pings; the first sequence number that counts is 'from'. */
static bool
hear(struct pinger *p, uint16_t from, double until)
{
    uint8_t packet[512];
    for (double left; (left = until - now_ms()) > 0;) {
        struct pollfd fd = { .fd = p->fd, .events = POLLIN };
        struct timespec t = { .tv_sec = (time_t) (left / 1e3), .tv_nsec = (long) ((left - 1e3 * (double) (time_t) (left / 1e3)) * 1e6) };
        if (ppoll(&fd, 1, &t, NULL) <= 0)
            continue;
        ssize_t n = recv(p->fd, packet, sizeof packet, 0);
        size_t head = n > 0 ? (packet[0] & 15u) * 4 : 0;
        const uint8_t *icmp = packet + head;
        if (n < (ssize_t) head + 8 || memcmp(packet + 12, &p->to.sin_addr, 4) || icmp[0] != ICMP_ECHOREPLY)
            continue;
        uint16_t id = (uint16_t) (icmp[4] << 8 | icmp[5]), sequence = (uint16_t) (icmp[6] << 8 | icmp[7]);
        if (id == p->id && (int16_t) (sequence - from) >= 0)
            return true;
    }
    return false;
}

/* One ping when it is due, and the time until the next is. True: an answer came. */
static bool
ping_and_hear(struct pinger *p)
{
    ping(p);
    p->due = now_ms() + INTERVAL_MS;
    return hear(p, 0, p->due);
}

static pid_t
start(char *argv[])
{
    pid_t pid = fork();
    if (!pid) {
        if (!freopen("/dev/null", "w", stdout))
            _exit(126);
        execv(argv[0], argv);
        _exit(127);
    }
    if (pid < 0)
        die("cannot fork: %s", strerror(errno));
    return pid;
}

static void
finish(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid || status)
        die("the command failed");
}

static void
print(double start_ms, double command_end_ms, double answer_ms)
{
    printf("whole %.4f\ncommand %.4f\nping %.4f\n", answer_ms - start_ms, command_end_ms - start_ms, answer_ms - command_end_ms);
}

/* The command's end is only looked for between pings. */
static void
cold(struct pinger *p, char *argv[])
{
    double silent_since = now_ms(), answer_ms = 0, end_ms = 0;
    while (now_ms() - silent_since < SILENT_MS)
        if (ping_and_hear(p))
            silent_since = now_ms();
    double start_ms = now_ms();
    pid_t pid = start(argv);
    while (!answer_ms || !end_ms) {
        if (now_ms() - start_ms > PATIENCE_MS)
            die("no answer within %d ms", PATIENCE_MS);
        if (ping_and_hear(p) && !answer_ms)
            answer_ms = now_ms();
        int status = 0;
        if (!end_ms && waitpid(pid, &status, WNOHANG) == pid)
            end_ms = now_ms();
        if (status)
            die("the command failed");
    }
    print(start_ms, end_ms, answer_ms);
}

static void
warm(struct pinger *p, char *argv[])
{
    double start_ms = now_ms();
    finish(start(argv));
    double end_ms = now_ms();
    ping(p);
    if (!hear(p, p->sequence, end_ms + PATIENCE_MS))
        die("no answer");
    print(start_ms, end_ms, now_ms());
}

int
main(int argc, char *argv[])
{
    struct pinger p;
    if (argc < 4 || (strcmp(argv[1], "cold") && strcmp(argv[1], "warm")))
        die("see tools/bench/first_answer.c for its arguments");
    pinger_init(&p, argv[2]);
    (*argv[1] == 'c' ? cold : warm)(&p, argv + 3);
    return 0;
}
