/* Random bytes here are a fixed sequence, so that an input always meets the same network. */
#include "tests/fuzz/model_base.h"

#include "base/arena.h"
#include "base/bytes.h"
#include "tests/fuzz/fuzz.h"
#include "vnet/model/model_json.h"

static const char base_ops[] =
    "[{'op':'add','type':'vpc','name':'v','values':{'cidr':'10.0.0.0/16'}},"
    "{'op':'add','type':'subnet','name':'s','values':{'vpc':'v','cidr':'10.0.1.0/29','dns':'10.9.9.9','domain':'example.com'}},"
    "{'op':'add','type':'port','name':'p','values':{'subnet':'s','tags':{'k':'v'}}},"
    "{'op':'add','type':'port','name':'q','id':'6ba7b810-9dad-41d1-80b4-00c04fd430c8','values':{'subnet':'s','ip':'10.0.1.4',"
    "'mac':'02:00:00:00:00:07'}},"
    "{'op':'add','type':'rtb','name':'r','values':{'vpc':'v'}},"
    "{'op':'add','type':'route','values':{'rtb':'r','prefix':'0.0.0.0/0','target':'port:p'}},"
    "{'op':'add','type':'route','values':{'rtb':'r','prefix':'198.51.100.0/24','target':'blackhole'}},"
    "{'op':'add','type':'tenant','name':'t','values':{'quotas':{'port':1}}},"
    "{'op':'add','type':'vpc','name':'v','tenant':'t','values':{'cidr':'10.0.0.0/24'}},"
    "{'op':'add','type':'host','name':'h'},"
    "{'op':'add','type':'pool','name':'o','values':{'cidr':'203.0.113.0/29','uplink':'u','range':'203.0.113.2-203.0.113.4'}},"
    "{'op':'add','type':'igw','values':{'vpc':'v'}},"
    "{'op':'add','type':'natgw','name':'n','values':{'subnet':'s'}},"
    "{'op':'add','type':'route','values':{'rtb':'v','prefix':'0.0.0.0/0','target':'igw'}},"
    "{'op':'add','type':'route','values':{'rtb':'r','prefix':'192.0.2.0/24','target':'natgw:n'}},"
    "{'op':'add','type':'eip','values':{'pool':'o','attached':'natgw:n'}},"
    "{'op':'add','type':'eip','tenant':'t','values':{'pool':'o'}},"
    "{'op':'add','type':'sg','name':'g','values':{'vpc':'v'}},"
    "{'op':'add','type':'sg-rule','id':'6ba7b810-9dad-41d1-80b4-00c04fd430c9','values':{'sg':'g','direction':'ingress','proto':'tcp',"
    "'ports':'80-90','peer':'10.0.0.0/8'}},"
    "{'op':'add','type':'sg-rule','values':{'sg':'g','direction':'egress','proto':'icmp','ports':'3/4','peer':'sg:v'}},"
    "{'op':'set','type':'port','name':'q','values':{'sg':'g,v'}},"
    "{'op':'add','type':'subnet','name':'l','values':{'vpc':'v','cidr':'10.0.2.0/29'}},"
    "{'op':'add','type':'lb','name':'b','values':{'subnet':'l','affinity':'source'}},"
    "{'op':'add','type':'tg','name':'w','values':{'vpc':'v','proto':'tcp','port':80,'interval':0.7}},"
    "{'op':'add','type':'listener','values':{'lb':'b','proto':'tcp','port':443,'tg':'w'}},"
    "{'op':'add','type':'target','values':{'tg':'w','port':'p','target_port':8080,'weight':3}}]";

static void
give_random(void *aux, uint8_t *bytes, size_t n)
{
    uint64_t *state = aux;
    for (size_t i = 0; i < n; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = *state >> 56;
    }
}

static bool
ops_apply(struct transaction *t, const json_t *ops, struct error *err)
{
    size_t i;
    json_t *op;
    json_array_foreach (ops, i, op) {
        json_t *result;
        bool ok = transaction_op(t, op, &result, err);
        FUZZ_CLAIM(ok || *err->text);
        json_decref(result);
        if (!ok)
            return false;
    }
    return transaction_finish(t, err);
}

static void
changes_check(const struct transaction *t)
{
    size_t n;
    const struct change *changes = transaction_changes(t, &n);
    FUZZ_CLAIM(transaction_is_empty(t) == !n);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CLAIM(changes[i].before || changes[i].after);
        if (changes[i].before)
            json_decref(transaction_json(t, changes[i].before));
        if (changes[i].after)
            json_decref(transaction_json(t, changes[i].after));
    }
}

bool
model_try(struct model *m, const json_t *ops, const struct principal *p, bool is_dry, struct error *err)
{
    uint64_t random = model_revision(m);
    struct transaction_origin origin = { .principal = *p, .now_ms = 1700000000000, .random = give_random, .random_aux = &random };
    struct transaction *t = transaction_begin(m, &origin);
    bool ok = ops_apply(t, ops, err);
    if (ok)
        changes_check(t);
    if (ok && !is_dry)
        transaction_commit(t);
    transaction_free(t);
    return ok;
}

struct model *
model_base(void)
{
    struct error err;
    struct principal admin = { .role = PRINCIPAL_ADMIN, .name = "fuzz" };
    struct model *m = model_new();
    char *text = mem_strdup(base_ops);
    for (char *p = text; *p; p++)
        *p = *p == '\'' ? '"' : *p;
    json_t *ops = json_parse(text, strlen(text), "operations", &err);
    if (!ops || !model_try(m, ops, &admin, false, &err)) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    json_decref(ops);
    free(text);
    return m;
}

static void
text_put(struct bytes *b, const char *text)
{
    bytes_put(b, text, strlen(text));
}

static void
json_put(struct bytes *b, json_t *take_json)
{
    char *text = json_text(take_json);
    text_put(b, text);
    text_put(b, "\n");
    free(text);
    json_decref(take_json);
}

char *
model_dump(const struct model *m)
{
    struct bytes b = BYTES_INIT;
    struct arena *arena = arena_new();
    for (const struct object_class *c = NULL; (c = object_class_next(c));) {
        const struct object *o;
        for (uint32_t after = 0; (o = model_next(m, c->type, after)); after = o->number) {
            text_put(&b, arena_printf(arena, "%u %s\n", o->number, object_label(m, o, arena)));
            json_put(&b, object_to_store(o));
            json_put(&b, object_json(m, o, NULL));
            FUZZ_CLAIM(model_get_id(m, o->id) == o);
        }
        text_put(&b, arena_printf(arena, "%s: %zu\n", c->name, model_count(m, c->type)));
    }
    bytes_put_u8(&b, 0);
    arena_free(arena);
    return (char *) b.data;
}

struct model *
model_reload(const struct model *m, struct error *err)
{
    struct model *other = model_new();
    struct model_sequences sequences = { .revision = model_revision(m), .next_number = 1000, .next_vni = 1000 };
    bool ok = true;
    for (const struct object_class *c = NULL; (c = object_class_next(c));) {
        const struct object *o;
        for (uint32_t after = 0; ok && (o = model_next(m, c->type, after)); after = o->number) {
            json_t *document = object_to_store(o);
            ok = model_load_object(other, o->number, document, err);
            json_decref(document);
        }
    }
    if (ok && model_load_finish(other, &sequences, err))
        return other;
    model_free(other);
    return NULL;
}
