#include "agent/hook_selftest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HOOK "/etc/libvirt/hooks/qemu"
#define HOOKS HOOK ".d"
#define CLOCK_SLACK_S 0.05

static bool
say(bool ok, const char *what, const char *detail)
{
    printf("%s  %s%s%s\n", ok ? "ok  " : "FAIL", what, *detail ? ": " : "", detail);
    return ok;
}

/* Is it this program, or a script that names it? */
static bool
leads_here(const char *path)
{
    char self[PATH_MAX], other[PATH_MAX], text[4096];
    if (!realpath("/proc/self/exe", self) || !realpath(path, other))
        return false;
    if (!strcmp(self, other))
        return true;
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    return !strncmp(text, "#!", 2) && strstr(text, "vnet-hook");
}

/* libvirt runs the executable files of the folder in order of name. 'found' is filled with the one that is ours. */
static bool
find_hook(char *found, size_t size)
{
    DIR *folder = opendir(HOOKS);
    bool ok = false;
    for (const struct dirent *e; !ok && folder && (e = readdir(folder));) {
        snprintf(found, size, HOOKS "/%s", e->d_name);
        ok = e->d_name[0] != '.' && leads_here(found);
    }
    if (folder)
        closedir(folder);
    return ok;
}

static double
seconds(const struct timespec *ts)
{
    return (double) ts->tv_sec + (double) ts->tv_nsec / 1e9;
}

/* When a process began, since 1970; 0: unknown. Field 22 of /proc/PID/stat, in ticks since boot. */
static double
process_start(const char *pid)
{
    char path[300], text[1024];
    unsigned long long ticks = 0;
    snprintf(path, sizeof path, "/proc/%.200s/stat", pid);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    text[n] = '\0';
    if (f)
        fclose(f);
    const char *at = strrchr(text, ')');
    struct timespec boot, now;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &now);
    if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks) != 1)
        return 0;
    return seconds(&now) - seconds(&boot) + (double) ticks / (double) sysconf(_SC_CLK_TCK);
}

static bool
is_libvirt(const char *pid)
{
    char path[300], name[32] = "";
    snprintf(path, sizeof path, "/proc/%.200s/comm", pid);
    FILE *f = fopen(path, "re");
    if (f && !fgets(name, sizeof name, f))
        *name = '\0';
    if (f)
        fclose(f);
    name[strcspn(name, "\n")] = '\0';
    return !strcmp(name, "libvirtd") || !strcmp(name, "virtqemud");
}

static double
libvirt_start(void)
{
    DIR *proc = opendir("/proc");
    double start = 0;
    for (const struct dirent *e; start <= 0 && proc && (e = readdir(proc));)
        if (e->d_name[0] >= '0' && e->d_name[0] <= '9' && is_libvirt(e->d_name))
            start = process_start(e->d_name);
    if (proc)
        closedir(proc);
    return start;
}

/* Was it there, as an executable file, at that time? Later changes of what a link leads to do not matter. */
static bool
was_there(const char *path, double at)
{
    struct stat st, target;
    return !lstat(path, &st) && !stat(path, &target) && S_ISREG(target.st_mode) && !access(path, X_OK)
           && seconds(&st.st_ctim) <= at + CLOCK_SLACK_S;
}

/* libvirt looks for hooks of its driver when it starts, and never again. If there was one, it runs all that there are. */
static bool
had_hook(double start)
{
    char path[PATH_MAX];
    DIR *folder = opendir(HOOKS);
    bool has = was_there(HOOK, start);
    for (const struct dirent *e; !has && folder && (e = readdir(folder));) {
        snprintf(path, sizeof path, HOOKS "/%s", e->d_name);
        has = was_there(path, start);
    }
    if (folder)
        closedir(folder);
    return has;
}

static bool
check_libvirt(void)
{
    double start = libvirt_start();
    if (start <= 0)
        return say(true, "libvirt does not run now; it will find the hook when it starts", "");
    if (!had_hook(start))
        return say(false, "libvirt", "was started before the hook was there, and does not know of it: restart it (guests live on)");
    return say(true, "libvirt was started after the hook was there", "");
}

static bool
check_agent(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    bool ok = fd >= 0 && !connect(fd, (struct sockaddr *) &a, sizeof a);
    int number = errno;
    if (fd >= 0)
        close(fd);
    return say(ok, ok ? "vnet-agent listens" : "vnet-agent does not listen", ok ? path : strerror(number));
}

int
hook_selftest(const char *program, const char *socket)
{
    char found[PATH_MAX] = "";
    bool is_found = find_hook(found, sizeof found);
    bool ok = say(is_found, is_found ? "the hook is installed" : "no file in " HOOKS " leads to this program; link it there",
                  is_found ? found : "");
    if (is_found)
        ok = say(!access(found, X_OK), "it is executable", access(found, X_OK) ? strerror(errno) : "") && ok;
    ok = check_libvirt() && ok;
    ok = check_agent(socket) && ok;
    return ok ? 0 : 1;
}
