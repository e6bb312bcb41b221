/* controller/store: what is committed is there again; what is not leaves nothing. */
#include "tests/unit/store_world.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/limits.h"

#define JOURNAL_MAX 10000

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

/* The first and the third stand although the second does not. */
static void
each_commit_stands_by_itself(void **state)
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
        wait_for(w, i + 1); /* until then the transaction is the store's, too */
        lab_abort(&w->lab);
        if (i == 1)
            w->lab.m->sequences = before;
    }
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

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(a_new_file_is_private_and_holds_nothing),       STORE_TEST(what_was_committed_is_there_again),
        STORE_TEST(a_deleted_number_is_a_tombstone_until_removed), STORE_TEST(facts_are_put_replaced_and_deleted),
        STORE_TEST(what_is_submitted_is_written_before_closing),   STORE_TEST(answers_are_remembered_with_their_transaction),
        STORE_TEST(each_principal_s_newest_answers_are_kept),      STORE_TEST(the_journal_says_who_and_is_bounded),
        STORE_TEST(another_revision_in_the_file_is_a_conflict),    STORE_TEST(each_commit_stands_by_itself),
        STORE_TEST(a_commit_that_fails_half_way_leaves_nothing),   STORE_TEST(a_full_disk_refuses_a_transaction_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
