#include "vnet/pipeline/stage.h"

#include <stddef.h>

struct stage_row {
    uint8_t table;
    const char *name;
    bool is_shared;
};

static const struct stage_row stages[] = {
#define X(ID, TABLE, NAME, SHARED) { TABLE, NAME, SHARED },
    STAGE_LIST(X)
#undef X
};

static const struct stage_row *
stage_find(uint8_t table)
{
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        if (stages[i].table == table)
            return &stages[i];
    }
    return NULL;
}

const char *
stage_name(uint8_t table)
{
    const struct stage_row *row = stage_find(table);
    return row ? row->name : NULL;
}

bool
stage_is_shared(uint8_t table)
{
    const struct stage_row *row = stage_find(table);
    return row && row->is_shared;
}

const uint8_t *
stage_tables(unsigned *n)
{
    static const uint8_t tables[] = {
#define X(ID, TABLE, NAME, SHARED) TABLE,
        STAGE_LIST(X)
#undef X
    };
    *n = sizeof tables;
    return tables;
}
