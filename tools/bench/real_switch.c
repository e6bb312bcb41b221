/* See real_switch.h. */
#include "tools/bench/real_switch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "tools/bench/sim_host.h"

#define BRIDGE "br-int"
#define VERSION 6
#define HEADER 8

static void
vswitchd_start(struct real_switch *s)
{
    const char *dir = s->bench->dir;
    char *program = mem_printf("%s/sbin/ovs-vswitchd", s->bench->ovs_prefix), *database = mem_printf("unix:%s/db.sock", dir);
    char *control = mem_printf("--unixctl=%s/vswitchd.ctl", dir);
    s->vswitchd = bench_spawn(s->bench, MACHINE_HYPERVISOR, "vswitchd.log",
                              (const char *[]){ program, "--enable-dummy", "--disable-system", "--no-chdir", "-vconsole:off",
                                                "-vsyslog:off", control, database, NULL });
    free(program);
    free(database);
    free(control);
}

void
real_switch_start(struct real_switch *s, const struct bench *b, uint64_t dpid)
{
    *s = (struct real_switch){ .bench = b, .port = bench_free_port() };
    bench_shell(b, "rm -f conf.db .conf.db.*; ovsdb-tool create conf.db '%s/share/openvswitch/vswitch.ovsschema'", b->ovs_prefix);
    char *program = mem_printf("%s/sbin/ovsdb-server", b->ovs_prefix);
    char *remote = mem_printf("--remote=punix:%s/db.sock", b->dir), *control = mem_printf("--unixctl=%s/ovsdb.ctl", b->dir);
    char *file = mem_printf("%s/conf.db", b->dir);
    s->database = bench_spawn(b, MACHINE_HYPERVISOR, "ovsdb.log", (const char *[]){ program, "--no-chdir", remote, control, file, NULL });
    free(program);
    free(remote);
    free(control);
    free(file);
    bench_shell(b, "ovs-vsctl --retry --timeout=20 --no-wait init");
    vswitchd_start(s);
    bench_shell(b,
                "ovs-vsctl --timeout=20 add-br %s -- set bridge %s datapath_type=dummy fail_mode=secure protocols=OpenFlow15 "
                "other_config:datapath-id=%016" PRIx64 " other_config:disable-in-band=true -- set-controller %s ptcp:%u:127.0.0.1",
                BRIDGE, BRIDGE, dpid, BRIDGE, s->port);
}

void
real_switch_stop(struct real_switch *s)
{
    bench_kill(&s->vswitchd);
    bench_kill(&s->database);
}

/* Its socket is left by the one before, so that it being there says nothing. */
void
real_switch_renew(struct real_switch *s)
{
    bench_kill(&s->vswitchd);
    bench_shell(s->bench, "rm -f %s.* vswitchd.ctl", BRIDGE);
    vswitchd_start(s);
    bench_shell(s->bench, "ovs-vsctl --timeout=20 set open_vswitch . external_ids:started=$(date +%%s%%N)");
}

void
real_switch_set_controller(const struct real_switch *s, uint16_t port)
{
    char target[32] = "";
    if (port)
        snprintf(target, sizeof target, "tcp:127.0.0.1:%u", port);
    bench_shell(s->bench,
                "ovs-vsctl --timeout=20 --no-wait set-controller %s ptcp:%u:127.0.0.1 %s -- set bridge %s "
                "other_config:disable-in-band=true",
                BRIDGE, s->port, target, BRIDGE);
    if (port)
        bench_shell(s->bench,
                    "ovs-vsctl --timeout=20 --no-wait set controller $(ovs-vsctl --bare --columns=_uuid find controller "
                    "'target=\"%s\"') connection_mode=out-of-band max_backoff=1000 inactivity_probe=0",
                    target);
}

/* ---- raw OpenFlow ---- */

static void
read_whole(int fd, void *p_, size_t n)
{
    uint8_t *p = p_;
    while (n) {
        ssize_t got = read(fd, p, n);
        if (got <= 0 && errno != EINTR)
            bench_die("the switch closed the connection");
        if (got > 0) {
            p += got;
            n -= (size_t) got;
        }
    }
}

static void
write_whole(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno != EINTR)
            bench_die("cannot write to the switch: %s", strerror(errno));
        if (done > 0) {
            p += done;
            n -= (size_t) done;
        }
    }
}

/* The next message that is no echo request, which is answered. Its length. */
static size_t
read_message(int fd, uint8_t message[65536])
{
    for (;;) {
        read_whole(fd, message, HEADER);
        size_t n = (size_t) message[2] << 8 | message[3];
        read_whole(fd, message + HEADER, n - HEADER);
        if (message[1] == 1)
            bench_die("the switch says error type %u code %u of a message of type %u", message[8] << 8 | message[9],
                      message[10] << 8 | message[11], message[13]);
        if (message[1] != 2)
            return n;
        message[1] = 3;
        write_whole(fd, message, n);
    }
}

int
raw_connect(const struct real_switch *s)
{
    static const uint8_t hello[] = { VERSION, 0, 0, 16, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 1 << VERSION };
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(s->port) };
    uint8_t message[65536];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *) &sin, sizeof sin))
        bench_die("cannot connect to the switch: %s", strerror(errno));
    sim_hurry(fd);
    write_whole(fd, hello, sizeof hello);
    read_message(fd, message);
    return fd;
}

int64_t
raw_replay(int fd, const struct bytes *bytes, unsigned n_commits)
{
    uint8_t message[65536];
    int64_t start = bench_now_ns();
    write_whole(fd, bytes->data, bytes->n);
    while (n_commits) {
        read_message(fd, message);
        n_commits -= message[1] == 33 && message[13] == RAW_BUNDLE_COMMIT + 1;
    }
    return bench_now_ns() - start;
}

int64_t
raw_dump(int fd, size_t *n_flows)
{
    uint8_t message[65536];
    struct bytes b = BYTES_INIT;
    int64_t start = bench_now_ns();
    bytes_put(&b, (uint8_t[]){ VERSION, 18, 0, 56, 0, 0, 0, 9, 0, 1, 0, 0, 0, 0, 0, 0 }, 16);
    bytes_put(&b, (uint8_t[]){ 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 }, 16);
    bytes_extend_zero(&b, 16); /* any cookie */
    bytes_put(&b, (uint8_t[]){ 0, 1, 0, 4, 0, 0, 0, 0 }, 8);
    write_whole(fd, b.data, b.n);
    bytes_done(&b);
    *n_flows = 0;
    do {
        size_t n = read_message(fd, message);
        for (size_t at = 16; message[1] == 19 && at + 2 <= n; ++*n_flows)
            at += (size_t) message[at] << 8 | message[at + 1];
    } while (message[1] != 19 || message[11] & 1);
    return bench_now_ns() - start;
}

/* From the tables' statistics: looking on must not keep the switch from its work, as a dump does. */
static uint64_t
raw_count(int fd)
{
    static const uint8_t request[16] = { VERSION, 18, 0, 16, 0, 0, 0, 9, 0, 3 };
    uint8_t message[65536];
    uint64_t n_flows = 0;
    write_whole(fd, request, sizeof request);
    do {
        size_t n = read_message(fd, message);
        for (size_t at = 16; message[1] == 19 && at + 24 <= n; at += 24)
            n_flows += (uint64_t) message[at + 4] << 24 | message[at + 5] << 16 | message[at + 6] << 8 | message[at + 7];
    } while (message[1] != 19 || message[11] & 1);
    return n_flows;
}

#define LOOK_MS 50

struct filling {
    int fd;
    uint64_t n;
    bool is_so;
};

static void
look(evutil_socket_t fd, short what, void *aux)
{
    struct filling *f = aux;
    f->is_so = raw_count(f->fd) == f->n;
}

static bool
is_filled(const void *aux)
{
    return ((const struct filling *) aux)->is_so;
}

void
real_switch_wait_flows(const struct real_switch *s, uint64_t n)
{
    struct filling f = { raw_connect(s), n, false };
    struct event *often = event_new(s->bench->base, -1, EV_PERSIST, look, &f);
    event_add(often, &(struct timeval){ .tv_usec = LOOK_MS * 1000 });
    bench_wait(s->bench, is_filled, &f, "the switch holds what it should");
    event_free(often);
    close(f.fd);
}

void
raw_put_bundle_control(struct bytes *b, uint32_t bundle, uint16_t type)
{
    bytes_put(b, (uint8_t[]){ VERSION, 33, 0, 16 }, 4);
    bytes_put_be32(b, 0x7000000 + type);
    bytes_put_be32(b, bundle);
    bytes_put_be16(b, type);
    bytes_put_be16(b, 3); /* atomic and ordered */
}
