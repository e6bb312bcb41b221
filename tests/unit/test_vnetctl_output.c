/* vnetctl's four formats, and what hostile values look like in them; URLs hold whatever users type. */
#include "tools/vnetctl/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/vnetctl/url.h"

static const char *const columns[] = { "name", "sg", "on" };

static void
assert_prints(const char *format, bool headings, const char *rows_text, const char *expected)
{
    struct error err;
    char *text = NULL;
    size_t n = 0;
    FILE *stream = open_memstream(&text, &n);
    json_t *rows = json_parse(rows_text, strlen(rows_text), "rows", &err);
    assert_non_null(rows);
    output_format_find(format)->print(stream, &(struct output_rows){ rows, columns, 3, headings });
    fclose(stream);
    assert_string_equal(text, expected);
    free(text);
    json_decref(rows);
}

static const char two_rows[] = "[{\"name\":\"w\xc3\xa9\",\"sg\":[\"a\",\"b\"],\"on\":true},{\"name\":\"longer\",\"sg\":[],\"on\":null}]";

static void
a_table_is_aligned_by_characters_and_has_no_blanks_at_the_end(void **unused)
{
    assert_prints("table", true, two_rows, "name   sg  on\n------ --- ----\nw\xc3\xa9     a,b true\nlonger\n");
    assert_prints("table", false, two_rows, "w\xc3\xa9     a,b true\nlonger\n");
}

static void
an_empty_listing_has_headings_in_a_table_and_is_an_empty_array_in_json(void **unused)
{
    assert_prints("table", true, "[]", "name sg on\n---- -- --\n");
    assert_prints("table", false, "[]", "");
    assert_prints("csv", true, "[]", "name,sg,on\n");
    assert_prints("list", true, "[]", "");
    assert_prints("json", true, "[]", "[]\n");
}

static void
a_list_has_a_line_for_each_value(void **unused)
{
    assert_prints("list", true, two_rows, "name : w\xc3\xa9\nsg   : a,b\non   : true\n\nname : longer\nsg   :\non   :\n");
}

static void
csv_quotes_what_holds_commas_or_quotes(void **unused)
{
    assert_prints("csv", true, two_rows, "name,sg,on\nw\xc3\xa9,\"a,b\",true\nlonger,,\n");
    assert_prints("csv", false, "[{\"name\":\"a\\\"b\"}]", "\"a\"\"b\",,\n");
}

static void
json_is_as_the_daemon_sent_it(void **unused)
{
    assert_prints("json", true, "[ {\"z\": 1, \"a\": {\"k\": null}} ]", "[{\"z\":1,\"a\":{\"k\":null}}]\n");
}

static void
objects_are_shown_as_keys_and_values(void **unused)
{
    assert_prints("csv", false, "[{\"name\":\"p\",\"sg\":{\"env\":\"prod\",\"n\":3},\"on\":1.5}]", "p,\"env=prod,n=3\",1.5\n");
}

static void
control_characters_do_not_reach_the_terminal(void **unused)
{
    static const char rows[] = "[{\"name\":\"a\\u001b[31m\",\"sg\":\"b\\nc\",\"on\":1}]";
    assert_prints("table", false, rows, "a\\x1b[31m b\\x0ac 1\n");
    assert_prints("csv", false, rows, "a\\x1b[31m,b\\x0ac,1\n");
    assert_prints("json", false, rows, "[{\"name\":\"a\\u001B[31m\",\"sg\":\"b\\nc\",\"on\":1}]\n");

    char *text = NULL;
    size_t n = 0;
    FILE *stream = open_memstream(&text, &n);
    output_text(stream, "one\n\ntwo\x1b\nthree");
    fclose(stream);
    assert_string_equal(text, "one\n\ntwo\\x1b\nthree\n");
    free(text);
}

static void
urls_encode_all_but_unreserved_characters(void **unused)
{
    struct url url;
    url_init(&url, "/v1");
    url_segment(&url, "main/10.0.0.0/8");
    url_query(&url, "where", "tags:a b=c&d");
    url_query(&url, "name", "\xc3\xa9~_-.");
    assert_string_equal(url.text, "/v1/main%2F10.0.0.0%2F8?where=tags%3Aa%20b%3Dc%26d&name=%C3%A9~_-.");
    url_done(&url);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_aligned_by_characters_and_has_no_blanks_at_the_end),
        cmocka_unit_test(an_empty_listing_has_headings_in_a_table_and_is_an_empty_array_in_json),
        cmocka_unit_test(a_list_has_a_line_for_each_value),
        cmocka_unit_test(csv_quotes_what_holds_commas_or_quotes),
        cmocka_unit_test(json_is_as_the_daemon_sent_it),
        cmocka_unit_test(objects_are_shown_as_keys_and_values),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(urls_encode_all_but_unreserved_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
