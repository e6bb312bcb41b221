/* controller/store: files that are not for us, or no longer whole, are refused by name. */
#include "tests/unit/store_world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
another_process_may_not_use_the_file(void **state)
{
    struct world *w = *state;
    int ready[2], end[2], status;
    char byte = 0;
    assert_int_equal(pipe(ready) | pipe(end), 0);
    pid_t child = fork();
    if (!child) {
        event_reinit(w->base);
        close(end[1]);
        bool ok = world_open(w);
        (void) !write(ready[1], ok ? "1" : "0", 1);
        (void) !read(end[0], &byte, 1);
        _exit(0);
    }
    close(end[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, '1');
    must_not_open(w, "is in use by another process: only one vnetd may run on it");
    close(end[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    must_open(w);
    close(ready[0]);
    close(ready[1]);
}

static void
write_at(const char *file, off_t offset, const char *bytes, size_t n)
{
    FILE *f = fopen(file, offset ? "r+" : "w");
    assert_non_null(f);
    fseek(f, offset, SEEK_SET);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void
a_damaged_file_is_refused(void **state)
{
    struct world *w = *state;
    char junk[3000];
    must_open(w);
    lab_begin(&w->lab);
    lab_do(&w->lab, OP_VPC, "v", "10.0.0.0/16");
    lab_do(&w->lab, OP_SUBNET, "s", "v", "10.0.0.0/20");
    for (int i = 0; i < 200; i++)
        assert_true(lab_try(&w->lab, NULL, "{'op':'add','type':'port','name':'p%d','values':{'subnet':'s'}}", i));
    assert_true(commit(w));
    world_close(w);
    struct stat st;
    assert_int_equal(stat(w->file, &st), 0);
    memset(junk, 0xa5, sizeof junk);
    write_at(w->file, st.st_size - 4096 * 3, junk, sizeof junk);
    must_not_open(w, "is damaged");
}

static void
a_file_that_is_no_database_is_refused(void **state)
{
    struct world *w = *state;
    char text[5000];
    memset(text, 'x', sizeof text);
    write_at(w->file, 0, text, sizeof text);
    must_not_open(w, "is no SQLite file, or a damaged one");
}

static void
another_programs_database_is_refused_and_left_alone(void **state)
{
    struct world *w = *state;
    sql(w, "CREATE TABLE recipe (name TEXT); INSERT INTO recipe VALUES ('soup')");
    must_not_open(w, "is another program's SQLite file");
    assert_int_equal(sql_int(w, "SELECT count(*) FROM recipe"), 1);
    assert_int_equal(sql_int(w, "SELECT count(*) FROM sqlite_schema"), 1);
}

static void
a_newer_major_schema_is_refused_and_a_newer_minor_taken(void **state)
{
    struct world *w = *state;
    must_open(w);
    commit_ops(w, OP_VPC, "v", "10.0.0.0/16");
    world_close(w);
    int version = sql_int(w, "PRAGMA user_version");
    sql(w, "PRAGMA user_version = 1999");
    must_open(w);
    assert_non_null(lab_find(&w->lab, OBJECT_VPC, "v"));
    world_close(w);
    assert_int_equal(sql_int(w, "PRAGMA user_version"), 1999);
    sql(w, "PRAGMA user_version = 2000");
    must_not_open(w, "has schema 2.0, this vnetd knows up to 1");
    assert_int_equal(version / 1000, 1);
}

static void
an_older_schema_is_brought_up_to_date(void **state)
{
    struct world *w = *state;
    must_open(w);
    commit_ops(w, OP_VPC, "v", "10.0.0.0/16");
    world_close(w);
    int version = sql_int(w, "PRAGMA user_version");
    sql(w, "DROP INDEX answer_age; PRAGMA user_version = 1000");
    must_open(w);
    assert_non_null(lab_find(&w->lab, OBJECT_VPC, "v"));
    world_close(w);
    assert_int_equal(sql_int(w, "PRAGMA user_version"), version);
    assert_int_equal(sql_int(w, "SELECT count(*) FROM sqlite_schema WHERE name = 'answer_age'"), 1);
}

static void
a_damaged_document_is_named_with_its_file(void **state)
{
    struct world *w = *state;
    must_open(w);
    commit_ops(w, OP_VPC, "v", "10.0.0.0/16");
    world_close(w);
    sql(w, "UPDATE object SET document = replace(document, '10.0.0.0/16', '10.0.0.0/99') WHERE document LIKE '%10.0.0.0/16%'");
    must_not_open(w, "field 'cidr'");
    assert_non_null(strstr(w->err.text, "stored object 2"));
    world_close(w);
    sql(w, "UPDATE object SET document = '{' WHERE number = 2");
    must_not_open(w, "stored object 2 is not JSON");
    world_close(w);
    sql(w, "DELETE FROM object; UPDATE meta SET value = 'x' WHERE key = 'revision'");
    must_not_open(w, "meta 'revision' is no number");
}

/* What a crash, a full disk or a hand left there: taken for a new store, all that hosts have would go. */
static void
an_empty_file_is_refused_and_left_alone(void **state)
{
    struct world *w = *state;
    struct stat st;
    fclose(fopen(w->file, "w"));
    must_not_open(w, "is empty, which no store of vnetd's is: restore it from a backup, or remove it to begin anew");
    assert_int_equal(stat(w->file, &st), 0);
    assert_int_equal(st.st_size, 0);

    sqlite3 *db;
    assert_int_equal(sqlite3_open(w->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(stat(w->file, &st), 0);
    assert_int_not_equal(st.st_size, 0);
    must_not_open(w, "is empty, which no store of vnetd's is");
    assert_int_equal(unlink(w->file), 0);
    must_open(w);
}

/* One that makes it ends in the middle of its writing: a file of its may have so many bytes, and one more is its end. */
static void
a_new_store_is_there_whole_or_not_at_all(void **state)
{
    struct world *w = *state;
    for (rlim_t n = 0; n < 20000; n += 4096) {
        pid_t child = fork();
        if (!child) {
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){ n, n });
            _exit(world_open(w));
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_not_equal(access(w->file, F_OK), 0);
    }
    must_open(w);
}

static void
a_log_that_an_earlier_store_left_is_not_taken_for_the_new_ones(void **state)
{
    struct world *w = *state;
    static char log[1 << 20];
    char name[100];
    snprintf(name, sizeof name, "%s-wal", w->file);
    must_open(w);
    lab_begin(&w->lab);
    lab_do(&w->lab, OP_VPC, "v", "10.0.0.0/16");
    assert_true(commit(w));
    FILE *f = fopen(name, "r"); /* as a crash leaves it */
    assert_non_null(f);
    size_t n = fread(log, 1, sizeof log, f);
    fclose(f);
    assert_true(n > 4096);
    world_close(w);
    assert_int_equal(unlink(w->file), 0);
    write_at(name, 0, log, n);
    must_open(w);
    assert_int_equal(model_count(w->lab.m, OBJECT_VPC), 0);
}

static void
a_place_that_is_not_there_is_named(void **state)
{
    struct world *w = *state;
    snprintf(w->method, sizeof w->method, "sqlite:%s/no/vnet.db", w->dir);
    assert_null(store_open(w->base, w->method, &w->err));
    assert_non_null(strstr(w->err.text, "No such file or directory"));
    assert_null(store_open(w->base, "etcd:http://x", &w->err));
    assert_non_null(strstr(w->err.text, "write --store=sqlite:FILE"));
    assert_null(store_open(w->base, "sqlite:", &w->err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(another_process_may_not_use_the_file), /* first: it forks before any thread is */
        STORE_TEST(a_damaged_file_is_refused),
        STORE_TEST(a_file_that_is_no_database_is_refused),
        STORE_TEST(another_programs_database_is_refused_and_left_alone),
        STORE_TEST(a_newer_major_schema_is_refused_and_a_newer_minor_taken),
        STORE_TEST(an_older_schema_is_brought_up_to_date),
        STORE_TEST(a_damaged_document_is_named_with_its_file),
        STORE_TEST(an_empty_file_is_refused_and_left_alone),
        STORE_TEST(a_new_store_is_there_whole_or_not_at_all),
        STORE_TEST(a_log_that_an_earlier_store_left_is_not_taken_for_the_new_ones),
        STORE_TEST(a_place_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
