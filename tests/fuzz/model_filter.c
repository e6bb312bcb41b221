/* What a query asks of listings: lines of type, column and value, with tabs between; and what a certificate says of its holder. */
#include "tests/fuzz/model_base.h"

#include "tests/fuzz/fuzz.h"
#include "vnet/model/condition.h"

#define CELLS 3

static void
condition_try(const struct model *m, const struct object_class *class, const char *column, const char *value)
{
    struct error err;
    struct condition c;
    const struct object *o;
    bool ok = condition_init(&c, m, class, column, value, &err);
    for (uint32_t after = 0; ok && (o = model_next(m, class->type, after)); after = o->number) {
        json_t *json = object_json(m, o, NULL);
        condition_holds(&c, o, json);
        json_decref(json);
    }
    condition_done(&c);
}

static void
column_try(const struct model *m, const struct object_class *class, const char *column)
{
    struct error err;
    struct json_columns columns = { .names = &column, .n = 1 };
    if (!columns_check(class, &column, 1, &err))
        return;
    const struct object *o = model_next(m, class->type, 0);
    json_t *json = o ? object_json(m, o, &columns) : NULL;
    FUZZ_CLAIM(!o || json_object_get(json, column));
    json_decref(json);
}

static void
principal_try(const char *cn, const char *ou, const char *tenant)
{
    struct principal p;
    struct error err;
    if (!principal_from_certificate(cn, ou, &p, &err))
        return;
    FUZZ_CLAIM(p.role != PRINCIPAL_READER || !principal_may(&p, VERB_CHANGE, tenant, &err));
    FUZZ_CLAIM(p.role != PRINCIPAL_TENANT || !principal_may(&p, VERB_ADMIN, NULL, &err));
    FUZZ_CLAIM(p.role != PRINCIPAL_TENANT || principal_may(&p, VERB_CHANGE, tenant, &err) == !strcmp(p.tenant, tenant));
}

/* The most a name may find is an object of that name, or id. */
static void
find_try(const struct model *m, const struct object_class *class, const char *name)
{
    const struct object *o = model_find(m, class->type, class->has_tenant ? model_tenant(m, "default") : 0, name);
    FUZZ_CLAIM(!o || o->type == class->type);
}

static void
line_take(const struct model *m, char *line)
{
    const char *cells[CELLS] = { "", "", "" };
    for (int i = 0; i < CELLS && line; i++) {
        cells[i] = line;
        line = strchr(line, '\t');
        if (line)
            *line++ = '\0';
    }
    const struct object_class *class = object_class_by_name(cells[0]);
    if (class) {
        condition_try(m, class, cells[1], cells[2]);
        column_try(m, class, cells[1]);
        find_try(m, class, cells[1]);
    }
    principal_try(cells[0], cells[1], cells[2]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct model *m = model_base();
    char *text = fuzz_text(data, n), *rest = text;
    for (char *line; (line = fuzz_line(&rest));)
        line_take(m, line);
    json_decref(schema_json());
    free(text);
    model_free(m);
    return 0;
}
