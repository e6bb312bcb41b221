/* A line for each value, an empty line between rows, as Open vSwitch's tools print records. */
#include "tools/vnetctl/output.h"

void
output_list(FILE *stream, const struct output_rows *o)
{
    struct arena *arena = arena_new();
    size_t width = 0;
    for (size_t j = 0; j < o->n_columns; j++)
        width = output_width(o->columns[j]) > width ? output_width(o->columns[j]) : width;
    for (size_t i = 0; i < json_array_size(o->rows); i++) {
        const json_t *row = json_array_get(o->rows, i);
        if (i)
            fputc('\n', stream);
        for (size_t j = 0; j < o->n_columns; j++) {
            const char *cell = output_cell(json_object_get(row, o->columns[j]), arena);
            fprintf(stream, "%-*s :%s%s\n", (int) width, o->columns[j], *cell ? " " : "", cell);
        }
        arena_reset(arena);
    }
    arena_free(arena);
}
