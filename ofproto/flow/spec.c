/* Comparing and hashing specs. The key's hash is stored beside each entry of a flow table; the value's hash stands for
 * what a switch is known to hold, so it has 64 bits. */
#include "ofproto/flow/spec.h"

#include <string.h>

#include "base/map.h"
#include "ofproto/flow/spec_private.h"

struct spec *
spec_alloc(struct arena *arena, const struct spec *head)
{
    struct spec *s = arena_alloc(arena, spec_size(head));
    *s = *head;
    return s;
}

struct spec *
spec_put(struct arena *arena, const struct spec *head, const void *key, const void *body)
{
    struct spec *s = spec_alloc(arena, head);
    if (head->key_len)
        memcpy(s->bytes, key, head->key_len);
    if (head->body_len)
        memcpy(s->bytes + head->key_len, body, head->body_len);
    return s;
}

struct spec_id
spec_id_of(const struct spec *s)
{
    return (struct spec_id){
        .key = spec_key(s),
        .id = s->id,
        .key_len = s->key_len,
        .priority = s->priority,
        .table = s->table,
        .kind = s->kind,
    };
}

uint32_t
spec_id_hash(const struct spec_id *id)
{
    uint64_t basis = (uint64_t) id->id << 32 | (uint32_t) id->priority << 16 | id->table << 8 | id->kind;
    return hash_bytes64(id->key, id->key_len, hash_u64(basis) ^ basis);
}

bool
spec_id_is(const struct spec_id *id, const struct spec *s)
{
    return id->kind == s->kind && id->table == s->table && id->priority == s->priority && id->id == s->id && id->key_len == s->key_len
           && !memcmp(id->key, spec_key(s), id->key_len);
}

uint32_t
spec_key_hash(const struct spec *s)
{
    struct spec_id id = spec_id_of(s);
    return spec_id_hash(&id);
}

bool
spec_key_equal(const struct spec *a, const struct spec *b)
{
    struct spec_id id = spec_id_of(a);
    return spec_id_is(&id, b);
}

uint64_t
spec_bytes_hash(const struct spec *head, const void *body, size_t n)
{
    uint64_t hash = hash_bytes64(body, n, head->kind == SPEC_FLOW ? head->cookie : head->kind);
    if (head->tells_removal)
        hash ^= 4;
    return hash ? hash : 1;
}

uint64_t
spec_value_hash(const struct spec *s)
{
    return spec_bytes_hash(s, spec_body(s), s->body_len);
}
