/* vnetd's HTTP interface: a client's bytes to a whole controller, without hosts, with a small network in its store, and with an authority of its own
 * and a token, so that a host may join. */
#include "tests/fuzz/fuzz.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "controller/commit.h"
#include "controller/controller.h"
#include "controller/tokens.h"
#include "pki/pki.h"

/* The token v1.0123456789ab.00112233445566778899aabbccddeeff.: its secret's digest, in use until the year 2100. */
#define TOKEN_ID "0123456789ab"
#define TOKEN_VALUE "5947d7c33d783f94b3b4c1a96ebc8991ed28f1b069b71e03376cba8caa98a720 4102444800000"
#define QUIET_MS 20 /* without a byte for so long, what is to come depends on the client */
#define END_MS 2000

static char pki[] = "/dev/shm/vnet-fuzz-pki.XXXXXX";
static char ovsdb[] = "pssl:0:127.0.0.1", advertise[] = "192.0.2.100";
static char ca_path[64], cert_path[64], key_path[64];

struct client {
    struct controller c;
    struct options options;
    char dir[32], path[64], store[64];
    int fd;
    size_t n_received;
    bool is_ready, is_closed;
};

static void
on_ready(void *aux, const struct commit_result *result)
{
    struct client *client = aux;
    FUZZ_CLAIM(result->ok);
    client->is_ready = true;
}

static void
submit(struct client *client, const char *text)
{
    struct error err;
    struct commit_request r = { .ops = json_parse(text, strlen(text), "operations", &err),
                                .principal = { .role = PRINCIPAL_ADMIN, .name = "fuzz" },
                                .done = on_ready,
                                .aux = client };
    FUZZ_CLAIM(r.ops);
    commit_submit(client->c.commits, &r);
}

/* One round of the loop that waits at most so long. */
static void
turn(struct client *client, long ms)
{
    event_base_loopexit(client->c.base, &(struct timeval){ .tv_usec = ms * 1000 });
    event_base_loop(client->c.base, EVLOOP_ONCE);
}

static void
start(struct client *client)
{
    struct error err;
    strcpy(client->dir, "/dev/shm/vnet-fuzz.XXXXXX");
    FUZZ_CLAIM(mkdtemp(client->dir));
    snprintf(client->path, sizeof client->path, "punix:%s/api", client->dir);
    snprintf(client->store, sizeof client->store, "sqlite:%s/db", client->dir);
    client->options = (struct options){ .store = client->store,
                                        .api = { .v = { client->path }, .n = 1 },
                                        .ovsdb = { .v = { ovsdb }, .n = 1 },
                                        .advertise = advertise,
                                        .key = key_path,
                                        .cert = cert_path,
                                        .ca = ca_path };
    bool ok = controller_start(&client->c, &client->options, &err);
    FUZZ_CLAIM(ok);
    tokens_remember(client->c.tokens, TOKEN_ID, TOKEN_VALUE);
    submit(client, "[{\"op\":\"add\",\"type\":\"vpc\",\"name\":\"v\",\"values\":{\"cidr\":\"10.0.0.0/16\"}},"
                   "{\"op\":\"add\",\"type\":\"subnet\",\"name\":\"s\",\"values\":{\"vpc\":\"v\",\"cidr\":\"10.0.1.0/24\"}},"
                   "{\"op\":\"add\",\"type\":\"port\",\"name\":\"p\",\"id\":\"6ba7b810-9dad-41d1-80b4-00c04fd430c8\","
                   "\"values\":{\"subnet\":\"s\"}},"
                   "{\"op\":\"add\",\"type\":\"host\",\"name\":\"h\"}]");
    for (int i = 0; !client->is_ready && i < END_MS; i++)
        turn(client, 1);
    FUZZ_CLAIM(client->is_ready);
}

static void
connect_to(struct client *client)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    strcpy(address.sun_path, client->path + strlen("punix:"));
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_CLAIM(!connect(client->fd, (struct sockaddr *) &address, sizeof address));
}

/* True if something came. */
static bool
receive(struct client *client)
{
    char bytes[65536];
    ssize_t n = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    client->is_closed = n == 0;
    client->n_received += n > 0 ? (size_t) n : 0;
    return n > 0;
}

static void
converse(struct client *client, const uint8_t *data, size_t n)
{
    for (int quiet = 0; !client->is_closed && quiet < QUIET_MS;) {
        ssize_t sent = n ? send(client->fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
        if (sent > 0) {
            data += sent;
            n -= (size_t) sent;
        }
        turn(client, 1);
        quiet = receive(client) ? 0 : quiet + 1;
    }
}

static void
stop(struct client *client)
{
    char file[96];
    close(client->fd);
    turn(client, 1);
    event_base_loop(client->c.base, EVLOOP_NONBLOCK);
    controller_stop(&client->c);
    static const char *const names[] = { "api", "db", "db-wal", "db-shm", "db-journal", "db.lock" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%s/%s", client->dir, names[i]);
        unlink(file);
    }
    FUZZ_CLAIM(!rmdir(client->dir));
}

static void
pki_remove(void)
{
    static const char *const names[] = { "ca.pem", "ca-key.pem", "vnetd-cert.pem", "vnetd-key.pem" };
    char file[96];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file, sizeof file, "%s/%s", pki, names[i]);
        unlink(file);
    }
    rmdir(pki);
}

static void
pki_make(void)
{
    struct error err;
    bool ok = mkdtemp(pki) && pki_init(pki, &err);
    FUZZ_CLAIM(ok);
    atexit(pki_remove);
    snprintf(ca_path, sizeof ca_path, "%s/ca.pem", pki);
    snprintf(cert_path, sizeof cert_path, "%s/vnetd-cert.pem", pki);
    snprintf(key_path, sizeof key_path, "%s/vnetd-key.pem", pki);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    log_init("fuzz");
    log_console(false);
    signal(SIGPIPE, SIG_IGN); /* as vnetd does */
    pki_make();
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct client client = { .fd = -1 };
    start(&client);
    connect_to(&client);
    converse(&client, data, n);
    stop(&client);
    return 0;
}
