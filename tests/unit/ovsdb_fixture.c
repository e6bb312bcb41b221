/* See ovsdb_fixture.h. */
#include "tests/unit/ovsdb_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"

struct ovsdb_fixture {
    struct ovs_fixture *ovs;
    pid_t vswitchd;
};

static char *
first_line(char *take_text)
{
    take_text[strcspn(take_text, "\n")] = '\0';
    return take_text;
}

/* Instead of the one that ovs_fixture started, which would make devices of this machine for 'system' and 'netdev'. */
static pid_t
vswitchd_start(const struct ovs_fixture *ovs)
{
    const char *dir = ovs_fixture_dir(ovs);
    char *program = first_line(ovs_fixture_sh(ovs, "command -v ovs-vswitchd"));
    char *database = mem_printf("unix:%s/db.sock", dir), *control = mem_printf("--unixctl=%s/vswitchd.ctl", dir);
    char *log = mem_printf("--log-file=%s/vswitchd.log", dir), *pidfile = mem_printf("--pidfile=%s/vswitchd.pid", dir);
    pid_t parent = getpid(), pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int null = open("/dev/null", O_RDWR);
        if (getppid() != parent || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || setenv("OVS_RUNDIR", dir, 1))
            _exit(126);
        for (int fd = 3; fd < 256; fd++)
            close(fd);
        execl(program, "ovs-vswitchd", "--enable-dummy=override", "--disable-system", "--no-chdir", control, log, pidfile, database,
              (char *) NULL);
        _exit(127);
    }
    free(program);
    free(database);
    free(control);
    free(log);
    free(pidfile);
    assert_true(pid > 0);
    return pid;
}

struct ovsdb_fixture *
ovsdb_fixture_start(void)
{
    struct ovsdb_fixture *f = mem_zalloc(sizeof *f);
    f->ovs = ovs_fixture_start();
    ovs_fixture_kill_vswitchd(f->ovs);
    f->vswitchd = vswitchd_start(f->ovs);
    free(ovs_fixture_sh(f->ovs, "ovs-appctl -t \"$PWD/ovsdb.ctl\" ovsdb-server/add-remote db:Open_vSwitch,Open_vSwitch,manager_options"));
    return f;
}

void
ovsdb_fixture_stop(struct ovsdb_fixture *f)
{
    if (!f)
        return;
    kill(f->vswitchd, SIGKILL);
    while (waitpid(f->vswitchd, NULL, 0) < 0 && errno == EINTR)
        continue;
    ovs_fixture_stop(f->ovs);
    free(f);
}

const struct ovs_fixture *
ovsdb_fixture_ovs(const struct ovsdb_fixture *f)
{
    return f->ovs;
}

static char *
vsctl(const struct ovsdb_fixture *f, const char *format, va_list args)
{
    char command[2048];
    vsnprintf(command, sizeof command, format, args);
    char *text = ovs_fixture_sh(f->ovs, "ovs-vsctl --timeout=20 %s", command);
    size_t n = strlen(text);
    if (n && text[n - 1] == '\n')
        text[n - 1] = '\0';
    return text;
}

char *
ovsdb_fixture_vsctl(const struct ovsdb_fixture *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = vsctl(f, format, args);
    va_end(args);
    return text;
}

void
ovsdb_fixture_do(const struct ovsdb_fixture *f, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    free(vsctl(f, format, args));
    va_end(args);
}
