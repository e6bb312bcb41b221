/* controller/store: what is acknowledged has been synced, and survives when the process is killed. */
#include "tests/unit/store_world.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "controller/store/store_file.h"

#define KILLS 20

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
    const struct CMUnitTest tests[] = {
        STORE_TEST(what_was_acknowledged_survives_kill_9), /* first: it forks before any thread is */
        STORE_TEST(the_files_connection_syncs_each_durable_transaction),
        STORE_TEST(what_is_acknowledged_has_been_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
