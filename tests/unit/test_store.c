/* controller/store: real files in directories of their own; the process is killed, the disk is full, the file is damaged. */
#include "controller/store/store.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "controller/store/store_file.h"
#include "tests/unit/model_lab.h"

#define WAIT_SECONDS 60
#define KILLS 20
#define JOURNAL_MAX 10000

struct world {
    char dir[64], file[80], method[100];
    struct event_base *base;
    struct store *store;
    struct lab lab;
    struct error err;
    /* what was loaded */
    json_t *facts, *tombstones;
    /* what came back */
    int n_done, n_ok;
    struct error refusal;
};

/* ---- opening and loading ---- */
static bool
load_object(void *w, uint32_t number, const json_t *document, struct error *err)
{
    return model_load_object(((struct world *) w)->lab.m, number, document, err);
}

static void
load_fact(void *w, const char *key, const char *value)
{
    json_object_set_new(((struct world *) w)->facts, key, json_string(value));
}

static void
load_tombstone(void *w, uint32_t number)
{
    json_array_append_new(((struct world *) w)->tombstones, json_integer(number));
    model_load_tombstone(((struct world *) w)->lab.m, number);
}

static bool
world_open(struct world *w)
{
    struct store_loader loader = { load_object, load_fact, load_tombstone, w };
    struct model_sequences sequences;
    w->store = store_open(w->base, w->method, &w->err);
    if (!w->store)
        return false;
    lab_init(&w->lab);
    json_decref(w->facts);
    json_decref(w->tombstones);
    w->facts = json_object();
    w->tombstones = json_array();
    return store_load(w->store, &loader, &sequences, &w->err) && model_load_finish(w->lab.m, &sequences, &w->err);
}

static void
world_close(struct world *w)
{
    if (!w->store)
        return;
    lab_done(&w->lab);
    store_close(w->store);
    w->store = NULL;
}

static void
must_open(struct world *w)
{
    if (!world_open(w))
        fail_msg("%s", w->err.text);
}

static void
reopen(struct world *w)
{
    world_close(w);
    must_open(w);
}

static void
must_not_open(struct world *w, const char *text)
{
    if (world_open(w))
        fail_msg("opened, not refused with: %s", text);
    if (!strstr(w->err.text, text) || !strstr(w->err.text, w->file))
        fail_msg("%s\n  instead of: %s", w->err.text, text);
}

static int
setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    strcpy(w->dir, "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->file, sizeof w->file, "%s/vnet.db", w->dir);
    snprintf(w->method, sizeof w->method, "sqlite:%s", w->file);
    w->base = event_base_new();
    *state = w;
    return 0;
}

static int
teardown(void **state)
{
    struct world *w = *state;
    char path[120];
    world_close(w);
    json_decref(w->facts);
    json_decref(w->tombstones);
    event_base_free(w->base);
    const char *const endings[] = { "", "-wal", "-shm", "-journal" };
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s%s", w->file, endings[i]);
        unlink(path);
    }
    rmdir(w->dir);
    free(w);
    return 0;
}

/* ---- committing ---- */
static void
committed(void *w_, bool ok, const struct error *err)
{
    struct world *w = w_;
    w->n_done++;
    w->n_ok += ok;
    if (!ok)
        w->refusal = *err;
}

static void
wait_for(struct world *w, int n_done)
{
    struct timeval limit = { WAIT_SECONDS, 0 };
    time_t end = time(NULL) + WAIT_SECONDS;
    event_base_loopexit(w->base, &limit);
    while (w->n_done < n_done && time(NULL) < end)
        event_base_loop(w->base, EVLOOP_ONCE);
    assert_int_equal(w->n_done, n_done);
}

static void
submit_as(struct world *w, const char *scope, const char *key, const char *digest, const char *answer)
{
    struct store_commit commit = { .transaction = w->lab.t,
                                   .who = "test",
                                   .summary = "a test",
                                   .idempotency_key = key,
                                   .scope = scope,
                                   .digest = digest,
                                   .answer = answer };
    if (!transaction_finish(w->lab.t, &w->err))
        fail_msg("%s", w->err.text);
    store_submit(w->store, &commit, committed, w);
}

static void
submit_with(struct world *w, const char *key, const char *digest, const char *answer)
{
    submit_as(w, "me", key, digest, answer);
}

/* The open transaction, whole way. */
static bool
commit(struct world *w)
{
    int n_ok = w->n_ok;
    submit_with(w, NULL, NULL, NULL);
    wait_for(w, w->n_done + 1);
    if (w->n_ok == n_ok) {
        lab_abort(&w->lab);
        return false;
    }
    transaction_commit(w->lab.t);
    transaction_free(w->lab.t);
    w->lab.t = NULL;
    return true;
}

#define commit_ops(W, ...)                     \
    do {                                       \
        lab_begin(&(W)->lab);                  \
        lab_do(&(W)->lab, __VA_ARGS__);        \
        if (!commit(W))                        \
            fail_msg("%s", (W)->refusal.text); \
    } while (0)

static void
sql(struct world *w, const char *text)
{
    sqlite3 *db;
    char *why = NULL;
    assert_int_equal(sqlite3_open(w->file, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

static int
sql_int(struct world *w, const char *text)
{
    sqlite3 *db;
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_open(w->file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int n = sqlite3_column_int(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(db);
    return n;
}

/* ---- tests ---- */
static void
a_new_file_is_private_and_holds_nothing(void **state)
{
    struct world *w = *state;
    struct stat st;
    must_open(w);
    assert_int_equal(model_revision(w->lab.m), 0);
    assert_int_equal(model_count(w->lab.m, OBJECT_VPC), 0);
    assert_string_equal(store_trouble(w->store), "");
    assert_int_equal(stat(w->file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    uint64_t generation = store_generation(w->store);
    reopen(w);
    assert_int_equal(store_generation(w->store), generation + 1);
}

static void
what_was_committed_is_there_again(void **state)
{
    struct world *w = *state;
    must_open(w);
    lab_begin(&w->lab);
    lab_do(&w->lab, OP_VPC, "v", "10.0.0.0/16");
    lab_do(&w->lab, OP_SUBNET, "s", "v", "10.0.1.0/24");
    lab_do(&w->lab, OP_PORT, "p", "s");
    lab_do(&w->lab, OP_PORT, "q", "s");
    lab_do(&w->lab, OP_ROUTE, "v", "0.0.0.0/0", "port:p");
    assert_true(commit(w));
    commit_ops(w, "{'op':'set','type':'port','name':'p','values':{'sg':'none','tags:k':'v'}}");
    commit_ops(w, OP_DEL, "port", "q");
    json_t *before = object_json(w->lab.m, &lab_port(&w->lab, "p")->o, NULL);
    struct model_sequences sequences = w->lab.m->sequences;
    assert_int_equal(store_counters(w->store)->commits, 3);

    reopen(w);
    json_t *after = object_json(w->lab.m, &lab_port(&w->lab, "p")->o, NULL);
    assert_true(json_equal(before, after));
    assert_false(lab_port(&w->lab, "p")->has_sg);
    assert_int_equal(model_revision(w->lab.m), 3);
    assert_int_equal(w->lab.m->sequences.next_number, sequences.next_number);
    assert_int_equal(w->lab.m->sequences.next_vni, sequences.next_vni);
    assert_int_equal(model_count(w->lab.m, OBJECT_PORT), 1);
    assert_string_equal(lab_column(&w->lab, OBJECT_ROUTE, "v/0.0.0.0/0", "target"), "port:p");
    json_decref(before);
    json_decref(after);
}

static void
a_deleted_number_is_a_tombstone_until_removed(void **state)
{
    struct world *w = *state;
    must_open(w);
    commit_ops(w, OP_VPC, "v", "10.0.0.0/16");
    uint32_t number = lab_find(&w->lab, OBJECT_VPC, "v")->number;
    commit_ops(w, OP_DEL, "vpc", "v");
    reopen(w);
    assert_int_equal(json_array_size(w->tombstones), 5); /* and its main table, default group and two rules */
    assert_true(tombstone_find(w->lab.m, number));
    store_remove_tombstone(w->store, number);
    reopen(w);
    assert_int_equal(json_array_size(w->tombstones), 4);
    assert_false(tombstone_find(w->lab.m, number));
}

static void
facts_are_put_replaced_and_deleted(void **state)
{
    struct world *w = *state;
    must_open(w);
    store_put_fact(w->store, "host/5", "old");
    store_put_fact(w->store, "host/5", "new");
    store_put_fact(w->store, "host/6", "gone");
    store_put_fact(w->store, "host/6", NULL);
    store_put_fact(w->store, "host/7", NULL);
    reopen(w);
    json_t *expected = lab_json("{'host/5':'new'}");
    assert_true(json_equal(w->facts, expected));
    assert_int_equal(model_revision(w->lab.m), 0);
    json_decref(expected);
}

static void
what_is_submitted_is_written_before_closing(void **state)
{
    struct world *w = *state;
    must_open(w);
    lab_begin(&w->lab);
    lab_do(&w->lab, OP_VPC, "v", "10.0.0.0/16");
    submit_with(w, NULL, NULL, NULL);
    world_close(w);
    assert_int_equal(w->n_done, 0); /* nobody is called any more */
    must_open(w);
    assert_non_null(lab_find(&w->lab, OBJECT_VPC, "v"));
}

static void
answers_are_remembered_with_their_transaction(void **state)
{
    struct world *w = *state;
    char *digest = NULL;
    must_open(w);
    assert_null(store_remembered(w->store, "me", "k", &digest));
    lab_begin(&w->lab);
    lab_do(&w->lab, OP_VPC, "v", "10.0.0.0/16");
    submit_with(w, "k", "d1", "{\"revision\":1}");
    wait_for(w, 1);
    transaction_commit(w->lab.t);
    lab_abort(&w->lab);
    for (int i = 0; i < 2; i++) {
        char *answer = store_remembered(w->store, "me", "k", &digest);
        assert_string_equal(answer, "{\"revision\":1}");
        assert_string_equal(digest, "d1");
        free(answer);
        free(digest);
        assert_null(store_remembered(w->store, "you", "k", &digest));
        assert_null(store_remembered(w->store, "me", "K", &digest));
        reopen(w);
    }
}

static void
each_principal_s_newest_answers_are_kept(void **state)
{
    struct world *w = *state;
    char key[20], *digest, *answer;
    must_open(w);
    for (int i = -1; i < LIMIT_IDEMPOTENCY_KEYS + 10; i++) { /* without changes, so that they may all be queued */
        lab_begin(&w->lab);
        snprintf(key, sizeof key, "k%d", i);
        submit_as(w, i < 0 ? "another" : "me", key, "d", "a");
        lab_abort(&w->lab);
    }
    wait_for(w, LIMIT_IDEMPOTENCY_KEYS + 11);
    assert_int_equal(w->n_ok, w->n_done);
    assert_null(store_remembered(w->store, "me", "k9", &digest));
    for (int i = 0; i < 2; i++) {
        answer = store_remembered(w->store, i ? "another" : "me", i ? "k-1" : "k10", &digest);
        assert_non_null(answer);
        free(answer);
        free(digest);
    }
    world_close(w);
    assert_int_equal(sql_int(w, "SELECT count(*) FROM answer"), LIMIT_IDEMPOTENCY_KEYS + 1);
    assert_int_equal(sql_int(w, "SELECT count(*) FROM journal"), 0);
    assert_int_equal(sql_int(w, "SELECT value FROM meta WHERE key = 'revision'"), 0);
}

static void
the_journal_says_who_and_is_bounded(void **state)
{
    struct world *w = *state;
    must_open(w);
    world_close(w);
    sql(w, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) "
           "INSERT INTO journal SELECT i, 'x', 0, 'y' FROM n; UPDATE meta SET value = 12000 WHERE key = 'revision'");
    must_open(w);
    commit_ops(w, OP_VPC, "v", "10.0.0.0/16");
    world_close(w);
    assert_int_equal(sql_int(w, "SELECT count(*) FROM journal"), JOURNAL_MAX);
    assert_int_equal(sql_int(w, "SELECT count(*) FROM journal WHERE revision = 12001 AND who = 'test' AND summary = 'a test' "
                                "AND at_ms > 1600000000000"),
                     1);
}

static void
another_revision_in_the_file_is_a_conflict(void **state)
{
    struct world *w = *state;
    must_open(w);
    commit_ops(w, OP_VPC, "v", "10.0.0.0/16");
    w->lab.m->sequences.revision = 5; /* as one that has missed what another vnetd wrote */
    lab_begin(&w->lab);
    lab_do(&w->lab, OP_VPC, "x", "10.0.0.0/16");
    assert_false(commit(w));
    assert_int_equal(w->refusal.code, ERROR_CONFLICT);
    assert_string_equal(store_trouble(w->store), "");
    assert_int_equal(store_counters(w->store)->failed, 1);
    reopen(w);
    assert_int_equal(model_revision(w->lab.m), 1);
    assert_null(lab_find(&w->lab, OBJECT_VPC, "x"));
}

/* In one group: the first stands although the second does not. */
static void
each_commit_of_a_group_stands_by_itself(void **state)
{
    struct world *w = *state;
    must_open(w);
    for (int i = 0; i < 3; i++) {
        char name[20];
        snprintf(name, sizeof name, "v%d", i);
        struct model_sequences before = w->lab.m->sequences;
        if (i == 1)
            w->lab.m->sequences.revision = 40; /* not what the file has */
        lab_begin(&w->lab);
        lab_do(&w->lab, OP_VPC, name, "10.0.0.0/16");
        submit_with(w, NULL, NULL, NULL);
        if (i != 1)
            transaction_commit(w->lab.t);
        lab_abort(&w->lab);
        if (i == 1)
            w->lab.m->sequences = before;
    }
    wait_for(w, 3);
    assert_int_equal(w->n_ok, 2);
    assert_int_equal(w->refusal.code, ERROR_CONFLICT);
    reopen(w);
    assert_int_equal(model_revision(w->lab.m), 2);
    assert_non_null(lab_find(&w->lab, OBJECT_VPC, "v0"));
    assert_null(lab_find(&w->lab, OBJECT_VPC, "v1"));
    assert_non_null(lab_find(&w->lab, OBJECT_VPC, "v2"));
}

static void
a_commit_that_fails_half_way_leaves_nothing(void **state)
{
    struct world *w = *state;
    must_open(w);
    world_close(w);
    sql(w, "CREATE TRIGGER refuse BEFORE INSERT ON object WHEN new.document LIKE '%boom%' "
           "BEGIN SELECT RAISE(ABORT, 'as the test wishes'); END");
    must_open(w);
    lab_begin(&w->lab);
    lab_do(&w->lab, OP_VPC, "v", "10.0.0.0/16");
    lab_do(&w->lab, OP_SUBNET, "boom", "v", "10.0.0.0/24");
    assert_false(commit(w));
    assert_non_null(strstr(w->refusal.text, "as the test wishes"));
    commit_ops(w, OP_VPC, "x", "10.0.0.0/16");
    reopen(w);
    assert_int_equal(model_revision(w->lab.m), 1);
    assert_int_equal(model_count(w->lab.m, OBJECT_VPC), 1);
    assert_int_equal(model_count(w->lab.m, OBJECT_SUBNET), 0);
}

static void
a_full_disk_refuses_a_transaction_and_nothing_else(void **state)
{
    struct world *w = *state;
    struct rlimit before, full;
    must_open(w);
    commit_ops(w, OP_VPC, "v", "10.0.0.0/16");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    full = before;
    full.rlim_cur = 4096;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    lab_begin(&w->lab);
    lab_do(&w->lab, OP_VPC, "x", "10.0.0.0/16");
    bool ok = commit(w);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(ok);
    assert_int_equal(w->refusal.code, ERROR_UNAVAILABLE);
    assert_non_null(strstr(w->refusal.text, w->file));
    assert_string_equal(store_trouble(w->store), w->refusal.text);
    assert_null(lab_find(&w->lab, OBJECT_VPC, "x"));
    assert_int_equal(model_revision(w->lab.m), 1);

    commit_ops(w, OP_VPC, "y", "10.0.0.0/16");
    assert_string_equal(store_trouble(w->store), "");
    reopen(w);
    assert_int_equal(model_count(w->lab.m, OBJECT_VPC), 2);
    assert_null(lab_find(&w->lab, OBJECT_VPC, "x"));
}

/* ---- files that are not for us ---- */
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

/* ---- on disk ---- */

static int n_syncs;

/* In the C library's place: what SQLite asks of the system passes here. */
int
fdatasync(int fd)
{
    __atomic_add_fetch(&n_syncs, 1, __ATOMIC_SEQ_CST);
    return (int) syscall(SYS_fdatasync, fd);
}

static void
assert_pragma(struct store_file *f, const char *text, const char *value)
{
    sqlite3_stmt *s;
    assert_int_equal(sqlite3_prepare_v2(f->db, text, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    assert_string_equal((const char *) sqlite3_column_text(s, 0), value);
    sqlite3_finalize(s);
}

/* SQLite's numbers: 1 is NORMAL, 2 is FULL. */
static void
the_files_connection_syncs_each_durable_transaction(void **state)
{
    static const bool durable[] = { true, false, true, true, false, false, true };
    struct world *w = *state;
    struct store_file f;
    if (!store_file_open(&f, w->file, &w->err))
        fail_msg("%s", w->err.text);
    assert_pragma(&f, "PRAGMA journal_mode", "wal");
    assert_pragma(&f, "PRAGMA synchronous", "2");
    for (size_t i = 0; i < sizeof durable / sizeof durable[0]; i++) {
        assert_true(store_file_begin(&f, durable[i], &w->err));
        assert_pragma(&f, "PRAGMA synchronous", durable[i] ? "2" : "1");
        assert_true(store_file_put_fact(&f, "fact", i % 2 ? "odd" : "even", &w->err));
        int n = n_syncs;
        assert_true(store_file_commit(&f, &w->err));
        assert_int_equal(n_syncs > n, durable[i]);
    }
    assert_pragma(&f, "PRAGMA journal_mode", "wal");
    store_file_close(&f);
}

/* Facts between, which are not waited for, change nothing about it. */
static void
what_is_acknowledged_has_been_synced(void **state)
{
    struct world *w = *state;
    char name[30];
    must_open(w);
    for (unsigned i = 0; i < 10; i++) {
        store_put_fact(w->store, "fact", i % 2 ? "odd" : "even");
        while (store_counters(w->store)->fact_writes <= i)
            event_base_loop(w->base, EVLOOP_ONCE);
        int n = __atomic_load_n(&n_syncs, __ATOMIC_SEQ_CST);
        snprintf(name, sizeof name, "v%u", i);
        commit_ops(w, OP_VPC, name, "10.0.0.0/16");
        assert_true(__atomic_load_n(&n_syncs, __ATOMIC_SEQ_CST) > n);
    }
}

/* ---- kill -9 ---- */
/* Transaction N adds VPC vN (with its table), puts N into a tag, and deletes vN-5: whole or absent. */
static void
commit_forever(struct world *w, int acknowledged)
{
    must_open(w);
    w->lab.random.state = (uint64_t) getpid() << 32; /* other ids than the last process gave */
    for (;;) {
        uint64_t n = model_revision(w->lab.m) + 1;
        lab_begin(&w->lab);
        if (!lab_try(&w->lab, NULL, "{'op':'add','type':'vpc','name':'v%llu','values':{'cidr':'10.0.0.0/16'}}", (unsigned long long) n)
            || !lab_try(&w->lab, NULL, "{'op':'set','type':'tenant','name':'default','values':{'tags:n':'%llu'}}", (unsigned long long) n)
            || !lab_try(&w->lab, NULL, "{'op':'del','type':'vpc','name':'v%llu','if_exists':true}", (unsigned long long) n - 5))
            _exit(1);
        store_put_fact(w->store, "n", "fact");
        if (!commit(w) || write(acknowledged, &n, sizeof n) != sizeof n)
            _exit(2);
    }
}

static uint64_t
kill_after(struct world *w, int n_acknowledged)
{
    int pipe_fd[2], status;
    uint64_t n = 0, last = 0;
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t child = fork();
    if (!child) {
        close(pipe_fd[0]);
        event_reinit(w->base);
        commit_forever(w, pipe_fd[1]);
    }
    close(pipe_fd[1]);
    for (int i = 0; i < n_acknowledged && read(pipe_fd[0], &n, sizeof n) == sizeof n; i++)
        last = n;
    kill(child, SIGKILL);
    while (read(pipe_fd[0], &n, sizeof n) == sizeof n)
        last = n; /* acknowledged before it died */
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status))
        fail_msg("the child ended by itself: %d", WEXITSTATUS(status));
    close(pipe_fd[0]);
    return last;
}

static void
what_was_acknowledged_survives_kill_9(void **state)
{
    struct world *w = *state;
    struct random random = random_seeded();
    char name[30];
    for (int i = 0; i < KILLS; i++) {
        uint64_t last = kill_after(w, 1 + random_below(&random, 20));
        must_open(w);
        uint64_t revision = model_revision(w->lab.m);
        assert_true(revision == last || revision == last + 1);
        assert_int_equal(model_count(w->lab.m, OBJECT_VPC), revision < 5 ? revision : 5);
        assert_int_equal(model_count(w->lab.m, OBJECT_RTB), revision < 5 ? revision : 5);
        snprintf(name, sizeof name, "v%llu", (unsigned long long) revision);
        assert_non_null(lab_find(&w->lab, OBJECT_VPC, name));
        snprintf(name, sizeof name, "{\"n\":\"%llu\"}", (unsigned long long) revision);
        assert_string_equal(lab_column(&w->lab, OBJECT_TENANT, "default", "tags"), name);
        world_close(w);
    }
}

int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_acknowledged_survives_kill_9), /* first: it forks before any thread is */
        TEST(another_process_may_not_use_the_file),
        TEST(a_new_file_is_private_and_holds_nothing),
        TEST(what_was_committed_is_there_again),
        TEST(the_files_connection_syncs_each_durable_transaction),
        TEST(what_is_acknowledged_has_been_synced),
        TEST(a_deleted_number_is_a_tombstone_until_removed),
        TEST(facts_are_put_replaced_and_deleted),
        TEST(what_is_submitted_is_written_before_closing),
        TEST(answers_are_remembered_with_their_transaction),
        TEST(each_principal_s_newest_answers_are_kept),
        TEST(the_journal_says_who_and_is_bounded),
        TEST(another_revision_in_the_file_is_a_conflict),
        TEST(each_commit_of_a_group_stands_by_itself),
        TEST(a_commit_that_fails_half_way_leaves_nothing),
        TEST(a_full_disk_refuses_a_transaction_and_nothing_else),
        TEST(a_damaged_file_is_refused),
        TEST(a_file_that_is_no_database_is_refused),
        TEST(another_programs_database_is_refused_and_left_alone),
        TEST(a_newer_major_schema_is_refused_and_a_newer_minor_taken),
        TEST(an_older_schema_is_brought_up_to_date),
        TEST(a_damaged_document_is_named_with_its_file),
        TEST(a_place_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
