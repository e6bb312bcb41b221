/* The store as the controller sees it: the file and its worker. */
#include "controller/store/store.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "controller/store/store_file.h"
#include "controller/store/store_worker.h"

#define LOG_MODULE "store"
#include "base/log.h"

#define METHOD "sqlite:"

struct store {
    struct store_file file; /* written by the worker alone while it has jobs */
    struct worker *worker;
    uint64_t generation;
    struct store_counters counters;
    char trouble[ERROR_TEXT_MAX];
    struct log_limit limit;
};

/* ---- jobs that come back ---- */
/* A refusal by the store's content (a conflict) is no trouble with the file. */
static void
note_trouble(struct store *s, const struct job *j)
{
    if (j->ok) {
        if (s->trouble[0])
            log_info("writable again");
        s->trouble[0] = '\0';
    } else if (j->err.code != ERROR_CONFLICT) {
        log_warn_limited(&s->limit, "%s", j->err.text);
        memcpy(s->trouble, j->err.text, sizeof s->trouble);
    }
}

static void
batch_returned(struct store *s, const struct job *j)
{
    if (j->ok) {
        s->counters.commits++;
        s->counters.commit_us_total += j->us;
    } else {
        s->counters.failed++;
    }
    if (j->done)
        j->done(j->aux, j->ok, j->ok ? NULL : &j->err);
}

static void
job_returned(void *store_, struct job *j)
{
    struct store *s = store_;
    note_trouble(s, j);
    if (j->kind == JOB_BATCH)
        batch_returned(s, j);
    else
        s->counters.fact_writes += j->ok;
    job_free(j);
}

/* ---- lifetime ---- */
static bool
open_file(struct store *s, const char *path, struct error *err)
{
    if (!store_file_open(&s->file, path, err))
        return false;
    if (store_file_next_generation(&s->file, &s->generation, err))
        return true;
    store_file_close(&s->file);
    return false;
}

struct store *
store_open(struct event_base *base, const char *method, struct error *err)
{
    if (strncmp(method, METHOD, strlen(METHOD)) || !method[strlen(METHOD)]) {
        error_set(err, ERROR_INVALID, "store '%s' is of no known kind; write --store=sqlite:FILE", method);
        return NULL;
    }
    struct store *s = mem_zalloc(sizeof *s);
    s->limit = (struct log_limit) LOG_LIMIT(5);
    if (!open_file(s, method + strlen(METHOD), err)) {
        free(s);
        return NULL;
    }
    s->worker = worker_new(base, &s->file, job_returned, s);
    return s;
}

void
store_close(struct store *s)
{
    if (!s)
        return;
    worker_free(s->worker);
    store_file_close(&s->file);
    free(s);
}

bool
store_load(struct store *s, const struct store_loader *loader, struct model_sequences *sequences, struct error *err)
{
    return store_file_load(&s->file, loader, sequences, err);
}

/* ---- intent ---- */
static int64_t
wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static char *
copy(const char *s)
{
    return mem_strdup(s ? s : "");
}

static struct store_batch *
batch_new(const struct store_commit *c)
{
    struct store_batch *b = mem_zalloc(sizeof *b);
    b->sequences = transaction_sequences(c->transaction);
    b->base_revision = b->sequences.revision - !transaction_is_empty(c->transaction);
    b->when_ms = wall_ms();
    b->who = copy(c->who);
    b->summary = copy(c->summary);
    b->changes = transaction_changes(c->transaction, &b->n_changes);
    if (c->idempotency_key) {
        b->key = copy(c->idempotency_key);
        b->scope = copy(c->scope);
        b->digest = copy(c->digest);
        b->answer = copy(c->answer);
    }
    return b;
}

void
store_submit(struct store *s, const struct store_commit *c, store_committed *done, void *aux)
{
    struct job *j = mem_zalloc(sizeof *j);
    j->kind = JOB_BATCH;
    j->batch = batch_new(c);
    j->done = done;
    j->aux = aux;
    worker_submit(s->worker, j);
}

char *
store_remembered(struct store *s, const char *scope, const char *key, char **digest)
{
    char *answer;
    return store_file_find_answer(&s->file, scope, key, digest, &answer) ? answer : NULL;
}

/* ---- facts ---- */
void
store_put_fact(struct store *s, const char *key, const char *value)
{
    struct job *j = mem_zalloc(sizeof *j);
    j->kind = JOB_FACT;
    j->key = mem_strdup(key);
    j->value = value ? mem_strdup(value) : NULL;
    worker_submit_soon(s->worker, j);
}

void
store_remove_tombstone(struct store *s, uint32_t number)
{
    struct job *j = mem_zalloc(sizeof *j);
    j->kind = JOB_TOMBSTONE;
    j->number = number;
    worker_submit_soon(s->worker, j);
}

uint64_t
store_generation(const struct store *s)
{
    return s->generation;
}

const char *
store_trouble(const struct store *s)
{
    return s->trouble;
}

const struct store_counters *
store_counters(const struct store *s)
{
    return &s->counters;
}
