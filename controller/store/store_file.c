/* The SQLite file, behind plain functions; see the header for its tables. How a new one comes to be is store_new.c's. */
#include "controller/store/store_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

static const char *const sql[N_STATEMENTS] = {
    [ST_PUT_OBJECT] = "INSERT INTO object VALUES (?1, ?2) ON CONFLICT (number) DO UPDATE SET document = ?2",
    [ST_DEL_OBJECT] = "DELETE FROM object WHERE number = ?1",
    [ST_PUT_TOMBSTONE] = "INSERT OR IGNORE INTO tombstone VALUES (?1)",
    [ST_DEL_TOMBSTONE] = "DELETE FROM tombstone WHERE number = ?1",
    [ST_PUT_FACT] = "INSERT INTO fact VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
    [ST_DEL_FACT] = "DELETE FROM fact WHERE key = ?1",
    [ST_SWAP_REVISION] = "UPDATE meta SET value = ?2 WHERE key = 'revision' AND value = ?1",
    [ST_PUT_META] = "UPDATE meta SET value = ?2 WHERE key = ?1",
    [ST_PUT_ANSWER] = "INSERT OR REPLACE INTO answer (scope, key, digest, answer) VALUES (?1, ?2, ?3, ?4)",
    [ST_PRUNE_ANSWERS] =
        "DELETE FROM answer WHERE scope = ?1 AND seq <= (SELECT seq FROM answer WHERE scope = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
    [ST_PUT_JOURNAL] = "INSERT OR REPLACE INTO journal VALUES (?1, ?2, ?3, ?4)",
    [ST_PRUNE_JOURNAL] = "DELETE FROM journal WHERE revision <= ?1 - ?2",
};

bool
store_file_error(const struct store_file *f, struct error *err, const char *what)
{
    const char *hint = "";
    switch (f->db ? sqlite3_errcode(f->db) : SQLITE_NOMEM) {
    case SQLITE_NOTADB:
        return error_set(err, ERROR_INVALID,
                         "store '%s' is no SQLite file, or a damaged one: restore it from a backup, or name "
                         "another with --store=sqlite:FILE",
                         f->path);
    case SQLITE_CORRUPT:
        return error_set(err, ERROR_INVALID, "store '%s' is damaged: restore it from a backup, or try the sqlite3 command's .recover",
                         f->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return error_set(err, ERROR_UNAVAILABLE, "store '%s' is in use by another process: only one vnetd may run on it", f->path);
    case SQLITE_FULL: hint = "; make room"; break;
    case SQLITE_IOERR: hint = "; see the kernel's log and the room left"; break;
    }
    return error_set(err, ERROR_UNAVAILABLE, "store '%s' %s: %s%s", f->path, what, sqlite3_errmsg(f->db), hint);
}

static bool
execute(struct store_file *f, const char *text, const char *what, struct error *err)
{
    sqlite3_mutex_enter(sqlite3_db_mutex(f->db));
    bool ok = sqlite3_exec(f->db, text, NULL, NULL, NULL) == SQLITE_OK || store_file_error(f, err, what);
    sqlite3_mutex_leave(sqlite3_db_mutex(f->db));
    return ok;
}

/* ---- opening ---- */
static bool
check_pages(struct store_file *f, struct error *err)
{
    sqlite3_stmt *s = NULL;
    const char *verdict = NULL;
    if (sqlite3_prepare_v2(f->db, "PRAGMA quick_check(1)", -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        verdict = (const char *) sqlite3_column_text(s, 0);
    bool ok = verdict && !strcmp(verdict, "ok");
    if (!ok && verdict)
        error_set(err, ERROR_INVALID,
                  "store '%s' is damaged (%.200s): restore it from a backup, or try the sqlite3 command's "
                  ".recover",
                  f->path, verdict);
    else if (!ok)
        store_file_error(f, err, "cannot be checked");
    sqlite3_finalize(s);
    return ok;
}

/* The lock is taken by the first write and kept: an exclusive one, so that WAL needs no shared memory. */
static bool
configure(struct store_file *f, struct error *err)
{
    return execute(f, "PRAGMA locking_mode = EXCLUSIVE", "cannot be locked", err)
           && execute(f, "PRAGMA journal_mode = WAL", "cannot be opened", err)
           && execute(f, "PRAGMA synchronous = FULL", "cannot be opened", err)
           && execute(f, "BEGIN EXCLUSIVE; COMMIT", "cannot be locked", err) && check_pages(f, err);
}

static bool
prepare_all(struct store_file *f, struct error *err)
{
    for (int i = 0; i < N_STATEMENTS; i++)
        if (sqlite3_prepare_v3(f->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &f->statements[i], NULL) != SQLITE_OK)
            return store_file_error(f, err, "has not the tables of its schema");
    return true;
}

bool
store_file_open(struct store_file *f, const char *path, struct error *err)
{
    memset(f, 0, sizeof *f);
    f->path = mem_strdup(path);
    if (store_file_find_or_make(path, err)
        && (sqlite3_open_v2(path, &f->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL) == SQLITE_OK
            || store_file_error(f, err, "cannot be opened"))
        && configure(f, err) && store_schema_migrate(f, err) && prepare_all(f, err))
        return true;
    store_file_close(f);
    return false;
}

void
store_file_close(struct store_file *f)
{
    for (int i = 0; i < N_STATEMENTS; i++)
        sqlite3_finalize(f->statements[i]);
    sqlite3_close(f->db);
    free(f->path);
    memset(f, 0, sizeof *f);
}

/* ---- loading ---- */
static bool
meta_get(struct store_file *f, const char *key, uint64_t max, uint64_t *value, struct error *err)
{
    sqlite3_stmt *s = NULL;
    sqlite3_prepare_v2(f->db, "SELECT value FROM meta WHERE key = ?1 AND typeof(value) = 'integer'", -1, &s, NULL);
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    bool has_row = sqlite3_step(s) == SQLITE_ROW;
    int64_t n = has_row ? sqlite3_column_int64(s, 0) : -1;
    sqlite3_finalize(s);
    if (n < 0 || (uint64_t) n > max)
        return error_set(err, ERROR_INVALID, "store '%s': meta '%s' is no number from 0 to %llu; restore it from a backup", f->path, key,
                         (unsigned long long) max);
    *value = n;
    return true;
}

static bool
load_sequences(struct store_file *f, struct model_sequences *out, struct error *err)
{
    uint64_t revision, number, vni;
    if (!meta_get(f, "revision", INT64_MAX, &revision, err) || !meta_get(f, "next_number", UINT32_MAX, &number, err)
        || !meta_get(f, "next_vni", 0xffffff, &vni, err))
        return false;
    *out = (struct model_sequences){ revision, number, vni };
    return true;
}

static const char *
column_text(sqlite3_stmt *s, int column)
{
    const char *text = (const char *) sqlite3_column_text(s, column);
    return text ? text : "";
}

static bool
load_object(struct store_file *f, sqlite3_stmt *s, const struct store_loader *loader, struct error *err)
{
    int64_t number = sqlite3_column_int64(s, 0);
    const char *text = column_text(s, 1);
    char what[64];
    if (number < 1 || number > UINT32_MAX)
        return error_set(err, ERROR_INVALID, "store '%s': object number %lld is out of range", f->path, (long long) number);
    snprintf(what, sizeof what, "stored object %lld", (long long) number);
    json_t *document = json_parse(text, sqlite3_column_bytes(s, 1), what, err);
    bool ok = document && loader->object(loader->aux, number, document, err);
    json_decref(document);
    return ok || error_prefix(err, "store '%s'", f->path);
}

static bool
load_row(struct store_file *f, sqlite3_stmt *s, const struct store_loader *loader, int table, struct error *err)
{
    if (table == 0)
        return load_object(f, s, loader, err);
    if (table == 1 && loader->fact)
        loader->fact(loader->aux, column_text(s, 0), column_text(s, 1));
    if (table == 2 && loader->tombstone)
        loader->tombstone(loader->aux, sqlite3_column_int64(s, 0));
    return true;
}

bool
store_file_load(struct store_file *f, const struct store_loader *loader, struct model_sequences *sequences, struct error *err)
{
    static const char *const tables[] = {
        "SELECT number, document FROM object ORDER BY number",
        "SELECT key, value FROM fact",
        "SELECT number FROM tombstone",
    };
    if (!load_sequences(f, sequences, err))
        return false;
    for (int i = 0; i < 3; i++) {
        sqlite3_stmt *s = NULL;
        int rc = sqlite3_prepare_v2(f->db, tables[i], -1, &s, NULL);
        bool ok = true;
        while (ok && rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
            ok = load_row(f, s, loader, i, err);
            rc = SQLITE_OK;
        }
        if (ok && rc != SQLITE_DONE)
            ok = store_file_error(f, err, "cannot be read");
        sqlite3_finalize(s);
        if (!ok)
            return false;
    }
    return true;
}

bool
store_file_find_answer(struct store_file *f, const char *scope, const char *key, char **digest, char **answer)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(f->db, "SELECT digest, answer FROM answer WHERE scope = ?1 AND key = ?2", -1, &s, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_text(s, 1, scope, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, key, -1, SQLITE_STATIC);
    bool has_row = sqlite3_step(s) == SQLITE_ROW;
    if (has_row) {
        *digest = mem_strdup(column_text(s, 0));
        *answer = mem_strdup(column_text(s, 1));
    }
    sqlite3_finalize(s);
    return has_row;
}

/* ---- writing ---- */
bool
store_file_begin(struct store_file *f, bool is_durable, struct error *err)
{
    return execute(f, is_durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", "cannot be written", err)
           && execute(f, "BEGIN IMMEDIATE", "cannot be written", err);
}

bool
store_file_commit(struct store_file *f, struct error *err)
{
    return execute(f, "COMMIT", "cannot be written", err);
}

void
store_file_roll_back(struct store_file *f)
{
    if (!sqlite3_get_autocommit(f->db))
        sqlite3_exec(f->db, "ROLLBACK", NULL, NULL, NULL);
}

/* Runs a bound statement. The mutex keeps its error from being another thread's. */
static bool
run(struct store_file *f, enum store_statement which, struct error *err)
{
    sqlite3_stmt *s = f->statements[which];
    sqlite3_mutex_enter(sqlite3_db_mutex(f->db));
    bool ok = sqlite3_step(s) == SQLITE_DONE || store_file_error(f, err, "cannot be written");
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    sqlite3_mutex_leave(sqlite3_db_mutex(f->db));
    return ok;
}

static sqlite3_stmt *
bind_text(struct store_file *f, enum store_statement which, int at, const char *text)
{
    sqlite3_bind_text(f->statements[which], at, text, -1, SQLITE_STATIC);
    return f->statements[which];
}

static sqlite3_stmt *
bind_int(struct store_file *f, enum store_statement which, int at, int64_t n)
{
    sqlite3_bind_int64(f->statements[which], at, n);
    return f->statements[which];
}

static bool
put_meta(struct store_file *f, const char *key, int64_t value, struct error *err)
{
    bind_text(f, ST_PUT_META, 1, key);
    bind_int(f, ST_PUT_META, 2, value);
    return run(f, ST_PUT_META, err);
}

bool
store_file_next_generation(struct store_file *f, uint64_t *generation, struct error *err)
{
    if (!meta_get(f, "generation", INT64_MAX - 1, generation, err) || !store_file_begin(f, true, err))
        return false;
    if (put_meta(f, "generation", (int64_t)++ * generation, err) && store_file_commit(f, err))
        return true;
    store_file_roll_back(f);
    return false;
}

static bool
swap_revision(struct store_file *f, const struct store_batch *b, struct error *err)
{
    bind_int(f, ST_SWAP_REVISION, 1, b->base_revision);
    bind_int(f, ST_SWAP_REVISION, 2, b->sequences.revision);
    if (!run(f, ST_SWAP_REVISION, err))
        return false;
    if (sqlite3_changes(f->db) != 1)
        return error_set(err, ERROR_CONFLICT, "store '%s' is not at revision %llu any more; ask again", f->path,
                         (unsigned long long) b->base_revision);
    return put_meta(f, "next_number", b->sequences.next_number, err) && put_meta(f, "next_vni", b->sequences.next_vni, err);
}

static bool
put_object(struct store_file *f, const struct object *o, struct error *err)
{
    json_t *document = object_to_store(o);
    char *text = json_text(document);
    json_decref(document);
    bind_text(f, ST_PUT_OBJECT, 2, text);
    bind_int(f, ST_PUT_OBJECT, 1, o->number);
    bool ok = run(f, ST_PUT_OBJECT, err);
    free(text);
    return ok;
}

static bool
put_change(struct store_file *f, const struct change *c, struct error *err)
{
    if (c->after)
        return put_object(f, c->after, err);
    bind_int(f, ST_DEL_OBJECT, 1, c->number);
    if (!run(f, ST_DEL_OBJECT, err))
        return false;
    bind_int(f, ST_PUT_TOMBSTONE, 1, c->number);
    return run(f, ST_PUT_TOMBSTONE, err);
}

static bool
put_answer(struct store_file *f, const struct store_batch *b, struct error *err)
{
    if (!b->key)
        return true;
    bind_text(f, ST_PUT_ANSWER, 1, b->scope);
    bind_text(f, ST_PUT_ANSWER, 2, b->key);
    bind_text(f, ST_PUT_ANSWER, 3, b->digest);
    bind_text(f, ST_PUT_ANSWER, 4, b->answer);
    if (!run(f, ST_PUT_ANSWER, err))
        return false;
    bind_text(f, ST_PRUNE_ANSWERS, 1, b->scope);
    bind_int(f, ST_PRUNE_ANSWERS, 2, LIMIT_IDEMPOTENCY_KEYS);
    return run(f, ST_PRUNE_ANSWERS, err);
}

static bool
put_journal(struct store_file *f, const struct store_batch *b, struct error *err)
{
    if (b->sequences.revision == b->base_revision)
        return true;
    bind_int(f, ST_PUT_JOURNAL, 1, b->sequences.revision);
    bind_text(f, ST_PUT_JOURNAL, 2, b->who);
    bind_int(f, ST_PUT_JOURNAL, 3, b->when_ms);
    bind_text(f, ST_PUT_JOURNAL, 4, b->summary);
    if (!run(f, ST_PUT_JOURNAL, err))
        return false;
    bind_int(f, ST_PRUNE_JOURNAL, 1, b->sequences.revision);
    bind_int(f, ST_PRUNE_JOURNAL, 2, STORE_JOURNAL_MAX);
    return run(f, ST_PRUNE_JOURNAL, err);
}

static bool
put_all(struct store_file *f, const struct store_batch *b, struct error *err)
{
    if (!swap_revision(f, b, err))
        return false;
    for (size_t i = 0; i < b->n_changes; i++)
        if (!put_change(f, &b->changes[i], err))
            return false;
    return put_answer(f, b, err) && put_journal(f, b, err);
}

bool
store_file_put_batch(struct store_file *f, const struct store_batch *b, struct error *err)
{
    if (!execute(f, "SAVEPOINT batch", "cannot be written", err))
        return false;
    bool ok = put_all(f, b, err);
    if (!ok && !sqlite3_get_autocommit(f->db)) /* else SQLite has rolled back everything by itself */
        sqlite3_exec(f->db, "ROLLBACK TO batch", NULL, NULL, NULL);
    if (!sqlite3_get_autocommit(f->db))
        sqlite3_exec(f->db, "RELEASE batch", NULL, NULL, NULL);
    return ok;
}

bool
store_file_put_fact(struct store_file *f, const char *key, const char *value, struct error *err)
{
    enum store_statement which = value ? ST_PUT_FACT : ST_DEL_FACT;
    bind_text(f, which, 1, key);
    if (value)
        bind_text(f, which, 2, value);
    return run(f, which, err);
}

bool
store_file_del_tombstone(struct store_file *f, uint32_t number, struct error *err)
{
    bind_int(f, ST_DEL_TOMBSTONE, 1, number);
    return run(f, ST_DEL_TOMBSTONE, err);
}
