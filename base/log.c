/* Logging for daemons: a line is composed on the stack and written to each destination by one write(), so that
 * lines of several threads never mix. The process has one log; its state, a single static struct, is the only
 * one in the tree, since an error must be tellable from everywhere above the pure layers.
 *
 * Invariants: a line has no control characters and at most LINE_MAX_BYTES; errno survives a call. Levels and files
 * are set by the main thread only. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"

#define LINE_MAX_BYTES 4096
#define MODULES_MAX 64
#define MODULE_NAME_MAX 31
#define MINUTE_MS 60000

enum destination { TO_CONSOLE, TO_FILE, N_DESTINATIONS };

/* The least urgent level that is written; LEVEL_OFF: none. */
enum { LEVEL_OFF = -1 };

/* A module that some -v has named. */
struct module {
    char name[MODULE_NAME_MAX + 1];
    int levels[N_DESTINATIONS];
};

static struct {
    const char *program;
    int levels[N_DESTINATIONS]; /* of modules that no -v has named */
    struct module modules[MODULES_MAX];
    size_t n_modules;
    bool is_console_off;
    int file_fd; /* -1: none */
    char *file_name;
    atomic_uint lines;
} state = { .program = "vnet", .levels = { LOG_LEVEL_INFO, LOG_LEVEL_INFO }, .file_fd = -1 };

void
log_init(const char *program)
{
    state.program = program;
}

void
log_console(bool on)
{
    state.is_console_off = !on;
}

static struct module *
module_find(const char *name)
{
    for (size_t i = 0; i < state.n_modules; i++)
        if (!strcasecmp(state.modules[i].name, name))
            return &state.modules[i];
    return NULL;
}

static bool
is_wanted(const char *module, enum log_level level, enum destination d)
{
    if (d == TO_CONSOLE ? state.is_console_off : state.file_fd < 0)
        return false;
    const struct module *m = module_find(module);
    return (int) level <= (m ? m->levels[d] : state.levels[d]);
}

static bool
is_wanted_anywhere(const char *module, enum log_level level)
{
    return is_wanted(module, level, TO_CONSOLE) || is_wanted(module, level, TO_FILE);
}

/* What the words of one -v say. */
struct spec {
    char module[MODULE_NAME_MAX + 1]; /* "": all */
    bool has_destination, has_level;
    bool destinations[N_DESTINATIONS];
    int level;
};

static bool
spec_error(char *error, int size, const char *text, const char *word)
{
    char safe[128];
    text_escape(safe, sizeof safe, word);
    snprintf(error, size, text, safe);
    return false;
}

static bool
destination_parse(const char *word, struct spec *s)
{
    bool is_console = !strcasecmp(word, "console"), is_file = !strcasecmp(word, "file");
    if (!is_console && !is_file && strcasecmp(word, "syslog"))
        return false;
    s->destinations[TO_CONSOLE] = is_console;
    s->destinations[TO_FILE] = is_file;
    return true;
}

static bool
level_parse(const char *word, int *level)
{
    static const struct {
        const char *name;
        int level;
    } levels[] = { { "off", LEVEL_OFF },       { "emer", LEVEL_OFF },      { "err", LOG_LEVEL_ERR },
                   { "warn", LOG_LEVEL_WARN }, { "info", LOG_LEVEL_INFO }, { "dbg", LOG_LEVEL_DBG } };
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (!strcasecmp(word, levels[i].name)) {
            *level = levels[i].level;
            return true;
        }
    }
    return false;
}

static bool
module_parse(const char *word, struct spec *s, char *error, int size)
{
    if (s->module[0])
        return spec_error(error, size,
                          "more than one module: '%s' is neither a destination (console, file) nor "
                          "a level (off, emer, err, warn, info, dbg)",
                          word);
    size_t length = strlen(word);
    if (length > MODULE_NAME_MAX || strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != length)
        return spec_error(error, size, "'%s' is no destination, level or module", word);
    memcpy(s->module, word, length + 1);
    return true;
}

static bool
word_parse(const char *word, struct spec *s, char *error, int size)
{
    int level;
    if (!strcasecmp(word, "any"))
        return true;
    if (destination_parse(word, s)) {
        if (s->has_destination)
            return spec_error(error, size, "more than one destination: '%s'", word);
        s->has_destination = true;
        return true;
    }
    if (level_parse(word, &level)) {
        if (s->has_level)
            return spec_error(error, size, "more than one level: '%s'", word);
        s->has_level = true;
        s->level = level;
        return true;
    }
    return module_parse(word, s, error, size);
}

static void
levels_set(int levels[N_DESTINATIONS], const struct spec *s)
{
    for (int d = 0; d < N_DESTINATIONS; d++)
        if (!s->has_destination || s->destinations[d])
            levels[d] = s->level;
}

static bool
spec_apply(const struct spec *s, char *error, int size)
{
    if (!s->module[0]) {
        levels_set(state.levels, s);
        for (size_t i = 0; i < state.n_modules; i++)
            levels_set(state.modules[i].levels, s);
        return true;
    }

    struct module *m = module_find(s->module);
    if (!m) {
        if (state.n_modules == MODULES_MAX)
            return spec_error(error, size, "too many modules: '%s'", s->module);
        m = &state.modules[state.n_modules++];
        memcpy(m->name, s->module, sizeof m->name);
        memcpy(m->levels, state.levels, sizeof m->levels);
    }
    levels_set(m->levels, s);
    return true;
}

bool
log_spec(const char *spec, char *error, int error_size)
{
    struct spec s = { .level = LOG_LEVEL_DBG };
    char *words = mem_strdup(spec ? spec : ""), *rest;
    bool ok = true;
    for (char *word = strtok_r(words, " ,:\t", &rest); word && ok; word = strtok_r(NULL, " ,:\t", &rest))
        ok = word_parse(word, &s, error, error_size);
    free(words);
    return ok && spec_apply(&s, error, error_size);
}

static int
file_open(const char *file)
{
    return open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

bool
log_open_file(const char *file)
{
    int fd = file_open(file);
    if (fd < 0)
        return false;

    char *name = mem_strdup(file); /* before the free: 'file' may be the old name */
    if (state.file_fd >= 0)
        close(state.file_fd);
    free(state.file_name);
    state.file_fd = fd;
    state.file_name = name;
    log_write("log", LOG_LEVEL_INFO, "%s: opened log file %s", state.program, file);
    return true;
}

/* dup3() swaps the file under the number that other threads may be writing to. */
void
log_reopen(void)
{
    if (state.file_fd < 0)
        return;
    int fd = file_open(state.file_name);
    if (fd < 0) {
        log_write("log", LOG_LEVEL_WARN, "%s: could not reopen log file %s, going on with the old one: %s", state.program, state.file_name,
                  strerror(errno));
        return;
    }
    dup3(fd, state.file_fd, O_CLOEXEC);
    close(fd);
    log_write("log", LOG_LEVEL_INFO, "%s: opened log file %s", state.program, state.file_name);
}

static size_t
head_compose(char *line, size_t size, const char *module, enum log_level level)
{
    static const char *const names[] = { "ERR", "WARN", "INFO", "DBG" };
    struct timespec now;
    struct tm utc;
    char date[32];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
    return snprintf(line, size, "%s.%03ldZ|%05u|%.31s|%s|", date, now.tv_nsec / 1000000, atomic_fetch_add(&state.lines, 1) + 1, module,
                    names[level]);
}

/* A line that cannot be written is lost: nobody is left to be told. */
static void
bytes_write(int fd, const char *bytes, size_t n)
{
    while (n) {
        ssize_t written = write(fd, bytes, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        bytes += written;
        n -= written;
    }
}

static void
line_write(const char *module, enum log_level level, const char *text)
{
    char line[LINE_MAX_BYTES];
    size_t n = head_compose(line, sizeof line, module, level);
    n += text_escape(line + n, sizeof line - n - 1, text);
    line[n++] = '\n';
    if (is_wanted(module, level, TO_CONSOLE))
        bytes_write(STDERR_FILENO, line, n);
    if (is_wanted(module, level, TO_FILE))
        bytes_write(state.file_fd, line, n);
}

void
log_write(const char *module, enum log_level level, const char *format, ...)
{
    if (!is_wanted_anywhere(module, level))
        return;

    int saved_errno = errno;
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    line_write(module, level, text);
    errno = saved_errno;
}

static int64_t
monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool
token_take(struct log_limit *limit)
{
    int64_t now_ms = monotonic_ms();
    if (!limit->filled_at_ms || now_ms - limit->filled_at_ms >= MINUTE_MS) {
        limit->tokens = limit->burst;
        limit->filled_at_ms = now_ms;
    } else {
        int64_t earned = (now_ms - limit->filled_at_ms) * limit->burst / MINUTE_MS;
        if (earned > 0) {
            limit->filled_at_ms += earned * MINUTE_MS / limit->burst;
            limit->tokens = limit->tokens + earned < limit->burst ? limit->tokens + earned : limit->burst;
        }
    }
    if (!limit->tokens) {
        limit->dropped++;
        return false;
    }
    limit->tokens--;
    return true;
}

void
log_write_limited(struct log_limit *limit, const char *module, enum log_level level, const char *format, ...)
{
    if (!is_wanted_anywhere(module, level) || !token_take(limit))
        return;

    int saved_errno = errno;
    char text[LINE_MAX_BYTES];
    int n = 0;
    if (limit->dropped)
        n = snprintf(text, sizeof text, "(%u like this were left out) ", limit->dropped);
    limit->dropped = 0;

    va_list args;
    va_start(args, format);
    vsnprintf(text + n, sizeof text - n, format, args);
    va_end(args);
    line_write(module, level, text);
    errno = saved_errno;
}
