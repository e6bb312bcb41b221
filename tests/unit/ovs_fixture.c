/* See ovs_fixture.h. The programs come from $OVS_PREFIX, else from the cached build below ~/.cache/vnet, else from PATH. */
#include "tests/unit/ovs_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

struct ovs_fixture {
    char dir[64];
    char *prefix; /* "" if the programs are in PATH */
    pid_t ovsdb, vswitchd;
};

static char *
find_prefix(void)
{
    const char *set = getenv("OVS_PREFIX");
    const char *home = getenv("HOME");
    if (set && *set)
        return mem_strdup(set);

    char *pattern = mem_printf("%s/.cache/vnet/ovs-*/sbin/ovs-vswitchd", home ? home : "");
    char *prefix = NULL;
    glob_t found;
    if (!glob(pattern, 0, NULL, &found)) {
        const char *last = found.gl_pathv[found.gl_pathc - 1];
        prefix = mem_printf("%.*s", (int) (strlen(last) - strlen("/sbin/ovs-vswitchd")), last);
        globfree(&found);
    }
    free(pattern);
    return prefix ? prefix : mem_strdup("");
}

/* The shell is replaced by the program, so that the pid is the program's; it goes when the test goes. */
static pid_t
spawn(const struct ovs_fixture *f, const char *command)
{
    char *line = mem_printf("PATH='%s/bin:%s/sbin':\"$PATH\"; export OVS_RUNDIR='%s'; exec %s", f->prefix, f->prefix, f->dir, command);
    pid_t parent = getpid();
    pid_t pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || chdir(f->dir))
            _exit(126);
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        for (int fd = 3; fd < 256; fd++)
            close(fd);
        execl("/bin/sh", "sh", "-c", line, (char *) NULL);
        _exit(127);
    }
    free(line);
    assert_true(pid > 0);
    return pid;
}

static void
kill_and_wait(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    *pid = 0;
}

char *
ovs_fixture_sh(const struct ovs_fixture *f, const char *format, ...)
{
    va_list args;
    char command[8192], output[65536];

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    char *line = mem_printf("exec 2>&1; PATH='%s/bin:%s/sbin':\"$PATH\"; export OVS_RUNDIR='%s' OVS_DBDIR='%s'; cd '%s'; %s", f->prefix,
                            f->prefix, f->dir, f->dir, f->dir, command);
    FILE *pipe = popen(line, "r");
    free(line);
    assert_non_null(pipe);
    size_t n = fread(output, 1, sizeof output - 1, pipe);
    output[n] = '\0';
    while (fgetc(pipe) != EOF)
        continue;
    int status = pclose(pipe);
    if (status)
        print_error("command failed with status %d: %s\n%s\n", status, command, output);
    assert_int_equal(status, 0);
    return mem_strdup(output);
}

static void
run(const struct ovs_fixture *f, const char *command)
{
    free(ovs_fixture_sh(f, "%s", command));
}

void
ovs_fixture_start_vswitchd(struct ovs_fixture *f)
{
    char *command = mem_printf("ovs-vswitchd --enable-dummy --disable-system --no-chdir --unixctl='%s/vswitchd.ctl' "
                               "--log-file='%s/vswitchd.log' --pidfile='%s/vswitchd.pid' 'unix:%s/db.sock'",
                               f->dir, f->dir, f->dir, f->dir);
    f->vswitchd = spawn(f, command);
    free(command);
}

void
ovs_fixture_kill_vswitchd(struct ovs_fixture *f)
{
    kill_and_wait(&f->vswitchd);
}

int
ovs_fixture_vswitchd_pid(const struct ovs_fixture *f)
{
    return f->vswitchd;
}

struct ovs_fixture *
ovs_fixture_start(void)
{
    struct ovs_fixture *f = mem_zalloc(sizeof *f);
    strcpy(f->dir, "/tmp/vnet-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->prefix = find_prefix();

    run(f, "ovsdb-tool create conf.db \"$(dirname \"$(command -v ovs-vswitchd)\")/../share/openvswitch/vswitch.ovsschema\"");
    char *command = mem_printf("ovsdb-server --no-chdir --remote='punix:%s/db.sock' --unixctl='%s/ovsdb.ctl' "
                               "--log-file='%s/ovsdb.log' --pidfile='%s/ovsdb.pid' '%s/conf.db'",
                               f->dir, f->dir, f->dir, f->dir, f->dir);
    f->ovsdb = spawn(f, command);
    free(command);
    run(f, "ovs-vsctl --retry --timeout=20 --no-wait init");
    ovs_fixture_start_vswitchd(f);
    return f;
}

void
ovs_fixture_stop(struct ovs_fixture *f)
{
    if (!f)
        return;
    kill_and_wait(&f->vswitchd);
    kill_and_wait(&f->ovsdb);
    run(f, "rm -rf '../'\"$(basename \"$PWD\")\"");
    free(f->prefix);
    free(f);
}

const char *
ovs_fixture_dir(const struct ovs_fixture *f)
{
    return f->dir;
}

void
ovs_fixture_add_bridge(const struct ovs_fixture *f, const char *bridge, const char *dpid)
{
    free(ovs_fixture_sh(f,
                        "ovs-vsctl --timeout=20 add-br %s -- set bridge %s datapath_type=dummy fail_mode=secure "
                        "protocols=OpenFlow15 other_config:datapath-id=%s other_config:disable-in-band=true",
                        bridge, bridge, dpid));
}

void
ovs_fixture_set_controller(const struct ovs_fixture *f, const char *bridge, const char *target)
{
    free(ovs_fixture_sh(f,
                        "ovs-vsctl --timeout=20 set-controller %s %s -- set controller %s "
                        "connection_mode=out-of-band max_backoff=1000",
                        bridge, target, bridge));
}
