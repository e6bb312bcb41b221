/* What the formats share: the table of them, and values as text. Values may hold what a tenant chose; what goes to a terminal passes
 * text_escape(). */
#include "tools/vnetctl/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

static const struct output_format formats[] = {
    { "table", false, output_table },
    { "list", false, output_list },
    { "json", true, output_json },
    { "csv", false, output_csv },
};

const struct output_format *
output_format_find(const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    return NULL;
}

static const char *
array_text(const json_t *array, struct arena *arena)
{
    const char *text = "";
    size_t i;
    const json_t *element;
    json_array_foreach ((json_t *) array, i, element)
        text = arena_printf(arena, "%s%s%s", text, i ? "," : "", output_value(element, arena));
    return text;
}

static const char *
object_text(const json_t *object, struct arena *arena)
{
    const char *text = "", *key, *comma = "";
    json_t *value;
    json_object_foreach ((json_t *) object, key, value) {
        text = arena_printf(arena, "%s%s%s=%s", text, comma, key, output_value(value, arena));
        comma = ",";
    }
    return text;
}

const char *
output_value(const json_t *value, struct arena *arena)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING: return arena_strdup(arena, json_string_value(value));
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_INTEGER: return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL: return arena_printf(arena, "%.10g", json_real_value(value));
    case JSON_ARRAY: return array_text(value, arena);
    case JSON_OBJECT: return object_text(value, arena);
    case JSON_NULL: break;
    }
    return "";
}

const char *
output_cell(const json_t *value, struct arena *arena)
{
    const char *text = output_value(value, arena);
    size_t size = 4 * strlen(text) + 8;
    char *cell = arena_alloc(arena, size);
    text_escape(cell, size, text);
    return cell;
}

size_t
output_width(const char *text)
{
    size_t width = 0;
    for (size_t n; *text; text += n, width++) {
        n = text_utf8_length(text);
        n = n ? n : 1;
    }
    return width;
}

void
output_text(FILE *stream, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n"), size = 4 * n + 8;
        char *line = mem_alloc(n + 1), *shown = mem_alloc(size);
        memcpy(line, text, n);
        line[n] = '\0';
        text_escape(shown, size, line);
        fprintf(stream, "%s\n", shown);
        free(line);
        free(shown);
        text += n + (text[n] == '\n');
    }
}
