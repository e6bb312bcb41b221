#include "agent/join_ovs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/underlay.h"
#include "base/alloc.h"
#include "base/addr.h"

#define ARGUMENTS_MAX 32

struct command {
    char *v[ARGUMENTS_MAX + 1];
    size_t n;
};

static void
add(struct command *c, char *take)
{
    if (c->n < ARGUMENTS_MAX)
        c->v[c->n++] = take;
    else
        free(take);
}

static void
command_done(struct command *c)
{
    for (size_t i = 0; i < c->n; i++)
        free(c->v[i]);
}

static void
begin(struct command *c, const struct join_ovs *o)
{
    *c = (struct command){ .n = 0 };
    add(c, mem_strdup("ovs-vsctl"));
    add(c, mem_strdup("--timeout=20"));
    add(c, mem_strdup("--no-wait"));
    add(c, mem_printf("--db=%s", o->ovsdb));
}

/* Runs it; the first line of its output goes to 'out' (NULL: nowhere). */
static bool
run(const struct command *c, char *out, size_t size, struct error *err)
{
    int fds[2], status = 0;
    if (pipe(fds) < 0)
        return error_set(err, ERROR_INTERNAL, "%s: %s", c->v[0], strerror(errno));
    pid_t child = fork();
    if (!child) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execvp(c->v[0], c->v);
        _exit(127);
    }
    close(fds[1]);
    size_t used = 0;
    ssize_t n;
    while (out && used < size - 1 && (n = read(fds[0], out + used, size - 1 - used)) > 0)
        used += (size_t) n;
    close(fds[0]);
    if (out)
        out[used] = '\0';
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
        return error_set(
            err, ERROR_UNAVAILABLE,
            WIFEXITED(status) && WEXITSTATUS(status) == 127 ? "%s cannot be run: is it installed?" : "%s failed; it has said why", c->v[0]);
    return true;
}

bool
join_ovs_name(const struct join_ovs *o, char *out, size_t size)
{
    struct command c;
    struct error unused;
    begin(&c, o);
    add(&c, mem_strdup("--if-exists"));
    add(&c, mem_strdup("get"));
    add(&c, mem_strdup("Open_vSwitch"));
    add(&c, mem_strdup("."));
    add(&c, mem_strdup("external_ids:system-id"));
    bool is_ok = run(&c, out, size, &unused);
    command_done(&c);
    char *name = out;
    while (*name == '"')
        name++;
    memmove(out, name, strlen(name) + 1);
    out[strcspn(out, "\"\n")] = '\0';
    return is_ok && *out;
}

static bool
set_ids(const struct join_ovs *o, struct error *err)
{
    struct command c;
    struct ip ip;
    uint16_t mtu = 0;
    if (!ip_parse(o->encap_ip, &ip) || !underlay_mtu(ip, &mtu))
        return error_set(err, ERROR_INVALID, "--encap-ip=%s: must be an address of this host", o->encap_ip);
    begin(&c, o);
    add(&c, mem_strdup("set"));
    add(&c, mem_strdup("Open_vSwitch"));
    add(&c, mem_strdup("."));
    add(&c, mem_printf("external_ids:system-id=\"%s\"", o->name));
    add(&c, mem_printf("external_ids:vnet-encap-ip=\"%s\"", o->encap_ip));
    add(&c, mem_printf("external_ids:vnet-mtu=\"%u\"", mtu));
    if (o->datapath_type)
        add(&c, mem_printf("external_ids:vnet-datapath-type=\"%s\"", o->datapath_type));
    if (*o->uplinks)
        add(&c, mem_printf("external_ids:vnet-uplinks=\"%s\"", o->uplinks));
    if (o->is_gateway)
        add(&c, mem_strdup("external_ids:vnet-gateway=\"true\""));
    bool is_ok = run(&c, NULL, 0, err);
    command_done(&c);
    return is_ok;
}

static bool
set_manager(const struct join_ovs *o, struct error *err)
{
    struct command c;
    begin(&c, o);
    add(&c, mem_strdup("set-ssl"));
    add(&c, mem_strdup(o->key));
    add(&c, mem_strdup(o->cert));
    add(&c, mem_strdup(o->ca));
    add(&c, mem_strdup("--"));
    add(&c, mem_strdup("set-manager"));
    add(&c, mem_strdup(o->manager));
    bool is_ok = run(&c, NULL, 0, err);
    command_done(&c);
    return is_ok;
}

bool
join_ovs_configure(const struct join_ovs *o, struct error *err)
{
    return set_ids(o, err) && set_manager(o, err);
}

bool
join_start_agent(void)
{
    struct command c = { .n = 0 };
    struct error unused;
    if (access("/run/systemd/system", F_OK))
        return false;
    add(&c, mem_strdup("systemctl"));
    add(&c, mem_strdup("restart"));
    add(&c, mem_strdup("vnet-agent.service"));
    bool is_ok = run(&c, NULL, 0, &unused);
    command_done(&c);
    return is_ok;
}
