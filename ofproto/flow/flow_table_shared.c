/* Shared entries: several blocks give actions to one flow, and the union of them is what is desired. Contributions are
 * kept in the order of their cookies, so that the union does not depend on who came first; an action that is given
 * twice is in it once. A change costs the number of contributions to the entries it touches: as much as is then sent. */
#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ofproto/flow/flow_table_private.h"

/* struct ofp11_instruction_actions and the common start of all actions (OpenFlow 1.5.1, 7.2.5 and 7.2.6). */
#define APPLY_ACTIONS 4
#define INSTRUCTION_HEADER 8
#define ACTION_MIN 8

static uint16_t
be16_at(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

/* Length of the action at 'p' in a list that ends at 'end'. Contributions come from our own builder. */
static size_t
action_length(const uint8_t *p, const uint8_t *end)
{
    assert(end - p >= ACTION_MIN);
    size_t length = be16_at(p + 2);
    assert(length >= ACTION_MIN && length <= (size_t) (end - p));
    return length;
}

/* The actions put together so far, and where each is: an open-addressed hash of offsets, 0 for none. */
struct joined {
    struct spec *spec;
    uint8_t *body;
    size_t n;
    uint32_t *slots;
    uint32_t mask;
};

static void
joined_add(struct joined *j, const uint8_t *action, size_t length)
{
    uint32_t i = hash_bytes(action, length, 0) & j->mask;
    for (; j->slots[i]; i = (i + 1) & j->mask) {
        const uint8_t *other = j->body + j->slots[i];
        if (be16_at(other + 2) == length && !memcmp(other, action, length))
            return;
    }
    j->slots[i] = j->n;
    memcpy(j->body + j->n, action, length);
    j->n += length;
}

static void
joined_start(struct joined *j, const struct entry *e)
{
    size_t bytes = INSTRUCTION_HEADER;
    for (const struct contribution *c = e->given; c; c = c->next_of_entry)
        bytes += c->body_len;
    uint32_t n_slots = 8;
    while (n_slots < bytes / ACTION_MIN * 2)
        n_slots *= 2;

    j->spec = mem_zalloc(sizeof *j->spec + e->spec->key_len + bytes);
    *j->spec = *e->spec;
    j->spec->cookie = FLOW_TABLE_SHARED_COOKIE(e->given->cookie);
    j->spec->is_shared = true;
    memcpy(j->spec->bytes, spec_key(e->spec), e->spec->key_len);
    j->body = j->spec->bytes + e->spec->key_len;
    j->n = INSTRUCTION_HEADER;
    j->slots = mem_zalloc(n_slots * sizeof *j->slots);
    j->mask = n_slots - 1;
}

/* The union of what is given to 'e', for the caller to free. */
static struct spec *
shared_join(const struct entry *e)
{
    struct joined j;
    joined_start(&j, e);
    for (const struct contribution *c = e->given; c; c = c->next_of_entry) {
        const uint8_t *p = c->body + INSTRUCTION_HEADER, *end = c->body + c->body_len;
        while (c->body_len && p < end) {
            size_t length = action_length(p, end);
            joined_add(&j, p, length);
            p += length;
        }
    }
    j.spec->body_len = j.n > INSTRUCTION_HEADER ? j.n : 0;
    j.body[1] = APPLY_ACTIONS;
    j.body[2] = j.n >> 8;
    j.body[3] = j.n & 0xff;
    free(j.slots);
    return j.spec;
}

static struct contribution *
contribution_new(struct entry *e, const struct spec *s)
{
    const uint8_t *body = spec_body(s);
    assert(!s->body_len || (s->body_len >= INSTRUCTION_HEADER && be16_at(body) == APPLY_ACTIONS && be16_at(body + 2) == s->body_len));
    struct contribution *c = mem_zalloc(sizeof *c + s->body_len);
    c->entry = e;
    c->cookie = s->cookie;
    c->body_len = s->body_len;
    memcpy(c->body, body, s->body_len);

    struct contribution **link = &e->given;
    while (*link && (*link)->cookie <= c->cookie)
        link = &(*link)->next_of_entry;
    c->next_of_entry = *link;
    *link = c;
    return c;
}

static void
entry_drop(struct entry *e, uint64_t cookie)
{
    struct contribution **link = &e->given;
    while (*link) {
        if ((*link)->cookie == cookie)
            *link = (*link)->next_of_entry;
        else
            link = &(*link)->next_of_entry;
    }
}

/* Entries whose union is to be made anew. */
struct stale {
    struct entry **entries;
    size_t n, cap;
};

static bool
stale_add(struct stale *stale, struct entry *e)
{
    if (e->is_stale)
        return false;
    e->is_stale = true;
    stale->entries = mem_grow(stale->entries, &stale->cap, stale->n + 1, sizeof *stale->entries);
    stale->entries[stale->n++] = e;
    return true;
}

static void
stale_done(struct stale *stale, struct flow_table *t)
{
    for (size_t i = 0; i < stale->n; i++) {
        struct entry *e = stale->entries[i];
        e->is_stale = false;
        if (e->given) {
            struct spec *joined = shared_join(e);
            e->is_shared = true;
            entry_desire(t, e, joined);
            free(joined);
        } else {
            entry_undesire(t, e);
        }
    }
    free(stale->entries);
}

static void
contributions_drop(struct block *block, struct stale *stale)
{
    struct contribution *next;
    for (struct contribution *c = block->contributions; c; c = next) {
        next = c->next_of_block;
        if (stale_add(stale, c->entry))
            entry_drop(c->entry, block->cookie);
        free(c);
    }
    block->contributions = NULL;
}

/* Does the block give already what 'specs' say, in the same order? */
static bool
shared_is_same(const struct block *block, const struct spec *const specs[], struct entry *const entries[], size_t n)
{
    const struct contribution *c = block->contributions;
    for (size_t i = 0; i < n; i++) {
        if (!specs[i]->is_shared)
            continue;
        if (!c || c->entry != entries[i] || c->body_len != specs[i]->body_len || memcmp(c->body, spec_body(specs[i]), c->body_len))
            return false;
        c = c->next_of_block;
    }
    return !c;
}

void
shared_set(struct flow_table *t, struct block *block, const struct spec *const specs[], struct entry *const entries[], size_t n)
{
    if (shared_is_same(block, specs, entries, n)) {
        for (const struct contribution *c = block->contributions; c; c = c->next_of_block) {
            entry_set_refused(t, c->entry, false);
            entry_settle(t, c->entry);
        }
        return;
    }

    struct stale stale = { NULL, 0, 0 };
    contributions_drop(block, &stale);
    struct contribution **link = &block->contributions;
    for (size_t i = 0; i < n; i++) {
        if (!specs[i]->is_shared)
            continue;
        stale_add(&stale, entries[i]);
        *link = contribution_new(entries[i], specs[i]);
        link = &(*link)->next_of_block;
    }
    stale_done(&stale, t);
}

static size_t
given_by_others(const struct entry *e, uint64_t cookie)
{
    size_t bytes = 0;
    for (const struct contribution *c = e->is_desired && e->is_shared ? e->given : NULL; c; c = c->next_of_entry)
        bytes += c->cookie == cookie ? 0 : c->body_len;
    return bytes;
}

size_t
shared_overflow(uint64_t cookie, const struct spec *const specs[], struct entry *const entries[], size_t n)
{
    size_t given = 0;
    for (size_t i = 0; i < n; i++)
        given += specs[i]->is_shared ? specs[i]->body_len : 0;

    for (size_t i = 0; i < n; i++) {
        if (!specs[i]->is_shared)
            continue;
        size_t room = SPEC_BYTES_MAX - specs[i]->key_len, others = given_by_others(entries[i], cookie);
        if (others + given <= room)
            continue;
        size_t same = 0; /* much is given: count only what goes to this entry */
        for (size_t k = 0; k < n; k++)
            same += specs[k]->is_shared && entries[k] == entries[i] ? specs[k]->body_len : 0;
        if (others + same > room)
            return i;
    }
    return n;
}

void
shared_free(struct entry *e)
{
    while (e->given) {
        struct contribution *c = e->given;
        e->given = c->next_of_entry;
        free(c);
    }
}
