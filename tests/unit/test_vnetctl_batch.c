/* A batch's lines are split as a shell would, and errors name the line. */
#include "tools/vnetctl/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void
assert_words(const char *text, size_t n, const char *const *expected)
{
    struct arena *arena = arena_new();
    struct batch_line line;
    struct error err;
    assert_true(batch_split(text, &line, arena, &err));
    assert_int_equal(line.n, n);
    for (size_t i = 0; i < n; i++)
        assert_string_equal(line.words[i], expected[i]);
    arena_free(arena);
}
#define WORDS(TEXT, ...) assert_words(TEXT, sizeof(const char *[]){ __VA_ARGS__ } / sizeof(char *), (const char *[]){ __VA_ARGS__ })

static void
assert_refused(const char *text, const char *why)
{
    struct arena *arena = arena_new();
    struct batch_line line;
    struct error err;
    assert_false(batch_split(text, &line, arena, &err));
    assert_non_null(strstr(err.text, why));
    arena_free(arena);
}

static void
words_end_at_blanks(void **unused)
{
    WORDS("port-add  web\tp ", "port-add", "web", "p");
    WORDS(" x", "x");
    assert_words("", 0, NULL);
    assert_words(" \t ", 0, NULL);
}

static void
quotes_keep_blanks_and_may_stand_inside_a_word(void **unused)
{
    WORDS("set tags:a='x y' b", "set", "tags:a=x y", "b");
    WORDS("\"a b\"'c d'e", "a bc de");
    WORDS("'' a", "", "a");
    WORDS("'\"' \"'\"", "\"", "'");
    WORDS("\"a\\\"b\\\\c\\n\"", "a\"b\\c\\n");
    WORDS("'a\\b'", "a\\b");
    WORDS("a\\ b \\#c", "a b", "#c");
}

static void
a_comment_begins_at_a_words_start_only(void **unused)
{
    assert_words("# all", 0, NULL);
    WORDS("a #b c", "a");
    WORDS("a#b '#c'", "a#b", "#c");
}

static void
an_open_quote_and_a_continued_line_are_refused(void **unused)
{
    assert_refused("a 'b", "quote ' is not closed");
    assert_refused("\"b", "quote \" is not closed");
    assert_refused("\"b\\\"", "quote \" is not closed");
    assert_refused("a \\", "ends in '\\'");
}

/* A batch of these bytes, in a file that is gone once it is open. */
static struct batch *
batch_of(const char *bytes, size_t n)
{
    char file[] = "/tmp/test_vnetctl_batch.XXXXXX";
    struct error err;
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
    struct batch *batch = batch_open(file, &err);
    unlink(file);
    assert_non_null(batch);
    return batch;
}

static void
lines_are_numbered_and_empty_ones_skipped(void **unused)
{
    static const char text[] = "# head\n\na b\r\n  # c\nlast";
    struct batch *batch = batch_of(text, sizeof text - 1);
    struct arena *arena = arena_new();
    struct batch_line line;
    struct error err;
    assert_true(batch_next(batch, &line, arena, &err));
    assert_int_equal(line.number, 3);
    assert_int_equal(line.n, 2);
    assert_string_equal(line.words[1], "b");
    assert_true(batch_next(batch, &line, arena, &err));
    assert_int_equal(line.number, 5);
    assert_string_equal(line.words[0], "last");
    assert_true(batch_next(batch, &line, arena, &err));
    assert_int_equal(line.n, 0);
    arena_free(arena);
    batch_close(batch);
}

static void
errors_name_the_line(void **unused)
{
    static const char open_quote[] = "a\n\n'b\n", zero[] = "a\nb\0c\n";
    struct arena *arena = arena_new();
    struct batch_line line;
    struct error err;
    struct batch *batch = batch_of(open_quote, sizeof open_quote - 1);
    assert_true(batch_next(batch, &line, arena, &err));
    assert_false(batch_next(batch, &line, arena, &err));
    assert_int_equal(strncmp(err.text, "line 3: ", 8), 0);
    batch_close(batch);

    batch = batch_of(zero, sizeof zero - 1);
    assert_true(batch_next(batch, &line, arena, &err));
    assert_false(batch_next(batch, &line, arena, &err));
    assert_string_equal(err.text, "line 2: holds a zero byte");
    batch_close(batch);
    arena_free(arena);
}

static void
a_file_that_cannot_be_read_is_named(void **unused)
{
    struct error err;
    assert_null(batch_open("/nonexistent/batch", &err));
    assert_non_null(strstr(err.text, "/nonexistent/batch"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_end_at_blanks),
        cmocka_unit_test(quotes_keep_blanks_and_may_stand_inside_a_word),
        cmocka_unit_test(a_comment_begins_at_a_words_start_only),
        cmocka_unit_test(an_open_quote_and_a_continued_line_are_refused),
        cmocka_unit_test(lines_are_numbered_and_empty_ones_skipped),
        cmocka_unit_test(errors_name_the_line),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
