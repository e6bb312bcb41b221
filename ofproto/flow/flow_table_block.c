/* Setting a block: the one way in which the desired side changes. Linear in what the block had and is to have.
 *
 * First every new spec names its entry (which may be made for it), and conflicts are found; up to there everything
 * can be taken back. Then the block's old entries that were not named are given up, and the new values set. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_table_private.h"

static bool
conflict_set(const struct flow_table *t, const struct entry *e, const struct spec *s, struct error *err)
{
    const char *text = spec_format(s, t->scratch);
    if (e->is_named || e->is_named_shared) {
        error_set(err, ERROR_CONFLICT, "block %#" PRIx64 " names twice: %s", s->cookie, text);
    } else {
        bool is_shared = e->is_shared;
        error_set(err, ERROR_CONFLICT, "block %#" PRIx64 " wants what block %#" PRIx64 " has already%s: %s", s->cookie,
                  is_shared ? e->given->cookie : e->spec->cookie,
                  is_shared == s->is_shared ? ""
                  : is_shared               ? " as a shared flow"
                                            : ", to be shared",
                  text);
    }
    arena_reset(t->scratch);
    return false;
}

/* Do all contributions to a shared entry come from the block itself? Then it may cease to be shared. */
static bool
is_sole_contributor(const struct entry *e, uint64_t cookie)
{
    for (const struct contribution *c = e->given; c; c = c->next_of_entry)
        if (c->cookie != cookie)
            return false;
    return true;
}

static bool
entry_is_free_for(const struct entry *e, const struct spec *s)
{
    if (s->is_shared)
        return !e->is_named && (!e->is_desired || e->is_shared || e->spec->cookie == s->cookie);
    if (e->is_named || e->is_named_shared)
        return false;
    return !e->is_desired || (e->is_shared ? is_sole_contributor(e, s->cookie) : e->spec->cookie == s->cookie);
}

static struct entry *
entry_name(struct flow_table *t, uint64_t cookie, const struct spec *s, struct error *err)
{
    assert(s->cookie == cookie && (!s->is_shared || s->kind == SPEC_FLOW));
    struct entry *e = entry_find_key(t, s);
    if (!e) {
        e = entry_new(t, s);
    } else if (!entry_is_free_for(e, s)) {
        conflict_set(t, e, s, err);
        return NULL;
    }
    if (s->is_shared)
        e->is_named_shared = true;
    else
        e->is_named = true;
    return e;
}

static bool
entries_name(struct flow_table *t, uint64_t cookie, const struct spec *const specs[], size_t *n, struct error *err)
{
    size_t want = *n;
    for (*n = 0; *n < want; ++*n)
        if (!(t->named[*n] = entry_name(t, cookie, specs[*n], err)))
            return false;
    size_t i = shared_overflow(cookie, specs, t->named, want);
    if (i == want)
        return true;
    error_set(err, ERROR_TOO_LARGE,
              "block %#" PRIx64 ": the actions that all blocks give do not fit one OpenFlow "
              "message: %s",
              cookie, spec_format(specs[i], t->scratch));
    arena_reset(t->scratch);
    return false;
}

/* Ends the naming; an entry that was made for it and got no value goes again. It may be named more than once: its first
 * mention settles it. */
static void
entries_unname(struct flow_table *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct entry *e = t->named[i];
        if (!e->is_named && !e->is_named_shared)
            t->named[i] = NULL;
        e->is_named = e->is_named_shared = false;
    }
    for (size_t i = 0; i < n; i++)
        if (t->named[i] && !t->named[i]->is_desired)
            entry_settle(t, t->named[i]);
}

/* Gives up what the block had and no spec names. */
static void
block_shed(struct flow_table *t, struct block *block)
{
    struct entry *next;
    for (struct entry *e = block->entries; e; e = next) {
        next = e->next_of_block;
        if (!e->is_named)
            entry_undesire(t, e);
    }
    block->entries = NULL;
}

static void
block_fill(struct flow_table *t, struct block *block, const struct spec *const specs[], size_t n)
{
    struct entry **link = &block->entries;
    for (size_t i = 0; i < n; i++) {
        if (specs[i]->is_shared)
            continue;
        struct entry *e = t->named[i];
        entry_desire(t, e, specs[i]);
        *link = e;
        link = &e->next_of_block;
    }
    *link = NULL;
}

static struct block *
block_new(struct flow_table *t, uint64_t cookie)
{
    struct block *block = mem_zalloc(sizeof *block);
    block->cookie = cookie;
    map_insert(&t->blocks, &block->node, hash_number(cookie));
    return block;
}

bool
flow_table_set_block(struct flow_table *t, uint64_t cookie, const struct spec *const specs[], size_t n, struct error *err)
{
    struct block *block = block_find(t, cookie);
    if (!block && !n)
        return true;

    size_t n_named = n;
    t->named = mem_grow(t->named, &t->cap_named, n, sizeof *t->named);
    bool ok = entries_name(t, cookie, specs, &n_named, err);
    if (ok) {
        free(t->by_priority);
        t->by_priority = NULL;
        if (!block)
            block = block_new(t, cookie);
        block_shed(t, block);
        shared_set(t, block, specs, t->named, n);
        block_fill(t, block, specs, n);
    }
    entries_unname(t, n_named);
    if (ok && !n) {
        map_remove(&t->blocks, &block->node);
        free(block);
    }
    return ok;
}
