/* The durable side: intent in SQLite (WAL, full sync), written by one worker thread, and last-known facts beside it. An
 * acknowledged commit is on disk, whole. Callbacks come on the event loop, in order of submission.
 *
 * Intent commits compare-and-swap the revision. Facts (where ports were, how hosts are reached) are no intent: written without
 * waiting, lost at worst with the machine's power, learnt again from the hosts. */
#ifndef CONTROLLER_STORE_STORE_H
#define CONTROLLER_STORE_STORE_H 1

#include <event2/event.h>

#include "base/error.h"
#include "base/json.h"
#include "vnet/model/transaction.h"

struct store;

/* Opens or creates the file, locks it against another vnetd, migrates older schemas. A corrupt file, a newer major schema or one in use is
 * refused: *err names the file and what to do. 'method' is the option's value: "sqlite:FILE". */
struct store *store_open(struct event_base *, const char *method, struct error *) MUST_CHECK;
/* Waits until what was submitted is written; callbacks that are still due never come. NULL is fine. */
void store_close(struct store *);

/* What the file holds, given once at start, before anything is submitted. Strings and documents are borrowed; 'fact' and 'tombstone' may
 * be NULL. A new file has zeros as sequences. */
struct store_loader {
    bool (*object)(void *aux, uint32_t number, const json_t *document, struct error *);
    void (*fact)(void *aux, const char *key, const char *value);
    /* Numbers deleted, which some host has not confirmed yet: not free for use. */
    void (*tombstone)(void *aux, uint32_t number);
    void *aux;
};
bool store_load(struct store *, const struct store_loader *, struct model_sequences *, struct error *) MUST_CHECK;

/* Submits what a finished transaction changed. Another thread reads its changes until 'done' is called or the store is closed: until then it is
 * neither committed nor freed. The rest is copied: 'idempotency_key' (NULL: none) with 'scope' (who asks), a digest of the request and the
 * answer given, go into the same commit; 'who' and 'summary' go into the journal. */
struct store_commit {
    const struct transaction *transaction;
    const char *who;
    const char *summary;
    const char *idempotency_key, *scope, *digest, *answer;
};
typedef void store_committed(void *aux, bool ok, const struct error *);
void store_submit(struct store *, const struct store_commit *, store_committed *, void *aux);

/* A remembered answer, or NULL; free() it. '*digest' (free() too) is that request's. One point look-up in the file. */
char *store_remembered(struct store *, const char *scope, const char *idempotency_key, char **digest);

/* Facts: value NULL deletes. Not waited for. */
void store_put_fact(struct store *, const char *key, const char *value);
void store_remove_tombstone(struct store *, uint32_t number);

/* Counts the openings of the file: OpenFlow's generation id, by which switches refuse a vnetd that has been replaced. */
uint64_t store_generation(const struct store *);

/* Is it writable? "" or the reason why the last write failed. */
const char *store_trouble(const struct store *);
struct store_counters {
    uint64_t commits, failed, fact_writes;
    uint64_t commit_us_total;
};
const struct store_counters *store_counters(const struct store *);

#endif
