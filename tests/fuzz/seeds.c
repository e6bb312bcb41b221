/* Writes the first inputs of the targets that read binary formats: tests/fuzz/seeds CORPUS. What people could write by hand is in the corpus
 * as it is. Run again when a format changes; fuzzing adds what it finds beside these. */
#include "tests/fuzz/seeds.h"

#include <errno.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/model_base.h"

static const char *corpus;

void
seed_put(const char *target, const char *name, struct bytes *b)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", corpus, target);
    FUZZ_CLAIM(!mkdir(path, 0777) || errno == EEXIST);
    snprintf(path, sizeof path, "%s/%s/seed-%s", corpus, target, name);
    FILE *f = fopen(path, "wb");
    FUZZ_CLAIM(f && fwrite(b->data, 1, b->n, f) == b->n && !fclose(f));
    bytes_clear(b);
}

void
seed_put_numbered(const char *target, const char *name, size_t i, struct bytes *b)
{
    char numbered[64];
    snprintf(numbered, sizeof numbered, "%s-%zu", name, i);
    seed_put(target, numbered, b);
}

/* ---- stored documents ---- */

static void
document_put(struct bytes *b, const struct object *o)
{
    json_t *document = object_to_store(o);
    char *text = json_text(document), *line = mem_printf("%s\"%u\":%s", b->n ? "," : "{", o->number, text);
    bytes_put(b, line, strlen(line));
    free(line);
    free(text);
    json_decref(document);
}

static void
model_load_seeds(void)
{
    struct model *m = model_base();
    struct bytes b = BYTES_INIT;
    for (const struct object_class *c = NULL; (c = object_class_next(c));) {
        const struct object *o;
        for (uint32_t after = 0; (o = model_next(m, c->type, after)); after = o->number)
            document_put(&b, o);
    }
    bytes_put(&b, ",\"900\":null}", 12);
    seed_put("model_load", "network", &b);
    bytes_done(&b);
    model_free(m);
}

int
main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: seeds CORPUS\n");
        return 1;
    }
    corpus = argv[1];
    packet_seeds();
    switch_seeds();
    model_load_seeds();
    return 0;
}
