/* See daemon.h. */
#include "tools/bench/daemon.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"

static void
daemon_launch(struct daemon *d)
{
    const char *dir = d->bench->dir, *name = d->name;
    char *store = mem_printf("--store=sqlite:%s/%s.db", dir, name), *api = mem_printf("--api=punix:%s/%s.sock", dir, name);
    char *openflow = mem_printf("--openflow=ptcp:%u:127.0.0.1", d->openflow_port);
    char *ovsdb = mem_printf("--ovsdb=ptcp:%u:127.0.0.1", d->ovsdb_port);
    char *log = mem_printf("%s.log", name);
    d->pid = bench_spawn(d->bench, MACHINE_NODE, log, (const char *[]){ d->bench->vnetd, store, api, openflow, ovsdb, NULL });
    free(store);
    free(api);
    free(openflow);
    free(ovsdb);
    free(log);
}

/* ---- HTTP over the unix socket ---- */

static int
try_connect(const struct daemon *d)
{
    struct sockaddr_un sun = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s/%s.sock", d->bench->dir, d->name);
    if (fd >= 0 && !connect(fd, (struct sockaddr *) &sun, sizeof sun))
        return fd;
    close(fd);
    return -1;
}

static void
write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR)
            bench_die("cannot write to vnetd: %s", strerror(errno));
        if (done > 0) {
            p += done;
            n -= (size_t) done;
        }
    }
}

static int
ask(const struct daemon *d, const char *method, const char *path, json_t *take_body)
{
    int fd = try_connect(d);
    if (fd < 0)
        bench_die("vnetd does not take connections; its log is %s/%s.log", d->bench->dir, d->name);
    char *body = take_body ? json_text(take_body) : mem_strdup("");
    char *head = mem_printf("%s %s HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Type: application/json\r\n"
                            "Content-Length: %zu\r\n\r\n",
                            method, path, strlen(body));
    write_all(fd, head, strlen(head));
    write_all(fd, body, strlen(body));
    free(head);
    free(body);
    json_decref(take_body);
    return fd;
}

/* The whole answer; closes 'fd'. */
static char *
hear(int fd)
{
    struct bytes b = BYTES_INIT;
    char buffer[65536];
    ssize_t n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
        bytes_put(&b, buffer, (size_t) n);
    close(fd);
    bytes_put_u8(&b, 0);
    return (char *) b.data;
}

static json_t *
answer_json(char *take_text, const char *path)
{
    const char *body = strstr(take_text, "\r\n\r\n");
    struct error err;
    if (strncmp(take_text, "HTTP/1.1 200", 12) || !body)
        bench_die("%s: %.600s", path, take_text);
    if (strstr(take_text, "\r\nLink: "))
        bench_die("%s: the answer is only a page", path);
    json_t *json = json_parse(body + 4, strlen(body + 4), path, &err);
    if (!json)
        bench_die("%s", err.text);
    free(take_text);
    return json;
}

void
daemon_do(const struct daemon *d, json_t *take_ops)
{
    json_t *body = json_pack("{s:o}", "ops", take_ops);
    json_decref(answer_json(hear(ask(d, "POST", "/v1/transactions", body)), "/v1/transactions"));
}

json_t *
daemon_get(const struct daemon *d, const char *path)
{
    return answer_json(hear(ask(d, "GET", path, NULL)), path);
}

static void
on_answer(evutil_socket_t fd, short what, void *aux)
{
    struct daemon_wait *w = aux;
    w->is_done = true;
    w->done_ns = bench_now_ns();
}

void
daemon_wait_begin(const struct daemon *d, struct daemon_wait *w, json_t *take_body)
{
    *w = (struct daemon_wait){ .fd = ask(d, "POST", "/v1/wait", take_body) };
    w->event = event_new(d->bench->base, w->fd, EV_READ, on_answer, w);
    event_add(w->event, NULL);
}

static bool
wait_is_done(const void *aux)
{
    return ((const struct daemon_wait *) aux)->is_done;
}

void
daemon_wait_finish(const struct daemon *d, struct daemon_wait *w, const char *what)
{
    bench_wait(d->bench, wait_is_done, w, what);
    event_free(w->event);
    json_decref(answer_json(hear(w->fd), "/v1/wait"));
}

/* ---- life ---- */

static bool
is_serving(const void *aux)
{
    const struct daemon *d = aux;
    int fd = try_connect(d);
    if (fd >= 0)
        close(fd);
    else if (waitpid(d->pid, NULL, WNOHANG) == d->pid)
        bench_die("%s ended at once", d->bench->vnetd);
    return fd >= 0;
}

static void
daemon_wait_serving(const struct daemon *d)
{
    struct event *often = event_new(d->bench->base, -1, EV_PERSIST, on_answer, &(struct daemon_wait){ .fd = -1 });
    event_add(often, &(struct timeval){ .tv_usec = 2000 });
    bench_wait(d->bench, is_serving, d, "vnetd serves");
    event_free(often);
}

void
daemon_start(struct daemon *d, const struct bench *b, const char *name)
{
    *d = (struct daemon){ .bench = b, .openflow_port = bench_free_port(), .ovsdb_port = bench_free_port() };
    snprintf(d->name, sizeof d->name, "%s", name);
    daemon_launch(d);
    daemon_wait_serving(d);
}

void
daemon_restart(struct daemon *d)
{
    bench_kill(&d->pid);
    daemon_launch(d);
    daemon_wait_serving(d);
}

void
daemon_stop(struct daemon *d)
{
    bench_kill(&d->pid);
    bench_shell(d->bench, "rm -f '%s'.*", d->name);
}

/* ---- /proc ---- */

double
daemon_cpu_ms(const struct daemon *d)
{
    char path[300];
    double total = 0;
    snprintf(path, sizeof path, "/proc/%d/task", d->pid);
    DIR *tasks = opendir(path);
    for (struct dirent *e; tasks && (e = readdir(tasks));) {
        unsigned long long ns;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", d->pid, e->d_name);
        FILE *f = *e->d_name == '.' ? NULL : fopen(path, "r");
        if (f && fscanf(f, "%llu", &ns) == 1)
            total += (double) ns / 1e6;
        if (f)
            fclose(f);
    }
    if (!tasks)
        bench_die("vnetd has died; its log is %s/%s.log", d->bench->dir, d->name);
    closedir(tasks);
    return total;
}

double
daemon_memory_bytes(const struct daemon *d)
{
    char path[64], line[256];
    double kb = 0;
    unsigned long n;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", d->pid);
    FILE *f = fopen(path, "r");
    if (!f)
        bench_die("cannot read %s: %s", path, strerror(errno));
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "Private_Clean: %lu", &n) == 1 || sscanf(line, "Private_Dirty: %lu", &n) == 1)
            kb += (double) n;
    fclose(f);
    return kb * 1024;
}
