/* Answers of a daemon that is none: vnetctl asks, a thread answers with the input, whatever the question. An input that does not begin with
 * "HTTP/" is the body of a well-formed answer. The first byte chooses the command, the second the format. */
#include "tests/fuzz/fuzz.h"

#include <curl/curl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/vnetctl/invocation.h"

#define ANSWERS_MAX 4 /* then connections are closed unanswered */
#define WORDS_MAX 8

struct daemon {
    int listener;
    const uint8_t *answer;
    size_t n;
    pthread_t thread;
    char dir[32], path[64];
};

static bool
request_read(int fd)
{
    char text[8192];
    size_t n = 0;
    while (n < sizeof text - 1) {
        ssize_t got = read(fd, text + n, sizeof text - 1 - n);
        if (got <= 0)
            return false;
        n += (size_t) got;
        text[n] = '\0';
        if (strstr(text, "\r\n\r\n"))
            return true;
    }
    return true;
}

static void
all_write(int fd, const void *data, size_t n)
{
    const char *p = data;
    for (ssize_t done; n && (done = send(fd, p, n, MSG_NOSIGNAL)) > 0; n -= (size_t) done)
        p += done;
}

static void
connection_serve(const struct daemon *d, int fd)
{
    char head[128], rest[4096];
    if (!request_read(fd))
        return;
    if (d->n < 5 || memcmp(d->answer, "HTTP/", 5)) {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", d->n);
        all_write(fd, head, strlen(head));
    }
    all_write(fd, d->answer, d->n);
    shutdown(fd, SHUT_WR);
    while (read(fd, rest, sizeof rest) > 0)
        continue;
}

static void *
daemon_run(void *aux)
{
    const struct daemon *d = aux;
    for (int i = 0, fd; (fd = accept(d->listener, NULL, NULL)) >= 0; i++) {
        if (i < ANSWERS_MAX)
            connection_serve(d, fd);
        close(fd);
    }
    return NULL;
}

static void
daemon_start(struct daemon *d)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy(d->dir, "/tmp/vnet-fuzz.XXXXXX");
    FUZZ_CLAIM(mkdtemp(d->dir));
    snprintf(d->path, sizeof d->path, "%s/api", d->dir);
    strcpy(address.sun_path, d->path);
    d->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_CLAIM(!bind(d->listener, (struct sockaddr *) &address, sizeof address) && !listen(d->listener, 16));
    FUZZ_CLAIM(!pthread_create(&d->thread, NULL, daemon_run, d));
}

static void
daemon_stop(struct daemon *d)
{
    shutdown(d->listener, SHUT_RDWR);
    pthread_join(d->thread, NULL);
    close(d->listener);
    unlink(d->path);
    rmdir(d->dir);
}

static void
command_run(const struct daemon *d, uint8_t command, uint8_t format)
{
    static const char *const commands[][WORDS_MAX] = {
        { "port-list" },
        { "list", "port", "p" },
        { "show" },
        { "verify" },
        { "trace", "p", "icmp", "10.0.0.1" },
        { "host-list" },
        { "vpc-add", "v", "10.0.0.0/16" },
        { "--dry-run", "vpc-add", "v", "10.0.0.0/16" },
        { "--wait=hosts", "vpc-del", "v" },
        { "sync" },
        { "--all-tenants", "subnet-list" },
        { "--columns=a,b", "find", "port" },
        { "list", "vpc" },
        { "--no-headings", "list", "vpc" },
        { "--server=unix:/nonexistent", "sync" },
        { "--server=ftp://x", "sync" },
        { "--server=http://user@host/x", "sync" },
        { "--server=http://127.0.0.1:1/", "sync" },
        { "--server=https://127.0.0.1:1", "sync" },
    };
    static const char *const formats[] = { "--format=table", "--format=list", "--format=csv", "--format=json" };
    char *server = mem_printf("--server=unix:%s", d->path), *argv[WORDS_MAX + 4] = { (char[]){ "vnetctl" }, server };
    int argc = 2, status;
    struct options o;
    struct error err;
    argv[argc++] = (char *) formats[format % 4];
    for (const char *const *word = commands[command % (sizeof commands / sizeof *commands)]; *word; word++)
        argv[argc++] = (char *) *word;
    if (!options_parse(&o, argc, argv, &err) || !invocation_run(&o, &status, &err))
        FUZZ_CLAIM(*err.text);
    free(server);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    unsetenv("VNET_TENANT");
    stdout = fopen("/dev/null", "w");
    stderr = fopen("/dev/null", "w");
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t command = fuzz_take_byte(&data, &n), format = fuzz_take_byte(&data, &n);
    struct daemon d = { .answer = data, .n = n };
    daemon_start(&d);
    command_run(&d, command, format);
    daemon_stop(&d);
    return 0;
}
