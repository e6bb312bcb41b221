/* Documents of a store that somebody has been at: one object with numbers as keys. What loads can be shown, changed and stored. */
#include "tests/fuzz/model_base.h"

#include "tests/fuzz/fuzz.h"

static void
give_counted(void *count, uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = ++*(uint8_t *) count;
}

/* As vnetd does before it serves; a second time there is nothing to do. */
static bool
upgrade(struct model *m, struct error *err)
{
    uint8_t count = 0;
    struct transaction_origin origin = { .principal = { .role = PRINCIPAL_ADMIN, .name = "fuzz" },
                                         .random = give_counted,
                                         .random_aux = &count };
    for (int i = 0; i < 2; i++) {
        struct transaction *t = transaction_begin(m, &origin);
        bool ok = transaction_upgrade(t, err) && transaction_finish(t, err);
        FUZZ_CLAIM(ok || *err->text);
        FUZZ_CLAIM(!i || (ok && transaction_is_empty(t)));
        if (ok)
            transaction_commit(t);
        transaction_free(t);
        if (!ok)
            return false;
    }
    return true;
}

static bool
load(struct model *m, const json_t *documents, struct error *err)
{
    const char *key;
    json_t *document;
    json_object_foreach ((json_t *) documents, key, document) {
        uint32_t number = (uint32_t) strtoul(key, NULL, 10);
        if (json_is_null(document))
            model_load_tombstone(m, number);
        else if (!model_load_object(m, number, document, err))
            return false;
    }
    struct model_sequences sequences = { .revision = 5, .next_number = 2, .next_vni = 1 };
    return model_load_finish(m, &sequences, err) && upgrade(m, err);
}

static void
use(struct model *m)
{
    static const char text[] =
        "[{\"op\":\"add\",\"type\":\"vpc\",\"name\":\"new\",\"values\":{\"cidr\":\"10.7.0.0/16\"}},"
        "{\"op\":\"add\",\"type\":\"subnet\",\"name\":\"new\",\"values\":{\"vpc\":\"new\",\"cidr\":\"10.7.1.0/24\"}},"
        "{\"op\":\"add\",\"type\":\"port\",\"name\":\"new\",\"values\":{\"subnet\":\"new\"}},"
        "{\"op\":\"add\",\"type\":\"pool\",\"name\":\"new\",\"values\":{\"cidr\":\"192.0.2.0/29\",\"uplink\":\"u\"}},"
        "{\"op\":\"add\",\"type\":\"eip\",\"values\":{\"pool\":\"new\",\"attached\":\"port:new\"}}]";
    struct principal admin = { .role = PRINCIPAL_ADMIN, .name = "fuzz" };
    struct error err;
    json_t *ops = json_parse(text, sizeof text - 1, "operations", &err);
    char *before = model_dump(m);
    FUZZ_CLAIM(ops);
    bool ok = model_try(m, ops, &admin, true, &err);
    FUZZ_CLAIM(ok || *err.text);
    char *after = model_dump(m);
    FUZZ_CLAIM(!strcmp(before, after));
    struct model *again = model_reload(m, &err);
    FUZZ_CLAIM(again);
    free(after);
    after = model_dump(again);
    FUZZ_CLAIM(!strcmp(before, after));
    model_free(again);
    free(before);
    free(after);
    json_decref(ops);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct error err;
    json_t *documents = json_parse((const char *) data, n, "documents", &err);
    struct model *m = model_new();
    if (json_is_object(documents) && load(m, documents, &err))
        use(m);
    model_free(m);
    json_decref(documents);
    return 0;
}
