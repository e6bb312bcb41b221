/* vnetd's command line and configuration file. */
#include "controller/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

#define ARGUMENTS_MAX 8

/* Parses the words given, up to NULL. */
static bool
parse(struct options *o, struct error *err, ...)
{
    char *argv[ARGUMENTS_MAX + 2] = { "vnetd" };
    int argc = 1;
    va_list args;
    va_start(args, err);
    for (char *word; (word = va_arg(args, char *));)
        argv[argc++] = word;
    va_end(args);
    return options_parse(argc, argv, o, err);
}

static void
expect_refused(const char *text, struct options *o, bool ok, const struct error *err)
{
    assert_false(ok);
    if (!strstr(err->text, text))
        fail_msg("'%s' does not say '%s'", err->text, text);
    options_done(o);
}

/* A configuration file of this text: its name. */
static const char *
file_of(const char *text, char name[64])
{
    int fd = memfd_create("options", 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    snprintf(name, 64, "/proc/self/fd/%d", fd);
    return name;
}

static void
without_options_defaults_hold(void **state)
{
    struct options o;
    struct error err;
    assert_true(parse(&o, &err, NULL));
    assert_string_equal(o.store, "sqlite:/var/lib/vnet/vnet.db");
    assert_int_equal(o.openflow.n, 1);
    assert_string_equal(o.openflow.v[0], "pssl:6653");
    assert_string_equal(o.ovsdb.v[0], "pssl:6640");
    assert_string_equal(o.api.v[0], "punix:/run/vnet/vnetd.sock");
    assert_null(o.pidfile);
    assert_false(o.detach);
    options_done(&o);
}

static void
an_option_given_replaces_its_default_and_repeats_add(void **state)
{
    struct options o;
    struct error err;
    assert_true(parse(&o, &err, "--api=punix:/a", "--api", "ptcp:1", "--pidfile", "--advertise=2001:db8::1", NULL));
    assert_int_equal(o.api.n, 2);
    assert_string_equal(o.api.v[0], "punix:/a");
    assert_string_equal(o.api.v[1], "ptcp:1");
    assert_int_equal(o.ovsdb.n, 1);
    assert_string_equal(o.pidfile, "/run/vnet/vnetd.pid");
    options_done(&o);
}

static void
the_command_line_wins_over_the_file_wherever_it_stands(void **state)
{
    char name[64], argument[80];
    struct options o;
    struct error err;
    file_of("store = sqlite:/file\napi=punix:/one # a comment\n\n  api punix:/two\r\novsdb = ptcp:1\ndetach\n", name);
    snprintf(argument, sizeof argument, "--config=%s", name);
    assert_true(parse(&o, &err, "--store=sqlite:/line", "--ovsdb=ptcp:2", argument, NULL));
    assert_string_equal(o.store, "sqlite:/line");
    assert_int_equal(o.api.n, 2);
    assert_string_equal(o.api.v[1], "punix:/two");
    assert_int_equal(o.ovsdb.n, 1);
    assert_string_equal(o.ovsdb.v[0], "ptcp:2");
    assert_true(o.detach);
    options_done(&o);
}

static void
the_files_name_may_be_a_word_of_its_own_or_its_option_short(void **state)
{
    char name[64];
    struct options o;
    struct error err;
    file_of("store=sqlite:/file\n", name);
    assert_true(parse(&o, &err, "--config", name, NULL));
    assert_string_equal(o.store, "sqlite:/file");
    options_done(&o);
    char argument[80];
    snprintf(argument, sizeof argument, "--conf=%s", name);
    assert_true(parse(&o, &err, argument, NULL));
    assert_string_equal(o.store, "sqlite:/file");
    options_done(&o);
}

static void
a_line_of_any_length_is_one_line(void **state)
{
    char name[64], *text = calloc(1, 5000);
    struct options o;
    struct error err;
    strcpy(text, "store = sqlite:/");
    memset(text + strlen(text), 'x', 4000);
    assert_true(parse(&o, &err, "--config", file_of(text, name), NULL));
    assert_int_equal(strlen(o.store), strlen("sqlite:/") + 4000);
    options_done(&o);
    free(text);
}

static void
what_is_wrong_in_a_file_is_named_with_its_line(void **state)
{
    static const char *const files[][2] = {
        { "\nnonsense = 5\n", ":2: 'nonsense' is no option" }, { "store\n", "'store' needs a value" },
        { "detach = no\n", "'detach' takes no value" },        { "config = /x\n", "'config' is no option" },
        { "verbose = nonsense:nonsense\n", ":1: -v" },         { "advertise = somewhere\n", "--advertise=somewhere" },
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[64];
        struct options o;
        struct error err;
        bool ok = parse(&o, &err, "--config", file_of(files[i][0], name), NULL);
        expect_refused(files[i][1], &o, ok, &err);
    }
}

static void
what_is_wrong_on_the_command_line_is_named(void **state)
{
    static char *const words[][2] = {
        { "--nonsense", "--nonsense" },
        { "--store", "--store" },
        { "word", "'word'" },
        { "--config=/nonexistent", "/nonexistent" },
        { "--config", "--config" },
        { "--advertise=x", "--advertise=x" },
        { "-vnonsense:nonsense", "-vnonsense" },
        { "--store=mysql:x", "--store=mysql:x" },
        { "--store=sqlite:", "sqlite:FILE" },
        { "--openflow=tcp:192.0.2.1", "--openflow: 'tcp:192.0.2.1'" },
        { "--ovsdb=ptcp:99999", "--ovsdb: 'ptcp:99999'" },
        { "--api=punix:", "--api: 'punix:'" },
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct options o;
        struct error err;
        bool ok = parse(&o, &err, words[i][0], NULL);
        expect_refused(words[i][1], &o, ok, &err);
    }
}

static void
listeners_are_bounded(void **state)
{
    char *argv[OPTION_LISTENERS_MAX + 2] = { "vnetd" };
    struct options o;
    struct error err;
    for (int i = 0; i <= OPTION_LISTENERS_MAX; i++)
        argv[i + 1] = "--api=ptcp:1";
    bool ok = options_parse(OPTION_LISTENERS_MAX + 2, argv, &o, &err);
    expect_refused("at most 8 listeners", &o, ok, &err);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_options_defaults_hold),
        cmocka_unit_test(an_option_given_replaces_its_default_and_repeats_add),
        cmocka_unit_test(the_command_line_wins_over_the_file_wherever_it_stands),
        cmocka_unit_test(the_files_name_may_be_a_word_of_its_own_or_its_option_short),
        cmocka_unit_test(a_line_of_any_length_is_one_line),
        cmocka_unit_test(what_is_wrong_in_a_file_is_named_with_its_line),
        cmocka_unit_test(what_is_wrong_on_the_command_line_is_named),
        cmocka_unit_test(listeners_are_bounded),
    };
    log_init("test");
    log_console(false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
