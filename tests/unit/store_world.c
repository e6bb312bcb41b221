#include "tests/unit/store_world.h"

#include <sqlite3.h>
#include <unistd.h>

#define WAIT_SECONDS 60

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

bool
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

void
world_close(struct world *w)
{
    if (!w->store)
        return;
    store_close(w->store); /* what is written now is the lab's */
    lab_done(&w->lab);
    w->store = NULL;
}

void
must_open(struct world *w)
{
    if (!world_open(w))
        fail_msg("%s", w->err.text);
}

void
reopen(struct world *w)
{
    world_close(w);
    must_open(w);
}

void
must_not_open(struct world *w, const char *text)
{
    if (world_open(w))
        fail_msg("opened, not refused with: %s", text);
    if (!strstr(w->err.text, text) || !strstr(w->err.text, w->file))
        fail_msg("%s\n  instead of: %s", w->err.text, text);
}

int
store_world_setup(void **state)
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

int
store_world_teardown(void **state)
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

void
wait_for(struct world *w, int n_done)
{
    struct timeval limit = { WAIT_SECONDS, 0 };
    time_t end = time(NULL) + WAIT_SECONDS;
    event_base_loopexit(w->base, &limit);
    while (w->n_done < n_done && time(NULL) < end)
        event_base_loop(w->base, EVLOOP_ONCE);
    assert_int_equal(w->n_done, n_done);
}

void
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

void
submit_with(struct world *w, const char *key, const char *digest, const char *answer)
{
    submit_as(w, "me", key, digest, answer);
}

/* The open transaction, whole way. */
bool
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

void
sql(struct world *w, const char *text)
{
    sqlite3 *db;
    char *why = NULL;
    assert_int_equal(sqlite3_open(w->file, &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
    sqlite3_close(db);
}

int
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
