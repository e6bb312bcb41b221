/* The SQLite file: opened, locked, migrated, and read and written by plain functions. Knows tables, not threads: store.c uses it
 * before the worker runs, then the worker alone.
 *
 *   meta         key -> integer: revision, next_number, next_vni, generation
 *   object       number -> document (object_to_store())
 *   tombstone    number: deleted, some host has not confirmed
 *   fact         key -> value: what was last known of hosts
 *   answer       (scope, key) -> digest, answer: of requests with an idempotency key; the newest LIMIT_IDEMPOTENCY_KEYS of a scope
 *   journal      revision -> who, when, summary: the newest STORE_JOURNAL_MAX */
#ifndef CONTROLLER_STORE_STORE_FILE_H
#define CONTROLLER_STORE_STORE_FILE_H 1

#include <sqlite3.h>

#include "controller/store/store.h"

#define STORE_JOURNAL_MAX 10000

enum store_statement {
    ST_PUT_OBJECT,
    ST_DEL_OBJECT,
    ST_PUT_TOMBSTONE,
    ST_DEL_TOMBSTONE,
    ST_PUT_FACT,
    ST_DEL_FACT,
    ST_SWAP_REVISION,
    ST_PUT_META,
    ST_PUT_ANSWER,
    ST_PRUNE_ANSWERS,
    ST_PUT_JOURNAL,
    ST_PRUNE_JOURNAL,
    N_STATEMENTS
};

struct store_file {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *statements[N_STATEMENTS];
};

/* A transaction as the file takes it. Owns all it points to but the changes, which are the transaction's: what they become is put as text, which is
 * made by the thread that writes, one object at a time. */
struct store_batch {
    uint64_t base_revision;
    struct model_sequences sequences;
    const struct change *changes;
    size_t n_changes;
    int64_t when_ms;
    char *who, *summary;
    char *key, *scope, *digest, *answer; /* key NULL: none */
};

/* False: *err says why and what to do, the file is closed. */
bool store_file_open(struct store_file *, const char *path, struct error *) MUST_CHECK;
/* store_new.c: the file is there, or is made. Errors of the place are the system's. */
bool store_file_find_or_make(const char *path, struct error *) MUST_CHECK;
/* Sets the error of a file in which nothing is; false. */
bool store_file_refuse_empty(const char *path, struct error *);
void store_file_close(struct store_file *);

bool store_file_load(struct store_file *, const struct store_loader *, struct model_sequences *, struct error *) MUST_CHECK;
/* Counts this opening, durably. */
bool store_file_next_generation(struct store_file *, uint64_t *generation, struct error *) MUST_CHECK;
/* A remembered answer and its request's digest, both to free(); false if there is none. From any thread. */
bool store_file_find_answer(struct store_file *, const char *scope, const char *key, char **digest, char **answer);

/* ---- writing: begin, then batches and facts in any order, then commit or roll back ---- */
/* 'is_durable': commit returns when it is on disk; else lost at worst with the machine's power. */
bool store_file_begin(struct store_file *, bool is_durable, struct error *) MUST_CHECK;
bool store_file_commit(struct store_file *, struct error *) MUST_CHECK;
void store_file_roll_back(struct store_file *);

/* Undoes itself on failure. Another revision than base_revision is a conflict. */
bool store_file_put_batch(struct store_file *, const struct store_batch *, struct error *) MUST_CHECK;
bool store_file_put_fact(struct store_file *, const char *key, const char *value, struct error *) MUST_CHECK;
bool store_file_del_tombstone(struct store_file *, uint32_t number, struct error *) MUST_CHECK;

/* "store 'FILE': WHAT: sqlite's words". Returns false. */
bool store_file_error(const struct store_file *, struct error *, const char *what);

/* The table of migrations (store_schema.c): brings the open file to this version's schema. */
bool store_schema_migrate(struct store_file *, struct error *) MUST_CHECK;
bool store_schema_make(struct store_file *, struct error *) MUST_CHECK; /* in an empty database */

#endif
