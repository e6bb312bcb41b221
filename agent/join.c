#include "agent/join.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent_options.h"
#include "agent/join_fetch.h"
#include "agent/join_ovs.h"
#include "base/alloc.h"
#include "base/limits.h"
#include "base/uuid.h"
#include "pki/pki_file.h"
#include "pki/pki_request.h"

struct joining {
    const char *server, *token, *encap_ip, *name, *dir, *config, *ovsdb;
    struct join_ovs ovs;
    char system_id[LIMIT_NAME + 1], machine[LIMIT_NAME + 1];
};

/* From here the start script that is packaged with Open vSwitch takes the system-id, and makes one up at the first start. */
#define SYSTEM_ID_FILE "/etc/openvswitch/system-id.conf"

enum { OPT_TOKEN = 256, OPT_ENCAP_IP, OPT_UPLINK, OPT_GATEWAY, OPT_NAME, OPT_DIR, OPT_CONFIG, OPT_OVSDB, OPT_DATAPATH };

static const struct option long_options[] = {
    { "token", required_argument, NULL, OPT_TOKEN },
    { "encap-ip", required_argument, NULL, OPT_ENCAP_IP },
    { "uplink", required_argument, NULL, OPT_UPLINK },
    { "gateway", no_argument, NULL, OPT_GATEWAY },
    { "name", required_argument, NULL, OPT_NAME },
    { "dir", required_argument, NULL, OPT_DIR },
    { "config", required_argument, NULL, OPT_CONFIG },
    { "ovsdb", required_argument, NULL, OPT_OVSDB },
    { "datapath-type", required_argument, NULL, OPT_DATAPATH },
    { NULL, 0, NULL, 0 },
};

static bool
add_uplink(struct join_ovs *o, const char *text, struct error *err)
{
    const char *colon = strchr(text, ':');
    if (!colon || colon == text || !colon[1] || strpbrk(text, ", \t"))
        return error_set(err, ERROR_INVALID, "--uplink=%s: give NAME:BRIDGE", text);
    size_t n = strlen(o->uplinks);
    if (n + strlen(text) + 2 > sizeof o->uplinks)
        return error_set(err, ERROR_TOO_LARGE, "--uplink=%s: there are too many", text);
    snprintf(o->uplinks + n, sizeof o->uplinks - n, "%s%s", n ? "," : "", text);
    return true;
}

static bool
parse(int argc, char *argv[], struct joining *j, struct error *err)
{
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (option) {
        case OPT_TOKEN: j->token = optarg; break;
        case OPT_ENCAP_IP: j->encap_ip = optarg; break;
        case OPT_GATEWAY: j->ovs.is_gateway = true; break;
        case OPT_NAME: j->name = optarg; break;
        case OPT_DIR: j->dir = optarg; break;
        case OPT_CONFIG: j->config = optarg; break;
        case OPT_OVSDB: j->ovsdb = optarg; break;
        case OPT_DATAPATH: j->ovs.datapath_type = optarg; break;
        case OPT_UPLINK:
            if (!add_uplink(&j->ovs, optarg, err))
                return false;
            break;
        default: return error_set(err, ERROR_INVALID, "unknown or incomplete option '%s'; try 'vnet-agent --help'", argv[optind - 1]);
        }
    }
    if (argc - optind != 1 || strncmp(argv[optind], "https://", 8))
        return error_set(err, ERROR_INVALID, "join: give vnetd's API, https://NODE:PORT");
    j->server = argv[optind];
    return j->token || error_set(err, ERROR_INVALID, "join: --token=TOKEN is needed; 'vnetctl host-token' on the network node makes one");
}

/* Does it go by its system-id? Not if that is one that was made up, unless it has joined with it. */
static bool
goes_by_system_id(const struct joining *j)
{
    char *cert = pki_path(j->dir, j->system_id, "-cert.pem");
    bool has_joined = !access(cert, F_OK);
    free(cert);
    return has_joined || !uuid_is_shape(j->system_id);
}

/* The name it has already, else that of the machine. */
static bool
choose_name(struct joining *j, struct error *err)
{
    bool has_id = join_ovs_name(&j->ovs, j->system_id, sizeof j->system_id);
    if (!has_id)
        j->system_id[0] = '\0';
    if (!j->name && has_id && goes_by_system_id(j))
        j->name = j->system_id;
    if (!j->name && !gethostname(j->machine, sizeof j->machine - 1) && j->machine[0])
        j->name = j->machine;
    return j->name || error_set(err, ERROR_INVALID, "join: the machine has no name; give --name=NAME");
}

/* ---- files ---- */

static bool
write_file(const char *path, const char *text, struct error *err)
{
    char *partial = mem_printf("%s.new", path);
    FILE *f = fopen(partial, "we");
    bool is_ok = f && fputs(text, f) >= 0 && !fflush(f) && !fsync(fileno(f));
    if (f && fclose(f))
        is_ok = false;
    is_ok = is_ok && !rename(partial, path);
    if (!is_ok)
        error_set(err, ERROR_INVALID, "%s: %s", path, strerror(errno));
    free(partial);
    return is_ok;
}

/* A host that joins again gets new ones. */
static bool
write_pki(struct joining *j, const struct join_answer *a, EVP_PKEY *key, struct error *err)
{
    char *key_path = j->ovs.key = pki_path(j->dir, j->name, "-key.pem"), *cert_path = j->ovs.cert = pki_path(j->dir, j->name, "-cert.pem");
    j->ovs.ca = pki_path(j->dir, "ca", ".pem");
    unlink(key_path);
    return pki_write_key(key_path, key, err) && write_file(cert_path, a->certificate, err) && write_file(j->ovs.ca, a->ca, err);
}

#define CONFIG_HEAD "# Written by 'vnet-agent join'.\n"

/* Is the line one that a join writes? */
static bool
is_of_join(const char *line)
{
    static const char *const ours[] = { "server", "private-key", "certificate", "ca-cert" };
    if (!strcmp(line, CONFIG_HEAD))
        return true;
    line += strspn(line, " \t");
    size_t n = strcspn(line, " \t=\n");
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strlen(ours[i]) == n && !strncmp(line, ours[i], n))
            return true;
    return false;
}

/* What the admin has added, from a file of an earlier join: owned. */
static char *
added_lines(const char *path)
{
    char *line = NULL, *added = mem_strdup("");
    size_t cap = 0;
    FILE *f = fopen(path, "re");
    while (f && getline(&line, &cap, f) > 0) {
        if (is_of_join(line))
            continue;
        char *more = mem_printf("%s%s", added, line);
        free(added);
        added = more;
    }
    if (f)
        fclose(f);
    free(line);
    return added;
}

static bool
write_config(const struct joining *j, struct error *err)
{
    char *added = added_lines(j->config);
    char *text = mem_printf(CONFIG_HEAD "server = %s\nprivate-key = %s\ncertificate = %s\nca-cert = %s\n%s", j->server, j->ovs.key,
                            j->ovs.cert, j->ovs.ca, added);
    bool is_ok = write_file(j->config, text, err);
    free(added);
    free(text);
    return is_ok;
}

/* The new name must outlive Open vSwitch's next start. A file that is about another database says another system-id, and is left alone. */
static bool
keep_name(const struct joining *j, struct error *err)
{
    char line[LIMIT_NAME + 2] = "";
    FILE *f = fopen(SYSTEM_ID_FILE, "re");
    bool is_read = f && fgets(line, sizeof line, f);
    if (f)
        fclose(f);
    line[strcspn(line, "\n")] = '\0';
    if (!is_read || strcmp(line, j->system_id) || !strcmp(line, j->name))
        return true;
    char *text = mem_printf("%s\n", j->name);
    bool is_ok = write_file(SYSTEM_ID_FILE, text, err);
    free(text);
    return is_ok;
}

static bool
make_folders(const struct joining *j, struct error *err)
{
    char *folder = mem_strdup(j->config), *slash = strrchr(folder, '/');
    if (slash && slash != folder)
        *slash = '\0';
    bool is_ok = pki_folder_make(j->dir, err) && (!slash || pki_folder_make(folder, err));
    free(folder);
    return is_ok;
}

static bool
join_run(struct joining *j, struct error *err)
{
    struct join_answer answer = { NULL };
    EVP_PKEY *key = NULL;
    char *request = choose_name(j, err) && make_folders(j, err) ? pki_request_new(j->name, &key, err) : NULL;
    bool is_ok = request && join_fetch(j->server, &(struct join_question){ j->token, j->name, request }, &answer, err)
                 && write_pki(j, &answer, key, err) && write_config(j, err);
    if (is_ok) {
        j->ovs.name = j->name;
        j->ovs.encap_ip = j->encap_ip ? j->encap_ip : answer.local_ip;
        j->ovs.manager = answer.manager;
        is_ok = keep_name(j, err) && join_ovs_configure(&j->ovs, err);
    }
    if (is_ok)
        printf("host '%s' joins %s with tunnel address %s\n", j->name, j->server, j->ovs.encap_ip);
    if (is_ok && !join_start_agent())
        printf("no systemd runs here: start vnet-agent yourself\n");
    free(request);
    join_answer_done(&answer);
    free(j->ovs.key);
    free(j->ovs.cert);
    free(j->ovs.ca);
    pki_key_free(key);
    return is_ok;
}

int
join_main(int argc, char *argv[])
{
    struct error err;
    struct joining j = { .dir = "/etc/vnet/pki", .config = AGENT_CONFIG_FILE, .ovsdb = "unix:/run/openvswitch/db.sock" };
    bool is_ok = parse(argc, argv, &j, &err);
    j.ovs.ovsdb = j.ovsdb;
    if (is_ok && join_run(&j, &err))
        return 0;
    fprintf(stderr, "vnet-agent: %s\n", err.text);
    return error_code_exit(err.code);
}
