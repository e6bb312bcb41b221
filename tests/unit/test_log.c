/* base/log: the line, the levels of both destinations, and what strangers may put into a message. Each test has its
 * own directory, where the console's lines are caught in a file as well. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define N_OF(ARRAY) (sizeof(ARRAY) / sizeof(ARRAY)[0])

struct world {
    char directory[64], console[80], file[80], rotated[80];
    int stderr_fd;
};

static void
paths_set(struct world *w)
{
    snprintf(w->console, sizeof w->console, "%s/console", w->directory);
    snprintf(w->file, sizeof w->file, "%s/log", w->directory);
    snprintf(w->rotated, sizeof w->rotated, "%s/log.1", w->directory);
}

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    strcpy(w->directory, "/tmp/vnet-test-log.XXXXXX");
    if (!mkdtemp(w->directory))
        return -1;
    paths_set(w);
    w->stderr_fd = dup(STDERR_FILENO);
    int fd = open(w->console, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDERR_FILENO);
    close(fd);
    log_init("testd");
    log_console(true);
    char error[200];
    *state = w;
    return log_spec("info", error, sizeof error) && log_open_file(w->file) && !truncate(w->file, 0) && !truncate(w->console, 0) ? 0 : -1;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    dup2(w->stderr_fd, STDERR_FILENO);
    close(w->stderr_fd);
    unlink(w->console);
    unlink(w->file);
    unlink(w->rotated);
    int result = rmdir(w->directory);
    free(w);
    return result;
}

static char *
contents(const char *path)
{
    static char buf[1 << 20];
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    ssize_t n = read(fd, buf, sizeof buf - 1);
    close(fd);
    assert_true(n >= 0);
    buf[n] = '\0';
    return buf;
}

static void
assert_matches(const char *text, const char *pattern)
{
    regex_t re;
    assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int result = regexec(&re, text, 0, NULL, 0);
    regfree(&re);
    if (result)
        fail_msg("'%s' does not match '%s'", text, pattern);
}

static bool
spec(const char *words)
{
    char error[200];
    return log_spec(words, error, sizeof error);
}

/* Which of ERR, WARN, INFO, DBG a module's lines reach 'path', as "EWID". */
static const char *
levels_seen(struct world *w, const char *path, const char *module)
{
    static char seen[5];
    static const struct {
        enum log_level level;
        const char *text;
    } lines[] = {
        { LOG_LEVEL_ERR, "|ERR|x\n" },
        { LOG_LEVEL_WARN, "|WARN|x\n" },
        { LOG_LEVEL_INFO, "|INFO|x\n" },
        { LOG_LEVEL_DBG, "|DBG|x\n" },
    };
    assert_int_equal(truncate(path, 0), 0);
    int n = 0;
    for (size_t i = 0; i < N_OF(lines); i++) {
        log_write(module, lines[i].level, "x");
        if (strstr(contents(path), lines[i].text))
            seen[n++] = "EWID"[i];
    }
    seen[n] = '\0';
    return seen;
}

static void
a_line_has_time_number_module_level_and_text(void **state)
{
    struct world *w = *state;
    log_write("host", LOG_LEVEL_INFO, "host '%s' connected", "h7");
    const char *pattern = "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z"
                          "\\|[0-9]{5}\\|host\\|INFO\\|host 'h7' connected\n$";
    assert_matches(contents(w->console), pattern);
    assert_matches(contents(w->file), pattern);
}

static void
each_destination_has_its_own_level(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *spec, *console, *file;
    } cases[] = {
        { "info", "EWI", "EWI" },       { "console:off", "", "EWI" },
        { "file:dbg", "", "EWID" },     { "ANY:console:warn", "EW", "EWID" },
        { "ANY:ANY:err", "E", "E" },    { "any:file:emer", "E", "" },
        { NULL, "EWID", "EWID" },       { "off", "", "" },
        { "", "EWID", "EWID" },         { "warn console", "EW", "EWID" },
        { "CONSOLE,Err", "E", "EWID" }, { "file", "E", "EWID" },
        { "console", "EWID", "EWID" },  { "syslog:off", "EWID", "EWID" },
    };
    for (size_t i = 0; i < N_OF(cases); i++) {
        assert_true(spec(cases[i].spec));
        assert_string_equal(levels_seen(w, w->console, "any-module"), cases[i].console);
        assert_string_equal(levels_seen(w, w->file, "any-module"), cases[i].file);
    }
}

static void
a_module_has_its_own_level(void **state)
{
    struct world *w = *state;
    assert_true(spec("host:file:dbg"));
    assert_string_equal(levels_seen(w, w->file, "host"), "EWID");
    assert_string_equal(levels_seen(w, w->console, "host"), "EWI");
    assert_string_equal(levels_seen(w, w->file, "store"), "EWI");

    assert_true(spec("host"));
    assert_string_equal(levels_seen(w, w->console, "host"), "EWID");
    assert_string_equal(levels_seen(w, w->console, "store"), "EWI");

    assert_true(spec("warn")); /* a level for all is for those named before, too */
    assert_string_equal(levels_seen(w, w->console, "host"), "EW");
    assert_string_equal(levels_seen(w, w->console, "store"), "EW");
}

static void
a_wrong_spec_is_refused_with_the_word_and_changes_nothing(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *spec, *word;
    } wrong[] = {
        { "console:file:dbg", "'file'" },
        { "dbg:info", "'info'" },
        { "host:store:dbg", "'store'" },
        { "host:consol:dbg", "'consol'" },
        { "b\x1b@d", "'b\\x1b@d'" },
        { "off:a.b", "'a.b'" },
        { "a-name-that-is-longer-than-any-module-would-be", "'a-name" },
    };
    for (size_t i = 0; i < N_OF(wrong); i++) {
        char error[300] = "";
        assert_false(log_spec(wrong[i].spec, error, sizeof error));
        assert_non_null(strstr(error, wrong[i].word));
    }
    assert_string_equal(levels_seen(w, w->console, "host"), "EWI");
    assert_string_equal(levels_seen(w, w->file, "host"), "EWI");
}

static void
a_message_from_a_peer_cannot_forge_a_line(void **state)
{
    struct world *w = *state;
    log_write("host", LOG_LEVEL_WARN, "bad name '%s'", "x\n2026-11-22T10:00:00.000Z|00009|api|INFO|all is well\x1b[A\r");
    const char *text = contents(w->file);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_non_null(strstr(text, "'x\\x0a2026"));
    assert_non_null(strstr(text, "\\x1b[A\\x0d'"));
}

static void
a_long_message_is_cut_to_one_line(void **state)
{
    struct world *w = *state;
    log_write("host", LOG_LEVEL_INFO, "%0*d", 100000, 1);
    const char *text = contents(w->file);
    size_t n = strlen(text);
    assert_in_range(n, 4000, 4096);
    assert_string_equal(text + n - 4, "...\n");
}

static void
errno_survives_a_line(void **state)
{
    struct log_limit limit = LOG_LIMIT(1);
    close(STDERR_FILENO); /* so that writing there sets errno */
    errno = EXDEV;
    log_write("host", LOG_LEVEL_INFO, "x");
    assert_int_equal(errno, EXDEV);
    log_write_limited(&limit, "host", LOG_LEVEL_INFO, "x");
    assert_int_equal(errno, EXDEV);
}

static void
the_console_can_be_left(void **state)
{
    struct world *w = *state;
    log_console(false);
    log_write("host", LOG_LEVEL_ERR, "only in the file");
    assert_string_equal(contents(w->console), "");
    assert_non_null(strstr(contents(w->file), "only in the file"));
}

static void
after_rotation_lines_go_to_the_new_file(void **state)
{
    struct world *w = *state;
    log_write("host", LOG_LEVEL_INFO, "before");
    assert_int_equal(rename(w->file, w->rotated), 0);
    log_write("host", LOG_LEVEL_INFO, "between");
    log_reopen();
    log_write("host", LOG_LEVEL_INFO, "after");
    assert_non_null(strstr(contents(w->rotated), "between\n"));
    assert_null(strstr(contents(w->rotated), "after"));
    assert_matches(contents(w->file), "INFO\\|testd: opened log file .*\n.*after\n$");
}

static void
a_file_that_cannot_be_opened_leaves_the_old_one(void **state)
{
    struct world *w = *state;
    errno = 0;
    assert_false(log_open_file("/nonexistent/directory/log"));
    assert_int_equal(errno, ENOENT);
    log_write("host", LOG_LEVEL_INFO, "still here");
    assert_non_null(strstr(contents(w->file), "still here\n"));
}

static int
lines_of(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

static void
a_limit_lets_a_burst_through_and_tells_what_was_left_out(void **state)
{
    struct world *w = *state;
    struct log_limit limit = LOG_LIMIT(3);
    for (int i = 0; i < 10; i++)
        log_write_limited(&limit, "host", LOG_LEVEL_WARN, "bad packet %d", i);
    assert_int_equal(lines_of(contents(w->file)), 3);
    assert_non_null(strstr(contents(w->file), "|bad packet 2\n"));

    limit.filled_at_ms -= 20000; /* as if a third of a minute had passed: one more */
    for (int i = 10; i < 15; i++)
        log_write_limited(&limit, "host", LOG_LEVEL_WARN, "bad packet %d", i);
    assert_int_equal(lines_of(contents(w->file)), 4);
    assert_non_null(strstr(contents(w->file), "|(7 like this were left out) bad packet 10\n"));

    limit.filled_at_ms -= 3600000; /* an hour earns no more than a burst */
    for (int i = 15; i < 25; i++)
        log_write_limited(&limit, "host", LOG_LEVEL_WARN, "bad packet %d", i);
    assert_int_equal(lines_of(contents(w->file)), 7);
    assert_non_null(strstr(contents(w->file), "|(4 like this were left out) bad packet 15\n"));
    assert_non_null(strstr(contents(w->file), "|bad packet 17\n"));
}

static void
lines_that_nobody_wants_use_up_no_limit(void **state)
{
    struct world *w = *state;
    struct log_limit limit = LOG_LIMIT(1);
    for (int i = 0; i < 5; i++)
        log_write_limited(&limit, "host", LOG_LEVEL_DBG, "x");
    assert_true(spec("dbg"));
    log_write_limited(&limit, "host", LOG_LEVEL_DBG, "y");
    assert_matches(contents(w->file), "^[^\n]*DBG\\|y\n$");
}

static void *
chatter(void *name)
{
    for (int i = 0; i < 500; i++)
        log_write(name, LOG_LEVEL_INFO, "%s says %0100d.", (const char *) name, i);
    return NULL;
}

static void
lines_of_several_threads_do_not_mix(void **state)
{
    struct world *w = *state;
    static char names[4][8] = { "one", "two", "three", "four" };
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, chatter, names[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);

    char *rest, *text = contents(w->file);
    assert_int_equal(lines_of(text), 2000);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        char module[8], speaker[8], end;
        assert_int_equal(sscanf(line, "%*[^|]|%*u|%7[^|]|INFO|%7s says %*d%c", module, speaker, &end), 3);
        assert_string_equal(module, speaker);
        assert_int_equal(end, '.');
    }
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_line_has_time_number_module_level_and_text),
        TEST(each_destination_has_its_own_level),
        TEST(a_module_has_its_own_level),
        TEST(a_wrong_spec_is_refused_with_the_word_and_changes_nothing),
        TEST(a_message_from_a_peer_cannot_forge_a_line),
        TEST(a_long_message_is_cut_to_one_line),
        TEST(errno_survives_a_line),
        TEST(the_console_can_be_left),
        TEST(after_rotation_lines_go_to_the_new_file),
        TEST(a_file_that_cannot_be_opened_leaves_the_old_one),
        TEST(a_limit_lets_a_burst_through_and_tells_what_was_left_out),
        TEST(lines_that_nobody_wants_use_up_no_limit),
        TEST(lines_of_several_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
