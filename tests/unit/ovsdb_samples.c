/* See ovsdb_samples.h. */
#include "tests/unit/ovsdb_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

json_t *
sample_json(const char *text)
{
    char *copy = mem_strdup(text);
    for (char *p = copy; *p; p++)
        if (*p == '\'')
            *p = '"';
    struct error err;
    json_t *json = json_parse(copy, strlen(copy), "a sample", &err);
    if (!json)
        fail_msg("%s: %s", err.text, copy);
    free(copy);
    return json;
}

void
sample_update(struct ovsdb_rows *rows, enum ovsdb_dialect dialect, const char *text)
{
    struct error err;
    json_t *update = sample_json(text);
    if (!ovsdb_update_apply(rows, dialect, update, &err))
        fail_msg("%s", err.text);
    json_decref(update);
}

void
sample_rows(struct ovsdb_rows *rows, const char *ids, const char *root_columns, const char *tables)
{
    char *text = mem_printf("{'Open_vSwitch':{'" SAMPLE_UUID("01") "':{'initial':{'external_ids':['map',[%s]]%s%s}}}%s%s}", ids,
                            *root_columns ? "," : "", root_columns, *tables ? "," : "", tables);
    ovsdb_rows_init(rows, 1);
    sample_update(rows, OVSDB_UPDATE2, text);
    free(text);
}
