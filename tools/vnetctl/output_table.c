/* Columns under headings, left aligned, as Open vSwitch's tools print them. */
#include "tools/vnetctl/output.h"

static void
widths_measure(const struct output_rows *o, const char **cells, size_t *widths)
{
    size_t n_rows = json_array_size(o->rows);
    for (size_t j = 0; j < o->n_columns; j++) {
        widths[j] = o->headings ? output_width(o->columns[j]) : 0;
        for (size_t i = 0; i < n_rows; i++) {
            size_t width = output_width(cells[i * o->n_columns + j]);
            widths[j] = width > widths[j] ? width : widths[j];
        }
    }
}

/* No blanks at the end. */
static void
row_print(FILE *stream, const struct output_rows *o, const char *const *cells, const size_t *widths)
{
    size_t n = o->n_columns;
    while (n && !*cells[n - 1])
        n--;
    for (size_t j = 0; j < n; j++) {
        int pad = j + 1 < n ? (int) (widths[j] - output_width(cells[j]) + 1) : 0;
        fprintf(stream, "%s%*s", cells[j], pad, "");
    }
    fputc('\n', stream);
}

static void
headings_print(FILE *stream, const struct output_rows *o, const size_t *widths)
{
    row_print(stream, o, o->columns, widths);
    for (size_t j = 0; j < o->n_columns; j++) {
        for (size_t i = 0; i < widths[j]; i++)
            fputc('-', stream);
        fputc(j + 1 < o->n_columns ? ' ' : '\n', stream);
    }
}

void
output_table(FILE *stream, const struct output_rows *o)
{
    struct arena *arena = arena_new();
    size_t n_rows = json_array_size(o->rows);
    const char **cells = arena_alloc(arena, (n_rows * o->n_columns + 1) * sizeof *cells);
    size_t *widths = arena_zalloc(arena, (o->n_columns + 1) * sizeof *widths);
    for (size_t i = 0; i < n_rows; i++)
        for (size_t j = 0; j < o->n_columns; j++)
            cells[i * o->n_columns + j] = output_cell(json_object_get(json_array_get(o->rows, i), o->columns[j]), arena);

    widths_measure(o, cells, widths);
    if (o->headings && o->n_columns)
        headings_print(stream, o, widths);
    for (size_t i = 0; i < n_rows; i++)
        row_print(stream, o, cells + i * o->n_columns, widths);
    arena_free(arena);
}
