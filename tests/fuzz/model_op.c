/* Operations as clients send them, an array of them a line: each line is a transaction on a small network. What is refused leaves the model
 * as it was; what is committed can be stored and loaded again. The first byte chooses who asks. */
#include "tests/fuzz/model_base.h"

#include "tests/fuzz/fuzz.h"

enum { IS_TENANT = 1, IS_READER = 2, IS_DRY = 4 };

static void
stored_check(const struct model *m, const char *dump)
{
    struct error err;
    struct model *loaded = model_reload(m, &err);
    if (!loaded)
        fprintf(stderr, "%s\n", err.text);
    FUZZ_CLAIM(loaded);
    char *again = model_dump(loaded);
    FUZZ_CLAIM(!strcmp(dump, again));
    free(again);
    model_free(loaded);
}

/* '*dump' is the model's, before and after. */
static void
line_take(struct model *m, const char *line, uint8_t choice, char **dump)
{
    struct error err;
    struct principal who = { .role = choice & IS_READER   ? PRINCIPAL_READER
                                     : choice & IS_TENANT ? PRINCIPAL_TENANT
                                                          : PRINCIPAL_ADMIN,
                             .name = "fuzz",
                             .tenant = "t" };
    json_t *ops = json_parse(line, strlen(line), "operations", &err);
    if (ops && !json_is_array(ops))
        ops = json_pack("[o]", ops);
    if (!ops)
        return;
    bool is_committed = model_try(m, ops, &who, choice & IS_DRY, &err) && !(choice & IS_DRY);
    char *after = model_dump(m);
    if (is_committed)
        stored_check(m, after);
    else
        FUZZ_CLAIM(!strcmp(*dump, after));
    free(*dump);
    *dump = after;
    json_decref(ops);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t choice = fuzz_take_byte(&data, &n);
    struct model *m = model_base();
    char *text = fuzz_text(data, n), *rest = text, *dump = model_dump(m);
    for (char *line; (line = fuzz_line(&rest));)
        line_take(m, line, choice, &dump);
    free(dump);
    free(text);
    model_free(m);
    return 0;
}
