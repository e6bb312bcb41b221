/* Printing rows: a format is one function in a table. Rows are JSON objects as the daemon sent them. */
#ifndef VNETCTL_OUTPUT_H
#define VNETCTL_OUTPUT_H 1

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"

struct output_rows {
    const json_t *rows;         /* array of objects */
    const char *const *columns; /* what to show, in order */
    size_t n_columns;
    bool headings;
};

struct output_format {
    const char *name;
    bool is_native; /* prints the document as it is: columns need not be known */
    void (*print)(FILE *, const struct output_rows *);
};

/* NULL: no such format. */
const struct output_format *output_format_find(const char *name);

void output_table(FILE *, const struct output_rows *);
void output_list(FILE *, const struct output_rows *);
void output_json(FILE *, const struct output_rows *);
void output_csv(FILE *, const struct output_rows *);

/* A value as bare text, in the arena: lists with commas between, objects as k=v, null as nothing. */
const char *output_value(const json_t *, struct arena *);

/* The same, fit for a terminal: no control characters. */
const char *output_cell(const json_t *, struct arena *);

/* Number of characters of UTF-8 text. */
size_t output_width(const char *);

/* A line of text, or several, made fit for a terminal; ends with a newline. */
void output_text(FILE *, const char *);

#endif
