/* Comma separated values (RFC 4180, lines ended as on Unix): a value with a comma or quote is quoted. Control characters are
 * escaped as in the other formats, since this goes to terminals as well; JSON keeps them. */
#include "tools/vnetctl/output.h"

#include <string.h>

static void
value_print(FILE *stream, const char *text)
{
    if (!strpbrk(text, ",\"")) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

void
output_csv(FILE *stream, const struct output_rows *o)
{
    struct arena *arena = arena_new();
    for (size_t j = 0; o->headings && j < o->n_columns; j++) {
        value_print(stream, o->columns[j]);
        fputc(j + 1 < o->n_columns ? ',' : '\n', stream);
    }
    for (size_t i = 0; i < json_array_size(o->rows); i++) {
        const json_t *row = json_array_get(o->rows, i);
        for (size_t j = 0; j < o->n_columns; j++) {
            value_print(stream, output_cell(json_object_get(row, o->columns[j]), arena));
            fputc(j + 1 < o->n_columns ? ',' : '\n', stream);
        }
        arena_reset(arena);
    }
    arena_free(arena);
}
